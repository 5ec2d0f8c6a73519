"""Google's OAuth: trading a refresh token for a new access token.

Source: https://developers.google.com/identity/protocols/oauth2/web-server (mirror, read 2026-11-20)
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from clipcast.errors import PlatformError, ProtocolError, ReconnectRequired, Rejected, Throttled, Unavailable
from clipcast.platforms.base import Answer, Credentials, Form, JsonValue, Request
from clipcast.platforms.youtube.errors import error, words
from clipcast.platforms.youtube.reasons import Meaning

REQUIRED: Final = ("client_id", "client_secret", "access_token")

_KEPT: Final = ("access_token", "refresh_token", "scope", "token_type")
_LATER: Final = "Google could not renew this account's access right now; it will be tried again."
_OVER: Final = (
    "Google no longer renews this account's access (it was withdrawn, unused for six months, or the app is still in testing, where access "
    "ends after seven days); connect the account again."
)
_POLICY: Final = "Google does not allow this account to use the app any more; its administrator has to allow it, then connect it again."
_APP: Final = (
    "Google does not accept the app's client id or secret; check CLIPCAST_YOUTUBE_CLIENT_ID and CLIPCAST_YOUTUBE_CLIENT_SECRET, or those "
    "stored with the account."
)
_OTHER: Final = "Google refused to renew this account's access, for a reason that has nothing to do with the account; please report this."

#: Which refusals the account's owner can mend; all others leave the account as it is.
_MEANINGS: Final[Mapping[str, Meaning]] = {
    "invalid_grant": Meaning(ReconnectRequired, _OVER),
    "access_denied": Meaning(ReconnectRequired, _OVER),
    "invalid_scope": Meaning(ReconnectRequired, _OVER),
    "admin_policy_enforced": Meaning(ReconnectRequired, _POLICY),
    "org_internal": Meaning(ReconnectRequired, _POLICY),
    "invalid_client": Meaning(Rejected, _APP),
    "deleted_client": Meaning(Rejected, _APP),
    "disabled_client": Meaning(Rejected, _APP),
    "unauthorized_client": Meaning(Rejected, _APP),
    "rate_limit_exceeded": Meaning(Throttled, _LATER),
    "slow_down": Meaning(Throttled, _LATER),
    "internal_failure": Meaning(Unavailable, _LATER),
    "server_error": Meaning(Unavailable, _LATER),
    "temporarily_unavailable": Meaning(Unavailable, _LATER),
}


def refresh_request(token_url: str, credentials: Credentials) -> Request:
    """The request for a new access token; the access token itself is not sent.

    Raises:
        ReconnectRequired: there is no refresh token to trade.
    """
    if not credentials.get("refresh_token"):
        raise ReconnectRequired(
            sentence="This YouTube account's access has run out and it was stored without a refresh token; connect it again.",
            platform="youtube",
            platform_code="no_refresh_token",
        )
    fields = {name: credentials.get(name) for name in ("client_id", "client_secret", "refresh_token")}
    return Request("POST", token_url, body=Form({**fields, "grant_type": "refresh_token"}), authorized=False)


def refreshed(credentials: Credentials, answer: Answer, now: datetime) -> Credentials:
    """The credentials with the new tokens; the refresh token, which Google normally does not send again, is kept.

    Raises:
        PlatformError: passing trouble (`Unavailable`, `Throttled`), the app's own (`Rejected`), or the owner has to connect the account
            again.
    """
    body = answer.json()
    if answer.status != 200 or not isinstance(body, dict) or not body.get("access_token"):
        raise _refusal(answer, now)
    new = {name: str(body[name]) for name in _KEPT if body.get(name)}
    return Credentials(
        values={**credentials.values, **new},
        expires_at=_after(now, body, "expires_in"),
        refresh_expires_at=_after(now, body, "refresh_token_expires_in") or credentials.refresh_expires_at,
    )


def _refusal(answer: Answer, now: datetime) -> PlatformError:
    """A server's trouble whatever its body says, then Google's word, then the HTTP status."""
    code = words(answer).reason
    if answer.status >= 500 or answer.status == 408:
        return error(Meaning(Unavailable, _LATER), answer, code, now)
    if code in _MEANINGS:
        return error(_MEANINGS[code], answer, code, now)
    if answer.status == 429:
        return error(Meaning(Throttled, _LATER), answer, code, now)
    if 400 <= answer.status < 500:
        return error(Meaning(Rejected, _OTHER), answer, code, now)
    return error(Meaning(ProtocolError, "Google answered the renewal of this account's access with something else."), answer, code, now)


def _after(now: datetime, body: Mapping[str, JsonValue], name: str) -> datetime | None:
    """When a token dies, from its life in seconds; None when Google did not say."""
    life_s = body.get(name)
    return now + timedelta(seconds=life_s) if isinstance(life_s, int | float) and life_s > 0 else None
