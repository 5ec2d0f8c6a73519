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
from clipcast.accounts.provider import AccountInactive
from clipcast.db.engine import Database
from clipcast.db.turns import take_turn
from clipcast.errors import Conflict, IdempotencyConflict, InvalidRequest, PossibleDuplicate
from clipcast.platforms.base import Problem
from clipcast.posts import doubles, drafts, store
from clipcast.posts.doubles import Going, content_sha256
from clipcast.posts.models import Post
from clipcast.posts.schemas import PostChange, PostIn, TargetIn, meant_by
from clipcast.posts.targets import metadata_for, overlaid
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
        return store.publications_of(session, earlier.id)[0]
    target = publishing.checked_target(session, request, platforms, now)
    post = Post(options={}, created_at=now)
    _fill(post, request.metadata, request.scheduled_at, timezone="UTC", policy=missed.DEFAULT, now=now)
    store.add(session, post, request.metadata.clip_ids or [request.clip_id])
    publication = publishing.create(session, request, target, post.id, now)
    publication.content_sha256 = content_sha256(session, request)  # never refused itself, but others are that repeat it
    _remember(session, key, request, post)
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
        return earlier
    if wanted.when == "draft":
        post = _kept(session, wanted, platforms, now)
    else:
        post = _sent(session, wanted, platforms, now, promised_at=promised_at)
    _remember(session, key, wanted, post)
    return post


def _kept(session: Session, wanted: PostIn, platforms: Platforms, now: datetime) -> Post:
    """The post as a draft. It may break a platform's rules, which are looked at when it is released; what it names must be there."""
    requests_of(session, wanted, platforms)
    post = Post(created_at=now)
    drafts.hold(session, post, _pinned(session, wanted, platforms), now)
    return post


def _sent(
    session: Session,
    wanted: PostIn,
    platforms: Platforms,
    now: datetime,
    *,
    draft: Post | None = None,
    promised_at: datetime | None = None,
) -> Post:
    """The post, or what becomes of the draft, with its pending publications."""
    besides = draft.id if draft else None
    requests, targets, contents = _checked_all(session, wanted, platforms, now, is_promised=promised_at is not None)
    places = _slots(session, targets, now) if wanted.when else [wanted.due_at()] * len(targets)
    if not wanted.allow_duplicate:
        doubles.refuse(session, _going(targets, contents, places, now), now, besides=besides)
    policy = wanted.if_missed or missed.DEFAULT
    post = _composed(session, wanted, targets, places, policy=policy, now=now, draft=draft)
    for request, target, at, content in zip(requests, targets, places, contents, strict=True):
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
        publication.content_sha256 = content
    return post


def _going(targets: Sequence[Target], contents: Sequence[str], places: Sequence[datetime | None], now: datetime) -> list[Going]:
    return [
        Going(target.platform.name, target.account.id if target.account else None, target.username, content, at or now)
        for target, content, at in zip(targets, contents, places, strict=True)
    ]


def checked(session: Session, wanted: PostIn, platforms: Platforms, now: datetime) -> tuple[list[PublishRequest], list[Target]]:
    """What the post asks of each target, if nothing stands against any of it; nothing is written.

    Raises:
        PossibleDuplicate, InvalidRequest, NotFound: as `create`.
    """
    requests, targets, contents = _checked_all(session, wanted, platforms, now)
    if not wanted.allow_duplicate:
        doubles.refuse(session, _going(targets, contents, [wanted.due_at()] * len(targets), now), now)
    return requests, targets


