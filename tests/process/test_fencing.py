"""A worker that stands still for longer than its lease has lost its work: it can neither send nor write any more."""

import os
import signal
from collections import Counter

import pytest

from clipcast.publications.states import SUCCESS
from contract.platforms import TIKTOK
from contract.world import Json
from process.theatre import Theatre

LEASE_S = 1.2

POINTS: dict[str, tuple[str, Json]] = {
    "before the upload is sent": ("direct", {"moment": "before send", "label": "upload.chunk"}),
    "in the middle of the upload": ("direct", {"sent_bytes": 1}),
    "before the upload's answer is saved": ("inbox", {"moment": "before save", "label": "upload.chunk answered"}),
    "before the photos are sent": ("photos", {"moment": "before send", "label": "photo.init"}),
    "after the pull's answer is saved": ("pull", {"moment": "after save", "label": "video.init answered"}),
}


@pytest.mark.timeout(600)
def test_stopped_workers_wake_up_to_nothing(stage: Theatre) -> None:
    """SIGSTOP for longer than the lease, at five points; another worker does the rest; after SIGCONT no request and no write follows."""
    for flow, point in POINTS.values():
        publication_id = stage.publish(TIKTOK.flow(flow))
        frozen = stage.start({"publication": publication_id, "signal": signal.SIGSTOP, **point}, lease_s=LEASE_S)
        assert stage.nursery.wait(frozen) == {"stopped": True}
        while stage.row(publication_id).state not in SUCCESS:
            stage.finish(lease_s=LEASE_S)
        requests, row = stage.world.requests(), stage.row(publication_id)

        os.kill(frozen, signal.SIGCONT)
        assert stage.nursery.wait(frozen) == {"code": 0}

        assert [request["id"] for request in stage.world.requests()] == [request["id"] for request in requests]
        assert stage.row(publication_id).updated_at == row.updated_at
    assert stage.wrongs() == []
    assert stage.log.read_text().count("publication.lease_lost") >= len(POINTS)


@pytest.mark.timeout(600)
def test_two_workers_never_do_the_same_step(stage: Theatre) -> None:
    """Two processes on one database share the work: each request reaches the platform once."""
    for number in range(24):
        stage.publish(TIKTOK.flows[number % 4])

    workers = [stage.start(), stage.start()]
    assert [stage.nursery.wait(worker) for worker in workers] == [{"code": 0}, {"code": 0}]

    assert stage.wrongs() == []
    requests = [request for request in stage.world.requests() if request["operation"] != "status"]
    assert set(Counter((request["username"], request["operation"]) for request in requests).values()) == {1}
