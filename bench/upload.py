"""Uploading 1 GiB in TikTok's chunks: the whole engine against curl sending the same chunks to the same sink, and the engine's memory.

Each side runs in a process of its own. `python -m bench.upload engine SIZE PORT` is one round of the engine.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import update

from bench import world
from clipcast.clips.models import Clip
from clipcast.platforms.tiktok.limits import DEFAULT_CHUNK_BYTES
from clipcast.publications import claims, store
from clipcast.system import Clipcast

SIZE_BYTES = 1 << 30
SMALL_BYTES = 10_000_000
ROUNDS = 5


def measure() -> list[str]:
    """Rates of both, their ratio, and the engine's peak memory for a small and a large file."""
    engine, curl, large_mb = [], [], []
    with world.sink() as port, tempfile.TemporaryDirectory() as directory:
        chunks = _chunk_files(Path(directory))
        for _ in range(ROUNDS):
            rate, memory = _engine_round(SIZE_BYTES, port)
            engine.append(rate)
            large_mb.append(memory)
            curl.append(_curl_round(chunks, port))
        small_mb = [_engine_round(SMALL_BYTES, port)[1] for _ in range(ROUNDS)]
    ratio = statistics.median(engine) / statistics.median(curl)
    growth_mb = statistics.median(large_mb) - statistics.median(small_mb)
    return [
        f"engine, 1 GiB in chunks of {DEFAULT_CHUNK_BYTES:,} bytes: {world.summary(engine, 'MB/s')}",
        f"curl, the same chunks: {world.summary(curl, 'MB/s')}",
        f"engine / curl: {ratio:.2f} (target 0.9 or more)",
        f"engine, peak resident memory with 1 GiB: {world.summary(large_mb, 'MB')} (target below 100)",
        f"engine, peak resident memory with 10 MB: {world.summary(small_mb, 'MB')}",
        f"growth of memory with the file: {growth_mb:.1f} MB (target below 5)",
    ]


def _plan(size_bytes: int) -> list[range]:
    """TikTok's rule, written here once more so that curl's side does not depend on ours: floor, the last chunk takes the remainder."""
    count = max(1, size_bytes // DEFAULT_CHUNK_BYTES)
    starts = [number * DEFAULT_CHUNK_BYTES for number in range(count)]
    return [range(start, stop) for start, stop in zip(starts, [*starts[1:], size_bytes], strict=True)]


def _chunk_files(directory: Path) -> list[tuple[Path, range]]:
    files = []
    for number, part in enumerate(_plan(SIZE_BYTES)):
        path = directory / f"{number:04d}"
        path.write_bytes(bytes(len(part)))
        files.append((path, part))
    return files


def _curl_round(chunks: list[tuple[Path, range]], port: int) -> float:
    command = ["curl", "--silent", "--show-error"]
    for number, (path, part) in enumerate(chunks):
        command += ["--next", "--silent"] if number else []
        command += ["-T", str(path), "-H", f"Content-Range: bytes {part[0]}-{part[-1]}/{SIZE_BYTES}", "-H", "Content-Type: video/mp4"]
        command += ["-H", "Expect:", "-o", os.devnull, f"http://127.0.0.1:{port}/upload?upload_id=1"]
    start = time.perf_counter()
    subprocess.run(command, check=True)
    return SIZE_BYTES / 1e6 / (time.perf_counter() - start)


def _engine_round(size_bytes: int, port: int) -> tuple[float, float]:
    command = [sys.executable, "-m", "bench.upload", "engine", str(size_bytes), str(port)]
    rate, memory = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(rate), float(memory)


def _engine(size_bytes: int, port: int) -> None:
    """Publish one video of that size from storage; prints MB/s and the peak resident memory in MB."""
    with tempfile.TemporaryDirectory() as directory:
        clipcast = world.opened(Path(directory), tiktok_api_url=f"http://127.0.0.1:{port}")
        account_id = world.add_account(clipcast, "bench")
        publication_id = _add_sparse_video(clipcast, size_bytes, account_id)
        start = time.perf_counter()
        with clipcast.db.writing() as session:
            (lease,) = claims.claim(session, clipcast.clock(), 1, owner="bench")
        clipcast.driver.drive(lease)
        elapsed_s = time.perf_counter() - start
        with clipcast.db.reading() as session:
            row = store.get(session, publication_id)
        assert row.state == "processing", (row.state, row.error_message, row.note)
        clipcast.close()
    print(size_bytes / 1e6 / elapsed_s, _peak_mb())


def _add_sparse_video(clipcast: Clipcast, size_bytes: int, account_id: str) -> str:
    """A clip of that many zeros in storage, and a publication of it that is due."""
    now = clipcast.clock()
    with clipcast.library.storage.incoming() as file:
        block = bytes(1 << 20)
        for start in range(0, size_bytes, len(block)):
            file.write(block[: size_bytes - start])
        file.seal()
        key = clipcast.library.storage.adopt(file, "mp4")
    with clipcast.db.writing() as session:
        clip_id = world.add_clip(session, now)
        facts = {"storage_key": key, "size_bytes": size_bytes, "duration_s": 60.0, "frame_rate": 30.0, "video_codec": "h264"}
        session.execute(update(Clip).where(Clip.id == clip_id).values(**facts))
        (publication_id,) = world.add_publications(session, clip_id, [now], now, account_id)
    return publication_id


def _peak_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1000


if __name__ == "__main__":
    _engine(int(sys.argv[2]), int(sys.argv[3]))
