"""The chunk plan, as the Media Transfer Guide has it (copy of 2026-09-11) and as the live API enforces it."""

from dataclasses import dataclass
from typing import Final, Literal

_MILLION: Final = {"MB": 1_000_000, "MiB": 1 << 20}
_MOST_CHUNKS: Final = 1000

BAD_SIZE: Final = "The chunk size is invalid"
BAD_COUNT: Final = "The total chunk count is invalid"


@dataclass(frozen=True, slots=True)
class ChunkRules:
    """The limits in bytes, in the unit TikTok may or may not mean by "MB"."""

    smallest: int
    largest: int
    largest_last: int

    @classmethod
    def of(cls, unit: Literal["MB", "MiB"]) -> "ChunkRules":
        """Return 5, 64 and 128 of a unit."""
        million = _MILLION[unit]
        return cls(5 * million, 64 * million, 128 * million)


def complaint(size: int, chunk: int, count: int, rules: ChunkRules, *, single_smaller: bool = False) -> str | None:
    """Return what TikTok says against a declared plan, or None when it is fine.

    `single_smaller` lets one chunk be declared smaller than a file of at most 64 MB; undocumented.

    >>> complaint(50_000_123, 10_000_000, 5, ChunkRules.of("MB"))
    >>> complaint(602_285_541, 67_108_864, 9, ChunkRules.of("MiB"))
    'The total chunk count is invalid'
    """
    if not 1 <= chunk <= size:
        return BAD_SIZE
    floor = size // chunk
    if count != floor or count > _MOST_CHUNKS:
        return BAD_COUNT
    if chunk > rules.largest or (chunk < rules.smallest and chunk != size):
        return BAD_SIZE
    if count == 1 and chunk != size and not (single_smaller and size <= rules.largest):
        return BAD_SIZE
    last = size - (count - 1) * chunk
    return BAD_SIZE if last > rules.largest_last else None


def bounds(size: int, chunk: int, count: int, index: int) -> tuple[int, int]:
    """Return the first and last byte of a chunk; the last chunk takes the remainder.

    >>> bounds(50_000_123, 10_000_000, 5, 4)
    (40000000, 50000122)
    """
    first = index * chunk
    return first, size - 1 if index == count - 1 else first + chunk - 1
