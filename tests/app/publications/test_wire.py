"""What leaves over a real connection, when, and for how long an answer is waited for."""

import errno
import os
import socket
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Final

import pytest

from clipcast.errors import LeaseLost, OutcomeUnknown, UnusableMedia
from clipcast.platforms.base import Body, FileRange, Form, Json, Request
from clipcast.platforms.wire import Wire
from clipcast.publications.leases import LEASE, Lease

PATIENCE_S: Final = 10.0
MEBIBYTE: Final = 1 << 20
OK: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@dataclass
class Peer:
    """Accepts one connection after another, keeps what comes in, and answers the way it is told."""

    answer: Callable[[socket.socket], None]
    received: bytearray = field(default_factory=bytearray)
    accepted: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def url(self) -> str:
        """A path of its own."""
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}/init"

    def serve(self) -> None:
        """Until it is closed."""
        with suppress(OSError):
            connection, _ = self.listener.accept()
            self.accepted.set()
            with connection:
                connection.settimeout(PATIENCE_S)
                while not self._is_whole() and (block := connection.recv(MEBIBYTE)):
                    self.received += block
                if self._is_whole():
                    self.answer(connection)
        self.over.set()

    def _is_whole(self) -> bool:
        head, end, body = bytes(self.received).partition(b"\r\n\r\n")
        promised = [int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        return bool(end) and len(body) >= sum(promised)


@pytest.fixture
def peer() -> Iterator[Peer]:
    peer = Peer(lambda connection: connection.sendall(OK))
    thread = threading.Thread(target=peer.serve, daemon=True)
    thread.start()
    yield peer
    peer.over.set()
    with suppress(OSError):  # it waits for nobody any more
        socket.socket.shutdown(peer.listener, socket.SHUT_RDWR)
    peer.listener.close()
    thread.join(PATIENCE_S)


class Zeros:
    """Media of as many bytes as are wanted, and `broken`, which lies where the disk fails."""

    def read_range(self, media_id: str, start: int, stop: int) -> Generator[bytes, None, None]:
        """In blocks, like the storage."""
        for first in range(start, stop, MEBIBYTE):
            if media_id == "broken":
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            yield bytes(min(MEBIBYTE, stop - first))

    def url(self, media_id: str) -> str:
        """Never asked for."""
        raise AssertionError(media_id)


BODIES: Final[Sequence[Body]] = [None, Json({"a": 1}), Form({"a": "1"}), FileRange("clip", 0, 2 * MEBIBYTE)]
with_each_body = pytest.mark.parametrize("body", BODIES, ids=["none", "json", "form", "file"])


@with_each_body
@pytest.mark.parametrize("fresh", [True, False], ids=["fresh", "pooled"])
def test_a_lease_that_ends_while_the_connection_is_made_keeps_the_request(peer: Peer, body: Body, *, fresh: bool) -> None:
    """A name server or a handshake may take longer than the lease has left; not a byte may leave after it."""
    now_s = [0.0]
    lease = Lease("publication", "token", lambda: now_s[0])

    def check() -> None:
        assert peer.accepted.wait(PATIENCE_S)
        now_s[0] += LEASE.total_seconds()
        lease.check()

    with closing(Wire()) as wire, pytest.raises(LeaseLost):
        wire.send(Request("POST", peer.url, body=body), media=Zeros(), fresh=fresh, check=check)

    assert peer.over.wait(PATIENCE_S)
    assert not peer.received


@with_each_body
def test_a_lease_that_ends_in_the_middle_of_a_request_keeps_the_rest_of_it(peer: Peer, body: Body) -> None:
    """The headers alone publish nothing."""
    checks = 0

    def check() -> None:
        nonlocal checks
        checks += 1
        if checks > 1:
            raise LeaseLost

    with closing(Wire()) as wire:
        if body is None:
            assert wire.send(Request("POST", peer.url), media=Zeros(), check=check).status == 200
            return
        with pytest.raises(LeaseLost):
            wire.send(Request("POST", peer.url, body=body), media=Zeros(), check=check)

    assert peer.over.wait(PATIENCE_S)
    head, end, rest = bytes(peer.received).partition(b"\r\n\r\n")
    assert (head[:5], end, rest) == (b"POST ", b"\r\n\r\n", b"")
    assert b"content-length:" in head.lower()
    assert b"transfer-encoding:" not in head.lower()


def trickle(peer: Peer, content: bytes) -> Callable[[socket.socket], None]:
    """Sends a byte now and then, always sooner than the next one is given up."""

    def answer(connection: socket.socket) -> None:
        for number in range(len(content)):
            connection.sendall(content[number : number + 1])
            if peer.over.wait(0.1):
                return

    return answer


@pytest.mark.parametrize(
    "content",
    [b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 1000, b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n" + b"x" * 999, None],
    ids=["head", "body", "body of no length"],
)
def test_an_answer_that_drips_is_given_up(peer: Peer, content: bytes | None) -> None:
    """Each byte comes in time, the whole never would."""

    def all_but_the_end(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        trickle(peer, b"x" * 1000)(connection)

    peer.answer = all_but_the_end if content is None else trickle(peer, content)

    with closing(Wire(answer_timeout_s=0.5)) as wire, pytest.raises(OutcomeUnknown, match="it was too slow"):
        wire.send(Request("GET", peer.url), media=Zeros())


def test_trouble_of_who_listens_is_not_the_files(peer: Peer) -> None:
    """A full disk behind a log of what was sent would end the publication for good."""

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with closing(Wire()) as wire, pytest.raises(OutcomeUnknown):
        wire.send(Request("PUT", peer.url, body=FileRange("clip", 0, MEBIBYTE)), media=Zeros(), on_bytes=full)


def test_a_file_that_cannot_be_read_is_named(peer: Peer) -> None:
    with closing(Wire()) as wire, pytest.raises(UnusableMedia, match="clip broken cannot be read"):
        wire.send(Request("PUT", peer.url, body=FileRange("broken", 0, MEBIBYTE)), media=Zeros())
