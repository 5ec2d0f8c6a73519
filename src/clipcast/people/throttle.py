"""How long to wait after wrong passwords: short enough for a person who mistyped, long enough that guessing leads nowhere.

A browser that signed in here before, with the password of today, carries a signed device cookie and waits by that alone, so nobody
else's guesses make it wait. Every other try counts against the email address (whoever makes it) and against the network it comes from
(whoever it is for). Thus many machines cannot guess one person's password, one machine cannot try one password on many people, and
neither can lock the owner out of a browser that the owner has used. A person's known browsers together have a number of tries a day;
past that they are like any other, so that stolen cookies are no way to guess either. How many guesses that leaves: decision 0015.
"""

import hashlib
import ipaddress
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from clipcast.db.base import new_id
from clipcast.errors import TooManyAttempts
from clipcast.people import store
from clipcast.people.models import FailedLogin

FREE_TRIES: Final = 5
FIRST_WAIT: Final = timedelta(seconds=1)
LONGEST_WAIT: Final = timedelta(minutes=30)
REMEMBERED: Final = timedelta(hours=24)
"""How long a wrong password counts."""

NETWORK_TRIES: Final = 20
NETWORK_WINDOW: Final = timedelta(minutes=10)

KNOWN_TRIES: Final = 30
"""So many wrong passwords within `REMEMBERED` a person's known browsers have together, and changes of the password while signed in."""

_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
_LOOKED_AT: Final = max(NETWORK_TRIES, KNOWN_TRIES)
"""So many wrong passwords tell all that any rule asks."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a try counts against; only the hash is stored."""

    key: str
    is_network: bool = False
    #: Counts what a person's known browsers do together, and makes nobody wait by itself.
    is_tally: bool = False

    @classmethod
    def of_email(cls, email: str) -> "Subject":
        """Everybody who tries this address."""
        return cls(_hashed(f"email {email}"))

    @classmethod
    def of_device(cls, device_id: str) -> "Subject":
        """One browser that signed in before."""
        return cls(_hashed(f"device {device_id}"))

    @classmethod
    def of_person(cls, person_id: str) -> "Subject":
        """Whoever changes a password while signed in as this person."""
        return cls(_hashed(f"person {person_id}"))

    @classmethod
    def of_known(cls, person_id: str) -> "Subject":
        """All browsers that signed in before as this person, and all that are signed in."""
        return cls(_hashed(f"known {person_id}"), is_tally=True)

    @classmethod
    def of_network(cls, address: str) -> "Subject":
        """Everybody who tries from there."""
        return cls(_hashed(f"network {network(address)}"), is_network=True)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One password being looked at. It counts as wrong until it turns out right, so that a hundred at once are not all the first."""

    subjects: Sequence[Subject]
    row_ids: Sequence[str]
    #: What the next one has to wait if this one is wrong.
    wait_if_wrong: timedelta


def begin(session: Session, subjects: Sequence[Subject], now: datetime) -> Attempt:
    """Count one try.

    Raises:
        TooManyAttempts: the wait is not over; this one is not counted, and a right password is not looked at either.
    """
    ordered = sorted(subjects, key=lambda subject: subject.key)
    for subject in ordered:
        store.lock_subject(session, subject.key)
    waits, row_ids = [], []
    for subject in ordered:
        failed = store.latest_failures(session, subject.key, now - REMEMBERED, limit=_LOOKED_AT)
        if (left := open_at(failed, subject) - now) > timedelta():
            raise _too_many(left)
        waits.append(open_at([now, *failed], subject) - now)
        row_ids.append(new_id())
        session.add(FailedLogin(id=row_ids[-1], subject=subject.key, failed_at=now))
    return Attempt(ordered, row_ids, max(timedelta(), *waits))


def begin_known(session: Session, own: Subject, person_id: str, otherwise: Sequence[Subject], now: datetime) -> Attempt:
    """Count one try of somebody who is known as this person: for themselves, or, where those had all their tries, as `otherwise`.

    Raises:
        TooManyAttempts: as `begin`.
    """
    known = Subject.of_known(person_id)
    store.lock_subject(session, known.key)
    tried = store.latest_failures(session, known.key, now - REMEMBERED, limit=KNOWN_TRIES)
    return begin(session, otherwise if len(tried) >= KNOWN_TRIES else [own, known], now)


def was_right(session: Session, attempt: Attempt) -> None:
    """The password was right: forget this try, and all wrong ones before it but those that others may have made from elsewhere."""
    take_back(session, attempt)
    for subject in attempt.subjects:
        if not subject.is_network and not subject.is_tally:
            store.forgive(session, subject.key)


def forgive(session: Session, email: str) -> None:
    """Forget wrong passwords for this address: somebody proved that it is theirs."""
    store.forgive(session, Subject.of_email(email).key)


def take_back(session: Session, attempt: Attempt) -> None:
    """The password was not looked at after all."""
    store.forget_attempts(session, attempt.row_ids)


def open_at(failed: Sequence[datetime], subject: Subject) -> datetime:
    """When the next try is let through, after wrong ones at these times, the newest first; long ago where it need not wait."""
    if subject.is_tally:
        return _LONG_AGO
    if subject.is_network:
        return failed[NETWORK_TRIES - 1] + NETWORK_WINDOW if len(failed) >= NETWORK_TRIES else _LONG_AGO
    return failed[0] + pause(len(failed)) if failed else _LONG_AGO


def pause(failures: int) -> timedelta:
    """How long to wait after so many wrong passwords.

    >>> [pause(failures).total_seconds() for failures in (0, 4, 5, 6, 7, 15, 16, 100)]
    [0.0, 0.0, 1.0, 2.0, 4.0, 1024.0, 1800.0, 1800.0]
    """
    if failures < FREE_TRIES:
        return timedelta()
    doublings = min(failures - FREE_TRIES, math.ceil(math.log2(LONGEST_WAIT / FIRST_WAIT)))
    return min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)


def network(address: str) -> str:
    """What one caller can easily hold of the internet: an IPv4 address, or 64 bits of IPv6.

    >>> network("203.0.113.9"), network("2001:db8:1:2:3:4:5:6"), network("::ffff:203.0.113.9"), network("")
    ('203.0.113.9', '2001:db8:1:2::/64', '203.0.113.9', 'unknown')
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed.packed[:8] + bytes(8), 64)))
    return str(parsed)


def _too_many(left: timedelta) -> TooManyAttempts:
    seconds = math.ceil(left.total_seconds())
    shown = f"{seconds} second{'s' * (seconds != 1)}" if seconds < 120 else f"{math.ceil(seconds / 60)} minutes"
    return TooManyAttempts(f"Too many wrong passwords. Try again in {shown}; until then even the right one is not looked at.", seconds)


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
