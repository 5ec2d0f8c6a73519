"""Who waits for somebody else's network waits in line: never so many at once that no thread is left for all others.

The threads that serve requests are few and shared. A stranger's server may take an hour for a file and a platform a minute for an answer;
whoever asks them passes a turnstile, and waits before it without holding a thread.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, cast

from fastapi import Depends, Request

from clipcast.errors import Busy

FETCHES: Final = 4
"""Files that are fetched at the same time."""
QUESTIONS: Final = 8
"""Requests that ask platforms at the same time."""


class Turnstile:
    """Lets so many through at once; the next one waits up to `patience_s` seconds, and then hears the sentence `crowded`."""

    def __init__(self, width: int, patience_s: float, crowded: str) -> None:
        self._patience_s, self._crowded = patience_s, crowded
        self._free = asyncio.Semaphore(width)

    @asynccontextmanager
    async def passed(self) -> AsyncIterator[None]:
        """Inside while the `with` lasts.

        Raises:
            Busy: nobody left in time.
        """
        try:
            async with asyncio.timeout(self._patience_s):
                await self._free.acquire()
        except TimeoutError as error:
            raise Busy(self._crowded) from error
        try:
            yield
        finally:
            self._free.release()


class Turnstiles:
    """Those of one server (`app.state.turnstiles`)."""

    def __init__(self, patience_s: float) -> None:
        self.fetching = Turnstile(
            FETCHES,
            patience_s,
            f"{FETCHES} files are being fetched already. Nothing was stored; send the same again in a while, or upload it.",
        )
        self.asking = Turnstile(
            QUESTIONS, patience_s, f"{QUESTIONS} questions wait for platforms' answers already. Nothing was changed; ask again in a while."
        )


def turnstiles(request: Request) -> Turnstiles:
    """Those of the server that got this request."""
    return cast("Turnstiles", request.app.state.turnstiles)


async def _asking(request: Request) -> AsyncIterator[None]:
    async with turnstiles(request).asking.passed():
        yield


ASKS_PLATFORM: Final = Depends(_asking, scope="function")
"""Declared by every route that asks a platform before it answers; let go before the answer is sent, however slowly that is read."""
