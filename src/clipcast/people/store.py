"""Every query on people, their sessions, invitations, API keys and failed logins."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy import CursorResult, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from clipcast.errors import Conflict, NotFound
from clipcast.people.access import Role
from clipcast.people.models import ApiKey, FailedLogin, Invitation, Person, PersonSession

FIRST_LINK: Final = "first-owner"
"""The id of the first owner's link: there is one at most, and nobody handed it out."""

# People


def person_of(session: Session, person_id: str) -> Person:
    """The person.

    Raises:
        NotFound: nobody has this id.
    """
    found = session.get(Person, person_id)
    if found is None:
        raise _nobody()
    return found


def person_locked(session: Session, person_id: str) -> Person:
    """The person as the row is now, whatever was read of it before; locked until the transaction ends.

    Raises:
        NotFound: nobody has this id, or any more.
    """
    found = session.scalar(select(Person).where(Person.id == person_id).with_for_update().execution_options(populate_existing=True))
    if found is None:
        raise _nobody()
    return found


def person_with(session: Session, email: str) -> Person | None:
    """Whoever signs in with this address, or None."""
    return session.scalar(select(Person).where(Person.email == email.lower()))


def people(session: Session, *, limit: int, before: str | None = None) -> list[Person]:
    """People, the newest first; `before` is the id that ended the previous page."""
    query = select(Person).order_by(Person.id.desc()).limit(limit)
    return list(session.scalars(query if before is None else query.where(Person.id < before)))


def has_owner(session: Session) -> bool:
    """Whether anybody owns this installation yet."""
    return session.scalar(select(Person.id).where(Person.role == Role.OWNER).limit(1)) is not None


def owners_locked(session: Session) -> list[str]:
    """The ids of all owners, whose rows stay locked: two owners who leave at once take turns."""
    query = select(Person.id).where(Person.role == Role.OWNER).order_by(Person.id).with_for_update()
    return list(session.scalars(query))


def add_person(session: Session, person: Person) -> None:
    """Put the person in.

    Raises:
        Conflict: somebody has this address already.
    """
    try:
        with session.begin_nested():
            session.add(person)
    except IntegrityError as error:
        raise Conflict("Somebody has this email address already. Sign in instead, or use another address.") from error


def remove_person(session: Session, person_id: str) -> None:
    """Take the person out; their sessions go with them."""
    session.execute(delete(Person).where(Person.id == person_id))


# Sessions


def session_with(session: Session, token_sha256: str) -> tuple[PersonSession, Person] | None:
    """The session of this token and whose it is, expired or not; None when there is none."""
    query = select(PersonSession, Person).join(Person, Person.id == PersonSession.person_id)
    row = session.execute(query.where(PersonSession.token_sha256 == token_sha256)).one_or_none()
    return None if row is None else (row[0], row[1])


def prolong(session: Session, session_id: str, expires_at: datetime) -> None:
    """Let the session live until then."""
    session.execute(update(PersonSession).where(PersonSession.id == session_id).values(expires_at=expires_at))


def end_session(session: Session, token_sha256: str) -> None:
    """Forget the session of this token, if it is there."""
    session.execute(delete(PersonSession).where(PersonSession.token_sha256 == token_sha256))


def end_sessions_of(session: Session, person_id: str, *, but: str | None = None) -> None:
    """Sign the person out everywhere, except in the session whose token has the hash `but`."""
    query = delete(PersonSession).where(PersonSession.person_id == person_id)
    session.execute(query if but is None else query.where(PersonSession.token_sha256 != but))


# Invitations


def invitation_with(session: Session, token_sha256: str) -> Invitation | None:
    """The invitation of this token, used and expired ones too."""
    return session.scalar(select(Invitation).where(Invitation.token_sha256 == token_sha256))


def use_invitation(session: Session, invitation_id: str, now: datetime) -> bool:
    """Mark it as used; False when it is used, withdrawn or expired already. Of two who try at once, one gets True."""
    query = update(Invitation).where(Invitation.id == invitation_id, Invitation.used_at.is_(None), Invitation.expires_at > now)
    changed = session.execute(query.values(used_at=now))
    assert isinstance(changed, CursorResult)
    return changed.rowcount == 1


def open_invitations(session: Session, now: datetime, *, limit: int, before: str | None = None) -> list[Invitation]:
    """Those that were handed out and can still be used, the newest first; `before` is the id that ended the previous page."""
    query = select(Invitation).where(Invitation.used_at.is_(None), Invitation.expires_at > now, Invitation.id != FIRST_LINK)
    query = query.order_by(Invitation.id.desc()).limit(limit)
    return list(session.scalars(query if before is None else query.where(Invitation.id < before)))


def withdraw_made_by(session: Session, maker: str, roles: Collection[Role], now: datetime) -> list[str]:
    """Make the links worthless that `maker` handed out for these roles; gives the ids of those that were open."""
    query = delete(Invitation).where(Invitation.created_by == maker, Invitation.role.in_(roles))
    query = query.where(Invitation.used_at.is_(None), Invitation.expires_at > now)
    return list(session.scalars(query.returning(Invitation.id).execution_options(synchronize_session=False)))


