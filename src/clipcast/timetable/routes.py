"""Slots over HTTP."""

from datetime import datetime

from fastapi import APIRouter
from sqlalchemy.orm import Session

from clipcast.accounts import store as accounts
from clipcast.people.admission import PUBLISHES, READS
from clipcast.publications.routes import Services
from clipcast.timetable import store
from clipcast.timetable.schemas import SlotLine, SlotsIn, SlotsOut

router = APIRouter(prefix="/accounts", tags=["schedules"])

SHOWN = 10
"""How many free slots are shown."""


@router.get("/{account_id}/slots", dependencies=[READS])
def show_slots(services: Services, account_id: str) -> SlotsOut:
    """The slots of an account, and which are free next."""
    with services.db.reading() as session:
        accounts.get(session, account_id)
        return _shown(session, account_id, services.clock())


@router.put("/{account_id}/slots", dependencies=[PUBLISHES])
def set_slots(services: Services, account_id: str, wanted: SlotsIn) -> SlotsOut:
    """Give an account these slots instead of those it had. Posts that took one of the old ones keep their time."""
    now = services.clock()
    with services.db.writing() as session:
        store.replace(session, account_id, wanted.timezone, [line.model_dump() for line in wanted.slots], now)
        return _shown(session, account_id, now)


def _shown(session: Session, account_id: str, now: datetime) -> SlotsOut:
    plan = store.plan_of(session, account_id)
    if plan is None:
        return SlotsOut(account_id=account_id, timezone="UTC", slots=[], next_free=[])
    return SlotsOut(
        account_id=account_id,
        timezone=plan.timezone,
        slots=[SlotLine.model_validate(line) for line in plan.slots],
        next_free=store.free(session, plan, now, SHOWN),
    )
