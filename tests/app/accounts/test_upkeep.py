"""Tokens stay alive: the expiring ones are refreshed in time, trouble is told and tried again, the dead are called dead."""

from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.accounts.house import (
    APPS,
    INSTAGRAM,
    PLATFORMS,
    PUBLISHING_SCOPES,
    SETTINGS,
    TIKTOK,
    VAULT,
    YOUTUBE,
    House,
    TokenEndpoints,
    answer,
    by_name,
)
from clipcast import ledger
from clipcast.accounts import store
from clipcast.accounts.credentials import set_account_credentials
from clipcast.accounts.expiry import forecast
from clipcast.accounts.models import PendingLink, SocialAccount
from clipcast.accounts.outcomes import Outcome, Report
from clipcast.accounts.provider import AccountInactive
from clipcast.accounts.refresh import LEASE, Refresher
from clipcast.accounts.upkeep import PATIENCE, Upkeep
from clipcast.accounts.vault import Vault
from clipcast.db.engine import Database
from clipcast.errors import InvalidRequest, NotFound, NotSent, OutcomeUnknown
from clipcast.platforms.base import Answer, Credentials
from clipcast.settings import load_settings
from conftest import MovableClock


@pytest.fixture
def house(db: Database, clock: MovableClock) -> House:
    endpoints, heard = TokenEndpoints(), []

    def hear(platform: str, outcome: str) -> None:
        heard.append((platform, outcome))

    refresher = Refresher(db, VAULT, SETTINGS, clock, endpoints.send, jitter=lambda: 0.0, heard=hear)
    return House(db, clock, endpoints, Upkeep(db, clock, refresher, PLATFORMS), heard)


# Which ones


@pytest.mark.parametrize("platform", [TIKTOK, INSTAGRAM, YOUTUBE], ids=lambda platform: platform.name)
def test_each_platform_has_its_own_margin(house: House, platform: Any) -> None:
    """Seconds for one would be too late for another: Google's tokens live an hour, Instagram's sixty days."""
    house.add("soon", platform.name, ends_in=platform.refresh_margin)
    house.add("later", platform.name, ends_in=platform.refresh_margin + timedelta(seconds=1))
    assert house.results() == {"soon": "refreshed"}
    assert "new" in house.token("soon")
    assert house.token("later") == "act.later"
    assert house.heard == [(platform.name, "refreshed")]


def test_the_margin_leaves_room_for_more_than_one_round(house: House) -> None:
    """A round that just missed a token must not be the last one before its end."""
    assert all(platform.refresh_margin > timedelta(minutes=30) for platform in house.upkeep.platforms.values())


def test_only_live_active_accounts_are_refreshed(house: House) -> None:
    for status in ("disabled", "revoked", "expired"):
        house.add(status, ends_in=timedelta(minutes=1), status=status)
    house.add("deleted", ends_in=timedelta(minutes=1))
    house.change("deleted", deleted_at=house.clock())
    house.add("endless", ends_in=None)
    now = house.clock()
    simulated = SocialAccount(id="simulated", platform="tiktok", username="sim", expires_at=now, created_at=now, updated_at=now)
    with house.db.writing() as session:
        store.add(session, simulated)
    assert house.results() == {}
    assert house.endpoints.traded == []


def test_a_dead_token_is_renewed_all_the_same(house: House) -> None:
    """The computer was off for a day: TikTok's and Google's refresh tokens still work."""
    house.add("tt", ends_in=timedelta(hours=-20))
    house.add("yt", "youtube", ends_in=timedelta(hours=-20))
    assert house.results() == {"tt": "refreshed", "yt": "refreshed"}


def test_many_pages_are_refreshed_with_bounded_concurrency(house: House) -> None:
    """Each exactly once, the first to end first, and never more at once than said."""
    names = [house.add(f"maker{number:03}", ends_in=timedelta(minutes=number % 7)) for number in range(300)]
    report = house.upkeep.refresh_expiring()
    assert by_name(report) == dict.fromkeys(names, "refreshed")
    assert sorted(house.endpoints.traded) == sorted(f"rft.{name}" for name in names)
    assert house.endpoints.most_at_once <= house.upkeep.concurrency


