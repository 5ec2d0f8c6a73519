"""What people do to publications: ask for one, look at it, cancel it, try it again, decide about an uncertain one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import update
from sqlalchemy.orm import Session

from clipcast import ledger
from clipcast.accounts import store as accounts
from clipcast.accounts.models import SocialAccount
from clipcast.accounts.provider import AccountInactive
from clipcast.clips import store as clips
from clipcast.errors import Conflict, InvalidRequest, PlatformMismatch, UnsupportedPlatform
from clipcast.platforms.base import AnyPlatform, Credentials, MediaKind, Problem
from clipcast.publications import fitted, missed, store
from clipcast.publications.missed import IfMissed
from clipcast.publications.models import Publication
from clipcast.publications.order import Metadata, build_order
from clipcast.publications.states import FINAL, SUCCESS, Event, State, after

Platforms = Mapping[str, AnyPlatform]

FARTHEST: Final = timedelta(days=3653)
"""How far from now, ahead or back, a post may be meant to go out: ten years, beyond which it is a slip of the pen."""
TOO_FAR: Final = "it is more than ten years away; check its year"

SLOW_HANDS: Final = timedelta(minutes=2)
"""How long ago a time may be that is asked for now: clocks differ, and people take their time. What is asked for an earlier one would go
out at once, all over the world, for one mistyped digit of its year."""


class PublishRequest(BaseModel):
    """One clip (or photo set) to one account, now or at `scheduled_at`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    clip_id: str = Field(max_length=100)
    platform: str = Field(max_length=50)
    social_account_id: str | None = Field(
        default=None, max_length=100, description="Default: the platform's oldest main account; the simulator where it has no account."
    )
    metadata: Metadata = Field(default_factory=Metadata)
    scheduled_at: datetime | None = Field(default=None, description="When to publish, with a time zone; default: now.")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes: the platform's protocol, and the account if there is one."""

    platform: AnyPlatform
    account: SocialAccount | None

    @property
    def username(self) -> str:
        """The account's name, or an empty string."""
        return self.account.username if self.account else ""


def target_of(session: Session, request: PublishRequest, platforms: Platforms) -> Target:
    """Find the platform and the account that this request names.

    Raises:
        UnsupportedPlatform, NotFound, PlatformMismatch: what is named does not exist or does not fit together.
        AccountInactive: the account is expired, revoked or disabled; also where none is named, and it is the platform's main account.
        InvalidRequest: none is named, and the platform's accounts are all satellites.
    """
    platform = platforms.get(request.platform)
    if platform is None:
        raise UnsupportedPlatform(f"Clipcast does not publish to {request.platform!r}. It publishes to: {', '.join(sorted(platforms))}.")
    account = _account_of(session, request)
    if account is not None and account.platform != request.platform:
        raise PlatformMismatch(f"The account {account.username} is a {account.platform} account; the request asks for {request.platform}.")
    if account is not None and account.status != "active":
        is_named = request.social_account_id is not None
        who = f"The account @{account.username}" if is_named else f"@{account.username}, the main account of {account.platform},"
        remedy = "Set its status to active" if account.status == "disabled" else "Connect it again"
        raise AccountInactive(f"{who} is {account.status}. {remedy}, then publish{'' if is_named else ', or name another account'}.")
    return Target(platform, account)


def _account_of(session: Session, request: PublishRequest) -> SocialAccount | None:
    """The account that is named, or the platform's main account; None where the platform has no account at all."""
    if request.social_account_id is not None:
        return accounts.get(session, request.social_account_id)
    main = accounts.main_account(session, request.platform)
    if main is None and (others := accounts.listed(session, platform=request.platform)):
        raise InvalidRequest(
            f"No account of {request.platform} is a main account. Name the one that is meant, such as @{others[0].username}."
        )
    return main


