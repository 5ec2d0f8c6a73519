"""Everything around the workers that get killed: a simulator in its own process, media that stay reachable, and the publications."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from fastapi import FastAPI
from sqlalchemy import select

from clipcast import ledger
from clipcast.accounts.credentials import set_account_credentials
from clipcast.accounts.models import SocialAccount
from clipcast.clips.models import Clip
from clipcast.clips.routes import media_router
from clipcast.clips.sample import make_sample_image, make_sample_video
from clipcast.media_server import MediaServer
from clipcast.posts import compose
from clipcast.publications import claims, publishing, store
from clipcast.publications.models import Publication
from clipcast.publications.publishing import PublishRequest
from clipcast.publications.states import SUCCESS, State
from clipcast.settings import load_settings
from clipcast.system import Clipcast
from contract.bench import connect_live, granted, metadata_of, open_platform
from contract.platforms import Flow, PlatformUnderTest
from contract.world import Json, World
from ports import free_port
from process.brokers import wait_for_port
from process.victim import SharedClock

HERE = Path(__file__).parent
CLIP_BYTES = 2_500_000
"""Three blocks of 1 MiB, so that there is something between the first and the last byte."""


class SimulatorProcess:
    """`python -m clipcast_simulator` on a port and a directory that it keeps when it is killed and started again."""

    def __init__(self, directory: Path, **settings: float) -> None:
        self._directory = directory
        self.port = free_port()
        self._options = [f"--{name.replace('_', '-')}={value}" for name, value in settings.items()]
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = self._started()

    def kill(self) -> None:
        """End it without warning."""
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        """Kill it, and start it on what it left behind."""
        self.kill()
        self.process = self._started()

    def _started(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "clipcast_simulator", f"--port={self.port}", f"--state-dir={self._directory}", *self._options]
        return subprocess.Popen(command)


class Nursery:
    """Forks workers from a warm parent, in milliseconds."""

    def __init__(self) -> None:
        paths = [str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
        command = [sys.executable, str(HERE / "victim.py")]
        self._parent = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)

    def fork(self, order: Json) -> int:
        """A new worker's process id."""
        return int(self._tell({"do": "work", **order})["pid"])

    def wait(self, pid: int) -> Json:
        """How that worker ended."""
        return self._tell({"do": "wait", "pid": pid})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """No more workers."""
        assert self._parent.stdin is not None
        self._parent.stdin.close()
        self._parent.wait()
        assert self._parent.stdout is not None
        self._parent.stdout.close()

    def _tell(self, order: Json) -> Json:
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        self._parent.stdin.write(json.dumps(order) + "\n")
        self._parent.stdin.flush()
        answer: Json = json.loads(self._parent.stdout.readline())
        return answer


