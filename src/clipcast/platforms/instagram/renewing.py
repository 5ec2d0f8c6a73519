"""Making another container after one failed, as long as that may help."""

from dataclasses import replace
from datetime import datetime

from clipcast.platforms.base import Answer
from clipcast.platforms.instagram.codes import failed_meaning
from clipcast.platforms.instagram.errors import failure, subcode_of
from clipcast.platforms.instagram.limits import RENEW_PAUSE_S
from clipcast.platforms.instagram.states import Creating, Item, Post, seconds


def failed(post: Post, container_id: str, items: tuple[Item, ...], *, status: str, answer: Answer, now: datetime) -> Creating:
    """A new container for one whose status is ERROR: that word makes it certain that this one cannot become a post.

    Raises:
        Rejected: no new container helps, or enough were made.
    """
    meaning = failed_meaning(subcode_of(status))
    if post.failures >= meaning.renewals and not post.forgiving:
        raise failure(status, answer)
    return renewed(post, container_id, items, meaning.sentence, now)


def renewed(post: Post, container_id: str, items: tuple[Item, ...], why: str, now: datetime) -> Creating:
    """A new container after a pause that grows with each failure; `container_id` is empty where none was made."""
    superseded = (*post.superseded, container_id) if container_id else post.superseded
    again = replace(post, failures=post.failures + 1, superseded=superseded, forgiving=False)
    return Creating(post=again, items=items, hold_until=now + seconds(RENEW_PAUSE_S * 2 ** min(post.failures, 6)), hold_reason=why)
