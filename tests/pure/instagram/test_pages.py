"""Connecting Instagram accounts with Facebook login: a person's consent, and the accounts of their Pages."""

from typing import Any

import pytest
from hypothesis import given

from clipcast.errors import ClipcastError, ConfigurationError, ProtocolError, Rejected, Throttled, Unavailable
from clipcast.platforms.base import Answer, Credentials
from clipcast.platforms.consent import ConsentRefused
from clipcast.platforms.instagram import Instagram
from pure.owners import NOW, STATE, VERIFIER, Linking, consent, played, said, spoilt, survived

APP = Credentials({"app_id": "1701", "app_secret": "hush-app-secret"})
CALLBACK = {"code": "AQDcode", "state": STATE}
SCOPES = ["instagram_basic", "instagram_content_publish", "pages_read_engagement", "pages_show_list"]
PERMISSIONS = {"data": [*({"permission": scope, "status": "granted"} for scope in SCOPES), {"permission": "email", "status": "declined"}]}
INSTAGRAM = Instagram()


def page(number: int, **changes: object) -> dict[str, Any]:
    account = {"id": f"1784{number}", "username": f"brand{number}"}
    found = {"id": f"61{number}", "name": "Brand", "access_token": f"EAApage{number}", "tasks": ["MANAGE"]}
    return {**found, "instagram_business_account": account, **changes}


def pages(*rows: object, after: str = "") -> Answer:
    paging = {"cursors": {"before": "B", "after": after}, "next": "https://graph.facebook.com/...access_token=EAAperson"} if after else {}
    return said(200, {"data": list(rows), "paging": paging})


SHORT, LONG = said(200, {"access_token": "EAAshort", "expires_in": 5000}), said(200, {"access_token": "EAAperson", "expires_in": 5183944})
PERSON, ALLOWED = said(200, {"id": "1020"}), said(200, PERMISSIONS)
BEFORE = [SHORT, LONG, PERSON, ALLOWED]


def linking(callback: dict[str, str] = CALLBACK) -> Linking:
    return INSTAGRAM.linking(APP, consent("facebook"), callback, NOW)


def graph_says(code: int, subcode: int | None = None, status: int = 400) -> Answer:
    return said(status, {"error": {"message": "EAAsecretsecretsecret", "type": "OAuthException", "code": code, "error_subcode": subcode}})


def test_the_dialog_asks_again_for_what_was_declined() -> None:
    assert INSTAGRAM.consent_url(APP, consent("facebook")) == (
        "https://www.facebook.com/v26.0/dialog/oauth?client_id=1701&redirect_uri=https%3A%2F%2Fclips.example.com%2Foauth%2Fcallback"
        "&response_type=code&scope=instagram_basic,instagram_content_publish,pages_show_list,pages_read_engagement,business_management"
        "&auth_type=rerequest&state=af0ifjsldkj"
    )


def test_the_persons_token_is_made_to_last_before_the_pages_are_asked_for() -> None:
    """A Page token made of a short one would die within hours."""
    asked, [account] = played(linking(), [*BEFORE, pages(page(1))])

    root = "https://graph.facebook.com/v26.0"
    client = "client_id=1701&client_secret=hush-app-secret"
    redirect = "redirect_uri=https%3A%2F%2Fclips.example.com%2Foauth%2Fcallback"
    assert [(request.method, request.url) for request in asked] == [
        ("GET", f"{root}/oauth/access_token?{client}&{redirect}&code=AQDcode"),
        ("GET", f"{root}/oauth/access_token?{client}&grant_type=fb_exchange_token&fb_exchange_token=EAAshort"),
        ("GET", f"{root}/me?fields=id"),
        ("GET", f"{root}/me/permissions"),
        ("GET", f"{root}/me/accounts?fields=id,name,access_token,tasks,instagram_business_account%7Bid,username%7D&limit=100"),
    ]
    assert {request.headers["Authorization"] for request in asked[2:]} == {"Bearer EAAperson"}
    assert (account.external_id, account.username) == ("17841", "brand1")
    assert dict(account.credentials.values) == {
        "login": "facebook",
        "access_token": "EAApage1",
        "instagram_account_id": "17841",
        "page_id": "611",
        "scope": ",".join(SCOPES),
        "user_access_token": "EAAperson",
        "facebook_user_id": "1020",
    }
    assert (account.credentials.expires_at, account.credentials.refresh_expires_at) == (None, None)


def test_secrets_are_in_an_address_only_where_meta_wants_them() -> None:
    asked, accounts = played(linking(), [*BEFORE, pages(page(1))])
    secrets = ("hush-app-secret", VERIFIER, "AQDcode", "EAAshort", "EAAperson", "EAApage1")
    elsewhere = [str(request.url) for request in asked if "/oauth/access_token" not in str(request.url)]
    shown = [*elsewhere, repr(asked), repr(accounts), INSTAGRAM.consent_url(APP, consent("facebook"))]
    assert not [(secret, text) for secret in secrets for text in shown if secret in text]


def test_all_lists_are_read_by_their_cursors() -> None:
    """Meta's ready-made address of the next list carries the token, so it is not used."""
    asked, found = played(linking(), [*BEFORE, pages(page(1), after="A1"), pages(after="A2"), pages(page(2))])
    assert [one.username for one in found] == ["brand1", "brand2"]
    assert [str(request.url).rpartition("&")[2] for request in asked[-3:]] == ["limit=100", "after=A1", "after=A2"]


def test_lists_without_end_are_left_at_some_point() -> None:
    asked, found = played(linking(), [*BEFORE, *(pages(page(number), after="A") for number in range(20))])
    assert len(found) == 20
    assert len(asked) == len(BEFORE) + 20


