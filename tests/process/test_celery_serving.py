"""A server with a broker only tells Celery's workers; it answers and loses nothing whatever becomes of the broker."""

import time

import pytest
import urllib3
from prometheus_client.parser import text_string_to_metric_families

from clipcast.publications.states import State
from clipcast.settings import load_settings
from clipcast.worker.broker import MAINTENANCE, celery_app
from clipcast.worker.outbox import KNOCK_EVERY_S, Knocker
from ports import free_port
from process.brokers import RedisServer, is_listening
from process.celery_serving import Server, command, leaves_nothing, waiting
from process.celery_theatre import CeleryTheatre

REAL = "clipcast.worker.celery:app"

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def test_posts_are_taken_while_the_broker_is_away(celery: CeleryTheatre, redis: RedisServer) -> None:
    """The server does not work on them itself; they go out when Redis is back, also when it dies once more in the middle."""
    server = Server(celery)
    redis.kill()
    taken = [server.publish(), server.publish("photos")]
    assert [row.state for row in celery.rows(taken)] == [State.SCHEDULED] * 2
    assert not (celery.stage.directory / "data" / "workers").exists(), "no worker ever ran in the server"

    redis.start()
    celery.worker(app=REAL)
    celery.beat(REAL)
    with celery.stage.world.settings(delay_min_s=0.3, delay_max_s=0.3):
        celery.wait_until(lambda: any(row.started_at for row in celery.rows(taken)), "begun")
        redis.kill()
        taken.append(server.publish())
        redis.start()

    celery.wait_for(taken)
    celery.check(taken)
    assert celery.stop(server.process) == 0


def test_whoever_publishes_knocks(celery: CeleryTheatre) -> None:
    """Nobody waits for the beat: here there is none, and the post is begun all the same."""
    server = Server(celery)
    celery.worker(app=REAL)
    celery.wait_until(lambda: " ready." in celery.log.read_text(), "ready")

    begun = server.publish()

    celery.wait_until(lambda: celery.rows([begun])[0].started_at is not None, "begun")


def test_a_burst_knocks_rarely(celery: CeleryTheatre) -> None:
    """A thousand posts in a row make a few messages and not a thousand; the last one is knocked for too."""
    app = celery_app(load_settings(broker_url=celery.broker.url))
    knocker, began_at_s = Knocker(app), time.monotonic()
    knocker.start()
    for _ in range(1000):
        knocker.wake()
    celery.wait_until(lambda: waiting(app, MAINTENANCE) > 0, "knocked")
    knocker.stop()

    assert waiting(app, MAINTENANCE) <= 2 + (time.monotonic() - began_at_s) / KNOCK_EVERY_S


def test_one_command_is_worker_and_beat(celery: CeleryTheatre) -> None:
    """Two of them do no harm; one that is killed leaves no process behind, and the other does the rest."""
    first, second = (command(celery, "worker", "--beat") for _ in range(2))
    published = [celery.stage.publish(celery.stage.platform.flow("photos")) for _ in range(3)]
    celery.wait_for(published)

    first.kill()
    first.wait()
    assert leaves_nothing(first)
    published.append(celery.stage.publish(celery.stage.platform.flow("direct")))
    celery.wait_for(published)

    celery.check(published)
    assert celery.stop(second) == 0
    assert leaves_nothing(second)


def test_two_workers_cannot_tell_their_numbers_at_one_address(celery: CeleryTheatre) -> None:
    """The first answers before it has anything to do; the second ends with a sentence, before it has taken a message."""
    port = free_port()
    command(celery, "worker", metrics_address=f"127.0.0.1:{port}")
    celery.wait_until(lambda: is_listening(port), "answering")

    second = command(celery, "worker", metrics_address=f"127.0.0.1:{port}")

    assert second.wait(30) != 0
    said = celery.log.read_text()
    assert f"CLIPCAST_METRICS_ADDRESS: 127.0.0.1:{port} cannot be listened on" in said
    assert "Traceback" not in said


def test_every_process_tells_its_numbers(celery: CeleryTheatre) -> None:
    """Under the prefork pool each child has a port of its own, counted from the one that is set."""
    port = free_port(in_a_row=2)
    celery.more_settings["metrics_address"] = f"127.0.0.1:{port}"
    celery.worker(pool="prefork", concurrency=2, app=REAL)
    celery.beat(REAL)
    celery.wait_until(lambda: is_listening(port) and is_listening(port + 1), "answering")
    published = [celery.stage.publish(celery.stage.platform.flow("photos")) for _ in range(4)]
    celery.wait_for(published)

    def told() -> float:
        texts = [urllib3.request("GET", f"http://127.0.0.1:{each}/metrics", retries=False).data.decode() for each in (port, port + 1)]
        return sum(ended(text) for text in texts)

    celery.wait_until(lambda: told() >= len(published), "counted")  # each is stored first
    assert told() == len(published)


def ended(text: str) -> float:
    """How many publications came to their end in this process, by its own count."""
    families = text_string_to_metric_families(text)
    return sum(
        sample.value for family in families for sample in family.samples if sample.name == "clipcast_publication_duration_seconds_count"
    )
