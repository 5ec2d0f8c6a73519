"""The Python interface for programs built on asyncio: the same names as in `clipcast`, awaitable.

Each call runs in a thread, where Clipcast's waiting for sockets belongs; the event loop stays free. Cancelling the awaiting task does not
stop the publication: its row is the truth, and what was begun is finished by that thread or by the next worker.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any

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


async def connect(**settings: Any) -> Clipcast:
    """As `clipcast.connect`."""
    return await asyncio.to_thread(publishing.connect, **settings)


async def publish_clip(db: Clipcast, request: PublishRequest, *, wait_s: float | None = None) -> PublishResult:
    """As `clipcast.publish_clip`."""
    return await asyncio.to_thread(publishing.publish_clip, db, request, wait_s=wait_s)


async def get_publish_logs_for_clip(db: Clipcast, clip_id: str) -> list[PublishLog]:
    """As `clipcast.get_publish_logs_for_clip`."""
    return await asyncio.to_thread(publishing.get_publish_logs_for_clip, db, clip_id)


async def check_publish_status(db: Clipcast, publication_id: str, *, wait_s: float = 30.0) -> PublishResult:
    """As `clipcast.check_publish_status`."""
    return await asyncio.to_thread(publishing.check_publish_status, db, publication_id, wait_s=wait_s)


async def set_account_credentials(db: Clipcast, account_id: str, credentials: Credentials | Mapping[str, str | datetime]) -> None:
    """As `clipcast.set_account_credentials`."""
    await asyncio.to_thread(vaulted.set_account_credentials, db, account_id, credentials)


async def get_account_credentials(db: Clipcast, account_id: str) -> Credentials:
    """As `clipcast.get_account_credentials`."""
    return await asyncio.to_thread(vaulted.get_account_credentials, db, account_id)
