"""The one module that knows HTTP: sends a `Request`, returns an `Answer`, and says what can be known when there is none."""

import json
import ssl
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeAlias, cast
from urllib.parse import urlencode

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, SSLError

from clipcast.errors import NotSent, OutcomeUnknown, UnusableMedia
from clipcast.platforms.base import Answer, Body, FileRange, Form, Json, JsonValue, MediaUrl, Request
from clipcast.platforms.deadline import Deadline

BLOCK_BYTES: Final = 1 << 20
ANSWER_MAX_BYTES: Final = 1 << 20
BLOCK_WITHIN_S: Final = 300.0
"""A peer that takes less than a block in this time takes nothing: about 28 kbit/s."""
USER_AGENT: Final = "clipcast/0.1"


Blocks: TypeAlias = Generator[bytes | memoryview, None, None]


class MediaSource(Protocol):
    """Where the bytes and the public URLs of media come from."""

    def read_range(self, media_id: str, start: int, stop: int) -> Blocks:
        """The bytes `start` to `stop` (excluded), in blocks of at most 1 MiB, each good until the next is asked for."""

    def url(self, media_id: str) -> str:
        """A signed, expiring URL at which a platform can fetch this media."""


def _unheard(_: int) -> None:
    """Nobody wants to know how many bytes left."""


def unfenced() -> None:
    """Whoever sends may do so for ever."""


@dataclass(frozen=True, slots=True)
class _Exchange:
    """What a connection has to know of the request that it carries."""

    check: Callable[[], None]
    answer_timeout_s: float
    deadline: Deadline = field(default_factory=Deadline)


_UNDER_WAY: ContextVar[_Exchange] = ContextVar("exchange under way")


class _Connection(HTTPConnection):
    """Asks whether it may before anything leaves, when everything that could take its time before that is done; and can be cut."""

    def send(self, data: Any) -> None:
        """Send these bytes of the headers or the body."""
        if self.sock is None:
            self.connect()
        exchange = _UNDER_WAY.get()
        exchange.deadline.guard(self.sock)
        exchange.deadline.allow(BLOCK_WITHIN_S)
        exchange.check()
        super().send(data)

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]  # as urllib3's own, which it gives back
        """Wait for the answer."""
        exchange = _UNDER_WAY.get()
        exchange.deadline.allow(exchange.answer_timeout_s)
        return super().getresponse()


