"""Tokens by hand: `clipcast tokens`, and what it says to people and to programs."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from clipcast.accounts import store
from clipcast.accounts.credentials import get_account_credentials, set_account_credentials
from clipcast.cli.app import app
from clipcast.clock import system_clock
from clipcast.db.migrate import upgrade
from clipcast.settings import load_settings
from clipcast.system import Clipcast
from clipcast_simulator.server import SimulatorServer
from clipcast_simulator.settings import quiet
from contract.bench import connect_live
from contract.platforms import TIKTOK
from contract.world import World


@pytest.fixture
def account_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A live account, whose token ends in an hour, in the installation that the commands open."""
    with SimulatorServer(tmp_path / "simulator", quiet()) as server:
        settings = {"data_dir": str(tmp_path / "data"), "simulation": "off", **TIKTOK.settings(server.url)}
        for name, value in settings.items():
            monkeypatch.setenv(f"CLIPCAST_{name.upper()}", value)
        world = World(server.url)
        with Clipcast.open(load_settings()) as product:
            upgrade(product.db)
            found = connect_live(product, TIKTOK, world)
            with product.db.writing() as session:
                store.get_for_update(session, found).expires_at = system_clock() + timedelta(hours=1)
        yield found
        world.close()


def tokens(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["tokens", *arguments])


def test_a_dry_run_says_what_would_be_done_and_then_it_is(account_id: str) -> None:
    for _ in range(2):
        dry = json.loads(tokens("refresh", "--dry-run", "--json").stdout)
        assert [(one["account_id"], one["result"]) for one in dry["outcomes"]] == [(account_id, "refreshed")]
        assert dry["dry_run"] is True
    done = tokens("refresh")
    assert done.exit_code == 0
    assert "A new token is stored." in done.stdout
    assert tokens("refresh").stdout == "No token ends soon.\n"


def test_one_account_whatever_its_end(account_id: str) -> None:
    for _ in range(2):
        done = json.loads(tokens("refresh", "--account-id", account_id, "--json").stdout)
        assert [one["result"] for one in done["outcomes"]] == ["refreshed"]
    assert tokens("refresh", "--account-id", "nobody").exit_code == 1


def test_an_account_that_needs_its_owner_makes_the_exit_code_1(account_id: str) -> None:
    with Clipcast.open(load_settings()) as product:
        stored = get_account_credentials(product.db, account_id, product.vault)
        spent = replace(stored, values={**stored.values, "refresh_token": "rft.spent"}, expires_at=system_clock())
        set_account_credentials(product.db, account_id, spent, product.vault, system_clock())
    done = tokens("refresh", "--json")
    assert [one["result"] for one in json.loads(done.stdout)["outcomes"]] == ["reconnect_needed"]
    assert done.exit_code == 1
    status = tokens("status")
    assert "expired" in status.stdout
    assert "connect the account again" in status.stderr


def test_the_status_says_when_the_connection_ends(account_id: str) -> None:
    [found] = json.loads(tokens("status", "--json").stdout)["accounts"]
    assert (found["id"], found["renewable"], found["warning"]) == (account_id, True, None)
    assert found["connection_ends_at"] == found["refresh_expires_at"] is not None


def test_who_asks_by_hand_does_not_wait_for_the_next_try(account_id: str) -> None:
    """The worker does, after a failure a moment ago; a person may have just mended what was wrong."""
    with Clipcast.open(load_settings()) as product, product.db.writing() as session:
        store.get_for_update(session, account_id).refresh_again_at = system_clock() + timedelta(minutes=30)
    for arguments in (("--dry-run",), ()):
        told = json.loads(tokens("refresh", *arguments, "--json").stdout)
        assert [(one["account_id"], one["result"]) for one in told["outcomes"]] == [(account_id, "refreshed")]
