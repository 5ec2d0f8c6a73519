"""Videos, from the last byte on. Nothing runs on a timer: how a video stands is read off its row and the simulated time."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, select, update

from clipcast_simulator.exchange import Context
from clipcast_simulator.youtube import ids
from clipcast_simulator.youtube.metadata import instant
from clipcast_simulator.youtube.sessions import Session
from clipcast_simulator.youtube.tables import thumbnails, videos

DAY_S: Final = 86_400.0

FAILURES: Final = frozenset({"conversion", "invalidFile", "emptyFile", "tooSmall", "codec", "uploadAborted"})
REJECTIONS: Final = frozenset(
    {
        *("copyright", "claim", "duplicate", "inappropriate", "termsOfUse", "trademark", "legal", "length"),
        *("uploaderAccountSuspended", "uploaderAccountClosed"),
    }
)


@dataclass(frozen=True, slots=True)
class Video:
    """A video, as stored."""

    id: int
    video_id: str
    session_id: int
    client_id: str
    username: str
    resource: dict[str, Any]
    file_name: str | None
    size: int
    created_at: float
    ready_at: float  #: when processing is over
    stuck: bool
    locked: bool  #: becomes private after processing: an unverified project before 2026-11-02
    was_public: bool
    doom: str | None  #: the failure or rejection reason a script wants for it
    inspected: bool
    verdict: str | None  #: the failure or rejection reason its media earned
    facts: dict[str, Any]
    sha256: str | None
    is_short: bool
    deleted_at: float | None

    @property
    def outcome(self) -> str | None:
        """The reason it fails or is rejected for, if any."""
        return self.doom or self.verdict

    def is_done(self, now: float) -> bool:
        """Say whether processing is over."""
        return self.inspected and not self.stuck and now >= self.ready_at

    def upload_status(self, now: float) -> str:
        """Return `status.uploadStatus`."""
        if self.deleted_at is not None:
            return "deleted"
        if not self.is_done(now):
            return "uploaded"
        if self.outcome is None:
            return "processed"
        return "failed" if self.outcome in FAILURES else "rejected"

    def is_processed(self, now: float) -> bool:
        """Say whether it can be watched."""
        return self.upload_status(now) == "processed"

    def publish_at(self) -> float | None:
        """Return when it is to become public."""
        text = self.resource["status"].get("publishAt")
        return None if text is None else instant(text)

    def privacy(self, now: float) -> str:
        """Return who may watch it: what was asked for, until the schedule, or the lock, changes that."""
        if self.locked and self.is_done(now):
            return "private"
        due = self.publish_at()
        if due is not None and now >= due and self.is_processed(now):
            return "public"
        return str(self.resource["status"]["privacyStatus"])

    def published_at(self, now: float) -> float:
        """Return `snippet.publishedAt`: when it was uploaded, or when it became public by its schedule."""
        due = self.publish_at()
        return max(due, self.created_at) if due is not None and self.privacy(now) == "public" else self.created_at


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A custom thumbnail that applies."""

    sha256: str
    bytes: int
    width: int
    height: int


def create(context: Context, session: Session) -> Video:
    """Make the video of a session whose last byte has arrived."""
    now, status = context.now, session.resource["status"]
    key = context.connection.execute(
        insert(videos).values(
            video_id=ids.video_id(),
            session_id=session.id,
            client_id=session.client_id,
            username=session.username,
            resource=session.resource,
            file_name=session.file_name,
            size=session.persisted,
            created_at=now,
            ready_at=now + context.settings.processing_s + session.slow_s,
            stuck=session.stuck,
            locked=context.settings.youtube.force_private,
            was_public=status["privacyStatus"] == "public",
            doom=session.doom,
        )
    ).inserted_primary_key
    assert key is not None
    return _video(context.connection.execute(select(videos).where(videos.c.id == key[0])).one())


def by_video_id(connection: Connection, video_id: str) -> Video | None:
    """Find a video, deleted or not."""
    row = connection.execute(select(videos).where(videos.c.video_id == video_id)).first()
    return None if row is None else _video(row)


def by_video_ids(connection: Connection, video_ids: Sequence[str]) -> list[Video]:
    """Find videos that are not deleted, in the order of their ids' list."""
    query = select(videos).where(videos.c.video_id.in_(video_ids), videos.c.deleted_at.is_(None))
    found = {row.video_id: _video(row) for row in connection.execute(query)}
    return [found[video_id] for video_id in video_ids if video_id in found]


def listing(connection: Connection, username: str | None = None) -> list[Video]:
    """Return every video, oldest first."""
    query = select(videos).order_by(videos.c.id)
    if username is not None:
        query = query.where(videos.c.username == username)
    return [_video(row) for row in connection.execute(query)]


def change(connection: Connection, video: Video, **values: Any) -> Video:
    """Store new values and return the video with them."""
    connection.execute(update(videos).where(videos.c.id == video.id).values(**values))
    return _video(connection.execute(select(videos).where(videos.c.id == video.id)).one())


def uploads_today(context: Context, username: str) -> int:
    """Count a channel's uploads of the last 24 hours, from whatever client."""
    mine = (videos.c.username == username, videos.c.created_at > context.now - DAY_S)
    return context.connection.execute(select(func.count()).select_from(videos).where(*mine)).scalar_one()


def has_twin(connection: Connection, video: Video, sha256: str) -> bool:
    """Say whether the same bytes are on the channel already."""
    mine = (videos.c.username == video.username, videos.c.sha256 == sha256, videos.c.id < video.id, videos.c.deleted_at.is_(None))
    return connection.execute(select(videos.c.id).where(*mine)).first() is not None


def thumbnail(connection: Connection, video: Video) -> Thumbnail | None:
    """Return the custom thumbnail that applies to a video."""
    return thumbnails_of(connection, [video]).get(video.video_id)


def thumbnails_of(connection: Connection, found: Sequence[Video]) -> dict[str, Thumbnail]:
    """Return the custom thumbnails that apply, by video id. On a Short one that came before the end of processing does not."""
    query = select(thumbnails).order_by(thumbnails.c.id)
    if len(found) == 1:  # the usual question is about one, or about all
        query = query.where(thumbnails.c.video_id == found[0].video_id)
    shorts = {video.video_id for video in found if video.is_short}
    rows = (row for row in connection.execute(query) if row.was_processed or row.video_id not in shorts)
    return {row.video_id: Thumbnail(row.sha256, row.bytes, row.width, row.height) for row in rows}


def etag(content: Any) -> str:
    """Return an ETag that changes with its content."""
    return f'"{_digest(json.dumps(content, sort_keys=True, default=str))}"'


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:27]


def _video(row: Row[Any]) -> Video:
    return Video(**row._asdict())
