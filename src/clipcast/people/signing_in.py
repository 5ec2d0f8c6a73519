"""Signing in with email and password: counted, compared, and remembered as a session."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy.orm import Session

from clipcast import ledger
from clipcast.db.base import new_id
from clipcast.db.engine import Database
from clipcast.errors import Busy, Forbidden, Unauthorized
from clipcast.people import passwords, sessions, store, throttle
from clipcast.people.members import record, set_password
from clipcast.people.models import Person
from clipcast.people.tokens import digest

log = structlog.get_logger()

_WRONG: Final = "The current password is wrong. Nothing was changed."


@dataclass(frozen=True, slots=True)
class Device:
    """A browser that this person signed in with before; its cookie, signed by us, says so. A new password makes it a stranger again."""

    person_id: str
    id: str
    #: Stands for the password; says nothing about it.
    mark: str

    @classmethod
    def of(cls, person: Person, before: "Device | None" = None) -> "Device":
        """The browser in which this person just proved who they are; known as ever when it was known `before`."""
        return cls(person.id, before.id if before else new_id(), _mark(person))

    def knows(self, person: Person) -> bool:
        """Whether this person signed in here, with the password that they have now."""
        return self.person_id == person.id and self.mark == _mark(person)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is in now, the token of their new session, and their browser, known from now on."""

    person: Person
    token: str
    device: Device


def sign_in(db: Database, email: str, password: str, now: datetime, *, address: str, device: Device | None) -> SignedIn:
    """Let the person with this address and password in.

    Raises:
        Unauthorized: one of the two is wrong; which one is not said.
        TooManyAttempts: too many were wrong just now; this one was not looked at.
        Busy: too many people are signing in, or the database is.
    """
    email = email.strip().lower()
    with db.writing() as session:
        person = store.person_with(session, email) if email.isprintable() else None  # no address holds what a database refuses
        known = device if device is not None and person is not None and device.knows(person) else None
        subjects = [throttle.Subject.of_email(email), throttle.Subject.of_network(address)]
        if known is None:
            attempt = throttle.begin(session, subjects, now)
        else:
            attempt = throttle.begin_known(session, throttle.Subject.of_device(known.id), known.person_id, subjects, now)
    right, better_hash = _compared(db, attempt, password, person)
    with db.writing() as session:
        # Asked again: while the password was compared, the person may have been deleted, or their password changed.
        there = session.get(Person, person.id, with_for_update=True) if person is not None else None
        if right and person is not None and there is not None and there.password_hash == person.password_hash:
            throttle.was_right(session, attempt)
            token = welcomed(session, there, now, better_hash=better_hash)
            return SignedIn(there, token, Device.of(there, known))  # after the better hash is in its place: the mark is of that
        _note(session, there, attempt, now)
    raise Unauthorized("The email address or the password is wrong.")


def welcomed(session: Session, person: Person, now: datetime, *, better_hash: str | None = None) -> str:
    """Begin a session of somebody who proved who they are: its token."""
    person.last_login_at = now
    person.password_hash = better_hash or person.password_hash
    record(session, person.id, ledger.PERSON_SIGNED_IN, now, {"role": person.role})
    return sessions.begin(session, person.id, now)


def change_password(db: Database, person_id: str, current: str, new: str, now: datetime, *, by: str, token: str | None) -> Device:
    """Give a signed-in person a new password, and end their sessions but the one of `token`. No browser is known by the old one any more.

    Gives the browser that asks, known by the new password.

    Raises:
        Forbidden: the current password is wrong.
        InvalidRequest: the new one may not be one.
        TooManyAttempts: as `sign_in`; a stolen session is no way to guess the password.
    """
    with db.writing() as session:
        person = store.person_of(session, person_id)
        passwords.checked_password(new, email=person.email, name=person.name)
        own, otherwise = throttle.Subject.of_person(person_id), [throttle.Subject.of_email(person.email)]
        attempt = throttle.begin_known(session, own, person_id, otherwise, now)
    right, _ = _compared(db, attempt, current, person)
    if not right:
        raise Forbidden(_WRONG)
    password_hash = passwords.hashed(new)
    with db.writing() as session:
        there = store.person_locked(session, person_id)
        if there.password_hash != person.password_hash:  # changed while it was compared: it is not the current one any more
            raise Forbidden(_WRONG)
        throttle.was_right(session, attempt)
        set_password(session, there, password_hash, now, by=by, but=None if token is None else digest(token))
        return Device.of(there)


def _mark(person: Person) -> str:
    return digest(person.password_hash)


def _compared(db: Database, attempt: throttle.Attempt, password: str, person: Person | None) -> tuple[bool, str | None]:
    """Outside of any transaction: it takes a while, and meanwhile others want to write."""
    try:
        return passwords.matches(password, person.password_hash if person else None)
    except Busy:
        with db.writing() as session:
            throttle.take_back(session, attempt)
        raise


def _note(session: Session, person: Person | None, attempt: throttle.Attempt, now: datetime) -> None:
    """Tell of guessing: in the log, and in the ledger where somebody's own password is guessed. The waits bound how often that is."""
    if not attempt.wait_if_wrong:
        return
    wait_s = attempt.wait_if_wrong.total_seconds()
    log.warning("sign_in.throttled", wait_s=wait_s, person=person.id if person else None)
    if person is not None:
        record(session, person.id, ledger.SIGN_IN_REFUSED, now, {"wait_s": wait_s})