def test_a_dry_run_sends_and_changes_nothing(house: House) -> None:
    house.add("tt", ends_in=timedelta(minutes=5))
    house.add("page", "instagram", ends_in=timedelta(days=5), values={"login": "facebook"})
    house.add("dead", "instagram", ends_in=timedelta(days=-1))
    house.add("taken", ends_in=timedelta(minutes=5))
    before = [house.row(name).updated_at for name in ("tt", "page", "dead")]
    assert house.results(dry_run=True) == {"tt": "refreshed", "page": "cannot_be_renewed", "dead": "reconnect_needed", "taken": "refreshed"}
    house.change("taken", refresh_lease_token="x", refresh_lease_until=house.clock() + LEASE)
    assert house.upkeep.refresh_one("taken", dry_run=True).result == "someone_else"
    assert house.endpoints.traded == []
    assert [house.row(name).updated_at for name in ("tt", "page", "dead")] == before
    assert house.row("dead").status == "active"


def test_one_account_is_refreshed_by_hand_long_before_its_end(house: House) -> None:
    house.add("tt", ends_in=timedelta(hours=20))
    assert house.results() == {}
    outcome = house.upkeep.refresh_one("tt")
    assert (outcome.result, outcome.expires_at) == ("refreshed", house.clock() + timedelta(hours=24))
    assert house.token("tt") == "act.new0"


def test_what_cannot_be_refreshed_by_hand_says_why(house: House) -> None:
    now = house.clock()
    with house.db.writing() as session:
        store.add(session, SocialAccount(id="sim", platform="tiktok", username="sim", created_at=now, updated_at=now))
    house.add("off", ends_in=timedelta(hours=1), status="disabled")
    with pytest.raises(InvalidRequest, match="publishes to the simulator"):
        house.upkeep.refresh_one("sim")
    with pytest.raises(AccountInactive, match="disabled"):
        house.upkeep.refresh_one("off")
    with pytest.raises(NotFound):
        house.upkeep.refresh_one("nobody")


def test_a_copy_of_the_database_uses_up_nobodys_tokens(house: House) -> None:
    """With CLIPCAST_SIMULATION=always one tries things out; the tokens belong to those who publish."""
    house.add("tt", ends_in=timedelta(minutes=5))
    settings = load_settings(data_dir=Path("unused"), simulation="always", **APPS)
    playing = Upkeep(house.db, house.clock, Refresher(house.db, VAULT, settings, house.clock, house.endpoints.send), PLATFORMS)
    assert playing.refresh_expiring() == Report(())
    with pytest.raises(InvalidRequest, match="CLIPCAST_SIMULATION=always"):
        playing.refresh_one("tt")
    assert house.endpoints.traded == []


# Trouble that passes


def no_connection() -> Answer:
    raise NotSent("No connection to open.tiktokapis.com could be made.")


def test_passing_trouble_is_tried_again_after_5_10_and_20_minutes_then_every_30(house: House) -> None:
    """The account stays active all the while and shows a warning; success takes the warning away."""
    house.add("tt", ends_in=timedelta(hours=2))
    house.endpoints.trouble["tiktok"] = no_connection
    pauses = []
    for _ in range(6):
        assert house.results() == {"tt": "retry_later"}
        row = house.row("tt")
        assert row.status == "active"
        assert row.refresh_again_at is not None
        pauses.append((row.refresh_again_at - house.clock()).total_seconds() / 60)
        house.clock.advance(pauses[-1] * 60 - 1)
        assert house.results() == {}, "not before it is due"
        house.clock.advance(1)
    assert pauses == [5, 10, 20, 30, 30, 30]
    warning = house.row("tt").warning
    assert warning is not None
    assert "No connection to open.tiktokapis.com" in warning
    assert "The next try is at 2026-03-01" in warning
    assert "Until 2026-03-01 14:00 UTC the account works." in warning
    assert house.events("tt") == []
    house.endpoints.trouble.clear()
    assert house.results() == {"tt": "refreshed"}
    row = house.row("tt")
    assert (row.refresh_failures, row.refresh_again_at, row.warning, row.last_error) == (0, None, None, None)


