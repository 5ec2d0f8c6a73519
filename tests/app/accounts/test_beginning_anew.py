"""Where a consent ends: a page that says so, in an address that may be kept; and what its links begin."""

import re
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import pytest

from app.accounts.conftest import at
from app.accounts.wayfarer import Browser, Page, query_of
from app.api.calling import Api
from conftest import MovableClock
from contract.world import World

FACEBOOK = {"instagram_app_id": "17000000000000002"}
LASTS_S = 600


@pytest.fixture
def settings(request: pytest.FixtureRequest, world: World) -> dict[str, Any]:
    """The simulator as the platforms; a test may ask for another app."""
    return at(world.url) | getattr(request, "param", {})


def names(api: Api) -> list[str]:
    return [account["username"] for account in api("GET", "/accounts").json]


def title(page: Page) -> str:
    return page.text.partition("<h1>")[2].partition("</h1>")[0]


def onward(page: Page) -> tuple[str, str]:
    """The page's link: its words and its address."""
    (link,) = re.findall(r'<a href="([^"]+)">([^<]+)</a>', page.text)
    return link[1], unescape(link[0])


def begun_anew(browser: Browser, refused: Page, username: str) -> Page:
    """Follow the link of the refusal and consent."""
    words, address = onward(refused)
    assert words == "Begin anew"
    return browser.arrive(browser.consent(browser.open(address).location, username))


def test_what_is_begun_anew_is_the_same_account(api: Api, browser: Browser) -> None:
    """Refused once for the wrong account, it is not connected at the second try as one that nobody meant."""
    browser.link("tiktok", "brand_main")
    (account,) = api("GET", "/accounts").json

    refused = browser.link("tiktok", "my_private", account_id=account["id"], return_to="/app?a=b&c=d")
    again = begun_anew(browser, refused, "my_private")

    assert (refused.status, again.status) == (409, 409)
    assert names(api) == ["brand_main"]
    assert begun_anew(browser, again, "brand_main").headers["location"] == "/app?a=b&c=d"


def test_what_is_begun_anew_is_a_satellite_still(api: Api, browser: Browser) -> None:
    main = api("POST", "/accounts", {"platform": "tiktok", "username": "main"}).json

    refused = browser.link("tiktok", "fan", decision="cancel", kind="satellite", main_account_id=main["id"])
    begun_anew(browser, refused, "fan")

    (fan,) = [account for account in api("GET", "/accounts").json if account["username"] == "fan"]
    assert (fan["kind"], fan["main_account_id"]) == ("satellite", main["id"])


@pytest.mark.parametrize("settings", [FACEBOOK], indirect=True)
def test_what_is_begun_anew_keeps_its_login(browser: Browser) -> None:
    refused = browser.link("instagram", "maker", decision="cancel", login="facebook")

    assert query_of(onward(refused)[1]) == {"login": "facebook"}


def test_who_came_too_late_begins_the_same_anew(api: Api, browser: Browser, clock: MovableClock) -> None:
    account = api("POST", "/accounts", {"platform": "tiktok", "username": "maker"}).json
    back = browser.consent(browser.start("tiktok", account_id=account["id"]).location, "maker")
    clock.advance(LASTS_S + 1)

    refused = browser.open(back)

    assert query_of(onward(refused)[1]) == {"account_id": account["id"]}


def test_where_nothing_is_known_nothing_is_begun(browser: Browser, clock: MovableClock) -> None:
    """A link without the account that was meant would connect whichever consents."""
    forgotten = browser.consent(browser.start("tiktok").location, "maker")
    clock.advance(LASTS_S + 1)
    foreign = browser.consent(browser.start("tiktok").location, "maker")
    stranger = Browser(browser.server, browser.key)

    assert onward(browser.open(forgotten))[1] == onward(stranger.open(foreign))[1] == "/"
    assert onward(browser.start("tiktok", account_id="nobody"))[1] == "/"


@pytest.mark.parametrize("platform", ["tiktok", "instagram", "youtube"])
def test_the_last_page_holds_nothing_of_the_consent(browser: Browser, platform: str) -> None:
    """Neither in the address bar nor in the history; and opened again it says the same."""
    back = browser.consent(browser.start(platform).location, "maker")

    page = browser.arrive(back)

    assert urlsplit(page.url).path == f"/oauth/{platform}/connected"
    assert set(query_of(page.url)) == {"account"}
    assert not {query_of(back)["code"], query_of(back)["state"]} & set(query_of(page.url).values())
    assert title(page) == "@maker is connected"
    assert browser.open(page.url).text == page.text


def test_the_last_page_says_what_is_true_now(api: Api, browser: Browser) -> None:
    """Opened from the history long after; and it tells no stranger who is connected here."""
    page = browser.link("tiktok", "maker")
    assert Browser(browser.server).open(page.url).location == f"{browser.server}/login"
    assert browser.open(page.url.replace("tiktok", "youtube")).text.count("maker") == 0
    (account,) = api("GET", "/accounts").json
    assert api("POST", f"/accounts/{account['id']}/disconnection").status == 200

    later = browser.open(page.url)

    assert later.status == 200
    assert "not connected any more" in later.text


def test_who_comes_back_twice_is_not_told_that_nothing_was_connected(browser: Browser, clock: MovableClock) -> None:
    """A reload, a restored window, a double click: also after the time in which the consent was good."""
    back = browser.consent(browser.start("tiktok").location, "maker")
    assert browser.open(back).status == 303

    for seconds in (0, LASTS_S + 1):
        clock.advance(seconds)
        again = browser.open(back)
        assert again.status == 400
        assert title(again) == "This was done already"
        assert "othing was connected" not in again.text
        assert onward(again) == ("See your accounts", "/accounts")


@pytest.mark.parametrize("settings", [FACEBOOK], indirect=True)
def test_the_choice_may_take_as_long_as_the_consent(api: Api, browser: Browser, world: World, clock: MovableClock) -> None:
    """Nine minutes on the platform's page, and three before ours: the browser bears its mark still."""
    for name in ("bakery", "cafe"):
        world.ask("PUT", f"instagram/accounts/{name}", {"login": "facebook", "holder": "agency"})
    back = browser.consent(browser.start("instagram", login="facebook", kind="satellite").location, "bakery")
    clock.advance(9 * 60)
    mark = browser.cookies["clipcast_link"]

    page = browser.open(back)

    assert "Max-Age=600" in page.headers["set-cookie"]
    assert browser.cookies["clipcast_link"] == mark
    assert title(browser.open(back)) == "This was done already"
    clock.advance(3 * 60)
    assert "@bakery" in browser.shown(browser.submit(page.form.action, [*page.form.hidden, page.form.boxes[0]])).text
    assert [account["kind"] for account in api("GET", "/accounts").json] == ["satellite"]
