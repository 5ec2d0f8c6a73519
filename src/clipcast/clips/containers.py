"""What a file's own bytes promise, read without a decoder: what it is, whether all of it is there, whether its tables are sane.

FFmpeg allocates what an MP4's tables announce before it has seen the samples; so the announcements are counted here first.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from clipcast.errors import UnusableMedia

TAKEN: Final = "Clipcast takes MP4, MOV, WebM, JPEG, PNG and WebP."
EXTENSIONS: Final = {
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/webm": "webm",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
}
HEAD_BYTES: Final = 4096

MAX_SAMPLES: Final = 5_000_000
"""Twelve hours at 60 frames a second with sound; FFmpeg needs about 32 bytes of memory for each."""
MAX_TABLE_BYTES: Final = 64 << 20
MAX_BOXES: Final = 500_000

_PICTURES_IN_BOXES: Final = {b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis"}
_OLD_QUICKTIME: Final = {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
_FOREIGN: Final = (
    (b"GIF8", "a GIF"),
    (b"OggS", "an Ogg file"),
    (b"FLV", "a Flash video"),
    (b"ID3", "a sound file"),
    (b"fLaC", "a sound file"),
    (b"BM", "a bitmap"),
    (b"II*\0", "a TIFF picture"),
    (b"MM\0*", "a TIFF picture"),
    (b"%PDF", "a PDF"),
    (b"PK\3\4", "a ZIP archive"),
    (b"\x30\x26\xb2\x75", "a Windows Media file"),
    (b"\0\0\1\xba", "an MPEG programme stream"),
)
_RIFF: Final = {b"AVI ": "an AVI file", b"WAVE": "a sound file"}
_CONTAINERS: Final = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf", b"mvex"}
#: What programs write on purpose. Bytes after the last of them that happen to look like a box are only litter.
_KNOWN: Final = {b"ftyp", b"moov", b"moof", b"mdat", b"free", b"skip", b"uuid", b"sidx", b"mfra", b"meta", b"udta"}


def sniff(head: bytes) -> str:
    r"""The content type by the first bytes of the file, whatever its name says.

    Raises:
        UnusableMedia: empty, text, or a format that Clipcast does not take; the sentence says which.

    >>> sniff(b"\xff\xd8\xff\xe0")
    'image/jpeg'
    """
    if not head:
        raise UnusableMedia("The file is empty.")
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return _matroska(head)
    if head[4:8] == b"ftyp":
        return _iso_media(head[8:12])
    if head[4:8] in _OLD_QUICKTIME:
        return "video/quicktime"
    raise UnusableMedia(f"This is {_foreign(head)}. {TAKEN}")


def _iso_media(brand: bytes) -> str:
    if brand in _PICTURES_IN_BOXES:
        raise UnusableMedia(f"This is a HEIC or AVIF picture: export it as JPEG. {TAKEN}")
    return "video/quicktime" if brand == b"qt  " else "video/mp4"


def _matroska(head: bytes) -> str:
    if b"\x42\x82\x84webm" in head[:64]:  # DocType, four bytes long: https://www.rfc-editor.org/rfc/rfc8794#section-11.2.4
        return "video/webm"
    raise UnusableMedia(f"This is a Matroska (MKV) file: export it as MP4. {TAKEN}")


def _foreign(head: bytes) -> str:
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12], "a RIFF file of another kind")
    for magic, name in _FOREIGN:
        if head.startswith(magic):
            return name
    readable = sum(byte in b"\t\n\r\f" or 32 <= byte != 127 for byte in head)
    return "text, not a video or picture" if readable == len(head) else "no video or picture that Clipcast knows"


@dataclass(frozen=True, slots=True)
class Structure:
    """What the container's own lengths say about a whole file."""

    #: The samples are described piece by piece along the file, not in one table.
    fragmented: bool = False


def check_structure(file: BinaryIO, size: int, content_type: str) -> Structure:
    """Compare what a video's container promises with the bytes that are there.

    Raises:
        UnusableMedia: cut off, without its table of contents, or announcing absurd amounts.
    """
    return _check_webm(file, size) if content_type == "video/webm" else _check_mp4(file, size)


@dataclass(frozen=True, slots=True)
class _Box:
    kind: bytes
    body: int
    end: int


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[_Box]:
    """The boxes between two offsets (ISO 14496-12, 4.2); the last one may claim to end beyond `end`."""
    while start + 8 <= end:
        file.seek(start)
        header = file.read(16)
        length, kind, body = int.from_bytes(header[:4], "big"), header[4:8], start + 8
        if length == 1:
            length, body = int.from_bytes(header[8:16], "big"), start + 16
        elif length == 0:
            length = end - start
        if length < body - start:
            return
        yield _Box(kind, body, start + length)
        start += length


