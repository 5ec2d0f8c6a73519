"""A theatre on SQLite, and once more on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.platforms import TIKTOK, PlatformUnderTest
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
