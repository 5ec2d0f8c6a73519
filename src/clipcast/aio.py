"""The Python interface for programs built on asyncio: the same names as in `clipcast`, awaitable.

Each call runs in a thread of Clipcast's own, where its waiting for sockets belongs; the event loop and the program's own threads stay free.
Up to 64 calls that publish or ask a platform are under way at once, and 8 of the others; more take their turn.

Cancelling the awaiting task does not cancel the publication (`POST /publications/{id}/cancellation` does): its row is the truth. The
thread stops at its next save, after ten seconds at the latest; an upload that is cut off there is finished by the next worker or
`check_publish_status`. A call that had no turn yet never begins: nothing of it was written.
"""

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import datetime
from functools import partial
from typing import Any, Final, ParamSpec, TypeVar

from clipcast import credentials as vaulted
from clipcast import publishing
from clipcast.platforms.base import Credentials
from clipcast.publications.publishing import PublishRequest, PublishResult
from clipcast.publishing import PublishLog
from clipcast.system import Clipcast

__all__ = [
    "Clipcast",
    "Credentials",
    "PublishLog",
    "PublishRequest",
    "PublishResult",
    "check_publish_status",
    "connect",
    "get_account_credentials",
    "get_publish_logs_for_clip",
    "publish_clip",
    "set_account_credentials",
]


_WAITING: Final = ThreadPoolExecutor(64, "clipcast-aio-waiting")
_QUICK: Final = ThreadPoolExecutor(8, "clipcast-aio")

P = ParamSpec("P")
R = TypeVar("R")


async def connect(**settings: Any) -> Clipcast:
    """As `clipcast.connect`."""
    return await _in_thread(_QUICK, publishing.connect, **settings)


async def publish_clip(db: Clipcast, request: PublishRequest, *, wait_s: float | None = None) -> PublishResult:
    """As `clipcast.publish_clip`. When the awaiting task is cancelled, the publication goes on without it."""
    return await _until_given_up(partial(publishing.publish_clip, db, request, wait_s=wait_s))


async def get_publish_logs_for_clip(db: Clipcast, clip_id: str) -> list[PublishLog]:
    """As `clipcast.get_publish_logs_for_clip`."""
    return await _in_thread(_QUICK, publishing.get_publish_logs_for_clip, db, clip_id)


async def check_publish_status(db: Clipcast, publication_id: str, *, wait_s: float = 30.0) -> PublishResult:
    """As `clipcast.check_publish_status`."""
    return await _until_given_up(partial(publishing.check_publish_status, db, publication_id, wait_s=wait_s))


async def set_account_credentials(db: Clipcast, account_id: str, credentials: Credentials | Mapping[str, str | datetime]) -> None:
    """As `clipcast.set_account_credentials`."""
    await _in_thread(_QUICK, vaulted.set_account_credentials, db, account_id, credentials)


async def get_account_credentials(db: Clipcast, account_id: str) -> Credentials:
    """As `clipcast.get_account_credentials`."""
    return await _in_thread(_QUICK, vaulted.get_account_credentials, db, account_id)


async def _until_given_up(call: Callable[..., PublishResult]) -> PublishResult:
    """The answer of a call that waits, and stops waiting when nobody waits for it any more."""
    given_up = threading.Event()
    try:
        return await _in_thread(_WAITING, call, given_up=given_up)
    finally:
        given_up.set()


async def _in_thread(threads: ThreadPoolExecutor, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """As `asyncio.to_thread`, which takes the program's own threads: those that its names are resolved in, for example."""
    return await asyncio.get_running_loop().run_in_executor(threads, partial(copy_context().run, call, *args, **kwargs))
