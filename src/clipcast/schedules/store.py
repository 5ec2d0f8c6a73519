"""Every query about recurrences, their occurrences, and calendar feeds."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from clipcast.errors import NotFound
from clipcast.people.models import ApiKey, Person
from clipcast.posts.models import Post
from clipcast.publications.models import Publication
from clipcast.publications.states import State
from clipcast.schedules.models import CalendarFeed, Occurrence, Recurrence


def get(session: Session, recurrence_id: str, *, lock: bool = False) -> Recurrence:
    """That recurrence; with `lock`, nobody else makes its occurrences before the transaction ends.

    Raises:
        NotFound: there is none with that id.
    """
    row = session.get(Recurrence, recurrence_id, with_for_update=lock or None, populate_existing=lock)
    if row is None:
        raise NotFound(f"There is no recurrence {recurrence_id[:100]}.")
    return row


def listed(session: Session, *, limit: int, before: str | None) -> list[Recurrence]:
    """Recurrences, newest first."""
    query = select(Recurrence).order_by(Recurrence.id.desc()).limit(limit)
    return list(session.scalars(query if before is None else query.where(Recurrence.id < before)))


def going_on(session: Session) -> list[Recurrence]:
    """Recurrences of which something is still to come."""
    return list(session.scalars(select(Recurrence).where(Recurrence.look_again_at.is_not(None)).order_by(Recurrence.id)))


def twin(session: Session, row: Recurrence) -> Recurrence | None:
    """One that goes on and says the same as this one, which is not stored yet."""
    same = (Recurrence.rule == row.rule, Recurrence.starts_at == row.starts_at, Recurrence.timezone == row.timezone)
    found = session.scalars(select(Recurrence).where(*same, Recurrence.look_again_at.is_not(None)))
    return next((other for other in found if other.template == row.template), None)


def is_any_due(session: Session, now: datetime) -> bool:
    """Whether an occurrence has to be made; a cheap read, so that idle workers never take the write lock."""
    return bool(session.scalar(select(exists().where(Recurrence.look_again_at <= now))))


def next_due(session: Session, now: datetime) -> Recurrence | None:
    """A recurrence of which something has to be made and that nobody is at, locked; None when there is none."""
    query = select(Recurrence).where(Recurrence.look_again_at <= now).order_by(Recurrence.look_again_at).limit(1)
    return session.scalar(query.with_for_update(skip_locked=True))


def occurrence(session: Session, recurrence_id: str, local: datetime) -> Occurrence | None:
    """What is known of that occurrence, if anything is."""
    return session.get(Occurrence, (recurrence_id, local))


def occurrences_after(session: Session, recurrence_id: str, after: datetime) -> dict[datetime, Occurrence]:
    """What is known of its occurrences later than this local time, by their names."""
    query = select(Occurrence).where(Occurrence.recurrence_id == recurrence_id, Occurrence.local_time > after)
    return {row.local_time: row for row in session.scalars(query)}


def publications_of(session: Session, recurrence_id: str, *, since: datetime | None) -> list[str]:
    """Ids of the publications of its occurrences from this local time on; without one, of all that have not begun."""
    chosen = Publication.state == State.SCHEDULED if since is None else Occurrence.local_time >= since
    query = select(Publication.id).join(Occurrence, Occurrence.post_id == Publication.post_id)
    return list(session.scalars(query.where(Occurrence.recurrence_id == recurrence_id, chosen).order_by(Publication.id)))


def feeds(session: Session, *, person_id: str | None, key_id: str | None) -> list[CalendarFeed]:
    """The feeds of one person or key, newest first."""
    return list(
        session.scalars(
            select(CalendarFeed)
            .where(CalendarFeed.person_id == person_id, CalendarFeed.key_id == key_id)
            .order_by(CalendarFeed.id.desc())
            .limit(200)
        )
    )


def open_feed(session: Session, token_sha256: str, now: datetime) -> CalendarFeed | None:
    """The feed that this token opens: not revoked, and its person or key is still let in."""
    alive = or_(ApiKey.id.is_(None), ApiKey.revoked_at.is_(None) & or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now))
    return session.scalar(
        select(CalendarFeed)
        .outerjoin(Person, Person.id == CalendarFeed.person_id)
        .outerjoin(ApiKey, ApiKey.id == CalendarFeed.key_id)
        .where(CalendarFeed.token_sha256 == token_sha256, CalendarFeed.revoked_at.is_(None), alive)
    )


def between(session: Session, since: datetime, until: datetime, limit: int) -> list[tuple[Post, Publication]]:
    """Publications due between these moments with their posts, earliest first."""
    query = (
        select(Post, Publication)
        .join(Publication, Publication.post_id == Post.id)
        .where(Publication.scheduled_at >= since, Publication.scheduled_at <= until)
        .order_by(Publication.scheduled_at, Publication.id)
        .limit(limit)
    )
    return [(row[0], row[1]) for row in session.execute(query)]


def upcoming(session: Session, *, limit: int) -> list[tuple[Post, Publication]]:
    """Publications that have not begun, earliest first."""
    waiting = (
        select(Post, Publication)
        .join(Publication, Publication.post_id == Post.id)
        .where(Publication.state == State.SCHEDULED)
        .order_by(Publication.scheduled_at, Publication.id)
    )
    return [(row[0], row[1]) for row in session.execute(waiting.limit(limit))]


def uid_of(recurrence_id: str, local: datetime) -> str:
    """An occurrence's lasting name in calendars, from its plan to its post."""
    return f"{recurrence_id}.{local:%Y%m%dT%H%M%S}"


def occurrences_of(session: Session, post_ids: Collection[str]) -> dict[str, str]:
    """The lasting names of the occurrences among these posts, by post."""
    found: dict[str, str] = {}
    for some in batched(sorted(post_ids), 500):
        rows = session.scalars(select(Occurrence).where(Occurrence.post_id.in_(some)))
        found |= {row.post_id: uid_of(row.recurrence_id, row.local_time) for row in rows if row.post_id is not None}
    return found


def batched(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """The ids in portions that one statement takes."""
    return (ids[start : start + size] for start in range(0, len(ids), size))
