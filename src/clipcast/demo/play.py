"""The play: one video to three platforms at once, workers killed in the middle of uploads, others carrying on, and the count."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from clipcast.demo import control
from clipcast.demo.cast import DRAFT, VIDEO, Cast, Role, gather
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
from clipcast_simulator.settings import InstagramKnobs, SimulatorSettings

UPLOAD_S: Final = 4.0
"""How long an undisturbed upload takes over the slowed line: long enough to watch, and to be killed in the middle."""
LOOK_EVERY_S: Final = 0.1
PATIENCE_S: Final = 120.0
SLOWEST_LINE_BYTES_S: Final = 200_000
OPEN: Final = frozenset({"scheduled", "uploading", "uncertain"})
"""The states in which bytes may still have to move."""
PLATFORM_NAMES: Final = {"tiktok": "TikTok", "instagram": "Instagram", "youtube": "YouTube"}


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
        for sentence in cast.unfit:
            shown.say(sentence, "bad")
        with _world(directory) as simulator, _slow_line(simulator, video.size_bytes) as line:
            shown.say(
                f"A simulator speaks the platforms' protocols at {simulator.url}, over a line slowed to {line.bytes_per_s / 1e6:.1f} MB/s."
            )
            _prepare(simulator.port)
            settings = {"data_dir": str(clipcast.settings.data_dir), "simulator_url": line.url}
            stage = Stage(clipcast, cast, shown, settings, directory / "worker.log")
            stage.perform()
            shown.end_of_bars()
            return _all_were_hit(stage) & deliver(clipcast, cast, simulator.port, shown)


def _all_were_hit(stage: "Stage") -> bool:
    """Whether every upload that was to be interrupted was; says which was too quick."""
    missed = [role.name for role in stage.cast.victims if role not in stage.deaths.values()]
    for name in missed:
        stage.shown.say(f"{name} was over before its worker could be killed, so it shows nothing. Try a larger file.", "bad")
    return not missed


def _prepare(port: int) -> None:
    """Instagram takes uploads from accounts that log in through Facebook; the others hand it a link.

    The draft's upload has bad luck of its own: a 503 in its first chunk, and the answer to its last byte is lost.
    """
    for part in VIDEO:
        if part.platform == "instagram":
            control.prepare_account(port, part.platform, part.username, login="facebook")
    draft = {"platform": DRAFT.platform, "operation": "upload.chunk", "username": DRAFT.username}
    control.script(port, [draft | {"fault": "503-after-256K"}, draft | {"fault": "accept-then-drop-answer", "last": True}])


@contextmanager
def _installation(directory: Path) -> Iterator[Clipcast]:
    """An installation with every setting at its default, whatever the user's own are."""
    defaults = {name: setting.default for name, setting in Settings.model_fields.items()}
    with connect(**defaults | {"data_dir": directory / "data"}) as clipcast:
        yield clipcast


@contextmanager
def _world(directory: Path) -> Iterator[SimulatorServer]:
    """A simulator with its usual delays and a swift Instagram; what fails is scripted, so that every performance is the same."""
    instagram = InstagramKnobs(video_processing_s=2.0, image_processing_s=1.0)
    settings = SimulatorSettings(failure_rate=0.0, moderation_s=0.0, instagram=instagram)
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
    """The performance itself: workers, their deaths, and their successors."""

    clipcast: Clipcast
    cast: Cast
    shown: Screen
    settings: Mapping[str, str]
    log: Path
    moved: dict[str, tuple[int, int]] = field(default_factory=dict)
    deaths: dict[int, Role] = field(default_factory=dict)
    resuming: list[Role] = field(default_factory=list)
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
            if event["event"] != "sent" or worker.pid in self.deaths:  # the last words of a dead one are not heard
                return
            self.moved[event["publication"]] = (event["sent_bytes"], event["total_bytes"])
            victim = self._victim(event)
            if victim is not None:
                self.deaths[worker.pid] = victim
                worker.kill()

    def _victim(self, event: Event) -> Role | None:
        """Whose upload has come so far that it is to be interrupted now; each is only once."""
        left = [role for role in self.cast.victims if role not in self.deaths.values()]
        due = (role for role in left if event["sent_bytes"] >= (role.part.killed_at or 1) * event["total_bytes"])
        return next((role for role in due if role.publication_id == event["publication"]), None)

    def _tell_death(self, worker: WorkerProcess) -> None:
        victim = self.deaths.get(worker.pid)
        if victim is None:
            self.shown.say(f"Worker {worker.pid} ended by itself, which it should not: {_last_line(self.log)}", "bad")
            return
        with self.lock:
            sent_bytes, total_bytes = self.moved[victim.publication_id]
            self.moved.clear()
        where = f"{sent_bytes / 1e6:.1f} of {total_bytes / 1e6:.1f} MB of {victim.name} were on the wire"
        self.shown.say(f"SIGKILL. Worker {worker.pid} died when {where}. It wrote nothing down on its way out.", "bad")
        self.resuming.append(victim)
        if len(self.deaths) == len(self.cast.victims):
            self.cast.bring_photos()
            self.shown.say("While nobody works, a photo set for TikTok and Instagram is queued.")

    def _look(self) -> bool:
        """Show how far everything is; whether nothing more happens by itself."""
        with self.lock:
            moved = dict(self.moved)
        rows = self._rows()
        for role in self.cast.roles:
            row = rows[role.publication_id]
            if role in self.resuming and (row.id in moved or row.state not in OPEN) and row.state != "uncertain":
                self._tell_resumption(role, row)
            sent_bytes, total_bytes = moved.get(row.id, (row.sent_bytes, row.total_bytes))
            settled_bytes = row.total_bytes if row.state not in OPEN else sent_bytes
            self.shown.bar(role.name, settled_bytes, row.total_bytes or total_bytes, _phase(row))
        settled = all(is_settled(row) for row in rows.values())
        if settled and not self.cast.has_photos:  # an upload was too quick to be interrupted
            self.cast.bring_photos()
            return False
        return settled

    def _tell_resumption(self, role: Role, row: Publication) -> None:
        """The successor has asked the platform how much arrived; say what it heard. It may itself have died before it came to this one."""
        self.resuming.remove(role)
        self.shown.say(f"Its successor asked {PLATFORM_NAMES[row.platform]} what had arrived: {_resumption(row)}", "good")

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
