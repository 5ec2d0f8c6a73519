"""What `clipcast worker --json` says is for others; that nobody can hear it changes nothing."""

from contextlib import suppress
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from clipcast.cli.event_lines import EventLines

FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="only Linux has a disk that is always full")
def test_a_full_disk_is_told_once_and_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with suppress(OSError), FULL.open("w") as full:  # what lies in its buffer is lost when it is closed
        monkeypatch.setattr("sys.stdout", full)
        lines = EventLines()

        with capture_logs() as logs:
            lines.sent("publication", 1, 2)
            lines.sent("publication", 2, 2)

        assert [(entry["event"], entry["reason"]) for entry in logs] == [("worker.events_not_told", "No space left on device")]
