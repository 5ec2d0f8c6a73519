"""From a request to a post and its publications, and what people do to a post afterwards."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from clipcast.accounts import store as accounts
from clipcast.clips import store as clips
from clipcast.db.engine import Database
from clipcast.errors import Conflict, IdempotencyConflict, InvalidRequest, PossibleDuplicate
from clipcast.posts import store
from clipcast.posts.models import Post
from clipcast.posts.schemas import PostChange, PostIn, TargetIn, moment
from clipcast.posts.targets import metadata_for
from clipcast.publications import publishing
from clipcast.publications import store as publications
from clipcast.publications.models import IdempotencyKey, Publication
from clipcast.publications.order import Metadata
from clipcast.publications.publishing import Platforms, PublishRequest, Target
from clipcast.publications.states import State

T = TypeVar("T")


def publish(session: Session, request: PublishRequest, platforms: Platforms, now: datetime, *, key: str | None = None) -> Publication:
    """A post with one target: the pending publication that a worker will carry out.

    A repeated call with the same `Idempotency-Key` answers the publication that the first one created.

    Raises:
        IdempotencyConflict: the key was used for another request.
        InvalidRequest, NotFound: with every blocking problem in one message; nothing was written.
    """
    earlier = _earlier(session, key, request)
    if earlier is not None:
        return earlier
    target = publishing.checked_target(session, request, platforms)
    post = _post_of(request.metadata, request.scheduled_at, "UTC", now)
    store.add(session, post, request.metadata.clip_ids or [request.clip_id])
    publication = publishing.create(session, request, target, post.id, now)
    _remember(session, key, request, publication)
    return publication


def create(session: Session, wanted: PostIn, platforms: Platforms, now: datetime, *, key: str | None = None) -> Post:
    """A post with all its targets, each a pending publication of its own; all of them or none.

    Raises:
        IdempotencyConflict: the key was used for another request.
        PossibleDuplicate: the same content went to one of the accounts within a day, and `allow_duplicate` is not set.
        InvalidRequest, NotFound: with every target's blocking problems in one message.
    """
    earlier = _earlier(session, key, wanted)
    if earlier is not None:
        return store.get(session, earlier.post_id)
    requests = requests_of(session, wanted, platforms)
    targets = _checked(session, requests, platforms)
    contents = [content_sha256(session, request) for request in requests]
    if not wanted.allow_duplicate:
        _refuse_doubles(session, zip(targets, contents, strict=True), now)
    common = Metadata(caption=wanted.caption, title=wanted.title, hashtags=wanted.hashtags)
    post = _post_of(common, wanted.due_at(), wanted.timezone, now)
    post.options = {platform: dict(options) for platform, options in wanted.options.items()}
    store.add(session, post, wanted.clip_ids)
    for request, target, content in zip(requests, targets, contents, strict=True):
        publication = publishing.create(session, request, target, post.id, now)
        publication.content_sha256 = content
    _remember(session, key, wanted, store.publications_of(session, post.id)[0])
    return post


def requests_of(session: Session, wanted: PostIn, platforms: Platforms) -> list[PublishRequest]:
    """What the post asks of each target, satellites included; no account twice."""
    common = {"caption": wanted.caption, "title": wanted.title, "hashtags": wanted.hashtags, "auto_fit": wanted.auto_fit}
    requests: dict[tuple[str, str | None], PublishRequest] = {}
    for target in wanted.targets:
        for platform, account_id in _accounts_of(session, target, platforms):
            layers = (wanted.options.get(platform, {}), target.options)  # type: ignore[call-overload]  # a name outside the literal has no options
            texts = common if target.caption is None else common | {"caption": target.caption}
            metadata = metadata_for(texts, wanted.clip_ids, *layers)
            request = PublishRequest(
                clip_id=wanted.clip_ids[0],
                platform=platform,
                social_account_id=account_id,
                metadata=metadata,
                scheduled_at=wanted.due_at(),
            )
            if (platform, account_id) in requests:
                raise InvalidRequest(f"The targets name the same {platform} account twice.")
            requests[platform, account_id] = request
    return list(requests.values())


def _accounts_of(session: Session, target: TargetIn, platforms: Platforms) -> list[tuple[str, str | None]]:
    if target.account_id is None:
        assert target.platform is not None  # the schema wants one of the two
        main = accounts.main_account(session, target.platform) if target.platform in platforms else None
        found: list[tuple[str, str | None]] = [(target.platform, main.id if main else None)]
    else:
        main = accounts.get(session, target.account_id)
        found = [(main.platform, main.id)]
    if target.with_satellites and main is not None:
        found += [(satellite.platform, satellite.id) for satellite in accounts.satellites_of(session, main.id)]
    return found


def _checked(session: Session, requests: Sequence[PublishRequest], platforms: Platforms) -> list[Target]:
    targets, sentences = [], []
    for request in requests:
        try:
            targets.append(publishing.checked_target(session, request, platforms))
        except InvalidRequest as error:
            sentences.append(f"{request.platform}: {error}")
    if sentences:
        raise InvalidRequest(" ".join(sentences))
    return targets


def content_sha256(session: Session, request: PublishRequest) -> str:
    """What makes two posts the same in the eyes of those who see them: the media's bytes and the caption."""
    media = [clips.get_clip(session, clip_id).sha256 for clip_id in request.metadata.clip_ids or [request.clip_id]]
    return hashlib.sha256(json.dumps([media, request.metadata.caption, sorted(request.metadata.hashtags)]).encode()).hexdigest()


