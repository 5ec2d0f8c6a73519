"""The play: publish three posts, kill the worker in the middle of an upload, let another one carry on, and count."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from clipcast.demo import control
from clipcast.demo.cast import Cast, Role, gather
from clipcast.demo.line import SlowLine
from clipcast.demo.screen import Screen
from clipcast.demo.verdict import deliver
from clipcast.demo.worker import Event, WorkerProcess
from clipcast.publications import store
from clipcast.publications.models import Publication
from clipcast.publishing import connect, is_settled
from clipcast.settings import Settings
from clipcast.system import Clipcast
from clipcast_simulator.server import SimulatorServer
from clipcast_simulator.settings import SimulatorSettings

UPLOAD_S: Final = 4.0
"""How long an undisturbed upload takes over the slowed line: long enough to watch, and to be killed in the middle."""
KILLED_AT: Final = 0.55
"""The share of the bytes on the wire at which the worker dies."""
LOOK_EVERY_S: Final = 0.1
PATIENCE_S: Final = 120.0
SLOWEST_LINE_BYTES_S: Final = 200_000


def play(directory: Path, file: Path | None, shown: Screen) -> bool:
    """Play in `directory`, with the user's own video if `file` is given; whether everything is out exactly once.

    Raises:
        ClipcastError: the user's file cannot be used, or this machine cannot play; the sentence says why.
    """
    with _installation(directory) as clipcast:
        shown.say(
            "Clipcast: never twice, never lost, never silent. A demonstration against the simulator; nothing is really posted.", "news"
        )
        cast = gather(clipcast, directory, file)
        video = cast.video
        shown.say(f"The video: {video.file_name}, {video.size_bytes / 1e6:.1f} MB, {video.width}x{video.height}, {video.duration_s:.1f} s.")
        with _world(directory) as simulator, _slow_line(simulator, video.size_bytes) as line:
            shown.say(f"A simulator speaks TikTok's protocol at {simulator.url}, over a line slowed to {line.bytes_per_s / 1e6:.1f} MB/s.")
            control.script(simulator.port, _faults(cast))
            settings = {"data_dir": str(clipcast.settings.data_dir), "simulator_url": line.url}
            stage = Stage(clipcast, cast, shown, settings, directory / "worker.log")
            stage.perform()
            shown.end_of_bars()
            if stage.killed_pid is None:
                shown.say("The upload was over before its worker could be killed, so this shows nothing. Try a larger file.", "bad")
            return deliver(clipcast, cast, simulator.port, shown) and stage.killed_pid is not None


def _faults(cast: Cast) -> list[Mapping[str, Any]]:
    """The draft's upload has bad luck of its own: a 503 in its first chunk, and the answer to its last byte is lost."""
    draft = {"operation": "upload.chunk", "username": cast.draft.username}
    return [draft | {"fault": "503-after-256K"}, draft | {"fault": "accept-then-drop-answer", "last": True}]


@contextmanager
def _installation(directory: Path) -> Iterator[Clipcast]:
    """An installation with every setting at its default, whatever the user's own are."""
    defaults = {name: setting.default for name, setting in Settings.model_fields.items()}
    with connect(**defaults | {"data_dir": directory / "data"}) as clipcast:
        yield clipcast


@contextmanager
def _world(directory: Path) -> Iterator[SimulatorServer]:
    """A simulator with its usual delays; what fails is scripted, so that every performance is the same."""
    settings = SimulatorSettings(failure_rate=0.0, moderation_s=0.0)
    with SimulatorServer(directory / "simulator", settings) as server:
        yield server


@contextmanager
def _slow_line(simulator: SimulatorServer, video_bytes: int) -> Iterator[SlowLine]:
    line = SlowLine(simulator.port, max(SLOWEST_LINE_BYTES_S, video_bytes / UPLOAD_S))
    try:
        yield line
    finally:
        line.close()


