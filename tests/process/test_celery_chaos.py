"""Chaos past one machine: `make chaos BROKER=redis N=300` and `BROKER=rabbitmq` are larger helpings."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

CHAOS = Path(__file__).with_name("celery_chaos.py")


@pytest.mark.timeout(2400)
@pytest.mark.parametrize(("broker", "seed", "least_kills", "posts"), [("redis", 6, 100, 200), ("rabbitmq", 9, 100, 200)])
def test_celery_amid_chaos(broker: str, seed: int, least_kills: int, posts: int, record_property: Callable[[str, object], None]) -> None:
    """Workers, the beat, the broker and PostgreSQL die at random; everything still goes out exactly once."""
    ended = subprocess.run(
        [sys.executable, str(CHAOS), f"--broker={broker}", f"--posts={posts}", f"--kills={least_kills}", f"--seed={seed}"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stdout[-20_000:] + ended.stderr[-2000:]
    lines = ended.stdout.splitlines()
    record_property("verdict", f"Celery on {broker}: {lines[-1]} ({lines[0]}; {lines[-3]}; {lines[-2]})")
    kills = int(lines[-1].partition(" ")[0])
    assert kills >= least_kills
    assert lines[-1] == f"{kills} kills, 0 duplicates, 0 lost"
    assert int(lines[-2].partition(" ")[0]) >= posts
