"""A simulator in a process of its own, so that it can be killed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import urllib3

from simulator.wire import Sim

QUIET = ("--delay-min-s", "0", "--delay-max-s", "0", "--failure-rate", "0", "--processing-s", "0")


@contextmanager
def process(state_dir: Path, port: int) -> Iterator[tuple[subprocess.Popen[bytes], Sim]]:
    """A simulator in a process of its own, killed at the end whatever happens."""
    command = [sys.executable, "-m", "clipcast_simulator", "--port", str(port), "--state-dir", str(state_dir), *QUIET]
    source = Path(__file__).parents[2] / "src"
    with subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(source)}) as child:
        try:
            patient = urllib3.PoolManager(retries=urllib3.Retry(total=None, connect=300, backoff_factor=0.01, backoff_max=0.1), timeout=20)
            patient.request("GET", f"http://127.0.0.1:{port}/_simulator/")
            yield child, Sim(f"http://127.0.0.1:{port}")
        finally:
            child.kill()
