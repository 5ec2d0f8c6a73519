"""What YouTube takes of a file; the numbers and their sources are in `limits`."""

from typing import Final

from clipcast.platforms.base import Media, MediaKind, Order
from clipcast.platforms.forms import ImageForm, MediaForm, VideoForm
from clipcast.platforms.youtube import limits

VIDEO: Final = VideoForm(
    name="youtube",
    content_types=limits.VIDEO_TYPES,
    video_codecs=limits.VIDEO_CODECS,
    max_bytes=limits.MAX_VIDEO_BYTES,
)
COVER: Final = ImageForm(name="youtube-cover", content_types=limits.IMAGE_TYPES, max_bytes=limits.MAX_COVER_BYTES)


def form(order: Order, media: Media) -> MediaForm | None:
    """The form of this file; None for an image that is no cover, which YouTube has no use for."""
    if media == order.cover:
        return COVER
    return VIDEO if media.kind is MediaKind.VIDEO else None
