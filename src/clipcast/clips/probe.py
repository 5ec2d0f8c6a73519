"""What a file really is: opened by the decoders themselves, believed in nothing, bounded in time and memory.

How much is read. A video's container is checked whole, by hopping from box to box (`containers.py`). One frame is decoded. Then packets
are read to the end: all of them up to 64 MiB or where the file carries no table of contents (fragmented MP4, live WebM), else those of
the last five seconds, found by seeking. Whatever the size, reading stops after `PATIENCE_S`.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image, ImageOps, UnidentifiedImageError

from clipcast.clips.containers import EXTENSIONS, HEAD_BYTES, TAKEN, check_structure, sniff
from clipcast.errors import UnusableMedia
from clipcast.platforms.base import MediaKind

PATIENCE_S: Final = 60.0
"""How long one file may be read."""
READ_WHOLE_BYTES: Final = 64 << 20
TAIL_S: Final = 5
MAX_SIDE: Final = 8192
"""Pixels; 8K video is 7680 wide. Larger pictures are a bomb or a mistake."""
MAX_PIXELS: Final = 64_000_000
MIN_DURATION_S: Final = 0.1
MAX_DURATION_S: Final = 24 * 3600
_IMAGE_FORMATS: Final = ("JPEG", "PNG", "WEBP")
#: The decoders a phone, a camera or an editor gives work to; no file can reach FFmpeg's three hundred others.
_DECODERS: Final = (
    "h264,hevc,vp8,vp9,libvpx,libvpx-vp9,av1,libdav1d,mpeg4,prores,mjpeg,aac,mp3,mp3float,opus,libopus,vorbis,"
    "alac,flac,ac3,eac3,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_f32le"
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found. Width and height are as seen by a person, after the rotation that the file asks for."""

    kind: MediaKind
    content_type: str
    width: int
    height: int
    duration_s: float | None = None
    frame_rate: float | None = None
    video_codec: str | None = None
    audio_codec: str | None = None

    @property
    def extension(self) -> str:
        """The file name extension of this content."""
        return EXTENSIONS[self.content_type]


def probe(path: Path) -> Facts:
    """Find out what a file is, by its content alone.

    Raises:
        UnusableMedia: empty, truncated, hostile, or nothing that Clipcast takes; one sentence for the person who sent it.
    """
    with path.open("rb") as file:
        content_type = sniff(file.read(HEAD_BYTES))
        if content_type.startswith("image/"):
            return _probe_image(path, content_type)
        structure = check_structure(file, path.stat().st_size, content_type)
    return _probe_video(path, content_type, whole=structure.fragmented or path.stat().st_size <= READ_WHOLE_BYTES)


@contextmanager
def open_video(path: Path, content_type: str) -> Iterator[InputContainer]:
    """A video opened so that it can read no other file and no network, whatever it contains.

    Raises:
        UnusableMedia: it cannot be opened, or what is done with it meets damaged content.
    """
    try:
        with av.open(
            f"file:{path.absolute()}",
            format="matroska" if content_type == "video/webm" else "mov",
            container_options={
                "format_whitelist": "mov,matroska",
                "protocol_whitelist": "file",
                "codec_whitelist": _DECODERS,
            },
            options={"max_pixels": str(MAX_PIXELS), "codec_whitelist": _DECODERS},
            metadata_errors="replace",
            timeout=(PATIENCE_S, PATIENCE_S),
        ) as container:
            yield container
    except (av.FFmpegError, UnicodeError, OverflowError) as error:
        raise UnusableMedia("The video is damaged and cannot be read. Export it again.") from error


def picture_stream(container: InputContainer) -> VideoStream:
    """The stream with the moving picture; cover art does not count."""
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            if codec_of(stream) is None:
                raise UnusableMedia("The video's codec is not known. Export it as MP4 with H.264.")
            stream.codec_context.thread_count = 1  # one frame is wanted: more threads only cost memory
            return stream
    raise UnusableMedia(f"The file has sound but no picture. {TAKEN}")


def codec_of(stream: Stream) -> str | None:
    """The codec's name (`h264`, `aac`), or None where there is no decoder: PyAV then has no `codec`, whatever its stubs say."""
    codec = getattr(stream, "codec", None)
    return None if codec is None else str(codec.canonical_name)


def can_decode(stream: Stream) -> bool:
    """Whether there is a decoder that we let files use."""
    return codec_of(stream) is not None and stream.codec_context.name in _DECODERS.split(",")


def first_frame(container: InputContainer, stream: VideoStream) -> VideoFrame:
    """The next frame that can be decoded; gives up after a hundred packets without one."""
    for number, packet in enumerate(container.demux(stream)):
        for frame in packet.decode():
            return frame
        if number > 100:
            break
    raise UnusableMedia("No picture of the video can be decoded. Export it as MP4 with H.264.")


