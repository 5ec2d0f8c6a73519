"""Recurring posts: when they come, what is changed of one time alone, and their making.

An occurrence becomes a real post a week ahead, in one transaction with its own row, whose key is the recurrence and the local time that the
rule gives it: however many processes do this at once, and wherever they are killed, it is made once. One that is changed or left out by
itself becomes real at that moment, so that the change is an ordinary change of a post.
"""

from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from clipcast import ledger
from clipcast.db.engine import Database
from clipcast.db.turns import take_turn
from clipcast.errors import Busy, Conflict, InvalidRequest, NotFound
from clipcast.posts import compose
from clipcast.posts import store as posts
from clipcast.posts.schemas import PostChange
from clipcast.publications import missed, publishing
from clipcast.publications.publishing import Platforms
from clipcast.schedules import rules, store
from clipcast.schedules.models import Occurrence, Recurrence
from clipcast.schedules.schemas import OccurrenceEdit, OccurrenceOut, PostTemplate, RecurrenceIn
from clipcast.timetable.zones import Meant, local_time, meant

log = structlog.get_logger()

AHEAD: Final = timedelta(days=7)
"""How long before its time an occurrence becomes a post that people see, check and change like any other."""

SEARCHED: Final = timedelta(days=10 * 366)
"""A rule that does not come within ten years is a mistake."""

LONGEST_SHIFT: Final = timedelta(days=1)
"""The furthest that a change of clocks moves a local time: Samoa left out a whole day."""

AT_ONCE: Final = 20
"""How many occurrences one transaction makes: short enough for others to write in between."""

RETRY: Final = timedelta(minutes=10)
"""When what could not be made is tried again."""


def create(session: Session, wanted: RecurrenceIn, platforms: Platforms, now: datetime) -> Recurrence:
    """A recurrence that comes from now on; what its rule says of the past is left out.

    Raises:
        InvalidRequest: the rule cannot be used or never comes, or the post breaks a rule of a platform.
        NotFound: a clip or an account is unknown.
        Conflict: the same one goes on already. Whoever lost the answer and asks again must not have every post twice.
    """
    rules.parse(wanted.rule)
    in_reach(wanted.starts_at, "starts_at", now, years=10)
    take_turn(session, "recurrences")
    row = Recurrence(
        rule=wanted.rule.strip(),
        starts_at=wanted.starts_at,
        timezone=wanted.timezone,
        template=wanted.post.model_dump(mode="json"),
        made_until=local_clock(now, wanted.timezone) - LONGEST_SHIFT,
        created_at=now,
        updated_at=now,
    )
    if (twin := store.twin(session, row)) is not None:
        raise Conflict(f"The recurrence {twin.id} says the same and goes on already. Cancel it first, or change something.")
    first = next(times(row, row.made_until), None)
    if first is None:
        raise InvalidRequest("The rule does not come even once in the ten years ahead. Check starts_at, and UNTIL or COUNT if it has them.")
    compose.checked(session, wanted.post.at(first, wanted.timezone), platforms, now)
    row.look_again_at = moment(row, first).at - AHEAD
    session.add(row)
    session.flush()
    return row


def times(row: Recurrence, after: datetime) -> Iterator[datetime]:
    """The local times at which it comes, later than that one; none whose moment was over when the recurrence was made.

    Where clocks go forward, an occurrence may be shifted onto the moment of a later one: then the two are one.
    """
    rule, begin = rules.parse(row.rule), max(after, local_clock(row.created_at, row.timezone) - LONGEST_SHIFT)
    recent: deque[datetime] = deque(maxlen=rules.MAX_A_DAY)  # every moment within the longest shift
    for local in rules.expand(rule, row.starts_at, max(begin, row.starts_at) + SEARCHED, after=begin - LONGEST_SHIFT):
        if row.ends_before is not None and local >= row.ends_before:
            return
        at = moment(row, local).at
        if local > after and at > row.created_at and at not in recent and rule.allows(at):
            yield local
        recent.append(at)


def moment(row: Recurrence, local: datetime) -> Meant:
    """When that local time of the recurrence is."""
    return meant(local, row.timezone)


def local_clock(now: datetime, zone: str) -> datetime:
    """What the clocks of that zone show now, without their offset."""
    return local_time(now, zone).replace(tzinfo=None, fold=0)


