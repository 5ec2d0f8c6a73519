"""What strangers try with a consent under way; each attempt ends in a sentence, and with no account."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select

from app.accounts.conftest import at
from app.accounts.wayfarer import Browser, query_of, with_query
from app.api.calling import Api, served
from clipcast.accounts.models import PendingLink
from clipcast.api.app import create_app
from clipcast.settings import load_settings
from clipcast.system import Clipcast
from conftest import MovableClock
from contract.world import World
from keys import new_key

AT_ONCE = 20


def connected(api: Api) -> list[str]:
    return [account["username"] for account in api("GET", "/accounts").json]


def exchanges(world: World) -> int:
    """How often the platform was asked to trade a code."""
    return sum(one["operation"] == "oauth.token" for one in world.ask("GET", "requests?since=0")["requests"])


def sentence(text: str) -> str:
    return text.partition("<p>")[2].partition("</p>")[0]


@pytest.fixture
def back(browser: Browser) -> str:
    """The address with code and state, just before the browser follows it."""
    return browser.consent(browser.start("tiktok").location, "maker")


def test_a_state_is_good_once(api: Api, browser: Browser, back: str, world: World) -> None:
    first, second = browser.open(back), browser.open(back)

    assert (first.status, second.status) == (303, 400)
    assert "used already" in sentence(second.text)
    assert connected(api) == ["maker"]
    assert exchanges(world) == 1


def test_twenty_at_once_use_a_state_once(api: Api, browser: Browser, back: str, world: World) -> None:
    barrier = threading.Barrier(AT_ONCE)

    def follow(_: int) -> int:
        mine = Browser(browser.server, cookies=dict(browser.cookies))
        barrier.wait()
        return mine.open(back).status

    with ThreadPoolExecutor(AT_ONCE) as threads:
        statuses = sorted(threads.map(follow, range(AT_ONCE)))

    assert statuses == [303] + [400] * (AT_ONCE - 1)
    assert connected(api) == ["maker"]
    assert exchanges(world) == 1


def test_a_state_that_failed_is_spent_too(browser: Browser, world: World) -> None:
    """A code that the platform did not take is of no use; neither is its state, so that nobody tries codes with it."""
    url = browser.start("tiktok").location
    back = with_query(browser.consent(url, "maker"), code="guessed")

    first, second = browser.open(back), browser.open(back)

    assert (first.status, second.status) == (400, 400)
    assert "used already" in sentence(second.text)
    assert exchanges(world) == 1


def test_another_browser_cannot_use_it(api: Api, browser: Browser, back: str, world: World) -> None:
    """Somebody lures a victim to the end of their own consent, or the other way round: with its own mark, with none, with a made-up one."""
    other = Browser(browser.server, api.key)
    other.start("tiktok")
    invented = Browser(browser.server, cookies={"clipcast_link": ("ImludmVudGVkIg.c2lnbmVk", "/oauth")})

    for stranger in (other, Browser(browser.server), invented):
        refused = stranger.open(back)
        assert refused.status == 400
        assert "another browser" in sentence(refused.text)

    assert exchanges(world) == 0
    assert browser.arrive(back).status == 200, "the attempt cost its owner nothing"
    assert connected(api) == ["maker"]


def test_another_platform_cannot_use_it(browser: Browser, back: str, world: World) -> None:
    refused = browser.open(back.replace("/tiktok/", "/youtube/"))

    assert refused.status == 400
    assert "did not begin this consent" in sentence(refused.text)
    assert exchanges(world) == 0


@pytest.mark.parametrize("state", [None, "", "x", "0" * 43, "%00", "é" * 20, "a" * 4000])
def test_a_made_up_state_is_of_no_use(browser: Browser, back: str, world: World, state: str | None) -> None:
    refused = browser.open(with_query(back, state=state))

    assert refused.status == 400
    assert "did not begin this consent" in sentence(refused.text)
    assert exchanges(world) == 0


def test_a_state_ends_after_ten_minutes(browser: Browser, back: str, clock: MovableClock, world: World) -> None:
    clock.advance(601)

    refused = browser.open(back)

    assert refused.status == 400
    assert "longer than ten minutes" in sentence(refused.text)
    assert exchanges(world) == 0


def test_what_is_over_is_forgotten(clipcast: Clipcast, browser: Browser, clock: MovableClock) -> None:
    """Also what a consent found and nobody chose: those are tokens."""
    browser.start("tiktok")
    clock.advance(601)
    browser.start("youtube")
    with clipcast.db.reading() as session:
        assert [one.platform for one in session.scalars(select(PendingLink))] == ["youtube"]


def test_a_code_and_an_error_together_connect_nothing(api: Api, browser: Browser, back: str, world: World) -> None:
    assert browser.open(with_query(back, error="access_denied")).status == 400
    assert exchanges(world) == 0
    assert connected(api) == []


@pytest.mark.parametrize("name", ["code", "state"])
def test_a_parameter_that_comes_twice_is_refused(browser: Browser, back: str, world: World, name: str) -> None:
    """Which of two codes would be meant? Whoever adds one of their own must not win."""
    refused = browser.open(f"{back}&{name}=mine")

    assert refused.status == 400
    assert "twice" in sentence(refused.text)
    assert exchanges(world) == 0


def test_another_owners_code_does_not_fit(api: Api, browser: Browser, back: str) -> None:
    """Code injection: a code that was given for another consent comes with ours. PKCE binds each code to its own verifier."""
    thief = Browser(browser.server, api.key)
    stolen = query_of(back)["code"]
    own = thief.consent(thief.start("tiktok").location, "thief")

    refused = thief.open(with_query(own, code=stolen))

    assert refused.status in {400, 500}
    assert connected(api) == []


def test_a_redirect_that_is_not_registered_is_refused_by_the_platform(browser: Browser, world: World) -> None:
    """The platform shows its own page and sends nobody anywhere."""
    world.ask("PUT", "tiktok/apps/awclipcastsimulator", {"redirect_uris": ["https://clips.example.com/oauth/tiktok/callback"]})

    page = browser.open(browser.start("tiktok").location)

    assert page.status == 400
    assert "redirect_uri" in page.text


def test_the_redirect_is_never_what_the_request_says(browser: Browser) -> None:
    begun = browser.start("tiktok", redirect_uri="https://evil.example/take", state="mine", client_key="mine")

    asked = query_of(begun.location)

    assert asked["redirect_uri"] == f"{browser.server}/oauth/tiktok/callback"
    assert "mine" not in begun.location


@pytest.mark.parametrize(
    "host", ["evil.example", "clips.example.com:8000", "127.0.0.1.evil.example", "127.0.0.1@evil.example", "evil.example/127.0.0.1", "[::1"]
)
def test_only_loopback_names_this_server_by_itself(browser: Browser, host: str) -> None:
    """A `Host` of somebody else's choice must not become the place that codes are sent to."""
    refused = browser.open("/oauth/tiktok/start", Host=host)

    assert refused.status == 400
    assert "evil" not in refused.headers.get("location", "")
    assert "CLIPCAST_PUBLIC_URL" in refused.text or "Invalid" in refused.text


