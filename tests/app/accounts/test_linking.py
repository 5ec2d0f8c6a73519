"""Accounts connected by consent, in a browser: the platform is the real simulator behind its real pages."""

import re
from dataclasses import replace
from typing import Any

import pytest

from app.accounts.conftest import at
from app.accounts.wayfarer import Browser, Page, query_of
from app.api.calling import Api
from clipcast import ledger
from clipcast.accounts import store
from clipcast.accounts.credentials import get_account_credentials, set_account_credentials
from clipcast.platforms.base import Answer, Credentials, Request
from clipcast.system import Clipcast
from conftest import MovableClock
from contract.world import World

FACEBOOK = {"instagram_app_id": "17000000000000002"}
PLATFORMS = ("tiktok", "instagram", "youtube")


def accounts(api: Api) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api("GET", "/accounts").json
    return found


def told(page: Page) -> str:
    """The sentence of a page that is as ours have to be: unstorable, unframeable, without a script."""
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["referrer-policy"] in {"no-referrer", "same-origin"}
    return page.text.partition("<p>")[2].partition("</p>")[0]


def events_of(clipcast: Clipcast, account_id: str) -> list[tuple[str, dict[str, Any]]]:
    with clipcast.db.reading() as session:
        found = ledger.events(session, stream=f"account:{account_id}")
        assert ledger.verify(session) == []
    return [(event.event, event.details) for event in reversed(found)]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_an_account_is_connected_in_the_browser(clipcast: Clipcast, api: Api, browser: Browser, platform: str) -> None:
    """From the link to the platform's page, its consent, and back: the account publishes live, and the token really works."""
    page = browser.link(platform, "maker")

    assert page.status == 200
    assert "@maker" in told(page)
    (account,) = accounts(api)
    assert (account["platform"], account["username"], account["status"], account["live"]) == (platform, "maker", "active", True)
    assert account["external_id"]
    assert account["connected_at"]
    ((event, details),) = events_of(clipcast, account["id"])
    assert event == "account_linked"
    assert details["simulated"] is False
    assert details["actor"].startswith("key:")
    credentials = get_account_credentials(clipcast.db, account["id"], clipcast.vault)
    assert api("GET", f"/accounts/{account['id']}/quota").status == 200
    assert credentials.get("access_token") not in browser.seen


def test_the_redirect_names_nothing_secret(browser: Browser) -> None:
    """The browser carries the challenge and not the verifier; its own mark is for our pages alone."""
    begun = browser.start("tiktok")

    assert begun.headers["cache-control"] == "no-store"
    assert begun.headers["referrer-policy"] == "no-referrer"
    cookie = begun.headers["set-cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=lax", "Path=/oauth", "Max-Age=600"))
    asked = query_of(begun.location)
    assert asked["redirect_uri"] == f"{browser.server}/oauth/tiktok/callback"
    assert len(asked["code_challenge"]) == 64
    assert len(asked["state"]) == 43


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_no_on_the_platforms_page_connects_nothing(api: Api, browser: Browser, platform: str) -> None:
    page = browser.link(platform, "maker", decision="cancel")

    assert page.status == 400
    assert "not allowed to connect" in told(page)
    assert accounts(api) == []


@pytest.mark.parametrize(
    ("platform", "scope"),
    [
        ("tiktok", "video.publish"),
        ("instagram", "instagram_business_content_publish"),
        ("youtube", "https://www.googleapis.com/auth/youtube.upload"),
    ],
)
def test_an_unticked_permission_is_missed_at_once(api: Api, browser: Browser, platform: str, scope: str) -> None:
    """An account that could not publish is not connected, and its owner hears which permission is missing."""
    page = browser.link(platform, "maker", without=scope)

    assert page.status == 400
    assert "was not allowed to" in told(page)
    assert accounts(api) == []


def test_programs_hear_of_a_refusal_as_a_problem(browser: Browser) -> None:
    begun = browser.start("tiktok")
    back = browser.consent(begun.location, "maker", decision="cancel")

    answer = browser.open(back, Accept="application/json")

    assert answer.headers["content-type"] == "application/problem+json"
    assert '"consent_refused"' in answer.text


