"""Videos that phones, cameras, screen recorders and strangers make, each odd in its own way; tiny, and made on the spot."""

import math
from array import array
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final, cast

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream

_FAST: Final = {
    "libx264": {"preset": "ultrafast"},
    "libx265": {"preset": "ultrafast", "x265-params": "log-level=none"},
    "libvpx-vp9": {"cpu-used": "8", "deadline": "realtime"},
}


@dataclass(frozen=True)
class Sound:
    """A tone that begins `starts_s` after the pictures, and is silent from `gap_s` on for a second (missing, not zero)."""

    codec: str = "aac"
    rate_hz: int = 44_100
    layout: str = "mono"
    starts_s: float = 0.0
    gap_s: float | None = None


def make_video(
    path: Path,
    *,
    codec: str = "libx264",
    width: int = 320,
    height: int = 240,
    rate: float = 30,
    seconds: float = 1.0,
    pix_fmt: str = "yuv420p",
    sound: Sound | None = None,
    rotation: int = 0,
    square: Fraction | None = None,
) -> Path:
    """Write a video whose left half is bright and whose right half is dark, as stored; the container is that of the path's ending.

    `rotation` is what the file asks players for; `square` the shape of its pixels.
    """
    with av.open(str(path), "w", format={"webm": "webm", "mov": "mov"}.get(path.suffix[1:], "mp4")) as container:
        per_s = Fraction(rate).limit_denominator(1001)
        stream = cast("VideoStream", container.add_stream(codec, rate=per_s, options=_FAST.get(codec, {})))
        stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
        if square:
            stream.codec_context.sample_aspect_ratio = square
        if rotation:
            stream.set_display_rotation(rotation)
        tone = cast("AudioStream", container.add_stream(sound.codec, rate=sound.rate_hz, layout=sound.layout)) if sound else None
        _pictures(container, stream, per_s, round(seconds * rate))
        if sound is not None and tone is not None:
            _tone(container, tone, sound, seconds)
    return path


def _pictures(container: OutputContainer, stream: VideoStream, rate: Fraction, count: int) -> None:
    halves = av.VideoFrame(stream.width, stream.height, "yuv420p")
    for number, plane in enumerate(halves.planes):
        bright, dark = (220, 30) if number == 0 else (128, 128)
        row = bytes([bright]) * (plane.width // 2) + bytes([dark]) * (plane.line_size - plane.width // 2)
        plane.update(row * (plane.buffer_size // plane.line_size))
    picture = halves if stream.pix_fmt == "yuv420p" else halves.reformat(format=stream.pix_fmt)
    for number in range(count):
        picture.pts, picture.time_base = number, 1 / rate
        container.mux(stream.encode(picture))
    container.mux(stream.encode())


def _tone(container: OutputContainer, stream: AudioStream, sound: Sound, seconds: float) -> None:
    size = stream.codec_context.frame_size or 1024
    resampler = av.AudioResampler(format=stream.codec_context.format, layout=sound.layout, rate=sound.rate_hz)
    for start in range(0, int((seconds - sound.starts_s) * sound.rate_hz) - size + 1, size):
        at_s = sound.starts_s + start / sound.rate_hz
        if sound.gap_s is not None and sound.gap_s <= at_s < sound.gap_s + 1:
            continue
        frame = av.AudioFrame(format="fltp", layout="mono", samples=size)
        frame.sample_rate, frame.pts = sound.rate_hz, round(at_s * sound.rate_hz)
        frame.time_base = Fraction(1, sound.rate_hz)
        wave = array("f", (0.3 * math.sin(2 * math.pi * 440 * (start + index) / sound.rate_hz) for index in range(size)))
        frame.planes[0].update(wave.tobytes().ljust(frame.planes[0].buffer_size, b"\0"))
        for piece in resampler.resample(frame):
            container.mux(stream.encode(piece))
    container.mux(stream.encode())
