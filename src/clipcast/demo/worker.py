"""A real `clipcast worker` in a process of its own, heard through its JSON lines, and killed when we say so."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from clipcast.settings import environment_with

Event: TypeAlias = Mapping[str, Any]
Hear: TypeAlias = "Callable[[WorkerProcess, Event], None]"


class WorkerProcess:
    """Runs `clipcast worker --json` with these settings; `hear` is called with each event, in a thread of ours."""

    def __init__(self, settings: Mapping[str, str], log: Path, hear: "Hear") -> None:
        with log.open("ab") as stderr:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "clipcast", "worker", "--json"],
                env=environment_with(settings),  # none of the user's own: the demonstration must never touch their database
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
            )
        self.pid = self._process.pid
        self._hear = hear
        self._reader = threading.Thread(target=self._listen, name=f"demo-worker-{self.pid}", daemon=True)
        self._reader.start()

    def kill(self) -> None:
        """SIGKILL: no goodbye, no last write."""
        self._process.kill()

    def wait(self) -> int:
        """The exit code, once it is gone."""
        code = self._process.wait()
        self._reader.join()
        return code

    @property
    def is_gone(self) -> bool:
        """Whether it has ended, however it did."""
        return self._process.poll() is not None

    def stop(self) -> None:
        """Ask it to end in order, and see that it does."""
        self._process.terminate()
        try:
            self._process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self.wait()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                if line.endswith(b"\n"):  # a killed process may leave half a line
                    self._hear(self, json.loads(line))
