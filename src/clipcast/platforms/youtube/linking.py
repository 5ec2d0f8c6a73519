"""Connecting a YouTube channel, and letting it go: Google's consent page, the code, and revocation.

Sources: https://developers.google.com/youtube/v3/live/guides/auth/server-side-web-apps, .../auth/devices (mirror, read 2026-11-20) and
https://www.rfc-editor.org/rfc/rfc7636
"""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Generator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from clipcast.errors import ClipcastError, ConfigurationError, PlatformError, ReconnectRequired
from clipcast.platforms.base import Answer, Credentials, Form, Request
from clipcast.platforms.consent import App, Consent, ConsentRefused, Linkable, check_allowed, code_of, known_refusal, missing, page
from clipcast.platforms.youtube import oauth
from clipcast.platforms.youtube.answers import OwnChannel, own_channel
from clipcast.platforms.youtube.errors import unreadable, words

_PREFIX: Final = "https://www.googleapis.com/auth/"

#: What is asked for, and what each is for: with the first alone nobody would ever learn what became of an upload.
SCOPES: Final[Mapping[str, str]] = {
    f"{_PREFIX}youtube.upload": "upload videos",
    f"{_PREFIX}youtube.readonly": "see the channel and how its videos are doing",
}
#: Each of these allows both (discovery document of revision 20261104).
_WIDER: Final = frozenset({f"{_PREFIX}youtube", f"{_PREFIX}youtube.force-ssl", f"{_PREFIX}youtubepartner"})
APP: Final = App("youtube", "Google", ("client_id", "client_secret"))

_NO_CHANNEL: Final = (
    "This Google account has no YouTube channel that Clipcast could publish to. Create one at youtube.com, or choose the account or brand "
    "account that has the channel, then connect it again."
)
_POLICY: Final = (
    "The administrator of this Google account does not allow it to use the app; they have to allow it in the Google Workspace admin "
    "console, then connect it again."
)
#: Reasons that say that there is nobody to publish for.
_CHANNELLESS: Final = frozenset(
    {"youtubeSignupRequired", "channelNotFound", "authenticatedUserNotChannel", "accountDelegationForbidden"},
)
_GONE: Final = frozenset(
    {
        *("authenticatedUserAccountSuspended", "authenticatedUserAccountClosed"),
        *("channelSuspended", "channelClosed", "accountDisabled", "accountDeleted"),
    }
)
_DEAD: Final = frozenset({"invalid_token", "invalid_grant"})
_ANY_TIME: Final = datetime(2026, 11, 20, tzinfo=UTC)  # only a daily quota's refusal asks what time it is, and revoking has no quota
_API_OFF: Final = (
    "The YouTube Data API is not enabled for the app's project; enable it in the Google Cloud console, then connect the account again."
)


def challenge(verifier: str) -> str:
    """PKCE's challenge: base64url without padding of the SHA-256.

    >>> challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
    """
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def consent_url(authorize_url: str, app: Credentials, consent: Consent) -> str:
    """Google's consent page. Only `offline` together with `prompt=consent` brings a refresh token to somebody who consented before."""
    APP.check(app)
    query = {
        "client_id": app.get("client_id"),
        "redirect_uri": consent.redirect_uri,
        "response_type": "code",
        "scope": " ".join(SCOPES),
        "state": consent.state,
        "access_type": "offline",
        "prompt": "consent",
        "include_granted_scopes": "true",
        "code_challenge": challenge(consent.verifier),
        "code_challenge_method": "S256",
    }
    return page(authorize_url, query)


def linking(  # noqa: PLR0917  # two addresses, and the four arguments of the contract
    token_url: str, api_url: str, app: Credentials, consent: Consent, callback: Mapping[str, str], now: datetime
) -> Generator[Request, Answer, Sequence[Linkable]]:
    """Code to tokens, then the one channel that they act for."""
    APP.check(app)
    code = _code(callback, consent)
    credentials = _granted((yield _exchange(token_url, app, consent, code)), callback, consent, now)
    check_allowed(_needed(credentials), credentials.scopes or SCOPES, APP)
    bearer = {"Authorization": f"Bearer {credentials.get('access_token')}"}
    question = page(f"{api_url.rstrip('/')}/youtube/v3/channels", {"part": "id,snippet", "mine": "true"})
    channel = _channel((yield Request("GET", question, headers=bearer, authorized=False)), now)
    return [Linkable(channel.id, channel.name, credentials.having(channel_id=channel.id))]


