"""Leases are renewed for drivers that get on, and for no others."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from app.worker.rows import written
from clipcast.db.engine import Database
from clipcast.errors import LeaseLost
from clipcast.publications import claims
from clipcast.publications.leases import LEASE, Lease
from clipcast.worker.keeper import SILENCE_S, LeaseKeeper
from conftest import MovableClock


def claimed(db: Database, clock: MovableClock, boot_s: list[float]) -> Lease:
    """A lease of the one publication there is; `boot_s` is how long the machine has been running."""
    written(db, clock, {"ana": [0.0]})
    with db.writing() as session:
        [lease] = claims.claim(session, clock(), 1, owner="here")
    return Lease(lease.publication_id, lease.token, lambda: boot_s[0])


def let_pass(boot_s: list[float], clock: MovableClock, seconds: float) -> None:
    clock.advance(seconds)
    boot_s[0] += seconds


def test_a_driver_that_hangs_does_not_keep_its_publication_for_ever(db: Database, clock: MovableClock) -> None:
    boot_s = [0.0]
    lease, keeper = claimed(db, clock, boot_s), LeaseKeeper(db, clock)
    keeper.add(lease)
    let_pass(boot_s, clock, SILENCE_S + 1)

    with capture_logs() as logs:
        keeper.renew(keeper.held())

    assert [entry["event"] for entry in logs] == ["worker.lease_dropped"]
    assert keeper.held() == []
    with pytest.raises(LeaseLost):
        lease.check()
    with db.writing() as session:
        assert [taken.publication_id for taken in claims.claim(session, clock() + LEASE, 1, owner="there")] == [lease.publication_id]


def test_a_driver_that_sends_now_and_then_keeps_its_publication(db: Database, clock: MovableClock) -> None:
    boot_s = [0.0]
    lease, keeper = claimed(db, clock, boot_s), LeaseKeeper(db, clock)
    keeper.add(lease)

    for _ in range(5):
        let_pass(boot_s, clock, SILENCE_S - 1)
        lease.renewed(boot_s[0])  # by all the rounds of the keeper until now
        lease.check()
        keeper.renew(keeper.held())

    assert keeper.held() == [lease]
    with db.writing() as session:
        assert claims.claim(session, clock() + LEASE - timedelta(seconds=1), 1, owner="there") == []
