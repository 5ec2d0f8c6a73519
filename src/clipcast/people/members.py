"""Changing and deleting people, each with its line in the ledger: who did it, by id; never a name or an address, which must be erasable."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from clipcast import ledger
from clipcast.errors import Conflict
from clipcast.people import handed_out, store
from clipcast.people.access import Role
from clipcast.people.models import ApiKey, Person


def change_role(session: Session, person_id: str, role: Role, now: datetime, *, by: str) -> tuple[Person, list[ApiKey]]:
    """Give the person another role, which counts from their next request on. What they handed out and it does not allow ends.

    Gives the person, and the keys that were revoked.

    Raises:
        NotFound: no such person.
        Conflict: this is the last owner.
    """
    owners = store.owners_locked(session)
    person = store.person_locked(session, person_id)
    if person.role == role:
        return person, []
    if owners == [person_id]:
        raise Conflict("This is the last owner. Make somebody else an owner first, so that somebody can manage Clipcast.")
    record(session, person_id, ledger.PERSON_CHANGED, now, {"role": role, "role_before": person.role, "actor": by})
    person.role, person.updated_at = role, now
    return person, handed_out.end(session, f"person:{person_id}", now, by=by, role=role)


def rename(session: Session, person_id: str, name: str, now: datetime, *, by: str) -> Person:
    """Give the person another name.

    Raises:
        NotFound: no such person.
    """
    person = store.person_locked(session, person_id)
    if person.name != name:
        person.name, person.updated_at = name, now
        record(session, person_id, ledger.PERSON_CHANGED, now, {"changed": "name", "actor": by})
    return person


def set_password(session: Session, person: Person, password_hash: str, now: datetime, *, by: str, but: str | None = None) -> None:
    """Give the person a new password, and sign them out everywhere but in the session with the token hash `but`.

    A link that was waiting to set another one is worth nothing from now on.
    """
    person.password_hash, person.updated_at = password_hash, now
    store.forget_invitations_for(session, person.email)
    store.end_sessions_of(session, person.id, but=but)
    record(session, person.id, ledger.PERSON_CHANGED, now, {"changed": "password", "actor": by})


def delete(session: Session, person_id: str, now: datetime, *, by: str) -> list[ApiKey]:
    """Take the person out, and end their sessions and what they handed out. What they did stays in the ledger under their id.

    Gives the keys that were revoked: theirs, and those made with them.

    Raises:
        NotFound: no such person.
        Conflict: this is the last owner.
    """
    owners = store.owners_locked(session)
    person = store.person_locked(session, person_id)
    if owners == [person_id]:
        raise Conflict("This is the last owner. Make somebody else an owner first, so that somebody can manage Clipcast.")
    record(session, person_id, ledger.PERSON_DELETED, now, {"role": person.role, "actor": by})
    store.forget_invitations_for(session, person.email)
    revoked = handed_out.end(session, f"person:{person_id}", now, by=by)
    store.remove_person(session, person_id)
    return revoked


def record(session: Session, person_id: str, event: str, now: datetime, details: Mapping[str, Any]) -> None:
    """Append an event to the person's stream."""
    ledger.record(session, stream=f"person:{person_id}", event=event, entity_type="person", entity_id=person_id, now=now, details=details)
