"""From a request to a post and its publications."""

import hashlib
import json
from datetime import datetime

from sqlalchemy.orm import Session

from clipcast.errors import IdempotencyConflict
from clipcast.posts.models import Post, PostClip
from clipcast.publications import publishing, store
from clipcast.publications.models import IdempotencyKey, Publication
from clipcast.publications.publishing import Platforms, PublishRequest


def publish(session: Session, request: PublishRequest, platforms: Platforms, now: datetime, *, key: str | None = None) -> Publication:
    """A post with one target: the pending publication that a worker will carry out.

    A repeated call with the same `Idempotency-Key` answers the publication that the first one created.

    Raises:
        IdempotencyConflict: the key was used for another request.
        InvalidRequest, NotFound: with every blocking problem in one message; nothing was written.
    """
    if key is None:
        return _publish(session, request, platforms, now)
    digest = hashlib.sha256(json.dumps(request.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()
    earlier = store.keyed(session, key)
    if earlier is None:
        publication = _publish(session, request, platforms, now)
        session.add(IdempotencyKey(key=key, request_sha256=digest, publication_id=publication.id, created_at=now))
        return publication
    if earlier.request_sha256 != digest:
        raise IdempotencyConflict("This Idempotency-Key was used for a different request. Use a new key for a new post.")
    return store.get(session, earlier.publication_id)


def _publish(session: Session, request: PublishRequest, platforms: Platforms, now: datetime) -> Publication:
    target = publishing.checked_target(session, request, platforms)
    return publishing.create(session, request, target, _post_of(session, request, now).id, now)


def _post_of(session: Session, request: PublishRequest, now: datetime) -> Post:
    metadata = request.metadata
    post = Post(
        caption=metadata.caption,
        title=metadata.title,
        hashtags=list(metadata.hashtags),
        options={},
        scheduled_at=request.scheduled_at,
        created_at=now,
        updated_at=now,
    )
    session.add(post)
    session.flush()
    for position, clip_id in enumerate(metadata.clip_ids or [request.clip_id]):
        session.add(PostClip(post_id=post.id, position=position, clip_id=clip_id))
    return post
