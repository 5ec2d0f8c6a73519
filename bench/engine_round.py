"""One upload by the whole engine in a process of its own: `python -m bench.engine_round PLATFORM BYTES PORT` against the sink at that port.

Prints MB/s from the claim to the end of the upload, and the peak resident memory in MB.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sqlalchemy import update

from bench import world
from clipcast.clips.models import Clip
from clipcast.clips.storage import LocalStorage, key_of
from clipcast.db.base import new_id
from clipcast.publications import claims, store
from clipcast.system import Clipcast

#: Each platform's credentials; Instagram takes bytes only through Facebook's login.
CREDENTIALS: Final[Mapping[str, Mapping[str, str]]] = {
    "tiktok": {"client_key": "k", "client_secret": "s"},
    "youtube": {"client_id": "i", "client_secret": "s"},
    "instagram": {"instagram_account_id": "17841400000000000", "login": "facebook"},
}

FIRST_BYTES: Final = 1_000_000


def run(platform: str, size_bytes: int, port: int) -> tuple[float, float]:
    """One round in another process: MB/s, and the peak resident memory in MB."""
    command = [sys.executable, "-m", "bench.engine_round", platform, str(size_bytes), str(port)]
    rate, memory = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(rate), float(memory)


def peak_mb() -> float:
    """The highest resident memory that this process ever had, in MB."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1000


def addresses(port: int) -> dict[str, Any]:
    """The settings that lead every platform to the sink."""
    sink = f"http://127.0.0.1:{port}"
    names = ("tiktok_api_url", "youtube_api_url", "youtube_upload_url", "instagram_graph_url", "instagram_upload_url")
    return dict.fromkeys(names, sink)


def main(platform: str, size_bytes: int, port: int) -> None:
    """Publish one video of that size from storage."""
    with tempfile.TemporaryDirectory() as directory:
        # In a process of its own, as on a server that was set up before: migrating weighs more than uploading.
        subprocess.run([sys.executable, "-m", "bench.engine_round", directory], check=True)
        clipcast = world.opened(Path(directory), migrated=True, **addresses(port))
        account_id = world.add_account(clipcast, "bench", platform=platform, **CREDENTIALS[platform])
        # A worker that has worked before: what Python compiles and connects for the first upload is not what is measured.
        _publish(clipcast, FIRST_BYTES, platform, account_id)
        elapsed_s = _publish(clipcast, size_bytes, platform, account_id)
        clipcast.close()
    print(size_bytes / 1e6 / elapsed_s, peak_mb())


def _publish(clipcast: Clipcast, size_bytes: int, platform: str, account_id: str) -> float:
    """Drive one video until only the platform works on it; gives the seconds that took."""
    publication_id = _add_sparse_video(clipcast, size_bytes, platform, account_id)
    start = time.perf_counter()
    with clipcast.db.writing() as session:
        (lease,) = claims.claim(session, clipcast.clock(), 1, owner="bench", only=[publication_id])
    clipcast.driver.drive(lease)
    elapsed_s = time.perf_counter() - start
    with clipcast.db.reading() as session:
        row = store.get(session, publication_id)
    assert row.state in {"processing", "published"}, (row.state, row.error_message, row.note)
    assert row.sent_bytes == size_bytes, row.sent_bytes
    return elapsed_s


def _warm(path: Path) -> None:
    """Have the file in the page cache, as a file is that has just come in; the disk is not what is measured."""
    buffer = bytearray(1 << 20)
    with path.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass


def _add_sparse_video(clipcast: Clipcast, size_bytes: int, platform: str, account_id: str) -> str:
    """A clip of that many zeros in storage, which take no room on the disk, and a publication of it that is due."""
    now, storage = clipcast.clock(), clipcast.storage
    assert isinstance(storage, LocalStorage)
    key = key_of(new_id().replace("-", "") * 2, "mp4")
    path = storage.path(key)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        os.truncate(file.fileno(), size_bytes)
    _warm(path)
    with clipcast.db.writing() as session:
        clip_id = world.add_clip(session, now)
        facts = {"storage_key": key, "size_bytes": size_bytes, "duration_s": 60.0, "frame_rate": 30.0, "video_codec": "h264"}
        session.execute(update(Clip).where(Clip.id == clip_id).values(**facts))
        order = {"title": "bench", "caption": "bench"}
        (publication_id,) = world.add_publications(session, clip_id, [now], now, account_id, platform=platform, order=order)
    return publication_id


if __name__ == "__main__":
    if len(sys.argv) == 2:
        world.opened(Path(sys.argv[1])).close()
        sys.exit()
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
