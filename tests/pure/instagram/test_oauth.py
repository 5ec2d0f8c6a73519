"""Renewing a token: when it may be done, what comes back, and what must never disconnect an account."""

from datetime import timedelta
from typing import Any

import pytest

from clipcast.errors import PlatformError, ProtocolError, ReconnectRequired, ScopeLost, Throttled, Unavailable
from clipcast.platforms.base import Answer, Credentials
from clipcast.platforms.instagram import Instagram
from pure.instagram.orders import ACCOUNT_ID, INSTAGRAM, NOW, answer, ok, refused

TOKEN = "IGAAoldtoken0123456789"
RENEWED: dict[str, Any] = {"access_token": "IGAAnewtoken0123456789", "token_type": "bearer", "expires_in": 5183944}


def owned(days_left: float | None = 5, **changes: str) -> Credentials:
    values = {"access_token": TOKEN, "instagram_account_id": ACCOUNT_ID, "login": "instagram", **changes}
    return Credentials(values, expires_at=None if days_left is None else NOW + timedelta(days=days_left))


def test_the_request_is_the_documented_one_without_a_secret() -> None:
    request = Instagram(token_url="http://127.0.0.1:9/instagram/").refresh_request(owned(client_secret="hush"))
    assert (request.method, request.body, request.authorized) == ("GET", None, False)
    assert request.url == f"http://127.0.0.1:9/instagram/refresh_access_token?grant_type=ig_refresh_token&access_token={TOKEN}"
    assert TOKEN not in repr(request)


def test_it_goes_to_instagrams_own_host() -> None:
    assert str(INSTAGRAM.refresh_request(owned()).url).startswith("https://graph.instagram.com/refresh_access_token?")


@pytest.mark.parametrize("credentials", [owned(None, login="facebook"), owned(None, login="Facebook "), owned(access_token="")])
def test_what_cannot_be_renewed_needs_its_owner(credentials: Credentials) -> None:
    with pytest.raises(ReconnectRequired, match="connect the account again"):
        INSTAGRAM.refresh_request(credentials)


def test_an_account_that_does_not_say_its_login_is_instagrams_own() -> None:
    assert "ig_refresh_token" in str(INSTAGRAM.refresh_request(owned(login="")).url)


@pytest.mark.parametrize("reply", [ok(RENEWED), ok({"data": [RENEWED]})])
def test_the_new_token_replaces_the_old_one(reply: Answer) -> None:
    renewed = INSTAGRAM.refreshed(owned(), reply, NOW)
    assert (renewed.get("access_token"), renewed.get("instagram_account_id")) == ("IGAAnewtoken0123456789", ACCOUNT_ID)
    assert renewed.expires_at == NOW + timedelta(seconds=5183944)


@pytest.mark.parametrize("life", [None, 0, "long", -1])
def test_without_a_life_it_is_the_documented_one(life: object) -> None:
    assert INSTAGRAM.refreshed(owned(), ok({**RENEWED, "expires_in": life}), NOW).expires_at == NOW + timedelta(days=60)


@pytest.mark.parametrize("reply", [refused(190), refused(190, 463), refused(100), refused(999), answer(400, {"error": "too young"})])
def test_a_token_that_is_too_young_disconnects_nobody(reply: Answer) -> None:
    """The code for "younger than a day" is not documented, so none of them is believed."""
    with pytest.raises(Throttled) as caught:
        INSTAGRAM.refreshed(owned(days_left=59.75), reply, NOW)
    assert caught.value.retry_after_s == pytest.approx(18 * 3600)


@pytest.mark.parametrize(
    ("days_left", "reply", "kind"),
    [
        (30, refused(100), Throttled),  # seen: "Unsupported request - method type: get", for tokens that work
        (30, refused(999), Throttled),
        (30, refused(190), ReconnectRequired),
        (30, refused(190, 463), ReconnectRequired),
        (59.75, refused(190, 458), ReconnectRequired),
        (30, refused(190, 460), ReconnectRequired),
        (30, refused(10), ReconnectRequired),
        (-1, refused(100), ReconnectRequired),
        (-1, refused(190, 463), ReconnectRequired),
        (30, refused(100, 36009), Throttled),  # a word about a login's code, which is not what was sent
        (None, refused(190), Throttled),  # also what a token is told that is too young
        (None, refused(100), Throttled),
        (None, refused(999), Throttled),
        (None, answer(400, {"error": "too young"}), Throttled),
        (None, answer(401, {"portal": "sign in first"}), Throttled),
        (None, refused(190, 463), ReconnectRequired),
        (None, refused(190, 467), ReconnectRequired),
        (None, refused(190, 458), ReconnectRequired),
        (None, refused(102), ReconnectRequired),
        (None, refused(10), ScopeLost),
        *((days_left, answer(200, b"<html>Welcome to the hotel</html>"), ProtocolError) for days_left in (-1, 30, None)),
        *((days_left, answer(302, b""), ProtocolError) for days_left in (-1, 30, None)),
        (None, answer(502, b"<html>"), Unavailable),
        (-1, answer(400, {"error_type": "OAuthException", "code": 400, "error_message": "x"}), ReconnectRequired),
        (-1, refused(1), Unavailable),
        (-1, refused(2, status=500), Unavailable),
        (-1, answer(502, b"<html>"), Unavailable),
        (-1, answer(400, b""), Unavailable),
        (-1, refused(100, is_transient=True), Unavailable),
        (-1, refused(4), Throttled),
        (-1, answer(429, b""), Throttled),
        (30, ok({"token_type": "bearer"}), ProtocolError),
        (30, ok({"access_token": 5}), ProtocolError),
    ],
)
def test_what_a_refused_renewal_means(days_left: float | None, reply: Answer, kind: type[PlatformError]) -> None:
    with pytest.raises(kind) as caught:
        INSTAGRAM.refreshed(owned(days_left), reply, NOW)
    assert TOKEN not in f"{caught.value!r} {caught.value.raw}"


@pytest.mark.parametrize(
    ("lacking", "missing"),
    [((), []), (("login",), []), (("access_token",), ["access_token"]), (("instagram_account_id",), ["instagram_account_id"])],
)
def test_what_the_real_api_needs(lacking: tuple[str, ...], missing: list[str]) -> None:
    credentials = Credentials({name: value for name, value in owned().values.items() if name not in lacking})
    assert INSTAGRAM.missing_credentials(credentials) == missing
    assert INSTAGRAM.supports_real_api(credentials) is (not missing)


@pytest.mark.parametrize("reply", [refused(10), refused(200), refused(299)])
def test_a_permission_that_was_taken_away_is_told_apart(reply: Answer) -> None:
    """Nothing can be renewed without it, and still the token lives out its time."""
    with pytest.raises(ScopeLost, match="a permission was taken away"):
        INSTAGRAM.refreshed(owned(), reply, NOW)


@pytest.mark.parametrize(
    ("login", "scope", "missing"),
    [
        ("instagram", "instagram_business_basic", ["instagram_business_content_publish"]),
        ("", "instagram_business_basic,instagram_business_content_publish", []),
        ("facebook", "instagram_basic,instagram_content_publish,pages_show_list", ["pages_read_engagement"]),
        ("instagram", "", []),
    ],
)
def test_each_login_has_permissions_of_its_own(login: str, scope: str, missing: list[str]) -> None:
    assert INSTAGRAM.scopes_missing(owned(login=login, scope=scope)) == missing
