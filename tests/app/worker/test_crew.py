"""Who belongs together among the workers, and who may begin."""

from datetime import timedelta

import pytest

from clipcast.clock import system_clock
from clipcast.db.engine import Database
from clipcast.errors import ConfigurationError
from clipcast.publications.leases import Lease, LeaseBook
from clipcast.settings import load_settings
from clipcast.system import Clipcast
from clipcast.worker.tasks import Crew, ensure_clocks_agree


def never_opened() -> Clipcast:
    raise AssertionError("nothing opens before it has work")


def test_workers_of_the_same_number_are_two_crews() -> None:
    """As in two containers of one machine: each would count the other's uploads as its own, and find no place for anything."""
    crews = {Crew(load_settings(), never_opened).name for _ in range(2)}

    assert len(crews) == 2


@pytest.mark.parametrize(("apart_s", "direction"), [(7, "7 s ahead of"), (-40, "40 s behind")])
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_worker_whose_clock_is_wrong_does_not_begin(db: Database, apart_s: int, direction: str) -> None:
    """It would take over what others are still sending."""
    with pytest.raises(ConfigurationError, match=f"This machine's clock is {direction} the database's.*NTP"):
        ensure_clocks_agree(db, lambda: system_clock() + timedelta(seconds=apart_s))


def test_a_worker_whose_clock_is_right_begins(db: Database) -> None:
    ensure_clocks_agree(db)


def test_whoever_ends_late_takes_no_lease_away() -> None:
    """A thread that lost its lease while the database was away ends when another one has the publication under a lease of its own."""
    book, lost, held = LeaseBook(), Lease("publication", "lost"), Lease("publication", "held")
    book.add(lost)
    book.add(held)

    book.remove(lost)
    assert book.held() == [held]

    book.remove(held)
    assert book.held() == []
