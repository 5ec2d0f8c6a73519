"""The authorize page: a consent form, or an error page that names the bad parameter. Bad parameters never redirect."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from sqlalchemy import insert

from clipcast_simulator.exchange import Context, Reply, Request, text_reply
from clipcast_simulator.tiktok import ids, ownership, world
from clipcast_simulator.tiktok.tables import codes
from clipcast_simulator.tiktok.world import App

CONSENT_PATH: Final = "/tiktok/v2/auth/authorize/consent/"
CODE_LIFE_S: Final = 300.0  #: undocumented; minutes

_PARAMETERS: Final = frozenset(
    {
        *("client_key", "scope", "response_type", "redirect_uri", "state", "disable_auto_auth"),
        *("code_challenge", "code_challenge_method"),
    }
)
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9\-._~]{43,128}")
_USERNAME: Final = re.compile(r"[a-z0-9._]{2,24}")

#: Numbers of the error page. 10007 was seen for a missing challenge; the others are ours.
_ERR_CODES: Final = {
    "client_key": 10003,
    "redirect_uri": 10006,
    "code_challenge": 10007,
    "code_challenge_method": 10008,
    "scope": 10004,
    "response_type": 10005,
    "state": 10009,
}

_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>
<body style="font: 1rem/1.5 sans-serif; max-width: 30rem; margin: 3rem auto; padding: 0 1rem">
{body}
</body></html>
"""
_CONSENT: Final = """<h1>Authorize {client}</h1>
<p>This is the Clipcast simulator, not TikTok. The app <code>{client}</code> asks for access.</p>
<form method="post" action="{action}">
{hidden}
<p><label>Account <input name="username" value="{username}" list="accounts" pattern="[a-z0-9._]+" required></label>
<datalist id="accounts">{accounts}</datalist></p>
<fieldset><legend>It may</legend>
{scopes}
</fieldset>
<p><button name="decision" value="authorize">Authorize</button>
<button name="decision" value="cancel">Cancel</button></p>
</form>"""


class BadParameter(Exception):
    """A parameter of the authorize request is missing or wrong."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True, slots=True)
class Ask:
    """A valid authorize request."""

    app: App
    scopes: tuple[str, ...]
    redirect_uri: str
    state: str
    challenge: str | None


def page(context: Context, request: Request) -> Reply:
    """Show the consent form."""
    given = dict(parse_qsl(request.query, keep_blank_values=True))
    try:
        ask = _ask(context, given)
    except BadParameter as error:
        return _error_page(error.name)
    return _html(200, f"Authorize {ask.app.client_key}", _consent(context, ask, given))


def consent(context: Context, request: Request) -> Reply:
    """Take the decision and send the browser back to the app."""
    pairs = parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    given = {name: value for name, value in pairs if name in _PARAMETERS}
    try:
        ask = _ask(context, given)
    except BadParameter as error:
        return _error_page(error.name)
    decision = dict(pairs).get("decision")
    if decision != "authorize":
        refusal = {"error": "access_denied", "error_description": "User cancelled the authorization"}
        return _redirect(ask.redirect_uri, refusal | {"state": ask.state})
    username = dict(pairs).get("username", "")
    granted = tuple(value for name, value in pairs if name == "grant" and value in ask.scopes)
    if not _USERNAME.fullmatch(username):
        return _error_page("username")
    code = _issue_code(context, ask, username, granted)
    return _redirect(ask.redirect_uri, {"code": code, "scopes": ",".join(granted), "state": ask.state})


def matches(registered: str, uri: str) -> bool:
    """Say whether a redirect URI is a registered one; `*` stands for any port.

    >>> matches("http://127.0.0.1:*/callback/", "http://127.0.0.1:8000/callback/")
    True
    """
    if ":*/" not in registered:
        return uri == registered
    before, _, after = registered.partition(":*/")
    return re.fullmatch(rf"{re.escape(before)}:\d{{1,5}}/{re.escape(after)}", uri) is not None


def _ask(context: Context, given: Mapping[str, str]) -> Ask:
    """Check the parameters; raises BadParameter."""
    app = world.app(context.connection, given.get("client_key", ""))
    if app is None:
        raise BadParameter("client_key")
    if unknown := sorted(given.keys() - _PARAMETERS):
        raise BadParameter(unknown[0])
    uri = given.get("redirect_uri", "")
    if ownership.web_address(uri) is None or not any(matches(known, uri) for known in app.redirect_uris):
        raise BadParameter("redirect_uri")
    if given.get("response_type") != "code":
        raise BadParameter("response_type")
    scopes = tuple(given.get("scope", "").split(","))
    if not set(scopes) <= set(app.scopes):
        raise BadParameter("scope")
    if not given.get("state"):
        raise BadParameter("state")
    if given.get("disable_auto_auth", "0") not in ("0", "1"):
        raise BadParameter("disable_auto_auth")
    return Ask(app, scopes, uri, given["state"], _challenge(context, given))


def _challenge(context: Context, given: Mapping[str, str]) -> str | None:
    """Read the PKCE challenge. Its encoding is not judged here: a wrong one shows at the token exchange."""
    challenge = given.get("code_challenge")
    if challenge is None and "code_challenge_method" not in given and context.settings.tiktok.pkce == "optional":
        return None
    if challenge is None or not _CHALLENGE.fullmatch(challenge):
        raise BadParameter("code_challenge")
    if given.get("code_challenge_method") != "S256":
        raise BadParameter("code_challenge_method")
    return challenge


def _issue_code(context: Context, ask: Ask, username: str, granted: tuple[str, ...]) -> str:
    if world.account(context.connection, username) is None:
        world.save_account(context.connection, world.new_account(username))
    code = ids.code()
    context.connection.execute(
        insert(codes).values(
            code=code,
            client_key=ask.app.client_key,
            username=username,
            redirect_uri=ask.redirect_uri,
            scopes=list(granted),
            challenge=ask.challenge,
            expires_at=context.now + CODE_LIFE_S,
        )
    )
    return code


def _consent(context: Context, ask: Ask, given: Mapping[str, str]) -> str:
    names = world.usernames(context.connection)
    boxes = (f'<label><input type="checkbox" name="grant" value="{escape(s)}" checked> {escape(s)}</label><br>' for s in ask.scopes)
    hidden = (f'<input type="hidden" name="{escape(k)}" value="{escape(v)}">' for k, v in given.items())
    return _CONSENT.format(
        client=escape(ask.app.client_key),
        action=CONSENT_PATH,
        hidden="\n".join(hidden),
        username=escape(names[0]) if names else "creator",
        accounts="".join(f'<option value="{escape(name)}">' for name in names),
        scopes="\n".join(boxes),
    )


def _redirect(uri: str, parameters: Mapping[str, str]) -> Reply:
    location = urlsplit(uri)._replace(query=urlencode(parameters)).geturl()
    return Reply(302, headers=(("location", location), ("cache-control", "no-store")))


def _error_page(name: str) -> Reply:
    number = _ERR_CODES.get(name, 10000)
    body = (
        f"<h1>Something went wrong</h1><p>We couldn't log in with TikTok. This may be due to specific app settings.</p>"
        f"<p>If you're a developer, correct the following and try again:</p><ul><li>{escape(name)}</li></ul>"
        f"<p>errCode={number}</p>"
    )
    return _html(400, "Error", body)


def _html(status: int, title: str, body: str) -> Reply:
    return text_reply(status, _PAGE.format(title=escape(title), body=body), "text/html")
