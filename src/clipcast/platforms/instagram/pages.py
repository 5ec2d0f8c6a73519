"""Facebook login: a person consents, and each of their Pages may have an Instagram account.

A person's token is made to last first, because a Page token made of a short one dies within hours. The person's token is kept next to the
Page's: only with it the consent can be withdrawn.

Sources: https://developers.facebook.com/documentation/facebook-login/guides/access-tokens/get-long-lived (undated copy); the dialog and
`/me/permissions` as clients in use speak them.
"""

from collections.abc import Generator, Mapping, Sequence
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from clipcast.errors import ClipcastError, Rejected
from clipcast.platforms.base import Answer, Credentials, JsonValue, Request
from clipcast.platforms.consent import Consent, ConsentRefused, Linkable, check_allowed, code_of, page, text
from clipcast.platforms.instagram.codes import Meaning
from clipcast.platforms.instagram.errors import error, is_yes, refusal, unreadable, words
from clipcast.platforms.instagram.limits import API_VERSION
from clipcast.platforms.instagram.linking import APP, Hosts, trouble
from clipcast.platforms.instagram.posting import ACCOUNT_ID, LOGIN

#: What is needed, and what each is for.
SCOPES: Final[Mapping[str, str]] = {
    "instagram_basic": "see the Instagram account",
    "instagram_content_publish": "publish to the Instagram account",
    "pages_show_list": "see which Facebook Pages you manage",
    "pages_read_engagement": "read what belongs to the Page, which publishing needs",
}
#: Asked for, and not missed: without it a business's Pages are not listed.
ASKED_BESIDES: Final = ("business_management",)

#: One of these roles on the Page lets an app publish for it.
_TASKS: Final = frozenset({"MANAGE", "CREATE_CONTENT"})
_MOST_LISTS: Final = 20
_FIELDS: Final = "id,name,access_token,tasks,instagram_business_account{id,username}"
_SECRET_CODES: Final = frozenset({1, 100, 101, 104, 190, 191})
#: Why a person's token is dead together with all that was made of it: the app was removed, or the password changed.
_GONE: Final = frozenset({458, 460})
_NOT_REVOKED: Final = "Facebook could not be asked to withdraw the access, because the token of whoever allowed it has run out."
_DENIED: Final = (
    "Facebook was not allowed to connect this account. If that was a mistake, connect it again and allow it. If you did allow it, the app "
    "is still in development, and only people with a role in it may use it."
)
_NOBODY: Final = (
    "None of the Facebook Pages that you allowed has an Instagram account that Clipcast could publish to. Switch the account to a "
    "professional one, link it to a Page on which you may create content, then connect it again and choose that Page."
)


def consent_url(hosts: Hosts, app: Credentials, consent: Consent) -> str:
    """Facebook's dialog; `rerequest` asks once more for what was declined before."""
    APP.check(app)
    query = {
        "client_id": app.get("app_id"),
        "redirect_uri": consent.redirect_uri,
        "response_type": "code",
        "scope": ",".join((*SCOPES, *ASKED_BESIDES)),
        "auth_type": "rerequest",
        "state": consent.state,
    }
    return page(f"{hosts.authorize_url.rstrip('/')}/{API_VERSION}/dialog/oauth", query)


def linking(
    hosts: Hosts, app: Credentials, consent: Consent, callback: Mapping[str, str], now: datetime
) -> Generator[Request, Answer, Sequence[Linkable]]:
    """Code to the person's token, that one to one of 60 days, then who the person is, what they allowed, and their Pages."""
    del now  # a Page token has no end
    APP.check(app)
    client = {"client_id": app.get("app_id"), "client_secret": app.get("app_secret")}
    code = _code(callback, consent)
    short = _token((yield _token_request(hosts, {**client, "redirect_uri": consent.redirect_uri, "code": code})), consent)
    longer = {**client, "grant_type": "fb_exchange_token", "fb_exchange_token": short}
    person_token = _token((yield _token_request(hosts, longer)), consent)
    person_id = text(_yes((yield _asked(hosts.graph("me", fields="id"), person_token))).get("id"))
    granted = _allowed(_yes((yield _asked(hosts.graph("me", "permissions"), person_token))))
    check_allowed(SCOPES, granted, APP)
    kept = {LOGIN: "facebook", "scope": ",".join(sorted(granted)), "user_access_token": person_token, "facebook_user_id": person_id}
    found = [account for row in (yield from _pages(hosts, person_token)) if (account := _account(row, kept))]
    if not found:
        raise ConsentRefused(_NOBODY)
    return found


