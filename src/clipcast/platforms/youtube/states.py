"""The storable states of a YouTube publication, and their JSON.

    Starting --session--> Uploading --last byte--> Processing --> Finished
        ^                     |                        ^
        '---session gone------+--gone after the last byte: Searching

`asking` names the question whose answer is awaited: it is what tells `received` what an answer answers, and `next_step`, after an answer
got lost, what is in doubt.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, Literal, TypeAlias

from clipcast.errors import Rejected
from clipcast.platforms.base import Order
from clipcast.platforms.stored import StoredStates
from clipcast.platforms.youtube.limits import MAX_RESTARTS

VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Channel:
    """The channel that the account's token acts for: its id, the playlist of its uploads, and whether it may upload long videos."""

    channel_id: str
    uploads: str = ""
    long_uploads: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """What is being posted, and what was tried before.

    `superseded` are the ids of videos given up, none of which can become visible. `forgiving` is set when a person asked for another try:
    then YouTube's word that the video failed starts afresh instead of ending the publication once more.
    """

    order: Order
    channel: Channel | None = None
    restarts: int = 0
    superseded: tuple[str, ...] = ()
    forgiving: bool = False

    @property
    def size_bytes(self) -> int:
        """The video's size."""
        return self.order.media[0].size_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Starting:
    """Before there is an upload session: nothing at YouTube can become a video. `asked` once the channel was asked about."""

    post: Post
    asking: Literal["", "channel", "session"] = ""
    asked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploading:
    """Bytes are moving to the session that was opened at `since`; `session` is its name for people, made of its secret URI.

    `stored_bytes` is YouTube's own count, `furthest_bytes` the highest it ever was. `last_sent` once the last byte has left us: from then
    on the video may exist. `setbacks` counts answers without progress since the last progress, `refusals` the refused chunks among them.
    """

    post: Post
    session: str
    session_uri: str = field(repr=False)
    since: datetime
    chunk_bytes: int
    asking: Literal["", "chunk", "offset"] = ""
    stored_bytes: int = 0
    furthest_bytes: int = 0
    last_sent: bool = False
    setbacks: int = 0
    refusals: int = 0
    resume_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Searching:
    """The session of `since` is gone and may have become a video; since `began_at` we look among the channel's uploads.

    `candidates` are the uploads of the current look whose details are still to be read (None: the list is to be read first); `crowded`
    when there may be more than were listed. `looks` counts those that found no trace.
    """

    post: Post
    session: str
    since: datetime
    began_at: datetime
    next_at: datetime
    asking: Literal["", "channel", "uploads", "videos"] = ""
    candidates: tuple[str, ...] | None = None
    crowded: bool = False
    looks: int = 0
    verdict: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Processing:
    """YouTube has every byte, since `since`, as video `video_id`; we ask. `privacy` is the one it last named."""

    post: Post
    video_id: str
    since: datetime
    next_at: datetime
    polls: int = 0
    privacy: str = ""
    trouble: str = ""
    verdict: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The video is there, known since `since`. `processed` is False when we stopped waiting for that; `about` is what else there is to say.

    The cover is set afterwards: `cover` says how far that is and `cover_trouble` what stood against it. No trouble undoes the success.
    """

    post: Post
    video_id: str
    since: datetime
    asking: Literal["", "cover", "video"] = ""
    processed: bool = True
    about: str = ""
    look_again_at: datetime | None = None
    cover: Literal["", "due", "set", "given up"] = ""
    cover_tries: int = 0
    cover_at: datetime | None = None
    cover_trouble: str = ""


YouTubeState: TypeAlias = Starting | Uploading | Searching | Processing | Finished

_STORED: Final[StoredStates[YouTubeState]] = StoredStates("YouTube", VERSION, Starting, Uploading, Searching, Processing, Finished)
dump, load = _STORED.dump, _STORED.load


def session_name(session_uri: str) -> str:
    """A name for a session that gives nothing of its URI away."""
    return f"session {sha256(session_uri.encode()).hexdigest()[:12]}"


def started_over(post: Post, *, superseded: str = "") -> Starting:
    """Begin again with a new session, after it is certain that the last one cannot become a (visible) video.

    Raises:
        Rejected: this happened too often.
    """
    if post.restarts >= MAX_RESTARTS:
        raise Rejected(
            sentence=f"The upload to YouTube had to start over {MAX_RESTARTS} times and never reached its end; "
            "check the connection, then publish again.",
            platform="youtube",
            platform_code="too_many_restarts",
            post_failed=True,
        )
    given_up = (*post.superseded, superseded) if superseded else post.superseded
    again = replace(post, restarts=post.restarts + 1, superseded=given_up, forgiving=False)
    return Starting(post=again, asked=post.channel is not None)


def afresh(post: Post) -> Post:
    """The post with its history of tries forgotten, for another try that a person asked for."""
    return replace(post, restarts=0, forgiving=True)


def seconds(count: float) -> timedelta:
    """A span of that many seconds."""
    return timedelta(seconds=count)
