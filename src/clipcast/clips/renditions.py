"""Other forms of a picture, for platforms that refuse the original.

Source: TikTok takes JPEG and WebP, no PNG; Instagram takes JPEG only
(https://developers.tiktok.com/doc/content-posting-api-media-transfer-guide, checked 2026-11).
"""

from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Final

from clipcast.clips.probe import open_image, upright
from clipcast.clips.thumbnail import on_white

JPEG: Final = "jpeg"
"""The purpose under which a JPEG of a PNG is stored."""
_QUALITY: Final = 92  # platforms compress again; below 90 the second loss shows, above 95 only the size grows


@dataclass(frozen=True, slots=True)
class Picture:
    """An encoded picture."""

    encoded: bytes = field(repr=False)
    width: int
    height: int
    content_type: str = "image/jpeg"


def jpeg_for_platforms(path: Path) -> Picture:
    """A baseline JPEG of a picture: upright, transparent parts white, without the original's metadata (which may say where it was taken).

    Raises:
        UnusableMedia: the picture cannot be decoded.
    """
    with open_image(path) as image:
        profile = image.info.get("icc_profile") if image.mode in {"RGB", "RGBA", "P"} else None
        picture = on_white(upright(image))
        buffer = BytesIO()
        picture.save(buffer, "JPEG", quality=_QUALITY, subsampling=0, progressive=False, icc_profile=profile)
        return Picture(buffer.getvalue(), picture.width, picture.height)