def test_programs_hear_of_an_account_as_json(api: Api) -> None:
    program = Browser(api.url, api.key)
    begun = program.start("youtube")
    answer = program.open(program.consent(begun.location, "maker"), Accept="application/json")

    assert answer.headers["content-type"] == "application/json"
    assert '"username":"maker"' in answer.text
    assert "access_token" not in answer.text


@pytest.mark.parametrize("platform", PLATFORMS)
def test_connecting_again_keeps_the_account(clipcast: Clipcast, api: Api, browser: Browser, clock: MovableClock, platform: str) -> None:
    """The same account with its id and kind, new tokens, and no trouble from before."""
    browser.link(platform, "maker", kind="satellite")
    (before,) = accounts(api)
    old = get_account_credentials(clipcast.db, before["id"], clipcast.vault)
    with clipcast.db.writing() as session:
        row = store.get_for_update(session, before["id"])
        row.status, row.last_error, row.warning, row.refresh_failures = "expired", "It ran out.", "It will run out.", 3
    clock.advance(60)

    page = browser.link(platform, "maker", account_id=before["id"])

    assert page.status == 200, told(page)
    (after,) = accounts(api)
    same = ("id", "username", "kind", "external_id", "created_at")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert (after["status"], after["last_error"], after["warning"], after["kind"]) == ("active", None, None, "satellite")
    assert after["connected_at"] > before["connected_at"]
    assert get_account_credentials(clipcast.db, after["id"], clipcast.vault).get("access_token") != old.get("access_token")
    with clipcast.db.reading() as session:
        assert store.get(session, after["id"]).refresh_failures == 0
    assert [event for event, _ in events_of(clipcast, after["id"])] == ["account_linked", "account_relinked"]


def test_connecting_again_without_naming_the_account_finds_it(api: Api, browser: Browser) -> None:
    browser.link("tiktok", "maker")
    browser.link("tiktok", "maker")
    assert len(accounts(api)) == 1


def test_an_account_that_was_added_by_name_is_the_one_that_consents(api: Api, browser: Browser) -> None:
    added = api("POST", "/accounts", {"platform": "tiktok", "username": "maker"}).json
    browser.link("tiktok", "maker")
    (account,) = accounts(api)
    assert account["id"] == added["id"]
    assert account["live"]


def test_a_refresh_token_that_is_not_sent_again_is_kept(clipcast: Clipcast, api: Api, browser: Browser) -> None:
    """Google sends a refresh token only when it asks the owner anew; a consent without one must not lose the one we have."""
    browser.link("youtube", "maker")
    (account,) = accounts(api)
    old = get_account_credentials(clipcast.db, account["id"], clipcast.vault)
    begun = browser.start("youtube")
    silent = begun.location.replace("prompt=consent", "prompt=select_account")

    page = browser.arrive(browser.consent(silent, "maker"))

    assert page.status == 200, told(page)
    new = get_account_credentials(clipcast.db, account["id"], clipcast.vault)
    assert new.get("access_token") != old.get("access_token")
    assert new.get("refresh_token") == old.get("refresh_token") != ""


def test_a_refresh_token_of_another_app_is_not_kept(clipcast: Clipcast, api: Api, browser: Browser, clock: MovableClock) -> None:
    """It would be worth nothing, and its app's id would be sent along with the new app's tokens."""
    added = api("POST", "/accounts", {"platform": "youtube", "username": "maker"}).json
    foreign = Credentials({"client_id": "other", "client_secret": "other", "refresh_token": "1//other", "access_token": "ya29.other"})
    set_account_credentials(clipcast.db, added["id"], foreign, clipcast.vault, clock())
    browser.link("youtube", "maker")

    values = get_account_credentials(clipcast.db, added["id"], clipcast.vault).values

    assert "client_id" not in values
    assert values["refresh_token"] != "1//other"


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_consent_with_another_account_changes_nothing(clipcast: Clipcast, api: Api, browser: Browser, platform: str) -> None:
    """Asked to connect one account again, the owner was signed in with another: both are named, and nothing is changed."""
    browser.link(platform, "maker")
    (before,) = accounts(api)
    old = get_account_credentials(clipcast.db, before["id"], clipcast.vault)

    page = browser.link(platform, "other", account_id=before["id"])

    assert page.status == 409
    assert "@other" in told(page)
    assert "@maker" in told(page)
    assert accounts(api) == [before]
    assert dict(get_account_credentials(clipcast.db, before["id"], clipcast.vault).values) == dict(old.values)