def withdraw(session: Session, invitation_id: str, now: datetime) -> None:
    """Make the link worthless.

    Raises:
        NotFound: there is no open invitation with this id.
    """
    query = delete(Invitation).where(Invitation.id == invitation_id, Invitation.used_at.is_(None), Invitation.expires_at > now)
    changed = session.execute(query)
    assert isinstance(changed, CursorResult)
    if not changed.rowcount:
        raise NotFound("There is no such open invitation. GET /people/invitations lists them.")


# API keys


def key_with(session: Session, key_sha256: str) -> ApiKey | None:
    """The key with this hash, revoked and expired ones too."""
    return session.scalar(select(ApiKey).where(ApiKey.key_sha256 == key_sha256))


def key_of(session: Session, key_id: str) -> ApiKey:
    """The key, locked until the transaction ends.

    Raises:
        NotFound: no such key.
    """
    found = session.scalar(select(ApiKey).where(ApiKey.id == key_id).with_for_update())
    if found is None:
        raise NotFound("There is no such API key. GET /apikeys lists them.")
    return found


def keys_made_by(session: Session, maker: str) -> list[ApiKey]:
    """The keys that `maker` made and nobody revoked, locked until the transaction ends."""
    query = select(ApiKey).where(ApiKey.created_by == maker, ApiKey.revoked_at.is_(None)).order_by(ApiKey.id)
    return list(session.scalars(query.with_for_update().execution_options(populate_existing=True)))


def keys(session: Session, *, limit: int, before: str | None = None) -> list[ApiKey]:
    """API keys, revoked ones too, the newest first; `before` is the id that ended the previous page."""
    query = select(ApiKey).order_by(ApiKey.id.desc()).limit(limit)
    return list(session.scalars(query if before is None else query.where(ApiKey.id < before)))


def keys_meant(session: Session, text: str) -> list[ApiKey]:
    """The keys with this id, or whose shown characters begin like this."""
    return list(session.scalars(select(ApiKey).where(or_(ApiKey.id == text, ApiKey.prefix.startswith(text, autoescape=True)))))


def note_use(session: Session, key_id: str, now: datetime, *, unless_since: datetime) -> None:
    """Remember when the key was used last, unless that is known since then."""
    stale = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at <= unless_since)
    session.execute(update(ApiKey).where(ApiKey.id == key_id, stale).values(last_used_at=now))


# Makers


def names_of(session: Session, labels: Collection[str | None]) -> dict[str, str]:
    """The names of the people and keys that `Actor.label` calls so; of those that are still there."""
    names: dict[str, str] = {}
    for kind, table in (("person", Person), ("key", ApiKey)):
        ids = {label.partition(":")[2] for label in labels if label is not None and label.startswith(f"{kind}:")}
        rows = session.execute(select(table.id, table.name).where(table.id.in_(ids))) if ids else ()
        names |= {f"{kind}:{row_id}": name for row_id, name in rows}
    return names


# Failed logins


def lock_subject(session: Session, subject: str) -> None:
    """Let tries on one subject take turns until the transaction ends; on SQLite all writing transactions do that anyway."""
    if session.get_bind().dialect.name == "postgresql":
        number = int.from_bytes(bytes.fromhex(subject)[:8], signed=True)
        session.execute(select(func.pg_advisory_xact_lock(number)))


def latest_failures(session: Session, subject: str, since: datetime, *, limit: int) -> list[datetime]:
    """When the last wrong passwords against this subject were, the newest first."""
    query = select(FailedLogin.failed_at).where(FailedLogin.subject == subject, FailedLogin.failed_at > since)
    return list(session.scalars(query.order_by(FailedLogin.failed_at.desc()).limit(limit)))


def forget_attempts(session: Session, row_ids: Collection[str]) -> None:
    """Take back what was counted."""
    session.execute(delete(FailedLogin).where(FailedLogin.id.in_(row_ids)))


def forgive(session: Session, subject: str) -> None:
    """Forget this subject's wrong passwords."""
    session.execute(delete(FailedLogin).where(FailedLogin.subject == subject))


# Sweeping


def forget_invitations_for(session: Session, email: str) -> None:
    """Drop the unused invitations for this address."""
    session.execute(delete(Invitation).where(Invitation.email == email, Invitation.used_at.is_(None)))


def forget_first_link(session: Session) -> None:
    """Drop the first owner's link."""
    session.execute(delete(Invitation).where(Invitation.id == FIRST_LINK))


def forget_sessions(session: Session, now: datetime) -> None:
    """Drop the expired sessions."""
    session.execute(delete(PersonSession).where(PersonSession.expires_at <= now))


def forget_invitations(session: Session, before: datetime) -> None:
    """Drop the invitations that ended before then, used or not."""
    session.execute(delete(Invitation).where(Invitation.expires_at < before))


def forget_failures(session: Session, before: datetime) -> None:
    """Drop wrong passwords that no wait looks back to any more."""
    session.execute(delete(FailedLogin).where(FailedLogin.failed_at < before))


def _nobody() -> NotFound:
    return NotFound("There is no such person. GET /people lists who is there.")
