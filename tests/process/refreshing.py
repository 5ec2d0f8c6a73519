"""A process that refreshes every account from many threads at once, as servers, workers and publications of one machine do together.

`python refreshing.py SIMULATOR SETTINGS THREADS` says `ready`, begins at the first line of its input, and says at its end, as JSON, what
came of each try. A try that finds somebody else at it is repeated, for a few seconds at most: a killed process never gives its turn back.
"""

import json
import random
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import select

from clipcast import log
from clipcast.accounts.models import SocialAccount
from clipcast.errors import ClipcastError
from clipcast.settings import load_settings
from clipcast.system import Clipcast
from contract.world import World
from process.victim import SharedClock

PATIENCE_S = 3.0
LOOK_EVERY_S = 0.02


def main(simulator: str, settings: str, threads: str) -> None:
    """Refresh everything, `threads` threads at once, one of them with a whole round of its own."""
    clock, count, chosen = SharedClock(World(simulator)), int(threads), load_settings(**json.loads(settings), log_level="error")
    log.configure(chosen)
    with Clipcast.open(chosen, clock=clock) as product, ThreadPoolExecutor(count) as pool:
        with product.db.reading() as session:
            accounts = dict(session.execute(select(SocialAccount.id, SocialAccount.platform)).all())
        start = threading.Barrier(count + 1)
        rounds = [pool.submit(_one_by_one, product, accounts, start) for _ in range(count - 1)]
        rounds.append(pool.submit(_all_at_once, product, start))
        print("ready", flush=True)  # noqa: T201  # what it says is its answer
        sys.stdin.readline()
        start.wait()
        print(json.dumps(sum((each.result() for each in rounds), Counter())), flush=True)  # noqa: T201  # as above


def _one_by_one(product: Clipcast, accounts: dict[str, str], start: threading.Barrier) -> Counter[str]:
    """Each account in an order of this thread's own, until all are done or nothing has changed for a while."""
    found: Counter[str] = Counter()
    left = random.sample(sorted(accounts), len(accounts))
    start.wait()
    give_up_at_s = time.monotonic() + PATIENCE_S
    while left and time.monotonic() < give_up_at_s:
        taken = []
        for account_id in left:
            platform = product.platforms[accounts[account_id]]
            try:
                result: str = product.upkeep.refresher.renew(account_id, platform, platform.refresh_margin).result
            except ClipcastError as error:
                result = type(error).__name__
            found[result] += 1
            if result in {"someone_else", "Busy"}:
                taken.append(account_id)
        give_up_at_s = time.monotonic() + PATIENCE_S if len(taken) < len(left) else give_up_at_s
        left = taken
        time.sleep(LOOK_EVERY_S)
    return found


def _all_at_once(product: Clipcast, start: threading.Barrier) -> Counter[str]:
    start.wait()
    return Counter(product.upkeep.refresh_expiring().counts)


if __name__ == "__main__":
    main(*sys.argv[1:])
