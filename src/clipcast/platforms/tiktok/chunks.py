"""How a video is cut for TikTok's upload host, and what that host says about how far it is."""

import re
from dataclasses import dataclass
from typing import Final

from clipcast.platforms.tiktok.limits import (
    MAX_CHUNK_BYTES,
    MAX_CHUNKS,
    MAX_PLANNED_CHUNK_BYTES,
    MAX_VIDEO_BYTES,
    MIN_CHUNK_BYTES,
)

_STORED: Final = re.compile(r"bytes 0-(\d{1,19})/(\d{1,19})")


@dataclass(frozen=True, slots=True)
class ChunkPlan:
    """A video of `size_bytes` in `count` chunks of `chunk_bytes`, the last one taking the remainder."""

    size_bytes: int
    chunk_bytes: int
    count: int

    def part(self, index: int) -> range:
        """The bytes of one chunk, counted from 0."""
        start = index * self.chunk_bytes
        return range(start, self.size_bytes if index == self.count - 1 else start + self.chunk_bytes)

    def whole_chunks(self, stored_bytes: int) -> int:
        """How many chunks lie entirely within the first `stored_bytes`; a partly received chunk counts for nothing."""
        return self.count if stored_bytes >= self.size_bytes else min(stored_bytes // self.chunk_bytes, self.count - 1)

    def chunks_named(self, content_range: str | None) -> int | None:
        """How many chunks a reply's `Content-Range` says are stored; None when absent or when it names no chunk's end.

        TikTok writes `bytes 0-{N}/{total}` and calls N the number of uploaded bytes; whether it is a count or the index of the last byte
        is not certain, so whichever of N and N + 1 is the end of a chunk is meant.

        >>> plan = ChunkPlan(50_000_123, 10_000_000, 5)
        >>> plan.chunks_named("bytes 0-9999999/50000123"), plan.chunks_named("bytes 0-10000000/50000123")
        (1, 1)
        >>> plan.chunks_named("bytes 0-12345/50000123") is None
        True

        Source: https://developers.tiktok.com/doc/content-posting-api-media-transfer-guide (read 2026-09-11)
        """
        found = _STORED.fullmatch(content_range or "")
        if not found or int(found[2]) != self.size_bytes:
            return None
        for stored in (int(found[1]), int(found[1]) + 1):
            chunks = self.whole_chunks(stored)
            if chunks and self.part(chunks - 1).stop == stored:
                return chunks
        return None


def plan_chunks(size_bytes: int, chunk_bytes: int) -> ChunkPlan:
    """Cut a video by TikTok's rules: one chunk up to 64 MB, else size // chunk of them, the last one taking the remainder.

    Sizes in bytes (TikTok's MB is 1,000,000). Raises ValueError for a size or chunk no plan can be made with.

    >>> plan = plan_chunks(150_000_000, 32_000_000)
    >>> [len(plan.part(index)) for index in range(plan.count)]
    [32000000, 32000000, 32000000, 54000000]

    Source: https://developers.tiktok.com/doc/content-posting-api-media-transfer-guide (read 2026-09-11)
    """
    if not 1 <= size_bytes <= MAX_VIDEO_BYTES:
        raise ValueError(f"no chunk plan for {size_bytes} bytes: TikTok takes 1 to {MAX_VIDEO_BYTES}")
    if not MIN_CHUNK_BYTES <= chunk_bytes <= MAX_PLANNED_CHUNK_BYTES:
        raise ValueError(f"chunks of {chunk_bytes} bytes: plan with {MIN_CHUNK_BYTES} to {MAX_PLANNED_CHUNK_BYTES}")
    if size_bytes <= MAX_CHUNK_BYTES:
        return ChunkPlan(size_bytes, size_bytes, 1)
    plan = ChunkPlan(size_bytes, chunk_bytes, size_bytes // chunk_bytes)
    assert 2 <= plan.count <= MAX_CHUNKS
    assert len(plan.part(plan.count - 1)) < MAX_CHUNK_BYTES
    return plan
