"""The `Range` header of a request for media (RFC 9110, section 14)."""

import re
from typing import Final

_ONE_RANGE: Final = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*", re.ASCII | re.IGNORECASE)


class Unsatisfiable(Exception):
    """The range begins after the end of the file: status 416."""


def requested_range(header: str | None, size: int) -> range | None:
    """The bytes asked for, or None for the whole file: no range, several, or one that makes no sense, which RFC 9110 lets us ignore.

    >>> requested_range("bytes=2-3", 10), requested_range("bytes=-3", 10), requested_range("bytes=8-99", 10)
    (range(2, 4), range(7, 10), range(8, 10))

    Raises:
        Unsatisfiable: nothing of the file lies in the range.
    """
    asked = _ONE_RANGE.fullmatch(header or "")
    if asked is None or asked[1] == asked[2] == "":
        return None
    first = int(asked[1]) if asked[1] else max(0, size - int(asked[2]))
    last = int(asked[2]) if asked[1] and asked[2] else size - 1
    if asked[1] and last < first and asked[2]:
        return None
    if first >= size or (not asked[1] and int(asked[2]) == 0):
        raise Unsatisfiable
    return range(first, min(last + 1, size))
