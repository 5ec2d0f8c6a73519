"""Connecting a YouTube channel: what its owner is asked, what the callback and each answer come to, and how the access is withdrawn."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipcast.errors import ClipcastError, ConfigurationError, ProtocolError, Rejected, Throttled, Unavailable
from clipcast.platforms.base import Answer, Credentials, Form
from clipcast.platforms.consent import ConsentRefused
from clipcast.platforms.youtube import YouTube
from pure.owners import NOW, REDIRECT, STATE, VERIFIER, Linking, consent, played, said, spoilt, survived

APP = Credentials({"client_id": "1-a.apps.googleusercontent.com", "client_secret": "GOCSPX-hush"})
PREFIX = "https://www.googleapis.com/auth/"
SCOPES = f"{PREFIX}youtube.upload {PREFIX}youtube.readonly"
CALLBACK = {"code": "4/0AbC", "scope": SCOPES, "state": STATE}
TOKENS: dict[str, Any] = {
    "access_token": "ya29.fresh",
    "expires_in": 3599,
    "refresh_token": "1//fresh",
    "scope": SCOPES,
    "token_type": "Bearer",
}
CHANNELS: dict[str, Any] = {
    "kind": "youtube#channelListResponse",
    "items": [{"id": "UC123", "snippet": {"title": "Ana's Kitchen", "customUrl": "@anaskitchen"}}],
}
GOOD = [said(200, TOKENS), said(200, CHANNELS)]
YOUTUBE = YouTube()


def linking(callback: dict[str, str] = CALLBACK) -> Linking:
    return YOUTUBE.linking(APP, consent(), callback, NOW)


def refused(code: str, status: int = 400) -> Answer:
    return said(status, {"error": code, "error_description": "ya29.secret"})


def api_says(status: int, reason: str, domain: str = "global") -> Answer:
    entry = {"reason": reason, "domain": domain, "message": "no"}
    return said(status, {"error": {"code": status, "message": "no", "errors": [entry]}})


def test_the_consent_page() -> None:
    """`offline` and `consent` together, or somebody who consented before gives no refresh token."""
    assert YOUTUBE.consent_url(APP, consent()) == (
        "https://accounts.google.com/o/oauth2/v2/auth?client_id=1-a.apps.googleusercontent.com"
        "&redirect_uri=https%3A%2F%2Fclips.example.com%2Foauth%2Fcallback&response_type=code"
        "&scope=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fyoutube.upload%20https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fyoutube.readonly"
        "&state=af0ifjsldkj&access_type=offline&prompt=consent&include_granted_scopes=true"
        "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
    )


@pytest.mark.parametrize("app", [{}, {"client_id": "1-a"}])
def test_without_an_app_the_variables_are_named(app: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="set CLIPCAST_YOUTUBE_CLIENT_ID and CLIPCAST_YOUTUBE_CLIENT_SECRET"):
        YOUTUBE.consent_url(Credentials(app), consent())
    with pytest.raises(ConfigurationError, match="set CLIPCAST_YOUTUBE_CLIENT_ID"):
        next(YOUTUBE.linking(Credentials(app), consent(), CALLBACK, NOW))


def test_a_consent_becomes_an_account_with_its_channel_pinned() -> None:
    asked, [account] = played(linking(), GOOD)

    assert [(request.method, request.url) for request in asked] == [
        ("POST", "https://oauth2.googleapis.com/token"),
        ("GET", "https://www.googleapis.com/youtube/v3/channels?part=id,snippet&mine=true"),
    ]
    assert isinstance(asked[0].body, Form)
    assert asked[0].body.fields == {
        "code": "4/0AbC",
        "client_id": "1-a.apps.googleusercontent.com",
        "client_secret": "GOCSPX-hush",
        "redirect_uri": REDIRECT,
        "grant_type": "authorization_code",
        "code_verifier": VERIFIER,
    }
    assert (account.external_id, account.username) == ("UC123", "anaskitchen")
    assert dict(account.credentials.values) == {
        "access_token": "ya29.fresh",
        "refresh_token": "1//fresh",
        "scope": SCOPES,
        "token_type": "Bearer",
        "channel_id": "UC123",
    }
    assert account.credentials.expires_at == NOW + timedelta(seconds=3599)
    assert account.credentials.refresh_expires_at is None


def test_no_secret_is_in_an_address_or_printed() -> None:
    asked, accounts = played(linking(), GOOD)
    secrets = ("GOCSPX-hush", VERIFIER, "4/0AbC", "ya29.fresh", "1//fresh")
    shown = [str(request.url) for request in asked] + [repr(asked), repr(accounts), YOUTUBE.consent_url(APP, consent())]
    assert not [(secret, text) for secret in secrets for text in shown if secret in text]


def test_an_app_in_testing_says_when_its_access_ends() -> None:
    """Google's refresh tokens of apps in testing live seven days, and this is the only place that tells."""
    _, [account] = played(linking(), [said(200, {**TOKENS, "refresh_token_expires_in": 604799}), GOOD[1]])
    assert account.credentials.refresh_expires_at == NOW + timedelta(seconds=604799)


