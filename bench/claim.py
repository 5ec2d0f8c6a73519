"""Claiming 100 of 1,000 due publications, with 1,000 and with 1,000,000 more scheduled for later."""

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from sqlalchemy import create_engine, text

from bench import world
from clipcast.db.engine import Database
from clipcast.db.migrate import upgrade
from clipcast.publications import claims

POSTGRES_URL = "postgresql://postgres@127.0.0.1:5432/test"
SIZES = (1_000, 1_000_000)
ROUNDS = 41
WARM_UP = 4
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def measure() -> list[str]:
    """One line per database and size, and their ratio."""
    lines = []
    for kind, database in (("SQLite", _sqlite), ("PostgreSQL", _postgres)):
        try:
            with database() as few, database() as many:
                times_ms = _rounds(dict(zip(SIZES, (few, many), strict=True)))
        except OSError as error:
            lines.append(f"{kind}: not measured ({error})")
            continue
        lines += [f"{kind}, 1,000 due among {later:,} scheduled: claim 100 in {world.summary(times_ms[later], 'ms')}" for later in SIZES]
        ratio = statistics.median(times_ms[SIZES[1]]) / statistics.median(times_ms[SIZES[0]])
        lines.append(f"{kind}, ratio 1,000,000 / 1,000: {ratio:.2f} (target below 1.5)")
    return lines


def _rounds(databases: dict[int, Database]) -> dict[int, list[float]]:
    """Claim from both in turn, so that whatever else the machine does meets both alike."""
    for later, db in databases.items():
        _fill(db, later)
    times_ms: dict[int, list[float]] = {later: [] for later in databases}
    for number in range(ROUNDS + WARM_UP):
        for later, db in databases.items():
            elapsed_ms = _claim_ms(db)
            if number >= WARM_UP:
                times_ms[later].append(elapsed_ms)
    return times_ms


def _fill(db: Database, later: int) -> None:
    with db.writing() as session:
        clip_id = world.add_clip(session, NOW)
        world.add_publications(session, clip_id, [NOW - timedelta(seconds=number) for number in range(1_000)], NOW)
        world.add_publications(session, clip_id, [NOW + timedelta(days=1, seconds=number) for number in range(later)], NOW)
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


def _claim_ms(db: Database) -> float:
    start = time.perf_counter()
    with db.writing() as session:
        leases = claims.claim(session, NOW, 100, owner="bench")
    elapsed_ms = (time.perf_counter() - start) * 1000
    assert len(leases) == 100
    with db.writing() as session:
        claims.release_of(session, ["bench"])
    return elapsed_ms


@contextmanager
def _sqlite() -> Iterator[Database]:
    with tempfile.TemporaryDirectory() as directory:
        db = Database(f"sqlite:///{Path(directory) / 'bench.sqlite3'}")
        upgrade(db)
        yield db
        db.close()


@contextmanager
def _postgres() -> Iterator[Database]:
    name = f"bench_{uuid4().hex[:12]}"
    server = create_engine(POSTGRES_URL.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
    try:
        with server.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
    except Exception as error:
        raise ConnectionError(f"PostgreSQL cannot be reached at {POSTGRES_URL}") from error
    db = Database(POSTGRES_URL.rsplit("/", 1)[0] + f"/{name}")
    try:
        upgrade(db)
        yield db
    finally:
        db.close()
        with server.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        server.dispose()
