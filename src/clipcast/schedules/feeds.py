"""Calendar feeds: the posts of the past month and the next three, for programs that read an address and cannot sign in.

The address holds a secret of its own, stored as a hash, which opens this one page and nothing else. It ends when it is revoked, and with
the person or the key that it belongs to.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import merge
from importlib import import_module
from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from sqlalchemy.orm import Session

from clipcast.accounts import store as accounts
from clipcast.errors import Conflict, NotFound
from clipcast.people.tokens import digest, new_token
from clipcast.posts.models import Post
from clipcast.publications.models import Publication
from clipcast.publications.states import State
from clipcast.schedules import recurring, store
from clipcast.schedules.models import CalendarFeed, Recurrence
from clipcast.schedules.schemas import PostTemplate
from clipcast.timetable.zones import local_time

if TYPE_CHECKING:
    from icalendar import Calendar, Event

SINCE: Final = timedelta(days=30)
UNTIL: Final = timedelta(days=90)
MOST: Final = 5_000
"""Publications in one feed, and planned occurrences beside them, of all recurrences together: more than any calendar shows."""

LASTS: Final = timedelta(minutes=15)
MAX_FEEDS: Final = 20
_SUMMARY: Final = 80


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a feed is: a person, a key, or the installation itself."""

    person_id: str | None = None
    key_id: str | None = None


def create(session: Session, owner: Owner, name: str, now: datetime) -> tuple[CalendarFeed, str]:
    """A new feed, and the token that opens it, which is told this once.

    Raises:
        Conflict: the owner has as many as anybody needs.
    """
    living = [feed for feed in store.feeds(session, person_id=owner.person_id, key_id=owner.key_id) if feed.revoked_at is None]
    if len(living) >= MAX_FEEDS:
        raise Conflict(f"There are {MAX_FEEDS} calendar feeds already. Revoke one that is no longer used.")
    token = new_token()
    feed = CalendarFeed(token_sha256=digest(token), name=name, person_id=owner.person_id, key_id=owner.key_id, created_at=now)
    session.add(feed)
    session.flush()
    return feed, token


def revoke(session: Session, owner: Owner, feed_id: str, now: datetime) -> CalendarFeed:
    """Close a feed for ever; who reads its address gets nothing any more.

    Raises:
        NotFound: the owner has none with that id.
    """
    feed = session.get(CalendarFeed, feed_id)
    if feed is None or (feed.person_id, feed.key_id) != (owner.person_id, owner.key_id):
        raise NotFound(f"You have no calendar feed {feed_id[:100]}.")
    feed.revoked_at = feed.revoked_at or now
    return feed


def calendar_for(session: Session, token: str, now: datetime) -> bytes:
    """What the feed of this token shows now, as iCalendar (RFC 5545).

    Raises:
        NotFound: no feed has this token, or none any more.
    """
    if store.open_feed(session, digest(token), now) is None:
        raise NotFound("There is no calendar at this address, or no longer. Make a new feed: POST /calendar/feeds.")
    calendar: Calendar = import_module("icalendar").Calendar()  # loaded when somebody reads a calendar
    calendar.add("prodid", "-//Clipcast//Posts//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", "Clipcast")
    calendar.add("refresh-interval", LASTS, parameters={"value": "DURATION"})
    for event in [*_posts(session, now), *_planned(session, now)]:
        calendar.add_component(event)
    content: bytes = calendar.to_ical()
    return content


def _posts(session: Session, now: datetime) -> Iterator["Event"]:
    """One event for each post; targets that go out at times of their own have each its event."""
    found: dict[tuple[str, datetime], list[tuple[Post, Publication]]] = {}
    for post, publication in store.between(session, now - SINCE, now + UNTIL, MOST):
        found.setdefault((post.id, publication.scheduled_at), []).append((post, publication))
    times = Counter(post_id for post_id, _ in found)
    occurrences = store.occurrences_of(session, times.keys())
    names = _names(session, {publication.social_account_id for group in found.values() for _, publication in group})
    for (post_id, at), group in found.items():
        post, first = group[0]
        uid = occurrences.get(post_id) or (post_id if times[post_id] == 1 else first.id)
        lines = [f"{_target(publication, names)}: {_state(publication)}" for _, publication in group]
        links = [publication.external_url for _, publication in group if publication.external_url and not publication.simulated]
        is_off = all(publication.state == State.CANCELLED for _, publication in group)
        yield _event(
            uid,
            at,
            post.caption or post.title or "Post",
            [*lines, f"{local_time(at, post.timezone):%Y-%m-%d %H:%M} {post.timezone}", *links],
            status="CANCELLED" if is_off else "CONFIRMED",
            changed_at=max(publication.updated_at for _, publication in group),
        )


def _planned(session: Session, now: datetime) -> Iterator["Event"]:
    """Occurrences that are no posts yet, the earliest of all recurrences first; those in trouble say why."""
    coming = merge(*(_planned_of(session, row, now + UNTIL) for row in store.going_on(session)), key=itemgetter(0))
    return (event for _, event in islice(coming, MOST))


def _planned_of(session: Session, row: Recurrence, until: datetime) -> Iterator[tuple[datetime, "Event"]]:
    """Those of one recurrence, each with its moment."""
    caption = PostTemplate.model_validate(row.template).caption or "Recurring post"
    known = store.occurrences_after(session, row.id, row.made_until)
    for local in recurring.times(row, row.made_until):
        at, found = recurring.moment(row, local).at, known.get(local)
        if at > until:
            return
        if found is not None and found.trouble is None:
            continue  # it is a post already, or was left out
        state = f"planned: {row.rule}" if found is None else f"in trouble: {found.trouble}"
        changed_at = row.updated_at if found is None else found.updated_at
        lines = [state, f"{local:%Y-%m-%d %H:%M} {row.timezone}"]
        yield at, _event(store.uid_of(row.id, local), at, caption, lines, status="TENTATIVE", changed_at=changed_at)


def _event(uid: str, at: datetime, text: str, lines: Iterable[str], *, status: str, changed_at: datetime) -> "Event":
    event: Event = import_module("icalendar").Event()
    event.add("uid", f"{uid}@clipcast")
    event.add("dtstamp", changed_at)
    event.add("last-modified", changed_at)
    event.add("dtstart", at)  # in UTC: each calendar shows it by its own clock
    event.add("duration", LASTS)
    event.add("summary", _printable(text.split("\n", 1)[0])[:_SUMMARY])
    event.add("description", "\n".join(map(_printable, lines)))
    event.add("status", status)
    event.add("transp", "TRANSPARENT")  # nobody is busy while a post goes out
    return event


def _printable(text: str) -> str:
    """Without control characters, which would end a line of the file or break its reader."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _state(publication: Publication) -> str:
    """Where it is; what went to the simulator is never mistaken for a real post, so its link is left out, too."""
    words = publication.state.replace("_", " ")
    return f"{words} (simulated)" if publication.simulated else words


def _names(session: Session, account_ids: Iterable[str | None]) -> dict[str, str]:
    found = [accounts.any_of(session, account_id) for account_id in account_ids if account_id is not None]
    return {account.id: account.username for account in found if account is not None}


def _target(publication: Publication, names: dict[str, str]) -> str:
    username = names.get(publication.social_account_id or "")
    return f"{publication.platform} @{username}" if username else publication.platform