@pytest.mark.parametrize(
    "return_to",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/a\r\nLocation: https://evil.example",
        "javascript:alert(1)",
        "evil.example",
        "",
        " /app",
        "/app\\",
        "/" + "a" * 600,
    ],
)
def test_nobody_is_sent_to_another_site_afterwards(browser: Browser, return_to: str) -> None:
    assert browser.start("tiktok", return_to=return_to).status == 422


@pytest.mark.parametrize("return_to", ["/app", "/app/accounts?filter=tiktok&x=//y", "/a//b"])
def test_a_path_of_ours_is_returned_to(browser: Browser, return_to: str) -> None:
    page = browser.link("tiktok", "maker", return_to=return_to)

    assert page.status == 303
    assert page.headers["location"] == return_to


def test_it_takes_an_owner_to_begin_and_to_choose(api: Api, clipcast: Clipcast) -> None:
    """A browser that nobody signed in with is shown where to; a key that may not hears so."""
    choice = ("/oauth/instagram/choice", [("link", "x" * 43)])
    for role in ("viewer", "editor"):
        somebody = Browser(api.url, new_key(clipcast.db, role))
        assert (somebody.start("tiktok").status, somebody.submit(*choice).status) == (403, 403)
    nobody = Browser(api.url)
    assert nobody.start("tiktok").headers["location"] == "/login"
    assert nobody.open("/oauth/tiktok/start", Accept="application/json").status == 401
    assert nobody.submit(*choice, Accept="application/json").status == 401


