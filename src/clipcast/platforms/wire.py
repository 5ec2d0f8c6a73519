"""The one module that knows HTTP: sends a `Request`, returns an `Answer`, and says what can be known when there is none."""

import json
import ssl
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from typing import Any, Final, Protocol, TypeAlias, cast
from urllib.parse import urlencode

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, SSLError

from clipcast.errors import NotSent, OutcomeUnknown, UnusableMedia
from clipcast.platforms.base import Answer, Body, FileRange, Form, Json, JsonValue, MediaUrl, Request

BLOCK_BYTES: Final = 1 << 20
ANSWER_MAX_BYTES: Final = 1 << 20
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


class Wire:
    """A pool of connections. `stall_s` bounds each single wait: for a connection, for room to send one MiB, for the answer."""

    def __init__(self, *, connect_timeout_s: float = 30.0, answer_timeout_s: float = 60.0) -> None:
        self._timeout = urllib3.Timeout(connect=connect_timeout_s, read=answer_timeout_s)
        self._pool = self._new_pool(connections_per_host=32)

    def send(
        self,
        request: Request,
        *,
        media: MediaSource,
        access_token: str = "",
        fresh: bool = False,
        on_bytes: Callable[[int], None] = _unheard,
    ) -> Answer:
        """Send `request` once: no redirects, no retries.

        `fresh` opens a connection of its own: a request that must not be lost should not ride on one that the server may just be closing.
        `on_bytes` hears the number of body bytes handed to the network so far, for file bodies.

        Raises:
            NotSent: no connection was made, so nothing can have happened.
            OutcomeUnknown: the connection broke or timed out after it was made.
            UnusableMedia: the file could not be read from storage.
        """
        pool = self._new_pool(connections_per_host=1) if fresh else self._pool
        url = media.url(request.url.media_id) if isinstance(request.url, MediaUrl) else request.url
        body, headers = _encode(request.body, media, on_bytes)
        headers |= {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **request.headers}
        if request.authorized:
            headers["Authorization"] = f"{request.auth_scheme} {access_token}"
        try:
            return self._exchange(pool, request.method, url, body, headers)
        except (NewConnectionError, ConnectTimeoutError) as error:
            raise NotSent(f"No connection to {_host(url)} could be made ({_reason(error)}).") from error
        except SSLError as error:
            # A certificate is refused before a byte of the request leaves; any other TLS trouble may come later.
            kind = NotSent if isinstance(error.args[0], ssl.SSLCertVerificationError) else OutcomeUnknown
            raise kind(f"The TLS connection to {_host(url)} failed ({_reason(error)}).") from error
        except (HTTPError, OSError) as error:
            raise OutcomeUnknown(f"The connection to {_host(url)} broke before its answer came ({_reason(error)}).") from error
        finally:
            if isinstance(body, Generator):
                body.close()
            if fresh:
                pool.clear()

    def close(self) -> None:
        """Close all idle connections."""
        self._pool.clear()

    def _new_pool(self, *, connections_per_host: int) -> urllib3.PoolManager:
        return urllib3.PoolManager(maxsize=connections_per_host, retries=False, timeout=self._timeout, blocksize=BLOCK_BYTES)

    def _exchange(
        self,
        pool: urllib3.PoolManager,
        method: str,
        url: str,
        body: bytes | Generator[bytes, None, None] | None,
        headers: Mapping[str, str],
    ) -> Answer:
        response = pool.request(method, url, body=body, headers=headers, redirect=False, preload_content=False, decode_content=False)
        try:
            content = b"" if method == "HEAD" else response.read(ANSWER_MAX_BYTES)
            return Answer(response.status, {name.lower(): value for name, value in response.headers.items()}, content)
        finally:
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
    try:
        # Closing matters: a request that breaks in the middle would leave the file open until the garbage collector comes by.
        with closing(media.read_range(part.media_id, part.start, part.stop)) as blocks:
            for block in blocks:
                yield block
                sent_bytes += len(block)
                on_bytes(sent_bytes)
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
