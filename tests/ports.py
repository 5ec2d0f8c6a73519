"""Ports for servers that are started after their port was chosen, and again on the same one."""

import os
import socket
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from filelock import FileLock

FIRST, LAST = 20_000, 32_000
"""Below those that the system itself hands out (from 32768 on Linux), so that no connection takes one meanwhile."""
COUNTER: Final = Path(tempfile.gettempdir()) / f"clipcast-test-ports-{os.getuid()}"


def free_port(in_a_row: int = 1) -> int:
    """The first of so many ports that nobody listens on; no other call, in whatever process, is told any of them for a long while."""
    with FileLock(f"{COUNTER}.lock"):
        port = int(COUNTER.read_text() or FIRST) if COUNTER.exists() else FIRST
        for _ in range(FIRST, LAST):
            port = port if FIRST <= port <= LAST - in_a_row else FIRST
            if _can_be_bound(range(port, port + in_a_row)):
                COUNTER.write_text(str(port + in_a_row))
                return port
            port += 1
    raise AssertionError(f"no {in_a_row} free ports between {FIRST} and {LAST}")


def _can_be_bound(ports: range) -> bool:
    with ExitStack() as probes:
        for port in ports:
            try:
                probes.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                return False
    return True