def test_publishing_in_between_does_not_hurry_the_rhythm(house: House) -> None:
    """A post that asks for a token again and again must not make three tries out of three seconds."""
    house.add("tt", ends_in=timedelta(minutes=1))
    house.endpoints.trouble["tiktok"] = no_connection
    house.results()
    planned = house.row("tt").refresh_again_at
    for _ in range(5):
        with pytest.raises(NotSent):
            house.upkeep.refresher.refresh("tt", TIKTOK, "act.tt")
        house.clock.advance(1)
    assert (house.row("tt").refresh_failures, house.row("tt").refresh_again_at) == (1, planned)


def test_a_throttled_platform_is_left_alone_for_as_long_as_it_says(house: House) -> None:
    house.add("yt", "youtube", ends_in=timedelta(minutes=20))
    house.endpoints.trouble["youtube"] = lambda: Answer(429, {"retry-after": "3600"}, b'{"error": "rate_limit_exceeded"}')
    [outcome] = house.upkeep.refresh_expiring().outcomes
    assert outcome.result == "retry_later"
    assert outcome.again_at is not None
    assert outcome.again_at >= house.clock() + timedelta(minutes=5)
    assert house.row("yt").status == "active"


def test_a_platform_that_does_not_answer_is_not_asked_ten_thousand_times(house: House) -> None:
    """After a few failures in a row it is left alone until the next round; the other platforms are served."""
    for number in range(60):
        house.add(f"tt{number:02}", ends_in=timedelta(minutes=5))
    house.add("yt", "youtube", ends_in=timedelta(minutes=5))
    house.endpoints.trouble["tiktok"] = no_connection
    report = house.upkeep.refresh_expiring()
    asked = [name for name in house.endpoints.traded if name.startswith("rft.tt")]
    assert PATIENCE <= len(asked) <= PATIENCE + house.upkeep.concurrency
    assert report.left_alone == ("tiktok",)
    assert by_name(report)["yt"] == "refreshed"
    assert report.again_at == house.clock() + timedelta(minutes=5)


def test_a_bug_met_by_one_account_costs_the_others_nothing(house: House) -> None:
    def broken() -> Answer:
        raise ZeroDivisionError

    house.add("tt", ends_in=timedelta(minutes=5))
    house.add("yt", "youtube", ends_in=timedelta(minutes=5))
    house.endpoints.trouble["youtube"] = broken
    assert house.results() == {"tt": "refreshed", "yt": "retry_later"}


def test_our_apps_wrong_secret_blames_no_account(house: House) -> None:
    """The platform does not know our app: every account stays connected, and shows what is wrong with the settings."""
    house.add("tt", ends_in=timedelta(hours=1))
    house.add("yt", "youtube", ends_in=timedelta(minutes=5))
    house.endpoints.trouble["tiktok"] = lambda: answer(400, error="invalid_client", error_description="Client secret is wrong")
    house.endpoints.trouble["youtube"] = lambda: answer(401, error="invalid_client", error_description="Unauthorized")
    assert house.results() == {"tt": "misconfigured", "yt": "misconfigured"}
    for name in ("tt", "yt"):
        row = house.row(name)
        assert row.status == "active"
        assert row.warning is not None
        assert "secret" in row.warning
    assert set(house.heard) == {("tiktok", "misconfigured"), ("youtube", "misconfigured")}


def test_a_missing_app_secret_sends_nothing(house: House) -> None:
    house.add("tt", ends_in=timedelta(hours=1))
    settings = load_settings(data_dir=Path("unused"))
    bare = Upkeep(house.db, house.clock, Refresher(house.db, VAULT, settings, house.clock, house.endpoints.send), PLATFORMS)
    [outcome] = bare.refresh_expiring().outcomes
    assert outcome.result == "misconfigured"
    assert "client_key" in outcome.sentence
    assert house.endpoints.traded == []