def _checked_all(
    session: Session, wanted: PostIn, platforms: Platforms, now: datetime, *, is_promised: bool = False
) -> tuple[list[PublishRequest], list[Target], list[str]]:
    """What the post asks of each target, and the content; what others ask with the same content waits. What `is_promised` may be late."""
    requests = requests_of(session, wanted, platforms)
    in_question = [request.model_copy(update={"scheduled_at": None}) for request in requests] if is_promised else requests
    targets = _checked(session, in_question, platforms, now)
    contents = [content_sha256(session, request) for request in requests]
    if not wanted.allow_duplicate:
        doubles.take_turns(session, contents)
    return requests, targets, contents


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
    session: Session,
    wanted: PostIn,
    targets: Sequence[Target],
    places: Sequence[datetime | None],
    *,
    policy: IfMissed,
    now: datetime,
    draft: Post | None,
) -> Post:
    """The post itself, stored. Of slots it shows the earliest, by the clocks of the first one's zone."""
    common = Metadata(caption=wanted.caption, title=wanted.title, hashtags=wanted.hashtags)
    zone = wanted.timezone
    if wanted.when and "timezone" not in wanted.model_fields_set:
        zone = timetable.zone_of(session, targets[0].account) or zone
    post = draft or Post(created_at=now)
    _fill(post, common, min((at for at in places if at is not None), default=None), timezone=zone, policy=policy, now=now)
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
    targets: list[Target] = []
    refusals: list[tuple[str, InvalidRequest]] = []
    for request in requests:
        try:
            targets.append(publishing.checked_target(session, request, platforms, now))
        except InvalidRequest as error:
            refusals.append((request.platform, error))
    if refusals:
        kind = AccountInactive if all(isinstance(error, AccountInactive) for _, error in refusals) else InvalidRequest
        raise kind(" ".join(f"{platform}: {error}" for platform, error in refusals))
    return targets


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
    """Change, move or release a post, as long as none of its publications has begun.

    Releasing is done once: who asks for it again moves what was released, or finds it on its way.

    Raises:
        Conflict: one has begun, or is over; or it was cancelled.
        PossibleDuplicate: it would go out within a day of the same, and `allow_duplicate` is not set.
        InvalidRequest: what it would become breaks a rule.
    """
    post = store.get(session, post_id, lock=True)
    if post.stage == "cancelled":
        raise Conflict("This draft was cancelled. Compose a new post instead.")
    if post.stage == "draft":
        return _changed_draft(session, post, wanted, platforms, now)
    rows = store.publications_of(session, post_id, lock=True)
    if wanted == PostChange(when="now") and all(_goes_out(row, now) for row in rows):
        return post
    begun = [row for row in rows if row.state != State.SCHEDULED or row.flow is not None]
    if begun:
        raise Conflict(f"This post can no longer be changed: {', '.join(f'{row.platform} is {row.state}' for row in begun)}.")
    if wanted.clip_ids is not None or wanted.targets is not None:
        raise Conflict("The clips and targets of a draft alone can be changed. Cancel this post, and compose it anew.")
    _rewrite(session, post, rows, wanted, platforms=platforms, now=now)
    return post


def _goes_out(row: Publication, now: datetime) -> bool:
    """Whether nothing has to be done for it to be published now, or it is already."""
    if row.state == State.SCHEDULED:
        return row.scheduled_at <= now and row.next_action_at is not None
    return row.state not in {State.FAILED, State.CANCELLED}


def _changed_draft(session: Session, post: Post, wanted: PostChange, platforms: Platforms, now: datetime) -> Post:
    asked = drafts.held(post)
    of_targets = [] if wanted.targets else [request.platform for request in requests_of(session, asked, platforms)]
    asked = _pinned(session, drafts.changed(asked, wanted, of_targets), platforms)
    if not wanted.has_time:
        requests_of(session, asked, platforms)
        drafts.hold(session, post, asked, now)
        return post
    _sent(session, drafts.released(asked, wanted), platforms, now, draft=post)
    drafts.let_go(session, post)
    return post


def _pinned(session: Session, wanted: PostIn, platforms: Platforms) -> PostIn:
    """The draft with the accounts that its targets mean today, so that it goes nowhere else when it is released."""
    targets = []
    for target in wanted.targets:
        for platform, account_id in _accounts_of(session, target, platforms):
            place = {"account_id": account_id, "platform": None if account_id else platform, "with_satellites": False}
            targets.append(target.model_copy(update=place))
    return wanted.model_copy(update={"targets": targets})


def _rewrite(session: Session, post: Post, rows: Sequence[Publication], wanted: PostChange, *, platforms: Platforms, now: datetime) -> None:
    """Give publications that have not begun what was changed."""
    before, was = post.caption, _policy_of(post)
    moved_to = _apply(post, wanted, now)
    requests = [_request_of(row, _metadata_after(row, post, wanted, before), moved_to) for row in rows]
    targets = [publishing.checked_target(session, request, platforms, now) for request in requests]
    contents = [content_sha256(session, request) for request in requests]
    if not wanted.allow_duplicate:
        doubles.take_turns(session, contents)
    places = _places(session, rows, targets, moved_to, wanted=wanted, now=now)
    if not wanted.allow_duplicate:
        doubles.refuse(session, _newly_going(rows, targets, contents, places), now, besides=post.id)
    if wanted.when is not None:
        post.scheduled_at, post.asked_for = min(at or row.scheduled_at for at, row in zip(places, rows, strict=True)), None
    for row, request, at, content in zip(rows, requests, places, contents, strict=True):
        row.content_sha256 = content
        fresh = request.model_copy(update={"scheduled_at": at})
        publishing.rewrite(session, row, fresh, now, if_missed=_policy_of(post), was=was, is_slot=wanted.when == "next_slot")


