"""Which worker processes of this machine are alive, so that a restarted one carries on at once where a killed one stopped.

Each process holds a lock on a file in the data directory; the operating system lets go of it when the process dies, however it dies. The
name of the file is the owner that the process writes into its leases. It begins with the machine: locks of another machine on a shared
directory may not show here, so its owners are never called dead. Their leases run out.
"""

import os
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from uuid import uuid4

import structlog
from filelock import FileLock

log = structlog.get_logger()

GATE_WAIT_S: Final = 1.0
"""How long another process may keep everybody from looking; it needs a moment, unless it is frozen."""

LONG_S: Final = 24 * 60 * 60
"""Whose file is older and who is no more has no lease left, either."""


def _machine() -> str:
    """What tells this run of this machine from all others; containers on one machine share it, as they share its file locks."""
    boot_id = Path("/proc/sys/kernel/random/boot_id")
    return boot_id.read_text().strip().replace("-", "")[:16] if boot_id.exists() else socket.gethostname()[:40]


class Presence:
    """This process among the workers of this data directory; `crew` is the worker that it belongs to, by default itself alone."""

    def __init__(self, data_dir: Path, *, crew: str = "") -> None:
        self._directory = data_dir / "workers"
        self._directory.mkdir(parents=True, exist_ok=True)
        self._machine = _machine()
        self.crew = f"{self._machine}-{crew or os.getpid()}-"
        self.owner = f"{self.crew}{os.getpid()}-{uuid4().hex[:12]}"
        self._lock = FileLock(self._file(self.owner))
        # Nobody should look for the dead between the making of our file and its locking: they would remove it, and who comes after us
        # would not know that we died.
        with self._gate() as is_ours:
            if is_ours:
                self._forget_the_long_dead()
            self._lock.acquire()

    def dead_among(self, owners: Iterable[str]) -> list[str]:
        """Those of `owners` that are known to be no more, of the processes of this data directory."""
        with self._gate() as is_ours:
            return [owner for owner in owners if owner != self.owner and self._is_dead(owner)] if is_ours else []

    def forget(self, dead_owners: Iterable[str]) -> None:
        """Nothing is theirs any more: remove their files."""
        for owner in dead_owners:
            self._file(owner).unlink(missing_ok=True)

    def close(self) -> None:
        """This process works no more."""
        self._lock.release()
        with suppress(OSError):  # the directory went away, and our file with it
            self._file(self.owner).unlink(missing_ok=True)

    def _forget_the_long_dead(self) -> None:
        """Who was killed with nothing in hand is looked for by nobody, and would leave a file for ever."""
        for file in self._directory.glob(f"{self._machine}-*.lock"):
            with suppress(OSError):  # its process ends in order, right now; or it is another user's
                if file.stat().st_mtime < time.time() - LONG_S and self._is_dead(file.stem):
                    file.unlink()

    def _is_dead(self, owner: str) -> bool:
        file = self._file(owner)
        if not owner.startswith(f"{self._machine}-") or not file.exists():
            return False
        lock = FileLock(file)
        try:
            lock.acquire(blocking=False)
        except OSError:  # a Timeout: it lives; or another user's file, which is not ours to ask
            return False
        lock.release()
        return True

    @contextmanager
    def _gate(self) -> Iterator[bool]:
        """Whether nobody else looks meanwhile. Looking saves time and nothing else: it is not worth waiting for long, nor an error."""
        gate = FileLock(self._directory / ".gate")
        try:
            gate.acquire(timeout=GATE_WAIT_S)
        except OSError as error:
            log.warning("worker.neighbours_not_seen", reason=str(error))
            yield False
            return
        try:
            yield True
        finally:
            gate.release()

    def _file(self, owner: str) -> Path:
        return self._directory / f"{Path(owner).name}.lock"
