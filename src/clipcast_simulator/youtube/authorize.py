"""The consent page, with the choice of a channel, or an error page that names what is wrong. Errors there never redirect."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from sqlalchemy import insert

from clipcast_simulator.exchange import Context, Reply, Request, text_reply
from clipcast_simulator.youtube import ids, tokens, world
from clipcast_simulator.youtube.tables import codes
from clipcast_simulator.youtube.world import App, ordered

CONSENT_PATH: Final = "/youtube/o/oauth2/v2/auth/consent"
CODE_LIFE_S: Final = 600.0  #: "about 10 minutes"

_PROMPTS: Final = frozenset({"none", "consent", "select_account"})
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9\-._~]{43,128}")
_LOOPBACK: Final = re.compile(r"http://(127\.0\.0\.1|\[::1\])(:\d{1,5})?(/[^#]*)?")
_USERNAME: Final = re.compile(r"[a-z0-9._-]{2,30}")
_FORM: Final = ("username", "grant", "decision")

_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>
<body style="font: 1rem/1.5 sans-serif; max-width: 30rem; margin: 3rem auto; padding: 0 1rem">
{body}
</body></html>
"""
_CONSENT: Final = """<h1>Choose a channel</h1>
<p>This is the Clipcast simulator, not Google. The app <code>{client}</code> wants access to a channel.</p>
<form method="post" action="{action}">
{hidden}
<p><label>Channel <input name="username" value="{username}" list="channels" pattern="[a-z0-9._\\-]+" required></label>
<datalist id="channels">{channels}</datalist></p>
<fieldset><legend>Select what it can access</legend>
{scopes}
</fieldset>
<p><button name="decision" value="authorize">Continue</button>
<button name="decision" value="cancel">Cancel</button></p>
</form>"""


class Refused(Exception):
    """The authorization request is wrong; the browser stays on Google's error page."""

    def __init__(self, error: str, sentence: str, status: int = 400) -> None:
        super().__init__(error)
        self.error = error
        self.sentence = sentence
        self.status = status


@dataclass(frozen=True, slots=True)
class Ask:
    """A valid authorization request."""

    app: App
    scopes: tuple[str, ...]
    redirect_uri: str
    state: str | None
    offline: bool
    prompts: frozenset[str]
    incremental: bool
    challenge: str | None
    challenge_method: str | None


def page(context: Context, request: Request) -> Reply:
    """Show the consent form."""
    given = dict(parse_qsl(request.query, keep_blank_values=True))
    try:
        ask = _ask(context, given)
    except Refused as refused:
        return _error_page(refused)
    if "none" in ask.prompts:  # nobody is signed in here
        return _redirect(ask, {"error": "interaction_required"})
    return _html(200, "Sign in", _consent(context, ask, given))


def consent(context: Context, request: Request) -> Reply:
    """Take the decision and send the browser back to the app."""
    pairs = parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    given = {name: value for name, value in pairs if name not in _FORM}
    answers = dict(pairs)
    try:
        ask = _ask(context, given)
    except Refused as refused:
        return _error_page(refused)
    username = answers.get("username", "")
    if not _USERNAME.fullmatch(username):
        return _error_page(Refused("invalid_request", "There is no such channel."))
    granted = tuple(value for name, value in pairs if name == "grant" and value in ask.scopes)
    if answers.get("decision") != "authorize" or not granted:
        return _redirect(ask, {"error": "access_denied"})
    return _redirect(ask, _granted(context, ask, username, granted))


def matches(app: App, uri: str) -> bool:
    """Say whether an app may be answered at a URI: a registered one, exactly; `*` stands for any port.

    A desktop app is answered on any port of a loopback address.
    """
    if app.kind == "desktop":
        return _LOOPBACK.fullmatch(uri) is not None
    return any(_is_registered(known, uri) for known in app.redirect_uris)


def _is_registered(known: str, uri: str) -> bool:
    before, star, after = known.partition(":*/")
    return uri == known if not star else re.fullmatch(rf"{re.escape(before)}:\d{{1,5}}/{re.escape(after)}", uri) is not None


