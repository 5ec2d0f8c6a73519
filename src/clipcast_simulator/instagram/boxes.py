"""The layout of an MP4: whether its index comes first and has no edit lists (ISO 14496-12 boxes)."""

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from clipcast_simulator.media import Piece, SplicedFile

_HEAD: Final = 8
_MOST_INDEX_BYTES: Final = 64 << 20


def is_plain(parts: Sequence[Path | Piece]) -> bool:
    """Say whether the `moov` box comes before the media and no track has an edit list."""
    with SplicedFile(parts) as file:
        names: list[str] = []
        for name, start, size in _boxes(file):
            names.append(name)
            if name == "moov":
                file.seek(start)
                index = file.read(min(size, _MOST_INDEX_BYTES))
                return "mdat" not in names and b"elst" not in index
    return False


def _boxes(file: SplicedFile) -> Iterator[tuple[str, int, int]]:
    """Yield name, start and size in bytes of each top-level box."""
    start = 0
    while True:
        file.seek(start)
        head = file.read(16)
        if len(head) < _HEAD:
            return
        size, name = struct.unpack(">I4s", head[:_HEAD])
        if size == 1 and len(head) == 16:
            (size,) = struct.unpack(">Q", head[_HEAD:])
        if size < _HEAD:
            return
        yield name.decode("latin-1"), start, size
        start += size
