"""Connecting a TikTok account, and letting it go: the authorize page, the code, and revocation.

Sources: https://developers.tiktok.com/doc/login-kit-desktop, /doc/login-kit-web and /doc/oauth-user-access-token-management (undated
copies)
"""

import hashlib
from collections.abc import Generator, Mapping, Sequence
from datetime import datetime
from typing import Final
from urllib.parse import unquote

from clipcast.errors import ClipcastError, PlatformError, ReconnectRequired
from clipcast.platforms.base import Answer, Credentials, Form, Json, Request
from clipcast.platforms.consent import App, Consent, ConsentRefused, Linkable, check_allowed, code_of, known_refusal, page
from clipcast.platforms.tiktok import oauth
from clipcast.platforms.tiktok.answers import creator
from clipcast.platforms.tiktok.errors import unreadable, words

#: What is asked for, and what each is for. An app that is not approved for one of them cannot ask at all.
#: Source: https://developers.tiktok.com/doc/tiktok-api-scopes (undated copy)
SCOPES: Final[Mapping[str, str]] = {
    "user.info.basic": "see the account's name",
    "video.publish": "post to the account",
    "video.upload": "put drafts into its inbox",
    "video.list": "look up its public videos (which finds a post whose answer got lost)",
}
APP: Final = App("tiktok", "TikTok", ("client_key", "client_secret"))

#: creator_info, which alone tells the @name, tells nothing while a cap is full.
#: Source: https://developers.tiktok.com/doc/content-posting-api-reference-query-creator-info (undated copy)
_FULL: Final[Mapping[str, str]] = {
    "spam_risk_too_many_posts": "This TikTok account has reached its daily number of posts through apps, and until the 24 hours have "
    "passed TikTok does not even tell its name; connect it again tomorrow.",
    "reached_active_user_cap": "The TikTok app has reached its number of creators for today, and TikTok tells no more names; connect the "
    "account again tomorrow.",
}
#: What an access token answers that is not good any more; NOTES.md says what that proves.
_DEAD: Final = ("invalid_grant", "access_token_invalid", "invalid_token")


def challenge(verifier: str) -> str:
    """TikTok's PKCE challenge: the SHA-256 in lower-case hexadecimal, where RFC 7636 has base64url.

    >>> challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    '13d31e961a1ad8ec2f16b10c4c982e0876a878ad6df144566ee1894acb70f9c3'
    """
    return hashlib.sha256(verifier.encode()).hexdigest()


def consent_url(authorize_url: str, app: Credentials, consent: Consent) -> str:
    """TikTok's authorize page; `disable_auto_auth` lets the owner choose another account than the one that is logged in."""
    APP.check(app)
    query = {
        "client_key": app.get("client_key"),
        "scope": ",".join(SCOPES),
        "response_type": "code",
        "redirect_uri": consent.redirect_uri,
        "state": consent.state,
        "disable_auto_auth": "1",
        "code_challenge": challenge(consent.verifier),
        "code_challenge_method": "S256",
    }
    return page(f"{authorize_url.rstrip('/')}/", query)


def linking(
    api_url: str, app: Credentials, consent: Consent, callback: Mapping[str, str], now: datetime
) -> Generator[Request, Answer, Sequence[Linkable]]:
    """Code to tokens, then the creator's name."""
    APP.check(app)
    code = unquote(code_of(callback, APP, consent))  # the tail of a live code, `*v!5236.s1`, gets lost where it stays encoded
    credentials = _granted((yield _exchange(api_url, app, consent, code)), callback, consent, now)
    check_allowed(SCOPES, credentials.scopes or SCOPES, APP)
    username = _username((yield _creator_info(api_url, credentials)), now)
    return [Linkable(credentials.get("open_id"), username, credentials)]


def revocation(api_url: str, credentials: Credentials) -> Request | None:
    """The request that ends the app's access. It takes the access token, which has to live: renew one that has run out first."""
    fields = {"client_key": credentials.get("client_key"), "client_secret": credentials.get("client_secret")}
    if not (all(fields.values()) and credentials.get("access_token")):
        return None
    form = Form({**fields, "token": credentials.get("access_token")})
    return Request("POST", f"{api_url.rstrip('/')}/v2/oauth/revoke/", body=form, authorized=False)


def revoked(answer: Answer) -> None:
    """Nothing, when the access is gone: the answer's body is empty then, or TikTok does not know the token any more.

    Raises:
        PlatformError: it may still be there.
    """
    code, _, _ = words(answer)
    if code in _DEAD or (answer.status == 200 and code in ("", "ok")):
        return
    raise oauth.refusal(answer, "to withdraw the app's access")


def _exchange(api_url: str, app: Credentials, consent: Consent, code: str) -> Request:
    fields = {
        "client_key": app.get("client_key"),
        "client_secret": app.get("client_secret"),
        "code": code,
        "grant_type": "authorization_code",
        "redirect_uri": consent.redirect_uri,
        "code_verifier": consent.verifier,
    }
    return Request("POST", f"{api_url.rstrip('/')}/v2/oauth/token/", body=Form(fields), authorized=False)


def _creator_info(api_url: str, credentials: Credentials) -> Request:
    headers = {"Authorization": f"Bearer {credentials.get('access_token')}"}
    url = f"{api_url.rstrip('/')}/v2/post/publish/creator_info/query/"
    return Request("POST", url, headers=headers, body=Json({}), authorized=False)


def _granted(answer: Answer, callback: Mapping[str, str], consent: Consent, now: datetime) -> Credentials:
    """The tokens; what was allowed stands in `scope`, and in the callback in `scopes`."""
    body = answer.json()
    if not isinstance(body, dict) or body.get("error") or answer.status >= 400:
        raise _refusal(answer, consent)
    found = oauth.tokens(body, now)
    if not (found.get("access_token") and found.get("open_id")):
        raise unreadable(answer)
    return found.having(scope=found.get("scope") or callback.get("scopes", ""))


def _username(answer: Answer, now: datetime) -> str:
    """The creator's @name. Display names are no way out where TikTok does not tell it: two creators may have the same."""
    try:
        name = creator(answer, now).username.strip().removeprefix("@")
    except PlatformError as refused:
        raise _for_linking(refused) from None
    if not name:
        raise unreadable(answer)
    return name


def _for_linking(refused: PlatformError) -> ClipcastError:
    """A missing permission or a banned creator is the owner's to mend; a full cap passes, and so does trouble."""
    if isinstance(refused, ReconnectRequired):
        return ConsentRefused("TikTok says that a permission is missing; connect the account again, and leave everything ticked.")
    if refused.platform_code == "spam_risk_user_banned_from_posting":
        return ConsentRefused(refused.sentence)
    explained = APP.trouble(refused)
    explained.sentence = _FULL.get(refused.platform_code, explained.sentence)
    return explained


def _refusal(answer: Answer, consent: Consent) -> ClipcastError:
    """Whatever the HTTP status: TikTok's `error` decides. A redirect that does not match comes as `invalid_request`; a bad secret may."""
    code, _, _ = words(answer)
    if answer.status < 500 and (known := known_refusal(code, APP, consent)):
        return known
    if code == "invalid_request":
        return APP.redirect_not_accepted(consent)
    return APP.trouble(oauth.refusal(answer, "to trade the consent for access"))