@pytest.mark.parametrize(
    ("snippet", "name"),
    [({"title": " Ana's Kitchen "}, "Ana's Kitchen"), ({"customUrl": "@ana", "title": "Ana"}, "ana"), ({}, "UC123"), (None, "UC123")],
)
def test_a_channel_is_called_by_its_handle_else_its_title(snippet: object, name: str) -> None:
    _, [account] = played(linking(), [GOOD[0], said(200, {"items": [{"id": "UC123", "snippet": snippet}]})])
    assert account.username == name


@pytest.mark.parametrize(
    ("callback", "kind", "words"),
    [
        ({"error": "access_denied"}, ConsentRefused, "was not allowed to connect"),
        ({"error": "admin_policy_enforced"}, ConsentRefused, "administrator"),
        ({"error": "org_internal"}, ConsentRefused, "administrator"),
        ({"error": "interaction_required"}, ConsentRefused, "was not allowed"),
        ({"error": "redirect_uri_mismatch"}, ConfigurationError, "Register https://clips.example.com/oauth/callback"),
        ({"error": "deleted_client"}, ConfigurationError, "CLIPCAST_YOUTUBE_CLIENT_ID"),
        ({"error": "invalid_scope"}, ConfigurationError, "add them to the app"),
        ({"error": "server_error"}, Unavailable, "in a few minutes"),
        ({"error": "disallowed_useragent"}, ConsentRefused, r"\(disallowed_useragent\)"),
        ({"error": "ya29.a0AfB_by1234567890 <b>"}, ConsentRefused, "connected; connect it again"),
        ({}, ConsentRefused, "sent nothing along"),
    ],
)
def test_what_the_browser_brings_back(callback: dict[str, str], kind: type[ClipcastError], words: str) -> None:
    with pytest.raises(kind, match=words) as caught:
        next(linking(callback))
    assert "ya29" not in f"{caught.value!r}{caught.value}"


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (refused("invalid_grant"), ConsentRefused, "used already or has run out"),
        (refused("invalid_client", 401), ConfigurationError, "CLIPCAST_YOUTUBE_CLIENT_SECRET"),
        (refused("deleted_client", 401), ConfigurationError, "CLIPCAST_YOUTUBE_CLIENT_SECRET"),
        (refused("redirect_uri_mismatch"), ConfigurationError, "Register https://clips.example.com/oauth/callback"),
        (refused("org_internal", 403), ConsentRefused, "administrator"),
        (refused("invalid_request"), Rejected, "please report"),
        (refused("rate_limit_exceeded", 403), Throttled, "later"),
        (refused("invalid_grant", 500), Unavailable, "in a few minutes"),
        (said(429, b""), Throttled, "later"),
        (said(503, b"<html>"), Unavailable, "in a few minutes"),
        (said(200, b"<html>"), ProtocolError, "something else"),
        (said(200, {**TOKENS, "access_token": None}), ProtocolError, "could not be understood"),
    ],
)
def test_what_the_exchange_answers(answer: Answer, kind: type[ClipcastError], words: str) -> None:
    with pytest.raises(kind, match=words) as caught:
        played(linking(), [answer])
    assert "ya29.secret" not in f"{caught.value!r}{caught.value}"


