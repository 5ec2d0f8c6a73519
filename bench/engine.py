"""Publications per second through the whole engine: 1 MB clips, the embedded worker, the simulator in another process without delay."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import urllib3

from bench import world
from clipcast.clips.sample import make_sample_video
from clipcast.publications import store
from clipcast.publications.states import State
from clipcast.system import Clipcast
from clipcast.worker.embedded import EmbeddedWorker
from clipcast.worker.presence import Presence

ACCOUNTS = 20  # five posts each: TikTok takes six a minute, and the engine would wait
PUBLICATIONS = 100
ROUNDS = 3
CLIP_BYTES = 1_000_000


def measure() -> list[str]:
    """The rate from the first claim to the last confirmation."""
    rates = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as directory:
            rates.append(_round(Path(directory)))
    what = f"{PUBLICATIONS} direct posts of {CLIP_BYTES:,} bytes over {ACCOUNTS} accounts"
    return [f"{what}, SQLite, 8 threads: {world.summary(rates, 'publications/s')}"]


def _round(directory: Path) -> float:
    with simulator(directory / "simulator") as url:
        clipcast = world.opened(directory / "data", tiktok_api_url=f"{url}/tiktok")
        account_ids = [account(clipcast, url, f"bench{number}") for number in range(ACCOUNTS)]
        clip = clipcast.library.add_file(make_sample_video(directory / "clip.mp4", min_bytes=CLIP_BYTES))
        now = clipcast.clock()
        with clipcast.db.writing() as session:
            ids = [
                publication_id
                for account_id in account_ids
                for publication_id in world.add_publications(session, clip.id, [now] * (PUBLICATIONS // ACCOUNTS), now, account_id)
            ]
        elapsed_s = _until_final(clipcast, ids)
        clipcast.close()
    return PUBLICATIONS / elapsed_s


def _until_final(clipcast: Clipcast, ids: list[str]) -> float:
    presence = Presence(clipcast.settings.data_dir)
    worker = EmbeddedWorker(clipcast.db, clipcast.driver, clipcast.clock, presence, threads=8)
    start = time.perf_counter()
    worker.start()
    while True:
        with clipcast.db.reading() as session:
            if not store.unfinished(session, ids):
                elapsed_s = time.perf_counter() - start
                states = {row.state for row in store.by_ids(session, ids)}
                break
        time.sleep(0.02)
    worker.stop()
    presence.close()
    assert states == {State.PUBLISHED}, states
    return elapsed_s


def account(clipcast: Clipcast, url: str, username: str) -> str:
    """A live account of the simulator without a daily cap."""
    body = json.dumps({"daily_post_cap": 1_000_000}).encode()
    answer = urllib3.request("PUT", f"{url}/_simulator/tiktok/accounts/{username}", body=body, headers={"Content-Type": "application/json"})
    given = answer.json()
    names = ("client_key", "client_secret", "access_token", "refresh_token", "open_id")
    return world.add_account(clipcast, username, **{name: str(given[name]) for name in names})


@contextmanager
def simulator(state_dir: Path) -> Iterator[str]:
    """The simulator in another process: no delays, no failures, no per-minute limits."""
    port = world.free_port()
    command = [sys.executable, "-m", "clipcast_simulator", "--port", str(port), "--state-dir", str(state_dir)]
    process = subprocess.Popen([*command, "--delay-min-s", "0", "--delay-max-s", "0", "--failure-rate", "0"], stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        world.wait_for(f"{url}/_simulator/")
        knobs = {"processing_s": 0, "moderation_s": 0, "tiktok": {"per_minute_limits": "off"}}
        answer = urllib3.request(
            "PUT", f"{url}/_simulator/settings", body=json.dumps(knobs).encode(), headers={"Content-Type": "application/json"}
        )
        assert answer.status == 200, answer.data
        yield url
    finally:
        process.kill()
        process.wait()
