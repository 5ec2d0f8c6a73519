"""Who is calling: the bearer token, its scopes, the sliding one-minute limits."""

import re
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, insert, select

from clipcast_simulator import journal
from clipcast_simulator.exchange import Context, Request
from clipcast_simulator.tiktok import tokens, world
from clipcast_simulator.tiktok.envelope import Refusal
from clipcast_simulator.tiktok.tables import calls
from clipcast_simulator.tiktok.tokens import Token
from clipcast_simulator.tiktok.world import Account, App

_BEARER: Final = re.compile(r"Bearer (\S+)")
_WINDOW_S: Final = 60.0

PUBLISH: Final = frozenset({"video.publish"})
UPLOAD: Final = frozenset({"video.upload"})
POSTING: Final = PUBLISH | UPLOAD


@dataclass(frozen=True, slots=True)
class Caller:
    """An app acting for an account."""

    token: Token
    app: App
    account: Account

    def may(self, any_of: frozenset[str]) -> bool:
        """Say whether the token has one of these scopes."""
        return bool(self.token.scopes & any_of)


def bearer(context: Context, request: Request) -> Token | None:
    """Find the token a request carries, dead or alive."""
    match = _BEARER.fullmatch(request.header("authorization") or "")
    return tokens.find_access(context.connection, match[1]) if match else None


def enter(context: Context, request: Request, operation: str, any_of: frozenset[str], per_minute: int | None) -> Caller:
    """Check token, scope and rate, in this order; raises Refusal."""
    token = bearer(context, request)
    if token is None or token.username is None or not token.lives(context.now):
        raise Refusal("access_token_invalid")
    app = world.app(context.connection, token.client_key)
    account = world.account(context.connection, token.username)
    if app is None or account is None:
        raise Refusal("access_token_invalid")
    journal.note(context.connection, context.entry, username=account.username)
    caller = Caller(token, app, account)
    if not caller.may(any_of):
        raise Refusal("scope_not_authorized")
    if per_minute is not None and context.settings.tiktok.per_minute_limits == "enforce":
        _count(context, f"{operation}:{token.id}", per_minute)
    return caller


def _count(context: Context, bucket: str, per_minute: int) -> None:
    """Let a call into its window, or refuse it. A refused call does not lengthen the wait."""
    mine = calls.c.bucket == bucket
    since = context.now - _WINDOW_S
    context.connection.execute(calls.delete().where(mine, calls.c.at <= since))
    recent = context.connection.execute(select(func.count()).select_from(calls).where(mine)).scalar_one()
    if recent >= per_minute:
        raise Refusal("rate_limit_exceeded")
    context.connection.execute(insert(calls).values(bucket=bucket, at=context.now))