@pytest.mark.parametrize(("method", "change"), [("DELETE", None), ("PATCH", {"kind": "satellite"})])
def test_a_main_account_that_went_during_the_consent_is_not_followed(
    api: Api, browser: Browser, method: str, change: dict[str, str] | None
) -> None:
    """Nothing is connected half: its owner hears why, and chooses anew."""
    main = api("POST", "/accounts", {"platform": "tiktok", "username": "main"}).json
    begun = browser.start("tiktok", kind="satellite", main_account_id=main["id"])
    assert api(method, f"/accounts/{main['id']}", change).status == 200

    page = browser.open(browser.consent(begun.location, "fan"))

    assert page.status == 409
    assert "@fan was to follow" in told(page)
    assert "fan" not in [one["username"] for one in accounts(api)]


@pytest.mark.parametrize("login", [{}, {"login": "instagram"}])
def test_what_is_to_be_connected_again_has_to_be_there(api: Api, browser: Browser, login: dict[str, str]) -> None:
    """Whether the login is named or not; nobody is sent to the platform's page for nothing."""
    elsewhere = api("POST", "/accounts", {"platform": "tiktok", "username": "maker"}).json

    foreign = browser.start("instagram", account_id=elsewhere["id"], **login)
    nobody = browser.start("instagram", account_id="01a1fd4b-ccd4-7284-8cc3-bd0eb5f3372d", **login)

    assert (foreign.status, nobody.status) == (400, 404)
    assert "@maker is on tiktok, not on instagram" in told(foreign)
    assert "no account 01a1fd4b" in told(nobody)


def hears(clipcast: Clipcast, said: bytes, heard: bytes) -> None:
    """Have the platform's answers say something else."""
    send = clipcast.linker.send

    def altered(request: Request) -> Answer:
        answer = send(request)
        return replace(answer, body=re.sub(said, heard, answer.body))

    object.__setattr__(clipcast.linker, "send", altered)


def test_a_long_name_is_kept_as_far_as_it_fits(api: Api, browser: Browser, clipcast: Clipcast) -> None:
    """And is the same account the next time."""
    hears(clipcast, b'"maker"', b'"%s"' % (b"m" * 150))
    for _ in range(2):
        assert browser.link("tiktok", "maker").status == 200

    assert [account["username"] for account in accounts(api)] == ["m" * 120]


def test_an_account_that_no_database_can_name_is_not_connected(api: Api, browser: Browser, clipcast: Clipcast) -> None:
    """Cut off, its id would be another's."""
    hears(clipcast, b'("open_id": *")[^"]*', b"\\g<1>" + b"i" * 201)

    page = browser.link("tiktok", "maker")

    assert page.status == 400
    assert "cannot connect @maker: its id at the platform is longer than 200 characters" in told(page)
    assert accounts(api) == []


def test_a_new_name_on_the_platform_is_learned(clipcast: Clipcast, api: Api, browser: Browser) -> None:
    """The account is its lasting id; what it is called is what the platform says now."""
    browser.link("tiktok", "maker")
    (account,) = accounts(api)
    with clipcast.db.writing() as session:
        store.get_for_update(session, account["id"]).username = "old_name"

    browser.link("tiktok", "maker", account_id=account["id"])

    assert [(one["id"], one["username"]) for one in accounts(api)] == [(account["id"], "maker")]


