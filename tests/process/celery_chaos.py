"""Kills Celery's workers and beat, their broker and PostgreSQL at random while many posts with faults go out; tells what was lost.

`python tests/process/celery_chaos.py --broker rabbitmq --posts 1000 --kills 300 [--seed S]` ends with `N kills, 0 duplicates, 0 lost` and
0, or with the story of what went wrong and 1. The broker and PostgreSQL are its own, on free ports, and gone afterwards.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, Protocol

sys.path.insert(0, str(Path(__file__).parents[1]))

from sqlalchemy import select  # a script finds the tests' own modules only now, and these come with them

from clipcast.accounts.models import SocialAccount
from clipcast.db.migrate import upgrade
from clipcast.errors import Busy
from clipcast.publications import claims
from clipcast.publications.models import Publication
from clipcast.publications.states import FINAL
from clipcast.settings import load_settings
from clipcast.system import Clipcast
from contract.bench import open_platform
from contract.platforms import PLATFORMS, Flow
from contract.world import Json, World
from process.brokers import RabbitNode, RedisServer, rabbit_node, redis_server, wait_for_port
from process.launching import STAGE, Process, launched
from process.postgres import PostgresServer, children, postgres_server
from process.theatre import Media, Nursery, SimulatorProcess, Theatre, sample_files
from process.victim import SharedClock

CLIP_BYTES: Final = 600_000
"""More than one block of what is sent, so that a worker can die in the middle of it."""

AT_FIRST: Final = 30
"""How many are there before anybody is killed; the others follow evenly."""

LAST: Final = 3
"""So many kills come when all have begun."""

IN_FLIGHT: Final = 60
"""How many publications are under way at any time, at most."""

REQUESTS: Final = (1, 14)
"""How many requests reach the platforms from one kill to the next: it comes in the middle of work, however fast the machine is."""

LONGEST_PAUSE_S: Final = 5.0
"""The next kill comes in any case after so long."""

GROWN_UP_S: Final = 6.0
"""The beat, the broker and PostgreSQL live so long at least: a machine on which nothing ever runs proves nothing."""

ORDER: Final = {"lease_s": 6.0, "again_s": 3.0}
"""Leases, and the wait for a message that got lost, are a fraction of what they are: or else most of the time nothing would be at work."""

FAULT_SHARE: Final = 0.5
"""How many publications meet a scripted fault, besides those that happen by chance."""

FAULTS: Final = ("accept-then-drop-answer", "error-after-effect", "500", "503", "reset", "429", "expire-token")

WEIGHTS: Final = {"a process of a worker": 50, "a worker": 15, "the beat": 10, "the broker": 10, "PostgreSQL": 15}
"""Who dies, and how often."""

PATIENCE_S: Final = 300.0
"""How long everything may take to come to its end when nobody kills any more."""


def tell(line: str) -> None:
    """Say it at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class Server(Protocol):
    """A broker or a database that dies and comes back."""

    @property
    def is_up(self) -> bool:
        """Whether it takes connections."""

    def start(self) -> None:
        """Run it on what it left behind."""

    def kill(self) -> None:
        """End it without warning."""


