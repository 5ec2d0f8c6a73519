"""A theatre on SQLite, and once more on PostgreSQL; brokers, and Celery in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.platforms import TIKTOK, PlatformUnderTest
from process.brokers import Broker, RedisServer, rabbit_host, redis_server
from process.celery_theatre import CeleryTheatre, celery_theatre
from process.theatre import Nursery, Theatre, theatre


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Where workers come from."""
    with Nursery() as opened:
        yield opened


@pytest.fixture
def platform() -> PlatformUnderTest:
    """The platform on stage; a test that is for several names them itself."""
    return TIKTOK


@pytest.fixture
def stage(tmp_path: Path, database_url: str, platform: PlatformUnderTest, nursery: Nursery) -> Iterator[Theatre]:
    """Everything that a killed worker leaves behind and comes back to."""
    with theatre(tmp_path, database_url, platform, nursery) as opened:
        yield opened


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis that may be killed."""
    with redis_server(tmp_path / "redis") as server:
        yield server


@pytest.fixture(params=["redis", "rabbitmq"])
def broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    """Every test that asks for it runs on both brokers."""
    if request.param == "redis":
        yield request.getfixturevalue("redis")
        return
    with rabbit_host() as host:
        yield host


@pytest.fixture
def celery(stage: Theatre, redis: RedisServer) -> Iterator[CeleryTheatre]:
    """Celery on a Redis that may be killed."""
    with celery_theatre(stage, redis) as opened:
        yield opened
