"""Consents under way: OAuth's `state`, good once, for ten minutes, and in the browser that began it.

A row waits for the platform to send somebody back with its state; that spends it. Where the consent is good for several accounts, another
row then waits, under a new token, for a person to choose among what was found. Both tokens are known here by their hash alone, and a spent
row stays until it would have ended: who comes back to it is told that it was used, and not that it never was.
"""

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from clipcast.accounts.models import PendingLink
from clipcast.accounts.store import forget_links
from clipcast.accounts.vault import Vault
from clipcast.db.base import new_id
from clipcast.errors import ClipcastError, InvalidRequest
from clipcast.people.tokens import digest, new_token
from clipcast.platforms.base import Credentials
from clipcast.platforms.consent import Consent, Linkable

LASTS: Final = timedelta(minutes=10)
_VERIFIER_BYTES: Final = 48  # 64 characters: RFC 7636 wants 43 to 128
_SPENT: Final = b""
_WISH: Final = "wish"


class LinkRefused(InvalidRequest):
    """The way back from the platform's page is not one that this browser began just now; the sentence says what to do."""

    code = "link_refused"


class LinkUsed(LinkRefused):
    """The consent came to its end before: by a reload, a restored window or a second click; nobody knows here how it ended."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to connect: any account that consents, or `account_id` again. The rest is for an account that is new."""

    platform: str
    login: str = ""
    account_id: str | None = None
    kind: str = "main"
    main_account_id: str | None = None
    return_to: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is kept, encrypted, of a consent under way. `simulated` was decided when it began and holds to its end."""

    verifier: str = field(repr=False)
    wish: Wish
    simulated: bool
    found: tuple[Linkable, ...] = ()


@contextmanager
def refusing(wish: Wish) -> Iterator[None]:
    """Whatever is refused inside carries the wish along: who begins anew wants the same, and not whichever account consents next."""
    try:
        yield
    except ClipcastError as refusal:
        vars(refusal)[_WISH] = wish
        raise


def wish_of(refusal: Exception) -> Wish | None:
    """What is to be begun anew after this refusal; None where that is not known, or not this browser's to know."""
    wish: Wish | None = vars(refusal).get(_WISH)
    return wish


def begin(
    session: Session, vault: Vault, wish: Wish, *, simulated: bool, redirect_uri: str, browser: str, actor: str, now: datetime
) -> Consent:
    """Write the row of a consent that begins now, and answer what to ask. `browser` is known to this browser alone."""
    forget_links(session, now)  # and the credentials that nobody chose with them
    consent = Consent(redirect_uri, new_token(), secrets.token_urlsafe(_VERIFIER_BYTES), wish.login)
    row = PendingLink(
        id=new_id(),
        platform=wish.platform,
        login=wish.login,
        state_sha256=digest(consent.state),
        browser_sha256=digest(browser),
        redirect_uri=redirect_uri,
        account_id=wish.account_id,
        actor_id=actor,
        created_at=now,
        expires_at=now + LASTS,
    )
    _seal(row, Plan(consent.verifier, wish, simulated), vault)
    session.add(row)
    return consent


def spend(session: Session, vault: Vault, *, platform: str, state: str, browser: str, now: datetime) -> tuple[PendingLink, Plan]:
    """The consent of this state, which is of no use to anybody from now on.

    Raises:
        LinkUsed: it was used.
        LinkRefused: it is too old, or is not this browser's; what it stands for is left alone.
    """
    row = _found(session, platform, state, browser)
    if row.used_at is not None:
        raise LinkUsed("This consent was used already: each one is good once. What came of it, your accounts show.")
    plan = opened(row, vault)
    _check_end(row, plan, now)
    mine = update(PendingLink).where(PendingLink.id == row.id, PendingLink.used_at.is_(None)).values(used_at=now, sealed=_SPENT)
    if session.scalar(mine.returning(PendingLink.id).execution_options(synchronize_session=False)) is None:
        raise LinkUsed("This consent is being used at this very moment: each one is good once. What comes of it, your accounts show.")
    return row, plan