def test_a_missing_key_of_the_vault_blames_no_account(house: House) -> None:
    house.add("tt", ends_in=timedelta(hours=1))
    keyless = Refresher(house.db, Vault([b"x" * 32]), SETTINGS, house.clock, house.endpoints.send)
    upkeep = Upkeep(house.db, house.clock, keyless, PLATFORMS)
    assert by_name(upkeep.refresh_expiring()) == {"tt": "misconfigured"}
    house.clock.advance(7200)
    assert upkeep.clean_up().outcomes == ()
    assert house.row("tt").status == "active"


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_database_that_went_away_meanwhile_is_trouble_of_one_account(house: House, database_url: str) -> None:
    """Nothing can be saved, nor read back: the round goes on all the same. On SQLite reading never waits."""
    url = database_url.replace("options=", "options=-clock_timeout%3D10%20")
    house.add("tt", ends_in=timedelta(minutes=5))
    with ExitStack() as elsewhere:

        def taken() -> Answer:
            elsewhere.enter_context(house.db.writing()).execute(text("LOCK TABLE social_accounts IN ACCESS EXCLUSIVE MODE"))
            return answer(access_token="act.lost", refresh_token="rft.lost", expires_in=86400)

        house.endpoints.trouble["tiktok"] = taken
        ours = Database(url)
        refresher = replace(house.upkeep.refresher, db=ours, pause=lambda _: None)
        outcome = replace(house.upkeep, db=ours, refresher=refresher).refresh_one("tt")
        ours.close()
    assert (outcome.username, outcome.result, outcome.befalls_all) == ("tt", "retry_later", False)


# Refused, and what only the owner can mend


def refused() -> Answer:
    return answer(400, error="invalid_grant", error_description="Refresh token is invalid or expired.")


def test_a_refused_account_is_expired_with_the_reason_and_blocks_nobody(house: House) -> None:
    house.add("tt", ends_in=timedelta(hours=1))
    house.add("yt", "youtube", ends_in=timedelta(minutes=5))
    house.endpoints.trouble["tiktok"] = refused
    report = house.upkeep.refresh_expiring()
    assert by_name(report) == {"tt": "reconnect_needed", "yt": "refreshed"}
    assert report.needs_owner
    row = house.row("tt")
    assert row.status == "expired"
    assert row.last_error == next(outcome.sentence for outcome in report.outcomes if outcome.username == "tt")
    assert "connect the account again" in row.last_error
    assert house.events("tt") == [ledger.ACCOUNT_EXPIRED]
    assert house.results() == {}, "it is not asked for again"


def test_an_expired_account_that_the_platform_takes_after_all_recovers(house: House) -> None:
    house.add("tt", ends_in=timedelta(hours=1), status="expired")
    assert house.upkeep.refresh_one("tt").result == "refreshed"
    assert house.row("tt").status == "active"
    assert house.events("tt") == [ledger.ACCOUNT_RECOVERED]


def test_a_lost_permission_keeps_the_new_token_and_says_what_to_do(house: House) -> None:
    """TikTok renews, but for less than publishing needs: the account works for what is left, and shows a warning."""
    house.add("tt", ends_in=timedelta(hours=1), values={"scope": PUBLISHING_SCOPES})
    house.endpoints.scope = "user.info.basic"
    report = house.upkeep.refresh_expiring()
    assert by_name(report) == {"tt": "scope_lost"}
    assert report.needs_owner
    row = house.row("tt")
    assert row.status == "active"
    assert row.warning is not None
    assert "(video.publish)" in row.warning
    assert house.token("tt") == "act.new0"


