"""Claiming 100 of 1,000 due publications, with 1,000 and with 1,000,000 more scheduled for later."""

import time
from datetime import timedelta

from bench import sizes, world
from bench.sizes import DUE, NOW
from clipcast.db.engine import Database
from clipcast.publications import claims


def measure() -> list[str]:
    """One line per database and size, and their ratio."""
    return sizes.compare(_fill, {f"claim 100 of {DUE:,} due": _claim_ms})


def _fill(db: Database, later: int) -> None:
    with db.writing() as session:
        clip_id = world.add_clip(session, NOW)
        world.add_publications(session, clip_id, [NOW - timedelta(seconds=number) for number in range(DUE)], NOW)
        world.add_publications(session, clip_id, [NOW + timedelta(days=1, seconds=number) for number in range(later)], NOW)


def _claim_ms(db: Database) -> float:
    start = time.perf_counter()
    with db.writing() as session:
        leases = claims.claim(session, NOW, 100, owner="bench")
    elapsed_ms = (time.perf_counter() - start) * 1000
    assert len(leases) == 100
    with db.writing() as session:
        claims.release_of(session, ["bench"])
    return elapsed_ms
