"""A refresh that fails when its tokens are gone already: what it met is no news of those that came after them."""

from datetime import timedelta

import pytest

from app.accounts.house import PLATFORMS, SETTINGS, VAULT, House, TokenEndpoints, answer
from clipcast.accounts import disconnecting, store
from clipcast.accounts.credentials import set_account_credentials
from clipcast.accounts.disconnecting import Farewell
from clipcast.accounts.refresh import Refresher
from clipcast.accounts.upkeep import Upkeep
from clipcast.db.engine import Database
from clipcast.errors import OutcomeUnknown
from clipcast.platforms.base import Answer, Credentials
from conftest import MovableClock

TROUBLES = {
    "throttled": answer(429, error="rate_limit_exceeded"),
    "unavailable": answer(503),
    "our_secret": answer(401, error="invalid_client"),
    "lost": OutcomeUnknown("the answer was lost"),
}

every_trouble = pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)


@pytest.fixture
def house(db: Database, clock: MovableClock) -> House:
    endpoints = TokenEndpoints()
    refresher = Refresher(db, VAULT, SETTINGS, clock, endpoints.send, jitter=lambda: 0.0)
    return House(db, clock, endpoints, Upkeep(db, clock, refresher, PLATFORMS), [])


def told(trouble: Answer | Exception) -> Answer:
    if isinstance(trouble, Exception):
        raise trouble
    return trouble


@every_trouble
def test_an_account_that_was_connected_anew_meanwhile_knows_nothing_of_it(house: House, trouble: Answer | Exception) -> None:
    """It would be warned of a token that it has no more, and its new one left alone until the next try."""
    account = house.add("maker", ends_in=timedelta(minutes=5))
    brought = Credentials({"access_token": "act.new", "refresh_token": "rft.new"}, expires_at=house.clock() + timedelta(hours=20))

    def connected_meanwhile() -> Answer:
        set_account_credentials(house.db, account, brought, VAULT, house.clock())
        return told(trouble)

    house.endpoints.trouble["tiktok"] = connected_meanwhile
    house.upkeep.refresh_expiring()

    row = house.row(account)
    assert house.token(account) == "act.new"
    assert (row.status, row.warning, row.last_error) == ("active", None, None)
    assert (row.refresh_failures, row.refresh_again_at, row.refresh_lease_token) == (0, None, None)


@every_trouble
def test_an_account_that_was_disconnected_meanwhile_still_says_so(house: House, trouble: Answer | Exception) -> None:
    account = house.add("maker", ends_in=timedelta(minutes=5))

    def disconnected_meanwhile() -> Answer:
        with house.db.writing() as session:
            row = store.get_for_update(session, account)
            disconnecting.disconnect(session, row, house.upkeep.refresher, Farewell(revoked=True), actor="person:1", scheduled=0)
        return told(trouble)

    house.endpoints.trouble["tiktok"] = disconnected_meanwhile
    house.upkeep.refresh_expiring()

    row = house.row(account)
    assert (row.status, row.credentials, row.warning, row.refresh_again_at) == ("revoked", None, None, None)
    assert row.last_error is not None
    assert row.last_error.startswith("Disconnected.")


def test_a_late_answer_brings_no_disconnected_account_back(house: House) -> None:
    account = house.add("maker", ends_in=timedelta(minutes=5))

    def disconnected_meanwhile() -> Answer:
        with house.db.writing() as session:
            row = store.get_for_update(session, account)
            disconnecting.disconnect(session, row, house.upkeep.refresher, Farewell(revoked=True), actor="person:1", scheduled=0)
        return answer(access_token="act.late", refresh_token="rft.late", expires_in=86400)

    house.endpoints.trouble["tiktok"] = disconnected_meanwhile
    house.upkeep.refresh_expiring()

    row = house.row(account)
    assert (row.status, row.credentials, row.expires_at) == ("revoked", None, None)
