"""The token endpoint and revocation (OAuth section of the reference)."""

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from sqlalchemy import select, update

from clipcast_simulator import journal
from clipcast_simulator.exchange import Context, Handler, Reply, Request, json_reply
from clipcast_simulator.youtube import tokens, world
from clipcast_simulator.youtube.oauth_errors import DEAD_TOKEN, OAuthRefusal, refused
from clipcast_simulator.youtube.tables import codes
from clipcast_simulator.youtube.tokens import Token
from clipcast_simulator.youtube.world import App

_FORM_TYPE: Final = re.compile(r"application/x-www-form-urlencoded(; ?charset=utf-8)?", re.IGNORECASE)
_VERIFIER: Final = re.compile(r"[A-Za-z0-9\-._~]{43,128}")

Form = Mapping[str, str]


def challenge(verifier: str, method: str) -> str:
    """Return the code challenge of a verifier: base64url without padding of its SHA-256, or the verifier itself.

    >>> challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "S256")
    'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
    """
    if method == "plain":
        return verifier
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode()


def answering(handler: Callable[[Context, Form], Reply]) -> Handler:
    """Wrap a function of the form into one that answers, and refuses in OAuth's shape."""

    def answer(context: Context, request: Request) -> Reply:
        try:
            return handler(context, _form(request))
        except OAuthRefusal as refusal:
            return refused(refusal)

    return answer


def token(context: Context, form: Form) -> Reply:
    """Exchange a code or a refresh token for tokens. Parameters that Google does not know are ignored, as RFC 6749 asks."""
    grant_type = _needed(form, "grant_type")
    if grant_type not in ("authorization_code", "refresh_token"):
        raise OAuthRefusal("unsupported_grant_type", f"Invalid grant_type: {grant_type}")
    app = _client(context, form)
    return _exchange(context, app, form) if grant_type == "authorization_code" else _refresh(context, app, form)


def revoke(context: Context, form: Form) -> Reply:
    """End the whole project's access to the user behind an access or refresh token."""
    sent = _needed(form, "token")
    found = tokens.find_access(context.connection, sent) or tokens.find_refresh(context.connection, sent)
    if found is None or not found.lives(context.now):
        raise OAuthRefusal("invalid_token", "Token expired or revoked")
    journal.note(context.connection, context.entry, username=found.username)
    tokens.revoke_project(context.connection, found.client_id, found.username)
    return json_reply(200, {}, "ok")


def _form(request: Request) -> Form:
    if not _FORM_TYPE.fullmatch(request.header("content-type") or ""):
        raise OAuthRefusal("invalid_request", "Content-Type must be application/x-www-form-urlencoded.")
    try:
        pairs = parse_qsl(request.body.decode(), keep_blank_values=True, strict_parsing=True)
    except ValueError as error:
        raise OAuthRefusal("invalid_request", "The request body is malformed.") from error
    form = dict(pairs)
    if len(form) != len(pairs):
        raise OAuthRefusal("invalid_request", "A parameter is repeated.")
    return form


def _needed(form: Form, name: str) -> str:
    if not form.get(name):
        raise OAuthRefusal("invalid_request", f"Missing required parameter: {name}")
    return form[name]


def _client(context: Context, form: Form) -> App:
    client_id, secret = _needed(form, "client_id"), _needed(form, "client_secret")
    app = world.app(context.connection, client_id)
    if app is None:
        raise OAuthRefusal("invalid_client", "The OAuth client was not found.")
    if not secrets.compare_digest(app.client_secret.encode(), secret.encode()):
        raise OAuthRefusal("invalid_client", "Unauthorized")
    return app


def _exchange(context: Context, app: App, form: Form) -> Reply:
    row = context.connection.execute(select(codes).where(codes.c.code == _needed(form, "code"))).first()
    if row is None or row.client_id != app.client_id or row.used or context.now >= row.expires_at:
        raise OAuthRefusal("invalid_grant", "Bad Request")
    if _needed(form, "redirect_uri") != row.redirect_uri:
        raise OAuthRefusal("redirect_uri_mismatch", "Bad Request")
    _check_verifier(form.get("code_verifier"), row.challenge, row.challenge_method)
    context.connection.execute(update(codes).where(codes.c.code == row.code).values(used=True))
    tokens.grant(context.connection, app.client_id, row.username, row.scopes)
    refresh = issue_refresh(context, app, row.username, row.scopes) if row.offline else None
    access = tokens.issue_access(context.connection, app.client_id, row.username, row.scopes, context.now)
    return _granted(context, access, refresh)


def issue_refresh(context: Context, app: App, username: str, scopes: tuple[str, ...]) -> Token:
    """Make a refresh token, which lives 7 days in testing mode."""
    account = world.account(context.connection, username)
    testing = context.settings.youtube.testing_mode or (account is not None and account.testing)
    return tokens.issue_refresh(context.connection, app.client_id, username, scopes, context.now, testing=testing)


def _check_verifier(verifier: str | None, stored: str | None, method: str | None) -> None:
    """Refuse a verifier that does not belong to the challenge; both or neither must have been sent."""
    if stored is None and verifier is None:
        return
    if verifier is None:
        raise OAuthRefusal("invalid_grant", "Missing code verifier.")
    fits = stored is not None and _VERIFIER.fullmatch(verifier) is not None
    if not fits or not secrets.compare_digest(challenge(verifier, method or "plain"), stored or ""):
        raise OAuthRefusal("invalid_grant", "Invalid code verifier.")


def _refresh(context: Context, app: App, form: Form) -> Reply:
    """Give a fresh access token; the refresh token stays, and is not repeated."""
    old = tokens.find_refresh(context.connection, _needed(form, "refresh_token"))
    if old is None or old.client_id != app.client_id or not old.lives(context.now):
        raise OAuthRefusal("invalid_grant", DEAD_TOKEN)
    tokens.use_refresh(context.connection, old, context.now)
    access = tokens.issue_access(context.connection, app.client_id, old.username, old.scopes, context.now)
    return _granted(context, access, None)


def _granted(context: Context, access: Token, refresh: Token | None) -> Reply:
    journal.note(context.connection, context.entry, username=access.username)
    content: dict[str, Any] = {
        "access_token": access.token,
        "expires_in": tokens.ACCESS_LIFE_S,
        "scope": " ".join(world.ordered(access.scopes)),
        "token_type": "Bearer",
    }
    if refresh is not None:
        content["refresh_token"] = refresh.token
        if refresh.ends_at is not None:
            content["refresh_token_expires_in"] = tokens.TESTING_LIFE_S
    return json_reply(200, content, "ok")
