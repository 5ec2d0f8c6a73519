"""What Instagram takes of a file, by the kind of post; the numbers and their sources are in `limits`."""

from typing import Final

from clipcast.platforms.base import Media, MediaKind, Order
from clipcast.platforms.forms import ImageForm, MediaForm, VideoForm
from clipcast.platforms.instagram import limits
from clipcast.platforms.instagram.limits import VideoRules
from clipcast.platforms.instagram.posting import kind_of


def _video(name: str, rules: VideoRules) -> VideoForm:
    return VideoForm(
        name=name,
        content_types=limits.VIDEO_TYPES,
        video_codecs=limits.VIDEO_CODECS,
        audio_codecs=limits.AUDIO_CODECS,
        max_bytes=rules.max_bytes,
        min_frame_rate=limits.MIN_FRAME_RATE,
        max_frame_rate=limits.MAX_FRAME_RATE,
        max_width_px=limits.MAX_VIDEO_WIDTH_PX,
        max_bits_per_s=limits.MAX_VIDEO_BITS_PER_S,
    )


def _image(name: str, min_aspect: float, max_aspect: float) -> ImageForm:
    return ImageForm(
        name=name,
        content_types=limits.IMAGE_TYPES,
        max_bytes=limits.SAFE_IMAGE_BYTES,
        useful_width_px=limits.USEFUL_IMAGE_WIDTH_PX,
        min_aspect=min_aspect,
        max_aspect=max_aspect,
    )


REEL: Final = _video("instagram", limits.REEL)
STORY_VIDEO: Final = _video("instagram-story", limits.STORY_VIDEO)
CAROUSEL_VIDEO: Final = _video("instagram-carousel", limits.CAROUSEL_VIDEO)
IMAGE: Final = _image("instagram", limits.MIN_IMAGE_ASPECT, limits.MAX_IMAGE_ASPECT)
STORY_IMAGE: Final = _image("instagram-story", 0.0, float("inf"))
COVER: Final = _image("instagram-cover", 0.0, float("inf"))


def form(order: Order, media: Media) -> MediaForm:
    """The form of this file in this post."""
    if media == order.cover:
        return COVER
    match media.kind, kind_of(order):
        case MediaKind.IMAGE, "story":
            return STORY_IMAGE
        case MediaKind.IMAGE, _:
            return IMAGE
        case _, "story":
            return STORY_VIDEO
        case _, "carousel":
            return CAROUSEL_VIDEO
        case _:
            return REEL
