"""A simulator per test run, made fresh for each test; sample media; a web server to pull from and to be called back on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from clipcast_simulator.server import SimulatorServer
from clipcast_simulator.settings import quiet
from simulator import media_samples
from simulator.web import Web
from simulator.wire import Creator, Sim


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorServer]:
    with SimulatorServer(tmp_path_factory.mktemp("simulator"), quiet()) as running:
        yield running


@pytest.fixture
def sim(server: SimulatorServer) -> Sim:
    """A simulator without delay, chance or past, whose clock stands still."""
    fresh = Sim(server.url)
    fresh.control("PUT", "/settings", quiet().model_dump())
    fresh.control("POST", "/reset")
    fresh.control("PUT", "/clock", {"now": "2026-11-01T12:00:00Z"})
    return fresh


@pytest.fixture
def ana(sim: Sim) -> Creator:
    return sim.account("ana")


@pytest.fixture(scope="session")
def video() -> bytes:
    return media_samples.video()


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as running:
        yield running


@pytest.fixture
def gallery(sim: Sim, web: Web) -> Web:
    """A web server whose addresses the default app has verified."""
    sim.control("POST", "/tiktok/apps/awclipcastsimulator/prefixes", {"prefix": f"{web.url}/"})
    return web


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    return tmp_path / "state"
