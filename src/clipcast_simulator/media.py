"""What received bytes really are: probed by FFmpeg (through PyAV) and Pillow, never believed by their name."""

import hashlib
import io
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO, Final, cast

import av
from PIL import Image, UnidentifiedImageError

_BLOCK: Final = 1 << 20
#: An ffconcat script named .mp4 would otherwise open other files; nothing but these demuxers and plain files.
_OPTIONS: Final = {
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm",
    "protocol_whitelist": "file",
}


class Unreadable(Exception):
    """The bytes are not media of an accepted kind, or they are damaged."""


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """A video stream and its container."""

    container: str  #: FFmpeg's demuxer name
    codec: str
    width: int
    height: int
    duration_s: float
    frame_rate: Fraction


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """An image."""

    format: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a file, in bytes."""

    path: Path
    start: int
    size: int


class SplicedFile(io.RawIOBase):
    """Several files, or pieces of files, read as one, in order. One of them is open at a time: there may be thousands."""

    def __init__(self, parts: Sequence[Path | Piece]) -> None:
        super().__init__()
        self._pieces = [part if isinstance(part, Piece) else Piece(part, 0, part.stat().st_size) for part in parts]
        *self._starts, self._size = accumulate((piece.size for piece in self._pieces), initial=0)
        self._position = 0
        self._open: tuple[int, BinaryIO] | None = None

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Say that it can be sought in."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes, across file boundaries; only the end gives fewer."""
        wanted = self._size - self._position if size < 0 else min(size, self._size - self._position)
        found = bytearray()
        while len(found) < wanted:
            index = bisect_right(self._starts, self._position) - 1
            piece, offset = self._pieces[index], self._position - self._starts[index]
            file = self._file(index)
            file.seek(piece.start + offset)
            block = file.read(min(wanted - len(found), piece.size - offset))
            if not block:
                break
            found += block
            self._position += len(block)
        return bytes(found)

    def close(self) -> None:
        """Close the file that is open."""
        if self._open is not None:
            self._open[1].close()
        super().close()

    def _file(self, index: int) -> BinaryIO:
        if self._open is None or self._open[0] != index:
            if self._open is not None:
                self._open[1].close()
            self._open = (index, self._pieces[index].path.open("rb"))
        return self._open[1]


def sha256(parts: Sequence[Path | Piece]) -> str:
    """Return the hexadecimal SHA-256 of several files, or pieces of files, read as one."""
    digest = hashlib.sha256()
    with SplicedFile(parts) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def probe_video(paths: Sequence[Path | Piece]) -> VideoFacts:
    """Open a video, decode its first frame and read on at its end; raises Unreadable."""
    try:
        with SplicedFile(paths) as file, av.open(file, "r", options=_OPTIONS) as container:
            return _video_facts(container)
    except (av.error.FFmpegError, ValueError, IndexError, OSError) as error:
        raise Unreadable(type(error).__name__) from error


def probe_image(parts: Path | Sequence[Path | Piece], formats: tuple[str, ...] = ("JPEG", "WEBP")) -> ImageFacts:
    """Open and decode an image of one of these kinds; raises Unreadable."""
    try:
        with (
            SplicedFile([parts] if isinstance(parts, Path) else parts) as file,
            Image.open(cast("BinaryIO", file), formats=formats) as image,
        ):
            facts = ImageFacts(image.format or "", *image.size)
            image.load()
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError) as error:
        raise Unreadable(type(error).__name__) from error
    return facts


def _video_facts(container: "av.container.InputContainer") -> VideoFacts:
    if not container.streams.video:
        raise Unreadable("no video stream")
    stream = container.streams.video[0]
    if stream.average_rate is None or container.duration is None:
        raise Unreadable("no frame rate or duration")
    duration_s = container.duration / av.time_base
    facts = VideoFacts(
        container=container.format.name,
        codec=stream.codec_context.name,
        width=stream.codec_context.width,
        height=stream.codec_context.height,
        duration_s=duration_s,
        frame_rate=Fraction(stream.average_rate),
    )
    next(container.decode(stream))
    _read_the_end(container, stream, duration_s)
    return facts


def _read_the_end(container: "av.container.InputContainer", stream: "av.VideoStream", duration_s: float) -> None:
    """Decode the last frames, which a truncated file does not have."""
    container.seek(max(0, int((duration_s - 1) * av.time_base)))
    last_s = 0.0
    for packet in container.demux(stream):
        if packet.is_corrupt:
            raise Unreadable("a damaged packet")
        if packet.pts is not None and packet.time_base is not None:
            last_s = max(last_s, float((packet.pts + (packet.duration or 0)) * packet.time_base))
    if last_s < duration_s - 1:
        raise Unreadable("the end is missing")
