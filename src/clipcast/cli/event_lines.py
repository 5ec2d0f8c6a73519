"""What `clipcast worker --json` tells a program."""

import json
import sys
import threading
from typing import Any

from clipcast.log import get_logger
from clipcast.publications.observer import Ending, Moment, Silent

log = get_logger(__name__)


class EventLines(Silent):
    """Tells a program what happens: one JSON object per line on standard output."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_told = False

    def at(self, moment: Moment, publication_id: str, label: str) -> None:
        """The driver reached this point."""
        self._tell(event="at", publication=publication_id, moment=moment, label=label)

    def sent(self, publication_id: str, sent_bytes: int, total_bytes: int) -> None:
        """So many bytes of so many are with the platform or on their way."""
        self._tell(event="sent", publication=publication_id, sent_bytes=sent_bytes, total_bytes=total_bytes)

    def stage(self, publication_id: str, stage: str) -> None:
        """The publication's flow reached this stage."""
        self._tell(event="stage", publication=publication_id, stage=str(stage))

    def ended(self, ending: Ending) -> None:
        """The publication reached a final state, or waits for a person."""
        self._tell(event="ended", publication=ending.publication.id, outcome=ending.outcome, duration_s=ending.duration_s)

    def _tell(self, **fields: Any) -> None:
        # A reader that went away, or a file whose disk is full, must not stop the work, let alone look like trouble with a clip.
        with self._lock:
            try:
                sys.stdout.write(json.dumps(fields) + "\n")
                sys.stdout.flush()
            except (OSError, ValueError) as error:
                if not self._is_told:
                    log.warning("worker.events_not_told", reason=getattr(error, "strerror", None) or type(error).__name__)
                self._is_told = True
