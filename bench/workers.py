"""Whole publications per second, and how late they begin: the embedded worker, one and two Celery processes, and the naive design.

All of them publish 1 MB videos to a sink that answers as TikTok does and takes 20 s to process each, with 8 threads a process.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from bench import world
from clipcast.clips.sample import make_sample_video
from clipcast.publications import store
from clipcast.publications.models import Publication
from clipcast.publications.states import State
from clipcast.settings import environment_with
from clipcast.system import Clipcast

PROCESSING_S = 20
THREADS = 8
POSTS = 300
NAIVE_POSTS = 32
POSTS_PER_ACCOUNT = 5  # TikTok takes six a minute, and the engine would wait
CLIP_BYTES = 1_000_000
BURST = 10_000
BURST_CLIP_BYTES = 100_000
EVENLY = ((5, 40), (50, 6))
COMING_UP_S = 8.0
"""The processes import what they need, connect, and look for work."""
PATIENCE_S = 3600.0


def measure() -> list[str]:
    """One line per way of working, their ratio, the lateness at 50 posts a second, and 10,000 posts due at the same second."""
    with broker() as url, world.sink(PROCESSING_S) as sink:
        naive = _naive(url, sink)
        rates = {name: _ours(url, sink, processes) for name, processes in (("embedded", 0), ("1 process", 1), ("2 processes", 2))}
    what = f"{CLIP_BYTES:,} bytes each, {PROCESSING_S} s of processing, {THREADS} threads a process, PostgreSQL, Redis"
    lines = [f"naive, a task that sleeps and asks every 5 s, 1 process: {naive:.2f} publications/s ({NAIVE_POSTS} posts, {what})"]
    lines += [
        f"Clipcast, {name}: {rate:.2f} publications/s ({POSTS} posts, from the first due to the last one out)"
        for name, rate in rates.items()
    ]
    lines.append(f"Clipcast with 1 process / naive with 1 process: {rates['1 process'] / naive:.1f} (target above 10)")
    return [*lines, *_lateness()]


def _naive(url: str, sink: int) -> float:
    with tempfile.TemporaryDirectory() as directory:
        clip, done = make_sample_video(Path(directory) / "clip.mp4", min_bytes=CLIP_BYTES), Path(directory) / "done"
        environment = {**os.environ, "BENCH_BROKER": url.replace("/0", "/1"), "BENCH_SINK": f"http://127.0.0.1:{sink}"}
        command = _celery("bench.naive", "worker", "--pool=threads", f"--concurrency={THREADS}")
        calls = "import sys; from bench.naive import publish\nfor _ in range(int(sys.argv[3])): publish.delay(sys.argv[1], sys.argv[2])"
        with _running(command, environment):
            subprocess.run([sys.executable, "-c", calls, str(clip), str(done), str(NAIVE_POSTS)], env=environment, check=True)
            start = _first(lambda: done.exists() and done.stat().st_size > 0) - PROCESSING_S
            end = _first(lambda: done.stat().st_size == NAIVE_POSTS)
    return NAIVE_POSTS / (end - start)


def _ours(url: str, sink: int, processes: int) -> float:
    with _stage(sink) as (clipcast, clip_id), ExitStack() as running:
        for command in _commands(processes):
            running.enter_context(_running(command, _environment(clipcast, url if processes else "")))
        time.sleep(COMING_UP_S)
        ids = _schedule(clipcast, clip_id, [clipcast.clock()] * POSTS)
        start = time.perf_counter()
        _until_final(clipcast, ids)
        return POSTS / (time.perf_counter() - start)


def _lateness() -> list[str]:
    """How late posts begin that fall due evenly: as many a second as these cores can send, and more than that."""
    lines = []
    for each_second, over_s in EVENLY:
        with broker() as url, world.sink(0) as sink, _stage(sink) as (clipcast, clip_id), ExitStack() as running:
            for command in _commands(2):
                running.enter_context(_running(command, _environment(clipcast, url)))
            time.sleep(COMING_UP_S)
            count, start = each_second * over_s, clipcast.clock() + timedelta(seconds=COMING_UP_S)
            due = [start + timedelta(seconds=number / each_second) for number in range(count)]
            _until_final(clipcast, _schedule(clipcast, clip_id, due))
            begun, first_byte = (world.percentiles(_late_ms(clipcast, milestone), "ms") for milestone in ("started_at", "first_byte_at"))
        what = f"{each_second} posts a second due for {over_s} s, 2 processes"
        lines.append(f"{what}: due to begun {begun}; due to the first byte {first_byte}")
    return lines


def _late_ms(clipcast: Clipcast, milestone: str) -> list[float]:
    with clipcast.db.reading() as session:
        moments = session.execute(select(Publication.scheduled_at, getattr(Publication, milestone))).all()
    return [(reached_at - due_at).total_seconds() * 1000 for due_at, reached_at in moments]


def burst() -> list[str]:
    """10,000 posts due at the same second: begun in the order of their accounts, each once."""
    with broker() as url, world.sink(0) as sink, _stage(sink, BURST_CLIP_BYTES) as (clipcast, clip_id), ExitStack() as running:
        second = clipcast.clock()
        ids = _schedule(clipcast, clip_id, [second + timedelta(seconds=number / BURST) for number in range(BURST)])
        start = time.perf_counter()
        for command in _commands(2):
            running.enter_context(_running(command, _environment(clipcast, url)))
        _until_final(clipcast, ids)
        elapsed_s = time.perf_counter() - start
        with clipcast.db.reading() as session:
            rows = session.execute(select(Publication.social_account_id, Publication.started_at, Publication.id)).all()
    began = [row.id for row in sorted(rows, key=lambda row: row.started_at)]
    in_order = all(_is_sorted([each for each in began if each in theirs]) for theirs in _by_account(ids))
    order = "each account's in order" if in_order else "NOT in order"
    what = f"{BURST:,} posts of {BURST_CLIP_BYTES:,} bytes due at the same second, {BURST // POSTS_PER_ACCOUNT:,} accounts, 2 processes"
    return [f"{what}: out in {elapsed_s:.0f} s ({BURST / elapsed_s:.1f} a second), {order}"]


def _by_account(ids: Sequence[str]) -> list[frozenset[str]]:
    return [frozenset(ids[start : start + POSTS_PER_ACCOUNT]) for start in range(0, len(ids), POSTS_PER_ACCOUNT)]


def _is_sorted(ids: Sequence[str]) -> bool:
    return list(ids) == sorted(ids)


@contextmanager
def broker() -> Iterator[str]:
    """A Redis of our own that keeps nothing on disk; gives its URL."""
    port = world.free_port()
    command = [
        "redis-server",
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
        "--dir",
        tempfile.gettempdir(),
    ]
    with _running(command, dict(os.environ)):
        time.sleep(1)
        yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def _stage(sink: int, clip_bytes: int = CLIP_BYTES) -> Iterator[tuple[Clipcast, str]]:
    """A system on PostgreSQL that publishes to the sink, with one clip."""
    with tempfile.TemporaryDirectory() as directory, world.postgres() as url:
        clipcast = world.opened(Path(directory), database_url=url, tiktok_api_url=f"http://127.0.0.1:{sink}")
        clip = clipcast.library.add_file(make_sample_video(Path(directory) / "clip.mp4", min_bytes=clip_bytes))
        yield clipcast, clip.id
        clipcast.close()


def _schedule(clipcast: Clipcast, clip_id: str, due: Sequence[datetime]) -> list[str]:
    """Posts due at those moments, each account a few of them, spread over the whole time; gives their ids, account by account."""
    credentials, accounts = {"client_key": "k", "client_secret": "s"}, len(due) // POSTS_PER_ACCOUNT
    account_ids = [world.add_account(clipcast, f"bench{number}", **credentials) for number in range(accounts)]
    with clipcast.db.writing() as session:
        return [
            publication_id
            for number, account_id in enumerate(account_ids)
            for publication_id in world.add_publications(session, clip_id, due[number::accounts], clipcast.clock(), account_id)
        ]


def _until_final(clipcast: Clipcast, ids: Sequence[str]) -> None:
    total = len(ids)

    def is_over() -> bool:
        with clipcast.db.reading() as session:
            counts = store.count_by_state(session)
        assert not counts.get(State.FAILED), counts
        return counts.get(State.PUBLISHED, 0) == total

    _first(is_over)


def _first(is_so: Callable[[], bool]) -> float:
    """When it first is so, by the performance counter."""
    deadline = time.perf_counter() + PATIENCE_S
    while not is_so():
        assert time.perf_counter() < deadline, "it takes longer than anybody waits"
        time.sleep(0.05)
    return time.perf_counter()


def _environment(clipcast: Clipcast, broker_url: str) -> dict[str, str]:
    """The same settings for another process."""
    settings = clipcast.settings
    ours = {
        "data_dir": str(settings.data_dir),
        "database_url": settings.database_url,
        "tiktok_api_url": settings.tiktok_api_url,
        "broker_url": broker_url,
        "worker_threads": str(THREADS),
        "log_level": "error",
    }
    return environment_with({name: value for name, value in ours.items() if value})


def _commands(processes: int) -> list[list[str]]:
    """The embedded worker, or as many Celery processes and a beat."""
    if processes == 0:
        return [[sys.executable, "-m", "clipcast", "worker"]]
    worker = ("worker", "--pool=threads", f"--concurrency={THREADS}", "--queues=uploads,polls,maintenance", "--without-mingle")
    workers = [_celery("clipcast.worker.celery:app", *worker, f"--hostname=w{number}@%h") for number in range(processes)]
    return [*workers, _celery("clipcast.worker.celery:app", "beat")]


def _celery(app: str, *arguments: str) -> list[str]:
    return [sys.executable, "-W", "ignore", "-m", "celery", "--app", app, *arguments]


@contextmanager
def _running(command: Sequence[str], environment: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()
