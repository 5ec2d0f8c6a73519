"""YouTube's judgement of the bytes it received: the failure or rejection reason, or none, and what fileDetails tells."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Final

import av

from clipcast_simulator.media import Piece, SplicedFile

SHORT_S: Final = 180.0  #: up to 3 minutes, square or vertical (2024-10-15)
_SMALLEST_BYTES: Final = 1024  #: undocumented; no container with a picture is smaller
_SLACK_S: Final = 0.5

#: Never ffconcat or a playlist, which would open other files. The help centre's list, as FFmpeg names it.
_OPTIONS: Final = {
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,asf,mpeg,mpegts,mpegvideo,hevc,mxf,mp3,wav,ogg,flac,aac",
    "protocol_whitelist": "file",
}
_VIDEO_CODECS: Final = frozenset(
    {
        *("h264", "hevc", "vp8", "vp9", "av1", "mpeg1video", "mpeg2video", "mpeg4", "h263", "prores", "dnxhd", "cfhd"),
        *("wmv1", "wmv2", "wmv3", "vc1", "flv1", "mjpeg", "msmpeg4v3"),
    }
)
#: The first bytes of files that are no video: their type and the early sign of a coming failure.
_MAGIC: Final = (
    (b"\xff\xd8\xff", "image", "imageFile"),
    (b"\x89PNG\r\n", "image", "imageFile"),
    (b"GIF8", "image", "imageFile"),
    (b"PK\x03\x04", "archive", "archiveFile"),
    (b"\x1f\x8b", "archive", "archiveFile"),
    (b"%PDF", "document", "docFile"),
)


class Verdict:
    """What was found. `reason` is a failure or rejection reason, or None."""

    def __init__(self, reason: str | None, facts: dict[str, Any], *, is_short: bool = False) -> None:
        self.reason = reason
        self.facts = facts
        self.is_short = is_short


def judge(pieces: Sequence[Piece], longest_s: float) -> Verdict:
    """Look at what was uploaded."""
    size = sum(piece.size for piece in pieces)
    if size < _SMALLEST_BYTES:
        return _failed("emptyFile" if size == 0 else "tooSmall", "other", "notAVideoFile")
    with SplicedFile(pieces) as file:
        head = file.read(16)
        file.seek(0)
        for magic, kind, sign in _MAGIC:
            if head.startswith(magic):
                return _failed("invalidFile", kind, sign)
        try:
            with av.open(file, "r", options=_OPTIONS) as container:
                return _judge_container(container, longest_s)
        except (av.error.FFmpegError, ValueError, IndexError, OSError):
            return _failed("invalidFile", "other", "notAVideoFile")


def _failed(reason: str, kind: str, sign: str) -> Verdict:
    return Verdict(reason, {"fileType": kind, "processingErrors": [sign]})


def _judge_container(container: "av.container.InputContainer", longest_s: float) -> Verdict:
    if not container.streams.video:
        return _failed("invalidFile", "audio", "audioFile")
    stream = container.streams.video[0]
    facts: dict[str, Any] = {"fileType": "video", "container": container.format.name.partition(",")[0]}
    if stream.codec_context is None or stream.codec_context.name not in _VIDEO_CODECS:
        return Verdict("codec", facts | {"processingWarnings": ["unknownVideoCodec"]})
    duration_s = (container.duration or 0) / av.time_base
    facts |= {"durationMs": str(round(duration_s * 1000)), "bitrateBps": str(container.bit_rate or 0)}
    facts |= {"videoStreams": [_video_stream(stream)], "audioStreams": [_audio_stream(audio) for audio in container.streams.audio]}
    try:
        frame = next(container.decode(stream), None)
    except av.error.FFmpegError:
        frame = None
    if frame is None or duration_s <= 0:
        return Verdict("conversion", facts)
    facts["videoStreams"][0]["rotation"] = _rotation(frame)
    if not _reaches_its_end(container, stream, duration_s):
        return Verdict("conversion", facts)
    return Verdict("length" if duration_s > longest_s + _SLACK_S else None, facts, is_short=_is_short(frame, duration_s))


def _video_stream(stream: "av.VideoStream") -> dict[str, Any]:
    width, height = stream.codec_context.width, stream.codec_context.height
    pixel = stream.sample_aspect_ratio or Fraction(1)
    return {
        "widthPixels": width,
        "heightPixels": height,
        "frameRateFps": round(float(stream.average_rate or 0), 3),
        "aspectRatio": round(float(width * pixel / height), 4) if height else 0.0,
        "codec": stream.codec_context.name,
        "bitrateBps": str(stream.codec_context.bit_rate or 0),
    }


def _audio_stream(stream: "av.AudioStream") -> dict[str, Any]:
    context = stream.codec_context
    return {"channelCount": context.channels, "codec": context.name, "bitrateBps": str(context.bit_rate or 0)}


def _rotation(frame: "av.VideoFrame") -> str:
    """Name how a player turns the picture."""
    return {0: "none", 90: "counterClockwise", 180: "upsideDown", 270: "clockwise"}.get(frame.rotation % 360, "other")


def _is_short(frame: "av.VideoFrame", duration_s: float) -> bool:
    """Say whether YouTube makes it a Short: at most three minutes, square or vertical as it is watched."""
    is_turned = frame.rotation % 180 == 90
    width, height = (frame.height, frame.width) if is_turned else (frame.width, frame.height)
    return duration_s <= SHORT_S and height >= width


def _reaches_its_end(container: "av.container.InputContainer", stream: "av.VideoStream", duration_s: float) -> bool:
    """Say whether the last second is there, which a truncated file does not have."""
    try:
        container.seek(max(0, int((duration_s - 1) * av.time_base)))
        last_s = 0.0
        for packet in container.demux(stream):
            if packet.is_corrupt:
                return False
            if packet.pts is not None and packet.time_base is not None:
                last_s = max(last_s, float((packet.pts + (packet.duration or 0)) * packet.time_base))
    except av.error.FFmpegError:
        return False
    return last_s >= min(duration_s, _stream_s(stream, duration_s)) - 1


def _stream_s(stream: "av.VideoStream", duration_s: float) -> float:
    """Return how long the picture lasts; the sound may be longer."""
    if stream.duration is None or stream.time_base is None:
        return duration_s
    return float(stream.duration * stream.time_base)
