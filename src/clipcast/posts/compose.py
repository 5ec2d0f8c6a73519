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
from clipcast.db.turns import take_turn
from clipcast.errors import Conflict, IdempotencyConflict, InvalidRequest, PossibleDuplicate
from clipcast.posts import store
from clipcast.posts.models import Post
from clipcast.posts.schemas import PostChange, PostIn, TargetIn, meant_by
from clipcast.posts.targets import metadata_for
from clipcast.publications import missed, publishing
from clipcast.publications import store as publications
from clipcast.publications.missed import IfMissed
from clipcast.publications.models import IdempotencyKey, Publication
from clipcast.publications.order import Metadata
from clipcast.publications.publishing import Platforms, PublishRequest, Target
from clipcast.publications.states import State
from clipcast.timetable import store as timetable

T = TypeVar("T")


def publish(session: Session, request: PublishRequest, platforms: Platforms, now: datetime, *, key: str | None = None) -> Publication:
    """A post with one target: the pending publication that a worker will carry out.

    A repeated call with the same `Idempotency-Key` answers the publication that the first one created.

    Raises:
        IdempotencyConflict: the key was used for another request.
        InvalidRequest, NotFound: with every blocking problem in one message; nothing was written.
    """
    earlier = _earlier_in_turn(session, key, request)
    if earlier is not None:
        return earlier
    target = publishing.checked_target(session, request, platforms, now)
    post = _post_of(request.metadata, request.scheduled_at, "UTC", missed.DEFAULT, now)
    store.add(session, post, request.metadata.clip_ids or [request.clip_id])
    publication = publishing.create(session, request, target, post.id, now)
    _remember(session, key, request, publication)
    return publication


def create(
    session: Session, wanted: PostIn, platforms: Platforms, now: datetime, *, key: str | None = None, promised_at: datetime | None = None
) -> Post:
    """A post with all its targets, each a pending publication of its own; all of them or none.

    `promised_at` is for what was to go out then already before it was composed: an occurrence of a recurrence that comes late is late.

    Raises:
        IdempotencyConflict: the key was used for another request.
        PossibleDuplicate: the same content went to one of the accounts within a day, and `allow_duplicate` is not set.
        InvalidRequest, NotFound: with every target's blocking problems in one message.
    """
    earlier = _earlier_in_turn(session, key, wanted)
    if earlier is not None:
        return store.get(session, earlier.post_id)
    requests, targets = checked(session, wanted, platforms, now, is_promised=promised_at is not None)
    places = _slots(session, targets, now) if wanted.when else [wanted.due_at()] * len(targets)
    policy = wanted.if_missed or missed.DEFAULT
    post = _composed(session, wanted, targets, places, policy=policy, now=now)
    for request, target, at in zip(requests, targets, places, strict=True):
        publication = publishing.create(
            session,
            request.model_copy(update={"scheduled_at": at}),
            target,
            post.id,
            now,
            if_missed=policy,
            promised_at=promised_at or (wanted.due_at() if wanted.if_missed else None),
            is_slot=wanted.when is not None,
        )
        publication.content_sha256 = content_sha256(session, request)
    _remember(session, key, wanted, store.publications_of(session, post.id)[0])
    return post


def checked(
    session: Session, wanted: PostIn, platforms: Platforms, now: datetime, *, is_promised: bool = False
) -> tuple[list[PublishRequest], list[Target]]:
    """What the post asks of each target, if nothing stands against any of it; nothing is written. What `is_promised` may be late.

    Raises:
        PossibleDuplicate, InvalidRequest, NotFound: as `create`.
    """
    requests = requests_of(session, wanted, platforms)
    in_question = [request.model_copy(update={"scheduled_at": None}) for request in requests] if is_promised else requests
    targets = _checked(session, in_question, platforms, now)
    if not wanted.allow_duplicate:
        contents = [content_sha256(session, request) for request in requests]
        _refuse_doubles(session, list(zip(targets, contents, strict=True)), now)
    return requests, targets


