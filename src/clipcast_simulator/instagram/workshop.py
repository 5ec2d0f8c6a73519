"""Instagram's fetching and looking: images while a POST is open, videos and covers in the background."""

import ipaddress
from collections.abc import Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final
from urllib.parse import urlsplit

import urllib3
from filelock import FileLock
from sqlalchemy import insert, select

from clipcast_simulator.chores import Chores, Job
from clipcast_simulator.clock import Clock
from clipcast_simulator.desk import moment
from clipcast_simulator.exchange import Context
from clipcast_simulator.fetch import PullFailed, pull
from clipcast_simulator.instagram import containers, inspection, tables
from clipcast_simulator.instagram.containers import Container
from clipcast_simulator.instagram.errors import Refusal
from clipcast_simulator.media import sha256
from clipcast_simulator.state import State

USER_AGENT: Final = "facebookexternalhit/1.1"

_PATIENCE_S: Final = 1.0  #: how long a status request waits for an inspection that is under way
_MOST_IMAGE_BYTES: Final = 64 << 20  #: larger than any limit, so that the limit can answer
_MOST_VIDEO_BYTES: Final = 8_000_000_000

_NOT_FETCHABLE: Final = (9004, 2207052)
_TIMED_OUT: Final = (-2, 2207003)
_TIMEOUTS: Final = frozenset({"ReadTimeoutError", "ConnectTimeoutError"})


@dataclass(frozen=True, slots=True)
class Fetched:
    """An image that was fetched and found good."""

    size: int
    sha256: str
    facts: dict[str, Any]


class Workshop:
    """Finds and does what is due; everything it knows is in the state directory."""

    def __init__(self, store: State, clock: Clock, chores: Chores) -> None:
        self._store = store
        self._clock = clock
        self._chores = chores
        self._pool = urllib3.PoolManager(maxsize=8, headers={"User-Agent": USER_AGENT, "Accept": "*/*"})

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
        """Find the videos that are to be fetched or looked at."""
        table = tables.containers
        with self.moment() as context:
            open_ones = table.c.stage.in_((containers.PULLING, containers.ARRIVED)) & (table.c.expires_at > context.now)
            rows = context.connection.execute(select(table.c.id, table.c.stage).where(open_ones)).all()
        return [self._pull(row.id) if row.stage == containers.PULLING else self._inspection(row.id) for row in rows]

    def hurry(self, container_id: str | None = None) -> None:
        """Look at a container that arrived and at its children (or at all), and wait a little; outside any transaction."""
        table = tables.containers
        with self.moment() as context:
            query = select(table.c.id).where(table.c.stage == containers.ARRIVED)
            if container_id is not None:
                parent = containers.by_id(context.connection, container_id)
                query = query.where(table.c.container_id.in_([container_id, *(parent.children if parent is not None else ())]))
            keys = list(context.connection.execute(query).scalars())
        runs: list[Future[None]] = [self._chores.ensure(self._inspection(key)) for key in keys]
        wait(runs, timeout=_PATIENCE_S)

    def fetch_image(self, url: str, kind: str, entry: int) -> Fetched:
        """Fetch an image for request number `entry` and judge it; raises Refusal."""
        path = self._store.media / "instagram" / f"request-{entry}" / "image"
        size = self._get(url, path, "image")
        facts = inspection.judge_image(path, kind)
        return Fetched(size, sha256([path]), facts)

    def _get(self, url: str, path: Path, media_type: str) -> int:
        """Stream a URL into a file; raises Refusal with the documented pair."""
        if not is_fetchable(url):
            raise Refusal(*_NOT_FETCHABLE)
        most = _MOST_IMAGE_BYTES if media_type == "image" else _MOST_VIDEO_BYTES
        try:
            return pull(
                self._pool,
                url,
                path,
                media_type=media_type,
                most_bytes=most,
                progress=lambda _: None,
                stopping=self._chores.stopping,
            )
        except PullFailed as error:
            raise Refusal(*_pull_error(str(error), media_type)) from error

    def _inspection(self, key: int) -> Job:
        return Job(("instagram.inspect", key), lambda: self._inspect(key))

    def _pull(self, key: int) -> Job:
        return Job(("instagram.pull", key), lambda: self._fetch(key))

    def _fetch(self, key: int) -> None:
        """Fetch a video, and a reel's cover. The lock keeps a second process off; it is free when its holder dies."""
        with FileLock(self._store.locks / f"instagram-{key}", timeout=300):
            container = self._still(key, containers.PULLING)
            if container is None:
                return
            assert container.url is not None
            folder = self._store.media / "instagram" / str(key)
            try:
                size = self._get(container.url, folder / "0.pulled", "video")
            except Refusal as refusal:
                self._fail(key, refusal)
                return
            with self.moment() as context:
                container = containers.find(context.connection, key)
                if container is not None and container.stage == containers.PULLING:
                    file = str((folder / "0.pulled").relative_to(context.media))
                    context.connection.execute(insert(tables.parts).values(container=key, first=0, size=size, file=file))
                    containers.arrived(context, container, bytes_done=size, file_size=size)

    def _inspect(self, key: int) -> None:
        container = self._still(key, containers.ARRIVED)
        if container is None:
            return
        with self.moment() as context:
            query = select(tables.parts.c.file).where(tables.parts.c.container == key).order_by(tables.parts.c.first)
            paths = [context.media / file for file in context.connection.execute(query).scalars()]
            knobs = context.settings.instagram
        values: dict[str, Any] = {"verdict": 2207053}  # somebody took the bytes away: an unknown upload error
        if all(path.exists() for path in paths):
            verdict, facts = inspection.judge_video(paths, container.kind, container.parameters, knobs)
            values = {"verdict": container.verdict or verdict or self._cover_complaint(container), "facts": facts, "sha256": sha256(paths)}
        with self.moment() as context:
            current = containers.find(context.connection, key)
            if current is not None and current.stage == containers.ARRIVED:
                containers.change(context.connection, current, stage=containers.SETTLED, **values)

    def _cover_complaint(self, container: Container) -> int | None:
        """Fetch and judge a reel's cover; return the subcode it earns, if any."""
        url = container.parameters.get("cover_url")
        if url is None:
            return None
        path = self._store.media / "instagram" / str(container.id) / "cover"
        try:
            self._get(url, path, "image")
            inspection.judge_image(path, "story")  # a cover is cropped: no ratio is wrong
        except Refusal as refusal:
            return refusal.subcode
        return None

    def _still(self, key: int, stage: str) -> Container | None:
        with self.moment() as context:
            container = containers.find(context.connection, key)
        return container if container is not None and container.stage == stage else None

    def _fail(self, key: int, refusal: Refusal) -> None:
        assert refusal.subcode is not None
        with self.moment() as context:
            container = containers.find(context.connection, key)
            if container is not None and container.stage == containers.PULLING:
                containers.failed(context, container, refusal.subcode)


def is_fetchable(url: str) -> bool:
    """Say whether an address can be asked at all: https, or plain http on this machine; ASCII; no user in it.

    >>> is_fetchable("http://127.0.0.1:8000/a.jpg"), is_fetchable("http://example.com/a.jpg")
    (True, False)
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or not url.isascii() or " " in url:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _pull_error(reason: str, media_type: str) -> tuple[int, int]:
    """Return the pair for a fetch that failed.

    >>> _pull_error("ReadTimeoutError", "image")
    (-2, 2207003)
    """
    if reason == "too large":
        return (36000, 2207004) if media_type == "image" else (352, 2207026)
    return _TIMED_OUT if reason in _TIMEOUTS else _NOT_FETCHABLE
