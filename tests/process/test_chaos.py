"""A small helping of chaos: `make chaos N=1000` is the large one."""

import subprocess
import sys
from pathlib import Path

import pytest

CHAOS = Path(__file__).with_name("chaos.py")


@pytest.mark.timeout(600)
def test_a_little_chaos(database_url: str) -> None:
    """Workers and the simulator die at random; everything still goes out exactly once."""
    ended = subprocess.run(
        [sys.executable, str(CHAOS), "--kills=20", "--seed=20", f"--database-url={database_url}"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    kills = int(ended.stdout.splitlines()[-1].partition(" ")[0])
    assert kills >= 20
    assert ended.stdout.splitlines()[-1] == f"{kills} kills, 0 duplicates, 0 lost"
