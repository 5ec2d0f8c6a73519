"""What has to be done at regular times beside publishing is done by Celery's workers as well."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from clipcast.accounts import store as accounts
from clipcast.accounts.models import SocialAccount
from clipcast.posts.models import Post
from clipcast.schedules import recurring
from clipcast.schedules.schemas import RecurrenceIn
from clipcast.settings import load_settings
from clipcast.worker.broker import MAINTENANCE, celery_app
from contract.bench import connect_live
from contract.platforms import INSTAGRAM, PlatformUnderTest
from process.brokers import RedisServer
from process.celery_theatre import CeleryTheatre, celery_theatre
from process.theatre import Theatre

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

DEAD, EXPIRING, GOOD = timedelta(days=61), timedelta(days=52), timedelta(days=5)
"""How old a token of Instagram is that has ended, that ends soon, and that is good for long yet."""


@pytest.fixture
def platform() -> PlatformUnderTest:
    """The one whose tokens cannot be renewed once they have ended."""
    return INSTAGRAM


@pytest.fixture
def aged(stage: Theatre) -> dict[timedelta, str]:
    """Three accounts by the age of their tokens."""
    connected_at = stage.clock()
    found = {}
    for age in (DEAD, EXPIRING, GOOD):
        stage.clock.skip_to(connected_at + DEAD - age)
        found[age] = connect_live(stage.product, stage.platform, stage.world, f"aged_{age.days}")
    stage.clock.skip_to(connected_at + DEAD)
    return found


@pytest.fixture
def celery(stage: Theatre, redis: RedisServer, aged: dict[timedelta, str]) -> Iterator[CeleryTheatre]:
    """A worker for everything that is no publication, to whom it is as late as to the platform."""
    assert aged
    with celery_theatre(stage, redis) as opened:
        opened.worker("--queues=maintenance", simulator=stage.simulator.url)
        yield opened


def test_the_beat_has_everything_done(celery: CeleryTheatre, aged: dict[timedelta, str]) -> None:
    """What expires is refreshed, what has died is called dead, what recurs becomes posts; what is good is left alone."""
    stage = celery.stage
    before = {age: account(stage, each).expires_at for age, each in aged.items()}
    recur_daily(stage, aged[GOOD])

    celery.beat()

    celery.wait_until(lambda: account(stage, aged[EXPIRING]).expires_at != before[EXPIRING], "refreshed")
    celery.wait_until(lambda: account(stage, aged[DEAD]).status == "expired", "called dead")
    celery.wait_until(lambda: posts(stage) >= 7, "made")
    assert account(stage, aged[EXPIRING]).status == "active"
    assert account(stage, aged[GOOD]).expires_at == before[GOOD]
    assert renewals(stage) == 1


def test_each_can_be_asked_for_by_its_name(celery: CeleryTheatre, aged: dict[timedelta, str]) -> None:
    """As other people's scripts do; there is no beat. One account's token is refreshed even if it is good for long."""
    stage = celery.stage
    before = {age: account(stage, each).expires_at for age, each in aged.items()}
    app = celery_app(load_settings(broker_url=celery.broker.url))

    app.send_task("refresh_single_account_token", [aged[GOOD]], queue=MAINTENANCE)
    celery.wait_until(lambda: account(stage, aged[GOOD]).expires_at != before[GOOD], "refreshed by hand")
    assert account(stage, aged[EXPIRING]).expires_at == before[EXPIRING]

    app.send_task("cleanup_expired_tokens", queue=MAINTENANCE)
    celery.wait_until(lambda: account(stage, aged[DEAD]).status == "expired", "called dead")
    assert account(stage, aged[EXPIRING]).expires_at == before[EXPIRING]

    app.send_task("refresh_expiring_tokens", queue=MAINTENANCE)
    celery.wait_until(lambda: account(stage, aged[EXPIRING]).expires_at != before[EXPIRING], "refreshed")
    assert renewals(stage) == 2


def account(stage: Theatre, account_id: str) -> SocialAccount:
    """The account as stored."""
    with stage.product.db.reading() as session:
        return accounts.get(session, account_id)


def renewals(stage: Theatre) -> int:
    """How often the platform gave a new token, by its own count."""
    return sum(request["status"] == 200 for request in stage.world.requests(INSTAGRAM.refresh_operation))


def recur_daily(stage: Theatre, account_id: str) -> None:
    """A photo each morning from tomorrow on."""
    stage.clock.refresh()
    starts_at = (stage.clock() + timedelta(days=1)).replace(tzinfo=None, microsecond=0)
    post = {"clip_ids": [stage.shelf["photo-1"].id], "caption": "Good morning", "targets": [{"account_id": account_id}]}
    wanted = RecurrenceIn.model_validate({"rule": "FREQ=DAILY", "starts_at": starts_at, "timezone": "Europe/Berlin", "post": post})
    with stage.product.db.writing() as session:
        recurring.create(session, wanted, stage.product.platforms, stage.clock())


def posts(stage: Theatre) -> int:
    """How many posts there are."""
    with stage.product.db.reading() as session:
        return session.scalar(select(func.count()).select_from(Post)) or 0
