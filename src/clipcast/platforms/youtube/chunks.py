"""How a video is cut for YouTube's upload host, and what that host says about how far it is."""

import re

from clipcast.platforms.youtube.limits import CHUNK_UNIT_BYTES

_PERSISTED = re.compile(r"(?:bytes=)?0-([0-9]{1,15})")


def next_part(stored_bytes: int, size_bytes: int, chunk_bytes: int) -> range:
    """The bytes to send next, when the first `stored_bytes` of `size_bytes` are there: a whole chunk, or what is left.

    Raises ValueError for a chunk that YouTube would refuse, and when nothing is left to send.

    >>> next_part(262_144, 1_000_000, 524_288)
    range(262144, 786432)
    >>> next_part(786_432, 1_000_000, 524_288)
    range(786432, 1000000)

    Source: https://developers.google.com/youtube/v3/guides/using_resumable_upload_protocol (mirror, read 2026-11-20)
    """
    if chunk_bytes <= 0 or chunk_bytes % CHUNK_UNIT_BYTES:
        raise ValueError(f"chunks of {chunk_bytes} bytes: YouTube takes multiples of {CHUNK_UNIT_BYTES}")
    if not 0 <= stored_bytes < size_bytes:
        raise ValueError(f"nothing to send after {stored_bytes} of {size_bytes} bytes")
    return range(stored_bytes, min(stored_bytes + chunk_bytes, size_bytes))


def persisted_bytes(range_header: str | None) -> int | None:
    """How many bytes a 308's `Range` says are stored; None when it is absent or says something else. Both spellings are in the guide.

    >>> persisted_bytes("bytes=0-262143"), persisted_bytes("0-262143"), persisted_bytes(None)
    (262144, 262144, None)
    """
    found = _PERSISTED.fullmatch((range_header or "").strip())
    return int(found[1]) + 1 if found else None