def targets_of(session: Session, wanted: PostIn, platforms: Platforms) -> list[Target]:
    """Where the post goes, whatever its clips are.

    Raises:
        InvalidRequest, NotFound: there is something wrong with a target or its options.
    """
    return [publishing.target_of(session, request, platforms) for request in requests_of(session, wanted, platforms)]


def check_slots(session: Session, targets: Sequence[Target]) -> None:
    """Raises InvalidRequest for a target that has no slots at all."""
    for target in targets:
        if target.account is None:
            raise InvalidRequest(f"{target.platform.name} has no account yet, and slots belong to accounts. Connect one, or name a time.")
        timetable.with_slots(session, target.account)


def _slots(session: Session, targets: Sequence[Target], now: datetime) -> list[datetime | None]:
    """The next free slot of each target, which nobody else gets until the transaction ends."""
    check_slots(session, targets)
    found = [target.account for target in targets if target.account is not None]
    timetable.lock_queues(session, [account.id for account in found])
    return [timetable.next_free(session, account, now) for account in found]


def _composed(
    session: Session, wanted: PostIn, targets: Sequence[Target], places: Sequence[datetime | None], *, policy: IfMissed, now: datetime
) -> Post:
    """The post itself, stored. Of slots it shows the earliest, by the clocks of the first one's zone."""
    common = Metadata(caption=wanted.caption, title=wanted.title, hashtags=wanted.hashtags)
    zone = wanted.timezone
    if wanted.when and "timezone" not in wanted.model_fields_set:
        zone = timetable.zone_of(session, targets[0].account) or zone
    post = _post_of(common, min((at for at in places if at is not None), default=None), zone, policy, now)
    post.asked_for = wanted.scheduled_at if wanted.scheduled_at is not None and wanted.scheduled_at.tzinfo is None else None
    post.options = {platform: dict(options) for platform, options in wanted.options.items()}
    store.add(session, post, wanted.clip_ids)
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


def _checked(session: Session, requests: Sequence[PublishRequest], platforms: Platforms, now: datetime) -> list[Target]:
    targets, sentences = [], []
    for request in requests:
        try:
            targets.append(publishing.checked_target(session, request, platforms, now))
        except InvalidRequest as error:
            sentences.append(f"{request.platform}: {error}")
    if sentences:
        raise InvalidRequest(" ".join(sentences))
    return targets


def content_sha256(session: Session, request: PublishRequest) -> str:
    """What makes two posts the same in the eyes of those who see them: the media's bytes and the caption."""
    media = [clips.get_clip(session, clip_id).sha256 for clip_id in request.metadata.clip_ids or [request.clip_id]]
    return hashlib.sha256(json.dumps([media, request.metadata.caption, sorted(request.metadata.hashtags)]).encode()).hexdigest()


def _refuse_doubles(session: Session, targets: Sequence[tuple[Target, str]], now: datetime) -> None:
    for content in sorted({content for _, content in targets}):
        take_turn(session, f"post {content}")  # or neither of two requests at once would see what the other writes
    for target, content in targets:
        double = store.double_of(session, target.platform.name, target.account.id if target.account else None, content, now)
        if double is not None:
            raise PossibleDuplicate(
                f"The same media and caption went to {target.platform.name} {target.username or 'without an account'} at "
                f"{double.requested_at:%Y-%m-%d %H:%M} UTC (publication {double.id}). To post it again, send allow_duplicate: true."
            )


