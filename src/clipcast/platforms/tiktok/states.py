"""The storable states of a TikTok publication, and their JSON.

    Starting --init--> Uploading --last byte--> Processing --> Finished
        '----init by URL, answered: Processing; not answered: Requested (we look for the post)

`asking` names the question whose answer is awaited: it is what tells `received` what an answer answers, and `next_step`, after an answer
got lost, what is in doubt.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

from clipcast.errors import Rejected
from clipcast.platforms.base import Order
from clipcast.platforms.stored import StoredStates
from clipcast.platforms.tiktok.limits import MAX_RESTARTS

VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Creator:
    """What `creator_info` said at `asked_at`. No privacy levels, or no maximum duration, means that it did not say."""

    username: str
    asked_at: datetime
    privacy_levels: tuple[str, ...] = ()
    comment_disabled: bool = False
    duet_disabled: bool = False
    stitch_disabled: bool = False
    max_duration_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """What is being posted, and what was tried before.

    `superseded` are the publish_ids given up, none of which can become a post. `forgiving` is set when a person asked for another try: then
    TikTok's FAILED starts afresh instead of ending the publication once more.
    """

    order: Order
    username: str = ""
    restarts: int = 0
    cap_waits: int = 0
    superseded: tuple[str, ...] = ()
    forgiving: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Starting:
    """Before init: nothing at TikTok can become a post."""

    post: Post
    asking: Literal["", "url", "creator", "init"] = ""
    checked_urls: int = 0
    creator: Creator | None = None
    hold_until: datetime | None = None
    hold_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploading:
    """Bytes are moving to `upload_url`, which lives for an hour from `issued_at`.

    `stored_chunks` is TikTok's own count. `last_in_doubt` counts the sendings of the last chunk that were never answered: while there is
    one, the upload may be complete. `setbacks` counts steps without progress since the last progress, `resyncs` those of them in which
    TikTok named another position.
    """

    post: Post
    publish_id: str
    upload_url: str = field(repr=False)
    issued_at: datetime
    chunk_bytes: int
    asking: Literal["", "chunk", "status"] = ""
    stored_chunks: int = 0
    last_in_doubt: int = 0
    setbacks: int = 0
    resyncs: int = 0
    resume_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """TikTok was asked, at `sent_at`, to fetch and post; until its answer is here we can only look for the post.

    `unanswered` counts the looks in a row that TikTok did not allow; `verdict` is set once we stop looking.
    """

    post: Post
    sent_at: datetime
    asking: Literal["init", "list"] = "init"
    looks: int = 0
    unanswered: int = 0
    next_at: datetime
    verdict: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Processing:
    """TikTok has what it needs, since `since`; we ask.

    `unproven_until` is set when the last chunk was never acknowledged: after it, TikTok saying that bytes are missing proves that nothing
    was posted. `overdue` when it takes so long that something must be wrong; `unanswered` counts the questions in a row that TikTok did
    not answer; `verdict` once we stop asking.
    """

    post: Post
    publish_id: str
    since: datetime
    next_at: datetime
    polls: int = 0
    unanswered: int = 0
    unproven_until: datetime | None = None
    overdue: bool = False
    trouble: str = ""
    verdict: str = ""
    cancel: Literal["", "due", "sent", "answered"] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """Published or in the creator's inbox, known since `since`; an id or a further fate may still come."""

    post: Post
    publish_id: str
    outcome: Literal["published", "inbox"]
    since: datetime
    external_id: str | None = None
    external_url: str | None = None
    note: str = ""
    look_again_at: datetime | None = None


TikTokState: TypeAlias = Starting | Uploading | Requested | Processing | Finished

_STORED: Final[StoredStates[TikTokState]] = StoredStates("TikTok", VERSION, Starting, Uploading, Requested, Processing, Finished)
dump, load = _STORED.dump, _STORED.load


def started_over(post: Post, publish_id: str, *, wait_until: datetime | None = None, why: str = "") -> Starting:
    """Init again, after it is certain that `publish_id` cannot become a post.

    Raises:
        Rejected: this happened too often.
    """
    if post.restarts >= MAX_RESTARTS:
        raise Rejected(
            sentence=f"The upload to TikTok had to start over {MAX_RESTARTS} times and never reached its end; "
            "check the speed of the connection (TikTok allows an hour per upload), then publish again.",
            platform="tiktok",
            platform_code="too_many_restarts",
            post_failed=True,
        )
    again = replace(post, restarts=post.restarts + 1, superseded=(*post.superseded, publish_id), forgiving=False)
    return Starting(post=again, hold_until=wait_until, hold_reason=why)


def afresh(post: Post) -> Post:
    """The post with its history of tries forgotten, for another try that a person asked for."""
    return replace(post, restarts=0, cap_waits=0, forgiving=True)


def seconds(count: float) -> timedelta:
    """A span of that many seconds."""
    return timedelta(seconds=count)
