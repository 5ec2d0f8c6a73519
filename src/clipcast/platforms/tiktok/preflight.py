"""What stands between an order and TikTok, all at once and before anything is sent; each sentence says what to change.

Numbers and their sources are in `limits`. What TikTok's rules exclude blocks; what it would quietly ignore or switch off is a warning.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from clipcast.errors import PlatformError, ReconnectRequired, Rejected
from clipcast.platforms.base import Answer, Media, MediaKind, Order, Privacy, Problem
from clipcast.platforms.tiktok import answers, limits
from clipcast.platforms.tiktok.posting import MODES, is_inbox, is_photos
from clipcast.platforms.tiktok.states import Creator

_PRIVACY_NAMES: Final[Mapping[str, Privacy]] = {level: name for name, level in limits.PRIVACY_LEVELS.items()}
_EXTRA_OBJECTS: Final = ("post_info",)
_EXTRA_KNOWN: Final = ("post_info", "is_aigc")
#: What the flow itself relies upon: with other values it would upload, look up or report the wrong thing.
_EXTRA_FIXED: Final = ("source_info", "media_type", "post_mode")
_UNASKED: Final = datetime.min.replace(tzinfo=UTC)


def problems(order: Order, account_answer: Answer | None) -> list[Problem]:
    """Everything that is wrong with this order; with creator_info's answer also by the creator's own settings."""
    if not order.media:
        return [Problem("media", "no_media", "There is nothing to publish; add a video or up to 35 images.")]
    found = [*_media_set_problems(order), *_option_problems(order), *_extra_problems(order), *_text_problems(order)]
    for index, media in enumerate(order.media):
        field = f"media[{index}]" if len(order.media) > 1 else "media"
        found += _image_problems(media, field) if media.kind is MediaKind.IMAGE else _video_problems(order, media, field)
    if account_answer is not None and not is_inbox(order):  # creator_info is about direct posts only
        found += _account_problems(order, account_answer)
    return found


def creator_problems(order: Order, creator: Creator) -> list[Problem]:
    """What this creator's own settings rule out, and what they switch off."""
    return [*_privacy_problems(order, creator), *_duration_problems(order, creator), *_switched_off(order, creator)]


def caption_units(text: str) -> int:
    """The length TikTok counts: UTF-16 code units, so that most emoji count twice.

    >>> caption_units("clip 🎬")
    7
    """
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _account_problems(order: Order, answer: Answer) -> list[Problem]:
    """A refusal of creator_info is a problem too; one that passes by itself (a full cap) only delays the post."""
    try:
        return creator_problems(order, answers.creator(answer, _UNASKED))
    except PlatformError as error:
        blocking = isinstance(error, Rejected | ReconnectRequired)
        return [Problem("account", error.platform_code or error.code, error.sentence, blocking)]


def _privacy_problems(order: Order, creator: Creator) -> Iterator[Problem]:
    if creator.privacy_levels and limits.PRIVACY_LEVELS.get(order.privacy) not in creator.privacy_levels:
        offered = ", ".join(_PRIVACY_NAMES.get(level, level) for level in creator.privacy_levels)
        sentence = f"This account cannot post with the privacy '{order.privacy}'; its TikTok settings allow {offered}."
        yield Problem("privacy", "privacy_not_offered", sentence)


def _duration_problems(order: Order, creator: Creator) -> Iterator[Problem]:
    duration_s = order.media[0].duration_s
    if duration_s is not None and creator.max_duration_s and duration_s > creator.max_duration_s:
        sentence = f"The video is {duration_s:.1f} s long and this creator may post up to {creator.max_duration_s} s; cut it."
        yield Problem("media", "video_too_long", sentence)


def _switched_off(order: Order, creator: Creator) -> Iterator[Problem]:
    """What the order allows and the account's settings forbid: posted all the same, with it switched off."""
    switches = [("allow_comments", "comments", order.allow_comments and creator.comment_disabled)]
    if not is_photos(order):
        switches.append(("allow_duet", "duets", order.allow_duet and creator.duet_disabled))
        switches.append(("allow_stitch", "stitches", order.allow_stitch and creator.stitch_disabled))
    for field, name, off in switches:
        if off:
            sentence = f"The account's TikTok settings allow no {name}; the post goes out without them."
            yield Problem(field, "switched_off_by_creator", sentence, blocking=False)


