"""The storable states of an Instagram publication, and their JSON.

    Creating --> Uploading --> Processing --> Ready --media_publish--> InDoubt --> Finished
        '------- by URL ----------^ |            ^                        |
        ^---- next of a carousel ---'            '---- seen unpublished --'

A carousel goes through the first three once per item and once for the post itself. `InDoubt` is saved before `media_publish` leaves: it
only ever looks. `asking` names the question whose answer is awaited: it tells `received` what an answer answers, and `next_step`, after
an answer got lost, what is in doubt.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

from clipcast.errors import Rejected
from clipcast.platforms.base import Order
from clipcast.platforms.instagram.limits import MAX_RESTARTS
from clipcast.platforms.stored import StoredStates

VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """What is being posted, and what was tried before.

    `restarts` counts containers given up for no fault of the media, `failures` those that Instagram failed. `superseded` are the ids given
    up, none of which can become a post. `forgiving`: a person asked for another try, so a failed container is replaced whatever failed it.
    `full_since` is when a limit was first met, `pause_until` keeps us below Instagram's call budget.
    """

    order: Order
    restarts: int = 0
    failures: int = 0
    superseded: tuple[str, ...] = ()
    forgiving: bool = False
    full_since: datetime | None = None
    pause_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A carousel's child that Instagram has ready."""

    container_id: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Creating:
    """The next container is to be made; `items` are the carousel's children that are ready. Containers are invisible."""

    post: Post
    items: tuple[Item, ...] = ()
    asking: Literal["", "create"] = ""
    hold_until: datetime | None = None
    hold_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploading:
    """Bytes are moving to `uri`. `confirmed_bytes` is Instagram's own count; `setbacks` counts steps without progress in a row."""

    post: Post
    items: tuple[Item, ...]
    container_id: str
    created_at: datetime
    uri: str = field(repr=False)
    asking: Literal["", "bytes", "offset"] = ""
    confirmed_bytes: int = 0
    setbacks: int = 0
    resume_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Processing:
    """Instagram has what it needs, since `since`; we ask. `unread` counts the questions in a row that told nothing."""

    post: Post
    items: tuple[Item, ...]
    container_id: str
    created_at: datetime
    since: datetime
    next_at: datetime
    polls: int = 0
    unread: int = 0
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """The `media_publish` requests for one container: how many, the first, the latest, and the latest that was never answered."""

    count: int = 0
    first_at: datetime | None = None
    latest_at: datetime | None = None
    lost_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The container can be published. `proven_at` is when it was last seen unpublished, beyond doubt."""

    post: Post
    container_id: str
    created_at: datetime
    asking: Literal["", "limit"] = ""
    room_seen_at: datetime | None = None
    proven_at: datetime | None = None
    hold_until: datetime | None = None
    hold_reason: str = ""
    attempts: Attempts = Attempts()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """How Instagram answered `media_publish` when not with a yes, which need not be the truth. `renewable`: a new container may help."""

    kind: Literal["rejected", "throttled", "passing"]
    sentence: str
    code: str = ""
    message: str = ""
    http_status: int | None = None
    log_id: str = ""
    retry_after_s: float = 0
    renewable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InDoubt:
    """Whether the container is published has to be looked up. Without `attempts` nothing was asked for, the container is only old.

    `unpublished_since` is the first of the readings in a row that say "not published"; `looks` counts what told nothing in a row.
    """

    post: Post
    container_id: str
    created_at: datetime
    since: datetime
    next_at: datetime
    asking: Literal["", "publish", "container", "list"] = ""
    attempts: Attempts = Attempts()
    refusal: Refusal | None = None
    unpublished_since: datetime | None = None
    looks: int = 0
    trouble: str = ""
    verdict: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """Published, known since `since`, asked for at `sent_at`; its id or its link may still have to be found."""

    post: Post
    container_id: str
    since: datetime
    sent_at: datetime
    external_id: str | None = None
    external_url: str | None = None
    note: str = ""
    looks: int = 0
    look_again_at: datetime | None = None


InstagramState: TypeAlias = Creating | Uploading | Processing | Ready | InDoubt | Finished

_STORED: Final[StoredStates[InstagramState]] = StoredStates("Instagram", VERSION, Creating, Uploading, Processing, Ready, InDoubt, Finished)
dump, load = _STORED.dump, _STORED.load


def started_over(post: Post, container_id: str, items: tuple[Item, ...] = ()) -> Creating:
    """A new container, after it is certain that `container_id` cannot become a post; `items` are still good.

    Raises:
        Rejected: this happened too often.
    """
    if post.restarts >= MAX_RESTARTS:
        raise Rejected(
            sentence=f"Instagram's containers for this post expired or got lost {MAX_RESTARTS} times, so nothing was published; "
            "publish again later.",
            platform="instagram",
            platform_code="too_many_restarts",
            post_failed=True,
        )
    again = replace(post, restarts=post.restarts + 1, superseded=(*post.superseded, container_id), forgiving=False)
    return Creating(post=again, items=items)


def afresh(post: Post) -> Post:
    """The post with its history of tries forgotten, for another try that a person asked for."""
    return replace(post, restarts=0, failures=0, full_since=None, pause_until=None, forgiving=True)


def seconds(count: float) -> timedelta:
    """A span of that many seconds."""
    return timedelta(seconds=count)
