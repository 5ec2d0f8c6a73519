"""Clipcast publishes short videos and photo sets to TikTok, Instagram and YouTube: never twice, never lost, never silent.

    import clipcast

    with clipcast.connect(data_dir="clips") as db:
        clip = db.library.add_file(Path("sunset.mp4"))
        result = clipcast.publish_clip(db, clipcast.PublishRequest(clip_id=clip.id, platform="tiktok"))

Programs built on asyncio find the same names, awaitable, in `clipcast.aio`. Nothing is loaded before it is used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from clipcast.credentials import get_account_credentials, set_account_credentials
    from clipcast.errors import ClipcastError
    from clipcast.platforms.base import Credentials
    from clipcast.publications.order import Metadata
    from clipcast.publications.publishing import PublishRequest, PublishResult
    from clipcast.publishing import PublishLog, check_publish_status, connect, get_publish_logs_for_clip, publish_clip
    from clipcast.system import Clipcast

__all__ = [
    "Clipcast",
    "ClipcastError",
    "Credentials",
    "Metadata",
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

_HOMES: Final = {
    "Clipcast": "clipcast.system",
    "ClipcastError": "clipcast.errors",
    "Credentials": "clipcast.platforms.base",
    "Metadata": "clipcast.publications.order",
    "PublishLog": "clipcast.publishing",
    "PublishRequest": "clipcast.publications.publishing",
    "PublishResult": "clipcast.publications.publishing",
    "check_publish_status": "clipcast.publishing",
    "connect": "clipcast.publishing",
    "get_account_credentials": "clipcast.credentials",
    "get_publish_logs_for_clip": "clipcast.publishing",
    "publish_clip": "clipcast.publishing",
    "set_account_credentials": "clipcast.credentials",
}


def __getattr__(name: str) -> Any:
    """Load what is asked for when it is asked for (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'clipcast' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
