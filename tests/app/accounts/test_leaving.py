"""Disconnecting and deleting: what happens at the platform, what stays here, and what is refused."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.accounts.conftest import at
from app.accounts.wayfarer import Browser
from app.api.calling import Api
from clipcast import ledger
from clipcast.accounts import store
from clipcast.accounts.credentials import get_account_credentials, set_account_credentials
from clipcast.clips.sample import make_sample_video
from clipcast.errors import Conflict
from clipcast.platforms.base import Answer, Credentials, Request
from clipcast.publications import leaving
from clipcast.publications.models import Publication
from clipcast.system import Clipcast
from conftest import MovableClock
from contract.world import World


@pytest.fixture
def account(api: Api, browser: Browser) -> dict[str, Any]:
    """A connected TikTok account."""
    browser.link("tiktok", "maker")
    (found,) = api("GET", "/accounts").json
    return dict(found)


@pytest.fixture
def settings(request: pytest.FixtureRequest, world: World) -> dict[str, Any]:
    """The simulator as the platforms; a test may ask for another app."""
    return at(world.url) | getattr(request, "param", {})


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_sample_video(tmp_path_factory.mktemp("media") / "sunset.mp4", seconds=1.5)


def scheduled(api: Api, account_id: str, video: Path, clock: MovableClock) -> tuple[str, str]:
    """A post of that account for tomorrow: the ids of its clip and its publication."""
    clip_id = api.upload(video)
    body = {"clip_ids": [clip_id], "targets": [{"account_id": account_id}], "scheduled_at": (clock() + timedelta(days=1)).isoformat()}
    answer = api("POST", "/posts", body)
    assert answer.status == 201, answer.body
    return clip_id, str(answer.json["publications"][0]["id"])


def events_of(clipcast: Clipcast, account_id: str) -> list[str]:
    with clipcast.db.reading() as session:
        assert ledger.verify(session) == []
        return [event.event for event in reversed(ledger.events(session, stream=f"account:{account_id}"))]


@pytest.mark.parametrize("platform", ["tiktok", "youtube"])
def test_disconnecting_takes_the_access_away(clipcast: Clipcast, api: Api, browser: Browser, world: World, platform: str) -> None:
    """The platform has been told, and here nothing is left of it."""
    browser.link(platform, "maker")
    (account,) = api("GET", "/accounts").json

    answer = api("POST", f"/accounts/{account['id']}/disconnection")

    assert (answer.status, answer.json["revoked"], answer.json["note"]) == (200, True, None)
    after = api("GET", f"/accounts/{account['id']}").json
    assert (after["status"], after["external_id"], after["live"]) == ("revoked", account["external_id"], False)
    assert get_account_credentials(clipcast.db, account["id"], clipcast.vault).values == {}
    seen = world.ask("GET", "requests?since=0")["requests"]
    assert [one["status"] for one in seen if one["operation"] == "oauth.revoke"] == [200]
    assert events_of(clipcast, account["id"]) == ["account_linked", "account_disconnected"]


def test_the_platform_refuses_a_token_that_was_withdrawn(clipcast: Clipcast, api: Api, account: dict[str, Any]) -> None:
    """Whoever had copied it has nothing."""
    stolen = get_account_credentials(clipcast.db, account["id"], clipcast.vault)
    assert api("GET", f"/accounts/{account['id']}/quota").json["not_asked"] is None
    api("POST", f"/accounts/{account['id']}/disconnection")

    set_account_credentials(clipcast.db, account["id"], stolen, clipcast.vault, clipcast.clock())

    assert api("GET", f"/accounts/{account['id']}/quota").json["not_asked"]


def test_a_platform_that_cannot_be_reached_keeps_nobody(clipcast: Clipcast, api: Api, account: dict[str, Any], world: World) -> None:
    """The credentials go in any case; the answer says what is left to do by hand."""
    world.ask("POST", "faults", [{"platform": "tiktok", "operation": "oauth.revoke", "fault": "503"}])

    answer = api("POST", f"/accounts/{account['id']}/disconnection")

    assert answer.status == 200
    assert answer.json["revoked"] is False
    assert "remove the app in the settings of @maker" in answer.json["note"]
    assert get_account_credentials(clipcast.db, account["id"], clipcast.vault).values == {}


ALWAYS = {"simulation": "always"}


@pytest.mark.parametrize("settings", [ALWAYS], indirect=True)
@pytest.mark.parametrize(("method", "path"), [("POST", "/disconnection"), ("DELETE", "")])
def test_a_rehearsal_asks_nothing_of_the_platform(
    clipcast: Clipcast, api: Api, clock: MovableClock, *, world: World, method: str, path: str
) -> None:
    """A copy of a database, tried with simulation=always, must not take the original's access away: not even its refresh token is used."""
    account_id = api("POST", "/accounts", {"platform": "tiktok", "username": "maker"}).json["id"]
    real = Credentials({"access_token": "act.1", "refresh_token": "rft.1"}, expires_at=clock() - timedelta(days=1))
    set_account_credentials(clipcast.db, account_id, real, clipcast.vault, clock())

    answer = api(method, f"/accounts/{account_id}{path}")

    assert (answer.status, answer.json["revoked"]) == (200, False)
    assert "CLIPCAST_SIMULATION=always, so nothing was asked of tiktok" in answer.json["note"]
    assert world.ask("GET", "requests?since=0")["requests"] == []
    assert "account_disconnected" in events_of(clipcast, account_id)


