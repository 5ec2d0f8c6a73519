"""Consents at the simulator, where the app's own id and secret are not set: the whole path, and nothing of it ever passes for real."""

from collections.abc import Iterator
from typing import Any

import pytest

from app.accounts.conftest import at
from app.accounts.wayfarer import Browser
from app.api.calling import Api, served
from clipcast.accounts import store
from clipcast.accounts.credentials import get_account_credentials, set_account_credentials
from clipcast.api.app import create_app
from clipcast.platforms.base import Credentials
from clipcast.settings import load_settings
from clipcast.system import Clipcast
from conftest import MovableClock
from contract.world import World

REAL = {"tiktok_client_key": "aw1", "tiktok_client_secret": "s"}


@pytest.fixture
def settings(request: pytest.FixtureRequest, world: World) -> dict[str, Any]:
    """A simulator, and no app anywhere, unless a test says so."""
    return {"simulator_url": world.url} | getattr(request, "param", {})


@pytest.mark.parametrize(("platform", "login"), [("tiktok", ""), ("instagram", "instagram"), ("instagram", "facebook"), ("youtube", "")])
def test_the_whole_path_runs_without_a_credential(
    clipcast: Clipcast, api: Api, browser: Browser, *, world: World, platform: str, login: str
) -> None:
    """The page is the simulator's and says so; the account has no credentials, and nothing that looks like it were real."""
    begun = browser.start(platform, **({"login": login} if login else {}))
    assert begun.location.startswith(world.url)

    page = browser.arrive(browser.consent(begun.location, "maker"))

    assert page.status == 200
    assert "rehearsal" in page.text
    (account,) = api("GET", "/accounts").json
    assert (account["username"], account["status"], account["live"]) == ("maker", "active", False)
    assert (account["fallback_reason"], account["external_id"]) == ("no_credentials", None)
    assert get_account_credentials(clipcast.db, account["id"], clipcast.vault).values == {}


def test_a_rehearsed_account_publishes_to_the_simulator(api: Api, browser: Browser) -> None:
    browser.link("tiktok", "maker")
    (account,) = api("GET", "/accounts").json
    quota = api("GET", f"/accounts/{account['id']}/quota").json
    assert quota["simulated"] is True


def test_a_no_at_the_simulator_is_a_no(api: Api, browser: Browser) -> None:
    assert browser.link("tiktok", "maker", decision="cancel").status == 400
    assert api("GET", "/accounts").json == []


def test_rehearsing_again_keeps_the_account(api: Api, browser: Browser) -> None:
    browser.link("tiktok", "maker")
    (before,) = api("GET", "/accounts").json
    assert browser.link("tiktok", "maker", account_id=before["id"]).status == 200
    assert browser.link("tiktok", "other", account_id=before["id"]).status == 409
    assert [one["id"] for one in api("GET", "/accounts").json] == [before["id"]]


def test_a_rehearsal_leaves_real_credentials_alone(clipcast: Clipcast, api: Api, browser: Browser, clock: MovableClock) -> None:
    """An account with real tokens is not made a simulated one by whoever consents under its name at the simulator."""
    added = api("POST", "/accounts", {"platform": "tiktok", "username": "maker"}).json
    real = Credentials({"client_key": "ck", "client_secret": "cs", "access_token": "act.real"})
    set_account_credentials(clipcast.db, added["id"], real, clipcast.vault, clock())

    page = browser.link("tiktok", "maker")

    assert page.status == 409
    assert get_account_credentials(clipcast.db, added["id"], clipcast.vault).get("access_token") == "act.real"


def test_a_rehearsal_does_not_revive_what_was_real(clipcast: Clipcast, api: Api, browser: Browser) -> None:
    """Disconnected from the platform, with posts that may still wait: they must not go to the simulator instead, without a word."""
    added = api("POST", "/accounts", {"platform": "tiktok", "username": "maker"}).json
    with clipcast.db.writing() as session:
        row = store.get_for_update(session, added["id"])
        row.external_id, row.status = "real", "revoked"

    assert browser.link("tiktok", "maker").status == 409
    assert api("GET", f"/accounts/{added['id']}").json["status"] == "revoked"


@pytest.mark.parametrize("settings", [{"simulation": "off"}], indirect=True)
def test_off_names_what_to_set(browser: Browser) -> None:
    page = browser.start("instagram")
    assert page.status == 400
    assert "CLIPCAST_INSTAGRAM_APP_ID and CLIPCAST_INSTAGRAM_APP_SECRET" in page.text


@pytest.mark.parametrize("settings", [{**REAL, "simulation": "always"}], indirect=True)
def test_always_asks_the_simulator_whatever_is_set(browser: Browser, world: World) -> None:
    begun = browser.start("tiktok")
    assert begun.location.startswith(world.url)
    assert "aw1" not in begun.location


@pytest.mark.parametrize("settings", [REAL], indirect=True)
def test_with_an_app_the_platform_itself_is_asked(browser: Browser) -> None:
    assert browser.start("tiktok").location.startswith("https://www.tiktok.com/v2/auth/authorize/?")


@pytest.mark.parametrize("settings", [{"simulation": "fallback"}], indirect=True)
def test_a_rehearsal_ends_where_it_began(clipcast: Clipcast, api: Api, browser: Browser, world: World) -> None:
    """The app is set while the owner is on the simulator's page: their code goes back to the simulator and not to the platform."""
    back = browser.consent(browser.start("tiktok").location, "maker")
    object.__setattr__(clipcast.linker, "settings", clipcast.settings.model_copy(update=at(world.url)))

    page = browser.arrive(back)

    assert page.status == 200
    assert "rehearsal" in page.text
    (account,) = api("GET", "/accounts").json
    assert account["external_id"] is None


@pytest.fixture
def elsewhere(clipcast: Clipcast, world: World, request: pytest.FixtureRequest) -> Iterator[Browser]:
    """A browser at a server with a public address and no simulator but its own, unless a test says so."""
    changes = {"public_url": "https://clips.example.com", "simulator_url": "", **getattr(request, "param", {})}
    if changes["simulator_url"] == "elsewhere":
        changes["simulator_url"] = world.url
    settings = load_settings(**{**clipcast.settings.model_dump(), **changes})
    with Clipcast.open(settings, clock=clipcast.clock) as opened, served(create_app(opened, with_worker=False)) as api:
        yield Browser(api.url, api.key)


def test_nobody_elsewhere_is_sent_to_a_simulator_on_this_machine(elsewhere: Browser) -> None:
    """127.0.0.1 is another machine there: whatever answers would be handed the state."""
    page = elsewhere.start("tiktok")

    assert page.status == 400
    assert "location" not in page.headers
    assert "set CLIPCAST_TIKTOK_CLIENT_KEY and CLIPCAST_TIKTOK_CLIENT_SECRET" in page.text
    assert "set CLIPCAST_SIMULATOR_URL" in page.text


@pytest.mark.parametrize("elsewhere", [{**REAL, "simulation": "always"}], indirect=True)
def test_always_is_what_has_to_be_changed_there(elsewhere: Browser) -> None:
    page = elsewhere.start("tiktok")

    assert page.status == 400
    assert "set CLIPCAST_SIMULATION=fallback" in page.text


@pytest.mark.parametrize("elsewhere", [{"simulator_url": "elsewhere"}, {"public_url": "http://localhost:8000"}, REAL], indirect=True)
def test_who_reaches_the_page_is_sent_there(elsewhere: Browser) -> None:
    """The simulator is somewhere else, or the browser is here, or the platform itself is asked."""
    assert elsewhere.start("tiktok").status == 303
