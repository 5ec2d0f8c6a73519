"""What stands between an order and YouTube, all at once and before anything is sent; each sentence says what to change.

Numbers and their sources are in `limits`. What YouTube's rules exclude blocks; what it would quietly ignore, or may refuse, is a warning.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from clipcast.errors import PlatformError, ReconnectRequired, Rejected
from clipcast.platforms.base import Answer, Media, MediaKind, Order, Problem
from clipcast.platforms.youtube import answers, limits
from clipcast.platforms.youtube.options import Options, mistakes, options_of
from clipcast.platforms.youtube.posting import Insertion, insertion, tags_chars, units
from clipcast.platforms.youtube.states import Channel

OTHER_CHANNEL: Final = "other_channel"
NO_CHANNEL: Final = "This Google account has no YouTube channel; create one on youtube.com, then connect the account again."
#: Only sentences come of it here, never a wait.
_SOMETIME: Final = datetime(2026, 1, 1, tzinfo=UTC)


def problems(order: Order, account_answer: Answer | None) -> list[Problem]:
    """Everything that is wrong with this order; with the answer to `account_request` also by the channel's own limits."""
    if not order.media:
        return [Problem("media", "no_media", "There is nothing to publish; add a video.")]
    found = [*_media_problems(order), *_choice_problems(order), *_option_problems(order), *_cover_problems(order)]
    found += _ignored(order)
    if account_answer is not None:
        found += _account_problems(order, account_answer)
    else:
        found += _unverified_problems(order)
    return found


def channel_problems(order: Order, channel: Channel) -> Iterator[Problem]:
    """What the channel itself rules out: it is another one than the account's, or the video is too long for it."""
    expected = order.account.get("channel_id", "")
    if expected and expected != channel.channel_id:
        sentence = (
            f"The stored access belongs to the channel {channel.channel_id} and not to this account's channel {expected}; connect the "
            "account again and choose the right channel."
        )
        yield Problem("account", OTHER_CHANNEL, sentence)
    if channel.long_uploads in ("eligible", "disallowed") and _is_long(order):
        sentence = (
            "The channel may only upload videos of up to 15 minutes; verify its phone number at youtube.com/verify"
            f"{'' if channel.long_uploads == 'eligible' else ', if YouTube offers that,'} or cut the video."
        )
        yield Problem("media", "video_too_long_for_channel", sentence)


def _account_problems(order: Order, answer: Answer) -> list[Problem]:
    """A refusal is a problem too; one that passes by itself (a full quota) only delays the post."""
    try:
        channel = answers.channel(answer, _SOMETIME)
    except PlatformError as error:
        blocking = isinstance(error, Rejected | ReconnectRequired)
        return [Problem("account", error.platform_code or error.code, error.sentence, blocking)]
    if channel is None:
        return [Problem("account", "no_channel", NO_CHANNEL)]
    return list(channel_problems(order, channel))


def _unverified_problems(order: Order) -> Iterator[Problem]:
    if _is_long(order):
        sentence = "Videos of more than 15 minutes need a channel with a verified phone number; YouTube rejects them otherwise."
        yield Problem("media", "video_long", sentence, blocking=False)


def _is_long(order: Order) -> bool:
    duration_s = order.media[0].duration_s
    return duration_s is not None and limits.MAX_UNVERIFIED_DURATION_S < duration_s <= limits.MAX_DURATION_S


# The file


def _media_problems(order: Order) -> Iterator[Problem]:
    if any(media.kind is MediaKind.IMAGE for media in order.media):
        yield Problem("media", "images_not_taken", "YouTube takes videos only; make a video of the images, or leave YouTube out.")
        return
    if len(order.media) > 1:
        yield Problem("media", "too_many_videos", f"YouTube takes one video per post, not {len(order.media)}; publish them one by one.")
    for index, video in enumerate(order.media):
        yield from _video_problems(video, f"media[{index}]" if len(order.media) > 1 else "media")


