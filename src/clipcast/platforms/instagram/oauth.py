"""Renewing Instagram's access tokens.

Instagram login: a 60-day token that is traded for another one of 60 days while it lives, 24 hours old at least. Facebook login: a Page
token has no end and no renewal; when it dies, its owner connects again.

Source: https://developers.facebook.com/documentation/instagram-platform/reference/refresh_access_token and
.../instagram-api-with-instagram-login/business-login (page of 2026-03-13)
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from clipcast.errors import PlatformError, ProtocolError, ReconnectRequired, ScopeLost, Throttled, Unavailable
from clipcast.platforms.base import Answer, Credentials, JsonValue, Request
from clipcast.platforms.instagram.codes import PERMISSION, Meaning
from clipcast.platforms.instagram.errors import ACCESS_CODES, Words, error, is_yes, meaning_of, unreadable, words
from clipcast.platforms.instagram.posting import ACCOUNT_ID, LOGIN

REQUIRED: Final = ("access_token", ACCOUNT_ID)
#: What linking keeps, and what the answers to the code and the long-lived token hold besides.
_PERSON: Final = ("user_access_token", "facebook_user_id", "page_id")
_ANSWERED: Final = ("scope", "token_type", "user_id", "permissions")
KNOWN: Final = ("app_id", "app_secret", *REQUIRED, LOGIN, *_PERSON, *_ANSWERED, "client_key", "client_secret")
"""What may be stored of an account; the client is what the simulator calls its app."""

TOKEN_LIFE: Final = timedelta(days=60)
#: A younger token is not renewed, and the code that says so is not documented.
MIN_AGE: Final = timedelta(hours=24)
_TRY_LATER_S: Final = 6 * 3600.0
#: Of code 190: the token ran out, or is none. Without a subcode it may as well be too young.
_DEAD: Final = frozenset({463, 467})

_LATER: Final = "Instagram could not renew this account's access right now; it will be tried again."
_TOO_YOUNG: Final = "Instagram renews an access token only when it is a day old; it will be tried again then."
_UNWILLING: Final = "Instagram did not renew this account's access, which still runs for a while; it will be tried again."
_NO_END: Final = (
    "Instagram did not renew this account's access, of which nobody knows when it ends; it will be tried again. If posts fail meanwhile, "
    "connect the account again."
)
_SCOPE: Final = (
    "Instagram does not renew this account's access, because a permission was taken away; connect the account again and allow everything."
)
_OVER: Final = "Instagram no longer renews this account's access (it ran out or was withdrawn); connect the account again."
_PAGE: Final = (
    "This Instagram account is linked through Facebook, whose access does not run out but was withdrawn (a changed password, a lost Page "
    "role or a removed app); connect the account again."
)


def refresh_request(token_url: str, credentials: Credentials) -> Request:
    """The request for a new access token: GET with the old one in the query, as the only documented form has it; no app secret.

    Raises:
        ReconnectRequired: the account is linked through Facebook, or there is no token to trade.
    """
    if credentials.get(LOGIN).strip().lower() == "facebook":
        raise ReconnectRequired(sentence=_PAGE, platform="instagram", platform_code="page_token_not_renewable")
    if not credentials.get("access_token"):
        raise ReconnectRequired(sentence=_OVER, platform="instagram", platform_code="no_access_token")
    query = urlencode({"grant_type": "ig_refresh_token", "access_token": credentials.get("access_token")})
    return Request("GET", f"{token_url.rstrip('/')}/refresh_access_token?{query}", authorized=False)


def refreshed(credentials: Credentials, answer: Answer, now: datetime) -> Credentials:
    """The credentials with the new token; the old one must be taken for dead.

    Raises:
        PlatformError: trouble that may pass (`Unavailable`, `Throttled`), or the owner has to connect the account again.
    """
    if not is_yes(answer):
        raise _refusal(credentials, answer, now)
    body = flat(answer.json())
    token = body.get("access_token")
    if not isinstance(token, str) or not token:
        raise unreadable(answer)
    return Credentials({**credentials.values, "access_token": token}, expires_at=now + life(body))


def life(body: Mapping[str, JsonValue]) -> timedelta:
    """How long a token lives; 60 days where Instagram does not say."""
    life_s = body.get("expires_in")
    return timedelta(seconds=life_s) if isinstance(life_s, int) and 0 < life_s < 1e9 else TOKEN_LIFE


def flat(body: JsonValue) -> Mapping[str, JsonValue]:
    """The object itself: `me` and the code's endpoint are documented with a list around it, and seen without."""
    wrapped = body.get("data")
    return wrapped[0] if isinstance(wrapped, list) and wrapped and isinstance(wrapped[0], dict) else body


def _refusal(credentials: Credentials, answer: Answer, now: datetime) -> PlatformError:
    """Withdrawn is withdrawn. Anything else about a token that may be alive disconnects nobody: it may just be too young."""
    meaning, said = meaning_of(answer), words(answer)
    if plain := _plain(meaning, said):
        return error(plain, answer)
    if credentials.expires_at is None:
        is_dead = said.code == 190 and said.subcode in _DEAD
        return error(Meaning(ReconnectRequired, _OVER) if is_dead else Meaning(Throttled, _NO_END, _TRY_LATER_S), answer)
    left = credentials.expires_at - now
    age = TOKEN_LIFE - left
    if left > timedelta(0) and age < MIN_AGE:
        return error(Meaning(Throttled, _TOO_YOUNG, max((MIN_AGE - age).total_seconds(), 60.0)), answer)
    if left > timedelta(0) and said.code != 190:
        return error(Meaning(Throttled, _UNWILLING, _TRY_LATER_S), answer)
    return error(Meaning(ReconnectRequired, _OVER), answer)


def _plain(meaning: Meaning, said: Words) -> Meaning | None:
    """What needs no look at the token's age: trouble that passes, no answer at all, a lost permission, and what only the owner can mend."""
    if meaning is PERMISSION:
        return Meaning(ScopeLost, _SCOPE)
    if meaning.kind in (Unavailable, Throttled):
        return Meaning(meaning.kind, _LATER, meaning.retry_after_s)
    is_withdrawn = meaning.kind is ReconnectRequired and said.code in ACCESS_CODES
    return meaning if is_withdrawn or meaning.kind is ProtocolError else None
