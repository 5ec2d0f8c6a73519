"""Who is alive: a killed process is found dead at once, its work is given back, and its file does not stay for ever."""

import os
import subprocess
import sys
import time
from pathlib import Path

from filelock import FileLock

from app.worker.rows import claimed, written
from clipcast.db.engine import Database
from clipcast.publications.models import Publication
from clipcast.worker.keeper import Heir
from clipcast.worker.presence import LONG_S, Presence
from conftest import MovableClock

LIVE = """
import pathlib, sys
from clipcast.worker.presence import Presence
print(Presence(pathlib.Path(sys.argv[1])).owner, flush=True)
input()
"""


def killed(data_dir: Path) -> str:
    """The owner that a process was which was killed."""
    with subprocess.Popen([sys.executable, "-c", LIVE, str(data_dir)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        owner = process.stdout.readline().strip()
        process.kill()
    return owner


def files(data_dir: Path) -> set[str]:
    return {file.stem for file in (data_dir / "workers").glob("*.lock")}


def test_what_a_killed_process_held_is_given_back(db: Database, clock: MovableClock, tmp_path: Path) -> None:
    """And what a living one holds is not."""
    presence, neighbour, dead = Presence(tmp_path), Presence(tmp_path), killed(tmp_path)
    rows = written(db, clock, {"one": [0.0], "two": [0.0], "three": [0.0]})
    for name, owner in {"one": dead, "two": neighbour.owner, "three": presence.owner}.items():
        claimed(db, clock, rows[name][0], owner)

    Heir(db, presence).look()

    with db.reading() as session:
        holders = [session.get_one(Publication, rows[name][0]).lease_owner for name in ("one", "two", "three")]
    assert holders == [None, neighbour.owner, presence.owner]
    assert files(tmp_path) == {presence.owner, neighbour.owner}


def test_it_stays_dead_until_its_work_was_given_back(tmp_path: Path) -> None:
    """The database may fail in between: then the next look finds it again."""
    presence, dead = Presence(tmp_path), killed(tmp_path)

    assert [presence.dead_among([dead, presence.owner]) for _ in range(2)] == [[dead], [dead]]
    presence.forget([dead])
    assert presence.dead_among([dead]) == []


def test_a_killed_one_without_work_is_forgotten_a_day_later(tmp_path: Path) -> None:
    living, dead, long_dead = Presence(tmp_path), killed(tmp_path), killed(tmp_path)
    yesterday = time.time() - LONG_S - 1
    for owner in (living.owner, long_dead):
        os.utime(tmp_path / "workers" / f"{owner}.lock", (yesterday, yesterday))

    newcomer = Presence(tmp_path)

    assert files(tmp_path) == {living.owner, dead, newcomer.owner}


def test_who_ends_in_order_leaves_nothing(tmp_path: Path) -> None:
    presence = Presence(tmp_path)
    presence.close()
    assert files(tmp_path) == set()


def test_an_owner_of_another_machine_is_never_dead(tmp_path: Path) -> None:
    presence = Presence(tmp_path)
    (tmp_path / "workers" / "another-1-2-abc.lock").touch()
    assert presence.dead_among(["another-1-2-abc"]) == []


def test_a_file_that_cannot_be_asked_is_nobody_dead(tmp_path: Path) -> None:
    """As another user's, where somebody started a command with sudo: looking for the dead must not end the work of the living."""
    presence, dead = Presence(tmp_path), killed(tmp_path)
    closed = f"{presence.crew}closed"
    file = tmp_path / "workers" / f"{closed}.lock"
    file.mkdir()
    yesterday = time.time() - LONG_S - 1
    os.utime(file, (yesterday, yesterday))

    assert presence.dead_among([closed, dead]) == [dead]
    assert Presence(tmp_path).dead_among([closed, dead]) == [dead]


def test_nobody_waits_for_long_at_a_gate_that_another_keeps(tmp_path: Path) -> None:
    """A neighbour may be frozen in the middle of looking."""
    presence, dead = Presence(tmp_path), killed(tmp_path)
    with FileLock(tmp_path / "workers" / ".gate"):
        assert presence.dead_among([dead]) == []
        newcomer = Presence(tmp_path)

    assert presence.dead_among([dead, newcomer.owner]) == [dead]
