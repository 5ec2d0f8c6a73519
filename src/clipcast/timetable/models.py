"""The table of slots."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from clipcast.db.base import Base, JsonColumn, UtcDateTime


class SlotPlan(Base):
    """The slots of one account: what a post that asks for the next one may get."""

    __tablename__ = "slot_plans"

    account_id: Mapped[str] = mapped_column(ForeignKey("social_accounts.id", ondelete="CASCADE"), primary_key=True)
    timezone: Mapped[str] = mapped_column(String(64))
    #: As `Slot` says them: days and times by the clocks of that zone.
    slots: Mapped[list[dict[str, list[str]]]] = mapped_column(JsonColumn)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
