"""What Prometheus hears of the database: the queue, and how full the platforms' limits are."""

from collections.abc import Iterable
from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from app.worker.rows import claimed, written
from clipcast.clips.models import Clip
from clipcast.db.base import new_id
from clipcast.db.engine import Database
from clipcast.platforms.registry import live_platforms
from clipcast.posts.models import Post
from clipcast.publications import pace
from clipcast.publications.models import Publication
from clipcast.settings import load_settings
from clipcast.telemetry.collectors import Installation
from clipcast.telemetry.metrics import Metrics
from conftest import MovableClock

PLATFORMS = live_platforms(load_settings())


def heard(installation: Collector) -> dict[tuple[str, ...], float]:
    """Every sample by its name and the values of its labels."""
    families = text_string_to_metric_families(Metrics(installation).rendered().decode())
    return {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}


@pytest.fixture
def installation(db: Database, clock: MovableClock) -> Installation:
    return Installation(db, clock, PLATFORMS)


def write(db: Database, clock: MovableClock, rows: Iterable[dict[str, object]]) -> None:
    now = clock.now
    with db.writing() as session:
        clip = Clip(
            id=new_id(),
            kind="video",
            file_name="a.mp4",
            sha256="0" * 64,
            storage_key="a",
            size_bytes=1,
            content_type="video/mp4",
            width=1,
            height=1,
            created_at=now,
        )
        post = Post(
            id=new_id(), caption="", title="", hashtags=[], options={}, timezone="UTC", scheduled_at=None, created_at=now, updated_at=now
        )
        session.add_all([clip, post])
        session.flush()
        times = {"scheduled_at": now, "requested_at": now, "created_at": now, "updated_at": now}
        session.add_all(Publication(post_id=post.id, clip_id=clip.id, platform="tiktok", order={}, **times, **row) for row in rows)


def test_the_queue_is_what_is_due_and_nobody_holds(db: Database, clock: MovableClock, installation: Installation) -> None:
    held = {"lease_token": "t", "lease_owner": "w", "lease_until": clock.now + timedelta(seconds=20)}
    write(
        db,
        clock,
        [
            {"next_action_at": clock.now - timedelta(seconds=90)},
            {"next_action_at": clock.now - timedelta(seconds=30)},
            {"next_action_at": clock.now - timedelta(seconds=300), **held},
            {"next_action_at": clock.now + timedelta(days=1)},
            {"next_action_at": None, "state": "published"},
        ],
    )

    values = heard(installation)

    assert values["clipcast_publications_due",] == 2
    assert values["clipcast_publications_held",] == 1
    assert values["clipcast_oldest_due_seconds",] == 90
    assert values["clipcast_publications", "published"] == 1
    assert values["clipcast_database_up",] == 1


def test_an_empty_queue_waits_for_nothing(installation: Installation) -> None:
    values = heard(installation)

    assert (values["clipcast_publications_due",], values["clipcast_oldest_due_seconds",]) == (0, 0)


def test_a_limit_shows_what_is_left_to_whoever_has_used_most(db: Database, clock: MovableClock, installation: Installation) -> None:
    rate = next(rate for rate in PLATFORMS["tiktok"].rates if rate.per == "account")
    label = rate.labels[0]
    name = ("clipcast_limit_left", rate.name or label, "account", "tiktok")
    assert heard(installation)[name] == rate.count
    with db.writing() as session:
        for account, requests in (("one", 1), ("two", 2), ("app", 0)):
            for _ in range(requests):
                pace.reserve(session, label, [rate], {"account": f"tiktok:{account}", "app": "tiktok:app"}, clock.now)

    assert heard(installation)[name] == rate.count - 2
    clock.advance(rate.per_s + 1)
    assert heard(installation)[name] == rate.count, "the window has passed"


def test_a_database_that_is_away_is_one_number(clock: MovableClock) -> None:
    nowhere = Database("postgresql://postgres@127.0.0.1:1/none")

    values = heard(Installation(nowhere, clock, PLATFORMS))

    assert values["clipcast_database_up",] == 0
    assert ("clipcast_publications_due",) not in values


def test_what_waits_for_an_earlier_post_of_its_account_is_not_late(db: Database, clock: MovableClock, installation: Installation) -> None:
    """Nobody would take it up however many workers there were."""
    rows = written(db, clock, {"busy": [-300.0, -300.0], "free": [-20.0]})
    claimed(db, clock, rows["busy"][0])

    told = heard(installation)

    assert told["clipcast_publications_due",] == 2
    assert told["clipcast_oldest_due_seconds",] == 20


def test_the_first_failures_are_an_increase(installation: Installation) -> None:
    """Prometheus sees one only where there was a zero before."""
    told = heard(installation)

    assert {told["clipcast_publication_duration_seconds_count", "failed", name, "false"] for name in PLATFORMS} == {0}
