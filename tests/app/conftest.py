"""What tests of the whole product start from: one simulator for all of a process, and an environment that says nothing."""

import os
from collections.abc import Iterator

import pytest

from clipcast_simulator.server import SimulatorServer
from clipcast_simulator.settings import quiet
from contract.world import World


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorServer]:
    with SimulatorServer(tmp_path_factory.mktemp("simulator"), quiet()) as server:
        yield server


@pytest.fixture
def world(simulator: SimulatorServer) -> Iterator[World]:
    """The simulator as everybody sees it, empty."""
    seen = World(simulator.url)
    seen.reset()
    yield seen
    seen.reset()  # others look at their own accounts only, and take the clock and the faults as they find them
    seen.close()


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No settings of ours, whatever they are outside; a test may add some."""
    for name in [name for name in os.environ if name.startswith("CLIPCAST_") and not name.startswith("CLIPCAST_TEST_")]:
        monkeypatch.delenv(name)
    return monkeypatch