class _TlsConnection(_Connection, HTTPSConnection):
    """The same, encrypted."""


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class Wire:
    """A pool of connections.

    `connect_timeout_s` bounds the wait for each address, `answer_timeout_s` the time from the last byte of a request to the last one of its
    answer. In between, each MiB of a body has `BLOCK_WITHIN_S` at most, so that an upload may take as long as it gets on.
    """

    def __init__(self, *, connect_timeout_s: float = 30.0, answer_timeout_s: float = 60.0) -> None:
        self._answer_timeout_s = answer_timeout_s
        self._timeout = urllib3.Timeout(connect=connect_timeout_s, read=answer_timeout_s)
        self._pool = self._new_pool(connections_per_host=32)

    def send(
        self,
        request: Request,
        *,
        media: MediaSource,
        access_token: str = "",
        fresh: bool = False,
        check: Callable[[], None] = unfenced,
        on_bytes: Callable[[int], None] = _unheard,
    ) -> Answer:
        """Send `request` once: no redirects, no retries.

        `fresh` opens a connection of its own: a request that must not be lost should not ride on one that the server may just be closing.
        `check` is called with the connection made, right before the headers and each block of the body leave; what it raises ends the
        request, of which nothing more leaves. `on_bytes` hears the number of body bytes handed to the network so far, for file bodies.

        Raises:
            NotSent: no connection was made, so nothing can have happened.
            OutcomeUnknown: the connection broke or timed out after it was made.
            UnusableMedia: the file could not be read from storage.
            and what `check` and `on_bytes` raise.
        """
        pool = self._new_pool(connections_per_host=1) if fresh else self._pool
        url = media.url(request.url.media_id) if isinstance(request.url, MediaUrl) else request.url
        body, headers = _encode(request.body, media, on_bytes)
        headers |= {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **request.headers}
        if request.authorized:
            headers["Authorization"] = f"{request.auth_scheme} {access_token}"
        exchange = _Exchange(check, self._answer_timeout_s)
        under_way = _UNDER_WAY.set(exchange)
        try:
            return self._exchange(pool, request.method, url, body, headers)
        except (NewConnectionError, ConnectTimeoutError) as error:
            raise NotSent(f"No connection to {_host(url)} could be made ({_reason(error)}).") from error
        except SSLError as error:
            # A certificate is refused before a byte of the request leaves; any other TLS trouble may come later.
            kind = NotSent if isinstance(error.args[0], ssl.SSLCertVerificationError) else OutcomeUnknown
            raise kind(f"The TLS connection to {_host(url)} failed ({_reason(error)}).") from error
        except (HTTPError, OSError) as error:
            reason = "it was too slow" if exchange.deadline.passed else _reason(error)
            raise OutcomeUnknown(f"The connection to {_host(url)} broke before its answer came ({reason}).") from error
        finally:
            exchange.deadline.end()
            _UNDER_WAY.reset(under_way)
            if isinstance(body, Generator):
                body.close()
            if fresh:
                pool.clear()

    def close(self) -> None:
        """Close all idle connections."""
        self._pool.clear()

    def _new_pool(self, *, connections_per_host: int) -> urllib3.PoolManager:
        pool = urllib3.PoolManager(maxsize=connections_per_host, retries=False, timeout=self._timeout, blocksize=BLOCK_BYTES)
        pool.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
        return pool

    def _exchange(
        self,
        pool: urllib3.PoolManager,
        method: str,
        url: str,
        body: bytes | Generator[bytes, None, None] | None,
        headers: Mapping[str, str],
    ) -> Answer:
        deadline = _UNDER_WAY.get().deadline
        response = pool.request(method, url, body=body, headers=headers, redirect=False, preload_content=False, decode_content=False)
        try:
            content = b"" if method == "HEAD" else response.read(ANSWER_MAX_BYTES)
            if deadline.passed:
                raise TimeoutError  # an answer that does not say how long it is looks whole where it was cut
            return Answer(response.status, {name.lower(): value for name, value in response.headers.items()}, content)
        finally:
            deadline.end()  # before somebody else is given the connection
            if response.length_remaining:
                response.close()
            response.release_conn()


def _encode(
    body: Body, media: MediaSource, on_bytes: Callable[[int], None]
) -> tuple[bytes | Generator[bytes, None, None] | None, dict[str, str]]:
    match body:
        case None:
            return None, {}
        case Json(content, content_type):
            return json.dumps(_with_urls(content, media), ensure_ascii=False).encode(), {"Content-Type": content_type}
        case Form(fields):
            return urlencode(fields).encode(), {"Content-Type": "application/x-www-form-urlencoded"}
        case FileRange():
            blocks = cast("Generator[bytes, None, None]", _blocks(body, media, on_bytes))  # urllib3 sends any buffer; its types say bytes
            return blocks, {"Content-Length": str(body.size_bytes)}


def _with_urls(value: JsonValue, media: MediaSource) -> JsonValue:
    match value:
        case MediaUrl(media_id):
            return media.url(media_id)
        case Mapping():
            return {key: _with_urls(item, media) for key, item in value.items()}
        case list() | tuple():
            return [_with_urls(item, media) for item in value]
        case _:
            return value


def _blocks(part: FileRange, media: MediaSource, on_bytes: Callable[[int], None]) -> Blocks:
    sent_bytes = 0
    # Closing matters: a request that breaks in the middle would leave the file open until the garbage collector comes by.
    with closing(_read(part, media)) as blocks:
        for block in blocks:
            yield block
            sent_bytes += len(block)
            on_bytes(sent_bytes)


def _read(part: FileRange, media: MediaSource) -> Blocks:
    """The bytes to send. Only what goes wrong in here is the file's fault, and not its listeners' or the network's."""
    try:
        with closing(media.read_range(part.media_id, part.start, part.stop)) as blocks:
            yield from blocks
    except OSError as error:
        # Left as an OSError it would look like a broken connection, and be tried for ever.
        raise UnusableMedia(f"The stored file of clip {part.media_id} cannot be read ({error.strerror}).") from error


def _host(url: str) -> str:
    return urllib3.util.parse_url(url).netloc or "the platform"


def _reason(error: BaseException) -> str:
    """The innermost cause in a few words; never the URL, which may hold a token."""
    cause: Any = error
    while (inner := cause.__cause__ or cause.__context__) is not None:
        cause = inner
    text = cause.strerror if isinstance(cause, OSError) and cause.strerror else type(cause).__name__
    return str(text)
