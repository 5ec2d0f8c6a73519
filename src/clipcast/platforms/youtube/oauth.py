"""Google's OAuth: trading a refresh token for a new access token.

Source: https://developers.google.com/identity/protocols/oauth2/web-server (mirror, read 2026-11-20)
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from clipcast.errors import PlatformError, ProtocolError, ReconnectRequired, Rejected, ScopeLost, Throttled, Unavailable
from clipcast.platforms.base import Answer, Credentials, Form, JsonValue, Request
from clipcast.platforms.consent import text
from clipcast.platforms.credentials import end_of
from clipcast.platforms.youtube.errors import error, words
from clipcast.platforms.youtube.reasons import Meaning

REQUIRED: Final = ("client_id", "client_secret", "access_token")

_KEPT: Final = ("access_token", "refresh_token", "scope", "token_type")
KNOWN: Final = ("client_id", "client_secret", *_KEPT, "id_token", "channel_id", "client_key")
"""What may be stored of an account; `client_key` is what the simulator calls its app."""
_OVER: Final = (
    "Google no longer renews this account's access (it was withdrawn, unused for six months, or the app is still in testing, where access "
    "ends after seven days); connect the account again."
)
_POLICY: Final = "Google does not allow this account to use the app any more; its administrator has to allow it, then connect it again."
_APP: Final = (
    "Google does not accept the app's client id or secret; check CLIPCAST_YOUTUBE_CLIENT_ID and CLIPCAST_YOUTUBE_CLIENT_SECRET, or those "
    "stored with the account."
)
_SCOPE: Final = "Google no longer allows this account something that was allowed before; connect the account again and allow everything."

#: An administrator's rules, which neither the owner nor we can change.
POLICIES: Final = ("admin_policy_enforced", "org_internal")

#: Which refusals the account's owner can mend; all others leave the account as it is.
_MEANINGS: Final[Mapping[str, Meaning]] = {
    "invalid_grant": Meaning(ReconnectRequired, _OVER),
    "access_denied": Meaning(ReconnectRequired, _OVER),
    "invalid_scope": Meaning(ScopeLost, _SCOPE),
    **dict.fromkeys(POLICIES, Meaning(ReconnectRequired, _POLICY)),
    "invalid_client": Meaning(Rejected, _APP),
    "deleted_client": Meaning(Rejected, _APP),
    "disabled_client": Meaning(Rejected, _APP),
    "unauthorized_client": Meaning(Rejected, _APP),
}
_SLOWER: Final = ("rate_limit_exceeded", "slow_down")
_PASSING: Final = ("internal_failure", "server_error", "temporarily_unavailable")


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
        raise refusal(answer, now, "to renew this account's access")
    return credentials.renewed(tokens(body, now))


def tokens(body: Mapping[str, JsonValue], now: datetime) -> Credentials:
    """What the token endpoint gave, whatever was traded in. `refresh_token_expires_in` comes with apps in testing: seven days."""
    return Credentials(
        {name: value for name in _KEPT if (value := text(body.get(name)))},
        expires_at=end_of(body.get("expires_in"), now),
        refresh_expires_at=end_of(body.get("refresh_token_expires_in"), now),
    )


def refusal(answer: Answer, now: datetime, asked: str) -> PlatformError:
    """A server's trouble whatever its body says, then Google's word, then the HTTP status. `asked` says what Google was asked for."""
    code = words(answer).reason
    later = f"Google had trouble when it was asked {asked}; it will be tried again."
    if answer.status >= 500 or answer.status == 408 or code in _PASSING:
        return error(Meaning(Unavailable, later), answer, code, now)
    if code in _MEANINGS:
        return error(_MEANINGS[code], answer, code, now)
    if answer.status == 429 or code in _SLOWER:
        return error(Meaning(Throttled, later), answer, code, now)
    if 400 <= answer.status < 500:
        sentence = f"Google refused {asked}, for a reason that has nothing to do with the account; please report this."
        return error(Meaning(Rejected, sentence), answer, code, now)
    return error(Meaning(ProtocolError, f"Google answered something else when it was asked {asked}."), answer, code, now)
