"""A multipart/related body in a file: the metadata, and where the media is."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clipcast_simulator.media import Piece
from clipcast_simulator.youtube.errors import Refusal

_HEAD_BYTES: Final = 1 << 20  #: the metadata and both parts' headers must be in here
_BOUNDARY: Final = re.compile(r"multipart/related;.*?\bboundary=(?:\"([^\"]{1,70})\"|([^\s;\"]{1,70}))", re.IGNORECASE)
_MEDIA_TYPE: Final = re.compile(rb"^content-type:[ \t]*([^\r\n]+)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Parts:
    """The two parts of a body."""

    document: bytes
    document_type: str | None
    media_type: str | None
    media: Piece


def boundary_of(content_type: str | None) -> str:
    """Return the boundary that a Content-Type names; raises Refusal."""
    match = _BOUNDARY.match(content_type or "")
    if match is None:
        raise Refusal("badContent", "A multipart upload must be multipart/related with a boundary.")
    return match[1] or match[2]


def split(path: Path, boundary: str) -> Parts:
    """Find the parts of a body; raises Refusal. Both CR LF and LF end lines: clients send either."""
    mark, size = re.escape(boundary.encode()), path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        file.seek(max(0, size - len(boundary) - 16))
        tail = file.read()
    headers = rb"((?:[^\r\n]+\r?\n)*)\r?\n"
    begin = re.match(rb"(?:\r?\n)*--" + mark + rb"\r?\n" + headers + rb"(.*?)\r?\n--" + mark + rb"\r?\n" + headers, head, re.DOTALL)
    end = re.search(rb"\r?\n--" + mark + rb"--\s*\Z", tail)
    if begin is None or end is None:
        raise Refusal("badContent", "The multipart body is malformed.")
    start, stop = begin.end(), size - len(tail) + end.start()
    if stop <= start:
        raise Refusal("mediaBodyRequired")
    return Parts(begin[2], _type(begin[1]), _type(begin[3]), Piece(path, start, stop - start))


def _type(headers: bytes) -> str | None:
    match = _MEDIA_TYPE.search(headers)
    return match[1].decode("latin-1").strip() if match else None
