"""Accounts over HTTP."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Annotated, Any, Protocol, cast

from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from sqlalchemy.orm import Session

from clipcast.accounts import store
from clipcast.accounts.credentials import merged, opened, replace
from clipcast.accounts.models import SocialAccount
from clipcast.accounts.provider import assess
from clipcast.accounts.schemas import AccountChange, AccountIn, AccountOut, CredentialsIn, PlatformName, Status, shown
from clipcast.accounts.vault import CredentialError, Vault
from clipcast.clock import Clock
from clipcast.db.base import new_id
from clipcast.db.engine import Database
from clipcast.errors import InvalidRequest
from clipcast.log import redact
from clipcast.platforms.base import AnyPlatform, Credentials
from clipcast.settings import Settings


class _Services(Protocol):
    """What these routes need of the application's state (`app.state.clipcast`)."""

    db: Database
    vault: Vault
    settings: Settings
    clock: Clock
    platforms: Mapping[str, AnyPlatform]


def _services(request: Request) -> _Services:
    return cast("_Services", request.app.state.clipcast)


Services = Annotated[_Services, Depends(_services)]


class _DiscreetRoute(APIRoute):
    """Says what is wrong with a malformed request without repeating it: the value may be a token put into the wrong field."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def discreet(request: Request) -> Response:
            try:
                return await handler(request)
            except RequestValidationError as error:
                raise RequestValidationError([_without_input(problem) for problem in error.errors()]) from None

        return discreet


def _without_input(problem: Mapping[str, Any]) -> dict[str, Any]:
    place = [redact(part) if isinstance(part, str) else part for part in problem["loc"]]
    return {"type": problem["type"], "loc": place, "msg": redact(problem["msg"])}


router = APIRouter(prefix="/accounts", tags=["accounts"], route_class=_DiscreetRoute)


@router.post("", status_code=201)
def create_account(account: AccountIn, services: Services) -> AccountOut:
    """Add an account, with its credentials if there are any. 409 when it is there already."""
    now = services.clock()
    row = SocialAccount(
        id=new_id(),
        platform=account.platform,
        username=account.username,
        kind=account.kind,
        main_account_id=account.main_account_id,
        status="active",
        created_at=now,
        updated_at=now,
    )
    replace(row, _merged(Credentials({}), account.credentials), services.vault, now)
    with services.db.writing() as session:
        _check_main(session, row)
        store.add(session, row)
    return _shown(row, services)


@router.get("")
def list_accounts(services: Services, platform: PlatformName | None = None, status: Status | None = None) -> list[AccountOut]:
    """All accounts, by platform and name."""
    with services.db.reading() as session:
        rows = store.listed(session, platform=platform, status=status)
    return [_shown(row, services) for row in rows]


@router.get("/{account_id}")
def show_account(account_id: str, services: Services) -> AccountOut:
    """One account."""
    with services.db.reading() as session:
        row = store.get(session, account_id)
    return _shown(row, services)


@router.patch("/{account_id}")
def change_account(account_id: str, change: AccountChange, services: Services) -> AccountOut:
    """Change an account's kind, switch it on or off, or give it new credentials, which also makes an expired one active again."""
    now = services.clock()
    with services.db.writing() as session:
        row = store.get_for_update(session, account_id)
        if change.credentials is not None:
            replace(row, _merged(_readable(row, services.vault), change.credentials), services.vault, now)
        row.kind = change.kind or row.kind
        row.main_account_id = change.main_account_id or row.main_account_id
        _check_main(session, row)
        row.status = change.status or row.status
        row.updated_at = now
    return _shown(row, services)


def _check_main(session: Session, row: SocialAccount) -> None:
    """A satellite follows a main account, and nobody else follows anybody."""
    if row.main_account_id is None:
        return
    if row.kind != "satellite":
        raise InvalidRequest("Only a satellite follows a main account: send kind: satellite, or leave main_account_id out.")
    if store.get(session, row.main_account_id).kind != "main":
        raise InvalidRequest("main_account_id names an account that is not a main account.")


def _merged(old: Credentials, new: CredentialsIn) -> Credentials:
    return merged(old, new.values(), new.expires_at, new.refresh_expires_at)


def _readable(row: SocialAccount, vault: Vault) -> Credentials:
    """The credentials to merge into: none where they cannot be decrypted any more, so that an owner can store them anew."""
    try:
        return opened(row, vault)
    except CredentialError:
        return Credentials({})


def _shown(row: SocialAccount, services: _Services) -> AccountOut:
    return shown(row, assess(row, services.vault, services.platforms.get(row.platform), services.settings))
