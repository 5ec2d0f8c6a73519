"""Which worker processes of this machine are alive, so that a restarted one carries on at once where a killed one stopped.

Each process holds a lock on a file in the data directory; the operating system lets go of it when the process dies, however it dies. The
name of the file is the owner that the process writes into its leases. Owners of other machines have no file here: their leases run out.
"""

import os
import socket
from collections.abc import Iterable
from pathlib import Path
from uuid import uuid4

from filelock import FileLock, Timeout


class Presence:
    """This process among the workers of this data directory."""

    def __init__(self, data_dir: Path) -> None:
        self._directory = data_dir / "workers"
        self._directory.mkdir(parents=True, exist_ok=True)
        self.owner = f"{socket.gethostname()[:40]}-{os.getpid()}-{uuid4().hex[:12]}"
        self._lock = FileLock(self._file(self.owner))
        # Nobody may look for the dead between the making of our file and its locking.
        with self._gate():
            self._lock.acquire()

    def dead_among(self, owners: Iterable[str]) -> list[str]:
        """Those of `owners` that were processes of this data directory and are no more; their files are removed."""
        with self._gate():
            return [owner for owner in owners if owner != self.owner and self._is_dead(owner)]

    def close(self) -> None:
        """This process works no more."""
        self._lock.release()
        self._file(self.owner).unlink(missing_ok=True)

    def _is_dead(self, owner: str) -> bool:
        file = self._file(owner)
        if not file.exists():
            return False
        lock = FileLock(file)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return False
        lock.release()
        file.unlink(missing_ok=True)
        return True

    def _gate(self) -> FileLock:
        return FileLock(self._directory / ".gate")

    def _file(self, owner: str) -> Path:
        return self._directory / f"{Path(owner).name}.lock"
