"""The states of a publication and what may follow what: the only place that knows."""

from enum import StrEnum
from typing import Final

from clipcast.errors import IllegalTransition


class State(StrEnum):
    """Where a publication is."""

    SCHEDULED = "scheduled"  #: waiting for its moment; may still be cancelled
    UPLOADING = "uploading"  #: being prepared, or bytes are moving; safe to resume
    PROCESSING = "processing"  #: the platform has what it needs and works on it; we only ask
    UNCERTAIN = "uncertain"  #: we asked to publish and lost the answer; look before acting
    PUBLISHED = "published"  #: the platform has it; final
    IN_INBOX = "in_inbox"  #: delivered as a draft that its creator finishes in the app; final unless they do
    FAILED = "failed"  #: will not be tried again without a person; final
    CANCELLED = "cancelled"  #: withdrawn before it could become visible; final


class Event(StrEnum):
    """What moves a publication on."""

    UPLOAD_BEGAN = "upload_began"
    PLATFORM_TOOK_OVER = "platform_took_over"
    ANSWER_LOST = "answer_lost"
    CONFIRMED = "confirmed"
    DELIVERED_TO_INBOX = "delivered_to_inbox"
    STARTED_OVER = "started_over"
    GAVE_UP = "gave_up"
    CANCELLED = "cancelled"


_WORKING: Final = {
    Event.UPLOAD_BEGAN: State.UPLOADING,
    Event.PLATFORM_TOOK_OVER: State.PROCESSING,
    Event.ANSWER_LOST: State.UNCERTAIN,
    Event.CONFIRMED: State.PUBLISHED,
    Event.DELIVERED_TO_INBOX: State.IN_INBOX,
    Event.GAVE_UP: State.FAILED,
    Event.CANCELLED: State.CANCELLED,
}

TRANSITIONS: Final[dict[State, dict[Event, State]]] = {
    State.SCHEDULED: {
        Event.UPLOAD_BEGAN: State.UPLOADING,
        Event.GAVE_UP: State.FAILED,
        Event.CANCELLED: State.CANCELLED,
    },
    State.UPLOADING: _WORKING,
    State.PROCESSING: _WORKING,
    State.UNCERTAIN: {**_WORKING, Event.STARTED_OVER: State.SCHEDULED},
    State.PUBLISHED: {Event.CONFIRMED: State.PUBLISHED},
    State.IN_INBOX: {
        Event.DELIVERED_TO_INBOX: State.IN_INBOX,
        Event.CONFIRMED: State.PUBLISHED,
    },
    State.FAILED: {Event.STARTED_OVER: State.SCHEDULED},
    State.CANCELLED: {},
}

FINAL: Final = frozenset({State.PUBLISHED, State.IN_INBOX, State.FAILED, State.CANCELLED})
"""States that answer the question "did it work?" for good."""

SUCCESS: Final = frozenset({State.PUBLISHED, State.IN_INBOX})

#: The publish log's `status` (mission A2) for each state.
STATUS: Final = {
    State.SCHEDULED: "pending",
    State.UPLOADING: "processing",
    State.PROCESSING: "processing",
    State.UNCERTAIN: "uncertain",
    State.PUBLISHED: "success",
    State.IN_INBOX: "success",
    State.FAILED: "failed",
    State.CANCELLED: "cancelled",
}


def after(state: State, event: Event) -> State:
    """The state that follows.

    Raises:
        IllegalTransition: the table has no such step.

    >>> after(State.UPLOADING, Event.PLATFORM_TOOK_OVER)
    <State.PROCESSING: 'processing'>
    """
    try:
        return TRANSITIONS[state][event]
    except KeyError:
        raise IllegalTransition(f"A publication that is {state} cannot be moved by {event}.") from None
