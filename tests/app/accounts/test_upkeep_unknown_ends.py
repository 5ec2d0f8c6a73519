"""An end that nobody told: Instagram's token has one all the same, and is renewed before it comes."""

from datetime import timedelta

import pytest

from app.accounts.house import INSTAGRAM, PLATFORMS, SETTINGS, VAULT, House, TokenEndpoints, answer
from clipcast.accounts.refresh import LEASE, Refresher
from clipcast.accounts.upkeep import Upkeep
from clipcast.db.engine import Database
from clipcast.platforms.base import Answer
from conftest import MovableClock


@pytest.fixture
def house(db: Database, clock: MovableClock) -> House:
    endpoints = TokenEndpoints()
    refresher = Refresher(db, VAULT, SETTINGS, clock, endpoints.send, jitter=lambda: 0.0)
    return House(db, clock, endpoints, Upkeep(db, clock, refresher, PLATFORMS), [])


def test_an_instagram_token_without_a_known_end_is_renewed_once_it_is_a_day_old(house: House) -> None:
    """It dies after sixty days whether anybody knows or not; after the renewal its end is known."""
    house.add("ig", "instagram", ends_in=None)
    house.clock.advance(86400 - 1)
    assert house.results() == house.results(dry_run=True) == {}
    house.clock.advance(1)
    assert house.results(dry_run=True) == {"ig": "refreshed"}
    assert house.endpoints.traded == []
    assert house.results() == {"ig": "refreshed"}
    assert house.row("ig").expires_at == house.clock() + timedelta(seconds=5183944)
    assert house.results() == {}


@pytest.mark.parametrize("platform", ["tiktok", "youtube"])
def test_so_is_any_other_that_came_with_a_refresh_token(house: House, platform: str) -> None:
    """What was pasted without its end: a post at night must not be what finds it dead."""
    house.add("maker", platform, ends_in=None)
    house.add("bare", platform, ends_in=None, values={"refresh_token": ""})
    house.clock.advance(86400 - 1)
    assert house.results() == {}
    house.clock.advance(1)
    assert house.results(dry_run=True) == house.results() == {"maker": "refreshed"}
    assert house.row("maker").expires_at is not None
    assert house.results() == {}


def test_where_no_renewal_tells_the_end_there_is_one_a_day(house: House) -> None:
    house.add("tt", ends_in=None)
    house.endpoints.trouble["tiktok"] = lambda: answer(access_token=f"act.{house.clock.now.isoformat()}", refresh_token="rft.2")
    for _ in range(2):
        house.clock.advance(86400)
        assert house.results() == {"tt": "refreshed"}
        house.clock.advance(1800)
        assert house.results() == {}
        house.clock.advance(-1800)


def test_no_other_token_without_a_known_end_is_renewed(house: House) -> None:
    """A Page token has none, and nothing to trade in; only active accounts count."""
    house.add("page", "instagram", ends_in=None, values={"login": "facebook"})
    for status in ("disabled", "revoked", "expired"):
        house.add(status, "instagram", ends_in=None, status=status)
    house.add("deleted", "instagram", ends_in=None)
    house.change("deleted", deleted_at=house.clock())
    house.add("taken", "instagram", ends_in=None)
    house.clock.advance(30 * 86400)
    house.change("taken", refresh_lease_token="x", refresh_lease_until=house.clock() + LEASE)
    assert house.results() == {}
    assert house.endpoints.traded == []


def test_many_tokens_without_a_known_end_are_renewed_page_by_page(house: House) -> None:
    names = [house.add(f"maker{number:03}", "instagram", ends_in=None) for number in range(300)]
    house.clock.advance(86400)
    assert house.results() == dict.fromkeys(names, "refreshed")
    assert sorted(house.endpoints.traded) == [f"act.{name}" for name in names]


NO_TOKEN_YET = {
    "too_young": answer(400, error={"message": "at least 24 hours old", "type": "OAuthException", "code": 190}),
    "undocumented": answer(400, error={"message": "too young", "type": "OAuthException", "code": 100}),
    "hotel": Answer(200, {"content-type": "text/html"}, b"<html>Welcome to the hotel</html>"),
    "elsewhere": Answer(302, {"location": "http://portal.invalid/"}, b""),
}


@pytest.mark.parametrize("said", NO_TOKEN_YET.values(), ids=NO_TOKEN_YET)
def test_a_token_of_unknown_age_is_not_called_dead_for_want_of_a_new_one(house: House, said: Answer) -> None:
    """What Instagram says of a token that is too young is not documented; a page that is not Instagram's says nothing at all."""
    house.add("ig", "instagram", ends_in=None)
    house.clock.advance(2 * 86400)
    house.endpoints.trouble["instagram"] = lambda: said
    house.results()
    row = house.row("ig")
    assert row.status == "active"
    assert row.warning is not None
    assert row.refresh_again_at is not None
    assert row.refresh_again_at > house.clock()
    assert house.results() == {}, "not before it is due"
    house.endpoints.trouble.clear()
    house.clock.now = row.refresh_again_at
    assert house.results() == {"ig": "refreshed"}
    assert house.row("ig").warning is None


def test_a_token_of_unknown_end_that_has_run_out_is_called_dead(house: House) -> None:
    house.add("ig", "instagram", ends_in=None)
    house.clock.advance(90 * 86400)
    gone = {"message": "Error validating access token", "type": "OAuthException", "code": 190, "error_subcode": 463}
    house.endpoints.trouble["instagram"] = lambda: answer(400, error=gone)
    assert house.results() == {"ig": "reconnect_needed"}
    assert house.row("ig").status == "expired"


def test_a_token_of_unknown_end_may_be_asked_for_by_hand_on_its_first_day(house: House) -> None:
    """As where the end is known: it is said, and nothing is marked."""
    house.add("ig", "instagram", ends_in=None)
    house.endpoints.trouble["instagram"] = lambda: NO_TOKEN_YET["too_young"]
    outcome = house.upkeep.refresh_one("ig")
    assert outcome.result == "retry_later"
    assert outcome.again_at == house.clock() + timedelta(hours=6)
    row = house.row("ig")
    assert (row.status, row.warning, row.refresh_failures, row.refresh_again_at) == ("active", None, 0, None)


def test_two_rounds_at_once_trade_a_token_of_unknown_end_once(house: House) -> None:
    """Whoever comes second finds an end sixty days away, and asks for nothing."""
    house.add("ig", "instagram", ends_in=None)
    house.clock.advance(86400)
    assert house.results() == {"ig": "refreshed"}
    assert house.upkeep.refresher.renew("ig", INSTAGRAM, INSTAGRAM.refresh_margin).result == "not_needed"
    assert house.endpoints.traded == ["act.ig"]