def _metadata_after(row: Publication, post: Post, wanted: PostChange, before: str) -> Metadata:
    texts: dict[str, Any] = {"title": post.title, "hashtags": post.hashtags} | (
        {"caption": post.caption} if row.order["caption"] == before else {}
    )
    if wanted.auto_fit is not None:
        texts |= {"auto_fit": wanted.auto_fit}
    layer = (wanted.options or {}).get(row.platform, {})  # type: ignore[call-overload]  # rows know no other platforms than the schema
    return overlaid(Metadata.model_validate(row.order | texts), layer)


def _places(
    session: Session,
    rows: Sequence[Publication],
    targets: Sequence[Target],
    moved_to: datetime | None,
    *,
    wanted: PostChange,
    now: datetime,
) -> list[datetime | None]:
    """Where each publication moves to; None for one that stays."""
    if wanted.when == "now":
        return [None if _goes_out(row, now) else now for row in rows]
    if wanted.when is None:
        return [moved_to] * len(rows)
    homeless = [target for row, target in zip(rows, targets, strict=True) if row.slot_at is None]
    found = iter(_slots(session, homeless, now))
    return [next(found) if row.slot_at is None else None for row in rows]


def _newly_going(
    rows: Sequence[Publication], targets: Sequence[Target], contents: Sequence[str], places: Sequence[datetime | None]
) -> list[Going]:
    """What goes out at another time than before, or is another post by now. What stays as it was meant, stays."""
    return [
        Going(row.platform, row.social_account_id, target.username, content, at or row.scheduled_at)
        for row, target, content, at in zip(rows, targets, contents, places, strict=True)
        if (at or row.scheduled_at) != row.scheduled_at or row.content_sha256 not in {None, content}
    ]


def problem_of_double(session: Session, wanted: PostIn, request: PublishRequest, platforms: Platforms, now: datetime) -> list[Problem]:
    """That the same goes to this target within a day of it, if it does and is not said to be meant.

    Raises:
        InvalidRequest, NotFound: there is something wrong with the target or its clips.
    """
    if wanted.allow_duplicate:
        return []
    target, at = publishing.target_of(session, request, platforms), request.scheduled_at
    if at is not None and publishing.is_too_far(at, now):
        return []  # it goes nowhere then; and a day around the ends of the calendar is outside of it
    if wanted.when == "next_slot" and target.account is not None:
        plan = timetable.plan_of(session, target.account.id)
        at = next(iter(timetable.free(session, plan, now, 1) if plan else []), None)
    (going,) = _going([target], [content_sha256(session, request)], [at], now)
    found = doubles.sentence(session, going, now)
    return [Problem("", PossibleDuplicate.code, found)] if found else []


def _policy_of(post: Post) -> IfMissed:
    return IfMissed.model_validate(post.if_missed) if post.if_missed else missed.DEFAULT


def cancel(session: Session, post_id: str, platforms: Platforms, now: datetime) -> list[Outcome]:
    """Throw a draft away, or withdraw every publication of a post that still can be; the others say why not."""
    post = store.get(session, post_id, lock=True)
    if post.stage == "draft":
        drafts.discard(session, post, now)
    outcomes = []
    for row in store.publications_of(session, post_id):
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
    post.options = post.options | {platform: post.options.get(platform, {}) | dict(own) for platform, own in (wanted.options or {}).items()}
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


def _fill(post: Post, metadata: Metadata, scheduled_at: datetime | None, *, timezone: str, policy: IfMissed, now: datetime) -> None:
    post.caption, post.title, post.hashtags = metadata.caption, metadata.title, list(metadata.hashtags)
    post.scheduled_at, post.timezone, post.if_missed = scheduled_at, timezone, policy.model_dump()
    post.updated_at = now


def earlier_of(session: Session, key: str | None, request: BaseModel) -> Post | None:
    """The post that an earlier request with this key created.

    Raises:
        IdempotencyConflict: that was another request.
    """
    used = publications.keyed(session, key) if key is not None else None
    if used is None:
        return None
    if used.request_sha256 != _digest(request):
        raise IdempotencyConflict("This Idempotency-Key was used for a different request. Use a new key for a new post.")
    return store.get(session, used.post_id)


def _earlier_in_turn(session: Session, key: str | None, request: BaseModel) -> Post | None:
    """As `earlier_of`, once no other request with this key is still being answered."""
    if key is not None:
        take_turn(session, f"key {key}")
    return earlier_of(session, key, request)


def _remember(session: Session, key: str | None, request: BaseModel, post: Post) -> None:
    if key is not None:
        session.add(IdempotencyKey(key=key, request_sha256=_digest(request), post_id=post.id, created_at=post.created_at))


def _digest(request: BaseModel) -> str:
    kind: Mapping[str, Any] = {"kind": type(request).__name__, **request.model_dump(mode="json")}
    return hashlib.sha256(json.dumps(kind, sort_keys=True).encode()).hexdigest()
