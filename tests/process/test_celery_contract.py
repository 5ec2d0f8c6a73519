"""The contract suite on Celery's workers: a handful of its cases here; `tests/contract/carriers.py` has the command for all of them."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

SUITE = Path(__file__).parents[1] / "contract" / "test_publishing.py"
CASES = "(publishes or lost_answer or starts_over) and postgresql and (direct or carousel or cover)"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("broker", ["redis", "rabbitmq"])
def test_celery_carries_the_contract(broker: str, tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """Two worker processes and a beat on PostgreSQL do what the suite expects of the driver in its own process."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    options = ["-q", "-p", "no:cacheprovider", "-n", "0", f"--basetemp={tmp_path / 'suite'}", f"--rootdir={SUITE.parents[2]}"]
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "-k", CASES, str(SUITE)],
        capture_output=True,
        text=True,
        check=False,
        cwd=SUITE.parents[2],
        env=environment | {"CLIPCAST_TEST_CARRIER": f"celery-{broker}"},
    )

    assert ended.returncode == 0, ended.stdout[-6000:] + ended.stderr[-2000:]
    passed = re.search(r"(\d+) passed", ended.stdout)
    assert passed is not None
    record_property("verdict", f"contract on Celery and {broker}: {passed[0]}")
    assert int(passed[1]) >= 20
    assert "skipped" not in ended.stdout
