"""Connecting an Instagram account with either of Meta's logins, and letting it go. What is Facebook's own is in `pages.py`.

Sources: https://developers.facebook.com/documentation/instagram-platform/instagram-api-with-instagram-login/business-login (page of
2026-03-13), .../reference/oauth-authorize and .../reference/access_token (undated copies)
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from clipcast.errors import ClipcastError, ConfigurationError, PlatformError, ProtocolError, Rejected
from clipcast.platforms.base import Answer, Credentials, Form, JsonValue, Request
from clipcast.platforms.consent import App, Consent, ConsentRefused, Linkable, check_allowed, code_of, page, text
from clipcast.platforms.instagram.codes import Meaning
from clipcast.platforms.instagram.errors import error, is_yes, kept, meaning_of, unreadable, words
from clipcast.platforms.instagram.limits import API_VERSION
from clipcast.platforms.instagram.oauth import flat, life
from clipcast.platforms.instagram.posting import ACCOUNT_ID, LOGIN

#: What is asked for, and what each is for.
SCOPES: Final[Mapping[str, str]] = {
    "instagram_business_basic": "see the account",
    "instagram_business_content_publish": "publish to the account",
}
APP: Final = App("instagram", "Instagram", ("app_id", "app_secret"))

_ENDED: Final = "was not found or was already used"
_PERSONAL: Final = (
    "@{username} is a personal account, to which no app may publish. Switch it to a professional account (creator or business) in "
    "Instagram's settings, then connect it again."
)
_PERMISSION: Final = "Instagram says that a permission is missing; connect the account again, and leave everything ticked."
_WRONG_APP: Final = (
    "Instagram gave access and then did not extend it. Most often CLIPCAST_INSTAGRAM_APP_ID and CLIPCAST_INSTAGRAM_APP_SECRET are those of "
    "the Meta app instead of its Instagram product, which has a pair of its own."
)


@dataclass(frozen=True, slots=True)
class Hosts:
    """Meta's hosts, each for one part of the way."""

    authorize_url: str  #: www.instagram.com or www.facebook.com
    code_url: str  #: api.instagram.com; Instagram login only
    token_url: str  #: graph.instagram.com; Instagram login only
    graph_url: str  #: graph.instagram.com or graph.facebook.com

    def graph(self, *path: str, **query: str) -> str:
        """An address of the Graph API."""
        return page("/".join([self.graph_url.rstrip("/"), API_VERSION, *path]), query)


def consent_url(hosts: Hosts, app: Credentials, consent: Consent) -> str:
    """Instagram's own consent page. It knows no PKCE."""
    APP.check(app)
    query = {
        "client_id": app.get("app_id"),
        "redirect_uri": consent.redirect_uri,
        "response_type": "code",
        "scope": ",".join(SCOPES),
        "state": consent.state,
    }
    return page(f"{hosts.authorize_url.rstrip('/')}/oauth/authorize", query)


def linking(
    hosts: Hosts, app: Credentials, consent: Consent, callback: Mapping[str, str], now: datetime
) -> Generator[Request, Answer, Sequence[Linkable]]:
    """Code to a token of an hour, that one to one of 60 days, then whose it is."""
    APP.check(app)
    code = code_of(callback, APP, consent).removesuffix("#_")  # a browser's address bar shows it, and it is no part of the code
    short, granted = _short((yield _exchange(hosts, app, consent, code)))
    check_allowed(SCOPES, granted or SCOPES, APP)
    answer = yield Request("GET", _lengthening(hosts, app, short), authorized=False)
    if not is_yes(answer):
        raise _not_lengthened(answer)
    body = flat(answer.json())
    if not (token := text(body.get("access_token"))):
        raise unreadable(answer)
    asked = hosts.graph("me", fields="user_id,username,account_type")
    external_id, username = _owner((yield Request("GET", asked, headers={"Authorization": f"Bearer {token}"}, authorized=False)))
    values = {LOGIN: "instagram", "access_token": token, ACCOUNT_ID: external_id}
    if granted:
        values["scope"] = ",".join(sorted(granted))
    return [Linkable(external_id, username, Credentials(values, expires_at=now + life(body)))]


def _exchange(hosts: Hosts, app: Credentials, consent: Consent, code: str) -> Request:
    fields = {
        "client_id": app.get("app_id"),
        "client_secret": app.get("app_secret"),
        "grant_type": "authorization_code",
        "redirect_uri": consent.redirect_uri,
        "code": code,
    }
    return Request("POST", f"{hosts.code_url.rstrip('/')}/oauth/access_token", body=Form(fields), authorized=False)


def _lengthening(hosts: Hosts, app: Credentials, short: str) -> str:
    """The only documented form has the secret and the token in the query."""
    query = {"grant_type": "ig_exchange_token", "client_secret": app.get("app_secret"), "access_token": short}
    return f"{hosts.token_url.rstrip('/')}/access_token?{urlencode(query)}"


def _short(answer: Answer) -> tuple[str, frozenset[str]]:
    """The token of an hour, and what was allowed: a list, or text with commas, or not said."""
    if not is_yes(answer):
        raise _code_refused(answer)
    body = flat(answer.json())
    if not (token := text(body.get("access_token"))):
        raise unreadable(answer)
    return token, listed(body.get("permissions"))


def listed(value: JsonValue) -> frozenset[str]:
    """Permissions, however they are listed.

    >>> sorted(listed("instagram_basic, pages_show_list")) == sorted(listed(["pages_show_list", "instagram_basic"]))
    True
    """
    parts = value if isinstance(value, list) else text(value).split(",")
    return frozenset(filter(None, map(text, parts)))


def _code_refused(answer: Answer) -> ClipcastError:
    """The code's own endpoint has one number for everything, so here alone the text decides: the code's fault, or the app's."""
    said = words(answer)
    if answer.status >= 500 or answer.status in (408, 429) or answer.json() is None:
        return trouble(answer)
    if _ENDED in said.message:
        return APP.spent()
    return APP.not_accepted() if 400 <= answer.status < 500 else unreadable(answer)


def _not_lengthened(answer: Answer) -> ClipcastError:
    """Code 100 is the complaint about a token and an app that do not belong together."""
    return ConfigurationError(_WRONG_APP) if words(answer).code == 100 else trouble(answer)


def _owner(answer: Answer) -> tuple[str, str]:
    """The professional account's id and name; `id` would be the person's id for this app, which is another one."""
    if not is_yes(answer):
        raise trouble(answer)
    said = flat(answer.json())
    external_id, username = text(said.get("user_id")), text(said.get("username"))
    if text(said.get("account_type")).upper() == "PERSONAL":
        raise ConsentRefused(_PERSONAL.format(username=kept(username)))
    if not (external_id and username):
        raise unreadable(answer)
    return external_id, username


def trouble(answer: Answer) -> ClipcastError:
    """What an answer of the Graph API that is not a yes means for somebody who connects an account."""
    said, meaning = words(answer), meaning_of(answer)
    if said.code == 10 or (said.code is not None and 200 <= said.code <= 299):
        return ConsentRefused(_PERMISSION)
    if said.code == 25:
        return ConsentRefused(meaning.sentence)
    if (said.code, said.subcode) in ((100, 36007), (100, 36009)):
        return APP.spent()
    made: PlatformError = error(meaning, answer)
    if isinstance(made, Rejected):
        return error(Meaning(Rejected, "Instagram refused a request that connects accounts; please report this.", general=True), answer)
    return made if isinstance(made, ProtocolError) else APP.trouble(made)
