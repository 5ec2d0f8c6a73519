"""Codes become tokens, short tokens long ones, and old ones new: both logins."""

import secrets
from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import Row, select, update

from clipcast_simulator import journal
from clipcast_simulator.exchange import Context, Reply, Request, json_reply
from clipcast_simulator.instagram import access, parameters, tokens, world
from clipcast_simulator.instagram.access import READ, Caller
from clipcast_simulator.instagram.envelope import code_error
from clipcast_simulator.instagram.errors import Refusal
from clipcast_simulator.instagram.graph import Answer
from clipcast_simulator.instagram.parameters import Given
from clipcast_simulator.instagram.tables import codes
from clipcast_simulator.instagram.tokens import LONG_LIFE_S, SHORT_LIFE_S, Token
from clipcast_simulator.instagram.world import Account, App

_BAD_CODE: Final = "Matching code was not found or was already used"
_UNSUPPORTED: Final = "Unsupported request - method type: get"
_KILLED_BY_REFRESH: Final = 467


class _CodeRefusal(Exception):
    """The code exchange of Instagram Login says no, in a shape of its own."""


def exchange_code(context: Context, request: Request) -> Reply:
    """Instagram Login, `POST /oauth/access_token`: a code becomes a token of one hour."""
    try:
        given = parameters.read(request)
        token = _from_code(context, given)
    except (_CodeRefusal, Refusal) as refusal:
        return code_error(getattr(refusal, "message", None) or str(refusal))
    account = _account(context, token)
    content: dict[str, Any] = {"access_token": token.token, "user_id": account.scoped_id, "permissions": ",".join(token.scopes)}
    if context.settings.instagram.code_answer == "flat":
        content |= {"user_id": int(account.scoped_id), "permissions": token.scopes}
        return json_reply(200, content, "ok")
    return json_reply(200, {"data": [content]}, "ok")


def exchange_short(context: Context, _request: Request, given: Given) -> Answer:
    """Instagram Login, `GET /access_token`: a short-lived token becomes one of 60 days."""
    given.check({"grant_type", "client_secret", "client_id"})
    _check_grant(given, {"ig_exchange_token"})
    caller = access.admit(context, given.needed("access_token"))
    secret, client_id = given.needed("client_secret"), given.text("client_id")
    is_ours = _is_secret(caller.app, secret) and client_id in (None, caller.app.app_id)
    if caller.token.kind != "short" or not is_ours:
        raise Refusal(100, message=_UNSUPPORTED)
    return _long(context, caller, "long")


def refresh(context: Context, _request: Request, given: Given) -> Answer:
    """Instagram Login, `GET /refresh_access_token`: another 60 days for a token that is a day old and lives."""
    given.check({"grant_type"})
    _check_grant(given, {"ig_refresh_token"})
    caller = access.admit(context, given.needed("access_token"))
    if caller.token.kind != "long":
        raise Refusal(100, message=_UNSUPPORTED)
    caller.require(READ)
    knobs, account = context.settings.instagram, _account(context, caller.token)
    if account.private and knobs.refresh_private == "refuse":
        raise Refusal(10, message="(#10) The account is private")
    if context.now - caller.token.issued_at < tokens.REFRESH_AGE_S:
        raise Refusal(knobs.refresh_early_code, message="The access token must be at least 24 hours old")
    answer = _long(context, caller, "long")
    if knobs.refresh_old == "dies":
        tokens.kill_one(context.connection, caller.token, _KILLED_BY_REFRESH)
    return answer


def facebook_token(context: Context, _request: Request, given: Given) -> Answer:
    """Facebook Login, `GET /oauth/access_token`: a code becomes a short token, a user token one of 60 days."""
    client = {"client_id", "client_secret"}
    if given.text("grant_type") is None:
        given.check(client | {"redirect_uri", "code"})
        return _facebook_code(context, given)
    _check_grant(given, {"fb_exchange_token"})
    given.check(client | {"grant_type", "fb_exchange_token"})
    app = _client(context, given, "facebook")
    caller = access.admit(context, given.needed("fb_exchange_token"))
    if caller.app != app or not caller.token.is_user:
        raise Refusal(100, message="(#100) The token does not belong to the app, or is no user token")
    return _long(context, caller, "user")