def in_reach(local: datetime, name: str, now: datetime, *, years: int = 20) -> datetime:
    """That local time, as far away as an occurrence can be: a rule that starts in ten years comes within ten more.

    Raises:
        InvalidRequest: it lies outside; sums with it might leave the calendar.
    """
    if not rules.FIRST_YEAR <= local.year <= now.year + years:
        raise InvalidRequest(f"{name} must lie between {rules.FIRST_YEAR} and {now.year + years}.")
    return local


def occurrences(session: Session, row: Recurrence, after: datetime, limit: int) -> list[OccurrenceOut]:
    """The next times that it comes after this local one, with what is known of each."""
    return [_shown(session, row, local) for local in islice(times(row, after), limit)]


def coming(session: Session, row: Recurrence, now: datetime, limit: int) -> list[OccurrenceOut]:
    """The next times that it comes from now on. Their moments decide: while clocks are changed, what they show tells nothing."""
    ahead = (local for local in times(row, local_clock(now, row.timezone) - LONGEST_SHIFT) if moment(row, local).at > now)
    return [_shown(session, row, local) for local in islice(ahead, limit)]


def _shown(session: Session, row: Recurrence, local: datetime) -> OccurrenceOut:
    found, meant_now = store.occurrence(session, row.id, local), moment(row, local)
    post = posts.get(session, found.post_id) if found and found.post_id else None
    trouble = found.trouble if found else None
    return OccurrenceOut(
        local_time=local,
        scheduled_at=(post.scheduled_at if post else None) or meant_now.at,
        time_note=None if post else meant_now.remark or None,
        state="skipped" if found and found.skipped else "made" if post else "in_trouble" if trouble else "planned",
        caption=post.caption if post else PostTemplate.model_validate(row.template).caption,
        post_id=post.id if post else None,
        trouble=trouble,
    )


def edit(
    session: Session, recurrence_id: str, local: datetime, wanted: OccurrenceEdit, platforms: Platforms, *, now: datetime
) -> OccurrenceOut:
    """Move one occurrence, give it another caption, or leave it out; the others stay as they are.

    Raises:
        NotFound: the recurrence does not come at that local time.
        Conflict: it was left out before, is over, or its post has begun.
        InvalidRequest: what it would become breaks a rule.
    """
    in_reach(local, "local_time", now)
    if wanted.move_to is not None:
        in_reach(wanted.move_to, "move_to", now)
    row = store.get(session, recurrence_id, lock=True)
    if next(times(row, local - timedelta(seconds=1)), None) != local:
        raise NotFound(f"This recurrence does not come at {local.isoformat()}. GET /recurrences/{row.id}/occurrences lists when it does.")
    if wanted.move_to is not None:
        publishing.check_move(moment(row, wanted.move_to).at, now)
    found = store.occurrence(session, row.id, local)
    if found is not None and found.skipped:
        raise Conflict("This occurrence was left out before. Compose a post of its own instead.")
    if found is None and local <= row.made_until:
        raise Conflict("This occurrence is over.")
    if wanted.skip:
        _leave_out(session, row, local, platforms, now)
    elif found is not None and found.post_id is not None:
        change = PostChange(caption=wanted.caption, scheduled_at=wanted.move_to, timezone=row.timezone, allow_duplicate=True)
        compose.change(session, found.post_id, change, platforms, now)
    else:
        _make(session, row, local, platforms, now=now, edit=wanted)
    return _shown(session, row, local)


def _leave_out(session: Session, row: Recurrence, local: datetime, platforms: Platforms, now: datetime) -> None:
    found = store.occurrence(session, row.id, local)
    if found is not None and found.post_id is not None:
        refusals = [each.refusal for each in compose.cancel(session, found.post_id, platforms, now) if each.refusal]
        if refusals:
            raise Conflict(" ".join(refusals))
    _note(session, row, local, now, skipped=True, post_id=found.post_id if found else None)


def end(
    session: Session, recurrence_id: str, start: datetime | None, platforms: Platforms, now: datetime
) -> tuple[Recurrence, dict[str, str]]:
    """No occurrence from this local time on comes any more; posts made of them are withdrawn where they still can be.

    Without a time it is over at once: nothing that has not begun goes out, however late it is, or wherever it was moved to.

    Answers the recurrence, and by publication id why one could not be withdrawn.

    Raises:
        NotFound: there is no such recurrence.
        InvalidRequest: that time is too far away.
    """
    if start is not None:
        in_reach(start, "from_local", now)
    row = store.get(session, recurrence_id, lock=True)
    clock = local_clock(now, row.timezone)
    last = start or min(clock, next(times(row, row.made_until), clock))
    row.ends_before, row.updated_at = min(last, row.ends_before or last), now
    if next(times(row, row.made_until), None) is None:
        row.look_again_at = None
    refusals = {}
    for publication_id in store.publications_of(session, row.id, since=start):
        try:
            publishing.cancel(session, publication_id, platforms, now)
        except Conflict as error:
            refusals[publication_id] = str(error)
    return row, refusals


