"""Disconnecting and deleting accounts over HTTP."""

from typing import Annotated, Protocol, cast

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from clipcast.accounts.disconnecting import Disconnector
from clipcast.people.admission import MANAGES, CurrentActor
from clipcast.publications import leaving
from clipcast.publications.leaving import Left
from clipcast.turnstiles import ASKS_PLATFORM

router = APIRouter(prefix="/accounts", tags=["accounts"])


class LeftOut(BaseModel):
    """What became of the account."""

    account_id: str
    revoked: bool = Field(description="Whether the platform withdrew our access. The credentials are removed here in any case.")
    note: str | None = Field(description="What is left to do at the platform.")
    scheduled: int = Field(description="Posts that wait still: on their hour they fail, unless the account is connected again before.")

    @classmethod
    def of(cls, left: Left) -> "LeftOut":
        """What is told of it."""
        return cls(account_id=left.account.id, revoked=left.revoked, note=left.sentence or None, scheduled=left.scheduled)


class _Services(Protocol):
    """What these routes need of the application's state (`app.state.clipcast`)."""

    disconnector: Disconnector


def _services(request: Request) -> _Services:
    return cast("_Services", request.app.state.clipcast)


Services = Annotated[_Services, Depends(_services)]


@router.post("/{account_id}/disconnection", dependencies=[MANAGES, ASKS_PLATFORM])
def disconnect_account(account_id: str, services: Services, actor: CurrentActor) -> LeftOut:
    """Withdraw our access at the platform and remove the account's credentials; it stays, `revoked`, until it is connected again."""
    return LeftOut.of(leaving.disconnect(services.disconnector, account_id, actor=actor.label))


@router.delete("/{account_id}", dependencies=[MANAGES, ASKS_PLATFORM])
def delete_account(account_id: str, services: Services, actor: CurrentActor) -> LeftOut:
    """Disconnect the account and hide it; its history stays. 409 while posts of it are under way, scheduled or drafts."""
    return LeftOut.of(leaving.delete(services.disconnector, account_id, actor=actor.label))
