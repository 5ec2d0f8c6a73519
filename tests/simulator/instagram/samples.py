"""Videos that break one rule of Instagram's each: PyAV, no stored files."""

import random
from pathlib import Path

import av

from simulator import media_samples


def encoded(
    path: Path,
    *,
    seconds: float = 3,
    rate: int = 24,
    width: int = 64,
    height: int = 112,
    pixel_format: str = "yuv420p",
    lossless: bool = False,
    audio: str | None = None,
    sample_rate: int = 48_000,
    layout: str = "stereo",
    options: dict[str, str] | None = None,
) -> bytes:
    """Encode a video with H.264, with a silent sound track if wanted, and return its bytes."""
    with av.open(path, "w", format="mp4", options=options or {}) as output:
        stream = output.add_stream("libx264", rate=rate)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, pixel_format
        tuning: dict[str, object] = {"preset": "ultrafast"}
        stream.options = tuning | ({"qp": "0"} if lossless else {})
        sound = None if audio is None else output.add_stream(audio, rate=sample_rate)
        if sound is not None:
            assert isinstance(sound, av.AudioStream)
            sound.layout = layout
        for index in range(round(seconds * rate)):
            output.mux(stream.encode(_picture(width, height, index, lossless=lossless)))
        output.mux(stream.encode())
        if isinstance(sound, av.AudioStream):
            _mux_silence(output, sound, seconds)
    return path.read_bytes()


def _picture(width: int, height: int, index: int, *, lossless: bool) -> av.VideoFrame:
    frame = av.VideoFrame(width, height, "yuv420p")
    noise = random.Random(index)
    for plane in frame.planes:
        plane.update(noise.randbytes(plane.buffer_size) if lossless else bytes([index % 256]) * plane.buffer_size)
    frame.pts = index
    return frame


def _mux_silence(output: "av.container.OutputContainer", sound: "av.AudioStream", seconds: float) -> None:
    context = sound.codec_context
    format_name = context.format.name if context.format is not None else "fltp"
    done = 0
    while done < seconds * context.sample_rate:
        frame = av.AudioFrame(format_name, context.layout.name, 1024)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.sample_rate, frame.pts = context.sample_rate, done
        output.mux(sound.encode(frame))
        done += 1024
    output.mux(sound.encode())


def heavy_jpeg(size: int) -> bytes:
    """Make a JPEG of a given size: readers stop at its end marker."""
    image = media_samples.image(width=400, height=400)
    return image + bytes(size - len(image))