# Making


def materialise_due(db: Database, platforms: Platforms, now: datetime) -> int:
    """Make posts of the occurrences of the days ahead; answers how many.

    To be called again and again, by any number of processes. What cannot be made (a clip is gone, an account is disabled) says why, is
    tried again every ten minutes, and is given up with that reason when its time is over.
    """
    made = 0
    while (some := _carry_one_on(db, platforms, now)) is not None:
        made += some
    return made


def _carry_one_on(db: Database, platforms: Platforms, now: datetime) -> int | None:
    """Make some occurrences of one recurrence, in one transaction; None when nothing is due."""
    with db.reading() as session:
        if not store.is_any_due(session, now):
            return None
    with db.writing() as session:
        row = store.next_due(session, now)
        if row is None:
            return None
        try:
            with session.begin_nested():
                return _carry_on(session, row, platforms, now)
        except (Busy, SQLAlchemyError):
            raise
        except Exception:
            # A bug that one of them brings out must not hold up all the others.
            log.exception("recurrence.bug", recurrence=row.id)
            row.look_again_at = now + RETRY
            return 0


def _carry_on(session: Session, row: Recurrence, platforms: Platforms, now: datetime) -> int:
    made = 0
    for number, local in enumerate(times(row, row.made_until)):
        make_at = moment(row, local).at - AHEAD
        if make_at > now or number == AT_ONCE:
            row.look_again_at = max(make_at, now)
            return made
        if not _settled(session, row, local, platforms, now):
            row.look_again_at = now + RETRY
            return made
        row.made_until = local
        made += 1
    row.look_again_at = None
    return made


def _settled(session: Session, row: Recurrence, local: datetime, platforms: Platforms, now: datetime) -> bool:
    """Whether this occurrence needs nothing more: it is a post, is left out, or was given up because its time is over."""
    found = store.occurrence(session, row.id, local)
    if found is not None and (found.skipped or found.post_id is not None):
        return True
    try:
        with session.begin_nested():
            _make(session, row, local, platforms, now=now)
    except (InvalidRequest, NotFound, Conflict) as error:
        _note(session, row, local, now, trouble=str(error))
        log.warning("recurrence.in_trouble", recurrence=row.id, local_time=local.isoformat(), code=error.code)
        return _given_up(session, row, local, now, str(error))
    return True


def _given_up(session: Session, row: Recurrence, local: datetime, now: datetime, why: str) -> bool:
    policy = PostTemplate.model_validate(row.template).if_missed or missed.DEFAULT
    if policy.start_by(moment(row, local).at) >= now:
        return False
    ledger.record(
        session,
        stream=f"recurrence:{row.id}",
        event=ledger.OCCURRENCE_MISSED,
        entity_type="recurrence",
        entity_id=row.id,
        now=now,
        details={"local_time": local.isoformat(), "error": why},
    )
    return True


def _make(
    session: Session, row: Recurrence, local: datetime, platforms: Platforms, *, now: datetime, edit: OccurrenceEdit | None = None
) -> None:
    """Compose the post of this occurrence; late is measured from its own time, however late it is made."""
    edit = edit or OccurrenceEdit()
    wanted = PostTemplate.model_validate(row.template).at(edit.move_to or local, row.timezone, edit.caption)
    promised_at = None if edit.move_to else moment(row, local).at
    post = compose.create(session, wanted, platforms, now, promised_at=promised_at)
    _note(session, row, local, now, post_id=post.id)


def _note(
    session: Session,
    row: Recurrence,
    local: datetime,
    now: datetime,
    *,
    post_id: str | None = None,
    skipped: bool = False,
    trouble: str | None = None,
) -> None:
    """Write down what became of an occurrence."""
    known = Occurrence(recurrence_id=row.id, local_time=local, post_id=post_id, skipped=skipped, trouble=trouble, updated_at=now)
    session.merge(known)
    session.flush()
