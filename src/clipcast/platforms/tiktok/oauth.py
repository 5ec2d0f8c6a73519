"""TikTok's OAuth: trading a refresh token for a new access token.

Source: https://developers.tiktok.com/doc/oauth-user-access-token-management and its error page (undated copies)
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from clipcast.errors import PlatformError, ProtocolError, ReconnectRequired, Throttled, Unavailable
from clipcast.platforms.base import Answer, Credentials, Form, JsonValue, Request
from clipcast.platforms.tiktok.errors import Meaning, error, words

REQUIRED: Final = ("client_key", "client_secret", "access_token")

_KEPT: Final = ("access_token", "refresh_token", "open_id", "scope", "token_type")
_PASSING: Final = ("server_error", "temporarily_unavailable", "internal_error")
_LATER: Final = "TikTok could not renew this account's access right now; it will be tried again."
_APP: Final = "TikTok does not accept the app's client key or secret; check TIKTOK_CLIENT_KEY and TIKTOK_CLIENT_SECRET, then connect again."
_OVER: Final = "TikTok no longer renews this account's access (the permission ran out or was withdrawn); connect the account again."


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
        raise _refusal(answer)
    new = {name: str(body[name]) for name in _KEPT if body.get(name)}
    return Credentials(
        values={**credentials.values, **new},
        expires_at=_after(now, body, "expires_in"),
        refresh_expires_at=_after(now, body, "refresh_expires_in") or credentials.refresh_expires_at,
    )


def _refusal(answer: Answer) -> PlatformError:
    """Whatever the HTTP status: TikTok's `error` decides, and without one the status does."""
    code, _, _ = words(answer)
    if code in _PASSING or answer.status >= 500 or answer.status == 408:
        return error(Meaning(Unavailable, _LATER), answer, code)
    if code == "rate_limit_exceeded" or answer.status == 429:
        return error(Meaning(Throttled, _LATER), answer, code)
    if code in ("invalid_client", "unauthorized_client"):
        return error(Meaning(ReconnectRequired, _APP), answer, code)
    if code not in ("", "ok") or 400 <= answer.status < 500:
        return error(Meaning(ReconnectRequired, _OVER), answer, code)
    return error(Meaning(ProtocolError, "TikTok answered the renewal of this account's access with something else."), answer, code)


def _after(now: datetime, body: Mapping[str, JsonValue], name: str) -> datetime | None:
    """When a token dies, from its life in seconds; None when TikTok did not say."""
    life_s = body.get(name)
    return now + timedelta(seconds=life_s) if isinstance(life_s, int | float) and life_s > 0 else None
