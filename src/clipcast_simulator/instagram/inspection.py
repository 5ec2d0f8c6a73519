"""Instagram's judgement of media: the table of requirements, as error pairs in the POST or as a container's subcode.

https://developers.facebook.com/documentation/instagram-platform/instagram-graph-api/reference/ig-user/media (2026-09-11)
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av

from clipcast_simulator.instagram import boxes
from clipcast_simulator.instagram.errors import Refusal
from clipcast_simulator.media import Piece, SplicedFile, Unreadable, VideoFacts, probe_image, probe_video
from clipcast_simulator.settings import InstagramKnobs

IMAGE_BYTES: Final = 8 << 20  #: "8 MB" in the table, "8 MiB" in the error's text
_TALLEST, _WIDEST = Fraction(4, 5), Fraction(191, 100)

_SLOWEST, _FASTEST = 23, 60
_MOST_COLUMNS: Final = 1920
_MOST_BITS_S: Final = 25_000_000
_MOST_SAMPLES_S: Final = 48_000
_SLACK_S: Final = 0.1  #: a video of 60 s is rarely 60.000 s
_SHORTEST_S: Final = 3.0

UNSUPPORTED_VIDEO: Final = 2207026
BAD_THUMB_OFFSET: Final = 2207057
COULD_NOT_PROCESS: Final = 2207082


@dataclass(frozen=True, slots=True)
class Limits:
    """What differs between a reel and a story video; a carousel's video child is assumed to be like a story's."""

    most_bytes: int
    longest_s: float
    narrowest: Fraction


@dataclass(frozen=True, slots=True)
class Streams:
    """What the table asks of a video beyond its picture."""

    pixel_format: str
    is_interlaced: bool
    bit_rate: int
    audio_codec: str | None
    sample_rate: int
    channels: int


def limits(kind: str, knobs: InstagramKnobs) -> Limits:
    """Return the limits of a kind of container."""
    if kind == "reel":
        return Limits(knobs.reel_bytes, 900, Fraction(1, 100))
    return Limits(knobs.story_video_bytes, 60, Fraction(1, 10))


def judge_image(path: Path, kind: str) -> dict[str, Any]:
    """Return an image's facts; raises Refusal with the documented pair. Only feed images have a hard ratio."""
    size = path.stat().st_size
    if size > IMAGE_BYTES:
        raise Refusal(36000, 2207004)
    try:
        facts = probe_image(path, formats=("JPEG",))
    except Unreadable as error:
        raise Refusal(36001, 2207005) from error
    if facts.format != "JPEG":
        raise Refusal(36001, 2207005)
    if kind != "story" and not _TALLEST <= Fraction(facts.width, facts.height) <= _WIDEST:
        raise Refusal(36003, 2207009)
    return asdict(facts)


def judge_video(
    parts: Sequence[Path | Piece], kind: str, parameters: Mapping[str, Any], knobs: InstagramKnobs
) -> tuple[int | None, dict[str, Any]]:
    """Return the subcode that a video earns, if any, and its facts."""
    size = sum(part.size if isinstance(part, Piece) else part.stat().st_size for part in parts)
    bounds = limits(kind, knobs)
    if size > bounds.most_bytes:
        return UNSUPPORTED_VIDEO, {}
    try:
        facts, streams = probe_video(parts), _streams(parts)
    except Unreadable:
        return UNSUPPORTED_VIDEO, {}
    told = asdict(facts) | {"frame_rate": float(facts.frame_rate)} | asdict(streams)
    if knobs.container_layout == "enforce" and not boxes.is_plain(parts):
        return UNSUPPORTED_VIDEO, told
    if not _picture_fits(facts, bounds) or not _streams_fit(streams):
        return UNSUPPORTED_VIDEO, told
    return _options_complaint(facts, streams, parameters), told


def _picture_fits(facts: VideoFacts, bounds: Limits) -> bool:
    ratio = Fraction(facts.width, facts.height)
    return (
        "mp4" in facts.container
        and facts.codec in ("h264", "hevc")
        and _SHORTEST_S - _SLACK_S <= facts.duration_s <= bounds.longest_s + _SLACK_S
        and _SLOWEST <= facts.frame_rate <= _FASTEST
        and facts.width <= _MOST_COLUMNS
        and bounds.narrowest <= ratio <= 10
    )


def _streams_fit(streams: Streams) -> bool:
    has_good_audio = streams.audio_codec is None or (
        streams.audio_codec == "aac" and streams.sample_rate <= _MOST_SAMPLES_S and streams.channels in (1, 2)
    )
    is_420 = streams.pixel_format.startswith(("yuv420p", "yuvj420p", "nv12"))
    return has_good_audio and is_420 and not streams.is_interlaced and streams.bit_rate <= _MOST_BITS_S


def _options_complaint(facts: VideoFacts, streams: Streams, parameters: Mapping[str, Any]) -> int | None:
    """Judge what was asked of the video: a thumbnail beyond its end, music over a video that has no sound."""
    if parameters.get("thumb_offset", 0) >= facts.duration_s * 1000:
        return BAD_THUMB_OFFSET
    audio = parameters.get("audio_configuration")
    if audio is not None and streams.audio_codec is None and audio.get("video_volume") != 0:
        return COULD_NOT_PROCESS
    return None


def _streams(parts: Sequence[Path | Piece]) -> Streams:
    """Read the header once more, for what `probe_video` does not tell; raises Unreadable."""
    options = {"format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm", "protocol_whitelist": "file"}
    try:
        with SplicedFile(parts) as file, av.open(file, "r", options=options) as container:
            video = container.streams.video[0]
            frame = next(container.decode(video))
            audio = container.streams.audio[0] if container.streams.audio else None
            return Streams(
                pixel_format=video.codec_context.pix_fmt or "",
                is_interlaced=frame.interlaced_frame,
                bit_rate=video.bit_rate or container.bit_rate or 0,
                audio_codec=None if audio is None else audio.codec_context.name,
                sample_rate=0 if audio is None else audio.codec_context.sample_rate,
                channels=0 if audio is None else audio.codec_context.layout.nb_channels,
            )
    except (av.error.FFmpegError, ValueError, IndexError, OSError, StopIteration) as error:
        raise Unreadable(type(error).__name__) from error
