"""Who is calling: the bearer token, the project and its quota, the scopes, the channel. In this order."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs

from clipcast_simulator import journal
from clipcast_simulator.exchange import Context, Request
from clipcast_simulator.youtube import quota, tokens, world
from clipcast_simulator.youtube.errors import Refusal
from clipcast_simulator.youtube.tokens import Token
from clipcast_simulator.youtube.world import Account, App

_BEARER: Final = re.compile(r"Bearer (\S+)")

Charge = Callable[[Context, App], None]


@dataclass(frozen=True, slots=True)
class Caller:
    """An app acting for an account."""

    token: Token
    app: App
    account: Account


def units(count: int) -> Charge:
    """Return the charge of so many units."""
    return lambda context, app: quota.charge_units(context, app, count)


def presented(request: Request) -> str | None:
    """Return the token a request carries: in the header, or in the query, which is discouraged."""
    header = request.header("authorization")
    if header is not None:
        match = _BEARER.fullmatch(header)
        return match[1] if match else ""
    return next(iter(parse_qs(request.query).get("access_token", [])), None)


def bearer(context: Context, request: Request) -> Token | None:
    """Find the token a request carries, dead or alive."""
    return tokens.find_access(context.connection, presented(request) or "")


def identify(context: Context, request: Request) -> Caller:
    """Find out who calls; raises Refusal without a token that works."""
    if presented(request) is None:
        raise Refusal("required")
    token = bearer(context, request)
    if token is None or not token.lives(context.now):
        raise Refusal("authError")
    app = world.app(context.connection, token.client_id)
    account = world.account(context.connection, token.username)
    if app is None or account is None:
        raise Refusal("authError")
    journal.note(context.connection, context.entry, username=account.username)
    return Caller(token, app, account)


def enter(context: Context, request: Request, any_of: frozenset[str], charge: Charge) -> Caller:
    """Check the token, charge the project, check the scopes; raises Refusal. An invalid request is charged too."""
    caller = identify(context, request)
    if not caller.app.api_enabled:
        raise Refusal("accessNotConfigured")
    charge(context, caller.app)
    if not caller.token.scopes & any_of:
        raise Refusal("insufficientPermissions")
    return caller


def need_channel(caller: Caller) -> None:
    """Refuse a Google account that has no channel, or a suspended one."""
    if not caller.account.channel:
        raise Refusal("youtubeSignupRequired")
    if caller.account.suspended:
        raise Refusal("authenticatedUserAccountSuspended")
