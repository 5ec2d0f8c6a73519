"""A worker process that kills itself where it is told to, and the nursery that forks such workers from one warm parent.

`python victim.py` reads one order a line from standard input and answers each with one line: `{"do": "work", ...}` forks a worker and tells
its process id, `{"do": "wait", "pid": N}` waits until that process ended or stopped itself and tells how.
"""

import json
import os
import signal
import sys
import threading
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select
from urllib3.exceptions import HTTPError

from clipcast.publications import claims, leases, store
from clipcast.publications.models import Publication
from clipcast.publications.observer import Moment, Silent
from clipcast.publications.states import SUCCESS
from clipcast.settings import load_settings
from clipcast.system import Clipcast
from clipcast.worker import keeper
from clipcast.worker.embedded import EmbeddedWorker
from clipcast.worker.presence import Presence
from contract.world import World

Order = dict[str, Any]
LOOK_EVERY_S = 0.02


class SharedClock:
    """The simulator's clock, which runs ahead of the system's by as much as all waiting was skipped."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._offset = timedelta()
        self.refresh()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._offset

    def refresh(self) -> None:
        """Look how far ahead it is by now; somebody else may have moved it."""
        self._offset = timedelta(seconds=self._world.ask("GET", "clock")["offset_s"])

    def skip_to(self, moment: datetime) -> None:
        """Let the time until then pass at once, for everybody."""
        self.refresh()
        missing_s = (moment - self()).total_seconds()
        if missing_s > 0:
            self._world.ask("PUT", "clock", {"advance_s": missing_s})
            self.refresh()


@dataclass
class Killer(Silent):
    """Sends this process a signal at one point of one publication's way, and writes down where that was.

    The point is the `number`-th thing that is heard of it (of this `moment` and `label`, where given), or so many `sent_bytes`; the signal
    comes `delay_s` seconds later.
    """

    story: Path
    publication: str = ""
    number: int = 1
    moment: str = ""
    label: str = ""
    sent_bytes: int = 0
    delay_s: float = 0.0
    signal: int = signal.SIGKILL
    heard: int = 0

    def at(self, moment: Moment, publication_id: str, label: str) -> None:
        """The driver reached this point."""
        if publication_id == self.publication and self.moment in {"", moment} and self.label in {"", label}:
            self._count(f"{moment} {label}")

    def sent(self, publication_id: str, sent_bytes: int, total_bytes: int) -> None:
        """So many bytes are on their way."""
        if publication_id == self.publication and not self.moment and sent_bytes >= self.sent_bytes:
            self._count(f"sent {sent_bytes} of {total_bytes}")

    def _count(self, what: str) -> None:
        self.heard += 1
        if self.heard == self.number:
            self.story.write_text(what)
            threading.Timer(self.delay_s, self._strike).start() if self.delay_s else self._strike()

    def _strike(self) -> None:
        # To this very thread: a signal to the process may let the thread run on for a moment.
        signal.pthread_kill(threading.get_ident(), self.signal)


def work(order: Order) -> None:
    """Work until everything is over or waits for a person, skipping the time in which nothing is due."""
    shorten_leases(order.get("lease_s"))
    world = World(order["simulator"])
    clock = SharedClock(world)
    killer = Killer(Path(order["story"]), **order.get("kill") or {})
    with Clipcast.open(load_settings(**order["settings"]), clock=clock, observer=killer) as product:
        presence = Presence(product.settings.data_dir)
        worker = EmbeddedWorker(product.db, product.driver, clock, presence, threads=order.get("threads", 4))
        worker.start()
        while work_is_left(product, clock, through=order.get("through", False)):
            worker.wake()
            time.sleep(LOOK_EVERY_S)
        worker.stop()
        presence.close()


def work_is_left(product: Clipcast, clock: SharedClock, *, through: bool) -> bool:
    """Whether anything is unfinished, or with `through` is still looked after; when all of it waits, the waiting is skipped."""
    with product.db.reading() as session:
        open_ones = Publication.next_action_at.is_not(None), Publication.state.not_in([] if through else SUCCESS)
        rows = session.execute(select(Publication.next_action_at, Publication.lease_token).where(*open_ones)).all()
    moments = [moment for moment, _ in rows if moment is not None]
    if moments and all(token is None for _, token in rows):
        with suppress(HTTPError):  # the simulator may just be dead too
            clock.skip_to(min(moments))
    return bool(rows)


def shorten_leases(lease_s: float | None) -> None:
    """Let leases run out in seconds, for tests that wait for it. The proportions stay."""
    if lease_s is None:
        return
    for module in (leases, claims, store):
        vars(module).update(LEASE=timedelta(seconds=lease_s))
    vars(leases).update(SAFETY_S=lease_s / 6)
    vars(keeper).update(RENEW_EVERY_S=lease_s / 3)


def nursery() -> None:
    """Fork and wait, as told on standard input, until it ends."""
    for line in sys.stdin:
        order = json.loads(line)
        answer = {"pid": fork(order)} if order["do"] == "work" else wait_for(order["pid"])
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def fork(order: Order) -> int:
    """Start a worker; its output goes to the log that the order names."""
    pid = os.fork()
    if pid:
        return pid
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    code = 1
    try:
        work(order)
        code = 0
    finally:
        if code:
            traceback.print_exc()
        os._exit(code)


def wait_for(pid: int) -> Order:
    """How that process ended: its exit code, or the signal that killed or stopped it."""
    _, status = os.waitpid(pid, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        return {"stopped": True}
    return {"signal": os.WTERMSIG(status)} if os.WIFSIGNALED(status) else {"code": os.WEXITSTATUS(status)}


if __name__ == "__main__":
    nursery()
