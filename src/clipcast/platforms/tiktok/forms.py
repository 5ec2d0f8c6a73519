"""What TikTok takes of a file; the numbers and their sources are in `limits`."""

from typing import Final

from clipcast.platforms.base import Media, MediaKind, Order
from clipcast.platforms.forms import ImageForm, MediaForm, VideoForm
from clipcast.platforms.tiktok import limits

VIDEO: Final = VideoForm(
    name="tiktok",
    content_types=limits.VIDEO_TYPES,
    video_codecs=limits.VIDEO_CODECS,
    max_bytes=limits.MAX_VIDEO_BYTES,
    min_frame_rate=limits.MIN_FRAME_RATE,
    max_frame_rate=limits.MAX_FRAME_RATE,
    min_side_px=limits.MIN_SIDE_PX,
    max_width_px=limits.MAX_SIDE_PX,
    max_height_px=limits.MAX_SIDE_PX,
)
IMAGE: Final = ImageForm(
    name="tiktok",
    content_types=limits.IMAGE_TYPES,
    max_bytes=limits.MAX_IMAGE_BYTES,
    max_short_side_px=limits.MAX_IMAGE_SHORT_SIDE_PX,
)


def form(order: Order, media: Media) -> MediaForm | None:
    """The form of this file; None for a cover, which TikTok takes no image for."""
    if media == order.cover:
        return None
    return VIDEO if media.kind is MediaKind.VIDEO else IMAGE
