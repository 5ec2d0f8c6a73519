"""Every query about posts."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import and_, delete, func, or_, select
from sqlalchemy.orm import Session

from clipcast.errors import NotFound
from clipcast.posts.models import Post, PostClip, Stage
from clipcast.publications.models import Publication
from clipcast.publications.states import FINAL, State

DOUBLE_WITHIN: Final = timedelta(hours=24)
"""The same content to the same account within this time is probably a mistake."""


def get(session: Session, post_id: str, *, lock: bool = False) -> Post:
    """That post; with `lock`, nobody else changes it before the transaction ends.

    Raises:
        NotFound: there is none with that id.
    """
    post = session.get(Post, post_id, with_for_update=lock or None)
    if post is None:
        raise NotFound(f"There is no post {post_id[:100]}.")
    return post


def clips_of(session: Session, post_id: str) -> list[str]:
    """The ids of a post's clips, in order."""
    return list(session.scalars(select(PostClip.clip_id).where(PostClip.post_id == post_id).order_by(PostClip.position)))


def publications_of(session: Session, post_id: str, *, lock: bool = False) -> list[Publication]:
    """A post's publications in the order of its targets."""
    query = select(Publication).where(Publication.post_id == post_id).order_by(Publication.id)
    return list(session.scalars(query.with_for_update() if lock else query))


def listed(session: Session, *, limit: int, before: str | None = None, stage: Stage | None = None) -> list[Post]:
    """Posts newest first, `limit` at most; of one stage when given."""
    query = select(Post).order_by(Post.id.desc()).limit(limit)
    if stage == "released":
        query = query.where(Post.draft.is_(None))
    elif stage is not None:
        thrown_away = Post.cancelled_at.is_not(None) if stage == "cancelled" else Post.cancelled_at.is_(None)
        query = query.where(Post.draft.is_not(None), thrown_away)
    return list(session.scalars(query if before is None else query.where(Post.id < before)))


def double_of(
    session: Session,
    platform: str,
    account_id: str | None,
    content_sha256: str,
    *,
    at: datetime,
    now: datetime,
    besides: str | None = None,
) -> Publication | None:
    """A publication of the same content to the same account that went out, or will, within a day of `at`; the one of the latest time.

    What waits although its time has passed goes out now, or soon. Without an account it is the simulator of that platform. `besides` is a
    post that is left out.
    """
    since, until = at - DOUBLE_WITHIN, at + DOUBLE_WITHIN
    goes_out = func.coalesce(Publication.published_at, Publication.scheduled_at)
    near = and_(goes_out > since, goes_out < until)
    if since < now < until:
        near = or_(near, and_(Publication.state.not_in(FINAL), Publication.scheduled_at <= now))
    query = select(Publication).where(
        Publication.platform == platform,
        Publication.content_sha256 == content_sha256,
        Publication.social_account_id.is_(None) if account_id is None else Publication.social_account_id == account_id,
        Publication.state.not_in([State.FAILED, State.CANCELLED]),
        near,
    )
    query = query if besides is None else query.where(Publication.post_id != besides)
    return session.scalars(query.order_by(Publication.scheduled_at.desc()).limit(1)).first()


def add(session: Session, post: Post, clip_ids: Sequence[str]) -> None:
    """Store a post with its clips, or give a stored one these clips instead of those it had."""
    session.add(post)
    session.flush()
    session.execute(delete(PostClip).where(PostClip.post_id == post.id))
    session.add_all(PostClip(post_id=post.id, position=position, clip_id=clip_id) for position, clip_id in enumerate(clip_ids))
    session.flush()
