"""Uploading 1 GiB to YouTube: the whole engine against google-api-python-client with chunks of the same size, to the same sink.

Each side runs in a process of its own. `python -m bench.youtube FILE PORT` is one round of Google's client.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import engine_round, world
from clipcast.platforms.youtube.limits import DEFAULT_CHUNK_BYTES

SIZE_BYTES = 1 << 30
ROUNDS = 5


def measure() -> list[str]:
    """Rates and peak memory of both, and the ratio of the rates."""
    ours, theirs = [], []
    with world.sink() as port, tempfile.NamedTemporaryFile(suffix=".mp4") as file:
        file.truncate(SIZE_BYTES)
        for _ in range(ROUNDS):
            ours.append(engine_round.run("youtube", SIZE_BYTES, port))
            theirs.append(_google_round(file.name, port))
    rates = [[rate for rate, _ in side] for side in (ours, theirs)]
    memory_mb = [[memory for _, memory in side] for side in (ours, theirs)]
    ratio = statistics.median(rates[0]) / statistics.median(rates[1])
    return [
        f"engine, 1 GiB in chunks of {DEFAULT_CHUNK_BYTES:,} bytes: {world.summary(rates[0], 'MB/s')}",
        f"google-api-python-client, the same chunks: {world.summary(rates[1], 'MB/s')}",
        f"engine / google-api-python-client: {ratio:.2f} (target above 1.5)",
        f"engine, peak resident memory: {world.summary(memory_mb[0], 'MB')}",
        f"google-api-python-client, peak resident memory: {world.summary(memory_mb[1], 'MB')}",
    ]


def _google_round(path: str, port: int) -> tuple[float, float]:
    command = [sys.executable, "-m", "bench.youtube", path, str(port)]
    rate, memory = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(rate), float(memory)


def _google(path: str, port: int) -> None:
    import googleapiclient  # noqa: PLC0415  # Google's libraries must not weigh on the process that measures
    from googleapiclient.discovery import build_from_document  # noqa: PLC0415  # Google's libraries must not weigh on the process that measures
    from googleapiclient.http import MediaFileUpload, build_http  # noqa: PLC0415  # Google's libraries must not weigh on the process that measures

    document = json.loads((Path(googleapiclient.__file__).parent / "discovery_cache/documents/youtube.v3.json").read_text())
    root = f"http://127.0.0.1:{port}/"
    service = build_from_document(document | {"rootUrl": root, "baseUrl": root}, http=build_http())
    media = MediaFileUpload(path, mimetype="video/mp4", chunksize=DEFAULT_CHUNK_BYTES, resumable=True)
    body = {"snippet": {"title": "bench"}, "status": {"privacyStatus": "public"}}
    start = time.perf_counter()
    request = service.videos().insert(part="snippet,status", body=body, media_body=media)
    answer = None
    while answer is None:
        _, answer = request.next_chunk()
    assert answer["id"] == "abcdefghijk"
    print(SIZE_BYTES / 1e6 / (time.perf_counter() - start), engine_round.peak_mb())


if __name__ == "__main__":
    _google(sys.argv[1], int(sys.argv[2]))
