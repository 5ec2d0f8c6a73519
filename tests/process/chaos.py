"""Kills workers and the simulator at random while many publications with random faults go out, and counts what was lost or doubled.

`python tests/process/chaos.py --kills 1000 [--seed S] [--database-url URL]` ends with `N kills, 0 duplicates, 0 lost` and 0, or with the
story of what went wrong and 1. The database must be empty; without a URL it is an SQLite file that is thrown away.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from clipcast.db.engine import Database  # a script finds the tests' own modules only now
from clipcast.db.migrate import upgrade
from clipcast.publications import store
from contract.platforms import TIKTOK
from process.theatre import Nursery, Theatre, theatre

IN_FLIGHT = 12
"""How many publications are under way at any time."""

LONGEST_LIFE_S = 0.6
"""The longest that a worker lives."""

SIMULATOR_SHARE = 0.1
"""How often it is the simulator that dies."""

FAULT_SHARE = 0.5
"""How many publications meet a scripted fault, besides those that happen by chance."""

FAULTS = ("accept-then-drop-answer", "error-after-effect", "500", "503", "reset", "429", "expire-token")


def tell(line: str) -> None:
    """Say it at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the chaos; 0 when the promise was kept."""
    options = _parser().parse_args(arguments)
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 32)
    tell(f"seed {seed}")
    with tempfile.TemporaryDirectory(prefix="clipcast-chaos-") as name:
        directory = Path(name)
        url = options.database_url or f"sqlite:///{directory / 'clipcast.sqlite3'}"
        database = Database(url)
        upgrade(database)
        database.close()
        with Nursery() as nursery, theatre(directory, url, TIKTOK, nursery, failure_rate=0.1) as stage:
            run(stage, options.kills, random.Random(seed))
            return told(stage)


def run(stage: Theatre, kills: int, chance: random.Random) -> None:
    """Publish and kill until enough died, then let everything come to its end."""
    unfinished: list[str] = []
    while len(stage.kills) < kills:
        unfinished = still_open(stage, unfinished)
        unfinished += [published(stage, chance) for _ in range(IN_FLIGHT - len(unfinished))]
        worker = stage.start()
        time.sleep(chance.uniform(0.02, LONGEST_LIFE_S))
        if chance.random() < SIMULATOR_SHARE:
            stage.simulator.restart()
            stage.world.reconnect()
            stage.kills.append("the simulator")
            time.sleep(chance.uniform(0.02, LONGEST_LIFE_S))
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
        if stage.nursery.wait(worker) == {"signal": signal.SIGKILL}:
            stage.kills.append("a worker")
        if len(stage.kills) % 100 == 0:
            tell(f"{len(stage.kills)} kills, {len(stage.flows)} publications begun")
    come_to_an_end(stage)


def come_to_an_end(stage: Theatre) -> None:
    """Work on undisturbed. A person connects lost accounts again and presses "try again" on what failed, as chance can make it."""
    for _ in range(6):
        stage.finish()
        stage.connect_again()
        if stage.try_failed_again() == 0:
            return


def published(stage: Theatre, chance: random.Random) -> str:
    """A new publication, half of them with something going wrong on their way."""
    flow = chance.choice(TIKTOK.flows)
    publication_id = stage.publish(flow)
    if chance.random() < FAULT_SHARE:
        stage.script(publication_id, chance.choice(flow.operations), chance.choice(FAULTS))
    return publication_id


def still_open(stage: Theatre, publication_ids: list[str]) -> list[str]:
    """Those that are not over and do not wait for a person."""
    with stage.product.db.reading() as session:
        return store.unfinished(session, publication_ids)


def told(stage: Theatre) -> int:
    """Tell how it went; 0 when all is as promised."""
    wrongs = [wrong for wrong in stage.wrongs() if not wrong.startswith("never fired")]
    for wrong in wrongs:
        tell(wrong)
    if wrongs:
        tell(stage.log.read_text()[-20_000:])
    tell(f"{len(stage.flows)} publications, {stage.questions} questions to a person, {stage.reconnected} accounts to connect again")
    tell(stage.verdict())
    return 1 if wrongs else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, help="repeats the same choices; what the machine does in between stays its own")
    parser.add_argument("--database-url", default="", help="an empty database; default: a temporary SQLite file")
    return parser


if __name__ == "__main__":
    sys.exit(main())
