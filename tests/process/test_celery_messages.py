"""Messages hold no truth: what is lost is sent again, and what comes twice finds nothing to do."""

from collections import Counter

import pytest

from clipcast.publications.handing import Lane
from clipcast.settings import load_settings
from clipcast.worker.broker import celery_app
from clipcast.worker.outbox import connected
from contract.platforms import TIKTOK
from process.brokers import Broker
from process.celery_serving import purged, waiting
from process.celery_theatre import celery_theatre
from process.theatre import Theatre

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

AGAIN_S = 2.0
TIMES = 5


@pytest.mark.parametrize("broker", ["redis"], indirect=True)
def test_a_purged_queue_is_filled_again(stage: Theatre, broker: Broker) -> None:
    """All messages are thrown away while nobody takes them; each of them is sent once more after a while."""
    published = [stage.publish(flow) for flow in TIKTOK.flows]
    app = celery_app(load_settings(broker_url=broker.url))
    with celery_theatre(stage, broker) as celery:
        celery.worker("--queues=maintenance", again_s=AGAIN_S)
        celery.beat()
        celery.wait_until(lambda: waiting(app, Lane.UPLOADS) >= len(published), "handed out")

        assert purged(app, Lane.UPLOADS) >= len(published)
        celery.worker("--queues=uploads,polls")

        celery.wait_for(published)
        celery.check(published)


@pytest.mark.parametrize("broker", ["rabbitmq"], indirect=True)
def test_doubled_messages_publish_once(stage: Theatre, broker: Broker) -> None:
    """Five of each, in both queues, for two workers: no step reaches the platform twice."""
    published = [stage.publish(flow) for flow in TIKTOK.flows]
    with connected(celery_app(load_settings(broker_url=broker.url))) as outbox:
        for lane in (*Lane, *Lane):
            outbox.waiting(lane)
            outbox.send(lane, published * TIMES)
    with celery_theatre(stage, broker) as celery:
        for _ in range(2):
            celery.worker()
        celery.beat()

        celery.wait_for(published)

        celery.check(published)
        steps = [request for request in stage.world.requests() if request["operation"] != "status"]
        assert set(Counter((each["username"], each["operation"]) for each in steps).values()) == {1}


@pytest.mark.parametrize(
    ("broker", "pool"), [("rabbitmq", "threads"), ("rabbitmq", "prefork"), ("redis", "prefork"), ("redis", "solo")], indirect=["broker"]
)
def test_a_lost_connection_costs_nothing(stage: Theatre, broker: Broker, pool: str) -> None:
    """The broker closes every connection in the middle of an upload: the same worker ends it, once, and takes what comes after."""
    published = [stage.publish(TIKTOK.flow("direct"))]
    with celery_theatre(stage, broker) as celery:
        worker = celery.worker(pool=pool, concurrency=2)
        celery.beat()
        with stage.world.settings(delay_min_s=0.3, delay_max_s=0.3):
            celery.wait_until(lambda: stage.row(published[0]).lease_token is not None, "begun")
            broker.cut()
            published.append(stage.publish(TIKTOK.flow("photos")))
        celery.wait_for(published)

        celery.check(published)
        assert stage.row(published[0]).attempt == 1
        assert celery.stop(worker) == 0
