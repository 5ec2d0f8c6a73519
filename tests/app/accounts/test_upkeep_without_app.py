"""Accounts that lack what belongs to the app: nothing can be sent for them, which is told, and costs nobody else anything."""

from datetime import timedelta
from pathlib import Path

import pytest

from app.accounts.house import PLATFORMS, SETTINGS, VAULT, House, TokenEndpoints, by_name
from clipcast.accounts.refresh import LEASE, Refresher
from clipcast.accounts.upkeep import Upkeep
from clipcast.db.engine import Database
from clipcast.settings import load_settings
from conftest import MovableClock

TIKTOK_APP = {"client_key": "ck", "client_secret": "cs"}


@pytest.fixture
def house(db: Database, clock: MovableClock) -> House:
    endpoints = TokenEndpoints()
    refresher = Refresher(db, VAULT, SETTINGS, clock, endpoints.send, jitter=lambda: 0.0)
    return House(db, clock, endpoints, Upkeep(db, clock, refresher, PLATFORMS), [])


def without_our_app(house: House) -> Upkeep:
    """An installation without the apps' ids and secrets, where only accounts that bring their own can be live."""
    refresher = Refresher(house.db, VAULT, load_settings(data_dir=Path("unused")), house.clock, house.endpoints.send, jitter=lambda: 0.0)
    return Upkeep(house.db, house.clock, refresher, PLATFORMS)


def test_accounts_that_lack_their_app_hold_up_no_other(house: House) -> None:
    """Nothing was sent for them, so they say nothing of the platform; each says what it lacks, and when it is looked at again."""
    for number in range(30):
        house.add(f"half{number:02}", ends_in=timedelta(minutes=-5 - number))
    house.add("good", ends_in=timedelta(hours=2), values=TIKTOK_APP)
    report = without_our_app(house).refresh_expiring()
    assert by_name(report) == {"good": "refreshed"} | {f"half{number:02}": "misconfigured" for number in range(30)}
    assert report.left_alone == ()
    assert house.endpoints.traded == ["rft.good"]
    row = house.row("half00")
    assert (row.status, row.refresh_failures) == ("active", 1)
    assert row.refresh_again_at == house.clock() + timedelta(minutes=5)
    assert row.warning is not None
    assert "client_key, client_secret" in row.warning
    assert "The next try is at 2026-03-01 12:05 UTC." in row.warning


def test_an_account_that_lacks_its_app_is_looked_at_when_it_is_due(house: House) -> None:
    house.add("half", ends_in=timedelta(hours=1))
    bare = without_our_app(house)
    assert by_name(bare.refresh_expiring()) == {"half": "misconfigured"}
    assert by_name(bare.refresh_expiring()) == {}
    house.clock.advance(300)
    assert house.results() == {"half": "refreshed"}
    assert (house.row("half").warning, house.row("half").last_error, house.row("half").refresh_failures) == (None, None, 0)


def test_what_is_lacking_is_not_written_over_somebody_elses_refresh(house: House) -> None:
    house.add("half", ends_in=timedelta(hours=1))
    house.change("half", refresh_lease_token="x", refresh_lease_until=house.clock() + LEASE)
    assert without_our_app(house).refresh_one("half").result == "misconfigured"
    row = house.row("half")
    assert (row.warning, row.refresh_again_at, row.refresh_lease_token) == (None, None, "x")


def test_asked_by_hand_long_before_its_end_nothing_is_marked(house: House) -> None:
    house.add("half", ends_in=timedelta(hours=20))
    assert without_our_app(house).refresh_one("half").result == "misconfigured"
    assert (house.row("half").warning, house.row("half").refresh_again_at) == (None, None)


def test_why_an_account_expired_is_not_forgotten_over_what_it_lacks(house: House) -> None:
    house.add("half", ends_in=timedelta(hours=-1), status="expired")
    house.change("half", last_error="The password was changed.")
    assert without_our_app(house).refresh_one("half").result == "reconnect_needed"
    row = house.row("half")
    assert (row.last_error, row.warning, row.refresh_again_at) == ("The password was changed.", None, None)