def offer(session: Session, vault: Vault, spent: PendingLink, plan: Plan, *, found: Sequence[Linkable], now: datetime) -> str:
    """Keep what was found until somebody has chosen; returns the token that the choice has to name. The state stays spent."""
    token = new_token()
    same = {name: getattr(spent, name) for name in ("platform", "login", "browser_sha256", "redirect_uri", "account_id", "actor_id")}
    row = PendingLink(id=new_id(), state_sha256=digest(token), created_at=now, used_at=now, expires_at=now + LASTS, **same)
    _seal(row, replace(plan, found=tuple(found)), vault)
    session.add(row)
    return token


def take(session: Session, vault: Vault, *, platform: str, token: str, browser: str, now: datetime) -> tuple[PendingLink, Plan]:
    """What was found, for the one choice among it; it is of no use to anybody when the transaction ends well.

    Raises:
        LinkRefused: as `spend`.
    """
    row = _found(session, platform, token, browser)
    if row.used_at is None:
        raise LinkRefused("There is nothing to choose here. Begin anew.")
    if row.sealed == _SPENT:
        raise LinkUsed("This choice was made already: each one is made once. What came of it, your accounts show.")
    plan = opened(row, vault)
    _check_end(row, plan, now)
    mine = update(PendingLink).where(PendingLink.id == row.id, PendingLink.sealed != _SPENT).values(sealed=_SPENT)
    if session.scalar(mine.returning(PendingLink.id).execution_options(synchronize_session=False)) is None:
        raise LinkUsed("This choice is being made at this very moment: each one is made once. What comes of it, your accounts show.")
    return row, plan


def opened(row: PendingLink, vault: Vault) -> Plan:
    """What the row keeps, decrypted.

    Raises:
        CredentialError: it cannot be decrypted.
    """
    plain = json.loads(vault.decrypt(row.sealed, _identity(row)))
    found = tuple(_linkable(one) for one in plain["found"])
    return Plan(plain["verifier"], Wish(**plain["wish"]), plain["simulated"], found)


def _found(session: Session, platform: str, token: str, browser: str) -> PendingLink:
    row = session.scalar(select(PendingLink).where(PendingLink.state_sha256 == digest(token))) if token else None
    if row is None or row.platform != platform:
        raise LinkRefused("Clipcast did not begin this consent, or has forgotten it. Begin anew.")
    if row.browser_sha256 != digest(browser):
        raise LinkRefused("This consent was begun in another browser. Begin and end it in the same one, at the same address of Clipcast.")
    return row


def _check_end(row: PendingLink, plan: Plan, now: datetime) -> None:
    with refusing(plan.wish):
        if row.expires_at <= now:
            raise LinkRefused("This took longer than ten minutes, so it is no longer good. Begin anew.")


def _seal(row: PendingLink, plan: Plan, vault: Vault) -> None:
    plain: Mapping[str, Any] = {
        "verifier": plan.verifier,
        "wish": {name: getattr(plan.wish, name) for name in Wish.__dataclass_fields__},
        "simulated": plan.simulated,
        "found": [_plain(one) for one in plan.found],
    }
    row.sealed = vault.encrypt(json.dumps(plain).encode(), _identity(row))


def _plain(one: Linkable) -> dict[str, Any]:
    ends = {"expires_at": one.credentials.expires_at, "refresh_expires_at": one.credentials.refresh_expires_at}
    return {
        "external_id": one.external_id,
        "username": one.username,
        "values": dict(one.credentials.values),
        **{name: at.isoformat() if at else None for name, at in ends.items()},
    }


def _linkable(plain: Mapping[str, Any]) -> Linkable:
    ends = {name: datetime.fromisoformat(plain[name]) if plain[name] else None for name in ("expires_at", "refresh_expires_at")}
    return Linkable(plain["external_id"], plain["username"], Credentials(plain["values"], **ends))


def _identity(row: PendingLink) -> str:
    return f"pending_links/{row.id}/sealed"