def problems_of(session: Session, request: PublishRequest, target: Target, now: datetime) -> list[Problem]:
    """Everything that our own rules and the platform's documented ones have against this request."""
    platform = target.platform
    order = build_order(
        session, request.clip_id, request.metadata, platform=platform, username=target.username, credentials=Credentials({})
    )
    return [
        *_problems_of_form(session, request),
        *_problems_of_time(request.scheduled_at, now),
        *fitted.problems_of(order, platform, None, auto_fit=request.metadata.auto_fit),
    ]


def _problems_of_form(session: Session, request: PublishRequest) -> list[Problem]:
    problems, clip_ids = [], request.metadata.clip_ids or [request.clip_id]
    clip = clips.get_clip(session, request.clip_id)
    if request.clip_id not in clip_ids:
        problems.append(Problem("metadata.clip_ids", "clip_not_in_set", "clip_ids must contain clip_id: it is one of the set's images."))
    if clip.kind == MediaKind.IMAGE and clip.slideshow_clip_id and len(clip_ids) == 1:
        sentence = f"This image is a source of the slideshow video {clip.slideshow_clip_id}: publish that video instead."
        problems.append(Problem("clip_id", "slideshow_source", sentence))
    return problems


def _problems_of_time(at: datetime | None, now: datetime) -> list[Problem]:
    if at is None:
        return []
    if at.tzinfo is None:
        return [Problem("scheduled_at", "no_time_zone", "scheduled_at needs a time zone, for example 2026-05-01T09:00:00+02:00.")]
    if is_too_far(at, now):
        return [Problem("scheduled_at", "scheduled_at_too_far", f"scheduled_at cannot be used: {TOO_FAR}.")]
    if has_passed(at, now):
        sentence = f"Its time has passed: {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC. Leave the time out to publish now, or name one to come."
        return [Problem("scheduled_at", "scheduled_at_passed", sentence)]
    return []


def is_too_far(at: datetime, now: datetime) -> bool:
    """Whether nobody means that moment. Near the ends of the calendar, sums and other zones' clocks would leave it."""
    return abs(at - now) > FARTHEST


def has_passed(at: datetime, now: datetime) -> bool:
    """Whether that moment is over, longer than hands are slow: nobody asks for it but by mistake."""
    return at < now - SLOW_HANDS


def check_move(at: datetime, now: datetime) -> None:
    """Raises InvalidRequest where nothing can be moved to that moment."""
    if has_passed(at, now) and not is_too_far(at, now):
        sentence = f"The time to move it to has passed: {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC."
        raise InvalidRequest(f"{sentence} Name one to come, or the present one to publish now.")


def checked_target(session: Session, request: PublishRequest, platforms: Platforms, now: datetime) -> Target:
    """Where this request goes, if nothing stands against it.

    Raises:
        InvalidRequest, NotFound: with every blocking problem in one message.
    """
    target = target_of(session, request, platforms)
    blocking = [problem.sentence for problem in problems_of(session, request, target, now) if problem.blocking]
    if blocking:
        raise InvalidRequest(" ".join(blocking))
    return target


def create(
    session: Session,
    request: PublishRequest,
    target: Target,
    post_id: str,
    now: datetime,
    *,
    if_missed: IfMissed = missed.DEFAULT,
    promised_at: datetime | None = None,
    is_slot: bool = False,
) -> Publication:
    """Write a pending publication of this post and its `publish_started` event; a worker does the rest.

    Asked for a time that has passed, it is to begin now; unless it was `promised_at` that time before, as an occurrence of a recurrence is,
    or its policy was named: then it is as late as it is.
    """
    due_at = request.scheduled_at or now
    publication = Publication(
        post_id=post_id,
        clip_id=request.clip_id,
        platform=request.platform,
        social_account_id=target.account.id if target.account else None,
        order=request.metadata.model_dump(mode="json"),
        state=State.SCHEDULED,
        scheduled_at=due_at,
        slot_at=due_at if is_slot else None,
        start_by=if_missed.start_by(promised_at or max(due_at, now)),
        if_missed=if_missed.otherwise,
        requested_at=now,
        created_at=now,
        updated_at=now,
        next_action_at=due_at,
    )
    session.add(publication)
    session.flush()
    store.note(session, publication, ledger.PUBLISH_STARTED, now)
    return publication