def _media_set_problems(order: Order) -> Iterator[Problem]:
    videos = sum(media.kind is MediaKind.VIDEO for media in order.media)
    images = len(order.media) - videos
    if videos and images:
        yield Problem("media", "mixed_media", "TikTok takes one video or a set of images, not both in one post; split the post.")
    elif videos > 1:
        yield Problem("media", "too_many_videos", f"TikTok takes one video per post, not {videos}; publish them one by one.")
    if images > limits.MAX_IMAGES:
        sentence = f"TikTok takes up to {limits.MAX_IMAGES} images per post, not {images}; leave out {images - limits.MAX_IMAGES}."
        yield Problem("media", "too_many_images", sentence)


def _option_problems(order: Order) -> Iterator[Problem]:
    if order.mode and order.mode not in MODES:
        yield Problem("mode", "unknown_mode", f"TikTok has no mode '{order.mode}'; use 'direct' or 'inbox'.")
    if order.privacy not in limits.PRIVACY_LEVELS:
        yield Problem("privacy", "unknown_privacy", f"TikTok has no privacy '{order.privacy}'; use public, friends, followers or private.")
    if order.transfer not in ("upload", "pull"):
        yield Problem("transfer", "unknown_transfer", f"There is no transfer '{order.transfer}'; use 'upload' or 'pull'.")
    if order.brand_content and order.privacy == "private" and not is_inbox(order):
        sentence = "Branded content cannot be private on TikTok; choose a wider privacy or take the brand content mark off."
        yield Problem("brand_content", "private_brand_content", sentence)
    for name in order.options:
        yield Problem(f"options.{name}", "unknown_option", f"TikTok has no option '{name}'; take it out of 'options'.")
    yield from _cover_problems(order)
    yield from _ignored_options(order)


def _cover_problems(order: Order) -> Iterator[Problem]:
    if is_photos(order):
        if not 0 <= order.cover_index < len(order.media):
            sentence = f"The cover is image {order.cover_index}, counted from 0, of {len(order.media)}; choose one of them."
            yield Problem("cover_index", "no_such_cover", sentence)
        return
    duration_s = order.media[0].duration_s
    if order.cover_ms is not None and (order.cover_ms < 0 or (duration_s is not None and order.cover_ms > duration_s * 1000)):
        sentence = "The cover's time lies outside the video; TikTok will use the first frame."
        yield Problem("cover_ms", "cover_outside_video", sentence, blocking=False)


def _ignored_options(order: Order) -> Iterator[Problem]:
    """What TikTok would drop without a word for this kind of post; said here instead."""
    why = _why_ignored(order)
    for field in why:
        if getattr(order, field) != getattr(_DEFAULTS, field):
            yield Problem(field, "ignored_by_tiktok", f"TikTok will ignore '{field}': {why[field]}.", blocking=False)


def _why_ignored(order: Order) -> dict[str, str]:
    """The options that mean nothing for this kind of post, and why."""
    why = {"cover": "it takes no image as a cover, only a moment of the video (cover_ms) or one of the set (cover_index)"}
    if is_photos(order):
        why |= dict.fromkeys(("cover_ms", "allow_duet", "allow_stitch"), "photo posts have no such thing")
    else:
        why |= dict.fromkeys(("cover_index", "auto_add_music"), "that is for photo posts")
        why["title"] = "a TikTok video has only a caption"
    if is_inbox(order):
        drafted = _DRAFTED_PHOTO if is_photos(order) else _DRAFTED_VIDEO
        why |= dict.fromkeys(drafted, "the creator sets it in the TikTok app when finishing the draft")
    return why


_DEFAULTS: Final = Order(media=())
_DRAFTED_PHOTO: Final = ("privacy", "allow_comments", "brand_content", "brand_organic", "ai_generated", "auto_add_music")
_DRAFTED_VIDEO: Final = ("caption", "cover_ms", "allow_duet", "allow_stitch", *_DRAFTED_PHOTO[:-1])


def _extra_problems(order: Order) -> Iterator[Problem]:
    for key, value in order.extra.items():
        if key in _EXTRA_FIXED:
            yield Problem(
                f"extra.{key}", "extra_not_allowed", f"'{key}' follows from the media, mode and transfer; take it out of 'extra'."
            )
        elif key in _EXTRA_OBJECTS and not isinstance(value, Mapping):
            yield Problem(f"extra.{key}", "extra_not_an_object", f"'{key}' in 'extra' must be an object with TikTok's field names.")
        elif key not in _EXTRA_KNOWN:
            sentence = f"TikTok documents no field '{key}'; it is sent as it is and may be ignored."
            yield Problem(f"extra.{key}", "unknown_extra", sentence, blocking=False)


