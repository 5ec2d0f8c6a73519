"""The connection a request came on: what ASGI can say, and what it cannot (a TCP reset)."""

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

from clipcast_simulator.exchange import Reply, Request

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

EXTENSION = "clipcast_simulator.socket"

_AUTHORITY = re.compile(r"[A-Za-z0-9.\-]+(:\d{1,5})?|\[[0-9A-Fa-f:]+\](:\d{1,5})?")


class Stream(Protocol):
    """The rest of a body that goes past the HTTP parser."""

    async def read(self) -> bytes | None:
        """Return the next block, b"" at the end; None when the client is gone."""


class Socket(Protocol):
    """What the server lends us of the connection; see `connection.ConnectionProtocol`."""

    def take_body(self, left: int) -> Stream:
        """Hand over the rest of the body, of which so many bytes were not read yet."""

    def leftover(self) -> bytes:
        """Return what arrived of a body before the client left, once."""

    def reset(self) -> None:
        """Break the connection with a TCP RST."""

    def hang_up(self) -> None:
        """Close the connection in order, without a word."""


class Disconnected(Exception):
    """The client went away before its request was complete."""


class Line:
    """Reads a body and writes one reply."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._stream: Stream | None = None
        self._is_lost = False
        self.is_complete = False  #: every byte of the body was read

    async def read(self) -> bytes:
        """Return the next bytes of the body; raises Disconnected when the client is gone."""
        if self._stream is not None:
            return await self._read_stream(self._stream)
        message = await self._receive()
        if message["type"] == "http.disconnect":
            return self._last_words()
        self.is_complete = not message.get("more_body", False)
        body: bytes = message.get("body", b"")
        return body

    def hasten(self, left: int) -> None:
        """Read the rest of a large body past the HTTP parser, where the server can. Something was read already."""
        connection = self._scope.get("extensions", {}).get(EXTENSION)
        if connection is not None and left > 0 and not self._is_lost:
            self._stream = connection.take_body(left)

    def _last_words(self) -> bytes:
        """Return what arrived before the client left and was not read yet; then raise Disconnected."""
        connection = self._scope.get("extensions", {}).get(EXTENSION)
        self._is_lost = True
        left: bytes = b"" if connection is None else connection.leftover()
        if not left:
            raise Disconnected
        return left

    async def _read_stream(self, stream: Stream) -> bytes:
        block = await stream.read()
        if block is None:
            raise Disconnected
        self.is_complete = not block
        return block

    async def reply(self, reply: Reply) -> None:
        """Send a whole answer. An unread body is then discarded by the server as it arrives."""
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers]
        headers.append((b"content-length", str(len(reply.body)).encode()))
        await self._send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await self._send({"type": "http.response.body", "body": reply.body})

    async def outlast(self, seconds: float) -> None:
        """Do nothing for a while; raises Disconnected as soon as the client gives up (once its body was read)."""
        if not self.is_complete:
            await asyncio.sleep(seconds)
            return
        try:
            await asyncio.wait_for(self._receive(), seconds)
        except TimeoutError:
            return
        raise Disconnected

    async def reset(self) -> None:
        """Break the connection with a TCP RST."""
        await self._break(self._socket.reset)

    async def hang_up(self) -> None:
        """Close the connection without an answer."""
        await self._break(self._socket.hang_up)

    @property
    def _socket(self) -> Socket:
        socket: Socket | None = self._scope.get("extensions", {}).get(EXTENSION)
        if socket is None:
            raise RuntimeError("connections can only be broken under clipcast_simulator.server")
        return socket

    async def _break(self, act: Callable[[], None]) -> None:
        act()
        while (await self._receive())["type"] != "http.disconnect":
            pass  # the server must see the end of the connection before we return without an answer


def request_from(scope: Scope) -> Request:
    """Read a request's head. The authority is the client's own Host header, so links lead back the way it came."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    host, port = scope["server"] or ("localhost", 80)
    authority = headers.get("host", "")
    if not _AUTHORITY.fullmatch(authority):
        authority = f"{host}:{port}"
    return Request(
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        base_url=f"{scope['scheme']}://{authority}",
    )