@dataclass
class CeleryProcess:
    """A worker or a beat that dies and comes back."""

    launch: Callable[[], Process]
    process: Process = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    @property
    def is_up(self) -> bool:
        """Whether it runs."""
        return self.process.poll() is None

    def start(self) -> None:
        """Run it."""
        self.process = self.launch()

    def kill(self) -> None:
        """End it and all its children without warning."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@dataclass
class Chaos:
    """Everything that may die, and what goes out meanwhile: a theatre for each platform, on one database and in one world."""

    stages: tuple[Theatre, ...]
    workers: tuple[CeleryProcess, ...]
    beat: CeleryProcess
    servers: dict[str, Server]
    log: Path
    begun: dict[str, Flow] = field(default_factory=dict)
    killed: Counter[str] = field(default_factory=Counter)
    started_s: dict[str, float] = field(default_factory=dict)

    @property
    def product(self) -> Clipcast:
        """Our own eyes on the database."""
        return self.stages[0].product

    @property
    def world(self) -> World:
        """What everybody sees."""
        return self.stages[0].world

    @property
    def published(self) -> int:
        """How many publications were accepted, as far as we were told."""
        return sum(len(stage.flows) for stage in self.stages)

    @property
    def celery(self) -> tuple[CeleryProcess, ...]:
        """The workers and the beat."""
        return (*self.workers, self.beat)

    # Publishing

    def publish(self, chance: random.Random) -> None:
        """A new publication, half of them with something going wrong on their way. Whoever hears "busy" asks again."""
        stage = chance.choice(self.stages)
        flow = chance.choice(stage.platform.flows)
        self.begun[f"{stage.cast}_{stage.creators + 1}"] = flow
        try:
            publication_id = stage.publish(flow)
        except Busy:
            time.sleep(0.1)
            return
        if chance.random() < FAULT_SHARE:
            # Where a dead token is dead, only the account's owner could help.
            faults = [fault for fault in FAULTS if stage.platform.revives or fault != "expire-token"]
            stage.script(publication_id, chance.choice(flow.operations), chance.choice(faults))

    def has_room(self) -> bool:
        """Whether fewer than `IN_FLIGHT` publications are on their way."""
        try:
            return len(self.unfinished()) < IN_FLIGHT
        except Busy:
            time.sleep(0.1)
            return False

    def unfinished(self) -> list[Publication]:
        """Those that are not over and wait for nobody."""
        with self.product.db.reading() as session:
            open_ones = select(Publication).where(Publication.state.not_in(FINAL), Publication.next_action_at.is_not(None))
            return list(session.scalars(open_ones))

    # Killing

    def revive(self) -> None:
        """What a service manager does: a worker that ended by itself, as without a database at its start, is started again."""
        for process in self.celery:
            if not process.is_up:
                process.start()

    def kill_one(self, chance: random.Random) -> None:
        """Kill somebody who is at work, if somebody of the chosen kind is, and start them again."""
        kind = chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        if kind == "a process of a worker":
            self._kill_process(kind, chance)
            return
        victim = self._victim(kind, chance)
        if victim is not None:
            victim.kill()
            self.killed[kind] += 1
            self.started_s[kind] = time.monotonic()
            time.sleep(chance.uniform(0.0, 1.0) if kind in self.servers else 0.0)
            victim.start()

    def _kill_process(self, kind: str, chance: random.Random) -> None:
        """One of the processes of a worker that has several; the worker replaces it."""
        working = self._at_work()
        if candidates := [pid for worker in self.workers for pid in children(worker.process.pid) if pid in working]:
            with suppress(ProcessLookupError):
                os.kill(chance.choice(candidates), signal.SIGKILL)
                self.killed[kind] += 1

    def _victim(self, kind: str, chance: random.Random) -> Server | None:
        if kind == "a worker":
            working = self._at_work()
            candidates = [worker for worker in self.workers if working & {worker.process.pid, *children(worker.process.pid)}]
            return chance.choice(candidates) if candidates else None
        victim = self.beat if kind == "the beat" else self.servers[kind]
        is_grown_up = time.monotonic() - self.started_s.get(kind, 0.0) > GROWN_UP_S
        return victim if is_grown_up and victim.is_up else None

    def _at_work(self) -> set[int]:
        """The processes that hold a publication now; their numbers are in the names of the leases' owners."""
        try:
            with self.product.db.reading() as session:
                return {int(owner.split("-")[-2]) for owner in claims.owners(session)}
        except Busy:
            return set()

    # Coming to an end

    def come_to_an_end(self) -> None:
        """Work on undisturbed. A person answers what only a person can, and presses "try again" on what failed, as chance can make it."""
        _when_it_answers(self.adopt)  # the last one to be killed may have been PostgreSQL
        tell(f"{self.killed.total()} kills, {self.published} publications begun; nobody kills any more")
        for _ in range(6):
            self.wait_until_quiet()
            self.world.settle()
            for stage in self.stages:
                stage.connect_again()
            if sum(stage.answered_questions() for stage in self.stages) + self.stages[0].try_failed_again() == 0:
                return

    def wait_until_quiet(self) -> None:
        """Wait until nothing is on its way any more, or patience ends: the verdict then tells what was lost."""
        deadline_s = time.monotonic() + PATIENCE_S
        while (left := self.unfinished()) and time.monotonic() < deadline_s:
            self.revive()
            self.skip_waiting(left)
            time.sleep(0.3)
        if left:
            tell(f"{len(left)} never ended, such as {left[0].id}: {left[0].state}, {left[0].note}, due {left[0].next_action_at}")

    def skip_waiting(self, left: Sequence[Publication]) -> None:
        """Where a lost answer is looked for, minutes pass between two looks: when all of them only wait, those minutes pass at once."""
        moments = [row.next_action_at for row in left if row.next_action_at is not None]
        if all(row.lease_token is None for row in left) and min(moments) > self.stages[0].clock():
            self.stages[0].clock.skip_to(min(moments))

    def adopt(self) -> None:
        """A commit whose answer was lost has happened or not: what is in the database has to go out too."""
        with self.product.db.reading() as session:
            rows = session.execute(select(Publication.id, SocialAccount.username).join(SocialAccount)).all()
        for publication_id, username in rows:
            stage = next(stage for stage in self.stages if username.startswith(f"{stage.cast}_"))
            stage.flows.setdefault(publication_id, self.begun[username])
            stage.usernames.setdefault(publication_id, username)

    def wrongs(self) -> list[str]:
        """Everything that is not as promised."""
        found = [wrong for stage in self.stages for wrong in stage.wrongs()]
        harmless = ("never fired", "still held")  # a success is looked after for its link; whoever does that now holds it
        return [wrong for wrong in dict.fromkeys(found) if not wrong.startswith(harmless)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the chaos; 0 when the promise was kept."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to end"))  # and to leave nothing running
    options = _parser().parse_args(arguments)
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 32)
    tell(f"seed {seed}")
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="clipcast-chaos-") as name, chaos(Path(name), options.broker) as opened:
        run(opened, options.posts, options.kills, random.Random(seed))
        opened.come_to_an_end()
        return told(opened, options.broker, time.monotonic() - began_s)