@dataclass
class Theatre:
    """One database, one simulated world, and everything that was published in it, one account for each."""

    directory: Path
    platform: PlatformUnderTest
    simulator: SimulatorProcess
    world: World
    product: Clipcast
    clock: SharedClock
    nursery: Nursery
    shelf: dict[str, Clip]
    flows: dict[str, Flow] = field(default_factory=dict)
    usernames: dict[str, str] = field(default_factory=dict)
    cast: str = "creator"
    creators: int = 0
    kills: list[str] = field(default_factory=list)
    questions: int = 0
    reconnected: int = 0
    needless: list[str] = field(default_factory=list)

    # Publishing

    def publish(self, flow: Flow, *, at: datetime | None = None) -> str:
        """A publication on an account of its own, now or then; its id."""
        self.clock.refresh()
        self.creators += 1
        username = f"{self.cast}_{self.creators}"
        account_id = connect_live(self.product, self.platform, self.world, username)
        request = PublishRequest(
            clip_id=self.shelf[flow.clips[0]].id,
            platform=self.platform.name,
            social_account_id=account_id,
            metadata=metadata_of(flow, self.shelf, _caption(username)),
            scheduled_at=at,
        )
        with self.product.db.writing() as session:
            publication_id = compose.publish(session, request, self.product.platforms, self.clock()).id
        self.flows[publication_id], self.usernames[publication_id] = flow, username
        return publication_id

    def script(self, publication_id: str, operation: str, fault: str, **more: Any) -> None:
        """The next request of this kind for this publication goes wrong."""
        username = self.usernames[publication_id]
        self.world.script({"platform": self.platform.name, "operation": operation, "fault": fault, "username": username, **more})

    # Working

    def start(self, kill: Json | None = None, **order: Any) -> int:
        """A worker process, which signals itself where `kill` says; its process id."""
        needed = {"data_dir", "database_url", "public_url", "simulation", *self.platform.addresses}
        settings = self.product.settings.model_dump(mode="json", include=needed)
        common = {"simulator": self.simulator.url, "settings": settings, "story": str(self.directory / "story"), "log": str(self.log)}
        return self.nursery.fork({**common, "kill": kill, **order})

    def work(self, kill: Json | None = None, **order: Any) -> bool:
        """Let a worker work until it is killed, or nothing is left to do; whether it was killed."""
        story = self.directory / "story"
        story.unlink(missing_ok=True)
        ended = self.nursery.wait(self.start(kill, **order))
        if ended.get("signal") == signal.SIGKILL:
            self.kills.append(story.read_text() if story.exists() else "from outside")
            return True
        assert ended == {"code": 0}, self.log.read_text()[-3000:]
        return False

    def finish(self, **order: Any) -> None:
        """Work without being killed until all is over; where only a person can know, look at the world for them."""
        for _ in range(10):
            assert not self.work(**order)
            if not self.answered_questions():
                return
        raise AssertionError("a person was asked again and again")

    def answered_questions(self) -> int:
        with self.product.db.reading() as session:
            waiting = store.listed(session, store.Filter(state=State.UNCERTAIN), limit=10_000)
        for publication in waiting:
            is_live, flow = bool(self.live(publication.id)), self.flows[publication.id]
            if is_live and flow.can_find_out:
                self.needless.append(f"{flow.name} of {self.usernames[publication.id]} is there to be found: {publication.error_message}")
            with self.product.db.writing() as session:
                publishing.decide(session, publication.id, is_live=is_live, external_url=None, now=self.clock())
        self.questions += len(waiting)
        return len(waiting)

    def connect_again(self) -> int:
        """Who dies while a token is traded in may lose the only valid one with the answer; the account says so, and its owner comes."""
        with self.product.db.reading() as session:
            expired = session.scalars(select(SocialAccount).where(SocialAccount.status == "expired"))
            ours = [account for account in expired if account.username.startswith(f"{self.cast}_")]
        for account in ours:
            fresh = granted(self.platform, self.world, account.username)
            set_account_credentials(self.product.db, account.id, fresh, self.product.vault, self.clock())
        self.reconnected += len(ours)
        return len(ours)

    def try_failed_again(self) -> int:
        """Press "try again" on everything that failed; how many that were."""
        with self.product.db.reading() as session:
            failed = store.listed(session, store.Filter(state=State.FAILED), limit=100_000)
        for publication in failed:
            with self.product.db.writing() as session:
                publishing.try_again(session, publication.id, self.product.platforms, self.clock())
        return len(failed)

    @property
    def log(self) -> Path:
        """What the workers said."""
        return self.directory / "workers.log"

    # Looking

    def row(self, publication_id: str) -> Publication:
        """The publication as stored."""
        with self.product.db.reading() as session:
            return store.get(session, publication_id)

    def live(self, publication_id: str) -> list[Json]:
        """What the world sees of this publication."""
        return self.world.published(self.platform.name, self.usernames[publication_id])

    def wrongs(self) -> list[str]:
        """Everything that is not as promised: doubled, lost, altered, or told wrongly by our own rows and ledger."""
        found = [wrong for publication_id in self.flows for wrong in self._wrongs_of(publication_id)]
        with self.product.db.reading() as session:
            found += [f"ledger: {broken.sentence}" for broken in ledger.verify(session)]
            found += [f"still held: {owner}" for owner in claims.owners(session)]
        return found + [f"never fired: {fault}" for fault in self.world.unspent()]

    def _wrongs_of(self, publication_id: str) -> Iterator[str]:
        flow, live, row = self.flows[publication_id], self.live(publication_id), self.row(publication_id)
        name = f"{flow.name} of {self.usernames[publication_id]}"
        if len(live) > 1:
            yield f"DUPLICATE: {name} is live {len(live)} times"
        if not live:
            yield f"LOST: {name} is not live; our row says {row.state} ({row.error_message})"
        if row.state not in SUCCESS:
            yield f"UNTOLD: {name} is {row.state}: {row.error_message}"
        for seen in map(self.platform.seen, live):
            if seen.sha256s != tuple(self.shelf[clip].sha256 for clip in flow.clips):
                yield f"ALTERED: the bytes of {name}"
            if flow.outcome is State.PUBLISHED and flow.shows_caption and seen.caption != _caption(self.usernames[publication_id]):
                yield f"ALTERED: the caption of {name}"
            if row.next_action_at is None and row.external_post_id and row.external_post_id != seen.post_id:
                yield f"UNTOLD: {name} has the id {seen.post_id}, our row {row.external_post_id}"
            # A cover that was refused for the moment follows after the success, as the row says.
            if row.next_action_at is None and seen.cover != (self.shelf[flow.cover].sha256 if flow.cover else None):
                yield f"ALTERED: the cover of {name}"

    def verdict(self) -> str:
        """The line that says it all."""
        wrongs = self.wrongs()
        doubled = sum(wrong.startswith("DUPLICATE") for wrong in wrongs)
        lost = sum(wrong.startswith(("LOST", "UNTOLD")) for wrong in wrongs)
        return f"{len(self.kills)} kills, {doubled} duplicates, {lost} lost"


