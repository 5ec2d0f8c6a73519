"""People and workers reach for the same publication at the same moment; the database decides, and everybody is told the truth."""

import random
from collections.abc import Callable
from contextlib import suppress

import pytest

from clipcast.errors import Conflict
from clipcast.publications import publishing, store
from clipcast.publications.models import Publication
from clipcast.publications.states import FINAL, SUCCESS, State
from contract.platforms import TIKTOK
from process.theatre import Theatre

RACES = 200


@pytest.mark.timeout(1200)
def test_cancelling_races_the_driver(stage: Theatre) -> None:
    """200 publications are withdrawn while a worker is at them: each is cancelled or published, as its answer said."""
    publications = [stage.publish(TIKTOK.flows[number % 4]) for number in range(RACES)]
    answers: dict[str, State | None] = {}

    def cancel(publication_id: str) -> None:
        try:
            with stage.product.db.writing() as session:
                answer = publishing.cancel(session, publication_id, stage.product.platforms, stage.clock())
            answers[publication_id] = State(answer.state)
        except Conflict:
            answers[publication_id] = None

    reach_for(stage, publications, cancel)

    for publication_id in publications:
        is_live, state = bool(stage.live(publication_id)), stage.row(publication_id).state
        assert is_live == (state in SUCCESS)
        assert state in {*SUCCESS, State.CANCELLED}
        assert is_live or answers[publication_id] is not None
        assert not is_live or answers[publication_id] != State.CANCELLED
    assert {State.CANCELLED, None} <= set(answers.values())


@pytest.mark.timeout(1200)
def test_urging_races_the_driver(stage: Theatre) -> None:
    """Trying again by hand and hints from webhooks, while a worker is at it, make nothing happen twice."""
    publications = [stage.publish(TIKTOK.flows[number % 4]) for number in range(60)]

    def urge(publication_id: str) -> None:
        for change in (publishing.ask_platform_now, publishing.try_again):
            with suppress(Conflict), stage.product.db.writing() as session:
                change(session, publication_id, stage.product.platforms, stage.clock())

    reach_for(stage, publications, urge, once=False)

    assert stage.wrongs() == []
    assert stage.questions == 0


def reach_for(stage: Theatre, publications: list[str], act: Callable[[str], None], *, once: bool = True) -> None:
    """While a worker works, `act` on publications that it has begun and not finished, in random order; each once, or again and again."""
    chance = random.Random(7)
    worker, waiting = stage.start(), set(publications)
    while waiting:
        rows = rows_of(stage, waiting)
        waiting -= {row.id for row in rows if row.state in FINAL}
        begun = [row.id for row in rows if row.state not in FINAL and row.state != State.SCHEDULED]
        if begun:
            chosen = chance.choice(begun)
            act(chosen)
            waiting -= {chosen} if once else set()
    assert stage.nursery.wait(worker) == {"code": 0}
    stage.finish()


def rows_of(stage: Theatre, publication_ids: set[str]) -> list[Publication]:
    with stage.product.db.reading() as session:
        return store.by_ids(session, sorted(publication_ids))
