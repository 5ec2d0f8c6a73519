from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from clipcast.accounts.credentials import seal
from clipcast.accounts.models import SocialAccount
from clipcast.accounts.provider import choose, with_app_credentials
from clipcast.accounts.vault import Vault
from clipcast.errors import ConfigurationError, PlatformError, ProtocolError, ReconnectRequired, Rejected, ScopeLost, Throttled, Unavailable
from clipcast.platforms.base import Answer, Credentials, Form
from clipcast.platforms.youtube import YouTube
from clipcast.settings import load_settings
from pure.youtube.orders import NOW, YOUTUBE, answer, at

OWNED = Credentials(
    {
        "client_id": "1.apps.googleusercontent.com",
        "client_secret": "GOCSPX-hush",
        "access_token": "ya29.old",
        "refresh_token": "1//old",
        "channel_id": "UC1",
    },
    expires_at=NOW,
    refresh_expires_at=at(1000),
)
RENEWED: dict[str, Any] = {
    "access_token": "ya29.new",
    "expires_in": 3599,
    "scope": "https://www.googleapis.com/auth/youtube.upload",
    "token_type": "Bearer",
}


def test_the_request_is_a_form_without_the_access_token() -> None:
    request = YouTube(token_url="http://127.0.0.1:9/youtube/token").refresh_request(OWNED)
    assert (request.method, request.url, request.authorized) == ("POST", "http://127.0.0.1:9/youtube/token", False)
    assert isinstance(request.body, Form)
    assert request.body.fields == {
        "client_id": "1.apps.googleusercontent.com",
        "client_secret": "GOCSPX-hush",
        "refresh_token": "1//old",
        "grant_type": "refresh_token",
    }
    assert YOUTUBE.refresh_request(OWNED).url == "https://oauth2.googleapis.com/token"


def test_nothing_secret_is_printed() -> None:
    assert "hush" not in f"{YOUTUBE.refresh_request(OWNED)!r} {OWNED!r} {OWNED}"


def test_without_a_refresh_token_the_owner_has_to_connect_again() -> None:
    with pytest.raises(ReconnectRequired):
        YOUTUBE.refresh_request(Credentials({"client_id": "k", "client_secret": "s", "access_token": "a"}))


def test_the_refresh_token_that_is_not_sent_again_is_kept() -> None:
    renewed = YOUTUBE.refreshed(OWNED, answer(200, RENEWED), NOW)
    assert (renewed.get("access_token"), renewed.get("refresh_token"), renewed.get("channel_id")) == ("ya29.new", "1//old", "UC1")
    assert (renewed.expires_at, renewed.refresh_expires_at) == (NOW + timedelta(seconds=3599), at(1000))


def test_a_new_refresh_token_and_its_life_are_taken_over() -> None:
    """An app in testing gets one of seven days."""
    reply = answer(200, {**RENEWED, "refresh_token": "1//new", "refresh_token_expires_in": 604_799})
    renewed = YOUTUBE.refreshed(OWNED, reply, NOW)
    assert (renewed.get("refresh_token"), renewed.refresh_expires_at) == ("1//new", at(604_799))


def test_an_unknown_life_is_not_guessed() -> None:
    reply = answer(200, {name: value for name, value in RENEWED.items() if name != "expires_in"})
    assert YOUTUBE.refreshed(OWNED, reply, NOW).expires_at is None


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "invalid_grant", ReconnectRequired),
        (400, "access_denied", ReconnectRequired),
        (400, "invalid_scope", ScopeLost),
        (400, "admin_policy_enforced", ReconnectRequired),
        (403, "org_internal", ReconnectRequired),
        (401, "invalid_client", Rejected),
        (401, "deleted_client", Rejected),
        (401, "disabled_client", Rejected),
        (401, "unauthorized_client", Rejected),
        (400, "unsupported_grant_type", Rejected),
        (400, "invalid_request", Rejected),
        (403, "something_new", Rejected),
        (403, "slow_down", Throttled),
        (400, "temporarily_unavailable", Unavailable),
        (500, "internal_failure", Unavailable),
        (400, "server_error", Unavailable),
        (503, "invalid_grant", Unavailable),
    ],
)
def test_only_what_the_owner_can_mend_disconnects_the_account(status: int, code: str, kind: type[PlatformError]) -> None:
    with pytest.raises(kind) as caught:
        YOUTUBE.refreshed(OWNED, answer(status, {"error": code, "error_description": "1//old is no good"}), NOW)
    assert caught.value.platform_code == code
    assert "1//old" not in f"{caught.value!r} {caught.value.raw}"


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (answer(500, b""), Unavailable),
        (answer(502, b"<html>"), Unavailable),
        (answer(408), Unavailable),
        (answer(429), Throttled),
        (answer(403, {"error_code": "rate_limit_exceeded"}), Throttled),
        (answer(400, b"<html>"), Rejected),
        (answer(200, b"<html>"), ProtocolError),
        (answer(200, {"expires_in": 5}), ProtocolError),
        (answer(302), ProtocolError),
    ],
)
def test_answers_without_a_word(reply: Answer, kind: type[PlatformError]) -> None:
    with pytest.raises(kind):
        YOUTUBE.refreshed(OWNED, reply, NOW)


@pytest.mark.parametrize(
    ("lacking", "missing"),
    [((), []), (("client_id",), ["client_id"]), (("client_secret", "access_token"), ["client_secret", "access_token"])],
)
def test_what_the_real_api_needs(lacking: tuple[str, ...], missing: list[str]) -> None:
    credentials = Credentials({name: value for name, value in OWNED.values.items() if name not in lacking})
    assert YOUTUBE.missing_credentials(credentials) == missing
    assert YOUTUBE.supports_real_api(credentials) is (not missing)


def test_the_settings_lend_the_app_to_accounts_without_one() -> None:
    settings = load_settings(data_dir=Path("unused"), youtube_client_id="app-id", youtube_client_secret="app-secret")
    lent = with_app_credentials(Credentials({"access_token": "ya29.own"}), "youtube", settings)
    assert lent.values == {"access_token": "ya29.own", "client_id": "app-id", "client_secret": "app-secret"}
    assert with_app_credentials(OWNED, "youtube", settings).get("client_id") == OWNED.get("client_id")


def test_what_can_be_set_for_the_app_is_named_by_its_variable() -> None:
    account = SocialAccount(id="a1", platform="youtube", username="maker", status="active")
    vault = Vault([b"k" * 32])
    seal(account, Credentials({"access_token": "ya29.own"}), vault)
    with pytest.raises(ConfigurationError, match="CLIPCAST_YOUTUBE_CLIENT_ID and CLIPCAST_YOUTUBE_CLIENT_SECRET"):
        choose(account, vault, YOUTUBE, load_settings(data_dir=Path("unused"), simulation="off"))


def test_a_renewal_that_lost_a_permission_is_kept_and_told_apart() -> None:
    uploads = "https://www.googleapis.com/auth/youtube.upload"
    fresh = YOUTUBE.refreshed(OWNED, answer(200, {"access_token": "ya29.new", "expires_in": 3599, "scope": uploads}), NOW)
    assert fresh.get("access_token") == "ya29.new"
    assert YOUTUBE.scopes_missing(fresh) == ["https://www.googleapis.com/auth/youtube.readonly"]
