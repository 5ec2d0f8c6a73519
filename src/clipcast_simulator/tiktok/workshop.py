"""TikTok's background work: pulling URLs, inspecting what arrived, delivering webhooks."""

from collections.abc import Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, Final

import urllib3
from filelock import FileLock
from sqlalchemy import insert, select

from clipcast_simulator.chores import Chores, Job
from clipcast_simulator.clock import Clock
from clipcast_simulator.desk import moment
from clipcast_simulator.exchange import Context
from clipcast_simulator.fetch import PullFailed, pull
from clipcast_simulator.media import sha256
from clipcast_simulator.state import State
from clipcast_simulator.tiktok import inspection, tasks, webhooks, world
from clipcast_simulator.tiktok.tables import images, parts
from clipcast_simulator.tiktok.tables import tasks as task_table
from clipcast_simulator.tiktok.tasks import Task

_MOST_VIDEO_BYTES: Final = 4_000_000_000
_PATIENCE_S: Final = 1.0  #: how long a status request waits for an inspection that is under way
_PROGRESS_BYTES: Final = 8 << 20  #: how often a pull's progress is stored


class Workshop:
    """Finds and does what is due; everything it knows is in the state directory."""

    def __init__(self, store: State, clock: Clock, chores: Chores) -> None:
        self._store = store
        self._clock = clock
        self._chores = chores
        self._pool = urllib3.PoolManager(maxsize=8, headers={"User-Agent": "clipcast-simulator"})

    @contextmanager
    def moment(self) -> Iterator[Context]:
        """Open a transaction at the simulated now."""
        with self._store.transaction() as connection:
            now, settings = moment(connection, self._clock)
            yield Context(
                connection=connection,
                now=now,
                settings=settings,
                media=self._store.media,
                entry=0,
                random=Random(0),  # noqa: S311 - chores draw nothing
            )

    def due(self) -> list[Job]:
        """Bring the tasks up to date and find what is to be done."""
        with self.moment() as context:
            tasks.advance_all(context)
            jobs = webhooks.due(context, self.moment, self._pool)
            waiting = (task_table.c.state.in_(tasks.OPEN), task_table.c.inspected.is_(False))
            rows = context.connection.execute(select(task_table.c.id, task_table.c.state, task_table.c.source).where(*waiting)).all()
        jobs += [self._inspection(row.id) for row in rows if row.state == "processing"]
        jobs += [self._pull(row.id) for row in rows if row.state != "processing" and row.source == "pull"]
        return jobs

    def hurry(self, publish_id: str | None = None) -> None:
        """Inspect a task (or every task) that arrived, and wait for it a little; outside any transaction."""
        with self.moment() as context:
            arrived = (task_table.c.state == "processing", task_table.c.inspected.is_(False))
            query = select(task_table.c.id).where(*arrived)
            if publish_id is not None:
                query = query.where(task_table.c.publish_id == publish_id)
            keys = list(context.connection.execute(query).scalars())
        runs: list[Future[None]] = [self._chores.ensure(self._inspection(key)) for key in keys]
        wait(runs, timeout=_PATIENCE_S)

    def _inspection(self, task_id: int) -> Job:
        return Job(("inspect", task_id), lambda: self._inspect(task_id))

    def _pull(self, task_id: int) -> Job:
        return Job(("pull", task_id), lambda: self._fetch(task_id))

    def _inspect(self, task_id: int) -> None:
        with self.moment() as context:
            task = tasks.find(context.connection, task_id)
            if task is None or task.inspected or task.state != "processing":
                return
            paths = _paths(context, task)
            account = world.account(context.connection, task.username)
        assert account is not None
        values = _judge(task, paths, inspection.longest_s(task.mode, account.max_video_post_duration_sec))
        with self.moment() as context:
            if tasks.find(context.connection, task_id) is not None:
                tasks.change(context.connection, task, inspected=True, **values)

    def _fetch(self, task_id: int) -> None:
        """Pull a task's URLs. The lock keeps a second process off; it is free again when its holder dies."""
        with FileLock(self._store.locks / f"pull-{task_id}", timeout=300):
            with self.moment() as context:
                task = tasks.find(context.connection, task_id)
                task = None if task is None else tasks.advance(context, task)
            if task is None or task.state not in ("created", "receiving"):
                return
            try:
                self._fetch_all(task)
            except PullFailed:
                with self.moment() as context:
                    task = tasks.find(context.connection, task_id)
                    if task is not None and task.is_open:
                        tasks.fail(context, task, task.doom or tasks.pull_failure(task), context.now)

    def _fetch_all(self, task: Task) -> None:
        folder = self._store.media / "tiktok" / str(task.id)
        fetched: list[tuple[Path, int]] = []
        for position, url in enumerate(task.urls):
            before = sum(size for _, size in fetched)
            path = folder / f"{position}.pulled"
            size = pull(
                self._pool,
                url,
                path,
                media_type="image" if task.kind == "photo" else "video",
                most_bytes=_MOST_VIDEO_BYTES,
                progress=_Progress(self, task, before),
                stopping=self._chores.stopping,
            )
            fetched.append((path, size))
        with self.moment() as context:
            current = tasks.find(context.connection, task.id)
            if current is not None and current.state in ("created", "receiving"):
                _record(context, current, fetched)

    def note_progress(self, task: Task, count: int) -> None:
        """Store how many bytes a pull has."""
        with self.moment() as context:
            current = tasks.find(context.connection, task.id)
            if current is None or not current.is_open:
                raise PullFailed("cancelled")
            tasks.change(context.connection, current, state="receiving", bytes_done=count)


class _Progress:
    """Stores a pull's progress now and then."""

    def __init__(self, workshop: Workshop, task: Task, before: int) -> None:
        self._workshop = workshop
        self._task = task
        self._before = before
        self._noted = -_PROGRESS_BYTES

    def __call__(self, count: int) -> None:
        if count - self._noted >= _PROGRESS_BYTES:
            self._noted = count
            self._workshop.note_progress(self._task, self._before + count)


def _judge(task: Task, paths: list[Path], most_s: float) -> dict[str, Any]:
    """Look at what arrived. Bytes that somebody took away from the state directory are TikTok's own fault."""
    if not all(path.exists() for path in paths):
        return {"verdict": "internal"}
    if task.kind == "photo":
        verdict, facts = inspection.judge_images(paths)
        return {"verdict": verdict, "facts": facts}
    verdict, facts = inspection.judge_video(paths, most_s)
    return {"verdict": verdict, "facts": facts, "sha256": sha256(paths)}


def _paths(context: Context, task: Task) -> list[Path]:
    if task.kind == "photo":
        query = select(images.c.file).where(images.c.task_id == task.id).order_by(images.c.position)
    else:
        query = select(parts.c.file).where(parts.c.task_id == task.id).order_by(parts.c.first)
    return [context.media / file for file in context.connection.execute(query).scalars()]


def _record(context: Context, task: Task, fetched: list[tuple[Path, int]]) -> None:
    """Take pulled files into the state."""
    for position, (path, size) in enumerate(fetched):
        file = str(path.relative_to(context.media))
        if task.kind == "photo":
            row = insert(images).values(task_id=task.id, position=position, file=file, bytes=size, sha256=sha256([path]))
        else:
            row = insert(parts).values(task_id=task.id, first=0, size=size, file=file)
        context.connection.execute(row)
    tasks.arrived(context, task, bytes_done=sum(size for _, size in fetched))
