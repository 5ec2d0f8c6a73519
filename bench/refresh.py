"""10,000 expiring accounts, and a token endpoint that takes 200 ms for each: with bounded concurrency, and one at a time."""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import insert, text

from bench import world
from clipcast.accounts.credentials import seal
from clipcast.accounts.models import SocialAccount
from clipcast.accounts.upkeep import CONCURRENCY
from clipcast.db.base import new_id
from clipcast.platforms.base import Credentials
from clipcast.system import Clipcast

ACCOUNTS = 10_000
ONE_BY_ONE = 100
DELAY_S = 0.2


def measure() -> list[str]:
    """For each database: accounts per second together and one at a time, and the peak of memory of the process that did it."""
    lines = []
    for kind, database in (("SQLite", _sqlite), ("PostgreSQL", world.postgres)):
        with database() as url, tempfile.TemporaryDirectory() as directory, _endpoint() as port:
            together, alone = (
                _in_a_process(directory, url, port, accounts, at_once) for accounts, at_once in ((ACCOUNTS, CONCURRENCY), (ONE_BY_ONE, 1))
            )
        memory = f"peak memory {together['peak_mb']:.0f} MB ({together['grown_mb']:.0f} MB of it for this)"
        rate = f"{together['per_s']:.1f} accounts/s, {together['took_s']:.0f} s in all"
        lines.append(f"{kind}, {ACCOUNTS:,} accounts, {CONCURRENCY} at once: {rate}, {memory}")
        ratio = f"bounded concurrency is {together['per_s'] / alone['per_s']:.1f} times as fast"
        lines.append(f"{kind}, one at a time (a sample of {ONE_BY_ONE}): {alone['per_s']:.2f} accounts/s; {ratio}")
    return lines


def _in_a_process(directory: str, url: str, port: int, accounts: int, at_once: int) -> dict[str, float]:
    """Measure in a process of its own, so that its memory is its own."""
    order = json.dumps([directory, url, port, accounts, at_once])
    done = subprocess.run([sys.executable, "-m", "bench.refresh", order], check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _one_round(directory: str, url: str, port: int, accounts: int, at_once: int) -> dict[str, float]:
    app: dict[str, Any] = {"tiktok_client_key": "k", "tiktok_client_secret": "s", "tiktok_api_url": f"http://127.0.0.1:{port}"}
    with world.opened(Path(directory) / uuid4().hex, database_url=url, **app) as clipcast:
        _fill(clipcast, accounts)
        upkeep, before_mb = replace(clipcast.upkeep, concurrency=at_once), _peak_mb()
        start_s = time.perf_counter()
        report = upkeep.refresh_expiring()
        took_s = time.perf_counter() - start_s
        assert report.counts == {"refreshed": accounts}, report.counts
    return {"per_s": accounts / took_s, "took_s": took_s, "peak_mb": _peak_mb(), "grown_mb": _peak_mb() - before_mb}


def _fill(clipcast: Clipcast, accounts: int) -> None:
    now = clipcast.clock()
    names = tuple(column.key for column in SocialAccount.__table__.columns)
    with clipcast.db.writing() as session:
        session.execute(text("DELETE FROM social_accounts"))
        for number in range(accounts):
            account = SocialAccount(id=new_id(), platform="tiktok", username=f"maker{number}", kind="main", status="active")
            account.created_at = account.updated_at = now
            values = {"access_token": f"act.{number:060}", "refresh_token": f"rft.{number:060}"}
            seal(account, Credentials(values, expires_at=now + timedelta(minutes=number % 60)), clipcast.vault)
            row = {name: getattr(account, name) for name in names if getattr(account, name) is not None}
            session.execute(insert(SocialAccount), row)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


@contextmanager
def _endpoint() -> Iterator[int]:
    command = [sys.executable, str(world.HERE / "tokens_sink.py"), str(DELAY_S)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield int(process.stdout.readline())
        process.kill()


@contextmanager
def _sqlite() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as directory:
        yield f"sqlite:///{Path(directory) / 'bench.sqlite3'}"


if __name__ == "__main__":
    print(json.dumps(_one_round(*json.loads(sys.argv[1]))))
