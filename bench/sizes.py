"""The same work beside 1,000 and beside 1,000,000 posts that are scheduled for later, on SQLite and on PostgreSQL."""

import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text

from bench import world
from clipcast.db.engine import Database
from clipcast.db.migrate import upgrade

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DUE = 1_000
LATER = (1_000, 1_000_000)
ROUNDS = 41
WARM_UP = 4

Fill = Callable[[Database, int], None]
"""Writes what is due, and so many publications that are scheduled for later."""

Work = Mapping[str, Callable[[Database], float]]
"""What is measured, by name. Each answers how long it took in ms, and leaves the database as it found it."""


def compare(fill: Fill, work: Work) -> list[str]:
    """One line per database, work and size, and the ratio of each work's medians."""
    lines = []
    for kind, database in (("SQLite", _sqlite), ("PostgreSQL", _postgres)):
        try:
            with database() as few, database() as many:
                times_ms = _rounds(dict(zip(LATER, (few, many), strict=True)), fill, work)
        except OSError as error:
            lines.append(f"{kind}: not measured ({error})")
            continue
        for name in work:
            few_ms, many_ms = (times_ms[later, name] for later in LATER)
            lines += [f"{kind}, {later:,} scheduled for later: {name} in {world.summary(times_ms[later, name], 'ms')}" for later in LATER]
            ratio = statistics.median(many_ms) / statistics.median(few_ms)
            lines.append(f"{kind}, {name}, ratio {LATER[1]:,} / {LATER[0]:,}: {ratio:.2f} (target below 1.5)")
    return lines


def _rounds(databases: Mapping[int, Database], fill: Fill, work: Work) -> dict[tuple[int, str], list[float]]:
    """Work on both in turn, so that whatever else the machine does meets both alike."""
    for later, db in databases.items():
        fill(db, later)
        _gather_statistics(db)
    times_ms: dict[tuple[int, str], list[float]] = {(later, name): [] for later in databases for name in work}
    for number in range(ROUNDS + WARM_UP):
        for name, measured in work.items():
            for later, db in databases.items():
                elapsed_ms = measured(db)
                if number >= WARM_UP:
                    times_ms[later, name].append(elapsed_ms)
    return times_ms


def _gather_statistics(db: Database) -> None:
    """PostgreSQL does so by itself after a while. SQLite waits to be told, and Clipcast never tells it."""
    if not db.is_sqlite:
        with db.writing() as session:
            session.execute(text("ANALYZE"))


@contextmanager
def _sqlite() -> Iterator[Database]:
    with tempfile.TemporaryDirectory() as directory:
        db = Database(f"sqlite:///{Path(directory) / 'bench.sqlite3'}")
        upgrade(db)
        yield db
        db.close()


@contextmanager
def _postgres() -> Iterator[Database]:
    with world.postgres() as url:
        db = Database(url)
        upgrade(db)
        yield db
        db.close()
