"""The promise itself: whatever is killed, wherever, each publication goes out exactly once."""

import itertools
from collections.abc import Callable

import pytest

from clipcast.publications.states import State
from contract.platforms import PLATFORMS, Flow, PlatformUnderTest
from process.theatre import Theatre

MOST_POINTS = 120


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda platform: platform.title)
def test_killed_at_every_point(stage: Theatre, platform: PlatformUnderTest, record_property: Callable[[str, object], None]) -> None:
    """SIGKILL before and after each save and each send, between the blocks of an upload, and with each answer lost.

    PostgreSQL sees each kind of flow at every point; what the wire does is the same for both databases.
    """
    database = stage.product.db.engine.dialect.name
    for flow in platform.flows:
        if database == "sqlite" or not flow.like:
            kill_at_every_point(stage, flow)
        if database == "sqlite":
            kill_with_every_answer_lost(stage, flow)
            kill_while_waiting_for_every_answer(stage, flow)

    # A draft is looked after for days; what comes after any other success, a link or a cover, is seen through.
    stage.finish(through=all(flow.outcome is State.PUBLISHED for flow in platform.flows))

    told = f"{platform.title} on {database}: {stage.verdict()} ({stage.questions} questions to a person)"
    record_property("verdict", told)
    assert stage.wrongs() == []
    assert stage.needless == [], "a person was asked where the platform could have been"
    assert len(stage.kills) >= (40 if database == "sqlite" else 25)


def kill_at_every_point(stage: Theatre, flow: Flow) -> None:
    """One publication for each point; each worker also takes over what its killed predecessor left, at once."""
    for number in itertools.count(1):
        publication_id = stage.publish(flow)
        if not stage.work({"publication": publication_id, "number": number}):
            break
    assert 6 * len(flow.requests) < number < MOST_POINTS


def kill_with_every_answer_lost(stage: Theatre, flow: Flow) -> None:
    """The platform did what was asked, the answer got lost on the wire, and then the worker dies as well."""
    for place, operation in enumerate(flow.requests):
        for moment in ("before save", "after save"):
            publication_id = stage.publish(flow)
            stage.script(publication_id, operation, "accept-then-drop-answer", after=flow.requests[:place].count(operation))
            assert stage.work({"publication": publication_id, "moment": moment, "label": "retry"})


def kill_while_waiting_for_every_answer(stage: Theatre, flow: Flow) -> None:
    """The platform did what was asked, and its answer is on the way when the worker dies."""
    with stage.world.settings(delay_min_s=0.5, delay_max_s=0.5):
        for number in itertools.count(1):
            publication_id = stage.publish(flow)
            if not stage.work({"publication": publication_id, "moment": "before send", "number": number, "delay_s": 0.15}):
                break
    assert number > len(flow.requests)
