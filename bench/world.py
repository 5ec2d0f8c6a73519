"""What the measurements share: a system in a temporary directory, servers in other processes, and summaries of rounds."""

import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

import urllib3
from sqlalchemy import create_engine, insert, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from clipcast.accounts.credentials import set_account_credentials
from clipcast.accounts.models import SocialAccount
from clipcast.clips.models import Clip
from clipcast.db.base import new_id
from clipcast.log import configure
from clipcast.platforms.base import Credentials
from clipcast.posts.models import Post
from clipcast.publications.models import Publication
from clipcast.settings import load_settings
from clipcast.system import Clipcast

HERE = Path(__file__).parent
POSTGRES_URL = os.environ.get("CLIPCAST_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/test")


@contextmanager
def sink(processing_s: float = 0) -> Iterator[int]:
    """The upload sink in another process; gives its port."""
    with _process([sys.executable, str(HERE / "sink.py"), str(processing_s)]) as process:
        assert process.stdout
        yield int(process.stdout.readline())


@contextmanager
def _process(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def postgres() -> Iterator[str]:
    """A new, empty PostgreSQL database; gives its URL.

    Raises:
        OSError: no server can be reached.
    """
    name = f"bench_{uuid4().hex[:12]}"
    server = create_engine(POSTGRES_URL.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
    try:
        with server.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
    except OperationalError as error:
        raise ConnectionError(f"PostgreSQL cannot be reached at {POSTGRES_URL}") from error
    try:
        yield POSTGRES_URL.rsplit("/", 1)[0] + f"/{name}"
    finally:
        with server.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        server.dispose()


def opened(directory: Path, *, migrated: bool = False, **settings: Any) -> Clipcast:
    """A migrated system in that directory; with `migrated` it was migrated before."""
    clipcast = Clipcast.open(load_settings(data_dir=directory, log_level="error", **settings))
    configure(clipcast.settings)
    if not migrated:
        import_module("clipcast.db.migrate").upgrade(clipcast.db)
    return clipcast


def add_account(clipcast: Clipcast, username: str, platform: str = "tiktok", **credentials: str) -> str:
    """A live account with these credentials; gives its id."""
    now = clipcast.clock()
    account = SocialAccount(platform=platform, username=username, created_at=now, updated_at=now)
    with clipcast.db.writing() as session:
        session.add(account)
        session.flush()
    stored = {"access_token": f"act.{username}", **credentials}
    set_account_credentials(clipcast.db, account.id, Credentials(stored), clipcast.vault, now)
    return account.id


def add_clip(session: Session, now: datetime) -> str:
    """A clip row without a file, for measurements that never read it."""
    clip_id = new_id()
    facts = {
        "kind": "video",
        "file_name": "a.mp4",
        "storage_key": "x",
        "size_bytes": 1,
        "content_type": "video/mp4",
        "width": 540,
        "height": 960,
    }
    session.execute(insert(Clip).values(id=clip_id, sha256=clip_id.replace("-", "") * 2, created_at=now, **facts))
    return clip_id


def add_publications(
    session: Session,
    clip_id: str,
    due: Sequence[datetime],
    now: datetime,
    account_id: str | None = None,
    *,
    platform: str = "tiktok",
    order: Mapping[str, Any] | None = None,
) -> list[str]:
    """Scheduled publications that fall due at those moments, written in bulk; gives their ids in that order."""
    post_id = new_id()
    session.execute(
        insert(Post).values(id=post_id, created_at=now, updated_at=now, caption="", title="", hashtags=[], options={}, timezone="UTC")
    )
    ids = [new_id() for _ in due]
    common: dict[str, Any] = {
        "post_id": post_id,
        "clip_id": clip_id,
        "platform": platform,
        "social_account_id": account_id,
        "order": dict(order or {}),
        "requested_at": now,
        "created_at": now,
        "updated_at": now,
        "state": "scheduled",
        "sent_bytes": 0,
        "total_bytes": 0,
        "failures": 0,
        "attempt": 1,
    }
    for start in range(0, len(due), 10_000):
        rows = [
            {"id": each, "scheduled_at": at, "next_action_at": at, **common}
            for each, at in zip(ids[start : start + 10_000], due[start : start + 10_000], strict=True)
        ]
        session.execute(insert(Publication), rows)
    return ids


def summary(values: Sequence[float], unit: str) -> str:
    """The median with the spread.

    >>> summary([3.0, 1.0, 2.0], "ms")
    'median 2.00 ms (1.00 to 3.00, 3 rounds)'
    """
    return f"median {statistics.median(values):.2f} {unit} ({min(values):.2f} to {max(values):.2f}, {len(values)} rounds)"


def percentiles(values: Sequence[float], unit: str) -> str:
    """The middle and the tail.

    >>> percentiles([float(number) for number in range(101)], "ms")
    'p50 50 ms, p99 99 ms, max 100 ms'
    """
    cut = statistics.quantiles(values, n=100, method="inclusive")
    return f"p50 {cut[49]:.0f} {unit}, p99 {cut[98]:.0f} {unit}, max {max(values):.0f} {unit}"


def free_port() -> int:
    """A port that is free on the loopback interface right now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def wait_for(url: str, patience_s: float = 20.0) -> None:
    """Until something answers there."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            urllib3.request("GET", url, retries=False, timeout=1.0)
        except urllib3.exceptions.HTTPError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
