"""The table of states, tested whole."""

import pytest

from clipcast.errors import IllegalTransition
from clipcast.publications.states import FINAL, STATUS, SUCCESS, TRANSITIONS, Event, State, after


def reachable(start: State) -> set[State]:
    found, todo = {start}, [start]
    while todo:
        for following in TRANSITIONS[todo.pop()].values():
            if following not in found:
                found.add(following)
                todo.append(following)
    return found


def test_every_state_has_a_row_and_a_word_for_the_log() -> None:
    assert set(TRANSITIONS) == set(State) == set(STATUS)


def test_every_state_can_be_reached_from_the_beginning() -> None:
    assert reachable(State.SCHEDULED) == set(State)


@pytest.mark.parametrize("state", [state for state in State if state not in FINAL])
def test_every_unfinished_state_can_end_well_and_badly(state: State) -> None:
    ends = reachable(state)

    assert State.PUBLISHED in ends
    assert State.FAILED in ends


@pytest.mark.parametrize("state", sorted(SUCCESS))
def test_a_success_never_becomes_anything_else(state: State) -> None:
    assert set(TRANSITIONS[state].values()) <= SUCCESS


def test_cancelled_is_the_end() -> None:
    assert TRANSITIONS[State.CANCELLED] == {}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Event)
def test_a_step_that_the_table_does_not_know_is_refused(state: State, event: Event) -> None:
    if event in TRANSITIONS[state]:
        assert after(state, event) is TRANSITIONS[state][event]
    else:
        with pytest.raises(IllegalTransition, match=f"{state}.*{event}"):
            after(state, event)
