"""Whether Instagram takes these files: the media table of `limits`, applied."""

from collections.abc import Iterator

from clipcast.platforms.base import Media, MediaKind, Order, Problem
from clipcast.platforms.instagram import limits
from clipcast.platforms.instagram.limits import VideoRules
from clipcast.platforms.instagram.posting import kind_of


def media_problems(order: Order) -> Iterator[Problem]:
    """Everything that is wrong with the files, each at its place."""
    for index, media in enumerate(order.media):
        field = f"media[{index}]" if len(order.media) > 1 else "media"
        if media.kind is MediaKind.IMAGE:
            yield from _image_problems(order, media, field)
        else:
            yield from _video_problems(media, field, _rules(order))


def cover_problems(order: Order) -> Iterator[Problem]:
    """What is wrong with a reel's cover: an image of its own, or a moment of the video."""
    if kind_of(order) != "reel":
        return
    if order.cover is not None:
        if order.cover.content_type not in limits.IMAGE_TYPES:
            yield Problem("cover", "cover_not_jpeg", f"Instagram takes a JPEG as the cover, not {order.cover.content_type}; convert it.")
        yield from _image_size(order.cover, "cover")
    duration_s = order.media[0].duration_s
    if order.cover_ms is not None and (order.cover_ms < 0 or (duration_s is not None and order.cover_ms >= duration_s * 1000)):
        yield Problem("cover_ms", "cover_outside_video", "The cover's time lies outside the video; choose an earlier moment.")


def _rules(order: Order) -> VideoRules:
    match kind_of(order):
        case "story":
            return limits.STORY_VIDEO
        case "carousel":
            return limits.CAROUSEL_VIDEO
        case _:
            return limits.REEL


# Images


def _image_problems(order: Order, image: Media, field: str) -> Iterator[Problem]:
    if image.content_type not in limits.IMAGE_TYPES:
        yield Problem(field, "image_type_not_taken", f"Instagram takes JPEG images, not {image.content_type}; convert it.")
    yield from _image_size(image, field)
    aspect = image.width / max(image.height, 1)
    if kind_of(order) != "story" and not limits.MIN_IMAGE_ASPECT <= aspect <= limits.MAX_IMAGE_ASPECT:
        size = f"{image.width} x {image.height}"
        sentence = f"Instagram takes images from 4:5 (portrait) to 1.91:1 (landscape) and this one has {size} pixels; crop it."
        yield Problem(field, "image_aspect_out_of_range", sentence)


def _image_size(image: Media, field: str) -> Iterator[Problem]:
    megabytes = f"{image.size_bytes / 1e6:.1f}"
    if not 1 <= image.size_bytes <= limits.MAX_IMAGE_BYTES:
        yield Problem(
            field, "image_size_out_of_range", f"Instagram takes images of up to 8 MB and this one has {megabytes}; save it smaller."
        )
    elif image.size_bytes > limits.SAFE_IMAGE_BYTES:
        sentence = f"Instagram documents 8 MB as the most for an image and this one has {megabytes}; it may be refused."
        yield Problem(field, "image_size_large", sentence, blocking=False)


# Videos


def _video_problems(video: Media, field: str, rules: VideoRules) -> Iterator[Problem]:
    if video.content_type not in limits.VIDEO_TYPES:
        yield Problem(field, "container_not_taken", f"Instagram takes MP4 and MOV videos, not {video.content_type}; convert the video.")
    if video.video_codec is not None and video.video_codec not in limits.VIDEO_CODECS:
        sentence = f"Instagram takes H.264 and H.265 video, not {video.video_codec}; export the video as H.264."
        yield Problem(field, "codec_not_taken", sentence)
    if video.audio_codec is not None and video.audio_codec not in limits.AUDIO_CODECS:
        sentence = f"Instagram takes AAC sound, not {video.audio_codec}; export the video with AAC."
        yield Problem(field, "audio_codec_not_taken", sentence)
    yield from _frame_rate_problems(video, field)
    yield from _shape_problems(video, field, rules)
    yield from _size_problems(video, field, rules)
    yield from _length_problems(video, field, rules)


def _frame_rate_problems(video: Media, field: str) -> Iterator[Problem]:
    rate = video.frame_rate
    if rate is not None and not limits.MIN_FRAME_RATE <= rate <= limits.MAX_FRAME_RATE:
        sentence = f"Instagram takes 23 to 60 frames per second and this video has {rate:.2f}; export it with a constant 30."
        yield Problem(field, "frame_rate_out_of_range", sentence)


def _shape_problems(video: Media, field: str, rules: VideoRules) -> Iterator[Problem]:
    aspect = video.width / max(video.height, 1)
    if not rules.min_aspect <= aspect <= rules.max_aspect:
        sentence = f"A {rules.name} of {video.width} x {video.height} pixels is too narrow or too wide for Instagram; 9:16 is advised."
        yield Problem(field, "video_aspect_out_of_range", sentence)
    if video.width > limits.MAX_VIDEO_WIDTH_PX:
        sentence = f"Instagram takes videos up to {limits.MAX_VIDEO_WIDTH_PX} pixels wide and this one has {video.width}; scale it down."
        yield Problem(field, "video_too_wide", sentence)


def _size_problems(video: Media, field: str, rules: VideoRules) -> Iterator[Problem]:
    if not 1 <= video.size_bytes <= rules.max_bytes:
        sentence = (
            f"Instagram takes a {rules.name} of up to {rules.max_bytes / 1e6:.0f} MB and this file has {video.size_bytes / 1e6:.1f}; "
            "export it smaller."
        )
        yield Problem(field, "video_size_out_of_range", sentence)
    bits_per_s = 8 * video.size_bytes / video.duration_s if video.duration_s else 0
    if bits_per_s > limits.MAX_VIDEO_BITS_PER_S:
        sentence = f"Instagram documents 25 Mbit/s as the most and this video has {bits_per_s / 1e6:.0f} on average; it may be refused."
        yield Problem(field, "video_bitrate_high", sentence, blocking=False)


def _length_problems(video: Media, field: str, rules: VideoRules) -> Iterator[Problem]:
    if video.duration_s is None:
        return
    if video.duration_s < rules.min_duration_s:
        sentence = (
            f"A {rules.name} on Instagram lasts {rules.min_duration_s:g} s at least and this one {video.duration_s:.1f}; make it longer."
        )
        yield Problem(field, "video_too_short", sentence)
    if video.duration_s > rules.max_duration_s:
        sentence = f"A {rules.name} on Instagram lasts up to {rules.max_duration_s:g} s and this one {video.duration_s:.1f}; cut it."
        yield Problem(field, "video_too_long", sentence)