def scopes_missing(credentials: Credentials) -> list[str]:
    """Which of the two permissions is missing, unless a wider one covers them."""
    return missing(_needed(credentials), credentials)


def revocation(token_url: str, credentials: Credentials) -> Request | None:
    """The request that ends the whole project's access to this user, with the token that lives longer.

    Source: https://developers.google.com/identity/protocols/oauth2/web-server#tokenrevoke (mirror, read 2026-11-20)
    """
    token = credentials.get("refresh_token") or credentials.get("access_token")
    url = f"{token_url.rstrip('/').rpartition('/')[0]}/revoke"
    return Request("POST", url, body=Form({"token": token}), authorized=False) if token else None


def revoked(answer: Answer) -> None:
    """Nothing, when the access is gone.

    Raises:
        PlatformError: it may still be there.
    """
    if answer.status != 200 and words(answer).reason not in _DEAD:
        raise oauth.refusal(answer, _ANY_TIME, "to withdraw the app's access")


def _needed(credentials: Credentials) -> Mapping[str, str]:
    return {} if credentials.scopes & _WIDER else SCOPES


def _code(callback: Mapping[str, str], consent: Consent) -> str:
    if callback.get("error") in oauth.POLICIES:
        raise ConsentRefused(_POLICY)
    return code_of(callback, APP, consent)


def _exchange(token_url: str, app: Credentials, consent: Consent, code: str) -> Request:
    fields = {
        "code": code,
        "client_id": app.get("client_id"),
        "client_secret": app.get("client_secret"),
        "redirect_uri": consent.redirect_uri,
        "grant_type": "authorization_code",
        "code_verifier": consent.verifier,
    }
    return Request("POST", token_url, body=Form(fields), authorized=False)


def _granted(answer: Answer, callback: Mapping[str, str], consent: Consent, now: datetime) -> Credentials:
    """The tokens; what was allowed stands in `scope`, here and in the callback."""
    body = answer.json()
    if answer.status != 200 or not isinstance(body, dict):
        raise _refusal(answer, consent, now)
    found = oauth.tokens(body, now)
    if not found.get("access_token"):
        raise unreadable(answer, now)
    return found.having(scope=found.get("scope") or callback.get("scope", ""))


def _refusal(answer: Answer, consent: Consent, now: datetime) -> ClipcastError:
    code = words(answer).reason
    if code in oauth.POLICIES:
        return ConsentRefused(_POLICY)
    if answer.status < 500 and (known := known_refusal(code, APP, consent)):
        return known
    return APP.trouble(oauth.refusal(answer, now, "to trade the consent for access"))


def _channel(answer: Answer, now: datetime) -> OwnChannel:
    try:
        channel = own_channel(answer, now)
    except PlatformError as refused:
        raise _for_linking(refused, answer) from None
    if channel is None:
        raise ConsentRefused(_NO_CHANNEL)
    return channel


def _for_linking(refused: PlatformError, answer: Answer) -> ClipcastError:
    """No channel, a closed one or a missing permission is the owner's to mend; anything else is trouble."""
    said = {reason for reason, _ in words(answer).reasons}
    if said & _CHANNELLESS:
        return ConsentRefused(_NO_CHANNEL)
    if said & _GONE:
        return ConsentRefused(refused.sentence)
    if "accessNotConfigured" in said:
        return ConfigurationError(_API_OFF)
    if isinstance(refused, ReconnectRequired):
        return ConsentRefused("Google says that a permission is missing; connect the account again, and leave everything ticked.")
    return APP.trouble(refused)