def _probe_video(path: Path, content_type: str, *, whole: bool) -> Facts:
    with open_video(path, content_type) as container:
        stream = picture_stream(container)
        _refuse_absurd_size(stream.width, stream.height)
        frame = first_frame(container, stream)
        turned = frame.rotation % 180 == 90
        width, height = (frame.height, frame.width) if turned else (frame.width, frame.height)
        _refuse_absurd_size(width, height)
        duration_s, frames = _duration(container, whole=whole)
        return Facts(
            kind=MediaKind.VIDEO,
            content_type=content_type,
            width=width,
            height=height,
            duration_s=round(duration_s, 3),
            frame_rate=_frame_rate(stream, frames, duration_s),
            video_codec=codec_of(stream),
            audio_codec=next((codec_of(sound) or "unknown" for sound in container.streams.audio), None),
        )


def _duration(container: InputContainer, *, whole: bool) -> tuple[float, int]:
    """The duration in seconds and, if everything was read, the number of frames; refuses a file that ends before it promised to."""
    promised_s = container.duration / av.time_base if container.duration else 0.0
    if promised_s < 0 or promised_s > MAX_DURATION_S:
        raise UnusableMedia("The video claims an absurd duration. Export it again.")
    reached_s, frames = _read_to_the_end(container, 0.0 if whole else max(0.0, promised_s - TAIL_S))
    if reached_s < MIN_DURATION_S:
        raise UnusableMedia("The video has no duration: it holds a single moment or nothing.")
    if promised_s - reached_s > max(1.0, promised_s / 20):
        raise UnusableMedia(
            f"The video is cut off: it promises {promised_s:.1f} s and ends after {reached_s:.1f} s. Copy or export it again."
        )
    return promised_s or reached_s, frames if whole else 0


def _read_to_the_end(container: InputContainer, from_s: float) -> tuple[float, int]:
    """The moment at which the last packet ends, and how many packets of the first picture stream went by."""
    with suppress(av.FFmpegError):  # a WebM without an index cannot seek; it is read from where it stands
        container.seek(int(from_s * av.time_base))
    started = container.start_time / av.time_base if container.start_time else 0.0
    gives_up_at = time.monotonic() + PATIENCE_S
    reached_s, frames = 0.0, 0
    for packet in container.demux(*container.streams.video, *container.streams.audio):
        if packet.is_corrupt:
            raise UnusableMedia("The video is damaged: a part of its content is missing. Copy or export it again.")
        if packet.pts is not None:
            reached_s = max(reached_s, float((packet.pts + (packet.duration or 0)) * packet.time_base) - started)
            frames += packet.stream.type == "video"
        if time.monotonic() > gives_up_at:
            raise UnusableMedia(f"The video could not be read within {PATIENCE_S:.0f} s. Export it as MP4.")
    return reached_s, frames


def _frame_rate(stream: VideoStream, frames: int, duration_s: float) -> float | None:
    """Frames per second on average: by the container, else by counting."""
    rate = round(float(stream.average_rate) if stream.average_rate else frames / duration_s, 3)
    return rate if 0 < rate <= 1000 else None


def _refuse_absurd_size(width: int, height: int) -> None:
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE and width * height <= MAX_PIXELS):
        raise UnusableMedia(f"{width} x {height} pixels is no usable size. Export it with at most {MAX_SIDE} on each side.")


@contextmanager
def open_image(path: Path) -> Iterator[Image.Image]:
    """A picture's header, its size checked; loading the pixels is up to the block.

    Raises:
        UnusableMedia: not a picture, too large, or what is done with it meets damaged content.
    """
    try:
        with Image.open(path, formats=_IMAGE_FORMATS) as image:
            _refuse_absurd_size(image.width, image.height)
            yield image
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnusableMedia(f"The picture has an absurd size. Export it with at most {MAX_SIDE} pixels on each side.") from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError) as error:
        raise UnusableMedia("The picture is damaged or cut off. Export it again.") from error


def upright(image: Image.Image) -> Image.Image:
    """The picture turned as its EXIF orientation asks; broken EXIF counts as none."""
    try:
        return ImageOps.exif_transpose(image)
    except (ValueError, SyntaxError, KeyError, TypeError, OverflowError):
        return image


def _probe_image(path: Path, content_type: str) -> Facts:
    with open_image(path) as image:
        # Of a JPEG with several pictures (a phone's depth or light map) the first is the photograph.
        if content_type != "image/jpeg" and getattr(image, "is_animated", False):
            raise UnusableMedia("The picture is animated: platforms take still pictures. Export one frame, or a video.")
        image.verify()
    with open_image(path) as image:
        image.load()
        seen = upright(image)
    return Facts(kind=MediaKind.IMAGE, content_type=content_type, width=seen.width, height=seen.height)
