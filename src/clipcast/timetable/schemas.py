"""Slots as the HTTP interface speaks of them."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from clipcast.timetable import zones
from clipcast.timetable.slots import days_of, time_of


def _day(name: str) -> str:
    days_of([name])
    return name.strip().lower()


def _time(text: str) -> str:
    return f"{time_of(text):%H:%M}"


class SlotLine(BaseModel):
    """Some days, and the times on them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    days: list[Annotated[str, Field(max_length=20), AfterValidator(_day)]] = Field(
        min_length=1, max_length=10, description="mon, tue, wed, thu, fri, sat, sun, weekdays, weekends, daily."
    )
    times: list[Annotated[str, Field(max_length=20), AfterValidator(_time)]] = Field(
        min_length=1, max_length=96, description="Hours and minutes, such as 9:00 and 17:30."
    )


class SlotsIn(BaseModel):
    """The slots of an account, by the clocks of one zone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    timezone: Annotated[str, Field(max_length=64), AfterValidator(zones.known)] = "UTC"
    slots: list[SlotLine] = Field(max_length=20, description="None at all: the account has no slots.")


class SlotsOut(BaseModel):
    """The slots of an account, and those that are free next."""

    account_id: str
    timezone: str
    slots: list[SlotLine]
    next_free: list[datetime] = Field(description="The next ten that no post of the account stands at.")
