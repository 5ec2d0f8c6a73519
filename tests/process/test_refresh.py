"""Two processes with 50 threads refresh the same 20 accounts, of platforms that kill the old token when it is traded in."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from clipcast import ledger
from clipcast.accounts import history, store
from clipcast.accounts.credentials import get_account_credentials
from clipcast.accounts.models import SocialAccount
from clipcast.accounts.refresh import LEASE
from clipcast.platforms.base import Credentials
from clipcast.settings import load_settings
from clipcast.system import Clipcast
from contract.bench import connect_live
from contract.platforms import INSTAGRAM, TIKTOK, PlatformUnderTest
from contract.world import World
from process.brokers import wait_for_port
from process.theatre import SimulatorProcess
from process.victim import SharedClock

HERE = Path(__file__).parent
ACCOUNTS = 20
THREADS = 25
KILLS = 3
ALIVE_FOR = {"tiktok": timedelta(hours=22), "instagram": timedelta(days=52)}
"""How long after their consent the tokens have begun to expire."""
DEADLY = {"tiktok": {"refresh_rotation": "old_token_dies"}, "instagram": {"refresh_old": "dies"}}


@dataclass
class Scene:
    """One database, one platform, twenty accounts whose tokens end soon."""

    product: Clipcast
    platform: PlatformUnderTest
    world: World
    clock: SharedClock
    usernames: dict[str, str]

    def connect(self, round_number: int) -> None:
        """Twenty more accounts, and time passes until their tokens begin to expire."""
        self.clock.refresh()
        names = [f"maker_{round_number}_{number}" for number in range(ACCOUNTS)]
        self.usernames = {connect_live(self.product, self.platform, self.world, name): name for name in names}
        self.clock.skip_to(self.clock() + ALIVE_FOR[self.platform.name])

    def tokens(self) -> dict[str, Credentials]:
        return {each: get_account_credentials(self.product.db, each, self.product.vault) for each in self.usernames}

    def row(self, account_id: str) -> SocialAccount:
        with self.product.db.reading() as session:
            return store.get(session, account_id)

    def renewals(self) -> int:
        """How often the platform has been asked for a new token, by its own count, and said yes."""
        asked = self.world.requests(self.platform.refresh_operation)
        return sum(request["status"] == 200 for request in asked)

    def can_renew(self, account_id: str) -> bool:
        """Whether the tokens that we hold are those that the platform takes."""
        outcome = self.product.upkeep.refresh_one(account_id)
        return outcome.result == "refreshed" or (outcome.result == "retry_later" and "a day old" in outcome.sentence)

    def start(self) -> "subprocess.Popen[str]":
        """A process that is ready to refresh."""
        settings = self.product.settings.model_dump(
            mode="json", include={"data_dir", "database_url", "simulation", *self.platform.addresses}
        )
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")])}
        command = [sys.executable, str(HERE / "refreshing.py"), self.world.url, json.dumps(settings), str(THREADS)]
        return subprocess.Popen(command, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def events(self, account_id: str) -> list[str]:
        with self.product.db.reading() as session:
            return [event.event for event in ledger.events(session, stream=history.stream_of(account_id))]


@contextmanager
def scene(directory: Path, database_url: str, platform: PlatformUnderTest) -> Iterator[Scene]:
    simulator = SimulatorProcess(directory / "simulator", delay_min_s=0.02, delay_max_s=0.1, failure_rate=0.0, processing_s=0.0)
    world = World(simulator.url)
    try:
        wait_for_port(simulator.port)
        world.ask("PUT", "settings", {platform.name: DEADLY[platform.name]})
        clock = SharedClock(world)
        settings = load_settings(data_dir=directory / "data", database_url=database_url, simulation="off", **platform.settings(world.url))
        with Clipcast.open(settings, clock=clock) as product:
            yield Scene(product, platform, world, clock, {})
    finally:
        world.close()
        simulator.kill()


@contextmanager
def two_ready(on: Scene) -> Iterator[list["subprocess.Popen[str]"]]:
    """Two processes that wait for the word."""
    with on.start() as one, on.start() as other:
        for process in (one, other):
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        yield [one, other]


def say_go(processes: list["subprocess.Popen[str]"]) -> None:
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()


@pytest.mark.usefixtures("many_connections")
@pytest.mark.timeout(1200)  # one like it may come first
@pytest.mark.parametrize("platform", [TIKTOK, INSTAGRAM], ids=lambda platform: platform.name)
def test_fifty_threads_in_two_processes_ask_once_for_each_account(tmp_path: Path, database_url: str, platform: PlatformUnderTest) -> None:
    """By the platform's own count; and what each account holds in the end is what the platform takes."""
    with scene(tmp_path, database_url, platform) as on:
        on.connect(0)
        before = on.tokens()
        with two_ready(on) as processes:
            say_go(processes)
            ends = [json.loads(process.communicate()[0]) for process in processes]
        assert on.renewals() == ACCOUNTS
        assert len(on.world.requests(platform.refresh_operation)) == ACCOUNTS, "nobody was refused either"
        assert sum(end.get("refreshed", 0) for end in ends) == ACCOUNTS
        assert {result for end in ends for result in end} <= {"refreshed", "not_needed", "someone_else"}
        after = on.tokens()
        on.clock.refresh()
        for account_id in on.usernames:
            assert after[account_id].get("access_token") != before[account_id].get("access_token")
            assert on.row(account_id).status == "active"
            assert on.can_renew(account_id)


@pytest.mark.timeout(1200)
def test_a_killed_refresh_recovers_or_says_why_it_cannot(
    tmp_path: Path, database_url: str, platform: PlatformUnderTest, record_property: Any
) -> None:
    """One of the two processes is killed somewhere in the middle, again and again: every account works, or is expired with the reason."""
    chance, lost = random.Random(6), 0
    with scene(tmp_path, database_url, platform) as on:
        for round_number in range(KILLS):
            on.connect(round_number)
            kill_after, seen = chance.randrange(1, ACCOUNTS), on.world.last_request()
            with two_ready(on) as processes:
                say_go(processes)
                while len(on.world.requests(platform.refresh_operation, since=seen)) < kill_after:
                    pass  # every question is a request over HTTP, which takes its time
                processes[0].kill()
                processes[1].communicate()
            on.clock.skip_to(on.clock() + LEASE + timedelta(seconds=1))
            on.product.upkeep.refresh_expiring()
            lost += sum(not_silently_broken(on, account_id) for account_id in on.usernames)
        assert on.product.upkeep.refresh_expiring().outcomes == ()
    record_property("verdict", f"{platform.name}: {KILLS} kills, {lost} answers lost and told, 0 accounts silently broken")


def not_silently_broken(on: Scene, account_id: str) -> bool:
    """Whether the account's answer was lost, and it says so; otherwise it has to work."""
    row = on.row(account_id)
    assert row.refresh_lease_token is None
    if row.status == "active":
        assert row.warning is None
        assert on.can_renew(account_id), row.last_error
        return False
    assert row.status == "expired"
    assert row.last_error is not None
    assert row.last_error.startswith("The answer to an earlier renewal was lost")
    assert "connect the account again" in row.last_error
    assert on.events(account_id)[0] == ledger.ACCOUNT_EXPIRED
    return True