@pytest.fixture
def choice(world: World, browser: Browser, settings: dict[str, Any]) -> tuple[str, list[tuple[str, str]]]:
    """Where the choice among two Pages is made, and what to send."""
    assert settings
    for name in ("bakery", "cafe"):
        world.ask("PUT", f"instagram/accounts/{name}", {"login": "facebook", "holder": "agency"})
    form = browser.link("instagram", "bakery", login="facebook").form
    return form.action, [*form.hidden, form.boxes[0]]


@pytest.mark.parametrize("settings", [{"instagram_app_id": "17000000000000002"}], indirect=True)
def test_a_choice_is_this_browsers(api: Api, browser: Browser, choice: tuple[str, list[tuple[str, str]]], clock: MovableClock) -> None:
    action, fields = choice
    other = Browser(browser.server, api.key)
    other.start("instagram")

    assert other.submit(action, fields).status == 400
    assert browser.submit(action.replace("instagram", "tiktok"), fields).status == 400
    clock.advance(601)
    assert browser.submit(action, fields).status == 400
    assert connected(api) == []


@pytest.mark.parametrize("settings", [{"instagram_app_id": "17000000000000002"}], indirect=True)
def test_a_choice_and_a_state_are_two_things(browser: Browser, choice: tuple[str, list[tuple[str, str]]]) -> None:
    """The token of a choice does not pass as a state, nor a state as a choice."""
    action, fields = choice
    token = dict(fields)["link"]
    assert browser.open(f"/oauth/instagram/callback?code=x&state={token}").status == 400
    state = query_of(browser.start("instagram").location)["state"]
    assert browser.submit(action, [("link", state), fields[-1]]).status == 400
    assert browser.submit(action, fields).status == 303


@pytest.mark.parametrize("settings", [{"instagram_app_id": "17000000000000002"}], indirect=True)
def test_twenty_choices_at_once_are_one(api: Api, browser: Browser, choice: tuple[str, list[tuple[str, str]]]) -> None:
    action, fields = choice
    barrier = threading.Barrier(AT_ONCE)

    def choose(_: int) -> int:
        mine = Browser(browser.server, browser.key, dict(browser.cookies))
        barrier.wait()
        return mine.submit(action, fields).status

    with ThreadPoolExecutor(AT_ONCE) as threads:
        statuses = sorted(threads.map(choose, range(AT_ONCE)))

    assert statuses == [303] + [400] * (AT_ONCE - 1)
    assert connected(api) == ["bakery"]


def test_what_waits_in_the_database_opens_nothing(clipcast: Clipcast, browser: Browser, back: str) -> None:
    """Neither the state, nor the browser's mark, nor the verifier can be read from a copy of the database; nor moved to another row."""
    with clipcast.db.reading() as session:
        (row,) = session.scalars(select(PendingLink)).all()
    stored = f"{vars(row)}"
    assert query_of(back)["state"] not in stored
    assert browser.cookies["clipcast_link"][0] not in stored
    browser.start("tiktok")
    with clipcast.db.writing() as session:
        mine, other = session.scalars(select(PendingLink).order_by(PendingLink.created_at, PendingLink.id)).all()
        mine.sealed = other.sealed

    assert browser.open(back).status == 500


@pytest.fixture
def behind_a_proxy(clipcast: Clipcast) -> Iterator[Api]:
    """The same server with a public address."""
    settings = load_settings(**{**clipcast.settings.model_dump(), "public_url": "https://clips.example.com"})
    with Clipcast.open(settings, clock=clipcast.clock) as opened, served(create_app(opened, with_worker=False)) as api:
        yield api


def test_a_public_address_is_where_people_come_back_to(behind_a_proxy: Api) -> None:
    """Whatever name the request was sent to; and the mark then travels over TLS alone."""
    begun = Browser(behind_a_proxy.url, behind_a_proxy.key).open("/oauth/tiktok/start", Host="internal:8000")

    assert query_of(begun.location)["redirect_uri"] == "https://clips.example.com/oauth/tiktok/callback"
    assert "Secure" in begun.headers["set-cookie"]


@pytest.fixture
def settings(request: pytest.FixtureRequest, world: World) -> dict[str, Any]:
    """The simulator as the platforms; a test may ask for another app."""
    return at(world.url) | getattr(request, "param", {})