def test_a_name_that_somebody_took_over_is_given_up(clipcast: Clipcast, api: Api, browser: Browser) -> None:
    """Another account is called so now: the one that was gets a name to tell them apart, and says what happened."""
    browser.link("tiktok", "maker")
    (former,) = accounts(api)
    with clipcast.db.writing() as session:
        store.get_for_update(session, former["id"]).external_id = "another-identity"

    browser.link("tiktok", "maker")

    found = {one["id"]: one for one in accounts(api)}
    assert len(found) == 2
    was = found.pop(former["id"])
    assert was["username"].startswith("maker#")
    assert "@maker belongs to another account now" in was["warning"]
    assert [one["username"] for one in found.values()] == ["maker"]


@pytest.mark.parametrize("settings", [FACEBOOK], indirect=True)
def test_a_consent_for_several_pages_lets_its_owner_choose(api: Api, browser: Browser, world: World) -> None:
    """Nothing is connected before the choice; what was not chosen is forgotten."""
    for name in ("bakery", "cafe", "zoo"):
        world.ask("PUT", f"instagram/accounts/{name}", {"login": "facebook", "holder": "agency"})
    page = browser.link("instagram", "bakery", login="facebook")
    assert page.status == 200, told(page)
    assert "good for 3 accounts" in told(page)
    assert page.headers["referrer-policy"] == "same-origin"
    assert accounts(api) == []
    form = page.form
    wanted = [box for box in form.boxes if box[1] in {_id_of(world, "bakery"), _id_of(world, "zoo")}]

    chosen = browser.shown(browser.submit(form.action, [*form.hidden, *wanted], Origin=browser.server))

    assert chosen.status == 200, told(chosen)
    assert "@bakery and @zoo" in told(chosen)
    assert [(one["username"], one["live"]) for one in accounts(api)] == [("bakery", True), ("zoo", True)]
    again = browser.submit(form.action, [*form.hidden, *wanted], Origin=browser.server)
    assert again.status == 400
    assert "<h1>This was done already</h1>" in again.text
    assert "EAA" not in browser.seen


@pytest.mark.parametrize("settings", [FACEBOOK], indirect=True)
def test_one_page_of_several_is_connected_again_without_a_choice(api: Api, browser: Browser, world: World) -> None:
    for name in ("bakery", "cafe"):
        world.ask("PUT", f"instagram/accounts/{name}", {"login": "facebook", "holder": "agency"})
    page = browser.link("instagram", "bakery", login="facebook")
    form = page.form
    cafe = [box for box in form.boxes if box[1] == _id_of(world, "cafe")]
    browser.submit(form.action, [*form.hidden, *cafe])
    (account,) = accounts(api)

    page = browser.link("instagram", "bakery", account_id=account["id"])

    assert page.status == 200
    assert "@cafe" in told(page)
    assert [one["id"] for one in accounts(api)] == [account["id"]]


@pytest.mark.parametrize("settings", [FACEBOOK], indirect=True)
def test_a_choice_of_nothing_may_be_made_again(api: Api, browser: Browser, world: World) -> None:
    for name in ("bakery", "cafe"):
        world.ask("PUT", f"instagram/accounts/{name}", {"login": "facebook", "holder": "agency"})
    form = browser.link("instagram", "bakery", login="facebook").form

    nothing = browser.submit(form.action, form.hidden)
    invented = browser.submit(form.action, [*form.hidden, ("account", "17841499999999999")])
    good = browser.submit(form.action, [*form.hidden, form.boxes[0]])

    assert (nothing.status, invented.status, good.status) == (400, 400, 303)
    assert len(accounts(api)) == 1
    assert "Choose at least one" in nothing.text
    assert (nothing.form.action, nothing.form.hidden, nothing.form.boxes) == (form.action, form.hidden, form.boxes)
    assert "Nothing was connected" not in nothing.text


def _id_of(world: World, username: str) -> str:
    found = world.ask("GET", "instagram/accounts")["accounts"]
    return str(next(one["instagram_account_id"] for one in found if one["username"] == username))


@pytest.fixture
def settings(request: pytest.FixtureRequest, world: World) -> dict[str, Any]:
    """The simulator as the platforms; a test may ask for another app."""
    return at(world.url) | getattr(request, "param", {})
