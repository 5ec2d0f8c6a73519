"""A theatre on SQLite, and once more on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.platforms import TIKTOK
from process.theatre import Theatre, theatre


@pytest.fixture
def stage(tmp_path: Path, database_url: str) -> Iterator[Theatre]:
    """Everything that a killed worker leaves behind and comes back to."""
    with theatre(tmp_path, database_url, TIKTOK) as opened:
        yield opened
