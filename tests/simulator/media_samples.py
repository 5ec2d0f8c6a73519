"""Makes small real media: PyAV and Pillow, no stored files."""

import io
import random
import struct
from fractions import Fraction

import av
from PIL import Image

_FAST: dict[str, dict[str, object]] = {
    "libx264": {"preset": "ultrafast"},
    "libvpx": {"deadline": "realtime", "cpu-used": "16", "threads": "1"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "threads": "1"},
}


def video(
    *,
    seconds: float = 1,
    rate: int | Fraction = 30,
    width: int = 360,
    height: int = 640,
    codec: str = "libx264",
    container: str = "mp4",
) -> bytes:
    """Encode a test video."""
    target = io.BytesIO()
    with av.open(target, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = _FAST.get(codec, {})
        for index in range(round(seconds * rate)):
            output.mux(stream.encode(_frame(width, height, index)))
        output.mux(stream.encode())
    return target.getvalue()


def padded(mp4: bytes, size: int) -> bytes:
    """Make an MP4 of a given size: a box that players skip is part of the format."""
    padding = size - len(mp4)
    return mp4 + struct.pack(">I4s", padding, b"free") + bytes(padding - 8)


def _frame(width: int, height: int, index: int) -> av.VideoFrame:
    """Draw a frame: a flat colour that changes, under a strip of noise."""
    frame = av.VideoFrame(width, height, "yuv420p")
    noise = random.Random(index)
    for plane in frame.planes:
        strip = noise.randbytes(plane.buffer_size // 64)
        plane.update(strip + bytes([index % 256]) * (plane.buffer_size - len(strip)))
    frame.pts = index
    return frame


def image(kind: str = "JPEG", width: int = 720, height: int = 1280) -> bytes:
    """Encode a test image."""
    target = io.BytesIO()
    Image.new("RGB", (width, height), (200, 80, 40)).save(target, kind)
    return target.getvalue()
