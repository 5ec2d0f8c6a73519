"""Pulls a URL as a platform's fetcher does: one plain GET, no redirect, streamed to disk."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

import urllib3

_BLOCK: Final = 1 << 20
_TIMEOUT: Final = urllib3.Timeout(connect=5, read=10)


class PullFailed(Exception):
    """The URL could not be pulled; says why."""


def pull(
    pool: urllib3.PoolManager,
    url: str,
    path: Path,
    *,
    media_type: str,
    most_bytes: int,
    progress: Callable[[int], None],
    stopping: threading.Event,
) -> int:
    """Stream a URL into a file and return its size in bytes.

    `media_type` is `image` or `video`; anything else in the Content-Type is a failure. Raises PullFailed.
    """
    try:
        answer = pool.request("GET", url, preload_content=False, redirect=False, retries=False, timeout=_TIMEOUT)
        try:
            _check_head(answer, media_type, most_bytes)
            return _save(answer, path, most_bytes, progress, stopping)
        finally:
            answer.close()
    except urllib3.exceptions.HTTPError as error:
        raise PullFailed(type(error).__name__) from error


def _check_head(answer: urllib3.BaseHTTPResponse, media_type: str, most_bytes: int) -> None:
    if answer.status != 200:
        raise PullFailed(f"HTTP {answer.status}")
    declared = answer.headers.get("content-type", "")
    if declared.partition("/")[0].lower() != media_type:
        raise PullFailed(f"Content-Type {declared or 'missing'}")
    length = answer.headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > most_bytes:
        raise PullFailed("too large")


def _save(
    answer: urllib3.BaseHTTPResponse,
    path: Path,
    most_bytes: int,
    progress: Callable[[int], None],
    stopping: threading.Event,
) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with path.open("wb") as file:
        for block in answer.stream(_BLOCK):
            if stopping.is_set():
                raise InterruptedError("the simulator is stopping")
            count += len(block)
            if count > most_bytes:
                raise PullFailed("too large")
            file.write(block)
            progress(count)
    return count