def _ask(context: Context, given: Mapping[str, str]) -> Ask:
    """Check the parameters; raises Refused."""
    if not given.get("client_id"):
        raise Refused("invalid_request", "Missing required parameter: client_id")
    app = world.app(context.connection, given["client_id"])
    if app is None:
        raise Refused("invalid_client", "The OAuth client was not found.", 401)
    uri = given.get("redirect_uri", "")
    if not uri:
        raise Refused("invalid_request", "Missing required parameter: redirect_uri")
    if not matches(app, uri):
        raise Refused("redirect_uri_mismatch", f"You can't sign in because {uri} is not registered.")
    if given.get("response_type") != "code":
        raise Refused("invalid_request", "Required parameter is missing or wrong: response_type")
    scopes = tuple(given.get("scope", "").split())
    if unknown := [scope for scope in scopes if scope not in world.SCOPES] or ([] if scopes else [""]):
        raise Refused("invalid_scope", f"Some requested scopes were invalid: {unknown[0]}")
    return Ask(
        app=app,
        scopes=tuple(dict.fromkeys(scopes)),
        redirect_uri=uri,
        state=given.get("state"),
        offline=_choice(given, "access_type", ("online", "offline")) == "offline",
        prompts=_prompts(given),
        incremental=_choice(given, "include_granted_scopes", ("false", "true")) == "true",
        **_pkce(given),
    )


def _choice(given: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    value = given.get(name, choices[0])
    if value not in choices:
        raise Refused("invalid_request", f"Invalid value for {name}: {value}")
    return value


def _prompts(given: Mapping[str, str]) -> frozenset[str]:
    prompts = frozenset(given.get("prompt", "").split())
    if not prompts <= _PROMPTS or ("none" in prompts and len(prompts) > 1):
        raise Refused("invalid_request", f"Invalid prompt: {given['prompt']}")
    return prompts


def _pkce(given: Mapping[str, str]) -> dict[str, str | None]:
    challenge, method = given.get("code_challenge"), given.get("code_challenge_method")
    if challenge is None and method is None:
        return {"challenge": None, "challenge_method": None}
    if challenge is None or not _CHALLENGE.fullmatch(challenge):
        raise Refused("invalid_request", "Invalid code_challenge")
    if method not in (None, "S256", "plain"):
        raise Refused("invalid_request", f"Invalid code_challenge_method: {method}")
    return {"challenge": challenge, "challenge_method": method or "plain"}


def _granted(context: Context, ask: Ask, username: str, granted: tuple[str, ...]) -> dict[str, str]:
    """Record the consent and return what the app is told."""
    if world.account(context.connection, username) is None:
        world.save_account(context.connection, world.new_account(username, context.now))
    before = tokens.granted(context.connection, ask.app.client_id, username)
    is_news = before is None or not set(granted) <= set(before)
    wants_refresh = ask.app.kind == "desktop" or (ask.offline and ("consent" in ask.prompts or is_news))
    if ask.incremental and ask.app.kind == "web":
        granted = ordered((*granted, *(before or ())))
    code = ids.code()
    context.connection.execute(
        insert(codes).values(
            code=code,
            client_id=ask.app.client_id,
            username=username,
            redirect_uri=ask.redirect_uri,
            scopes=list(granted),
            offline=wants_refresh,
            challenge=ask.challenge,
            challenge_method=ask.challenge_method,
            expires_at=context.now + CODE_LIFE_S,
        )
    )
    return {"code": code, "scope": " ".join(granted)}


def _consent(context: Context, ask: Ask, given: Mapping[str, str]) -> str:
    names = world.usernames(context.connection)
    hint = given.get("login_hint", "")
    chosen = hint if _USERNAME.fullmatch(hint) else names[0] if names else "creator"
    boxes = (f'<label><input type="checkbox" name="grant" value="{escape(s)}" checked> {escape(s)}</label><br>' for s in ask.scopes)
    hidden = (f'<input type="hidden" name="{escape(k)}" value="{escape(v)}">' for k, v in given.items() if k not in _FORM)
    return _CONSENT.format(
        client=escape(ask.app.client_id),
        action=CONSENT_PATH,
        hidden="\n".join(hidden),
        username=escape(chosen),
        channels="".join(f'<option value="{escape(name)}">' for name in names),
        scopes="\n".join(boxes),
    )


def _redirect(ask: Ask, parameters: Mapping[str, str]) -> Reply:
    told = parameters if ask.state is None else {"state": ask.state, **parameters}
    parts = urlsplit(ask.redirect_uri)
    query = "&".join(filter(None, (parts.query, urlencode(told))))
    return Reply(302, headers=(("location", parts._replace(query=query).geturl()), ("cache-control", "no-store")))


def _error_page(refused: Refused) -> Reply:
    body = f"<h1>Access blocked</h1><p>{escape(refused.sentence)}</p><p>Error {refused.status}: {escape(refused.error)}</p>"
    return _html(refused.status, "Error", body)


def _html(status: int, title: str, body: str) -> Reply:
    return text_reply(status, _PAGE.format(title=escape(title), body=body), "text/html")
