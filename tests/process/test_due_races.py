"""People change their minds at the very second at which a post is due; whatever they are told is what happens."""

import random
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from clipcast.errors import Conflict
from clipcast.posts import compose
from clipcast.posts.schemas import PostChange
from clipcast.publications import publishing
from clipcast.publications.models import Publication
from clipcast.publications.states import SUCCESS, State
from contract.platforms import TIKTOK
from process.celery_theatre import wait_until
from process.theatre import Theatre

RACES = 1_000
ALREADY_SENT = 10
LATER = timedelta(hours=2)


@pytest.mark.timeout(1200)
def test_a_thousand_cancelled_or_moved_at_their_due_second(stage: Theatre) -> None:
    """While a worker begins them, two of three are cancelled and one of three is moved: what was cancelled is nowhere to be seen, and what
    was moved went out at its new time alone."""
    due_at = stage.clock() + timedelta(minutes=30)  # the worker skips the waiting
    publications = [stage.publish(TIKTOK.flows[number % 4], at=due_at) for number in range(RACES)]
    random.Random(11).shuffle(publications)
    worker = stage.start()
    wait_until(lambda: sent(stage) >= ALREADY_SENT, "sent", stage.log)  # whoever asks about those is too late

    answers = {
        each: move(stage, each, due_at + LATER) if number % 3 == 0 else cancel(stage, each) for number, each in enumerate(publications)
    }
    assert stage.nursery.wait(worker) == {"code": 0}
    stage.finish()

    for publication_id, answer in answers.items():
        row, live = stage.row(publication_id), stage.live(publication_id)
        assert len(live) == (1 if row.state in SUCCESS else 0)
        assert row.state in {*SUCCESS, State.CANCELLED}
        if answer == "cancelled":
            assert not live
        elif answer == "moved":
            assert row.started_at is not None
            assert live
            assert row.started_at >= due_at + LATER
        elif answer == "too late":
            assert live
    assert {"cancelled", "moved", "too late"} <= set(answers.values())


def sent(stage: Theatre) -> int:
    """How many the platform has got as a whole: the worker is in the middle of them."""
    with stage.product.db.reading() as session:
        return session.scalar(select(func.count()).where(Publication.state == State.PROCESSING)) or 0


def cancel(stage: Theatre, publication_id: str) -> str:
    """What the person was told."""
    try:
        with stage.product.db.writing() as session:
            state = publishing.cancel(session, publication_id, stage.product.platforms, stage.clock()).state
    except Conflict:
        return "too late"
    return "cancelled" if state == State.CANCELLED else "asked the platform"


def move(stage: Theatre, publication_id: str, at: datetime) -> str:
    """What the person was told."""
    post_id = stage.row(publication_id).post_id
    try:
        with stage.product.db.writing() as session:
            compose.change(session, post_id, PostChange(scheduled_at=at), stage.product.platforms, stage.clock())
    except Conflict:
        return "too late"
    return "moved"
