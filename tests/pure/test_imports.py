"""Imports point one way: the contracts of pyproject.toml, kept by every test run and not only by `make lint`."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_import_contracts_are_kept() -> None:
    """In a process of its own: the linter sets up logging, which would silence the loggers of later tests."""
    lint = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert lint.returncode == 0, lint.stdout


def test_the_engine_loads_nothing_heavy() -> None:
    """A worker that uploads needs no codecs, no web framework, no bucket's client and no simulator."""
    heavy = ("av", "PIL", "fastapi", "uvicorn", "obstore", "clipcast_simulator.server")
    program = f"import sys, clipcast.system, clipcast.worker.embedded; print([name for name in {heavy} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert loaded.stdout.strip() == "[]"
