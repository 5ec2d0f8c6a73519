"""Strangers who hold connections and say little: they are given up, and never take what everybody else needs."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import urllib3

from app.api.calling import PATIENCE_S, Api, served
from clipcast.api.app import create_app
from clipcast.api.connections import Connection, config
from clipcast.settings import load_settings
from clipcast.system import Clipcast

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: clips.test\r\n\r\n"
HALF_A_HEAD = b"POST /login HTTP/1.1\r\nHost: clips.test\r\nX-Slow: "
LOGIN = b"POST /login HTTP/1.1\r\nHost: clips.test\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n"
HALF_A_BODY = LOGIN + b"\r\nemail="
ASKED_FOR = LOGIN + b"Expect: 100-continue\r\n\r\n"
"""The server asks for the body when it has the head."""
UPLOAD = (
    b"POST /clips HTTP/1.1\r\nHost: clips.test\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 4000000000\r\n\r\n--b"
)
DESCRIPTORS, ROOM = 80, 20

#: Nothing here gets as far as a database.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Hasty(Connection):
    """Gives up soon."""

    patience_s = 0.2


@pytest.fixture
def clipcast(database_url: str, tmp_path: Path) -> Iterator[Clipcast]:
    with Clipcast.open(load_settings(data_dir=tmp_path / "data", database_url=database_url)) as opened:
        yield opened


@pytest.fixture
def door(clipcast: Clipcast) -> Iterator[Api]:
    """A server with room for a few, as `clipcast serve` makes it."""
    app = create_app(clipcast, with_worker=False)
    made = config(app, descriptors=DESCRIPTORS)
    with served(app, http=made.http, ws=made.ws, limit_concurrency=made.limit_concurrency, backlog=made.backlog) as api:
        yield api


def connected(api: Api, words: bytes) -> socket.socket:
    """A connection that says so much and no more."""
    address = urlsplit(api.url)
    connection = socket.create_connection((address.hostname or "", address.port or 0), timeout=PATIENCE_S)
    connection.sendall(words)
    return connection


def heard(connection: socket.socket) -> bytes:
    """All that comes until the server closes; fails when it does not."""
    said = b""
    with suppress(ConnectionResetError):
        while piece := connection.recv(65_536):
            said += piece
    return said


@pytest.mark.parametrize("words", [b"", b"POST", HALF_A_HEAD])
def test_half_a_head_is_waited_for_only_so_long(clipcast: Clipcast, words: bytes) -> None:
    with served(create_app(clipcast, with_worker=False), http=Hasty) as api, connected(api, words) as connection:
        assert heard(connection) == b""


def test_nor_is_the_next_one_on_a_connection_that_was_answered(clipcast: Clipcast) -> None:
    with served(create_app(clipcast, with_worker=False), http=Hasty) as api, connected(api, HEALTH + HALF_A_HEAD) as connection:
        assert heard(connection).count(b"HTTP/1.1 ") == 1


def test_an_answered_one_is_kept_until_its_next_word(clipcast: Clipcast) -> None:
    """Proxies keep connections for their next request, which may not come just when we close; half a request is waited for as ever."""
    with served(create_app(clipcast, with_worker=False), http=Hasty) as api, connected(api, HEALTH) as connection:
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")
        connection.settimeout(5 * Hasty.patience_s)
        with pytest.raises(TimeoutError):
            heard(connection)
        connection.settimeout(PATIENCE_S)
        connection.sendall(HEALTH + HALF_A_HEAD)
        assert heard(connection).count(b"HTTP/1.1 200 ") == 1


def test_nor_what_goes_on_after_its_refusal(clipcast: Clipcast) -> None:
    """A body of gigabytes to come, and the answer is out already."""
    with served(create_app(clipcast, with_worker=False), http=Hasty) as api, connected(api, UPLOAD) as connection:
        assert heard(connection).startswith(b"HTTP/1.1 401 ")


def test_half_a_body_is_waited_for_only_so_long(clipcast: Clipcast) -> None:
    with served(create_app(clipcast, with_worker=False, patience_s=0.2)) as api, connected(api, HALF_A_BODY) as connection:
        said = heard(connection)

    assert said.startswith(b"HTTP/1.1 408 ")
    assert b"application/problem+json" in said
    assert b'"too_slow"' in said


def test_a_request_that_takes_long_is_not_cut_off(clipcast: Clipcast) -> None:
    """Only its head has to be in time: the answer may wait for a platform, or for a body that is still coming."""
    with served(create_app(clipcast, with_worker=False, patience_s=1.0), http=Hasty) as api, connected(api, HALF_A_BODY) as connection:
        assert heard(connection).startswith(b"HTTP/1.1 408 ")


def test_the_silent_make_room_for_whoever_comes(door: Api) -> None:
    with ExitStack() as crowd:
        silent = [crowd.enter_context(connected(door, HALF_A_HEAD)) for _ in range(3 * ROOM)]

        assert [door("GET", path).status for path in ("/healthz", "/readyz", "/login")] == [200] * 3
        assert heard(silent[0]) == b"", "whoever was there first is given up first"


def test_who_finds_no_room_hears_so_and_is_let_in_later(door: Api) -> None:
    """The plain 503 is the server's own: nobody looks any more at what was wanted."""
    with urllib3.PoolManager(retries=False, timeout=PATIENCE_S) as others, ExitStack() as crowd:
        busy = [crowd.enter_context(connected(door, ASKED_FOR)) for _ in range(ROOM - 1)]
        assert all(b"100 Continue" in each.recv(65_536) for each in busy), "each is being read"
        assert others.request("GET", f"{door.url}/healthz").status == 503

        busy[0].sendall(b"x" * 100)
        assert busy[0].recv(65_536).startswith(b"HTTP/1.1 4")
        assert others.request("GET", f"{door.url}/healthz").status == 200
