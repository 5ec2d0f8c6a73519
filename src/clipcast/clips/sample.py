"""Makes sample media: a moving picture with a tone, and still pictures. Nothing is downloaded, and the same call makes the same bytes."""

import math
import random
from array import array
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream
from PIL import Image

SAMPLE_RATE_HZ: Final = 48_000
TONE_HZ: Final = 440
_AUDIO_FRAME: Final = 1024  # samples: AAC encodes exactly this many at a time
_PADDING_BLOCK: Final = 1 << 20


def make_sample_video(
    path: Path,
    *,
    seconds: float = 3,
    width: int = 540,
    height: int = 960,
    frame_rate: int = 30,
    sound: bool = True,
    noise: bool = False,
    min_bytes: int = 0,
    seed: int = 0,
) -> Path:
    """Write a vertical MP4 (H.264 and, with `sound`, AAC) and return its path; `path` ending in .mov makes a QuickTime file.

    `noise` makes pictures that cannot be compressed, about 0.5 MB each at the default size. `min_bytes` fills the file up with a box of
    random bytes that players skip, so that gigabytes are made in seconds. Another `seed` gives other pictures, and so other bytes.
    """
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with av.open(str(path), "w", format=path.suffix[1:], container_options=options) as container:
        pictures = _picture_stream(container, width, height, frame_rate, noise=noise)
        tone = container.add_stream("aac", rate=SAMPLE_RATE_HZ, layout="mono") if sound else None
        _encode_pictures(container, pictures, round(seconds * frame_rate), seed, noise=noise)
        if tone is not None:
            _encode_tone(container, tone, round(seconds * SAMPLE_RATE_HZ))
    _pad(path, min_bytes, seed)
    return path


def make_sample_webm(path: Path, *, seconds: float = 1, width: int = 360, height: int = 640, seed: int = 0) -> Path:
    """Write a silent WebM (VP9) and return its path."""
    with av.open(str(path), "w", format="webm", container_options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libvpx-vp9", rate=30, options={"cpu-used": "8", "deadline": "realtime"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        _encode_pictures(container, stream, round(seconds * 30), seed)
    return path


def make_sample_image(path: Path, *, width: int = 1080, height: int = 1920, seed: int = 0) -> Path:
    """Write a still picture and return its path; JPEG, PNG or WebP by the path's extension."""
    rows = b"".join(bytes((x // 8 + y // 4 + seed * 37) % 256 for x in range(width)) for y in range(height))
    red = Image.frombytes("L", (width, height), rows)
    Image.merge("RGB", (red, red.transpose(Image.Transpose.ROTATE_180), red.point(lambda value: 255 - value))).save(path)
    return path


def _picture_stream(container: OutputContainer, width: int, height: int, frame_rate: int, *, noise: bool) -> VideoStream:
    # One thread, so that every machine makes the same bytes.
    options = {"preset": "ultrafast", "threads": "1", "crf": "12" if noise else "23"}
    stream = container.add_stream("libx264", rate=frame_rate, options=options)
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    return stream


def _plane(size_of_row: int, rows: int, number: int, seed: int, chance: random.Random | None) -> bytes:
    """One plane of picture `number`: slanted stripes that wander, or, with `chance`, noise that no two pictures share."""
    if chance is not None:
        return chance.randbytes(size_of_row * rows)
    wave = bytes(abs((x + seed * 97) % 512 - 256) * 200 // 256 + 27 for x in range(512))
    ribbon = wave * (size_of_row // 512 + 2)
    starts = ((row // 2 + number * 6) % 512 for row in range(rows))
    return b"".join(ribbon[start : start + size_of_row] for start in starts)


def _encode_pictures(container: OutputContainer, stream: VideoStream, count: int, seed: int, *, noise: bool = False) -> None:
    chance = random.Random(seed) if noise else None  # noqa: S311  # a picture, not a secret
    for number in range(count):
        frame = av.VideoFrame(stream.width, stream.height, "yuv420p")
        frame.pts, frame.time_base = number, Fraction(1) / stream.codec_context.framerate
        for speed, plane in enumerate(frame.planes, start=1):
            rows = plane.buffer_size // plane.line_size
            plane.update(_plane(plane.line_size, rows, number * speed, seed * speed, chance).ljust(plane.buffer_size, b"\0"))
        container.mux(stream.encode(frame))
    container.mux(stream.encode())


def _encode_tone(container: OutputContainer, stream: AudioStream, samples: int) -> None:
    for start in range(0, samples, _AUDIO_FRAME):
        frame = av.AudioFrame(format="fltp", layout="mono", samples=min(_AUDIO_FRAME, samples - start))
        frame.sample_rate, frame.pts = SAMPLE_RATE_HZ, start
        angle = 2 * math.pi * TONE_HZ / SAMPLE_RATE_HZ
        wave = array("f", (0.2 * math.sin(angle * (start + index)) for index in range(frame.samples)))
        frame.planes[0].update(wave.tobytes().ljust(frame.planes[0].buffer_size, b"\0"))
        container.mux(stream.encode(frame))
    container.mux(stream.encode())


def _pad(path: Path, min_bytes: int, seed: int) -> None:
    """Append a `free` box with a 64-bit length (ISO 14496-12, 8.1.2); no two of its blocks are equal."""
    missing = min_bytes - path.stat().st_size
    if missing <= 0:
        return
    size = max(missing, 16)
    block = random.Random(seed).randbytes(_PADDING_BLOCK - 8)  # noqa: S311  # filler, not a secret
    with path.open("ab") as file:
        file.write((1).to_bytes(4, "big") + b"free" + size.to_bytes(8, "big"))
        for number, start in enumerate(range(16, size, _PADDING_BLOCK)):
            file.write((number.to_bytes(8, "big") + block)[: size - start])
