"""Connections are few, and strangers may open them: who takes too long with a request, or is in the way of others, is cut off.

The process that serves also publishes. If strangers could hold all its descriptors, it could neither ask a platform nor open a file.
"""

import asyncio
from typing import ClassVar, Final

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

MOST: Final = 1000
"""More requests at once than this would take too much memory: each may have a body of a megabyte."""

IDLE_S: Final = 75
"""How long a connection that was answered may stay without a word: longer than the 60 seconds for which nginx keeps one.

The proxy has to close first, or it may send a POST on a connection that is just being closed, and must not send that again."""


def room(descriptors: int) -> int:
    """How many connections fit into a process that may open so many descriptors.

    A quarter for them, one for those that the system hands over meanwhile, one for the files they read, and one for all other work.

    >>> room(1024), room(65536)
    (256, 1000)
    """
    return max(1, min(MOST, descriptors // 4))


class Connection(H11Protocol):
    """A client's connection. It is given up when `patience_s` seconds go by without the whole head of a request.

    One that was answered may stay without a word for as long as uvicorn keeps it; from the next word on, patience counts again.

    Where there is no room left, whoever has been waited for longest goes at once. Requests that are being answered are safe: if there are
    none but those, the newest hears 503.
    """

    patience_s: ClassVar[float] = 30.0

    waits_since_s = 0.0
    _unread_bytes = 0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as asyncio's streams, uvicorn wants this kind
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait()
        if self.limit_concurrency is not None and len(self.connections) >= self.limit_concurrency:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """With the first of it, begin to wait for the rest of a head."""
        if self._is_idle:
            self._wait()
        super().data_received(data)

    def on_response_complete(self) -> None:
        """Begin to wait for the next request."""
        super().on_response_complete()
        self._wait()

    @property
    def waits(self) -> bool:
        """Whether there is no request that we are about to answer."""
        return self.cycle is None or self.cycle.response_complete

    @property
    def _is_idle(self) -> bool:
        """Whether the last request is over on both sides, and nothing of the next one is here."""
        over = self.cycle is not None and self.waits and self.conn.their_state is h11.IDLE
        return over and not self.conn.trailing_data[0]

    def give_up(self) -> None:
        """Close it at once; the next one may have its place."""
        self.connections.discard(self)
        self.transport.abort()

    def _wait(self) -> None:
        self.waits_since_s, self._unread_bytes = self.loop.time(), self.transport.get_write_buffer_size()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_later(self.patience_s, self._lose_patience)

    def _lose_patience(self) -> None:
        """Give up, unless the client still reads the answer before, however slowly, or has all of it and wants nothing yet."""
        if not self.waits:
            return
        unread_bytes = self.transport.get_write_buffer_size()
        if unread_bytes < self._unread_bytes:
            self._wait()
        elif unread_bytes or not self._is_idle:
            self.give_up()

    def _make_room(self) -> None:
        waiting = [each for each in self.connections if isinstance(each, Connection) and each is not self and each.waits]
        if waiting:
            min(waiting, key=lambda each: each.waits_since_s).give_up()


def config(app: ASGIApp, *, descriptors: int) -> uvicorn.Config:
    """How the application is served by a process that may open so many descriptors."""
    places = room(descriptors)
    return uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        limit_concurrency=places,
        backlog=max(1, places // 4),  # asyncio takes in so many in one turn, and it is four turns before whoever gave way is gone
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=IDLE_S,
        timeout_graceful_shutdown=10,
    )