def test_a_token_that_ran_out_is_renewed_to_be_withdrawn(api: Api, account: dict[str, Any], clock: MovableClock, world: World) -> None:
    """TikTok takes a living access token only; after two days the refresh token still gives one."""
    clock.advance(2 * 86_400)
    world.ask("POST", "tiktok/accounts/maker/expire-token")

    assert api("POST", f"/accounts/{account['id']}/disconnection").json["revoked"] is True


def test_disconnecting_twice_is_no_harm(api: Api, account: dict[str, Any]) -> None:
    first, second = (api("POST", f"/accounts/{account['id']}/disconnection") for _ in range(2))
    assert (first.json["revoked"], second.status, second.json["revoked"]) == (True, 200, False)


@pytest.mark.parametrize("settings", [{"instagram_app_id": "17000000000000002"}], indirect=True)
def test_a_consent_for_several_accounts_is_left_until_the_last_goes(api: Api, browser: Browser, world: World) -> None:
    """Withdrawn for one Page it would be gone for all of that person's Pages, and the others would stop publishing."""
    for name in ("bakery", "cafe"):
        world.ask("PUT", f"instagram/accounts/{name}", {"login": "facebook", "holder": "agency"})
    form = browser.link("instagram", "bakery", login="facebook").form
    browser.submit(form.action, [*form.hidden, *form.boxes])
    first, last = (account["id"] for account in api("GET", "/accounts").json)

    kept = api("POST", f"/accounts/{first}/disconnection").json
    assert (kept["revoked"], "other accounts" in kept["note"]) == (False, True)
    assert api("GET", f"/accounts/{last}/quota").json["not_asked"] is None

    assert api("POST", f"/accounts/{last}/disconnection").json["revoked"] is True


def test_what_is_scheduled_waits_and_is_counted(
    clipcast: Clipcast, api: Api, account: dict[str, Any], video: Path, clock: MovableClock
) -> None:
    """Whoever connects again before the hour has lost nothing; on the hour, the post says why it did not go out, and is not simulated."""
    _, publication_id = scheduled(api, account["id"], video, clock)

    assert api("POST", f"/accounts/{account['id']}/disconnection").json["scheduled"] == 1
    assert api("GET", f"/publications/{publication_id}").json["state"] == "scheduled"
    clock.advance(86_401)
    with clipcast.db.reading() as session:
        publication = session.get_one(Publication, publication_id)
    with pytest.raises(Exception, match="was disconnected"):
        clipcast.connections.open(publication)


def test_connecting_again_brings_everything_back(api: Api, browser: Browser, account: dict[str, Any]) -> None:
    api("POST", f"/accounts/{account['id']}/disconnection")
    browser.link("tiktok", "maker")
    (after,) = api("GET", "/accounts").json
    assert (after["id"], after["status"], after["live"], after["last_error"]) == (account["id"], "active", True, None)


def test_a_disconnected_account_is_not_switched_on_by_hand(api: Api, account: dict[str, Any]) -> None:
    """It would have no credentials, and publish to the simulator what was meant for the platform."""
    path = f"/accounts/{account['id']}"
    api("POST", f"{path}/disconnection")

    refused = api("PATCH", path, {"status": "active"}), api("PATCH", path, {"status": "disabled"})

    assert [answer.status for answer in refused] == [400, 400]
    assert all("was disconnected" in answer.json["detail"] for answer in refused)
    assert api("GET", path).json["status"] == "revoked"


def test_what_was_switched_off_and_disconnected_is_not_switched_on(api: Api, account: dict[str, Any]) -> None:
    path = f"/accounts/{account['id']}"
    api("PATCH", path, {"status": "disabled"})
    api("POST", f"{path}/disconnection")
    assert api("PATCH", path, {"status": "active"}).status == 400


def test_credentials_that_are_sent_bring_a_disconnected_account_back(api: Api, account: dict[str, Any]) -> None:
    """With a status along with them, as its owner wants it."""
    path = f"/accounts/{account['id']}"
    api("POST", f"{path}/disconnection")
    back = api("PATCH", path, {"credentials": {"access_token": "act.2"}, "status": "disabled"})
    assert (back.status, back.json["status"]) == (200, "disabled")