def _facebook_code(context: Context, given: Given) -> Answer:
    app = _client(context, given, "facebook")
    row = _code(context, given.needed("code"))
    if row is None or row.app_id != app.app_id:
        raise Refusal(100, message="Invalid verification code format.")
    if row.used:
        raise Refusal(100, 36009)
    if context.now >= row.expires_at:
        raise Refusal(100, 36007)
    if given.needed("redirect_uri") != row.redirect_uri:
        raise Refusal(100, message="Error validating verification code. Please make sure your redirect_uri is identical.")
    token = _spend(context, row, "user-short", SHORT_LIFE_S["facebook"])
    return _granted(context, token)


def _from_code(context: Context, given: Given) -> Token:
    """Exchange a code of Instagram Login; raises _CodeRefusal."""
    wanted = ("client_id", "client_secret", "grant_type", "redirect_uri", "code")
    if unknown := sorted(given.values.keys() - set(wanted)):
        raise _CodeRefusal(f"Unknown parameter {unknown[0]}")
    texts = {name: given.needed(name) for name in wanted}
    if texts["grant_type"] != "authorization_code":
        raise _CodeRefusal("Invalid grant_type")
    app = world.app(context.connection, texts["client_id"])
    if app is None or app.login != "instagram" or not _is_secret(app, texts["client_secret"]):
        raise _CodeRefusal("Error validating client secret")
    row = _code(context, texts["code"])
    if row is None or row.app_id != app.app_id or row.used or context.now >= row.expires_at:
        raise _CodeRefusal(_BAD_CODE)
    if texts["redirect_uri"] != row.redirect_uri:
        raise _CodeRefusal(_BAD_CODE)
    return _spend(context, row, "short", SHORT_LIFE_S["instagram"])


def _spend(context: Context, row: Row[Any], kind: str, life_s: float) -> Token:
    account = world.account(context.connection, row.username)
    assert account is not None
    context.connection.execute(update(codes).where(codes.c.code == row.code).values(used=True))
    journal.note(context.connection, context.entry, username=row.username)
    return tokens.issue(context.connection, kind, row.app_id, account, scopes=row.scopes, now=context.now, life_s=life_s)


def _long(context: Context, caller: Caller, kind: str) -> Answer:
    account = _account(context, caller.token)
    scopes, app_id = caller.token.scopes, caller.app.app_id
    token = tokens.issue(context.connection, kind, app_id, account, scopes=scopes, now=context.now, life_s=LONG_LIFE_S)
    return _granted(context, token)


def _granted(context: Context, token: Token) -> Answer:
    assert token.expires_at is not None
    return {"access_token": token.token, "token_type": "bearer", "expires_in": round(token.expires_at - context.now)}


def _code(context: Context, code: str) -> Row[Any] | None:
    return context.connection.execute(select(codes).where(codes.c.code == code)).first()


def _client(context: Context, given: Given, login: str) -> App:
    app = world.app(context.connection, given.needed("client_id"))
    if app is None or app.login != login or not _is_secret(app, given.needed("client_secret")):
        raise Refusal(100, message="Error validating client secret.")
    return app


def _check_grant(given: Given, known: Collection[str]) -> None:
    if given.needed("grant_type") not in known:
        raise Refusal(100, message=f"(#100) Param grant_type must be one of {sorted(known)}")


def _is_secret(app: App, secret: str) -> bool:
    return secrets.compare_digest(app.app_secret.encode(), secret.encode())


def _account(context: Context, token: Token) -> Account:
    account = world.account(context.connection, token.username)
    assert account is not None
    return account
