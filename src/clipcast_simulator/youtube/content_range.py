"""The Content-Range header of a PUT to a session URI, read in full."""

import re
from dataclasses import dataclass
from typing import Final

from clipcast_simulator.exchange import Request

_RANGE: Final = re.compile(r"bytes (?:(\d{1,15})-(\d{1,15})|\*)/(\d{1,15}|\*)")


@dataclass(frozen=True, slots=True)
class ContentRange:
    """`bytes first-last/total` with both ends included. A query has no first; a total that is not known yet is None."""

    first: int | None
    last: int | None
    total: int | None

    @property
    def size(self) -> int:
        """How many bytes it spans."""
        return 0 if self.first is None or self.last is None else self.last - self.first + 1

    @property
    def is_last(self) -> bool:
        """Whether it reaches the end."""
        return self.total is not None and (self.first or 0) + self.size == self.total

    @property
    def is_sound(self) -> bool:
        """Whether its numbers make sense."""
        return self.first is None or (self.size > 0 and (self.total is None or self.first + self.size <= self.total))


def content_range(request: Request) -> ContentRange | None:
    """Read the header; without one the whole file is meant. None when it is malformed."""
    header = request.header("content-range")
    if header is None:
        size = body_size(request)
        return None if size is None else ContentRange(0, size - 1, size)
    match = _RANGE.fullmatch(header)
    if match is None:
        return None
    first, last, total = (None if text in (None, "*") else int(text) for text in match.groups())
    return ContentRange(first, last, total)


def is_query(request: Request) -> bool:
    """Say whether a PUT asks for the progress instead of carrying bytes: no body, and no place for one."""
    return (request.header("content-range") or "").startswith("bytes */") and body_size(request) == 0


def body_size(request: Request) -> int | None:
    """Return the declared Content-Length."""
    text = request.header("content-length") or ""
    return int(text) if re.fullmatch(r"\d{1,15}", text) else None