def written(db: Database, write: Callable[[Session], T]) -> T:
    """What `write` wrote in one transaction.

    Turns keep two requests with one `Idempotency-Key` apart. Should both write all the same, the key's own row ends the second, which looks
    again and finds what the first has written.
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
    before, was = post.caption, _policy_of(post)
    moved_to = _apply(post, wanted, now)
    for row in rows:
        texts = {"title": post.title, "hashtags": post.hashtags} | ({"caption": post.caption} if row.order["caption"] == before else {})
        request = _request_of(row, Metadata.model_validate(row.order | texts), moved_to)
        publishing.checked_target(session, request, platforms, now)
        publishing.rewrite(session, row, request, now, if_missed=_policy_of(post), was=was)
        row.content_sha256 = content_sha256(session, request) if row.content_sha256 else None
    return post


def _policy_of(post: Post) -> IfMissed:
    return IfMissed.model_validate(post.if_missed) if post.if_missed else missed.DEFAULT


def cancel(session: Session, post_id: str, platforms: Platforms, now: datetime) -> list[Outcome]:
    """Withdraw every publication of a post that still can be; the others say why not."""
    outcomes = []
    for row in store.publications_of(session, store.get(session, post_id).id):
        try:
            outcomes.append(Outcome(publishing.cancel(session, row.id, platforms, now), None))
        except Conflict as error:
            outcomes.append(Outcome(row, str(error)))
    return outcomes


def _apply(post: Post, wanted: PostChange, now: datetime) -> datetime | None:
    """Change the post itself; answers the moment that it moves to, if it moves."""
    post.caption = post.caption if wanted.caption is None else wanted.caption
    post.title = post.title if wanted.title is None else wanted.title
    post.hashtags = post.hashtags if wanted.hashtags is None else wanted.hashtags
    post.if_missed = post.if_missed if wanted.if_missed is None else wanted.if_missed.model_dump()
    post.updated_at = now
    zone = wanted.timezone or post.timezone
    moved_to = _meant(wanted, zone)
    if moved_to is not None:
        assert wanted.scheduled_at is not None
        asked_for = wanted.scheduled_at if wanted.scheduled_at.tzinfo is None else None
        if moved_to == post.scheduled_at and publishing.has_passed(moved_to, now):
            moved_to = None  # who sends an overdue post back as it is does not move it
        else:
            publishing.check_move(moved_to, now)
            post.scheduled_at, post.asked_for = moved_to, asked_for
    elif zone != post.timezone:
        post.asked_for = None  # the moment stays, and with it what the clocks of the new zone show
    post.timezone = zone
    return moved_to


def _meant(wanted: PostChange, zone: str) -> datetime | None:
    try:
        found = meant_by(wanted.scheduled_at, zone, wanted.fold)
    except ValueError as error:
        raise InvalidRequest(f"scheduled_at cannot be used: {error}.") from None
    return found.at if found else None


def _request_of(row: Publication, metadata: Metadata, scheduled_at: datetime | None) -> PublishRequest:
    return PublishRequest(
        clip_id=row.clip_id,
        platform=row.platform,
        social_account_id=row.social_account_id,
        metadata=metadata,
        scheduled_at=scheduled_at,
    )


def _post_of(metadata: Metadata, scheduled_at: datetime | None, timezone: str, policy: IfMissed, now: datetime) -> Post:
    return Post(
        caption=metadata.caption,
        title=metadata.title,
        hashtags=list(metadata.hashtags),
        options={},
        scheduled_at=scheduled_at,
        timezone=timezone,
        if_missed=policy.model_dump(),
        created_at=now,
        updated_at=now,
    )


def earlier_of(session: Session, key: str | None, request: BaseModel) -> Publication | None:
    """The publication that an earlier request with this key created.

    Raises:
        IdempotencyConflict: that was another request.
    """
    used = publications.keyed(session, key) if key is not None else None
    if used is None:
        return None
    if used.request_sha256 != _digest(request):
        raise IdempotencyConflict("This Idempotency-Key was used for a different request. Use a new key for a new post.")
    return publications.get(session, used.publication_id)


def _earlier_in_turn(session: Session, key: str | None, request: BaseModel) -> Publication | None:
    """As `earlier_of`, once no other request with this key is still being answered."""
    if key is not None:
        take_turn(session, f"key {key}")
    return earlier_of(session, key, request)


def _remember(session: Session, key: str | None, request: BaseModel, publication: Publication) -> None:
    if key is not None:
        digest, now = _digest(request), publication.created_at
        session.add(IdempotencyKey(key=key, request_sha256=digest, publication_id=publication.id, created_at=now))


def _digest(request: BaseModel) -> str:
    kind: Mapping[str, Any] = {"kind": type(request).__name__, **request.model_dump(mode="json")}
    return hashlib.sha256(json.dumps(kind, sort_keys=True).encode()).hexdigest()
