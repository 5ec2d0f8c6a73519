"""The real application under a real server, publishing to the real simulator; time skips what nobody works on."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from app.api.calling import Api, World, new_account, served, skipping
from clipcast.api.app import create_app
from clipcast.clips.sample import make_sample_image, make_sample_video
from clipcast.settings import load_settings
from clipcast.system import Clipcast
from clipcast_simulator.server import SimulatorServer
from conftest import MovableClock


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_sample_video(tmp_path_factory.mktemp("media") / "sunset.mp4", seconds=1.5)


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_sample_image(tmp_path_factory.mktemp("media") / "beach.jpg")


@pytest.fixture
def world(simulator: SimulatorServer) -> Iterator[World]:
    world = World(simulator.url, f"maker_{uuid4().hex[:12]}")
    world.set_account()
    yield world
    world.close()


@pytest.fixture
def clipcast(database_url: str, tmp_path: Path, clock: MovableClock, simulator: SimulatorServer) -> Iterator[Clipcast]:
    settings = load_settings(data_dir=tmp_path / "data", database_url=database_url, simulator_url=simulator.url, worker_threads=4)
    with Clipcast.open(settings, clock=clock) as opened:
        yield opened


@pytest.fixture
def api(clipcast: Clipcast, clock: MovableClock) -> Iterator[Api]:
    """The server with its worker, on both databases."""
    with served(create_app(clipcast)) as api, skipping(clipcast, clock):
        yield api


@pytest.fixture
def idle_api(clipcast: Clipcast) -> Iterator[Api]:
    """The same server without a worker: what is asked for stays as it was written."""
    with served(create_app(clipcast, with_worker=False)) as api:
        yield api


@pytest.fixture
def account_id(api: Api, world: World) -> str:
    return new_account(api, world.username)
