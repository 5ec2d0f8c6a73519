"""What somebody may do at this moment: asked again where time went by since they were admitted."""

from datetime import datetime

from sqlalchemy.orm import Session

from clipcast.people import keys, sessions
from clipcast.people.access import COMMAND_LINE, Permission
from clipcast.people.models import ApiKey, Person


def permissions_now(session: Session, label: str, now: datetime) -> frozenset[Permission]:
    """What whoever `Actor.label` calls so may do now: nothing once they are deleted, revoked or expired.

    Their row stays locked, so that until the transaction ends nobody takes them out or changes their role.
    """
    if label == COMMAND_LINE:
        return frozenset(Permission)
    kind, _, row_id = label.partition(":")
    if kind == "person":
        person = session.get(Person, row_id, with_for_update=True, populate_existing=True)
        return frozenset() if person is None else sessions.actor_of(person).permissions
    key = session.get(ApiKey, row_id, with_for_update=True, populate_existing=True) if kind == "key" else None
    return frozenset() if key is None or not keys.is_valid(key, now) else keys.actor_of(key).permissions
