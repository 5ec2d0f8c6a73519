"""The token and revoke endpoints: form-encoded, flat answers, hex PKCE."""

import hashlib
import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from sqlalchemy import select, update

from clipcast_simulator import journal
from clipcast_simulator.exchange import Context, Handler, Reply, Request, json_reply
from clipcast_simulator.tiktok import tasks, tokens, world
from clipcast_simulator.tiktok.oauth_errors import OAuthRefusal, refused
from clipcast_simulator.tiktok.tables import codes
from clipcast_simulator.tiktok.world import App

_FORM_TYPE: Final = re.compile(r"application/x-www-form-urlencoded(; ?charset=utf-8)?", re.IGNORECASE)
_VERIFIER: Final = re.compile(r"[A-Za-z0-9\-._~]{43,128}")
_CLIENT: Final = ("client_key", "client_secret")

#: The fields of each grant, required and optional.
_GRANTS: Final[Mapping[str, tuple[frozenset[str], frozenset[str]]]] = {
    "authorization_code": (frozenset({"code", "redirect_uri"}), frozenset({"code_verifier"})),
    "refresh_token": (frozenset({"refresh_token"}), frozenset()),
    "client_credentials": (frozenset(), frozenset()),
}

Form = Mapping[str, str]


def challenge(verifier: str) -> str:
    """Return TikTok's code challenge: the hexadecimal SHA-256, where RFC 7636 has base64url.

    >>> challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")[:8]
    '13d31e96'
    """
    return hashlib.sha256(verifier.encode("ascii")).hexdigest()


def answering(handler: Callable[[Context, Form], Reply]) -> Handler:
    """Wrap a function of the form into one that answers, and refuses in the flat shape."""

    def answer(context: Context, request: Request) -> Reply:
        try:
            return handler(context, _form(request))
        except OAuthRefusal as refusal:
            return refused(context, refusal)

    return answer


def token(context: Context, form: Form) -> Reply:
    """Exchange a code, a refresh token or the client's own credentials for tokens."""
    grant_type = form.get("grant_type")
    if grant_type is None:
        raise OAuthRefusal("invalid_request", "The parameter grant_type is missing.")
    if grant_type not in _GRANTS:
        raise OAuthRefusal("unsupported_grant_type", "The grant type is not supported.")
    needed, optional = _GRANTS[grant_type]
    _check_parameters(form, {"grant_type", *_CLIENT, *needed}, optional)
    app = _client(context, form)
    if grant_type == "authorization_code":
        return _exchange(context, app, form)
    if grant_type == "refresh_token":
        return _refresh(context, app, form["refresh_token"])
    access = tokens.issue_access(context.connection, app.client_key, None, (), context.now)
    granted = {"access_token": access, "expires_in": tokens.APP_TOKEN_LIFE_S, "token_type": "Bearer"}
    return json_reply(200, granted, "ok")


def revoke(context: Context, form: Form) -> Reply:
    """End an app's access to the user behind an access token; the answer's body is empty."""
    _check_parameters(form, {"token", *_CLIENT}, frozenset())
    app = _client(context, form)
    found = tokens.find_access(context.connection, form["token"])
    if found is None or found.client_key != app.client_key or found.revoked or found.username is None:
        raise OAuthRefusal("invalid_grant", "The access token is invalid or was issued to another client.")
    tasks.disconnect(context, app.client_key, found.username, reason=5)
    return Reply(200, code="ok")


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


def _check_parameters(form: Form, needed: set[str], optional: frozenset[str]) -> None:
    if missing := sorted(name for name in needed if not form.get(name)):
        raise OAuthRefusal("invalid_request", f"The parameter {missing[0]} is missing.")
    if unknown := sorted(form.keys() - needed - optional):
        raise OAuthRefusal("invalid_request", f"The parameter {unknown[0]} is unknown.")


def _client(context: Context, form: Form) -> App:
    app = world.app(context.connection, form["client_key"])
    if app is None or not secrets.compare_digest(app.client_secret.encode(), form["client_secret"].encode()):
        raise OAuthRefusal("invalid_client", "Client authentication failed.")
    return app


def _exchange(context: Context, app: App, form: Form) -> Reply:
    row = context.connection.execute(select(codes).where(codes.c.code == form["code"])).first()
    if row is None or row.client_key != app.client_key or row.used or context.now >= row.expires_at:
        raise OAuthRefusal("invalid_grant", "Authorization code is expired.")
    if form["redirect_uri"] != row.redirect_uri:
        raise OAuthRefusal("invalid_request", "Redirect_uri is not matched with the uri when requesting code.")
    verifier = form.get("code_verifier")
    if not _proves(verifier, row.challenge):
        raise OAuthRefusal("invalid_request", "Code verifier or code challenge is invalid.")
    context.connection.execute(update(codes).where(codes.c.code == row.code).values(used=True))
    open_id = tokens.grant(context.connection, app.client_key, row.username, row.scopes)
    pair = tokens.issue(context.connection, app.client_key, row.username, row.scopes, context.now)
    return _granted(context, row.username, open_id, pair)


def _proves(verifier: str | None, stored: str | None) -> bool:
    """Say whether a verifier belongs to the challenge; both or neither must have been sent."""
    if verifier is None or stored is None:
        return verifier is None and stored is None
    return _VERIFIER.fullmatch(verifier) is not None and secrets.compare_digest(challenge(verifier), stored)


def _refresh(context: Context, app: App, sent: str) -> Reply:
    """Refresh, with the rotation that the knob says. The old access token lives out its day."""
    old = tokens.find_refresh(context.connection, sent)
    if old is None or old.client_key != app.client_key or not old.lives(context.now):
        raise OAuthRefusal("invalid_grant", "Refresh token is invalid or expired.")
    assert old.username is not None
    knobs = context.settings.tiktok
    ends = context.now + tokens.REFRESH_LIFE_S if knobs.refresh_life == "extended" else old.expires_at
    scopes = tokens.ordered(old.scopes)
    if knobs.refresh_rotation == "never":
        refresh = sent
        tokens.extend_refresh(context.connection, sent, ends)
    else:
        refresh = tokens.issue_refresh(context.connection, app.client_key, old.username, scopes, ends)
    if knobs.refresh_rotation == "old_token_dies":
        tokens.kill_refresh(context.connection, sent)
    access = tokens.issue_access(context.connection, app.client_key, old.username, scopes, context.now)
    pair = tokens.Pair(access, refresh, context.now + tokens.ACCESS_LIFE_S, ends, scopes)
    open_id = tokens.open_id(context.connection, app.client_key, old.username)
    return _granted(context, old.username, open_id, pair)


def _granted(context: Context, username: str, open_id: str, pair: tokens.Pair) -> Reply:
    journal.note(context.connection, context.entry, username=username)
    content: dict[str, Any] = {
        "access_token": pair.access,
        "expires_in": round(pair.expires_at - context.now),
        "open_id": open_id,
        "refresh_token": pair.refresh,
        "refresh_expires_in": round(pair.refresh_expires_at - context.now),
        "scope": ",".join(pair.scopes),
        "token_type": "Bearer",
    }
    return json_reply(200, content, "ok")