def _video_problems(video: Media, field: str) -> Iterator[Problem]:
    if not 1 <= video.size_bytes <= limits.MAX_VIDEO_BYTES:
        sentence = f"YouTube takes videos of up to 256 GB and this file has {video.size_bytes / 1e9:.2f} GB; export it smaller."
        yield Problem(field, "video_size_out_of_range", sentence)
    if not video.content_type.startswith("video/"):
        yield Problem(field, "container_not_taken", f"YouTube takes video files, not {video.content_type}; convert it to MP4.")
    elif video.content_type not in limits.VIDEO_TYPES:
        sentence = f"YouTube does not list {video.content_type} among the formats it takes and may fail to process it; MP4 is safe."
        yield Problem(field, "container_uncertain", sentence, blocking=False)
    if video.video_codec is not None and video.video_codec not in limits.VIDEO_CODECS:
        sentence = f"YouTube does not list {video.video_codec} among the codecs it takes and may fail to process it; H.264 is safe."
        yield Problem(field, "codec_uncertain", sentence, blocking=False)
    yield from _length_problems(video, field)


def _length_problems(video: Media, field: str) -> Iterator[Problem]:
    if video.duration_s is None:
        return
    if video.duration_s > limits.MAX_DURATION_S:
        sentence = f"YouTube takes videos of up to 12 hours and this one has {video.duration_s / 3600:.1f}; cut it."
        yield Problem(field, "video_too_long", sentence)
    if video.height >= video.width and limits.SAFE_SHORT_S < video.duration_s <= limits.MAX_SHORT_S + 1:
        sentence = "At three minutes it is not certain that YouTube shows a vertical video as a Short; cut it to 2:59 to be sure."
        yield Problem(field, "short_uncertain", sentence, blocking=False)


def _cover_problems(order: Order) -> Iterator[Problem]:
    cover = order.cover
    if cover is None:
        return
    if cover.content_type not in limits.IMAGE_TYPES:
        yield Problem("cover", "cover_type_not_taken", f"YouTube takes JPEG and PNG as covers, not {cover.content_type}; convert it.")
    if not 1 <= cover.size_bytes <= limits.MAX_COVER_BYTES:
        sentence = f"YouTube takes covers of up to 50 MB and this image has {cover.size_bytes / 1e6:.1f} MB; save it smaller."
        yield Problem("cover", "cover_size_out_of_range", sentence)


# Texts and options


def _choice_problems(order: Order) -> Iterator[Problem]:
    if order.mode:
        yield Problem(
            "mode", "unknown_mode", f"YouTube has no mode '{order.mode}'; leave it out (it makes Shorts of short vertical videos)."
        )
    if order.transfer != "upload":
        yield Problem("transfer", "unknown_transfer", "YouTube does not fetch videos by URL; use the transfer 'upload'.")


def _option_problems(order: Order) -> Iterator[Problem]:
    wrong = [Problem(f"options.{name}", "bad_option", sentence) for name, sentence in mistakes(order)]
    yield from wrong
    yield from (each for key, value in order.extra.items() for each in _extra_problems(key, value))
    if not wrong:
        new = insertion(order)
        yield from _title_problems(order, new)
        yield from _description_problems(new)
        yield from _tag_problems(new)
        yield from _privacy_problems(order, new)
        yield from _language_problems(options_of(order))


def _extra_problems(key: str, value: object) -> Iterator[Problem]:
    if key not in limits.PARTS:
        sentence = f"YouTube has no part '{key}' of a video; 'extra' takes {', '.join(sorted(limits.PARTS))}."
        yield Problem(f"extra.{key}", "unknown_extra", sentence)
    elif not isinstance(value, Mapping):
        yield Problem(f"extra.{key}", "extra_not_an_object", f"'{key}' in 'extra' must be an object with YouTube's field names.")


