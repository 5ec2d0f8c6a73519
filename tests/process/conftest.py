"""A theatre on SQLite, and once more on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.platforms import TIKTOK
from process.theatre import Nursery, Theatre, theatre


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Where workers come from."""
    with Nursery() as opened:
        yield opened


@pytest.fixture
def stage(tmp_path: Path, database_url: str, nursery: Nursery) -> Iterator[Theatre]:
    """Everything that a killed worker leaves behind and comes back to."""
    with theatre(tmp_path, database_url, TIKTOK, nursery) as opened:
        yield opened
