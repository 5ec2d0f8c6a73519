"""The worker looks after tokens by itself: soon after its start, every half hour, when a failed one falls due; and cleans up."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from clipcast.accounts import store
from clipcast.accounts.credentials import get_account_credentials, set_account_credentials
from clipcast.accounts.models import SocialAccount
from clipcast.db.migrate import upgrade
from clipcast.platforms.base import Credentials
from clipcast.settings import load_settings
from clipcast.system import Clipcast
from clipcast.worker.embedded import EmbeddedWorker
from clipcast.worker.housekeeping import Housekeeper
from clipcast.worker.presence import Presence
from clipcast_simulator.server import SimulatorServer
from clipcast_simulator.settings import quiet
from conftest import MovableClock
from contract.bench import connect_live
from contract.platforms import TIKTOK
from contract.world import World

NEARLY_A_DAY = timedelta(hours=22)


@pytest.fixture
def world(tmp_path: Path, clock: MovableClock) -> Iterator[World]:
    with SimulatorServer(tmp_path / "simulator", quiet()) as server:
        world = World(server.url)
        world.set_clock(clock())
        yield world
        world.close()


@pytest.fixture
def product(tmp_path: Path, clock: MovableClock, world: World) -> Iterator[Clipcast]:
    settings = load_settings(data_dir=tmp_path / "data", simulation="off", **TIKTOK.settings(world.url))
    with Clipcast.open(settings, clock=clock) as opened:
        upgrade(opened.db)
        yield opened


def move(clock: MovableClock, world: World, by: timedelta) -> None:
    world.set_clock(clock.advance(by.total_seconds()))


def keeper(product: Clipcast) -> Housekeeper:
    return Housekeeper(product.upkeep, product.clock, chance=lambda: 0.0)


def renewals(world: World) -> int:
    return len(world.requests("oauth.token"))


def test_a_round_every_half_hour_asks_once_for_each_token(product: Clipcast, world: World, clock: MovableClock) -> None:
    """What was renewed is good for a day: the next rounds leave it alone."""
    connect_live(product, TIKTOK, world)
    house = keeper(product)
    house.work()
    assert renewals(world) == 0
    move(clock, world, NEARLY_A_DAY)
    for _ in range(3):
        house.work()
        move(clock, world, timedelta(minutes=30))
    assert renewals(world) == 1


def test_a_failed_one_is_tried_when_it_falls_due_and_not_half_an_hour_later(product: Clipcast, world: World, clock: MovableClock) -> None:
    account_id = connect_live(product, TIKTOK, world)
    move(clock, world, NEARLY_A_DAY)
    house = keeper(product)
    world.script({"platform": "tiktok", "operation": "oauth.token", "fault": "503"})
    house.work()
    with product.db.reading() as session:
        row = store.get(session, account_id)
    assert (row.status, row.refresh_failures) == ("active", 1)
    assert row.warning is not None
    move(clock, world, timedelta(minutes=4))
    house.work()
    assert renewals(world) == 1
    move(clock, world, timedelta(minutes=2))
    house.work()
    assert renewals(world) == 2
    with product.db.reading() as session:
        assert store.get(session, account_id).warning is None


def test_every_six_hours_the_dead_are_called_dead(product: Clipcast, clock: MovableClock) -> None:
    house = keeper(product)
    house.work()
    now = clock()
    with product.db.writing() as session:
        store.add(session, SocialAccount(id="bare", platform="tiktok", username="bare", created_at=now, updated_at=now))
    bare = Credentials({"access_token": "act.bare", "client_key": "k", "client_secret": "s"}, expires_at=now + timedelta(days=1))
    set_account_credentials(product.db, "bare", bare, product.vault, now)
    with product.db.writing() as session:
        store.get_for_update(session, "bare").expires_at = now - timedelta(minutes=1)
        store.get_for_update(session, "bare").refresh_again_at = now + timedelta(days=1)  # so that only the cleanup looks at it
    clock.advance(5 * 3600)
    house.work()
    with product.db.reading() as session:
        assert store.get(session, "bare").status == "active"
    clock.advance(3601)
    house.work()
    with product.db.reading() as session:
        assert store.get(session, "bare").status == "expired"


def test_the_worker_keeps_house_in_a_thread_of_its_own(product: Clipcast, world: World, clock: MovableClock) -> None:
    """A token that expires is renewed with nobody publishing and nobody asking; and the worker stops when it is told to."""
    account_id = connect_live(product, TIKTOK, world)
    move(clock, world, NEARLY_A_DAY)
    renewed = threading.Event()
    before = get_account_credentials(product.db, account_id, product.vault)
    house = Housekeeper(product.upkeep, clock, chance=lambda: 0.0, look_every_s=0.01)
    house.start()
    for _ in range(1000):
        if get_account_credentials(product.db, account_id, product.vault) != before:
            renewed.set()
            break
        renewed.wait(0.01)
    house.stop()
    assert renewed.is_set()


def test_a_worker_with_upkeep_starts_and_stops(product: Clipcast, tmp_path: Path) -> None:
    presence = Presence(tmp_path / "data")
    worker = EmbeddedWorker(product.db, product.driver, product.clock, presence, threads=1, upkeep=product.upkeep)
    worker.start()
    names = {thread.name for thread in threading.enumerate()}
    worker.stop()
    presence.close()
    assert "clipcast-housekeeper" in names
    assert "clipcast-housekeeper" not in {thread.name for thread in threading.enumerate()}