def _check_mp4(file: BinaryIO, size: int) -> Structure:
    seen: set[bytes] = set()
    samples = 0
    for number, box in enumerate(_boxes(file, 0, size)):
        if number > MAX_BOXES:
            raise UnusableMedia("The file is cut into an absurd number of pieces. Export the video again.")
        if box.end > size and box.kind in _KNOWN:
            raise _cut_off(box.end, size)
        seen.add(box.kind)
        if box.kind in {b"moov", b"moof"}:
            samples += _announced_samples(file, box)
            _refuse_absurd(samples)
    if b"moov" not in seen:
        raise UnusableMedia(
            "The video is not complete: its table of contents (moov) is missing, so the recording or the copy stopped early."
        )
    if b"mdat" not in seen:
        raise UnusableMedia("The file describes a video but contains no picture or sound.")
    return Structure(fragmented=b"moof" in seen)


def _announced_samples(file: BinaryIO, top: _Box) -> int:
    if top.end - top.body > MAX_TABLE_BYTES:
        raise UnusableMedia("The video's table of contents is absurdly large. Export the video again.")
    total, looked_at = 0, 0
    waiting = [(top, b"")]
    while waiting:
        parent, handler = waiting.pop()
        children = list(_boxes(file, parent.body, parent.end))
        looked_at += len(children)
        if looked_at > MAX_BOXES or any(child.end > parent.end for child in children):
            raise UnusableMedia("The video's table of contents is damaged. Export the video again.")
        if parent.kind == b"mdia":
            handler = _handler(file, children)
        waiting += [(child, handler) for child in children if child.kind in _CONTAINERS]
        total += _samples_in(file, children, handler)
    return total


def _handler(file: BinaryIO, children: list[_Box]) -> bytes:
    """What kind of track this is (`vide`, `soun`); empty when the file contradicts itself."""
    found = {_number(file, child, 8).to_bytes(4, "big") for child in children if child.kind == b"hdlr"}
    return found.pop() if len(found) == 1 else b""


def _samples_in(file: BinaryIO, children: list[_Box], handler: bytes) -> int:
    """How many samples the tables among these boxes announce.

    Uncompressed sound has one entry of duration 1 and millions of samples; FFmpeg reads it by chunks, so it costs nothing.
    """
    clocks = [child for child in children if child.kind == b"stts"]
    by_chunks = handler == b"soun" and [(_number(file, box, 4), _number(file, box, 12)) for box in clocks] == [(1, 1)]
    sized = 0 if by_chunks else sum(_number(file, child, 8) for child in children if child.kind in {b"stsz", b"stz2"})
    return sized + sum(_number(file, child, 4) for child in children if child.kind == b"trun")


def _number(file: BinaryIO, box: _Box, offset: int) -> int:
    """The 32-bit number at that offset of the box's body."""
    file.seek(box.body + offset)
    return int.from_bytes(file.read(4), "big")


def _refuse_absurd(samples: int) -> None:
    if samples > MAX_SAMPLES:
        raise UnusableMedia(f"The video announces {samples:,} frames and sounds, more than any real one has.")


def _check_webm(file: BinaryIO, size: int) -> Structure:
    """The one Segment after the EBML header says how long it is, unless it was recorded live (RFC 8794, sections 5 and 6)."""
    file.seek(0)
    head = file.read(HEAD_BYTES)
    after_header = _element(head, 0, 4)
    start = after_header[0] + after_header[1]
    if head[start : start + 4] != b"\x18\x53\x80\x67":
        raise UnusableMedia("The WebM file has no content: the recording or the copy stopped early.")
    body, length, unknown = _element(head, start, 4)
    if not unknown and body + length > size:
        raise _cut_off(body + length, size)
    return Structure(fragmented=unknown)


def _element(head: bytes, start: int, id_bytes: int) -> tuple[int, int, bool]:
    """Where an EBML element's body starts, its length, and whether that length is the reserved "unknown"."""
    first = head[start + id_bytes] if start + id_bytes < len(head) else 0
    width = 9 - first.bit_length()
    if width > 8:
        raise UnusableMedia("The WebM file is damaged in its first bytes.")
    field = int.from_bytes(head[start + id_bytes : start + id_bytes + width], "big")
    unmarked = field & ((1 << 7 * width) - 1)
    return start + id_bytes + width, unmarked, unmarked == (1 << 7 * width) - 1


def _cut_off(promised: int, present: int) -> UnusableMedia:
    return UnusableMedia(f"The video is cut off: {promised:,} bytes were promised and {present:,} are there. Copy or export it again.")
