"""Connecting a TikTok account: what its owner is asked, what the callback and each answer come to, and how the access is withdrawn."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipcast.errors import ClipcastError, ConfigurationError, ProtocolError, Rejected, Throttled, Unavailable
from clipcast.platforms.base import Answer, Credentials, Form
from clipcast.platforms.consent import ConsentRefused
from clipcast.platforms.tiktok import TikTok
from pure.owners import NOW, REDIRECT, STATE, VERIFIER, Linking, consent, played, said, spoilt, survived

APP = Credentials({"client_key": "awkey", "client_secret": "hush-client-secret"})
CODE = "Abc123*v!5236.s1"
CALLBACK = {"code": CODE, "scopes": "user.info.basic,video.publish,video.upload,video.list", "state": STATE}
TOKENS: dict[str, Any] = {
    "access_token": "act.fresh",
    "expires_in": 86400,
    "open_id": "-000AbC_d",
    "refresh_token": "rft.fresh",
    "refresh_expires_in": 31536000,
    "scope": "user.info.basic,video.publish,video.upload,video.list",
    "token_type": "Bearer",
}
OK = {"code": "ok", "message": "", "log_id": "1"}
CREATOR = {"data": {"creator_username": "ana", "creator_nickname": "Ana"}, "error": OK}
GOOD = [said(200, TOKENS), said(200, CREATOR)]
TIKTOK = TikTok()


def linking(callback: dict[str, str] = CALLBACK) -> Linking:
    return TIKTOK.linking(APP, consent(), callback, NOW)


def refused(code: str, status: int = 400) -> Answer:
    return said(status, {"error": code, "error_description": "rft.secret and client_secret=hush", "log_id": "L"})


def creator_says(code: str, status: int = 200) -> Answer:
    return said(status, {"data": {}, "error": {"code": code, "message": "no", "log_id": "L"}})


def test_the_consent_page() -> None:
    """Commas between the scopes, and a challenge in hexadecimal, where the standard has base64url."""
    assert TIKTOK.consent_url(APP, consent()) == (
        "https://www.tiktok.com/v2/auth/authorize/?client_key=awkey&scope=user.info.basic,video.publish,video.upload,video.list"
        "&response_type=code&redirect_uri=https%3A%2F%2Fclips.example.com%2Foauth%2Fcallback&state=af0ifjsldkj&disable_auto_auth=1"
        "&code_challenge=13d31e961a1ad8ec2f16b10c4c982e0876a878ad6df144566ee1894acb70f9c3&code_challenge_method=S256"
    )


@pytest.mark.parametrize("app", [{}, {"client_key": "awkey"}, {"client_secret": "hush", "client_key": ""}])
def test_without_an_app_the_variables_are_named(app: dict[str, str]) -> None:
    for begin in (
        lambda: TIKTOK.consent_url(Credentials(app), consent()),
        lambda: next(TIKTOK.linking(Credentials(app), consent(), {}, NOW)),
    ):
        with pytest.raises(ConfigurationError, match="set CLIPCAST_TIKTOK_CLIENT_KEY and CLIPCAST_TIKTOK_CLIENT_SECRET"):
            begin()


def test_a_consent_becomes_an_account() -> None:
    asked, [account] = played(linking(), GOOD)

    assert [(request.method, request.url) for request in asked] == [
        ("POST", "https://open.tiktokapis.com/v2/oauth/token/"),
        ("POST", "https://open.tiktokapis.com/v2/post/publish/creator_info/query/"),
    ]
    assert (account.external_id, account.username) == ("-000AbC_d", "ana")
    assert dict(account.credentials.values) == {
        "access_token": "act.fresh",
        "refresh_token": "rft.fresh",
        "open_id": "-000AbC_d",
        "scope": TOKENS["scope"],
        "token_type": "Bearer",
    }
    assert account.credentials.expires_at == NOW + timedelta(days=1)
    assert account.credentials.refresh_expires_at == NOW + timedelta(days=365)


@pytest.mark.parametrize("sent_back", [CODE, "Abc123%2Av%215236.s1"])
def test_the_codes_tail_is_kept_and_decoded(sent_back: str) -> None:
    """A tail that stays encoded, or is cut, makes TikTok call the code expired."""
    request = next(linking({**CALLBACK, "code": sent_back}))
    assert isinstance(request.body, Form)
    assert request.body.fields == {
        "client_key": "awkey",
        "client_secret": "hush-client-secret",
        "code": CODE,
        "grant_type": "authorization_code",
        "redirect_uri": REDIRECT,
        "code_verifier": VERIFIER,
    }


def test_no_secret_is_in_an_address_or_printed() -> None:
    asked, accounts = played(linking(), GOOD)
    secrets = ("hush-client-secret", VERIFIER, CODE, "act.fresh", "rft.fresh")
    shown = [str(request.url) for request in asked] + [repr(asked), repr(accounts), repr(consent()), TIKTOK.consent_url(APP, consent())]
    assert not [(secret, text) for secret in secrets for text in shown if secret in text]


@pytest.mark.parametrize(
    ("callback", "kind", "words"),
    [
        ({"error": "access_denied", "error_description": "User cancelled"}, ConsentRefused, "was not allowed to connect"),
        ({"error": "invalid_scope"}, ConfigurationError, "add them to the app"),
        ({"error": "unauthorized_client"}, ConfigurationError, "CLIPCAST_TIKTOK_CLIENT_KEY"),
        ({"error": "server_error"}, Unavailable, "in a few minutes"),
        ({"error": "temporarily_unavailable"}, Unavailable, "in a few minutes"),
        ({"error": "brand_new"}, ConsentRefused, r"\(brand_new\)"),
        (
            {"error": "<script>act.1234567890</script>", "error_description": "act.1234567890"},
            ConsentRefused,
            "connected; connect it again",
        ),
        ({}, ConsentRefused, "sent nothing along"),
        ({"code": ""}, ConsentRefused, "sent nothing along"),
    ],
)
def test_what_the_browser_brings_back(callback: dict[str, str], kind: type[ClipcastError], words: str) -> None:
    with pytest.raises(kind, match=words) as caught:
        next(linking(callback))
    assert "act.1234567890" not in f"{caught.value!r}{caught.value}"


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (refused("invalid_grant"), ConsentRefused, "used already or has run out"),
        (refused("invalid_grant", 200), ConsentRefused, "used already or has run out"),
        (refused("invalid_client", 401), ConfigurationError, "CLIPCAST_TIKTOK_CLIENT_SECRET"),
        (refused("unauthorized_client"), ConfigurationError, "CLIPCAST_TIKTOK_CLIENT_SECRET"),
        (refused("invalid_request"), ConfigurationError, "Register https://clips.example.com/oauth/callback"),
        (refused("invalid_scope"), ConfigurationError, "add them to the app"),
        (refused("access_denied"), ConsentRefused, "was not allowed"),
        (refused("unsupported_grant_type"), Rejected, "please report"),
        (refused("server_error", 200), Unavailable, "in a few minutes"),
        (refused("invalid_grant", 503), Unavailable, "in a few minutes"),
        (refused("rate_limit_exceeded", 429), Throttled, "later"),
        (said(502, b"<html>"), Unavailable, "in a few minutes"),
        (said(400, b"<html>"), Rejected, "please report"),
        (said(200, b"<html>"), ProtocolError, "something else"),
        (said(200, {**TOKENS, "access_token": ["act.x"]}), ProtocolError, "could not be understood"),
        (said(200, {**TOKENS, "open_id": None}), ProtocolError, "could not be understood"),
    ],
)
def test_what_the_exchange_answers(answer: Answer, kind: type[ClipcastError], words: str) -> None:
    with pytest.raises(kind, match=words) as caught:
        played(linking(), [answer])
    assert "rft.secret" not in f"{caught.value!r}{caught.value}"


@pytest.mark.parametrize(
    ("left_out", "words"),
    [
        (("video.publish",), "not allowed to post to the account. Connect"),
        (("video.upload", "video.list"), "put drafts into its inbox and look up its public videos"),
    ],
)
@pytest.mark.parametrize("told_by", ["token", "callback"])
def test_an_unticked_permission_is_named(left_out: tuple[str, ...], words: str, told_by: str) -> None:
    granted = ",".join(scope for scope in TOKENS["scope"].split(",") if scope not in left_out)
    tokens = {**TOKENS, "scope": granted} if told_by == "token" else {name: value for name, value in TOKENS.items() if name != "scope"}
    with pytest.raises(ConsentRefused, match=words):
        played(linking({**CALLBACK, "scopes": granted}), [said(200, tokens)])


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (creator_says("spam_risk_too_many_posts"), Throttled, "connect it again tomorrow"),
        (creator_says("reached_active_user_cap"), Throttled, "connect the account again tomorrow"),
        (creator_says("rate_limit_exceeded", 429), Throttled, "later"),
        (creator_says("spam_risk_user_banned_from_posting"), ConsentRefused, "banned"),
        (creator_says("scope_not_authorized", 401), ConsentRefused, "permission is missing"),
        (creator_says("internal_error", 500), Unavailable, "in a few minutes"),
        (said(503, b""), Unavailable, "in a few minutes"),
    ],
)
def test_what_creator_info_answers(answer: Answer, kind: type[ClipcastError], words: str) -> None:
    with pytest.raises(kind, match=words):
        played(linking(), [GOOD[0], answer])


@pytest.mark.parametrize("name", ["", " @ ", None])
def test_an_account_without_a_name_is_not_connected(name: str | None) -> None:
    with pytest.raises(ProtocolError):
        played(linking(), [GOOD[0], said(200, {"data": {"creator_username": name}, "error": OK})])


@given(answers=spoilt(GOOD))
def test_no_answer_breaks_it(answers: list[Answer]) -> None:
    """Whatever comes back, it ends in an account with an id and a name, or in one of our errors."""
    for account in survived(linking(), answers):
        assert account.external_id
        assert account.username
        assert account.credentials.get("access_token")


@given(callback=st.dictionaries(st.sampled_from(["code", "error", "error_description", "scopes", "state"]), st.text()))
def test_no_callback_breaks_it(callback: dict[str, str]) -> None:
    try:
        request = next(linking(callback))
    except ClipcastError:
        return
    assert isinstance(request.body, Form)


def test_the_access_is_withdrawn_with_the_access_token() -> None:
    request = TIKTOK.revocation(Credentials({**APP.values, "access_token": "act.fresh", "refresh_token": "rft.fresh"}))
    assert request is not None
    assert (request.method, request.url, request.authorized) == ("POST", "https://open.tiktokapis.com/v2/oauth/revoke/", False)
    assert isinstance(request.body, Form)
    assert request.body.fields == {"client_key": "awkey", "client_secret": "hush-client-secret", "token": "act.fresh"}


@pytest.mark.parametrize("lacking", ["client_key", "client_secret", "access_token"])
def test_without_a_token_or_an_app_there_is_nothing_to_send(lacking: str) -> None:
    owned = {**APP.values, "access_token": "act.fresh", lacking: ""}
    assert TIKTOK.revocation(Credentials(owned)) is None


@pytest.mark.parametrize("answer", [said(200, b""), said(200, {}), refused("invalid_grant"), creator_says("access_token_invalid", 401)])
def test_gone_is_gone(answer: Answer) -> None:
    TIKTOK.revoked(answer)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refused("invalid_client"), Rejected),
        (refused("invalid_request", 200), Rejected),
        (said(500, b""), Unavailable),
        (said(429, b""), Throttled),
        (said(302, b""), ProtocolError),
    ],
)
def test_anything_else_may_have_left_it(answer: Answer, kind: type[ClipcastError]) -> None:
    with pytest.raises(kind):
        TIKTOK.revoked(answer)


def test_each_creator_consents_for_one_account() -> None:
    assert TIKTOK.logins == ("",)
    assert TIKTOK.shares_consent(Credentials(TOKENS)) == ""


def test_the_simulators_page_keeps_its_slash() -> None:
    """The documented path ends in one, and settings lose theirs."""
    url = urlsplit(TikTok(authorize_url="http://127.0.0.1:8100/tiktok/v2/auth/authorize").consent_url(APP, consent()))
    assert url.path == "/tiktok/v2/auth/authorize/"
    assert parse_qs(url.query)["state"] == [STATE]
