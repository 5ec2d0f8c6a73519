"""A platform that does not answer keeps its own posts waiting, and nobody else's."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import select, text
from structlog.testing import capture_logs

from clipcast.publications.models import Publication
from clipcast.publications.states import SUCCESS
from clipcast.worker.embedded import EmbeddedWorker
from clipcast.worker.presence import Presence
from contract.platforms import TIKTOK, YOUTUBE, PlatformUnderTest
from process.brokers import RedisServer
from process.celery_theatre import CeleryTheatre, celery_theatre, wait_until
from process.theatre import Nursery, Theatre, theatre

PLACES: Final = 4
POSTS: Final = 12
"""To each platform: more than there are places."""


@pytest.fixture
def platform() -> PlatformUnderTest:
    """The one that is well."""
    return YOUTUBE


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """Takes connections and never says anything."""
    with closing(socket.create_server(("127.0.0.1", 0), backlog=POSTS)) as listener:
        yield listener


@pytest.fixture
def stage(tmp_path: Path, database_url: str, platform: PlatformUnderTest, nursery: Nursery, silent: socket.socket) -> Iterator[Theatre]:
    """A theatre in which TikTok is out."""
    out = {"tiktok_api_url": f"http://127.0.0.1:{silent.getsockname()[1]}"}
    with theatre(tmp_path, database_url, platform, nursery, out) as opened:
        yield opened


def test_the_embedded_worker_serves_the_others(stage: Theatre, silent: socket.socket) -> None:
    """Posts to TikTok that came first leave a place, and then every place but their share."""
    with embedded(stage), closing(silent):
        play(stage)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_celery_serves_the_others(stage: Theatre, redis: RedisServer, pool: str) -> None:
    """The same for the places of all processes of a worker together."""
    with celery_theatre(stage, redis) as celery:
        celery.worker(pool=pool, concurrency=PLACES)
        celery.beat()
        play(stage, celery)


def test_the_embedded_worker_outlives_trouble_that_nobody_thought_of(stage: Theatre) -> None:
    """It is told in the log, and work goes on when it has passed."""
    publication_id = stage.publish(YOUTUBE.flows[0])

    with capture_logs() as said, ExitStack() as trouble, embedded(stage):
        trouble.enter_context(mislaid(stage, "next_action_at"))
        wait_until(lambda: "worker.dispatch_failed" in {event["event"] for event in said}, "told", stage.log)
        trouble.close()
        wait_until(lambda: stage.row(publication_id).state in SUCCESS, "out", stage.log)

    assert stage.wrongs() == []


def test_the_embedded_worker_needs_no_neighbours(stage: Theatre) -> None:
    """Where they cannot be looked for, that is told, and work goes on."""
    workers = stage.product.settings.data_dir / "workers"
    presence = Presence(stage.product.settings.data_dir)
    workers.rename(workers.with_name("away"))
    workers.write_text("not a directory")
    publication_id = stage.publish(YOUTUBE.flows[0])

    with capture_logs() as said, embedded(stage, presence):
        wait_until(lambda: stage.row(publication_id).state in SUCCESS, "out", stage.log)

    assert "worker.neighbours_not_seen" in {event["event"] for event in said}
    assert stage.wrongs() == []


def play(stage: Theatre, celery: CeleryTheatre | None = None) -> None:
    """Posts to TikTok take up what they get; those to YouTube go out beside them, before any of them has run into a time-out."""
    log = celery.log if celery else stage.log
    tiktok = replace(stage, platform=TIKTOK, cast="beside", flows={}, usernames={})
    stuck = [tiktok.publish(TIKTOK.flow("direct")) for _ in range(POSTS)]
    wait_until(lambda: len(held(stage)) == PLACES - 1, "stuck", log)

    well = [stage.publish(YOUTUBE.flows[0]) for _ in range(POSTS)]
    wait_until(lambda: all(stage.row(each).state in SUCCESS for each in well), "served beside the outage", log)

    assert [stage.row(each).failures for each in stuck] == [0] * POSTS
    assert len(held(stage) & set(stuck)) == PLACES - 1
    assert [wrong for wrong in stage.wrongs() if not wrong.startswith("still held")] == []


def held(stage: Theatre) -> set[str]:
    """The publications that somebody works on."""
    with stage.product.db.reading() as session:
        return set(session.scalars(select(Publication.id).where(Publication.lease_token.is_not(None))))


@contextmanager
def mislaid(stage: Theatre, column: str) -> Iterator[None]:
    """Publications without this column."""

    def rename(name: str, new_name: str) -> None:
        with stage.product.db.writing() as session:
            session.execute(text(f"ALTER TABLE publications RENAME COLUMN {name} TO {new_name}"))

    rename(column, "mislaid")
    try:
        yield
    finally:
        rename("mislaid", column)


@contextmanager
def embedded(stage: Theatre, presence: Presence | None = None) -> Iterator[None]:
    """A worker in this process."""
    product, presence = stage.product, presence or Presence(stage.product.settings.data_dir)
    worker = EmbeddedWorker(product.db, product.driver, product.clock, presence, threads=PLACES)
    worker.start()
    try:
        yield
    finally:
        worker.stop()
        presence.close()
