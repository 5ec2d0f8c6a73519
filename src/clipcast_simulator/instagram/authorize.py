"""The two authorize pages: a consent form, or an error page that names the bad parameter. Bad parameters never redirect."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from sqlalchemy import insert

from clipcast_simulator.exchange import Context, Handler, Reply, Request, text_reply
from clipcast_simulator.instagram import ids, world
from clipcast_simulator.instagram.tables import codes
from clipcast_simulator.instagram.world import App, Login

CONSENT_PATH: Final = "/instagram/oauth/authorize/consent"
CODE_LIFE_S: Final = {"instagram": 3_600.0, "facebook": 600.0}  #: the second is not documented

_PARAMETERS: Final[dict[str, frozenset[str]]] = {
    "instagram": frozenset({"client_id", "redirect_uri", "response_type", "scope", "state", "force_reauth", "enable_fb_login"}),
    "facebook": frozenset({"client_id", "redirect_uri", "response_type", "scope", "state", "config_id", "auth_type"}),
}
_BOOLEANS: Final = ("force_reauth", "enable_fb_login")
_USERNAME: Final = re.compile(r"[a-z0-9._]{1,30}")

_REFUSED: Final[dict[str, dict[str, str]]] = {
    "instagram": {"error": "access_denied", "error_reason": "user_denied", "error_description": "The user denied your request."},
    "facebook": {
        "error": "access_denied",
        "error_code": "200",
        "error_description": "Permissions error",
        "error_reason": "user_denied",
    },
}

_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>
<body style="font: 1rem/1.5 sans-serif; max-width: 30rem; margin: 3rem auto; padding: 0 1rem">
{body}
</body></html>
"""
_CONSENT: Final = """<h1>Authorize {client}</h1>
<p>This is the Clipcast simulator, not Instagram. The app <code>{client}</code> asks for access ({login} login).</p>
<form method="post" action="{action}">
{hidden}
<p><label>Account <input name="username" value="{username}" list="accounts" pattern="[a-z0-9._]+" required></label>
<datalist id="accounts">{accounts}</datalist></p>
<fieldset><legend>It may</legend>
{scopes}
</fieldset>
<p><button name="decision" value="authorize">Allow</button>
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
    state: str | None


def page(login: Login) -> Handler:
    """Return the handler that shows the consent form of a login."""

    def show(context: Context, request: Request) -> Reply:
        given = dict(parse_qsl(request.query, keep_blank_values=True))
        try:
            ask = _ask(context, given, login)
        except BadParameter as error:
            return _error_page(error.name)
        return _html(200, f"Authorize {ask.app.app_id}", _consent(context, ask, given, login))

    return show


def consent(context: Context, request: Request) -> Reply:
    """Take the decision and send the browser back to the app."""
    pairs = parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    sent = dict(pairs)
    app = world.app(context.connection, sent.get("client_id", ""))
    login = "instagram" if app is None else app.login
    given = {name: value for name, value in pairs if name in _PARAMETERS[login]}
    try:
        ask = _ask(context, given, login)
    except BadParameter as error:
        return _error_page(error.name)
    state = {} if ask.state is None else {"state": ask.state}
    if sent.get("decision") != "authorize":
        return _redirect(ask.redirect_uri, _REFUSED[login] | state)
    username = sent.get("username", "")
    account = world.account(context.connection, username)
    if not _USERNAME.fullmatch(username) or (account is not None and account.login != login):
        return _error_page("username")
    if account is None:
        world.save_account(context.connection, world.new_account(context.connection, username, login))
    granted = [value for name, value in pairs if name == "grant" and value in ask.scopes]
    code = _issue_code(context, ask, username, granted)
    return _redirect(ask.redirect_uri, {"code": code} | state, "_" if login == "instagram" else "")


def matches(registered: str, uri: str) -> bool:
    """Say whether a redirect URI is a registered one; `*` stands for any port.

    >>> matches("http://127.0.0.1:*/callback", "http://127.0.0.1:8000/callback")
    True
    """
    if ":*/" not in registered:
        return uri == registered
    before, _, after = registered.partition(":*/")
    return re.fullmatch(rf"{re.escape(before)}:\d{{1,5}}/{re.escape(after)}", uri) is not None


def _ask(context: Context, given: Mapping[str, str], login: str) -> Ask:
    """Check the parameters; raises BadParameter."""
    app = world.app(context.connection, given.get("client_id", ""))
    if app is None or app.login != login:
        raise BadParameter("client_id")
    if unknown := sorted(given.keys() - _PARAMETERS[login]):
        raise BadParameter(unknown[0])
    uri = given.get("redirect_uri", "")
    if not any(matches(known, uri) for known in app.redirect_uris):
        raise BadParameter("redirect_uri")
    if given.get("response_type") != "code":
        raise BadParameter("response_type")
    for name in _BOOLEANS:
        if given.get(name, "true") not in ("true", "false"):
            raise BadParameter(name)
    if given.get("auth_type", "rerequest") != "rerequest":
        raise BadParameter("auth_type")
    return Ask(app, _scopes(given, login), uri, given.get("state"))


def _scopes(given: Mapping[str, str], login: str) -> tuple[str, ...]:
    """Read the scopes, separated by commas or spaces; a saved configuration stands for all of them."""
    if login == "facebook" and given.get("config_id") and "scope" not in given:
        return world.SCOPES["facebook"]
    scopes = tuple(dict.fromkeys(re.split(r"[, ]", given.get("scope", ""))))
    if not set(scopes) <= set(world.SCOPES[login]):
        raise BadParameter("scope")
    if login == "instagram" and "instagram_business_basic" not in scopes:
        raise BadParameter("scope")
    return scopes


def _issue_code(context: Context, ask: Ask, username: str, granted: list[str]) -> str:
    code = ids.code()
    context.connection.execute(
        insert(codes).values(
            code=code,
            app_id=ask.app.app_id,
            username=username,
            redirect_uri=ask.redirect_uri,
            scopes=granted,
            expires_at=context.now + CODE_LIFE_S[ask.app.login],
        )
    )
    return code


def _consent(context: Context, ask: Ask, given: Mapping[str, str], login: str) -> str:
    names = [account.username for account in world.all_accounts(context.connection) if account.login == login]
    boxes = (f'<label><input type="checkbox" name="grant" value="{escape(s)}" checked> {escape(s)}</label><br>' for s in ask.scopes)
    hidden = (f'<input type="hidden" name="{escape(k)}" value="{escape(v)}">' for k, v in given.items())
    return _CONSENT.format(
        client=escape(ask.app.app_id),
        login=login,
        action=CONSENT_PATH,
        hidden="\n".join(hidden),
        username=escape(names[0]) if names else "creator",
        accounts="".join(f'<option value="{escape(name)}">' for name in names),
        scopes="\n".join(boxes),
    )


def _redirect(uri: str, parameters: Mapping[str, str], fragment: str = "") -> Reply:
    location = urlsplit(uri)._replace(query=urlencode(parameters), fragment=fragment).geturl()
    return Reply(302, headers=(("location", location), ("cache-control", "no-store")))


def _error_page(name: str) -> Reply:
    return _html(400, "Error", f"<h1>Invalid Request</h1><p>Request parameters are invalid: Invalid {escape(name)}</p>")


def _html(status: int, title: str, body: str) -> Reply:
    return text_reply(status, _PAGE.format(title=escape(title), body=body), "text/html")
