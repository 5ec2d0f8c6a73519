"""`clipcast worker`: carries out what is due, without a server."""

import json
import sys
import threading
from typing import Any

from clipcast.cli.opening import opened
from clipcast.cli.output import Json, tell
from clipcast.cli.stopping import asked_to_stop
from clipcast.publications.observer import Moment, Observer, Silent


def worker(as_json: Json = False) -> None:
    """Carry out every publication that is due, until stopped. Several workers may run; none of them posts anything twice.

    With --json, each thing that happens to a publication is one line of JSON on standard output. SIGTERM and Ctrl-C stop it after its step.
    """
    from clipcast.worker.embedded import EmbeddedWorker
    from clipcast.worker.presence import Presence

    observer: Observer = EventLines() if as_json else Silent()
    with asked_to_stop() as asked, opened(observer=observer, log_on_stderr=True) as clipcast:
        threads = clipcast.settings.worker_threads
        presence = Presence(clipcast.settings.data_dir)
        running = EmbeddedWorker(clipcast.db, clipcast.driver, clipcast.clock, presence, threads=threads)
        running.start()
        tell(f"Clipcast works on what is due, {threads} publications at a time. Ctrl-C stops it; nothing is lost.")
        asked.wait()
        running.stop()
        presence.close()


class EventLines(Silent):
    """Tells a program what happens: one JSON object per line on standard output."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def at(self, moment: Moment, publication_id: str, label: str) -> None:
        """The driver reached this point."""
        self._tell(event="at", publication=publication_id, moment=moment, label=label)

    def sent(self, publication_id: str, sent_bytes: int, total_bytes: int) -> None:
        """So many bytes of so many are with the platform or on their way."""
        self._tell(event="sent", publication=publication_id, sent_bytes=sent_bytes, total_bytes=total_bytes)

    def stage(self, publication_id: str, stage: str) -> None:
        """The publication's flow reached this stage."""
        self._tell(event="stage", publication=publication_id, stage=str(stage))

    def ended(self, publication_id: str, outcome: str, duration_s: float) -> None:
        """The publication reached a final state."""
        self._tell(event="ended", publication=publication_id, outcome=str(outcome), duration_s=duration_s)

    def _tell(self, **fields: Any) -> None:
        # A reader that went away must not stop the work.
        with self._lock:
            try:
                sys.stdout.write(json.dumps(fields) + "\n")
                sys.stdout.flush()
            except (BrokenPipeError, ValueError):
                return
