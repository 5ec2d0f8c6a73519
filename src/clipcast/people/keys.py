"""API keys: how programs get in. A key is shown once and kept as a hash; it may do what its role may, or less."""

import hmac
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from clipcast import ledger
from clipcast.db.base import new_id
from clipcast.errors import InvalidRequest, Unauthorized
from clipcast.people import handed_out, store
from clipcast.people.access import COMMAND_LINE, GRANTS, Actor, Permission, Role
from clipcast.people.models import ApiKey
from clipcast.people.tokens import digest, new_token

BEGINNING: Final = "clipcast_"
"""How every key begins, so that it is known for one wherever it turns up."""

SHOWN_CHARACTERS: Final = len(BEGINNING) + 6
LONGEST_NAME: Final = 120
USE_NOTED_EVERY: Final = timedelta(minutes=1)
"""Last use is known to the minute: a write for each request would cost more than it tells."""


def create_key(
    session: Session,
    *,
    name: str,
    role: Role,
    scopes: Collection[Permission] | None = None,
    expires_at: datetime | None = None,
    now: datetime,
    by: str = COMMAND_LINE,
) -> tuple[ApiKey, str]:
    """A new key and its text, which cannot be had again. `by` is who makes it, as `Actor.label`.

    Raises:
        InvalidRequest: the name is empty, too long or cannot be shown, the scopes are none of the role's, or the key would be born expired
            or outlive the one that it is made with.
    """
    name = " ".join(name.split())
    _check(name, role, scopes, expires_at, now)
    _check_end(session, expires_at, by)
    text = BEGINNING + new_token()
    key = ApiKey(
        id=new_id(),
        name=name,
        role=role,
        scopes=None if scopes is None else sorted(scopes),
        prefix=text[:SHOWN_CHARACTERS],
        key_sha256=digest(text),
        created_at=now,
        expires_at=expires_at,
        created_by=by,
    )
    session.add(key)
    session.flush()
    details = {"name": name, "role": role, "scopes": key.scopes, "expires_at": expires_at, "actor": by}
    handed_out.record_key(session, key, ledger.API_KEY_CREATED, now, details)
    return key, text


def revoke_key(session: Session, key_id: str, *, now: datetime, by: str = COMMAND_LINE) -> list[ApiKey]:
    """Make the key worthless from now on, and whatever was made with it; it stays in the list. Revoking it again changes nothing.

    Gives this key, and after it the others that were revoked with it.

    Raises:
        NotFound: no such key.
    """
    key = store.key_of(session, key_id)
    return [key] if key.revoked_at is not None else handed_out.revoke(session, key, now, by=by)


def actor_of_key(session: Session, text: str, now: datetime) -> Actor:
    """Who asks with this key.

    Raises:
        Unauthorized: there is no such key, or it is revoked or expired.
    """
    key = verified(session, text, now)
    return actor_of(key)


def verified(session: Session, text: str, now: datetime) -> ApiKey:
    """The key with this text.

    Raises:
        Unauthorized: as `actor_of_key`.
    """
    # Looked up by hash: how far a guess is right cannot be timed, because a guess a letter closer has quite another hash.
    wanted = digest(text)
    key = store.key_with(session, wanted)
    if key is None or not hmac.compare_digest(key.key_sha256, wanted):
        raise Unauthorized("This API key is not known here. Make one: clipcast apikeys create --name me --role owner")
    if key.revoked_at is not None:
        raise Unauthorized("This API key was revoked. Make another: clipcast apikeys create --name me --role owner")
    if key.expires_at is not None and key.expires_at <= now:
        raise Unauthorized("This API key has expired. Make another: clipcast apikeys create --name me --role owner")
    return key


def actor_of(key: ApiKey) -> Actor:
    """The actor that a verified key stands for."""
    role = Role(key.role)
    granted = GRANTS[role]
    return Actor("key", key.id, key.name, role, granted if key.scopes is None else granted & {Permission(scope) for scope in key.scopes})


def is_valid(key: ApiKey, now: datetime) -> bool:
    """Whether the key is neither revoked nor expired."""
    return key.revoked_at is None and (key.expires_at is None or key.expires_at > now)


def is_use_unnoted(key: ApiKey, now: datetime) -> bool:
    """Whether it is time to write down that the key is in use."""
    return key.last_used_at is None or key.last_used_at <= now - USE_NOTED_EVERY


def _check(name: str, role: Role, scopes: Collection[Permission] | None, expires_at: datetime | None, now: datetime) -> None:
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidRequest(f"Give the key a name of 1 to {LONGEST_NAME} characters that can be shown: it says later whose key it is.")
    if expires_at is not None and expires_at <= now:
        raise InvalidRequest("The key would be expired from the start. Choose a time in the future.")
    if scopes is not None and not set(scopes) <= GRANTS[role]:
        allowed = ", ".join(sorted(GRANTS[role]))
        raise InvalidRequest(f"A key of the role {role} may have the scopes {allowed} and no others. Choose among them, or another role.")
    if scopes is not None and not scopes:
        raise InvalidRequest("A key without any scope can do nothing. Name a scope, or none at all for everything its role may do.")


def _check_end(session: Session, expires_at: datetime | None, by: str) -> None:
    """A key that ends must not leave another behind."""
    kind, _, maker_id = by.partition(":")
    ends_at = store.key_of(session, maker_id).expires_at if kind == "key" else None
    if ends_at is not None and (expires_at is None or expires_at > ends_at):
        until = f"{ends_at:%Y-%m-%dT%H:%M:%SZ}"
        raise InvalidRequest(
            f"The key that you use ends at {until}, and no key outlives the one it is made with. Give an expires_at until then."
        )
