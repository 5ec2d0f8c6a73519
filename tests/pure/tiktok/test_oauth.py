from datetime import timedelta
from typing import Any

import pytest

from clipcast.errors import PlatformError, ProtocolError, ReconnectRequired, Rejected, ScopeLost, Throttled, Unavailable
from clipcast.platforms.base import Answer, Credentials, Form
from clipcast.platforms.tiktok import TikTok
from pure.tiktok.orders import NOW, TIKTOK, answer, at

OWNED = Credentials(
    {
        "client_key": "awkey",
        "client_secret": "hush",
        "access_token": "act.old",
        "refresh_token": "rft.old",
        "open_id": "-000Ab_c",
    },
    expires_at=NOW,
    refresh_expires_at=at(1000),
)
RENEWED: dict[str, Any] = {
    "access_token": "act.new",
    "expires_in": 86400,
    "open_id": "-000Ab_c",
    "refresh_token": "rft.new",
    "refresh_expires_in": 31536000,
    "scope": "user.info.basic,video.publish",
    "token_type": "Bearer",
}


def without(*names: str) -> Answer:
    return answer(200, {name: value for name, value in RENEWED.items() if name not in names})


def test_the_request_is_a_form_without_the_access_token() -> None:
    request = TikTok(api_url="http://127.0.0.1:9/tiktok/").refresh_request(OWNED)
    assert (request.method, request.url, request.authorized) == ("POST", "http://127.0.0.1:9/tiktok/v2/oauth/token/", False)
    assert isinstance(request.body, Form)
    assert request.body.fields == {
        "client_key": "awkey",
        "client_secret": "hush",
        "refresh_token": "rft.old",
        "grant_type": "refresh_token",
    }


def test_nothing_secret_is_printed() -> None:
    request = TIKTOK.refresh_request(OWNED)
    assert "rft.old" not in repr(request)
    assert "hush" not in repr(request)
    assert "act." not in f"{OWNED!r} {OWNED}"


def test_without_a_refresh_token_the_owner_has_to_connect_again() -> None:
    with pytest.raises(ReconnectRequired):
        TIKTOK.refresh_request(Credentials({"client_key": "k", "client_secret": "s", "access_token": "a"}))


def test_the_refresh_token_that_comes_back_replaces_the_old_one() -> None:
    renewed = TIKTOK.refreshed(OWNED, answer(200, RENEWED), NOW)
    assert (renewed.get("access_token"), renewed.get("refresh_token")) == ("act.new", "rft.new")
    assert (renewed.get("client_secret"), renewed.get("open_id")) == ("hush", "-000Ab_c")
    assert (renewed.expires_at, renewed.refresh_expires_at) == (NOW + timedelta(days=1), NOW + timedelta(days=365))


def test_a_refresh_token_that_is_not_sent_again_is_kept() -> None:
    renewed = TIKTOK.refreshed(OWNED, without("refresh_token", "refresh_expires_in"), NOW)
    assert (renewed.get("refresh_token"), renewed.refresh_expires_at) == ("rft.old", at(1000))


def test_an_unknown_life_is_not_guessed() -> None:
    assert TIKTOK.refreshed(OWNED, without("expires_in"), NOW).expires_at is None


@pytest.mark.parametrize("code", ["invalid_client", "unauthorized_client"])
def test_a_wrong_app_secret_blames_the_settings_and_no_account(code: str) -> None:
    """One wrong variable must not disconnect every account of the installation."""
    with pytest.raises(Rejected) as caught:
        TIKTOK.refreshed(OWNED, answer(401, {"error": code}), NOW)
    assert "CLIPCAST_TIKTOK_CLIENT_SECRET" in str(caught.value)


def test_a_renewal_that_lost_a_permission_is_kept_and_told_apart() -> None:
    """The old refresh token may be dead already, so the new ones count, whatever they lack."""
    fresh = TIKTOK.refreshed(OWNED, answer(200, {**RENEWED, "scope": "user.info.basic,video.upload,video.list"}), NOW)
    assert fresh.get("access_token") == RENEWED["access_token"]
    assert TIKTOK.scopes_missing(fresh) == ["video.publish"]


def test_what_was_allowed_is_not_guessed() -> None:
    """Credentials that a person pasted need not say what they are good for."""
    assert TIKTOK.scopes_missing(Credentials({"access_token": "a"})) == []


@pytest.mark.parametrize("http_status", [200, 400, 401])
@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("invalid_grant", ReconnectRequired),
        ("access_denied", ReconnectRequired),
        ("invalid_scope", ScopeLost),
        ("invalid_request", Rejected),
        ("invalid_client", Rejected),
        ("unauthorized_client", Rejected),
        ("unsupported_grant_type", Rejected),
        ("something_new", Rejected),
        ("server_error", Unavailable),
        ("temporarily_unavailable", Unavailable),
        ("rate_limit_exceeded", Throttled),
    ],
)
def test_the_error_key_decides_whatever_the_http_status(http_status: int, code: str, kind: type[PlatformError]) -> None:
    reply = answer(http_status, {"error": code, "error_description": "rft.old is no good", "log_id": "L"})
    with pytest.raises(kind) as caught:
        TIKTOK.refreshed(OWNED, reply, NOW)
    assert (caught.value.platform_code, caught.value.log_id) == (code, "L")
    assert "rft.old" not in f"{caught.value!r} {caught.value.raw}"


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (answer(500, b""), Unavailable),
        (answer(502, b"<html>"), Unavailable),
        (answer(503, {"error": "invalid_grant"}), Unavailable),
        (answer(408, b""), Unavailable),
        (answer(429, b""), Throttled),
        (answer(400, b"<html>"), Rejected),
        (answer(200, b"<html>"), ProtocolError),
        (answer(200, {}), ProtocolError),
        (without("access_token"), ProtocolError),
        (answer(200, {"data": {}, "error": {"code": "internal_error", "message": "", "log_id": "L"}}), Unavailable),
    ],
)
def test_trouble_that_passes_never_disconnects_an_account(reply: Answer, kind: type[PlatformError]) -> None:
    with pytest.raises(kind):
        TIKTOK.refreshed(OWNED, reply, NOW)


@pytest.mark.parametrize(
    ("lacking", "missing"),
    [((), []), (("client_key",), ["client_key"]), (("client_secret", "access_token"), ["client_secret", "access_token"])],
)
def test_what_the_real_api_needs(lacking: tuple[str, ...], missing: list[str]) -> None:
    credentials = Credentials({name: value for name, value in OWNED.values.items() if name not in lacking})
    assert TIKTOK.missing_credentials(credentials) == missing
    assert TIKTOK.supports_real_api(credentials) is (not missing)


def test_an_empty_value_is_a_missing_one() -> None:
    assert not TIKTOK.supports_real_api(Credentials({**OWNED.values, "access_token": ""}))
