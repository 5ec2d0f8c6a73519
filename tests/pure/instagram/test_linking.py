"""Connecting an Instagram account with Instagram's own login; `test_pages.py` has Facebook's."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipcast.errors import ClipcastError, ConfigurationError, ProtocolError, Rejected, Throttled, TokenExpired, Unavailable
from clipcast.platforms.base import Answer, Credentials, Form
from clipcast.platforms.consent import ConsentRefused
from clipcast.platforms.instagram import Instagram
from pure.owners import NOW, REDIRECT, STATE, VERIFIER, Linking, consent, played, said, spoilt, survived

APP = Credentials({"app_id": "1700", "app_secret": "hush-app-secret"})
CALLBACK = {"code": "AQDcode", "state": STATE}
PERMISSIONS = ["instagram_business_basic", "instagram_business_content_publish"]
SHORT: dict[str, Any] = {"access_token": "IGAAshort", "user_id": 26000000000000001, "permissions": PERMISSIONS}
LONG: dict[str, Any] = {"access_token": "IGAAlong", "token_type": "bearer", "expires_in": 5183944}
ME: dict[str, Any] = {"user_id": "17841400000000001", "id": "26000000000000001", "username": "ana", "account_type": "BUSINESS"}
GOOD = [said(200, SHORT), said(200, LONG), said(200, ME)]
INSTAGRAM = Instagram()


def linking(callback: dict[str, str] = CALLBACK) -> Linking:
    return INSTAGRAM.linking(APP, consent("instagram"), callback, NOW)


def code_says(status: int, message: str) -> Answer:
    return said(status, {"error_type": "OAuthException", "code": status, "error_message": message})


def graph_says(code: int, subcode: int | None = None, status: int = 400) -> Answer:
    return said(status, {"error": {"message": "IGAAsecretsecretsecret", "type": "OAuthException", "code": code, "error_subcode": subcode}})


def test_the_consent_page() -> None:
    assert INSTAGRAM.consent_url(APP, consent("instagram")) == (
        "https://www.instagram.com/oauth/authorize?client_id=1700&redirect_uri=https%3A%2F%2Fclips.example.com%2Foauth%2Fcallback"
        "&response_type=code&scope=instagram_business_basic,instagram_business_content_publish&state=af0ifjsldkj"
    )


@pytest.mark.parametrize("login", ["instagram", "facebook"])
@pytest.mark.parametrize("app", [{}, {"app_id": "1700"}])
def test_without_an_app_the_variables_are_named(app: dict[str, str], login: str) -> None:
    with pytest.raises(ConfigurationError, match="set CLIPCAST_INSTAGRAM_APP_ID and CLIPCAST_INSTAGRAM_APP_SECRET"):
        INSTAGRAM.consent_url(Credentials(app), consent(login))
    with pytest.raises(ConfigurationError, match="set CLIPCAST_INSTAGRAM_APP_ID"):
        next(INSTAGRAM.linking(Credentials(app), consent(login), CALLBACK, NOW))


def test_a_consent_becomes_an_account_for_sixty_days() -> None:
    asked, [account] = played(linking(), GOOD)

    assert [(request.method, request.url) for request in asked] == [
        ("POST", "https://api.instagram.com/oauth/access_token"),
        (
            "GET",
            "https://graph.instagram.com/access_token?grant_type=ig_exchange_token&client_secret=hush-app-secret&access_token=IGAAshort",
        ),
        ("GET", "https://graph.instagram.com/v26.0/me?fields=user_id,username,account_type"),
    ]
    assert isinstance(asked[0].body, Form)
    assert asked[0].body.fields == {
        "client_id": "1700",
        "client_secret": "hush-app-secret",
        "grant_type": "authorization_code",
        "redirect_uri": REDIRECT,
        "code": "AQDcode",
    }
    assert asked[2].headers["Authorization"] == "Bearer IGAAlong"
    assert (account.external_id, account.username) == ("17841400000000001", "ana")
    assert dict(account.credentials.values) == {
        "login": "instagram",
        "access_token": "IGAAlong",
        "instagram_account_id": "17841400000000001",
        "scope": "instagram_business_basic,instagram_business_content_publish",
    }
    assert account.credentials.expires_at == NOW + timedelta(seconds=5183944)
    assert account.credentials.refresh_expires_at is None


@pytest.mark.parametrize(
    "answers",
    [
        [said(200, {"data": [{**SHORT, "permissions": ",".join(PERMISSIONS)}]}), GOOD[1], said(200, {"data": [ME]})],
        [said(200, {"data": [SHORT]}), said(200, {"data": [LONG]}), said(200, {**ME, "user_id": 17841400000000001})],
    ],
)
def test_the_documented_shapes_and_those_that_were_seen(answers: list[Answer]) -> None:
    """A list around the object, permissions as text, ids as numbers: all of it is accepted."""
    _, [account] = played(linking(), answers)
    assert (account.external_id, account.username) == ("17841400000000001", "ana")
    assert INSTAGRAM.scopes_missing(account.credentials) == []


def test_what_the_address_bar_adds_is_no_part_of_the_code() -> None:
    request = next(linking({"code": "AQDcode#_"}))
    assert isinstance(request.body, Form)
    assert request.body.fields["code"] == "AQDcode"


def test_secrets_are_in_an_address_only_where_meta_wants_them() -> None:
    asked, accounts = played(linking(), GOOD)
    secrets = ("hush-app-secret", VERIFIER, "AQDcode", "IGAAshort", "IGAAlong")
    elsewhere = [str(request.url) for request in asked if "ig_exchange_token" not in str(request.url)]
    shown = [*elsewhere, repr(asked), repr(accounts), INSTAGRAM.consent_url(APP, consent("instagram"))]
    assert not [(secret, text) for secret in secrets for text in shown if secret in text]


def test_permissions_that_are_not_told_are_not_guessed() -> None:
    _, [account] = played(linking(), [said(200, {"access_token": "IGAAshort"}), *GOOD[1:]])
    assert account.credentials.get("scope") == ""
    assert INSTAGRAM.scopes_missing(account.credentials) == []


@pytest.mark.parametrize(
    ("callback", "kind", "words"),
    [
        (
            {"error": "access_denied", "error_reason": "user_denied", "error_description": "The user denied your request."},
            ConsentRefused,
            "was not allowed",
        ),
        ({"error_reason": "user_denied"}, ConsentRefused, "was not allowed"),
        ({"error": "server_error"}, Unavailable, "in a few minutes"),
        ({"error": "IGAAxxxxxxxxxxxxxxxxxxxxxxxx <i>"}, ConsentRefused, "connected; connect it again"),
        ({"state": STATE}, ConsentRefused, "sent nothing along"),
    ],
)
def test_what_the_browser_brings_back(callback: dict[str, str], kind: type[ClipcastError], words: str) -> None:
    with pytest.raises(kind, match=words) as caught:
        next(linking(callback))
    assert "IGAAxxxx" not in f"{caught.value!r}{caught.value}"


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (code_says(400, "Matching code was not found or was already used"), ConsentRefused, "used already or has run out"),
        (code_says(400, "Error validating client secret"), ConfigurationError, "CLIPCAST_INSTAGRAM_APP_SECRET"),
        (code_says(400, "Invalid platform app"), ConfigurationError, "CLIPCAST_INSTAGRAM_APP_ID"),
        (code_says(500, "Matching code was not found or was already used"), Unavailable, "in a few minutes"),
        (said(400, b"<html>"), Unavailable, "in a few minutes"),
        (said(502, b""), Unavailable, "in a few minutes"),
        (said(429, b""), Throttled, "later"),
        (said(200, {}), ProtocolError, "could not be understood"),
        (said(200, {"access_token": {"a": 1}}), ProtocolError, "could not be understood"),
    ],
)
def test_what_the_exchange_answers(answer: Answer, kind: type[ClipcastError], words: str) -> None:
    with pytest.raises(kind, match=words):
        played(linking(), [answer])


@pytest.mark.parametrize(
    ("granted", "words"),
    [
        (["instagram_business_basic"], "not allowed to publish to the account"),
        ("instagram_business_content_publish", "not allowed to see the account"),
    ],
)
def test_an_unticked_permission_is_named(granted: object, words: str) -> None:
    with pytest.raises(ConsentRefused, match=words):
        played(linking(), [said(200, {**SHORT, "permissions": granted})])


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (graph_says(100), ConfigurationError, "Instagram product, which has a pair of its own"),
        (graph_says(2, status=500), Unavailable, "in a few minutes"),
        (graph_says(4), Throttled, "later"),
        (graph_says(190), TokenExpired, "in a few minutes"),
        (said(200, {"token_type": "bearer"}), ProtocolError, "could not be understood"),
    ],
)
def test_what_the_long_tokens_endpoint_answers(answer: Answer, kind: type[ClipcastError], words: str) -> None:
    with pytest.raises(kind, match=words) as caught:
        played(linking(), [GOOD[0], answer])
    assert "IGAAsecret" not in f"{caught.value!r}{caught.value}"


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (said(200, {**ME, "account_type": "PERSONAL"}), ConsentRefused, "@ana is a personal account.*Switch it to a professional"),
        (graph_says(10, status=403), ConsentRefused, "permission is missing"),
        (graph_says(200, status=403), ConsentRefused, "permission is missing"),
        (graph_says(25, 2207050), ConsentRefused, "account"),
        (said(200, {"id": "26000000000000001", "username": "ana"}), ProtocolError, "could not be understood"),
        (said(200, {"data": []}), ProtocolError, "could not be understood"),
        (graph_says(803), Rejected, "please report"),
    ],
)
def test_whose_account_it_is(answer: Answer, kind: type[ClipcastError], words: str) -> None:
    with pytest.raises(kind, match=words):
        played(linking(), [*GOOD[:2], answer])


@given(answers=spoilt(GOOD))
def test_no_answer_breaks_it(answers: list[Answer]) -> None:
    """Whatever comes back, it ends in an account with an id and a name, or in one of our errors."""
    for account in survived(linking(), answers):
        assert account.external_id
        assert account.username
        assert account.credentials.get("instagram_account_id") == account.external_id


@given(callback=st.dictionaries(st.sampled_from(["code", "error", "error_reason", "error_code", "state"]), st.text()))
def test_no_callback_breaks_it(callback: dict[str, str]) -> None:
    survived(linking(callback), [])


def test_instagrams_own_login_has_no_way_to_withdraw_the_access() -> None:
    assert INSTAGRAM.revocation(Credentials({**APP.values, "access_token": "IGAAlong", "login": "instagram"})) is None


def test_two_logins_of_which_the_shorter_comes_first() -> None:
    assert INSTAGRAM.logins == ("instagram", "facebook")
    assert INSTAGRAM.renews_by == "access_token"
    assert INSTAGRAM.shares_consent(Credentials({"login": "instagram"})) == ""
