"""Which commits wait for the disk: all but those of progress that can be asked for again."""

import pytest
from sqlalchemy import text

from clipcast.db.engine import Database


@pytest.mark.parametrize(("hasty", "sqlite", "postgresql"), [(False, 2, "on"), (True, 1, "off")], ids=["durable", "hasty"])
def test_only_a_hasty_commit_does_not_wait_for_the_disk(db: Database, *, hasty: bool, sqlite: int, postgresql: str) -> None:
    with db.writing(hasty=not hasty) as session:
        session.execute(text("SELECT 1"))

    with db.writing(hasty=hasty) as session:
        found = session.scalar(text("PRAGMA synchronous" if db.is_sqlite else "SHOW synchronous_commit"))

    assert found == (sqlite if db.is_sqlite else postgresql)