def _text_problems(order: Order) -> Iterator[Problem]:
    if is_photos(order):
        yield from _too_long("title", "title", order.title, limits.MAX_PHOTO_TITLE_UNITS)
        yield from _too_long("caption", "description", order.caption, limits.MAX_PHOTO_DESCRIPTION_UNITS)
    elif not is_inbox(order):
        yield from _too_long("caption", "caption", order.caption, limits.MAX_CAPTION_UNITS)


def _too_long(field: str, name: str, text: str, limit: int) -> Iterator[Problem]:
    units = caption_units(text)
    if units > limit:
        sentence = f"The {name} has {units} characters, as TikTok counts them (an emoji counts as two or more), of {limit}; shorten it."
        yield Problem(field, f"{name}_too_long", sentence)


def _video_problems(order: Order, video: Media, field: str) -> Iterator[Problem]:
    if video.content_type not in limits.VIDEO_TYPES:
        yield Problem(field, "container_not_taken", f"TikTok takes MP4, MOV and WebM, not {video.content_type}; convert the video.")
    if video.video_codec is not None and video.video_codec not in limits.VIDEO_CODECS:
        sentence = f"TikTok takes H.264, H.265, VP8 and VP9 video, not {video.video_codec}; export the video as H.264."
        yield Problem(field, "codec_not_taken", sentence)
    yield from _frame_rate_problems(video, field)
    yield from _video_size_problems(video, field)
    yield from _video_length_problems(order, video, field)


def _frame_rate_problems(video: Media, field: str) -> Iterator[Problem]:
    rate = video.frame_rate
    if rate is not None and not limits.MIN_FRAME_RATE <= rate <= limits.MAX_FRAME_RATE:
        sentence = (
            f"TikTok takes 23 to 60 frames per second and this video has {rate:.2f} (a little over 60, as screen recorders make it, "
            "fails too); export it with a constant 30."
        )
        yield Problem(field, "frame_rate_out_of_range", sentence)


def _video_size_problems(video: Media, field: str) -> Iterator[Problem]:
    if not 1 <= video.size_bytes <= limits.MAX_VIDEO_BYTES:
        sentence = f"TikTok takes videos of up to 4 GB and this file has {video.size_bytes / 1e9:.2f} GB; export it smaller."
        yield Problem(field, "video_size_out_of_range", sentence)
    size = f"{video.width} x {video.height}"
    if min(video.width, video.height) < limits.MIN_SIDE_PX:
        sentence = f"TikTok takes videos from {limits.MIN_SIDE_PX} pixels per side and this one has {size}; export it larger."
        yield Problem(field, "video_too_small", sentence)
    if max(video.width, video.height) > limits.MAX_SIDE_PX:
        sentence = f"TikTok documents {limits.MAX_SIDE_PX} pixels per side as the most and this video has {size}; it may be refused."
        yield Problem(field, "video_dimensions_large", sentence, blocking=False)


def _video_length_problems(order: Order, video: Media, field: str) -> Iterator[Problem]:
    if video.duration_s is None:
        return
    if is_inbox(order) and video.duration_s > limits.MAX_INBOX_DURATION_S:
        sentence = f"TikTok takes drafts of up to 10 minutes and this video has {video.duration_s / 60:.1f}; cut it or post it directly."
        yield Problem(field, "video_too_long", sentence)
    if video.duration_s < limits.SHORT_VIDEO_S:
        yield Problem(field, "video_very_short", "The video is shorter than a second; TikTok may refuse it.", blocking=False)


def _image_problems(image: Media, field: str) -> Iterator[Problem]:
    if image.content_type not in limits.IMAGE_TYPES:
        yield Problem(field, "image_type_not_taken", f"TikTok takes JPEG and WebP images, not {image.content_type}; convert it.")
    if min(image.width, image.height) > limits.MAX_IMAGE_SHORT_SIDE_PX:
        sentence = (
            f"The image has {image.width} x {image.height} pixels and TikTok takes at most {limits.MAX_IMAGE_SHORT_SIDE_PX} on the "
            "shorter side; scale it down, or the whole post fails."
        )
        yield Problem(field, "image_too_many_pixels", sentence)
    if not 1 <= image.size_bytes <= limits.MAX_IMAGE_BYTES:
        sentence = f"TikTok takes images of up to 20 MB and this one has {image.size_bytes / 1e6:.1f}; save it smaller."
        yield Problem(field, "image_size_out_of_range", sentence)
