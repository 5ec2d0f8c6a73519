"""Celery's real processes around a theatre: workers of any pool, beats, and a broker, each of which a test may kill."""

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from clipcast.publications.models import Publication
from clipcast.publications.states import FINAL, SUCCESS
from contract.platforms import PLATFORMS
from contract.world import Json
from process.brokers import Broker
from process.launching import STAGE, Process, launched
from process.theatre import Theatre

LOOK_EVERY_S: Final = 0.05
PATIENCE_S: Final = 90.0
STOP_PATIENCE_S: Final = 30.0


@dataclass
class CeleryTheatre:
    """A theatre whose work is done by Celery. What is started here is killed at the end."""

    stage: Theatre
    broker: Broker
    processes: list[Process] = field(default_factory=list)
    more_settings: Json = field(default_factory=dict)

    # Starting and ending

    def worker(self, *options: str, pool: str = "threads", concurrency: int = 4, app: str = STAGE, **order: Any) -> Process:
        """`celery worker` with this pool; `order` as in `celery_stage`. Answers at once; it needs a second or two to come up."""
        name = f"--hostname=w{len(self.processes)}@%h"
        return self._started(app, order, "worker", f"--pool={pool}", f"--concurrency={concurrency}", name, *options)

    def beat(self, app: str = STAGE) -> Process:
        """`celery beat`."""
        return self._started(app, {}, "beat")

    def kill(self, process: Process, number: int = signal.SIGKILL) -> None:
        """End it and all its children without warning, or send them another signal."""
        os.killpg(process.pid, number)
        if number == signal.SIGKILL:
            process.wait()

    def stop(self, process: Process) -> int:
        """Ask it to end, as a service manager does; its exit code."""
        process.terminate()
        return process.wait(STOP_PATIENCE_S)

    def end(self) -> None:
        """Kill what still runs."""
        for process in self.processes:
            if process.poll() is None:
                with suppress(ProcessLookupError):
                    self.kill(process)

    # Waiting and looking

    def wait_until(self, is_so: Callable[[], bool], what: str, within_s: float = PATIENCE_S) -> None:
        """Wait until `is_so`; fails with the workers' log when that takes too long."""
        wait_until(is_so, what, self.log, within_s)

    def wait_for(self, publication_ids: Sequence[str], within_s: float = PATIENCE_S) -> None:
        """Wait until all of these are out, or over."""
        self.wait_until(lambda: all(row.state in FINAL for row in self.rows(publication_ids)), "over", within_s)

    def rows(self, publication_ids: Sequence[str]) -> list[Publication]:
        """The publications as stored."""
        return [self.stage.row(publication_id) for publication_id in publication_ids]

    def check(self, publication_ids: Sequence[str]) -> None:
        """Each is out, exactly once, as it was asked for."""
        assert [row.error_message for row in self.rows(publication_ids) if row.state not in SUCCESS] == []
        # A success is looked after for a while, for its link; whoever does that at this very moment holds it.
        assert [wrong for wrong in self.stage.wrongs() if not wrong.startswith("still held")] == []

    @property
    def log(self) -> Path:
        """What the workers said."""
        return self.stage.directory / "celery.log"

    @property
    def settings(self) -> Json:
        """The settings of every process, by their names."""
        addresses = {name for platform in PLATFORMS for name in platform.addresses}
        needed = {"data_dir", "database_url", "public_url", "simulation", "redis_url", *addresses}
        settings = self.stage.product.settings.model_dump(mode="json", include=needed)
        common = {"broker_url": self.broker.url, "log_format": "json", **self.more_settings}
        return {**{name: str(value) for name, value in settings.items() if value}, **common}

    def _started(self, app: str, order: Json, *arguments: str) -> Process:
        order = {"story": str(self.stage.directory / "story"), **order}
        process = launched(app, self.settings, order, self.log, *arguments)
        self.processes.append(process)
        return process


def wait_until(is_so: Callable[[], bool], what: str, log: Path, within_s: float = PATIENCE_S) -> None:
    """Wait until `is_so`; fails with the end of this log when that takes too long."""
    deadline_s = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline_s, f"not {what} after {within_s:.0f} s; the log:\n{log.exists() and log.read_text()[-6000:]}"
        time.sleep(LOOK_EVERY_S)


@contextmanager
def celery_theatre(stage: Theatre, broker: Broker) -> Iterator[CeleryTheatre]:
    """Celery in this theatre, on this broker."""
    opened = CeleryTheatre(stage, broker)
    try:
        yield opened
    finally:
        opened.end()
