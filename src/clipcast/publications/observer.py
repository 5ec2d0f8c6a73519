"""Who wants to watch the driver work: progress bars, metrics, traces, and the tests that kill it at every point."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from clipcast.platforms.base import Stage

if TYPE_CHECKING:  # commands that only watch need no database
    from clipcast.publications.models import Publication

Moment: TypeAlias = Literal["before save", "after save", "before send", "after send"]

Phase: TypeAlias = Literal["claimed", "first_byte", "accepted", "visible"]
"""The milestones of a publication, after it was due: a worker began it, the first byte of its media left, the platform had all that it
wanted, and the post was found to be out."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request to a platform and what came of it. `url` has no query: that is where tokens travel."""

    publication_id: str
    platform: str
    simulated: bool
    label: str
    method: str
    url: str
    duration_s: float = 0.0
    #: The HTTP status of the answer; None when there was none, and then `error` names what happened instead.
    status: int | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Passage:
    """A milestone, and how long it took since the one before; what the platform fetches itself has no first byte."""

    publication_id: str
    platform: str
    simulated: bool
    phase: Phase
    duration_s: float


@dataclass(frozen=True, slots=True)
class Ending:
    """A publication that reached an end: final, or left to a person. `publication` is the row as the driver found it at its last start."""

    publication: "Publication"
    outcome: str
    simulated: bool
    #: Why, where it did not succeed: the platform's code, or ours.
    error_code: str = ""
    #: From its start, which may have been in another process, to now.
    duration_s: float = 0.0


class Observer(Protocol):
    """Hears what the driver does, in the driver's own thread: answer quickly, raise nothing."""

    def at(self, moment: Moment, publication_id: str, label: str) -> None:
        """The driver reached this point; `label` names the request or the save."""

    def sent(self, publication_id: str, sent_bytes: int, total_bytes: int) -> None:
        """So many bytes of so many are with the platform or on their way."""

    def exchanged(self, exchange: Exchange) -> None:
        """A platform answered, or did not."""

    def stage(self, publication_id: str, stage: Stage) -> None:
        """The publication's flow reached this stage."""

    def passed(self, passage: Passage) -> None:
        """The publication reached a milestone."""

    def lease_lost(self, publication_id: str) -> None:
        """Somebody else carries on: this worker was too slow to renew, or the publication was withdrawn."""

    def ended(self, ending: Ending) -> None:
        """The publication reached a final state, or waits for a person."""


class Silent:
    """Watches nothing."""

    def at(self, moment: Moment, publication_id: str, label: str) -> None:
        """Nothing to do."""

    def sent(self, publication_id: str, sent_bytes: int, total_bytes: int) -> None:
        """Nothing to do."""

    def exchanged(self, exchange: Exchange) -> None:
        """Nothing to do."""

    def stage(self, publication_id: str, stage: Stage) -> None:
        """Nothing to do."""

    def passed(self, passage: Passage) -> None:
        """Nothing to do."""

    def lease_lost(self, publication_id: str) -> None:
        """Nothing to do."""

    def ended(self, ending: Ending) -> None:
        """Nothing to do."""


class Both:
    """Two observers of one driver."""

    def __init__(self, first: Observer, second: Observer) -> None:
        self._both = (first, second)

    def at(self, moment: Moment, publication_id: str, label: str) -> None:
        """Tell both."""
        for observer in self._both:
            observer.at(moment, publication_id, label)

    def sent(self, publication_id: str, sent_bytes: int, total_bytes: int) -> None:
        """Tell both."""
        for observer in self._both:
            observer.sent(publication_id, sent_bytes, total_bytes)

    def exchanged(self, exchange: Exchange) -> None:
        """Tell both."""
        for observer in self._both:
            observer.exchanged(exchange)

    def stage(self, publication_id: str, stage: Stage) -> None:
        """Tell both."""
        for observer in self._both:
            observer.stage(publication_id, stage)

    def passed(self, passage: Passage) -> None:
        """Tell both."""
        for observer in self._both:
            observer.passed(passage)

    def lease_lost(self, publication_id: str) -> None:
        """Tell both."""
        for observer in self._both:
            observer.lease_lost(publication_id)

    def ended(self, ending: Ending) -> None:
        """Tell both."""
        for observer in self._both:
            observer.ended(ending)
