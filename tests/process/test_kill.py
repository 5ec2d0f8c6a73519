"""The promise itself: whatever is killed, wherever, each publication goes out exactly once."""

import itertools
from collections.abc import Callable

import pytest

from contract.platforms import TIKTOK, Flow
from process.theatre import Theatre

FLOWS = ("direct", "inbox", "photos", "pull")
MOST_POINTS = 80


@pytest.mark.timeout(300)
def test_killed_at_every_point(stage: Theatre, record_property: Callable[[str, object], None]) -> None:
    """SIGKILL before and after each save and each send, between the blocks of an upload, and with each answer lost."""
    for name in FLOWS:
        kill_at_every_point(stage, TIKTOK.flow(name))
        kill_with_every_answer_lost(stage, TIKTOK.flow(name))
        kill_while_waiting_for_every_answer(stage, TIKTOK.flow(name))
    kill_while_waiting_for_every_answer(stage, TIKTOK.flow("private photos"))

    stage.finish()

    record_property("verdict", f"{stage.product.db.engine.dialect.name}: {stage.verdict()} ({stage.questions} questions to a person)")
    assert stage.wrongs() == []
    assert stage.needless == [], "a person was asked where the platform could have been"
    assert len(stage.kills) >= 100


def kill_at_every_point(stage: Theatre, flow: Flow) -> None:
    """One publication for each point; each worker also takes over what its killed predecessor left, at once."""
    for number in itertools.count(1):
        publication_id = stage.publish(flow)
        if not stage.work({"publication": publication_id, "number": number}):
            break
    assert 15 < number < MOST_POINTS


def kill_with_every_answer_lost(stage: Theatre, flow: Flow) -> None:
    """The platform did what was asked, the answer got lost on the wire, and then the worker dies as well."""
    for operation in flow.operations:
        for moment in ("before save", "after save"):
            publication_id = stage.publish(flow)
            stage.script(publication_id, operation, "accept-then-drop-answer")
            assert stage.work({"publication": publication_id, "moment": moment, "label": "retry"})


def kill_while_waiting_for_every_answer(stage: Theatre, flow: Flow) -> None:
    """The platform did what was asked, and its answer is on the way when the worker dies."""
    with stage.world.settings(delay_min_s=0.5, delay_max_s=0.5):
        for number in itertools.count(1):
            publication_id = stage.publish(flow)
            if not stage.work({"publication": publication_id, "moment": "before send", "number": number, "delay_s": 0.15}):
                break
    assert number > len(flow.operations)
