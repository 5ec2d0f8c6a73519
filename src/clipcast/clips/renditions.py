"""Other forms of a picture, for platforms that refuse the original.

Source: TikTok takes JPEG and WebP, no PNG; Instagram takes JPEG only
(https://developers.tiktok.com/doc/content-posting-api-media-transfer-guide, checked 2026-11).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image

from clipcast.clips.fitting import ImagePlan
from clipcast.clips.probe import MAX_SIDE, open_image, upright
from clipcast.clips.thumbnail import on_white
from clipcast.errors import UnusableMedia

_QUALITY: Final = 92  # platforms compress again; below 90 the second loss shows, above 95 only the size grows
_QUALITIES: Final = (_QUALITY, 85, 75, 60)  # tried in turn where a platform takes only so many bytes


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
    with _flat(path) as (picture, profile):
        return _encoded(picture, profile, _QUALITY)


def fitted_picture(path: Path, plan: ImagePlan) -> Picture:
    """The JPEG that `plan` describes, like `jpeg_for_platforms` otherwise; never larger than the plan's bytes.

    Raises:
        UnusableMedia: the picture cannot be decoded, or not be made small enough.
    """
    with _flat(path, needed_px=max(plan.width, plan.height)) as (picture, profile):
        scaled = picture.resize((plan.width, plan.height), Image.Resampling.LANCZOS)
    ground = Image.new("RGB", (plan.ground_width, plan.ground_height), "white")
    ground.paste(scaled, ((plan.ground_width - plan.width) // 2, (plan.ground_height - plan.height) // 2))
    for quality in _QUALITIES:
        made = _encoded(ground, profile, quality)
        if len(made.encoded) <= plan.max_bytes:
            return made
    raise UnusableMedia(f"The picture cannot be saved in {plan.max_bytes / 1e6:.0f} MB without spoiling it. Export it with fewer pixels.")


@contextmanager
def _flat(path: Path, needed_px: int = MAX_SIDE) -> Iterator[tuple[Image.Image, bytes | None]]:
    """The picture upright and without transparency, and its colour profile; at least `needed_px` on a side, where it has as many."""
    with open_image(path) as image:
        image.draft(None, (needed_px, needed_px))  # a JPEG is decoded at a fraction of its size where that is enough
        profile = image.info.get("icc_profile") if image.mode in {"RGB", "RGBA", "P"} else None
        yield on_white(upright(image)), profile


def _encoded(picture: Image.Image, profile: bytes | None, quality: int) -> Picture:
    buffer = BytesIO()
    picture.save(buffer, "JPEG", quality=quality, subsampling=0, progressive=False, icc_profile=profile)
    return Picture(buffer.getvalue(), picture.width, picture.height)
