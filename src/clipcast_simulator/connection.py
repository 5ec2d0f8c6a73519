"""uvicorn's HTTP/1.1 connection, opened up: it can be reset, and a large body can go past the HTTP parser."""

import asyncio
import socket
import struct
import sys
from collections import deque
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from clipcast_simulator.line import EXTENSION

#: SO_LINGER on, zero seconds: closing sends RST and drops what is unsent
_LINGER_NOT = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
_HIGH_WATER = 4 << 20
_LOW_WATER = 1 << 20


class Bulk:
    """The rest of a body, as it arrives. Reading pauses while too much of it waits."""

    def __init__(self, transport: asyncio.Transport, left: int) -> None:
        self._transport = transport
        self._blocks: deque[bytes] = deque()
        self._waiting = 0
        self._more = asyncio.Event()
        self._is_paused = False
        self._is_lost = False
        self.left = left  #: bytes that have not arrived

    def feed(self, block: bytes) -> bytes:
        """Take what belongs to the body and return what does not."""
        mine, rest = block[: self.left], block[self.left :]
        self.left -= len(mine)
        self._blocks.append(mine)
        self._waiting += len(mine)
        if self._waiting > _HIGH_WATER and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()
        self._more.set()
        return rest

    def lose(self) -> None:
        """Note that the client is gone."""
        self._is_lost = True
        self._more.set()

    async def read(self) -> bytes | None:
        """Return the next block, b"" at the end; None when the client is gone."""
        while not self._blocks:
            if self.left == 0:
                return b""
            if self._is_lost:
                return None
            self._more.clear()
            await self._more.wait()
        block = self._blocks.popleft()
        self._waiting -= len(block)
        if self._is_paused and self._waiting < _LOW_WATER:
            self._is_paused = False
            self._transport.resume_reading()
        return block


class ConnectionProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 protocol, which also lends the application its connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._bulk: Bulk | None = None
        self._after_bulk = b""
        served = self.app

        async def with_connection(scope: Any, receive: Any, send: Any) -> None:
            scope.setdefault("extensions", {})[EXTENSION] = self
            await served(scope, receive, send)
            self._end_bulk()

        self.app = with_connection

    def reset(self) -> None:
        """Break the connection with a TCP RST."""
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        self.transport.abort()

    def hang_up(self) -> None:
        """Close the connection in order, without a word."""
        self.transport.close()

    def take_body(self, left: int) -> Bulk:
        """Hand the rest of the body over as it comes. The parser would copy each byte five times."""
        self._bulk = Bulk(self.transport, left)
        if self.cycle.body:
            self._bulk.feed(bytes(self.cycle.body))
            self.cycle.body = bytearray()
        self.flow.resume_reading()
        return self._bulk

    def leftover(self) -> bytes:
        """Return what arrived of a body before the client left, once."""
        left, self.cycle.body = bytes(self.cycle.body), bytearray()
        return left

    def data_received(self, data: bytes) -> None:
        """Give bytes to the parser, or to whoever took the body."""
        if self._bulk is None:
            super().data_received(data)
        elif self._bulk.left:
            self._after_bulk += self._bulk.feed(data)
        else:
            self._after_bulk += data

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever took the body."""
        if self._bulk is not None:
            self._bulk.lose()
        super().connection_lost(exc)

    def _end_bulk(self) -> None:
        """Go back to the parser, with a fresh one: the old one still waits for the body that went past it."""
        if self._bulk is None:
            return
        self._bulk = None
        if not self.transport.is_closing():
            self.conn = h11.Connection(h11.SERVER)
            rest, self._after_bulk = self._after_bulk, b""
            if rest:
                self.data_received(rest)