def test_the_owner_is_told_of_a_lost_permission_until_it_is_back(house: House) -> None:
    """Later renewals lose nothing more, and other trouble comes and goes: the warning stays until the owner allows it again."""
    house.add("tt", ends_in=timedelta(hours=1), values={"scope": PUBLISHING_SCOPES})
    house.endpoints.scope = "user.info.basic"
    house.results()
    house.endpoints.trouble["tiktok"] = no_connection
    assert house.upkeep.refresh_one("tt").result == "retry_later"
    house.clock.advance(22 * 3600)
    assert house.results() == {"tt": "retry_later"}
    assert "took a permission away" in (house.row("tt").warning or "")
    house.endpoints.trouble.clear()
    assert house.upkeep.refresh_one("tt").result == "refreshed"
    assert "took a permission away" in (house.row("tt").warning or "")
    house.endpoints.scope = PUBLISHING_SCOPES + ",video.upload,video.list"
    assert house.upkeep.refresh_one("tt").result == "refreshed"
    assert house.row("tt").warning is None


def test_a_permission_that_was_never_given_alarms_nobody(house: House) -> None:
    """Whoever allowed only publishing, and not the inbox, chose so."""
    house.add("tt", ends_in=timedelta(hours=1), values={"scope": PUBLISHING_SCOPES})
    assert house.results() == {"tt": "refreshed"}
    assert house.row("tt").warning is None


def test_instagrams_lost_permission_leaves_the_token_to_its_end(house: House) -> None:
    """Nothing is renewed without it, but what was given works on; afterwards the account is expired."""
    house.add("ig", "instagram", ends_in=timedelta(days=2))
    denied = {"message": "Requires permission", "type": "OAuthException", "code": 10}
    house.endpoints.trouble["instagram"] = lambda: answer(403, error=denied)
    assert house.results() == {"ig": "scope_lost"}
    assert house.row("ig").status == "active"
    house.clock.advance(3 * 86400)
    assert house.results() == {"ig": "reconnect_needed"}
    assert house.row("ig").status == "expired"


# What cannot be renewed


def test_a_page_token_is_not_tried_again_and_again(house: House) -> None:
    """Facebook gives no renewal: the owner is told once, and the account is expired when its token has ended."""
    house.add("page", "instagram", ends_in=timedelta(days=5), values={"login": "facebook", "page_id": "1"})
    assert house.results() == {"page": "cannot_be_renewed"}
    row = house.row("page")
    assert row.warning == "Its access ends at 2026-03-06 12:00 UTC and cannot be renewed: connect the account again before."
    house.clock.advance(86400)
    assert house.results() == {}
    house.clock.advance(5 * 86400)
    assert house.results() == {"page": "reconnect_needed"}
    assert house.row("page").status == "expired"
    assert house.endpoints.traded == []


def test_instagram_refuses_a_token_younger_than_a_day_and_nobody_is_alarmed(house: House) -> None:
    """Asked for by hand: it is said, it is not a failure, and nothing is marked."""
    house.add("ig", "instagram", ends_in=timedelta(days=60) - timedelta(hours=3))
    young = {"message": "The access token must be at least 24 hours old", "type": "OAuthException", "code": 100}
    house.endpoints.trouble["instagram"] = lambda: answer(400, error=young)
    outcome = house.upkeep.refresh_one("ig")
    assert outcome.result == "retry_later"
    assert "a day old" in outcome.sentence
    assert outcome.again_at == house.clock() + timedelta(hours=21)
    row = house.row("ig")
    assert (row.status, row.warning, row.refresh_failures, row.refresh_again_at) == ("active", None, 0, None)


def test_instagrams_new_token_lives_sixty_days(house: House) -> None:
    house.add("ig", "instagram", ends_in=timedelta(days=9))
    assert house.results() == {"ig": "refreshed"}
    assert house.row("ig").expires_at == house.clock() + timedelta(seconds=5183944)
    assert house.endpoints.traded == ["act.ig"]


# Lost answers


