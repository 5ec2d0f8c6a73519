"""Celery's real workers keep the promise: whatever pool, broker and database they run on, and whatever dies."""

import os
import signal

import pytest

from clipcast.publications.states import State
from contract.platforms import TIKTOK
from process.brokers import Broker
from process.celery_theatre import CeleryTheatre, celery_theatre
from process.theatre import Theatre

LEASE_S = 1.5


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("pool", ["threads", "prefork", "solo"])
def test_every_pool_on_every_broker(stage: Theatre, broker: Broker, pool: str) -> None:
    """Nothing but the environment and the `celery` command; two beats at once; SIGTERM ends it in order."""
    published = [stage.publish(flow) for flow in TIKTOK.flows]
    with celery_theatre(stage, broker) as celery:
        worker = celery.worker(pool=pool, concurrency=3, app="clipcast.worker.celery:app")
        beats = [celery.beat("clipcast.worker.celery:app") for _ in range(2)]

        celery.wait_for(published)

        assert [celery.stop(process) for process in (*beats, worker)] == [0, 0, 0]
        celery.check(published)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_on_one_machine_with_sqlite(celery: CeleryTheatre) -> None:
    """Two workers of several processes each share one SQLite file: nothing that is open crosses a fork."""
    published = [celery.stage.publish(flow) for flow in TIKTOK.flows * 2]
    for _ in range(2):
        celery.worker(pool="prefork", concurrency=2)
    celery.beat()

    celery.wait_for(published)

    celery.check(published)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_killed_in_the_middle_of_an_upload(celery: CeleryTheatre, pool: str) -> None:
    """SIGKILL with bytes on the wire; another worker finishes it, once."""
    publication_id = celery.stage.publish(TIKTOK.flow("direct"))
    celery.worker(pool=pool, concurrency=2, kill={"publication": publication_id, "sent_bytes": 1, "label": "bytes alone"})
    celery.beat()
    story = celery.stage.directory / "story"
    celery.wait_until(story.exists, "killed")

    celery.worker()

    celery.wait_for([publication_id])
    celery.check([publication_id])
    assert story.read_text().startswith("sent ")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_a_stopped_worker_wakes_up_to_nothing(celery: CeleryTheatre, pool: str) -> None:
    """SIGSTOP for longer than the lease; another worker does the rest; after SIGCONT no request and no write follows."""
    stage = celery.stage
    publication_id = stage.publish(TIKTOK.flow("direct"))
    kill = {"publication": publication_id, "moment": "before send", "label": "upload.chunk", "signal": signal.SIGSTOP}
    frozen = celery.worker(pool=pool, concurrency=2, lease_s=LEASE_S, kill=kill)
    celery.beat()
    celery.wait_until((stage.directory / "story").exists, "stopped")
    celery.kill(frozen, signal.SIGSTOP)
    celery.worker(lease_s=LEASE_S)
    celery.wait_until(lambda: stage.row(publication_id).next_action_at is None, "published and over")
    requests, row, told = stage.world.requests(), stage.row(publication_id), lost_leases(celery)

    def woken() -> bool:
        """Again and again: frozen on its way to stopping itself, it does so after the first signal."""
        os.killpg(frozen.pid, signal.SIGCONT)
        return lost_leases(celery) > told

    celery.wait_until(woken, "told that it lost its lease")

    assert [request["id"] for request in stage.world.requests()] == [request["id"] for request in requests]
    assert stage.row(publication_id).updated_at == row.updated_at
    celery.check([publication_id])


def lost_leases(celery: CeleryTheatre) -> int:
    """How often a worker said that it lost one."""
    return celery.log.read_text().count("publication.lease_lost")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_a_worker_asked_to_end_puts_its_upload_down(celery: CeleryTheatre, pool: str) -> None:
    """SIGTERM while the platform takes its time: the worker ends at the next save, and gives the rest to others at once."""
    stage = celery.stage
    publication_id = stage.publish(TIKTOK.flow("direct"))
    with stage.world.settings(delay_min_s=1.0, delay_max_s=1.0):
        worker = celery.worker(pool=pool, concurrency=2)
        celery.beat()
        celery.wait_until(lambda: stage.row(publication_id).lease_token is not None, "begun")
        assert celery.stop(worker) == 0
    assert stage.row(publication_id).state in {State.SCHEDULED, State.UPLOADING}
    assert stage.row(publication_id).lease_token is None

    celery.worker(pool=pool)

    celery.wait_for([publication_id])
    celery.check([publication_id])
