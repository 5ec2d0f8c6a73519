"""Sessions of signed-in browsers: a random token in a cookie, its hash in a row. Without the row the cookie is worth nothing."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from clipcast.db.base import new_id
from clipcast.errors import Unauthorized
from clipcast.people import store
from clipcast.people.access import GRANTS, Actor, Role
from clipcast.people.models import Person, PersonSession
from clipcast.people.throttle import REMEMBERED
from clipcast.people.tokens import digest, new_token

LASTS: Final = timedelta(days=30)
"""How long a session lives after it was used last."""

RENEWED_EVERY: Final = timedelta(days=1)
"""How often using it moves its end."""

INVITATIONS_KEPT: Final = timedelta(days=30)
"""How long a link that has ended can still say why it does not work."""

_SIGN_IN_AGAIN: Final = "Your session has ended. Sign in again at /login."


def begin(session: Session, person_id: str, now: datetime) -> str:
    """A new session of this person: the token that its cookie carries."""
    token = new_token()
    session.add(PersonSession(id=new_id(), person_id=person_id, token_sha256=digest(token), created_at=now, expires_at=now + LASTS))
    return token


def found(session: Session, token: str, now: datetime) -> tuple[PersonSession, Person]:
    """The session of this token and whose it is.

    Raises:
        Unauthorized: it ended, or was ended, or the person is gone.
    """
    row = store.session_with(session, digest(token))
    if row is None or row[0].expires_at <= now:
        raise Unauthorized(_SIGN_IN_AGAIN)
    return row


def is_renewal_due(row: PersonSession, now: datetime) -> bool:
    """Whether it is time to move the session's end."""
    return row.expires_at - now <= LASTS - RENEWED_EVERY


def sweep(session: Session, now: datetime) -> None:
    """Drop what has no meaning any more: expired sessions, wrong passwords that no wait looks back to, and ended invitations."""
    store.forget_sessions(session, now)
    store.forget_failures(session, now - REMEMBERED)
    store.forget_invitations(session, now - INVITATIONS_KEPT)


def actor_of(person: Person) -> Actor:
    """The actor that a signed-in person is."""
    role = Role(person.role)
    return Actor("person", person.id, person.name, role, GRANTS[role])