def test_an_answer_lost_with_its_process_is_named_as_the_reason(house: House) -> None:
    """Killed after the platform had answered: the next try is refused, and the account says what happened and when."""
    house.add("tt", ends_in=timedelta(hours=1))
    house.change("tt", refresh_lease_token="of the dead", refresh_lease_until=house.clock() + LEASE)
    assert house.results() == {}, "somebody may still be at it"
    house.clock.advance(LEASE.total_seconds())
    house.endpoints.trouble["tiktok"] = refused
    [outcome] = house.upkeep.refresh_expiring().outcomes
    assert outcome.result == "reconnect_needed"
    assert outcome.sentence.startswith("The answer to an earlier renewal was lost shortly before 2026-03-01 12:02 UTC")
    row = house.row("tt")
    assert row.last_error == outcome.sentence
    assert (row.refresh_lease_token, row.refresh_lease_until) == (None, None)


def test_an_answer_lost_on_the_wire_is_remembered_through_other_trouble(house: House) -> None:
    """First the connection broke before the answer came, then there was none at all, then the platform refused."""

    def broke() -> Answer:
        raise OutcomeUnknown("The connection broke before its answer came.")

    house.add("tt", ends_in=timedelta(hours=1))
    for trouble in (broke, no_connection, refused):
        house.endpoints.trouble["tiktok"] = trouble
        [outcome] = house.upkeep.refresh_expiring().outcomes
        house.clock.advance(601)
    assert outcome.result == "reconnect_needed"
    assert "lost shortly before 2026-03-01 12:00 UTC" in outcome.sentence


def test_a_lost_answer_that_did_no_harm_is_forgotten(house: House) -> None:
    house.add("yt", "youtube", ends_in=timedelta(minutes=5))
    house.endpoints.trouble["youtube"] = lambda: Answer(503, {}, b"")
    house.results()
    house.endpoints.trouble.clear()
    house.clock.advance(301)
    assert house.results() == {"yt": "refreshed"}
    row = house.row("yt")
    assert (row.refresh_lease_token, row.refresh_lease_until, row.warning) == (None, None, None)


# Cleaning up


def test_cleaning_up_calls_dead_what_cannot_be_renewed_and_nothing_else(house: House) -> None:
    long_ago = house.clock() - timedelta(days=3)
    house.add("renewable", ends_in=timedelta(hours=-1))
    house.add("bare", ends_in=timedelta(hours=-1), values={"refresh_token": ""})
    house.add("over", ends_in=timedelta(hours=-1), refresh_expires_at=house.clock() - timedelta(minutes=1))
    house.add("testing", "youtube", ends_in=timedelta(minutes=30), refresh_expires_at=long_ago)
    house.add("instagram", "instagram", ends_in=timedelta(seconds=-1))
    house.add("page", "instagram", ends_in=None, values={"login": "facebook"})
    house.add("disabled", ends_in=timedelta(hours=-1), values={"refresh_token": ""}, status="disabled")
    report = house.upkeep.clean_up()
    assert by_name(report) == dict.fromkeys(("bare", "over", "instagram"), "reconnect_needed")
    for name in ("bare", "over", "instagram"):
        row = house.row(name)
        assert row.status == "expired"
        assert row.last_error is not None
        assert "cannot be renewed any more: connect the account again" in row.last_error
        assert house.events(name) == [ledger.ACCOUNT_EXPIRED]
    assert {house.row(name).status for name in ("renewable", "testing", "page")} == {"active"}
    assert house.endpoints.traded == []
    assert house.upkeep.clean_up().outcomes == ()


def test_cleaning_up_waits_for_a_refresh_under_way(house: House) -> None:
    """Instagram may be answering just now: the new token must not find its account buried."""
    house.add("ig", "instagram", ends_in=timedelta(seconds=-1))
    house.change("ig", refresh_lease_token="x", refresh_lease_until=house.clock() + LEASE)
    assert house.upkeep.clean_up().outcomes == ()
    house.clock.advance(LEASE.total_seconds() + 1)
    [outcome] = house.upkeep.clean_up().outcomes
    assert outcome.sentence.startswith("The answer to an earlier renewal was lost")