@pytest.mark.parametrize(
    ("granted", "words"),
    [
        (f"{PREFIX}youtube.upload", "see the channel and how its videos are doing"),
        (f"{PREFIX}youtube.readonly openid", "not allowed to upload videos"),
        ("openid", "upload videos and see the channel"),
    ],
)
@pytest.mark.parametrize("told_by", ["token", "callback"])
def test_an_unticked_permission_is_named(granted: str, words: str, told_by: str) -> None:
    tokens = {**TOKENS, "scope": granted} if told_by == "token" else {name: value for name, value in TOKENS.items() if name != "scope"}
    with pytest.raises(ConsentRefused, match=words):
        played(linking({**CALLBACK, "scope": granted}), [said(200, tokens)])


@pytest.mark.parametrize("wider", ["youtube", "youtube.force-ssl", "youtubepartner"])
def test_a_wider_permission_covers_both(wider: str) -> None:
    _, [account] = played(linking(), [said(200, {**TOKENS, "scope": f"{PREFIX}{wider} openid"}), GOOD[1]])
    assert YOUTUBE.scopes_missing(account.credentials) == []


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (said(200, {"items": []}), ConsentRefused, r"no YouTube channel.*Create one at youtube\.com"),
        (said(200, {}), ConsentRefused, "no YouTube channel"),
        (api_says(401, "youtubeSignupRequired", "youtube.header"), ConsentRefused, "no YouTube channel"),
        (api_says(403, "channelSuspended"), ConsentRefused, "suspended"),
        (api_says(403, "insufficientPermissions"), ConsentRefused, "permission is missing"),
        (api_says(403, "accessNotConfigured", "usageLimits"), ConfigurationError, "enable it in the Google Cloud console"),
        (api_says(403, "quotaExceeded", "youtube.quota"), Throttled, "later"),
        (api_says(503, "backendError"), Unavailable, "in a few minutes"),
        (said(200, b"<html>"), ProtocolError, "could not be understood"),
    ],
)
def test_what_the_question_for_the_channel_answers(answer: Answer, kind: type[ClipcastError], words: str) -> None:
    with pytest.raises(kind, match=words):
        played(linking(), [GOOD[0], answer])


@given(answers=spoilt(GOOD))
def test_no_answer_breaks_it(answers: list[Answer]) -> None:
    """Whatever comes back, it ends in an account with an id and a name, or in one of our errors."""
    for account in survived(linking(), answers):
        assert account.external_id
        assert account.username
        assert account.credentials.get("channel_id") == account.external_id


@given(callback=st.dictionaries(st.sampled_from(["code", "error", "scope", "state"]), st.text()))
def test_no_callback_breaks_it(callback: dict[str, str]) -> None:
    survived(linking(callback), [])


@pytest.mark.parametrize(
    ("owned", "sent"), [({"refresh_token": "1//r", "access_token": "ya29.a"}, "1//r"), ({"access_token": "ya29.a"}, "ya29.a")]
)
def test_the_access_is_withdrawn_with_the_token_that_lives_longer(owned: dict[str, str], sent: str) -> None:
    request = YOUTUBE.revocation(Credentials(owned))
    assert request is not None
    assert (request.method, request.url, request.authorized) == ("POST", "https://oauth2.googleapis.com/revoke", False)
    assert isinstance(request.body, Form)
    assert request.body.fields == {"token": sent}


def test_without_a_token_there_is_nothing_to_send() -> None:
    assert YOUTUBE.revocation(APP) is None


@pytest.mark.parametrize("answer", [said(200, {}), said(200, b""), refused("invalid_token"), refused("invalid_grant")])
def test_gone_is_gone(answer: Answer) -> None:
    YOUTUBE.revoked(answer)


@pytest.mark.parametrize(
    ("answer", "kind"), [(refused("invalid_request"), Rejected), (said(500, b""), Unavailable), (said(429, b""), Throttled)]
)
def test_anything_else_may_have_left_it(answer: Answer, kind: type[ClipcastError]) -> None:
    with pytest.raises(kind):
        YOUTUBE.revoked(answer)


def test_there_is_one_login_for_one_channel() -> None:
    assert YOUTUBE.logins == ("",)
    assert YOUTUBE.shares_consent(Credentials(TOKENS)) == ""