@dataclass
class Media:
    """Serves our media to the simulator, from a process that nobody kills."""

    app: FastAPI
    server: MediaServer

    @classmethod
    def opened(cls) -> Self:
        app = FastAPI(openapi_url=None)
        app.include_router(media_router)
        return cls(app, MediaServer(app))


@contextmanager
def theatre(
    directory: Path,
    database_url: str,
    platform: PlatformUnderTest,
    nursery: Nursery,
    more_settings: Mapping[str, Any] | None = None,
    **simulator: float,
) -> Iterator[Theatre]:
    """Open a theatre on a migrated database, with these settings of ours and of the simulator, and leave nothing running behind."""
    quiet = {"delay_min_s": 0.0, "delay_max_s": 0.0, "failure_rate": 0.0, "processing_s": 0.0}
    process, media = SimulatorProcess(directory / "simulator", **quiet | simulator), Media.opened()
    world = World(process.url)
    try:
        wait_for_port(process.port)  # on a busy machine it takes longer than the world is patient
        world.ask("PUT", "settings", {"moderation_s": 0.0})
        clock = SharedClock(world)
        settings = load_settings(
            data_dir=directory / "data",
            database_url=database_url,
            public_url=media.server.url,
            simulation="off",
            **platform.settings(process.url),
            **(more_settings or {}),
        )
        with Clipcast.open(settings, clock=clock) as product:
            media.app.state.clipcast = product
            open_platform(platform, world, media.server.url)
            shelf = {file.stem: product.library.add_file(file) for file in sample_files(directory)}
            yield Theatre(directory, platform, process, world, product, clock, nursery, shelf)
    finally:
        world.close()
        media.server.close()
        process.kill()


def sample_files(directory: Path, min_bytes: int = CLIP_BYTES) -> list[Path]:
    """Two videos of at least so many bytes, the second one wide, and two photos."""
    return [
        make_sample_video(directory / "video.mp4", seconds=3, width=360, height=640, min_bytes=min_bytes),
        make_sample_video(directory / "wide.mp4", seconds=3, width=640, height=360, min_bytes=min_bytes),
        make_sample_image(directory / "photo-1.jpg", width=480, height=600, seed=1),
        make_sample_image(directory / "photo-2.jpg", width=480, height=600, seed=2),
    ]


def _caption(username: str) -> str:
    return f"Caption of {username}"
