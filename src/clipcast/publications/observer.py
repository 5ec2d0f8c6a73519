"""Who wants to watch the driver work: progress bars, metrics, and the tests that kill it at every point."""

from typing import Literal, Protocol, TypeAlias

from clipcast.platforms.base import Stage

Moment: TypeAlias = Literal["before save", "after save", "before send", "after send"]


class Observer(Protocol):
    """Hears what the driver does, in the driver's own thread: answer quickly, raise nothing."""

    def at(self, moment: Moment, publication_id: str, label: str) -> None:
        """The driver reached this point; `label` names the request or the save."""

    def sent(self, publication_id: str, sent_bytes: int, total_bytes: int) -> None:
        """So many bytes of so many are with the platform or on their way."""

    def stage(self, publication_id: str, stage: Stage) -> None:
        """The publication's flow reached this stage."""

    def ended(self, publication_id: str, outcome: str, duration_s: float) -> None:
        """The publication reached a final state after so many seconds since its start."""


class Silent:
    """Watches nothing."""

    def at(self, moment: Moment, publication_id: str, label: str) -> None:
        """Nothing to do."""

    def sent(self, publication_id: str, sent_bytes: int, total_bytes: int) -> None:
        """Nothing to do."""

    def stage(self, publication_id: str, stage: Stage) -> None:
        """Nothing to do."""

    def ended(self, publication_id: str, outcome: str, duration_s: float) -> None:
        """Nothing to do."""
