"""Handing out: each due publication is told of once, in a fair order; a lost message is sent again, and a doubled one finds nothing."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import pytest

from app.worker.rows import change, claimed, written
from clipcast.db.engine import Database
from clipcast.publications import handing
from clipcast.publications.handing import AGAIN_AFTER, PER_PLATFORM, SOON, Lane
from clipcast.publications.states import State
from clipcast.worker.dispatch import QUEUE_LENGTH, BrokerAway, Dispatcher
from conftest import MovableClock

Sent = list[tuple[Lane, str]]


class Paper:
    """A broker on paper: what waits in it, and whether it is there."""

    def __init__(self) -> None:
        self.sent: Sent = []
        self.already_waiting = dict.fromkeys(Lane, 0)
        self.is_away = False

    @contextmanager
    def opened(self) -> Iterator["Paper"]:
        yield self

    def waiting(self, lane: Lane) -> int:
        return self.already_waiting[lane]

    def send(self, lane: Lane, publication_ids: Sequence[str]) -> None:
        if self.is_away:
            raise BrokerAway("The broker is away.")
        self.sent += [(lane, publication_id) for publication_id in publication_ids]


@pytest.fixture
def paper() -> Paper:
    return Paper()


@pytest.fixture
def dispatcher(db: Database, clock: MovableClock, paper: Paper) -> Dispatcher:
    return Dispatcher(db, clock, paper.opened)


def test_what_is_due_is_handed_out_once(db: Database, clock: MovableClock, paper: Paper, dispatcher: Dispatcher) -> None:
    """Every second of a day would otherwise send it again; what is due later is not sent at all."""
    [due] = written(db, clock, {"now": [0.0]})["now"]
    written(db, clock, {"later": [60.0]})

    assert [dispatcher.run() for _ in range(3)] == [1, 0, 0]
    assert paper.sent == [(Lane.UPLOADS, due)]


def test_what_was_handed_out_is_anybodys_to_claim(db: Database, clock: MovableClock, dispatcher: Dispatcher) -> None:
    """The one that was told of it, or a worker that found it by itself; whoever comes second finds it held."""
    [due] = written(db, clock, {"one": [0.0]})["one"]
    dispatcher.run()

    assert [len(claimed(db, clock, due)) for _ in range(2)] == [1, 0]


def test_a_lost_message_is_sent_again(db: Database, clock: MovableClock, paper: Paper, dispatcher: Dispatcher) -> None:
    """After a while; not while somebody holds it, and not once it is over."""
    lost, held = (ids[0] for ids in written(db, clock, {"one": [0.0], "two": [0.0]}).values())
    dispatcher.run()
    claimed(db, clock, held)

    clock.advance(AGAIN_AFTER.total_seconds() - 0.1)
    assert dispatcher.run() == 0
    change(db, held, lease_until=clock() + timedelta(seconds=30))
    clock.advance(0.1)

    assert dispatcher.run() == 1
    assert paper.sent[-1] == (Lane.UPLOADS, lost)


def test_a_broker_that_is_away_costs_nothing(db: Database, clock: MovableClock, paper: Paper, dispatcher: Dispatcher) -> None:
    """What could not be sent is handed out by the very next round."""
    written(db, clock, {"one": [0.0], "two": [0.0]})
    paper.is_away = True
    with pytest.raises(BrokerAway):
        dispatcher.run()

    paper.is_away = False
    assert dispatcher.run() == 2


def test_bytes_and_questions_wait_in_different_queues(db: Database, clock: MovableClock, paper: Paper, dispatcher: Dispatcher) -> None:
    """By state: whatever may still send bytes is an upload; all that only asks is a poll."""
    ids = {state: written(db, clock, {state: [0.0]}, state=state)[state][0] for state in State}

    dispatcher.run()

    lanes = {publication_id: lane for lane, publication_id in paper.sent}
    uploads = {State.SCHEDULED, State.UPLOADING}
    assert lanes == {ids[state]: Lane.UPLOADS if state in uploads else Lane.POLLS for state in State}


def test_an_account_takes_one_turn_at_a_time(db: Database, clock: MovableClock, paper: Paper, dispatcher: Dispatcher) -> None:
    """Its posts begin in the order in which they are due; the next one follows when the one before has stepped aside."""
    first, second, third = written(db, clock, {"one": [-3.0, -2.0, -1.0]})["one"]

    def following() -> str | None:
        with db.reading() as session:
            return handing.next_of_account(session, clock(), first)

    assert dispatcher.run() == 1
    claimed(db, clock, first)
    assert following() is None
    assert dispatcher.run() == 0

    change(db, first, state=State.PROCESSING, next_action_at=clock() + timedelta(seconds=5), lease_token=None, lease_until=None)
    assert following() == second
    dispatcher.hand_on(second)
    dispatcher.hand_on(second)
    assert following() is None
    change(db, second, state=State.FAILED, next_action_at=None, lease_until=None)
    dispatcher.run()

    assert paper.sent == [(Lane.UPLOADS, first), (Lane.UPLOADS, second), (Lane.UPLOADS, third)]


def test_a_post_in_trouble_holds_up_no_other_of_its_account(db: Database, clock: MovableClock, dispatcher: Dispatcher) -> None:
    """It waits for its next try, and gives its turn away meanwhile."""
    troubled, _ = written(db, clock, {"one": [-2.0, -1.0]})["one"]
    change(db, troubled, next_action_at=clock() + timedelta(minutes=10), failures=3)

    assert dispatcher.run() == 1


def test_platforms_take_turns(db: Database, clock: MovableClock, paper: Paper, dispatcher: Dispatcher) -> None:
    """Hundreds of posts to one platform, due long ago, do not stand before the first one of another, and not all are out at once."""
    written(db, clock, {f"t{number}": [-600.0] for number in range(QUEUE_LENGTH + 10)})
    [other] = written(db, clock, {"y": [0.0]}, platform="youtube")["y"]

    assert dispatcher.run() == PER_PLATFORM + 1
    assert other in [publication_id for _, publication_id in paper.sent[:2]]
    assert dispatcher.run() == 0

    claimed(db, clock, paper.sent[2][1])
    assert dispatcher.run() == 1


def test_who_gets_done_takes_up_what_found_no_place(db: Database, clock: MovableClock, dispatcher: Dispatcher) -> None:
    """The oldest, of the platforms that have a place now; nothing whose message is still on its way, and nothing that somebody has."""
    older, newer = (written(db, clock, {name: [since]})[name][0] for name, since in {"a": -5.0, "b": -2.0}.items())
    [of_another] = written(db, clock, {"y": [-9.0]}, platform="youtube")["y"]
    [poll] = written(db, clock, {"p": [0.0]}, state=State.PROCESSING)["p"]

    def found(*platforms: str, lanes: Sequence[Lane] = (Lane.UPLOADS,)) -> str | None:
        with db.reading() as session:
            return handing.turned_away(session, clock(), lanes, platforms)

    dispatcher.run()
    assert found("tiktok", "youtube") is None
    for each in (newer, older, of_another, poll):
        take_back(db, each, until_s=SOON.total_seconds(), clock=clock)

    assert [found("tiktok"), found("tiktok", "youtube"), found("instagram"), found()] == [older, of_another, None, None]
    assert [found("tiktok", lanes=lanes) for lanes in ([Lane.POLLS, Lane.UPLOADS], [Lane.UPLOADS, Lane.POLLS])] == [poll, older]
    claimed(db, clock, older)
    assert found("tiktok") == newer
    clock.advance(SOON.total_seconds())
    assert found("tiktok") is None
    assert dispatcher.run() == 3


def test_a_full_queue_takes_no_more(db: Database, clock: MovableClock, paper: Paper, dispatcher: Dispatcher) -> None:
    """Whether its workers are slow or gone: the rest waits in the database, and the other queue is filled as ever."""
    written(db, clock, {f"a{number}": [0.0] for number in range(10)})
    [poll] = written(db, clock, {"p": [0.0]}, state=State.PROCESSING)["p"]
    paper.already_waiting[Lane.UPLOADS] = QUEUE_LENGTH

    assert dispatcher.run() == 1
    assert paper.sent == [(Lane.POLLS, poll)]

    paper.already_waiting[Lane.UPLOADS] = QUEUE_LENGTH - 5
    assert dispatcher.run() == 5


def test_taken_back_it_is_handed_out_again_at_once_or_later(db: Database, clock: MovableClock, dispatcher: Dispatcher) -> None:
    """But never from under somebody who holds it."""
    [due] = written(db, clock, {"one": [0.0]})["one"]
    dispatcher.run()
    take_back(db, due)
    assert dispatcher.run() == 1

    take_back(db, due, until_s=2.0, clock=clock)
    assert dispatcher.run() == 0
    clock.advance(2)
    assert dispatcher.run() == 1

    claimed(db, clock, due)
    take_back(db, due)
    assert dispatcher.run() == 0


def test_what_a_crew_holds_is_counted_by_platform(db: Database, clock: MovableClock) -> None:
    """Under its own name only, and while its leases last."""
    ids = written(db, clock, {"a": [0.0], "b": [0.0]})
    youtube = written(db, clock, {"c": [0.0]}, platform="youtube")
    claimed(db, clock, ids["a"][0], owner="boot-7-100")
    claimed(db, clock, ids["b"][0], owner="boot-7-101")
    claimed(db, clock, youtube["c"][0], owner="boot-77-1")

    with db.reading() as session:
        assert handing.held_by(session, clock(), "boot-7-") == {"tiktok": 2}
        assert handing.platforms_waiting(session, clock()) == set()
        assert handing.held_by(session, clock() + timedelta(minutes=1), "boot-7-") == {}
        assert handing.platforms_waiting(session, clock() + timedelta(minutes=1)) == {"tiktok", "youtube"}


def take_back(db: Database, publication_id: str, *, until_s: float | None = None, clock: MovableClock | None = None) -> None:
    until = clock() + timedelta(seconds=until_s) if clock and until_s else None
    with db.writing() as session:
        handing.take_back(session, [publication_id], until=until)
