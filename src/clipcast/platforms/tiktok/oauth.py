"""TikTok's OAuth: trading a refresh token for a new access token.

Source: https://developers.tiktok.com/doc/oauth-user-access-token-management and its error page (undated copies)
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from clipcast.errors import PlatformError, ProtocolError, ReconnectRequired, Rejected, ScopeLost, Throttled, Unavailable
from clipcast.platforms.base import Answer, Credentials, Form, JsonValue, Request
from clipcast.platforms.consent import text
from clipcast.platforms.credentials import end_of
from clipcast.platforms.tiktok.errors import Meaning, error, words

REQUIRED: Final = ("client_key", "client_secret", "access_token")

_KEPT: Final = ("access_token", "refresh_token", "open_id", "scope", "token_type")
KNOWN: Final = ("client_key", "client_secret", *_KEPT)
"""What may be stored of an account."""
_OVER: Final = "TikTok no longer renews this account's access (the permission ran out or was withdrawn); connect the account again."
_SCOPE: Final = "TikTok no longer allows this account something that was allowed before; connect the account again and allow everything."
_APP: Final = (
    "TikTok does not accept the app's client key or secret; check CLIPCAST_TIKTOK_CLIENT_KEY and CLIPCAST_TIKTOK_CLIENT_SECRET, or those "
    "stored with the account."
)

#: Which refusals the account's owner can mend; all others leave the account as it is.
#: Source: https://developers.tiktok.com/doc/oauth-error-handling (undated copy)
_MEANINGS: Final[Mapping[str, Meaning]] = {
    "invalid_grant": Meaning(ReconnectRequired, _OVER),
    "access_denied": Meaning(ReconnectRequired, _OVER),
    "invalid_scope": Meaning(ScopeLost, _SCOPE),
    "scope_not_authorized": Meaning(ScopeLost, _SCOPE),
    "invalid_client": Meaning(Rejected, _APP),
    "unauthorized_client": Meaning(Rejected, _APP),
}
_PASSING: Final = ("server_error", "temporarily_unavailable", "internal_error")


def refresh_request(api_url: str, credentials: Credentials) -> Request:
    """The request for a new access token; the access token itself is not sent.

    Raises:
        ReconnectRequired: there is no refresh token to trade.
    """
    if not credentials.get("refresh_token"):
        raise ReconnectRequired(
            sentence="This TikTok account's access has run out and it was stored without a refresh token; connect it again.",
            platform="tiktok",
            platform_code="no_refresh_token",
        )
    fields = {name: credentials.get(name) for name in ("client_key", "client_secret", "refresh_token")}
    form = Form({**fields, "grant_type": "refresh_token"})
    return Request("POST", f"{api_url.rstrip('/')}/v2/oauth/token/", body=form, authorized=False)


def refreshed(credentials: Credentials, answer: Answer, now: datetime) -> Credentials:
    """The credentials with the new tokens; a refresh token that TikTok did not send again is kept.

    TikTok may rotate the refresh token, and then only the new one is good: store it before the access token is used.

    Raises:
        PlatformError: passing trouble (`Unavailable`, `Throttled`), or the owner has to connect the account again.
    """
    body = answer.json()
    if not isinstance(body, dict) or body.get("error") or not body.get("access_token"):
        raise refusal(answer, "to renew this account's access")
    return credentials.renewed(tokens(body, now))


def tokens(body: Mapping[str, JsonValue], now: datetime) -> Credentials:
    """What the token endpoint gave, whatever was traded in."""
    return Credentials(
        {name: value for name in _KEPT if (value := text(body.get(name)))},
        expires_at=end_of(body.get("expires_in"), now),
        refresh_expires_at=end_of(body.get("refresh_expires_in"), now),
    )


def refusal(answer: Answer, asked: str) -> PlatformError:
    """Whatever the HTTP status: TikTok's `error` decides, and without one the status does. `asked` says what TikTok was asked for."""
    code, _, _ = words(answer)
    later = f"TikTok had trouble when it was asked {asked}; it will be tried again."
    if code in _PASSING or answer.status >= 500 or answer.status == 408:
        return error(Meaning(Unavailable, later), answer, code)
    if code == "rate_limit_exceeded" or answer.status == 429:
        return error(Meaning(Throttled, later), answer, code)
    if code in _MEANINGS:
        return error(_MEANINGS[code], answer, code)
    if code not in ("", "ok") or 400 <= answer.status < 500:
        sentence = f"TikTok refused {asked}, for a reason that has nothing to do with the account; please report this."
        return error(Meaning(Rejected, sentence), answer, code)
    return error(Meaning(ProtocolError, f"TikTok answered something else when it was asked {asked}."), answer, code)
