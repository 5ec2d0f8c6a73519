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