def run(chaos: Chaos, posts: int, kills: int, chance: random.Random) -> None:
    """Publish and kill, evenly, until enough went out and enough died."""
    began_s = time.monotonic()
    while chaos.killed.total() < kills or chaos.published < posts:
        wanted = min(posts, AT_FIRST + max(0, posts - AT_FIRST) * chaos.killed.total() // max(1, kills - LAST))
        until_s = time.monotonic() + LONGEST_PAUSE_S
        until_request = chaos.world.last_request() + chance.randint(*REQUESTS)
        while time.monotonic() < until_s and chaos.world.last_request() < until_request:
            if chaos.published < wanted and chaos.has_room():
                chaos.publish(chance)
            else:
                time.sleep(0.05)
        before = chaos.killed.total()
        chaos.revive()
        chaos.kill_one(chance)
        if chaos.killed.total() // 20 > before // 20:
            tell(f"{time.monotonic() - began_s:.0f} s: {chaos.killed.total()} kills, {chaos.published} publications begun")


def told(chaos: Chaos, broker: str, took_s: float) -> int:
    """Tell how it went; 0 when all is as promised."""
    wrongs = chaos.wrongs()
    if wrongs:
        tell(chaos.log.read_text()[-20_000:])
    for wrong in wrongs:
        tell(wrong)
    doubled = sum(wrong.startswith("DUPLICATE") for wrong in wrongs)
    lost = sum(wrong.startswith(("LOST", "UNTOLD")) for wrong in wrongs)
    questions = sum(stage.questions for stage in chaos.stages)
    tell(", ".join(f"{what} {count}" for what, count in chaos.killed.most_common()))
    reconnected = sum(stage.reconnected for stage in chaos.stages)
    asked = f"{questions} questions to a person, {reconnected} accounts to connect again"
    tell(f"{chaos.published} publications on {broker} in {took_s:.0f} s, {asked}")
    tell(f"{chaos.killed.total()} kills, {doubled} duplicates, {lost} lost")
    return 1 if wrongs else 0


# Setting it up


@contextmanager
def chaos(directory: Path, broker_kind: str) -> Iterator[Chaos]:
    """A chaos with everything running, and nothing left behind."""
    with ExitStack() as stack:
        postgres = stack.enter_context(postgres_server())
        broker = stack.enter_context(_broker(broker_kind, directory / "broker"))
        simulator = SimulatorProcess(directory / "simulator", delay_min_s=0.0, delay_max_s=0.05, failure_rate=0.1, processing_s=0.2)
        stack.callback(simulator.kill)
        wait_for_port(simulator.port)
        world = World(simulator.url)
        stack.callback(world.close)
        world.ask("PUT", "settings", {"moderation_s": 0.0})
        stages = tuple(_stages(stack, directory, postgres, simulator, world))
        log = directory / "celery.log"
        settings = _settings_of(stages, broker.url)
        celery = [CeleryProcess(command) for command in _commands(settings, {**ORDER, "world": simulator.url}, log)]
        for process in celery:
            stack.callback(process.kill)
        *workers, beat = celery
        yield Chaos(stages, tuple(workers), beat, {"the broker": broker, "PostgreSQL": postgres}, log)


@contextmanager
def _broker(kind: str, directory: Path) -> Iterator[RedisServer | RabbitNode]:
    with redis_server(directory) if kind == "redis" else rabbit_node(directory) as server:
        yield server


def _stages(stack: ExitStack, directory: Path, postgres: PostgresServer, simulator: SimulatorProcess, world: World) -> Iterator[Theatre]:
    media = Media.opened()
    stack.callback(media.server.close)
    addresses = {name: f"{simulator.url}{path}" for platform in PLATFORMS for name, path in platform.addresses.items()}
    settings = load_settings(
        data_dir=directory / "data", database_url=postgres.url, public_url=media.server.url, simulation="off", **addresses
    )
    clock = SharedClock(world)
    product = stack.enter_context(Clipcast.open(settings, clock=clock))
    _when_it_answers(lambda: upgrade(product.db))
    media.app.state.clipcast = product
    shelf = {file.stem: product.library.add_file(file) for file in sample_files(directory, CLIP_BYTES)}
    nursery = stack.enter_context(Nursery())
    for number, platform in enumerate(PLATFORMS):
        open_platform(platform, world, media.server.url)
        yield Theatre(directory, platform, simulator, world, product, clock, nursery, shelf, cast=f"cast{number}")


def _when_it_answers(act: Callable[[], None]) -> None:
    deadline_s = time.monotonic() + 30.0
    while True:
        try:
            return act()
        except Busy:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.1)


def _settings_of(stages: tuple[Theatre, ...], broker_url: str) -> Json:
    addresses = {name for stage in stages for name in stage.platform.addresses}
    needed = {"data_dir", "database_url", "public_url", "simulation", *addresses}
    settings = stages[0].product.settings.model_dump(mode="json", include=needed)
    return {**{name: str(value) for name, value in settings.items() if value}, "broker_url": broker_url, "log_format": "json"}


def _commands(settings: Json, order: Json, log: Path) -> Iterator[Callable[[], Process]]:
    """Two workers, one of threads and one of processes, and a beat."""
    pools = (("--pool=threads", "--concurrency=8"), ("--pool=prefork", "--concurrency=4"))
    for number, pool in enumerate(pools):
        yield partial(launched, STAGE, settings, order, log, "worker", *pool, f"--hostname=w{number}@%h")
    yield partial(launched, STAGE, settings, order, log, "beat")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posts", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--broker", choices=("redis", "rabbitmq"), default="redis")
    parser.add_argument("--seed", type=int, help="repeats the same choices; what the machine does in between stays its own")
    return parser


if __name__ == "__main__":
    sys.exit(main())