def _refuse_doubles(session: Session, targets: Any, now: datetime) -> None:
    for target, content in targets:
        double = store.double_of(session, target.platform.name, target.account.id if target.account else None, content, now)
        if double is not None:
            raise PossibleDuplicate(
                f"The same media and caption went to {target.platform.name} {target.username or 'without an account'} at "
                f"{double.requested_at:%Y-%m-%d %H:%M} UTC (publication {double.id}). To post it again, send allow_duplicate: true."
            )


def written(db: Database, write: Callable[[Session], T]) -> T:
    """What `write` wrote in one transaction.

    On PostgreSQL two requests with one `Idempotency-Key` may both look before either writes; the one that comes second looks again, and
    finds what the first has written.
    """
    try:
        with db.writing() as session:
            return write(session)
    except IntegrityError:
        with db.writing() as session:
            return write(session)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one target when a whole post was asked to do something."""

    publication: Publication
    refusal: str | None


def change(session: Session, post_id: str, wanted: PostChange, platforms: Platforms, now: datetime) -> Post:
    """Change or move a post, as long as none of its publications has begun.

    Raises:
        Conflict: one has begun, or is over.
        InvalidRequest: what it would become breaks a rule.
    """
    post = store.get(session, post_id, lock=True)
    rows = store.publications_of(session, post_id, lock=True)
    begun = [row for row in rows if row.state != State.SCHEDULED or row.flow is not None]
    if begun:
        raise Conflict(f"This post can no longer be changed: {', '.join(f'{row.platform} is {row.state}' for row in begun)}.")
    before = post.caption
    _apply(post, wanted, now)
    for row in rows:
        texts = {"title": post.title, "hashtags": post.hashtags} | ({"caption": post.caption} if row.order["caption"] == before else {})
        request = _request_of(row, Metadata.model_validate(row.order | texts), post.scheduled_at)
        publishing.checked_target(session, request, platforms)
        publishing.rewrite(session, row, request, now)
        row.content_sha256 = content_sha256(session, request) if row.content_sha256 else None
    return post


def cancel(session: Session, post_id: str, platforms: Platforms, now: datetime) -> list[Outcome]:
    """Withdraw every publication of a post that still can be; the others say why not."""
    outcomes = []
    for row in store.publications_of(session, store.get(session, post_id).id):
        try:
            outcomes.append(Outcome(publishing.cancel(session, row.id, platforms, now), None))
        except Conflict as error:
            outcomes.append(Outcome(row, str(error)))
    return outcomes


def _apply(post: Post, wanted: PostChange, now: datetime) -> None:
    post.caption = post.caption if wanted.caption is None else wanted.caption
    post.title = post.title if wanted.title is None else wanted.title
    post.hashtags = post.hashtags if wanted.hashtags is None else wanted.hashtags
    post.timezone = wanted.timezone or post.timezone
    if wanted.scheduled_at is not None:
        post.scheduled_at = moment(wanted.scheduled_at, post.timezone)
    post.updated_at = now


def _request_of(row: Publication, metadata: Metadata, scheduled_at: datetime | None) -> PublishRequest:
    return PublishRequest(
        clip_id=row.clip_id,
        platform=row.platform,
        social_account_id=row.social_account_id,
        metadata=metadata,
        scheduled_at=scheduled_at,
    )


def _post_of(metadata: Metadata, scheduled_at: datetime | None, timezone: str, now: datetime) -> Post:
    return Post(
        caption=metadata.caption,
        title=metadata.title,
        hashtags=list(metadata.hashtags),
        options={},
        scheduled_at=scheduled_at,
        timezone=timezone,
        created_at=now,
        updated_at=now,
    )


def _earlier(session: Session, key: str | None, request: BaseModel) -> Publication | None:
    """The publication that an earlier request with this key created."""
    used = publications.keyed(session, key) if key is not None else None
    if used is None:
        return None
    if used.request_sha256 != _digest(request):
        raise IdempotencyConflict("This Idempotency-Key was used for a different request. Use a new key for a new post.")
    return publications.get(session, used.publication_id)


def _remember(session: Session, key: str | None, request: BaseModel, publication: Publication) -> None:
    if key is not None:
        digest, now = _digest(request), publication.created_at
        session.add(IdempotencyKey(key=key, request_sha256=digest, publication_id=publication.id, created_at=now))


def _digest(request: BaseModel) -> str:
    kind: Mapping[str, Any] = {"kind": type(request).__name__, **request.model_dump(mode="json")}
    return hashlib.sha256(json.dumps(kind, sort_keys=True).encode()).hexdigest()
