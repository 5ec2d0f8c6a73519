"""A channel that may do everything an uploader needs, and one that may manage its videos too."""

import pytest

from simulator.wire import Sim
from simulator.youtube.channel import Channel, channel


@pytest.fixture
def eva(sim: Sim) -> Channel:
    """A channel whose app has the minimum: upload and readonly."""
    return channel(sim, "eva")


@pytest.fixture
def boss(sim: Sim) -> Channel:
    """A channel whose app may also change and delete."""
    return channel(sim, "boss", scopes=["youtube.force-ssl"])
