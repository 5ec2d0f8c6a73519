"""One-time links: the one that makes the first owner, those that owners hand out, and those that set a forgotten password."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from clipcast import ledger
from clipcast.db.base import new_id
from clipcast.db.turns import take_turn
from clipcast.errors import Conflict, InvalidRequest, NotFound
from clipcast.people import store, throttle
from clipcast.people.access import COMMAND_LINE, Role
from clipcast.people.handed_out import record_invitation
from clipcast.people.members import record, set_password
from clipcast.people.models import Invitation, Person
from clipcast.people.tokens import digest, new_token

FIRST_LASTS: Final = timedelta(hours=24)
LASTS: Final = timedelta(days=7)
RESET_LASTS: Final = timedelta(hours=24)

_JOINING: Final = "joining"
"""The turn that those take who use a link, and who make the first owner's: whether there is an owner stays true until they are done."""
_ASK_AGAIN: Final = "Ask whoever sent it for a new one; the first owner's is printed each time `clipcast serve` starts."


@dataclass(frozen=True, slots=True)
class Joining:
    """What somebody who opened a link says about themselves, checked, the password hashed."""

    name: str
    email: str
    password_hash: str


def first_link(session: Session, now: datetime) -> str | None:
    """The token of a new link for the first owner, which replaces the one before; None once there is an owner."""
    take_turn(session, _JOINING)
    if store.has_owner(session):
        return None
    store.forget_first_link(session)
    return _added(session, Role.OWNER, None, now, FIRST_LASTS, invitation_id=store.FIRST_LINK)[1]


def invite(session: Session, role: Role, email: str | None, now: datetime, *, by: str = COMMAND_LINE) -> tuple[Invitation, str]:
    """A link that makes one person of this role; with `email`, for that address alone. `by` is who hands it out, as `Actor.label`.

    Raises:
        Conflict: somebody has this address already.
    """
    if email is not None and store.person_with(session, email) is not None:
        raise Conflict("Somebody with this email address is here already. For a new password: clipcast people reset-password EMAIL")
    made = _added(session, role, email, now, LASTS, by=by)
    record_invitation(session, made[0].id, ledger.PERSON_INVITED, now, {"role": role, "for_one_address": email is not None, "actor": by})
    return made


def withdraw(session: Session, invitation_id: str, now: datetime, *, by: str) -> None:
    """Make the link worthless.

    Raises:
        NotFound: there is no open invitation with this id.
    """
    store.withdraw(session, invitation_id, now)
    record_invitation(session, invitation_id, ledger.INVITATION_WITHDRAWN, now, {"actor": by})


def link(base_url: str, token: str) -> str:
    """The address that a token is handed out as.

    >>> link("http://127.0.0.1:8000/", "abc")
    'http://127.0.0.1:8000/welcome?token=abc'
    """
    return f"{base_url.rstrip('/')}/welcome?token={token}"


def reset_link(session: Session, person: Person, now: datetime, *, by: str = COMMAND_LINE) -> str:
    """The token of a link by which this person sets a new password; it replaces earlier ones."""
    store.forget_invitations_for(session, person.email)
    made, token = _added(session, Role(person.role), person.email, now, RESET_LASTS, by=by)
    record(session, person.id, ledger.PASSWORD_LINK_MADE, now, {"invitation": made.id, "actor": by})
    return token


def opened(session: Session, token: str, now: datetime) -> Invitation:
    """The invitation behind a link that can still be used.

    Raises:
        NotFound: there is none, or it was replaced or withdrawn.
        Conflict: it was used already, or has expired; or it is the first owner's, and there is an owner.
    """
    found = store.invitation_with(session, digest(token))
    if found is None:
        raise NotFound(f"This link is not valid, or a newer one replaced it. {_ASK_AGAIN}")
    if found.used_at is not None:
        raise Conflict("This link was used already, and each works once. Sign in instead, or ask an owner for an invitation.")
    if found.id == store.FIRST_LINK and store.has_owner(session):
        raise Conflict("There is an owner already, and this link was for the first one alone. Sign in, or ask an owner for an invitation.")
    if found.expires_at <= now:
        raise Conflict(f"This link has expired. {_ASK_AGAIN}")
    return found


def redeem(session: Session, token: str, joining: Joining, now: datetime) -> Person:
    """Use the link: the person that it made, or whose password it set. Of two who try at once, one gets in.

    Raises:
        NotFound, Conflict: as `opened`; or somebody has this address already.
        InvalidRequest: the link is for another address.
    """
    take_turn(session, _JOINING)
    invitation = opened(session, token, now)
    if invitation.email is not None and invitation.email != joining.email:
        raise InvalidRequest("This link is for another email address. Use the address that it was sent to.")
    if not store.use_invitation(session, invitation.id, now):
        raise Conflict("This link was used just now, and each works once. Sign in instead, or ask an owner for an invitation.")
    there = store.person_with(session, joining.email)
    if there is not None and invitation.email is not None:
        set_password(session, there, joining.password_hash, now, by=f"invitation:{invitation.id}")
        throttle.forgive(session, there.email)
        return there
    return _joined(session, invitation, joining, now)


def _joined(session: Session, invitation: Invitation, joining: Joining, now: datetime) -> Person:
    person = Person(
        id=new_id(),
        email=joining.email,
        name=joining.name,
        role=invitation.role,
        password_hash=joining.password_hash,
        created_at=now,
        updated_at=now,
    )
    store.add_person(session, person)
    # Left open, another link for this address would set the password of somebody who is here.
    store.forget_invitations_for(session, joining.email)
    record(session, person.id, ledger.PERSON_CREATED, now, {"role": person.role, "actor": f"invitation:{invitation.id}"})
    return person


def _added(
    session: Session,
    role: Role,
    email: str | None,
    now: datetime,
    lasts: timedelta,
    *,
    invitation_id: str = "",
    by: str | None = None,
) -> tuple[Invitation, str]:
    token = new_token()
    invitation = Invitation(
        id=invitation_id or new_id(),
        token_sha256=digest(token),
        role=role,
        email=email,
        created_at=now,
        expires_at=now + lasts,
        created_by=by,
    )
    session.add(invitation)
    return invitation, token