def test_cleaning_up_drops_consents_that_nobody_finished(house: House) -> None:
    now = house.clock()
    common: dict[str, Any] = {"platform": "tiktok", "browser_sha256": "b", "redirect_uri": "r", "sealed": b"s", "actor_id": "a"}
    with house.db.writing() as session:
        for name, ends_at in (("old", now - timedelta(minutes=1)), ("new", now + timedelta(minutes=1))):
            session.add(PendingLink(id=name, state_sha256=name, created_at=now, expires_at=ends_at, **common))
    assert house.upkeep.clean_up().links_dropped == 1
    with house.db.reading() as session:
        assert session.get(PendingLink, "new") is not None


# Taken away, without being asked


def withdrawal(house: House, used_access_token: str) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011  # whatever the platform's refusal becomes
        PLATFORMS["tiktok"].refreshed(Credentials({"refresh_token": "r"}), refused(), house.clock())
    house.upkeep.refresher.withdrawn("tt", TIKTOK, used_access_token, caught.value)  # type: ignore[arg-type]  # a ReconnectRequired


def test_access_that_was_taken_away_expires_the_account(house: House) -> None:
    house.add("tt", ends_in=timedelta(hours=1))
    withdrawal(house, "act.tt")
    assert house.row("tt").status == "expired"
    assert house.events("tt") == [ledger.ACCOUNT_EXPIRED]


def test_access_taken_away_from_the_old_token_says_nothing_of_the_new_one(house: House) -> None:
    """The owner connected the account again while a post with the old token was under way."""
    house.add("tt", ends_in=timedelta(hours=1))
    set_account_credentials(house.db, "tt", Credentials({"access_token": "act.again"}), VAULT, house.clock())
    withdrawal(house, "act.tt")
    assert (house.row("tt").status, house.row("tt").last_error) == ("active", None)
    assert house.events("tt") == []


def test_access_taken_away_from_a_deleted_account_changes_nothing(house: House) -> None:
    house.add("tt", ends_in=timedelta(hours=1))
    house.change("tt", deleted_at=house.clock())
    withdrawal(house, "act.tt")
    assert house.events("tt") == []


# What is to be expected


NOW = datetime.fromisoformat("2026-03-01T12:00:00+00:00")
HOUR, WEEK, YEAR = timedelta(hours=1), timedelta(days=7), timedelta(days=365)
BOTH = {"access_token": "a", "refresh_token": "r"}


@pytest.mark.parametrize(
    ("platform", "values", "access_ends", "refresh_ends", "expected"),
    [
        (TIKTOK, BOTH, HOUR, YEAR, (True, NOW + YEAR)),
        (TIKTOK, {"access_token": "a"}, HOUR, None, (False, NOW + HOUR)),
        (YOUTUBE, BOTH, HOUR, None, (True, None)),
        (YOUTUBE, BOTH, HOUR, WEEK, (True, NOW + WEEK)),
        (INSTAGRAM, {"access_token": "a"}, WEEK, None, (True, None)),
        (INSTAGRAM, {"access_token": "a", "login": "facebook"}, None, None, (False, None)),
        (INSTAGRAM, {"access_token": "a", "login": "facebook"}, WEEK, None, (False, NOW + WEEK)),
    ],
)
def test_the_forecast_says_when_a_connection_ends_if_nobody_acts(
    platform: Any,
    values: dict[str, str],
    access_ends: timedelta | None,
    refresh_ends: timedelta | None,
    expected: tuple[bool, datetime | None],
) -> None:
    """TikTok's permission lasts a year, Google's for ever or, for an app in testing, a week; Page tokens are not renewed at all."""
    ends = {"expires_at": access_ends, "refresh_expires_at": refresh_ends}
    credentials = Credentials(values, **{name: NOW + end if end else None for name, end in ends.items()})
    found = forecast(platform, credentials)
    assert (found.renewable, found.connection_ends_at) == expected


def test_outcomes_say_whether_their_owner_is_needed() -> None:
    outcome = Outcome("1", "tiktok", "maker", "retry_later", "...")
    assert not outcome.needs_owner
    assert not Report((outcome,)).needs_owner