def _title_problems(order: Order, new: Insertion) -> Iterator[Problem]:
    field = "title" if order.title.strip() else "caption"
    if not new.title:
        yield Problem("title", "no_title", "A YouTube video needs a title; set one, or write a caption whose first line becomes it.")
    if "<" in new.title or ">" in new.title:
        yield Problem(field, "title_with_brackets", "YouTube takes no < and > in titles; take them out.")
    if units(new.title) > limits.MAX_TITLE_UNITS:
        sentence = f"The title has {units(new.title)} characters (an emoji counts as two or more) of {limits.MAX_TITLE_UNITS}; shorten it."
        yield Problem(field, "title_too_long", sentence)


def _description_problems(new: Insertion) -> Iterator[Problem]:
    if "<" in new.description or ">" in new.description:
        yield Problem("caption", "caption_with_brackets", "YouTube takes no < and > in descriptions; take them out.")
    size = len(new.description.encode("utf-8", "surrogatepass"))
    if size > limits.MAX_DESCRIPTION_BYTES:
        sentence = f"The caption has {size} bytes (accents and emoji take several) of {limits.MAX_DESCRIPTION_BYTES}; shorten it."
        yield Problem("caption", "caption_too_long", sentence)


def _tag_problems(new: Insertion) -> Iterator[Problem]:
    if any("<" in tag or ">" in tag for tag in new.tags):
        yield Problem("options.tags", "tag_with_brackets", "YouTube takes no < and > in tags; take them out.")
    chars = tags_chars(new.tags)
    if chars > limits.MAX_TAGS_CHARS:
        sentence = f"The tags have {chars} characters, with commas and quotation marks, of {limits.MAX_TAGS_CHARS}; leave some out."
        yield Problem("options.tags", "tags_too_long", sentence)


def _privacy_problems(order: Order, new: Insertion) -> Iterator[Problem]:
    if new.privacy not in limits.PRIVACY_STATUSES:
        sentence = f"YouTube has no privacy '{new.privacy or order.privacy}'; use public, unlisted or private."
        yield Problem("privacy", "unknown_privacy", sentence)
    elif new.schedules and new.privacy != "private":
        sentence = f"A video that is to go public at a time has to be private until then, not {new.privacy}; set the privacy to private."
        yield Problem("options.publish_at", "publish_at_not_private", sentence)
    if new.schedules and new.publish_at is None:
        yield Problem("options.publish_at", "publish_at_unreadable", "The time to go public must be an ISO 8601 time with a zone.")


def _language_problems(options: Options) -> Iterator[Problem]:
    if options.localizations and not options.default_language:
        sentence = "Localizations need to know the language of title and caption; set default_language."
        yield Problem("options.default_language", "default_language_missing", sentence)
    for language, text in options.localizations.items():
        too_long = units(text.title) > limits.MAX_TITLE_UNITS or len(text.description.encode()) > limits.MAX_DESCRIPTION_BYTES
        if too_long or not text.title.strip() or set("<>") & set(text.title + text.description):
            sentence = (
                f"The localization '{language}' breaks a rule: a title of 1 to 100 characters, at most 5,000 bytes of text, no < and >."
            )
            yield Problem(f"options.localizations.{language}", "bad_localization", sentence)


# What would be dropped without a word

_DEFAULTS: Final = Order(media=())
_WHY_IGNORED: Final[Mapping[str, str]] = {
    "allow_comments": "its API cannot set who may comment; the channel's own default applies",
    "allow_duet": "it has no such thing",
    "allow_stitch": "it has no such thing",
    "auto_add_music": "that is for photo posts",
    "brand_organic": "it has no such mark",
    "cover_index": "that is for photo posts",
    "cover_ms": "its API takes a cover as an image of its own, not as a moment of the video",
}


def _ignored(order: Order) -> Iterator[Problem]:
    """What YouTube knows no way to take; said here instead."""
    for field, why in _WHY_IGNORED.items():
        if getattr(order, field) != getattr(_DEFAULTS, field):
            yield Problem(field, "ignored_by_youtube", f"YouTube will ignore '{field}': {why}.", blocking=False)
    if order.brand_content:
        sentence = "YouTube's API does not document that it takes the mark for paid promotion; check it in YouTube Studio afterwards."
        yield Problem("brand_content", "brand_content_uncertain", sentence, blocking=False)
