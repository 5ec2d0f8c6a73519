"""Accounts over HTTP."""

import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Annotated, Any, Final, Protocol, cast

from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from sqlalchemy.orm import Session

from clipcast import ledger
from clipcast.accounts import store
from clipcast.accounts.connecting import check_main
from clipcast.accounts.credentials import await_identities, check_names, merged, opened, refuse_twin, replace
from clipcast.accounts.history import note
from clipcast.accounts.models import SocialAccount
from clipcast.accounts.provider import assess
from clipcast.accounts.schemas import AccountChange, AccountIn, AccountOut, CredentialsIn, PlatformName, RefreshOut, Status, shown
from clipcast.accounts.upkeep import Upkeep
from clipcast.accounts.vault import CredentialError, Vault
from clipcast.clock import Clock
from clipcast.concealed import MASK
from clipcast.db.base import new_id
from clipcast.db.engine import Database
from clipcast.errors import InvalidRequest
from clipcast.log import redact
from clipcast.people.admission import MANAGES, READS, CurrentActor
from clipcast.platforms.base import AnyPlatform, Credentials
from clipcast.repeats import Key, Once
from clipcast.settings import Settings
from clipcast.turnstiles import ASKS_PLATFORM


class _Services(Protocol):
    """What these routes need of the application's state (`app.state.clipcast`)."""

    db: Database
    vault: Vault
    settings: Settings
    clock: Clock
    platforms: Mapping[str, AnyPlatform]
    upkeep: Upkeep


def _services(request: Request) -> _Services:
    return cast("_Services", request.app.state.clipcast)


Services = Annotated[_Services, Depends(_services)]


_NAME: Final = re.compile(r"[A-Za-z_]{1,40}")
"""What somebody may have meant as the name of a credential; anything else may be the credential itself."""


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
    if "credentials" in place:
        named_from = place.index("credentials") + 1
        place[named_from:] = [part if _NAME.fullmatch(str(part)) else MASK for part in place[named_from:]]
    return {"type": problem["type"], "loc": place, "msg": redact(problem["msg"])}


router = APIRouter(prefix="/accounts", tags=["accounts"], route_class=_DiscreetRoute)


@router.post("", status_code=201, dependencies=[MANAGES])
def create_account(account: AccountIn, services: Services, actor: CurrentActor, key: Key = None) -> AccountOut:
    """Add an account, with its credentials if there are any. 409 when it is there already; a deleted one of that name comes back."""
    return add(account, services, actor.label, key)


def add(account: AccountIn, services: _Services, actor: str, key: str | None = None) -> AccountOut:
    """`create_account` for whoever it is."""
    now = services.clock()
    with services.db.writing() as session:
        await_identities(session)
        once = Once(session, "POST /accounts", key, account, by=actor)
        if once.made_id is not None:
            return _shown(store.get(session, once.made_id), services)
        check_main(session, account.kind, account.main_account_id)
        store.check_name_free(session, account.platform, account.username)
        row = store.deleted_named(session, account.platform, account.username)
        revived = {"revived": True} if row is not None else {}
        row = row or SocialAccount(id=new_id(), platform=account.platform, created_at=now)
        row.username, row.kind, row.main_account_id = account.username, account.kind, account.main_account_id
        row.status, row.deleted_at, row.external_id = "active", None, None
        _give(session, row, Credentials({}), account.credentials, services)
        store.add(session, row)
        note(session, row, ledger.ACCOUNT_ADDED, now, actor=actor, kind=row.kind, **revived)
        once.remember(row.id, now)
    return _shown(row, services)


@router.get("", dependencies=[READS])
def list_accounts(services: Services, platform: PlatformName | None = None, status: Status | None = None) -> list[AccountOut]:
    """All accounts, by platform and name."""
    with services.db.reading() as session:
        rows = store.listed(session, platform=platform, status=status)
    return [_shown(row, services) for row in rows]


@router.get("/{account_id}", dependencies=[READS])
def show_account(account_id: str, services: Services) -> AccountOut:
    """One account."""
    with services.db.reading() as session:
        row = store.get(session, account_id)
    return _shown(row, services)


@router.patch("/{account_id}", dependencies=[MANAGES])
def change_account(account_id: str, change: AccountChange, services: Services, actor: CurrentActor) -> AccountOut:
    """Change an account's kind, switch it on or off, or give it new credentials, which also makes an expired one active again."""
    now = services.clock()
    with services.db.writing() as session:
        if change.credentials is not None:
            await_identities(session)
        row = store.get_for_update(session, account_id)
        if change.credentials is not None:
            _give(session, row, _readable(row, services.vault), change.credentials, services)
        if change.kind == "satellite" and store.is_followed(session, row.id):
            raise InvalidRequest(f"@{row.username} has satellites: give them another main account first, or none (main_account_id: null).")
        row.kind = change.kind or row.kind
        if "main_account_id" in change.model_fields_set or change.kind == "main":
            check_main(session, row.kind, change.main_account_id)  # before the row names it, or the database refuses who is not there
            row.main_account_id = change.main_account_id
        if change.status is not None and row.status == "revoked":  # disabled and then active, it would publish to the simulator
            raise InvalidRequest(f"@{row.username} was disconnected: connect it again, or send its credentials.")
        row.status = change.status or row.status
        row.updated_at = now
        changed = sorted(name for name in change.model_fields_set if name == "main_account_id" or getattr(change, name) is not None)
        note(session, row, ledger.ACCOUNT_CHANGED, now, actor=actor.label, changed=changed)
    return _shown(row, services)


@router.post("/{account_id}/refresh", dependencies=[MANAGES, ASKS_PLATFORM])
def refresh_account(account_id: str, services: Services, *, dry_run: bool = False) -> RefreshOut:
    """Ask the platform for a new token now, although the worker does so by itself in time. With `dry_run` only say what would be done."""
    return RefreshOut.model_validate(services.upkeep.refresh_one(account_id, dry_run=dry_run))


def _give(session: Session, row: SocialAccount, old: Credentials, new: CredentialsIn, services: _Services) -> None:
    """Put the new credentials over the old ones, if the platform knows their names and they are nobody else's."""
    now, platform = services.clock(), services.platforms.get(row.platform)
    if platform is not None:
        check_names(new.values(), old, platform)
    credentials = merged(old, new.values(), *new.ends(now))
    refuse_twin(session, row, credentials, services.vault)
    replace(row, credentials, services.vault, now)


def _readable(row: SocialAccount, vault: Vault) -> Credentials:
    """The credentials to merge into: none where they cannot be decrypted any more, so that an owner can store them anew."""
    try:
        return opened(row, vault)
    except CredentialError:
        return Credentials({})


def _shown(row: SocialAccount, services: _Services) -> AccountOut:
    return shown(row, assess(row, services.vault, services.platforms.get(row.platform), services.settings))
