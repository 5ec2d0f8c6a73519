"""A small JPEG of a clip, for lists and calendars."""

from io import BytesIO
from pathlib import Path
from typing import Final

import av
from PIL import Image

from clipcast.clips.probe import Facts, first_frame, open_image, open_video, picture_stream, upright
from clipcast.platforms.base import MediaKind

MAX_SIDE: Final = 480
"""Pixels of the longer side."""
_MOMENT: Final = 0.1  # of the duration: past the black frames that many videos begin with
_TURN_BACK: Final = {90: Image.Transpose.ROTATE_90, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_270}


def thumbnail(path: Path, facts: Facts) -> bytes:
    """A JPEG of at most 480 pixels on its longer side, upright.

    Raises:
        UnusableMedia: no picture can be decoded.
    """
    return _of_video(path, facts) if facts.kind is MediaKind.VIDEO else _of_image(path)


def _of_video(path: Path, facts: Facts) -> bytes:
    with open_video(path, facts.content_type) as container:
        stream = picture_stream(container)
        start = container.start_time or 0
        container.seek(start + int((facts.duration_s or 0) * _MOMENT * av.time_base))
        frame = first_frame(container, stream)
        scale = min(1.0, MAX_SIDE / max(frame.width, frame.height))
        small = frame.reformat(max(1, round(frame.width * scale)), max(1, round(frame.height * scale)), "rgb24")
        picture = small.to_image()  # type: ignore[no-untyped-call]  # PyAV's stub leaves its keyword arguments untyped
        turn = _TURN_BACK.get(frame.rotation % 360)
        return _jpeg(picture.transpose(turn) if turn is not None else picture)


def _of_image(path: Path) -> bytes:
    with open_image(path) as image:
        # A JPEG is decoded at a fraction of its size where that is enough: less memory, less time.
        image.draft("RGB", (MAX_SIDE * 2, MAX_SIDE * 2))
        picture = upright(image)
        picture.thumbnail((MAX_SIDE, MAX_SIDE))
        return _jpeg(on_white(picture))


def on_white(image: Image.Image) -> Image.Image:
    """The picture as RGB, its transparent parts white."""
    if image.mode.startswith("I"):  # 16 bits a pixel; a plain conversion would clip all but the darkest
        return image.convert("I").point(lambda value: value / 256).convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    with_alpha = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), with_alpha).convert("RGB")


def _jpeg(picture: Image.Image) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()