@dataclass
class Stage:
    """The performance itself: one worker, its death, and its successor."""

    clipcast: Clipcast
    cast: Cast
    shown: Screen
    settings: Mapping[str, str]
    log: Path
    moved: dict[str, tuple[int, int]] = field(default_factory=dict)
    killed_pid: int | None = None
    resumed: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def perform(self) -> None:
        """Until every post is settled, or the patience is over."""
        deadline_s = time.monotonic() + PATIENCE_S
        worker = self._worker()
        try:
            while not self._look() and time.monotonic() < deadline_s:
                if worker.is_gone:
                    worker.wait()
                    self._tell_death(worker)
                    worker = self._worker()
                time.sleep(LOOK_EVERY_S)
        finally:
            worker.stop()

    def _worker(self) -> WorkerProcess:
        worker = WorkerProcess(self.settings, self.log, self._hear)
        self.shown.say(f"Worker {worker.pid} starts.")
        return worker

    def _hear(self, worker: WorkerProcess, event: Event) -> None:
        """An event of a worker, in the thread that reads it: the blow falls while the bytes are on the wire."""
        with self.lock:
            if event["event"] == "sent":
                self.moved[event["publication"]] = (event["sent_bytes"], event["total_bytes"])
            if self.killed_pid is None and self._is_the_moment():
                self.killed_pid = worker.pid
                worker.kill()

    def _is_the_moment(self) -> bool:
        sent_bytes, total_bytes = self.moved.get(self.cast.victim.publication_id, (0, 1))
        return sent_bytes >= KILLED_AT * total_bytes

    def _tell_death(self, worker: WorkerProcess) -> None:
        if worker.pid != self.killed_pid:
            self.shown.say(f"Worker {worker.pid} ended by itself, which it should not: {_last_line(self.log)}", "bad")
            return
        sent_bytes, total_bytes = self.moved[self.cast.victim.publication_id]
        where = f"{sent_bytes / 1e6:.1f} of {total_bytes / 1e6:.1f} MB of @{self.cast.victim.username}'s video were on the wire"
        self.shown.say(f"SIGKILL. Worker {worker.pid} died when {where}. It wrote nothing down on its way out.", "bad")
        self.cast.bring_carousel()
        self.shown.say("While nobody works, a photo carousel is queued.")

    def _look(self) -> bool:
        """Show how far everything is; whether nothing more happens by itself."""
        rows = self._rows()
        for role in self.cast.roles:
            row = rows[role.publication_id]
            self._tell_resumption(role, row)
            sent_bytes, total_bytes = self.moved.get(row.id, (row.sent_bytes, row.total_bytes))
            settled_bytes = row.total_bytes if row.state not in {"scheduled", "uploading"} else sent_bytes
            self.shown.bar(role.name, settled_bytes, row.total_bytes or total_bytes, _phase(row))
        return all(is_settled(row) for row in rows.values())

    def _tell_resumption(self, role: Role, row: Publication) -> None:
        """Once the successor has asked TikTok how much arrived, say so."""
        if self.killed_pid is None or self.resumed or role is not self.cast.victim or row.lease_token is None:
            return
        with self.lock:
            if self.moved[row.id][0] >= KILLED_AT * row.total_bytes and row.state == "uploading":
                return  # the last we heard is still the dead worker's
        self.resumed = True
        self.shown.say(f"Its successor asked TikTok what had arrived: {_resumption(row)}", "good")

    def _rows(self) -> dict[str, Publication]:
        with self.clipcast.db.reading() as session:
            return {row.id: row for row in store.by_ids(session, [role.publication_id for role in self.cast.roles])}


def _resumption(row: Publication) -> str:
    if row.state != "uploading":
        return "every byte. Nothing is sent again."
    if not row.sent_bytes:
        return "no whole chunk. It begins the upload again, under the same reference."
    return f"{row.sent_bytes / 1e6:.1f} MB. It goes on from there."


def _phase(row: Publication) -> str:
    waiting = row.note if row.lease_token is None and row.state in {"uploading", "processing", "uncertain"} else ""
    return waiting or row.state.replace("_", " ")


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return lines[-1] if lines else "its log is empty"
