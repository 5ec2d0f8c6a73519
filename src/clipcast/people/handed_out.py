"""What somebody handed out, API keys and invitations, goes when they go: else whoever was shown out would come back by it."""

from collections import deque
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from clipcast import ledger
from clipcast.people import store
from clipcast.people.access import GRANTS, Permission, Role
from clipcast.people.models import ApiKey


def end(session: Session, maker: str, now: datetime, *, by: str, role: Role | None = None) -> list[ApiKey]:
    """Revoke the keys and withdraw the open invitations that `maker` (as `Actor.label`) handed out, and what was made with those keys.

    With `role`, that is what the maker is from now on, and what somebody of that role may have stays. Gives the keys that were revoked.
    """
    _withdraw(session, maker, _may_not_invite(role), now, by=by)
    mine = [key for key in store.keys_made_by(session, maker) if role is None or not GRANTS[Role(key.role)] <= GRANTS[role]]
    return [revoked for key in mine for revoked in revoke(session, key, now, by=by, because=maker)]


def revoke(session: Session, key: ApiKey, now: datetime, *, by: str, because: str | None = None) -> list[ApiKey]:
    """Revoke this key, those that were made with it, and so on, with their open invitations. Gives them all, this one first.

    `because` is whose going took it along, as `Actor.label`.
    """
    revoked = []
    waiting = deque([(key, because)])  # no recursion: a chain of keys may be as long as somebody likes
    while waiting:
        one, reason = waiting.popleft()
        one.revoked_at = now
        told = {"name": one.name, "role": one.role, "actor": by}
        record_key(session, one, ledger.API_KEY_REVOKED, now, told | ({"because": reason} if reason else {}))
        revoked.append(one)
        maker = f"key:{one.id}"
        _withdraw(session, maker, list(Role), now, by=by)
        waiting.extend((made, maker) for made in store.keys_made_by(session, maker))
    return revoked


def record_invitation(session: Session, invitation_id: str, event: str, now: datetime, details: Mapping[str, object]) -> None:
    """Append an event to the invitation's stream."""
    stream = f"invitation:{invitation_id}"
    ledger.record(session, stream=stream, event=event, entity_type="invitation", entity_id=invitation_id, now=now, details=details)


def record_key(session: Session, key: ApiKey, event: str, now: datetime, details: Mapping[str, object]) -> None:
    """Append an event to the key's stream."""
    ledger.record(session, stream=f"api_key:{key.id}", event=event, entity_type="api_key", entity_id=key.id, now=now, details=details)


def _may_not_invite(role: Role | None) -> list[Role]:
    """The roles for which somebody of this role, or somebody who is gone, makes no invitation."""
    granted = GRANTS[role] if role is not None else frozenset()
    return [each for each in Role if Permission.MANAGE not in granted or not GRANTS[each] <= granted]


def _withdraw(session: Session, maker: str, roles: list[Role], now: datetime, *, by: str) -> None:
    for invitation_id in store.withdraw_made_by(session, maker, roles, now):
        record_invitation(session, invitation_id, ledger.INVITATION_WITHDRAWN, now, {"actor": by, "because": maker})
