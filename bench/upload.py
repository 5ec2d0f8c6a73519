"""Uploading 1 GiB in TikTok's chunks: the whole engine against curl sending the same chunks to the same sink, and the engine's memory.

Each side runs in a process of its own.
"""

import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from bench import engine_round, world
from clipcast.platforms.tiktok.limits import DEFAULT_CHUNK_BYTES

SIZE_BYTES = 1 << 30
SMALL_BYTES = 10_000_000
ROUNDS = 5


def measure() -> list[str]:
    """Rates of both, their ratio, and the engine's peak memory for a small and a large file."""
    engine, curl, large_mb = [], [], []
    with world.sink() as port, tempfile.TemporaryDirectory() as directory:
        chunks = _chunk_files(Path(directory))
        for _ in range(ROUNDS):
            rate, memory = engine_round.run("tiktok", SIZE_BYTES, port)
            engine.append(rate)
            large_mb.append(memory)
            curl.append(_curl_round(chunks, port))
        small_mb = [engine_round.run("tiktok", SMALL_BYTES, port)[1] for _ in range(ROUNDS)]
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