def rewrite(
    session: Session,
    publication: Publication,
    request: PublishRequest,
    now: datetime,
    *,
    if_missed: IfMissed,
    was: IfMissed,
    is_slot: bool = False,
) -> None:
    """Change what a publication that has not begun will publish, and when; a worker that is just beginning with the old text stops.

    Given another time, which may be a slot itself, it leaves its slot to others. Given another time or policy than there `was`, until when
    it may begin is counted anew: from its time, or from now where that has passed and nobody named a policy.
    """
    due_at = request.scheduled_at or publication.scheduled_at
    values: dict[str, Any] = {"order": request.metadata.model_dump(mode="json"), "scheduled_at": due_at, "next_action_at": due_at}
    if due_at != publication.scheduled_at:
        values |= {"slot_at": due_at if is_slot else None}
    if due_at != publication.scheduled_at or if_missed != was:
        is_named = if_missed != missed.DEFAULT or if_missed != was
        start_by = if_missed.start_by(due_at if is_named else max(due_at, now))
        values |= {"start_by": start_by, "if_missed": if_missed.otherwise, "note": None}
    _take_over(session, publication, now, **values)


@dataclass(frozen=True, slots=True)
class PublishResult:
    """What became of a publication (mission A1). `success` is None while nobody can say yet."""

    success: bool | None
    status: str
    platform: str
    clip_id: str
    social_account_id: str | None
    external_post_id: str | None
    external_url: str | None
    error_message: str | None
    publish_log_id: str
    simulated: bool | None


def cancel(session: Session, publication_id: str, platforms: Platforms, now: datetime) -> Publication:
    """Withdraw a publication, for certain and at once if nothing irreversible was sent; else ask the platform, where it can be asked.

    The answer's state is `cancelled`, or still `processing` when the platform was asked and has not answered yet.

    Raises:
        Conflict: it is published, failed, or may already be visible.
    """
    publication = store.locked(session, publication_id)
    if publication.state == State.CANCELLED:
        return publication
    if publication.state in FINAL:
        raise Conflict(f"This publication is {publication.state} and can no longer be cancelled.")
    if _withdrawn(session, publication, now):
        store.note(session, publication, ledger.PUBLISH_CANCELLED, now)
        session.refresh(publication)
        return publication
    session.refresh(publication)
    return _ask_to_cancel(session, publication, platforms, now)


def _withdrawn(session: Session, publication: Publication, now: datetime) -> bool:
    """Cancel unless something irreversible was intended; the database decides the race with the driver."""
    state = after(State(publication.state), Event.CANCELLED)
    changed = (
        update(Publication)
        .where(Publication.id == publication.id, Publication.irreversible_at.is_(None), Publication.state == publication.state)
        .values(state=state, updated_at=now, note=None, **_nobody_works)
        .returning(Publication.id)
        .execution_options(synchronize_session=False)
    )
    return session.scalar(changed) is not None


_nobody_works: dict[str, Any] = {"next_action_at": None, "lease_token": None, "lease_until": None, "lease_owner": None}


def _ask_to_cancel(session: Session, publication: Publication, platforms: Platforms, now: datetime) -> Publication:
    platform = platforms[publication.platform]
    asking = platform.cancelling(platform.load(publication.flow)) if publication.flow else None
    if asking is None:
        raise Conflict(
            f"The post was handed over to {publication.platform} at {publication.irreversible_at:%H:%M:%S} UTC and can no longer be "
            "withdrawn from here. Delete it in the app once it is visible."
        )
    _take_over(session, publication, now, flow=platform.dump(asking), note=f"{publication.platform} was asked to cancel the post")
    return publication


def _take_over(session: Session, publication: Publication, now: datetime, **values: Any) -> None:
    """Change a publication under whoever works on it: their lease ends, and a worker starts from what is written here."""
    tenure = _nobody_works | {"next_action_at": now, "updated_at": now}
    for name, value in (tenure | values).items():
        setattr(publication, name, value)
    session.flush()