def test_a_deleted_account_is_gone_and_its_history_stays(
    clipcast: Clipcast, api: Api, account: dict[str, Any], video: Path, clock: MovableClock
) -> None:
    satellite = {"platform": "tiktok", "username": "fan", "kind": "satellite", "main_account_id": account["id"]}
    satellite_id = api("POST", "/accounts", satellite).json["id"]
    clip_id, publication_id = scheduled(api, account["id"], video, clock)
    api("POST", f"/publications/{publication_id}/cancellation")

    answer = api("DELETE", f"/accounts/{account['id']}")

    assert (answer.status, answer.json["revoked"]) == (200, True)
    assert api("GET", f"/accounts/{account['id']}").status == 404
    assert [one["username"] for one in api("GET", "/accounts").json] == ["fan"]
    assert api("GET", f"/accounts/{satellite_id}").json["main_account_id"] is None
    (log,) = api("GET", f"/publishing/logs/{clip_id}").json
    assert log["social_account_id"] == account["id"]
    assert events_of(clipcast, account["id"]) == ["account_linked", "account_disconnected", "account_deleted"]
    for method, path, body in (
        ("PATCH", "", {"kind": "main"}),
        ("POST", "/disconnection", None),
        ("DELETE", "", None),
        ("GET", "/quota", None),
    ):
        assert api(method, f"/accounts/{account['id']}{path}", body).status == 404
    refused = {"clip_ids": [clip_id], "targets": [{"account_id": account["id"]}]}
    assert api("POST", "/posts", refused).status == 404


def test_what_waits_stands_in_the_way_of_deleting(
    clipcast: Clipcast, api: Api, account: dict[str, Any], video: Path, clock: MovableClock
) -> None:
    """Nothing is lost by a hasty click: what waits is named, what runs too; and the connection is left alone."""
    _, publication_id = scheduled(api, account["id"], video, clock)

    waits = api("DELETE", f"/accounts/{account['id']}")
    with clipcast.db.writing() as session:
        session.get_one(Publication, publication_id).state = "processing"
    runs = api("DELETE", f"/accounts/{account['id']}")

    assert (waits.status, runs.status) == (409, 409)
    assert publication_id in waits.json["detail"]
    assert "Cancel them first" in waits.json["detail"]
    assert "while it publishes" in runs.json["detail"]
    assert api("GET", f"/accounts/{account['id']}").json["status"] == "active"


@pytest.mark.parametrize("fault", [None, {"platform": "tiktok", "operation": "oauth.revoke", "fault": "503"}])
def test_what_is_scheduled_while_the_platform_is_asked_stands_in_the_way_too(
    clipcast: Clipcast, api: Api, account: dict[str, Any], *, world: World, video: Path, clock: MovableClock, fault: dict[str, str] | None
) -> None:
    """By then the access may be gone; if so the account does not pass for connected, and the answer says what to do."""
    if fault is not None:
        world.ask("POST", "faults", [fault])
    ids: list[str] = []

    def send(request: Request) -> Answer:
        ids.extend(scheduled(api, account["id"], video, clock))
        return clipcast.disconnector.send(request)

    with pytest.raises(Conflict) as refused:
        leaving.delete(replace(clipcast.disconnector, send=send), account["id"], actor="system:test")

    after = api("GET", f"/accounts/{account['id']}").json
    was_withdrawn = fault is None
    assert ids[1] in str(refused.value)
    assert ("the account is disconnected already" in str(refused.value)) is was_withdrawn
    assert (after["status"], after["live"]) == (("revoked", False) if was_withdrawn else ("active", True))
    assert events_of(clipcast, account["id"]) == ["account_linked", *(["account_disconnected"] if was_withdrawn else [])]


def test_a_deleted_account_comes_back_by_consent(clipcast: Clipcast, api: Api, browser: Browser, account: dict[str, Any]) -> None:
    """With its id, and so with its history; also under a name that is new."""
    api("DELETE", f"/accounts/{account['id']}")
    with clipcast.db.writing() as session:
        row = store.any_of(session, account["id"])
        assert row is not None
        row.username = "old_name"

    browser.link("tiktok", "maker")

    (after,) = api("GET", "/accounts").json
    assert (after["id"], after["username"], after["live"]) == (account["id"], "maker", True)
    assert events_of(clipcast, account["id"])[-1] == "account_relinked"


def test_a_deleted_account_comes_back_when_its_name_is_added(clipcast: Clipcast, api: Api, account: dict[str, Any]) -> None:
    api("DELETE", f"/accounts/{account['id']}")

    added = api("POST", "/accounts", {"platform": "tiktok", "username": "maker", "kind": "satellite"})

    assert (added.status, added.json["id"], added.json["kind"], added.json["status"]) == (201, account["id"], "satellite", "active")
    assert api("POST", "/accounts", {"platform": "tiktok", "username": "maker"}).status == 409
    assert events_of(clipcast, account["id"])[-1] == "account_added"


def test_pasted_credentials_say_whose_they_are(api: Api, clipcast: Clipcast, clock: MovableClock) -> None:
    added = api("POST", "/accounts", {"platform": "tiktok", "username": "maker"}).json
    assert (added["external_id"], added["connected_at"]) == (None, None)

    set_account_credentials(clipcast.db, added["id"], Credentials({"access_token": "act.1", "open_id": "-000"}), clipcast.vault, clock())

    after = api("GET", f"/accounts/{added['id']}").json
    assert after["external_id"] == "-000"
    assert after["connected_at"] is not None