@pytest.mark.parametrize(
    "row",
    [
        page(1, instagram_business_account=None),
        page(1, tasks=["ANALYZE", "MODERATE"]),
        page(1, access_token=""),
        page(1, instagram_business_account={"id": "17841"}),
        {},
        "nonsense",
    ],
)
def test_a_page_without_a_usable_account_is_left_out(row: object) -> None:
    _, [account] = played(linking(), [*BEFORE, pages(row, page(2))])
    assert account.username == "brand2"
    with pytest.raises(ConsentRefused, match="Switch the account to a professional one, link it to a Page"):
        played(linking(), [*BEFORE, pages(row)])


@pytest.mark.parametrize("tasks", [None, ["CREATE_CONTENT"], ["ANALYZE", "MANAGE"]])
def test_who_may_create_content_may_publish(tasks: object) -> None:
    _, [account] = played(linking(), [*BEFORE, pages(page(1, tasks=tasks))])
    assert account.username == "brand1"


def test_what_is_granted_besides_is_not_missed() -> None:
    """Without `business_management` a business's Pages are not listed; everybody else needs nothing of it."""
    _, [account] = played(linking(), [*BEFORE, pages(page(1))])
    assert INSTAGRAM.scopes_missing(account.credentials) == []


@pytest.mark.parametrize("status", ["declined", "expired"])
def test_a_declined_permission_is_named(status: str) -> None:
    rows = [{"permission": scope, "status": status if scope == "pages_show_list" else "granted"} for scope in SCOPES]
    with pytest.raises(ConsentRefused, match="not allowed to see which Facebook Pages you manage"):
        played(linking(), [*BEFORE[:3], said(200, {"data": rows})])


@pytest.mark.parametrize(
    ("callback", "kind", "words"),
    [
        (
            {"error": "access_denied", "error_code": "200", "error_description": "Permissions error", "error_reason": "user_denied"},
            ConsentRefused,
            "was not allowed.*still in development",
        ),
        ({"error_code": "901", "error_message": "EAAsecretsecretsecret"}, ConsentRefused, r"\(901\)"),
        ({}, ConsentRefused, "sent nothing along"),
    ],
)
def test_what_the_browser_brings_back(callback: dict[str, str], kind: type[ClipcastError], words: str) -> None:
    with pytest.raises(kind, match=words) as caught:
        next(linking(callback))
    assert "EAAsecret" not in f"{caught.value!r}{caught.value}"


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (graph_says(100, 36009), ConsentRefused, "used already or has run out"),
        (graph_says(100, 36007), ConsentRefused, "used already or has run out"),
        (graph_says(100), ConfigurationError, "Register https://clips.example.com/oauth/callback.*CLIPCAST_INSTAGRAM_APP_SECRET"),
        (graph_says(101), ConfigurationError, "CLIPCAST_INSTAGRAM_APP_ID"),
        (graph_says(2, status=500), Unavailable, "in a few minutes"),
        (graph_says(4), Throttled, "later"),
        (said(503, b"<html>"), Unavailable, "in a few minutes"),
        (said(200, {"token_type": "bearer"}), ProtocolError, "could not be understood"),
    ],
)
@pytest.mark.parametrize("before", [[], [SHORT]])
def test_what_the_token_endpoint_answers(before: list[Answer], answer: Answer, kind: type[ClipcastError], words: str) -> None:
    with pytest.raises(kind, match=words) as caught:
        played(linking(), [*before, answer])
    assert "EAAsecret" not in f"{caught.value!r}{caught.value}"


@given(answers=spoilt([*BEFORE, pages(page(1))]))
def test_no_answer_breaks_it(answers: list[Answer]) -> None:
    """Whatever comes back, it ends in accounts with an id and a name, or in one of our errors."""
    for account in survived(linking(), answers):
        assert account.external_id
        assert account.username
        assert account.credentials.get("user_access_token")


def test_the_consent_is_taken_back_with_the_persons_own_token() -> None:
    """A Page's token may not."""
    request = INSTAGRAM.revocation(Credentials({"login": "facebook", "access_token": "EAApage1", "user_access_token": "EAAperson"}))
    assert request is not None
    assert (request.method, request.url, request.authorized) == ("DELETE", "https://graph.facebook.com/v26.0/me/permissions", False)
    assert request.headers == {"Authorization": "Bearer EAAperson"}
    assert "EAAperson" not in repr(request)
    assert INSTAGRAM.revocation(Credentials({"login": "facebook", "access_token": "EAApage1"})) is None


def test_accounts_of_one_person_share_their_consent() -> None:
    """Taking it back for one would disconnect the others without a word."""
    _, found = played(linking(), [*BEFORE, pages(page(1), page(2))])
    assert [INSTAGRAM.shares_consent(one.credentials) for one in found] == ["1020", "1020"]


@pytest.mark.parametrize("answer", [said(200, {"success": True}), graph_says(190, 458), graph_says(190, 460)])
def test_gone_is_gone(answer: Answer) -> None:
    INSTAGRAM.revoked(answer)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (graph_says(190, 463), Rejected),
        (graph_says(190), Rejected),
        (graph_says(2, status=500), Unavailable),
        (said(502, b""), Unavailable),
    ],
)
def test_a_persons_token_that_ran_out_proves_nothing(answer: Answer, kind: type[ClipcastError]) -> None:
    """The Pages' tokens live on without it."""
    with pytest.raises(kind):
        INSTAGRAM.revoked(answer)