def try_again(session: Session, publication_id: str, platforms: Platforms, now: datetime) -> Publication:
    """Another try by hand. A failed publication starts over; an uncertain one is looked for first; a waiting one is looked at now.

    One that somebody is working on this very moment is left to them: what the platform is just answering must not get lost.

    Raises:
        Conflict: it is published, delivered or cancelled.
    """
    publication = store.locked(session, publication_id)
    if publication.state in SUCCESS or publication.state == State.CANCELLED:
        raise Conflict(f"This publication is {publication.state}; to post again, create a new one.")
    if publication.state == State.FAILED:
        return _start_over(session, publication, now)
    if _is_worked_on(publication, now):
        return publication
    if publication.flow is not None:
        platform = platforms[publication.platform]
        again = platform.again if publication.state == State.UNCERTAIN else platform.hurried
        _take_over(session, publication, now, flow=platform.dump(again(platform.load(publication.flow), now)))
    elif publication.scheduled_at <= now:
        _take_over(session, publication, now, start_by=None)  # a person wants it now, however late that is
    return publication


def _is_worked_on(publication: Publication, now: datetime) -> bool:
    until = publication.lease_until if publication.lease_token is not None else None
    return until is not None and until > now


def _start_over(session: Session, publication: Publication, now: datetime) -> Publication:
    """From the beginning, with a new flow: only for posts that are certainly not live."""
    state = after(State(publication.state), Event.STARTED_OVER)
    fresh = {
        "flow": None,
        "start_by": None,
        "irreversible_at": None,
        "reference": None,
        "sent_bytes": 0,
        "failures": 0,
        "failing_since": None,
    }
    cleared = {"error_code": None, "error_message": None, "note": None, "simulated": None}
    _take_over(session, publication, now, state=state, attempt=publication.attempt + 1, **fresh, **cleared)
    store.note(session, publication, ledger.PUBLISH_STARTED_OVER, now, attempt=publication.attempt)
    return publication


def ask_platform_now(session: Session, publication_id: str, platforms: Platforms, now: datetime) -> Publication:
    """Have the platform asked about this publication as soon as a worker is free, whatever its polling schedule says.

    What is final and has nothing left to learn stays as it is; so does what somebody is working on this very moment.
    """
    publication = store.locked(session, publication_id)
    asks = publication.next_action_at is not None or publication.state == State.UNCERTAIN
    if publication.flow is not None and asks and not _is_worked_on(publication, now):
        platform = platforms[publication.platform]
        _take_over(session, publication, now, flow=platform.dump(platform.hurried(platform.load(publication.flow), now)))
    return publication


def decide(session: Session, publication_id: str, *, is_live: bool, external_url: str | None, now: datetime) -> Publication:
    """A person looked: an uncertain publication is live after all, or certainly is not and starts over.

    Raises:
        Conflict: the publication is not uncertain; or it is to start over while we are still looking, when the post may yet appear.
    """
    publication = store.locked(session, publication_id)
    if publication.state != State.UNCERTAIN:
        raise Conflict(f"This publication is {publication.state}; there is nothing to decide.")
    if not is_live and publication.next_action_at is not None:
        raise Conflict(
            f"Clipcast is still looking for this post, next at {publication.next_action_at:%H:%M:%S} UTC: it may yet appear, and starting "
            "over now could post it twice. Decide when the search is over."
        )
    if not is_live:
        return _start_over(session, publication, now)
    state = after(State.UNCERTAIN, Event.CONFIRMED)
    cleared = {"error_code": None, "error_message": None, "note": "confirmed by a person", "failures": 0, "failing_since": None}
    _take_over(session, publication, now, state=state, published_at=now, external_url=external_url, next_action_at=None, **cleared)
    details = {"decided_by": "person", "external_url": external_url, "external_post_id": None, "simulated": bool(publication.simulated)}
    store.note(session, publication, ledger.PUBLISH_SUCCESSFUL, now, **details)
    return publication
