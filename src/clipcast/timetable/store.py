"""Every query about slots."""

from collections.abc import Iterable
from datetime import datetime
from itertools import islice

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from clipcast.accounts import store as accounts
from clipcast.accounts.models import SocialAccount
from clipcast.errors import InvalidRequest
from clipcast.publications.models import Publication
from clipcast.publications.states import State
from clipcast.timetable.models import SlotPlan
from clipcast.timetable.slots import Week


def plan_of(session: Session, account_id: str) -> SlotPlan | None:
    """The slots of that account, if it has any."""
    return session.get(SlotPlan, account_id)


def zone_of(session: Session, account: SocialAccount | None) -> str | None:
    """The zone of an account's slots, if it has any."""
    plan = plan_of(session, account.id) if account else None
    return plan.timezone if plan else None


def week_of(plan: SlotPlan) -> Week:
    """The plan as a week of slots."""
    return Week.of(plan.slots, plan.timezone)


def replace(session: Session, account_id: str, timezone: str, slots: list[dict[str, list[str]]], now: datetime) -> SlotPlan:
    """Give an account these slots instead of those it had; what took one of the old ones keeps its time.

    Raises:
        NotFound: there is no such account.
        InvalidRequest: a day or a time is none.
    """
    accounts.get_for_update(session, account_id)
    try:
        Week.of(slots, timezone)
    except ValueError as error:
        raise InvalidRequest(f"The slots cannot be read: {error}.") from None
    plan = SlotPlan(account_id=account_id, timezone=timezone, slots=slots, updated_at=now)
    return session.merge(plan)


def free(session: Session, plan: SlotPlan, now: datetime, count: int) -> list[datetime]:
    """The next `count` slots that no post of the account stands at."""
    taken = _taken(session, plan.account_id, now)
    return list(islice((at for at in week_of(plan).after(now) if at not in taken), count))


def with_slots(session: Session, account: SocialAccount) -> SlotPlan:
    """The slots of an account that is asked for one.

    Raises:
        InvalidRequest: it has none.
    """
    plan = plan_of(session, account.id)
    if plan is None or not plan.slots:
        raise InvalidRequest(
            f"The {account.platform} account {account.username} has no slots yet. Give it some: PUT /accounts/{account.id}/slots, "
            f"or clipcast schedule slots {account.platform}:{account.username} --set 'weekdays 9:00 17:30'."
        )
    return plan


def next_free(session: Session, account: SocialAccount, now: datetime) -> datetime:
    """The next slot of an account that no post of it stands at; until the transaction ends, nobody else is told the same.

    Raises:
        InvalidRequest: the account has no slots, or none is free for a year; says what to do.
    """
    accounts.get_for_update(session, account.id)
    found = free(session, with_slots(session, account), now, 1)
    if not found:
        raise InvalidRequest(
            f"The slots of the {account.platform} account {account.username} are taken for a year. Add some, or name a time."
        )
    return found[0]


def lock_queues(session: Session, account_ids: Iterable[str]) -> None:
    """Have the queues of these accounts for ourselves until the transaction ends, taken in one order so that nobody waits in a circle."""
    for account_id in sorted(account_ids):
        accounts.get_for_update(session, account_id)


def _taken(session: Session, account_id: str, now: datetime) -> set[datetime]:
    query = select(Publication.slot_at, Publication.scheduled_at).where(
        Publication.social_account_id == account_id,
        Publication.state != State.CANCELLED,
        or_(Publication.scheduled_at > now, Publication.slot_at > now),
    )
    return {at for row in session.execute(query) for at in row if at is not None}
