"""A worker that dies, freezes or is overtaken while it converts a clip: nothing was sent, so the next one simply begins again."""

import os
import signal
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from clipcast.clips.sample import make_sample_video
from clipcast.clips.store import renditions_of
from clipcast.publications import publishing
from clipcast.publications.states import SUCCESS, State
from contract.platforms import TIKTOK, Flow
from process.theatre import Theatre

LEASE_S = 1.2
CONVERTED = replace(TIKTOK.flow("direct"), clips=("slow motion",), metadata={"auto_fit": True})


@pytest.fixture(scope="session")
def slow_motion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 frames a second, and enough of them that converting takes a moment."""
    return make_sample_video(tmp_path_factory.mktemp("odd") / "slow.mp4", seconds=2, width=720, height=1280, frame_rate=120)


@pytest.fixture
def flow(stage: Theatre, slow_motion: Path) -> Flow:
    stage.shelf["slow motion"] = stage.product.library.add_file(slow_motion)
    return CONVERTED


def converting(stage: Theatre, publication_id: str) -> None:
    """Wait until a worker says that it converts."""
    tick = threading.Event()
    for _ in range(6000):
        if (stage.row(publication_id).note or "").startswith("converting the clip for tiktok"):
            return
        tick.wait(0.005)
    raise AssertionError(f"no worker converted anything: {stage.row(publication_id).note}")


def check_published_once_as_converted(stage: Theatre, publication_id: str) -> None:
    with stage.product.db.reading() as session:
        [rendition] = renditions_of(session, stage.shelf["slow motion"].id)
    [post] = stage.live(publication_id)
    assert post["sha256"] == rendition.sha256
    assert rendition.frame_rate == 60.0
    assert stage.row(publication_id).state == State.PUBLISHED


@pytest.mark.timeout(120)
def test_killed_while_converting_it_is_begun_again(stage: Theatre, flow: Flow) -> None:
    publication_id = stage.publish(flow)
    victim = stage.start()
    converting(stage, publication_id)
    os.kill(victim, signal.SIGKILL)
    assert stage.nursery.wait(victim) == {"signal": signal.SIGKILL}
    assert stage.world.requests("video.init") == []

    stage.finish()

    check_published_once_as_converted(stage, publication_id)


@pytest.mark.timeout(120)
def test_frozen_while_converting_it_wakes_up_to_nothing(stage: Theatre, flow: Flow) -> None:
    publication_id = stage.publish(flow)
    frozen = stage.start(lease_s=LEASE_S)
    converting(stage, publication_id)
    os.kill(frozen, signal.SIGSTOP)
    assert stage.nursery.wait(frozen) == {"stopped": True}
    while stage.row(publication_id).state not in SUCCESS:
        stage.finish(lease_s=LEASE_S)

    os.kill(frozen, signal.SIGCONT)
    assert stage.nursery.wait(frozen) == {"code": 0}

    check_published_once_as_converted(stage, publication_id)
    assert "publication.lease_lost" in stage.log.read_text()


@pytest.mark.timeout(120)
def test_cancelled_while_converting_it_stops(stage: Theatre, flow: Flow) -> None:
    publication_id = stage.publish(flow)
    worker = stage.start(lease_s=LEASE_S)
    converting(stage, publication_id)

    with stage.product.db.writing() as session:
        publishing.cancel(session, publication_id, stage.product.platforms, stage.clock())
    assert stage.nursery.wait(worker) == {"code": 0}

    assert stage.row(publication_id).state == State.CANCELLED
    assert stage.live(publication_id) == []
    with stage.product.db.reading() as session:
        assert renditions_of(session, stage.shelf["slow motion"].id) == []