def revocation(hosts: Hosts, credentials: Credentials) -> Request | None:
    """The request that takes all permissions of the person back, for all their Pages; None without the person's own token."""
    token = credentials.get("user_access_token")
    headers = {"Authorization": f"Bearer {token}"}
    return Request("DELETE", hosts.graph("me", "permissions"), headers=headers, authorized=False) if token else None


def revoked(answer: Answer) -> None:
    """Nothing, when the permissions are gone, or were before. That the person's token ran out proves nothing: the Pages' have no end.

    Raises:
        PlatformError: they may still be there.
    """
    said = words(answer)
    if is_yes(answer) or (said.code == 190 and said.subcode in _GONE):
        return
    raise error(Meaning(Rejected, _NOT_REVOKED), answer) if said.code == 190 else refusal(answer)


def _code(callback: Mapping[str, str], consent: Consent) -> str:
    if callback.get("error") == "access_denied":
        raise ConsentRefused(_DENIED)
    return code_of(callback, APP, consent).removesuffix("#_")


def _token_request(hosts: Hosts, query: Mapping[str, str]) -> Request:
    """The only documented form has the secret in the query."""
    return Request("GET", f"{hosts.graph('oauth', 'access_token')}?{urlencode(query)}", authorized=False)


def _asked(url: str, token: str) -> Request:
    return Request("GET", url, headers={"Authorization": f"Bearer {token}"}, authorized=False)


def _token(answer: Answer, consent: Consent) -> str:
    if not is_yes(answer):
        raise _token_refused(answer, consent)
    if not (token := text(answer.json().get("access_token"))):
        raise unreadable(answer)
    return token


def _token_refused(answer: Answer, consent: Consent) -> ClipcastError:
    """A code that was used (100/36009) or ran out (100/36007) is the person's; any other of these codes is the app's or its address."""
    said = words(answer)
    if said.subcode is None and said.code in _SECRET_CODES and answer.status < 500:
        return APP.redirect_not_accepted(consent)
    return trouble(answer)


def _yes(answer: Answer) -> Mapping[str, JsonValue]:
    if not is_yes(answer):
        raise trouble(answer)
    return dict(answer.json())


def _allowed(said: Mapping[str, JsonValue]) -> frozenset[str]:
    """`granted` ones of `{"permission", "status"}`; `declined` and `expired` are not."""
    rows = [row for row in _rows(said) if row.get("status") == "granted"]
    return frozenset(text(row.get("permission")) for row in rows)


def _pages(hosts: Hosts, token: str) -> Generator[Request, Answer, list[Mapping[str, JsonValue]]]:
    """All Pages of the person. The next list is asked for by its cursor: Meta's ready-made address would carry the token in its query."""
    found: list[Mapping[str, JsonValue]] = []
    after = ""
    for _ in range(_MOST_LISTS):
        more = {"after": after} if after else {}
        said = _yes((yield _asked(hosts.graph("me", "accounts", fields=_FIELDS, limit="100", **more), token)))
        found += _rows(said)
        if not (after := _next(said)):
            break
    return found


def _next(said: Mapping[str, JsonValue]) -> str:
    """The cursor of the next list; the end is the absence of `next`, not an empty list."""
    paging = said.get("paging")
    if not isinstance(paging, dict) or not paging.get("next"):
        return ""
    cursors = paging.get("cursors")
    return text(cursors.get("after")) if isinstance(cursors, dict) else ""


def _rows(said: Mapping[str, JsonValue]) -> list[Mapping[str, JsonValue]]:
    rows = said.get("data")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _account(row: Mapping[str, JsonValue], kept: Mapping[str, str]) -> Linkable | None:
    """The Instagram account of a Page on which the person may publish; `tasks` that Meta does not tell forbid nothing."""
    account, tasks = row.get("instagram_business_account"), row.get("tasks")
    token = text(row.get("access_token"))
    if not isinstance(account, dict) or not token or (isinstance(tasks, list) and not _TASKS & frozenset(map(text, tasks))):
        return None
    external_id, username = text(account.get("id")), text(account.get("username"))
    if not (external_id and username):
        return None
    values = {**kept, "access_token": token, ACCOUNT_ID: external_id, "page_id": text(row.get("id"))}
    return Linkable(external_id, username, Credentials({name: value for name, value in values.items() if value}))
