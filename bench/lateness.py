"""From due to first request: 1,000 posts falling due over a minute among 100,000 scheduled, with the embedded worker."""

import statistics
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench import engine, world
from clipcast.clips.sample import make_sample_video
from clipcast.publications.observer import Moment, Silent
from clipcast.settings import load_settings
from clipcast.system import Clipcast
from clipcast.worker.embedded import EmbeddedWorker
from clipcast.worker.presence import Presence

DUE = 1_000
OVER_S = 60
SCHEDULED = 100_000
ACCOUNTS = 50
TARGET_MS = 250


class FirstSends(Silent):
    """Remembers when each publication first sent something."""

    def __init__(self) -> None:
        self.at_of: dict[str, datetime] = {}
        self.all_sent = threading.Event()

    def at(self, moment: Moment, publication_id: str, label: str) -> None:
        """Note the first request of each publication."""
        del label
        if moment == "before send" and publication_id not in self.at_of:
            self.at_of[publication_id] = datetime.now(UTC)
            if len(self.at_of) == DUE:
                self.all_sent.set()


def measure() -> list[str]:
    """Percentiles of the lateness in milliseconds."""
    with tempfile.TemporaryDirectory() as directory:
        late_ms = sorted(_late_ms(Path(directory)))
    cut = statistics.quantiles(late_ms, n=100)
    what = f"{DUE:,} posts due over {OVER_S} s among {SCHEDULED:,} scheduled, SQLite, 8 threads"
    return [f"{what}: p50 {cut[49]:.0f} ms, p99 {cut[98]:.0f} ms (target below {TARGET_MS}), max {late_ms[-1]:.0f} ms"]


def _late_ms(directory: Path) -> list[float]:
    watch = FirstSends()
    with engine.simulator(directory / "simulator") as url:
        world.opened(directory / "data").close()
        settings = load_settings(data_dir=directory / "data", tiktok_api_url=f"{url}/tiktok", log_level="error")
        clipcast = Clipcast.open(settings, observer=watch)
        account_ids = [engine.account(clipcast, url, f"bench{number}") for number in range(ACCOUNTS)]
        clip = clipcast.library.add_file(make_sample_video(directory / "clip.mp4", seconds=1))
        due_of = _schedule(clipcast, clip.id, account_ids)
        presence = Presence(settings.data_dir)
        worker = EmbeddedWorker(clipcast.db, clipcast.driver, clipcast.clock, presence, threads=8)
        worker.start()
        watch.all_sent.wait(OVER_S * 4)
        worker.stop()
        presence.close()
        clipcast.close()
    return [(watch.at_of[each] - due).total_seconds() * 1000 for each, due in due_of.items()]


def _schedule(clipcast: Clipcast, clip_id: str, account_ids: list[str]) -> dict[str, datetime]:
    now = clipcast.clock()
    with clipcast.db.writing() as session:
        world.add_publications(
            session, clip_id, [now + timedelta(days=1, seconds=number) for number in range(SCHEDULED)], now, account_ids[0]
        )
    start = clipcast.clock() + timedelta(seconds=3)
    due_of: dict[str, datetime] = {}
    share = DUE // ACCOUNTS
    with clipcast.db.writing() as session:
        for number, account_id in enumerate(account_ids):
            due = [start + timedelta(seconds=OVER_S * (number + ACCOUNTS * each) / DUE) for each in range(share)]
            due_of |= zip(world.add_publications(session, clip_id, due, now, account_id), due, strict=True)
    time.sleep(max(0.0, (start - clipcast.clock()).total_seconds() - 1))
    return due_of
