"""A full daily limit: later, not failed, but not for ever."""

from dataclasses import replace
from datetime import datetime

from clipcast.errors import Rejected
from clipcast.platforms.instagram.limits import LIMIT_PATIENCE
from clipcast.platforms.instagram.states import Post


def waiting(post: Post, now: datetime) -> Post:
    """The post, which waits for room since the limit was first met.

    Raises:
        Rejected: that was two days ago, so something else must be wrong.
    """
    since = post.full_since or now
    if now - since < LIMIT_PATIENCE:
        return replace(post, full_since=since)
    raise Rejected(
        sentence="This account's Instagram limits have been full for two days, so nothing was published; post less often, or publish "
        "again later.",
        platform="instagram",
        platform_code="limit_full_too_long",
        post_failed=True,
    )
