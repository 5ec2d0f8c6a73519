"""What stands between an order and Instagram, all at once and before anything is sent; each sentence says what to change.

Numbers and their sources are in `limits`. What Instagram's rules exclude blocks; what it would ignore, or may refuse, is a warning.
"""

import re
from collections.abc import Iterator
from typing import Final

from clipcast.errors import PlatformError, ReconnectRequired, Rejected
from clipcast.platforms.base import Answer, Media, MediaKind, Order, Problem
from clipcast.platforms.instagram import answers, limits
from clipcast.platforms.instagram.media_rules import cover_problems, media_problems
from clipcast.platforms.instagram.options import option_problems, options_of
from clipcast.platforms.instagram.posting import ACCOUNT_ID, MODES, UNLABELLED, caption_of, is_uploaded, kind_of, login_of

_HASHTAG: Final = re.compile(r"(?<!\w)#\w+")
_MENTION: Final = re.compile(r"(?<![\w@])@[\w.]+")
#: What the flow itself relies upon: with other values it would upload, look up or report the wrong thing.
_EXTRA_FIXED: Final = (
    "media_type", "image_url", "video_url", "upload_type", "is_carousel_item", "children", "creation_id", "access_token",
)  # fmt: skip
_EXTRA_KNOWN: Final = ("caption", "audio_configuration", "product_tags", "branded_content_sponsor_ids", "is_paid_partnership")
_DEFAULTS: Final = Order(media=())


def problems(order: Order, account_answer: Answer | None) -> list[Problem]:
    """Everything that is wrong with this order; with the daily limit's answer also what the account has left."""
    if not order.media:
        return [Problem("media", "no_media", "There is nothing to publish; add a video, an image, or 2 to 10 of them.")]
    found = [*_kind_problems(order), *_choice_problems(order), *_text_problems(order), *_extra_problems(order)]
    wrong_options = option_problems(order.options)
    found += wrong_options or _option_problems(order)
    found += media_problems(order)
    found += cover_problems(order)
    found += _address_problems(order)
    if account_answer is not None:
        found += _account_problems(order, account_answer)
    return found


# The post


def _kind_problems(order: Order) -> Iterator[Problem]:
    count, first = len(order.media), order.media[0].kind
    match order.mode:
        case "reel" if count > 1 or first is not MediaKind.VIDEO:
            yield Problem("mode", "not_a_reel", "A reel is exactly one video; use the mode 'feed' for images and carousels.")
        case "feed" if count == 1 and first is MediaKind.VIDEO:
            sentence = "Instagram takes a single video as a reel only; use the mode 'reel' ('share_to_feed' shows it in the feed as well)."
            yield Problem("mode", "video_is_a_reel", sentence)
        case "story" if count > 1:
            yield Problem("media", "story_of_many", f"A story is one image or video, not {count}; publish them one by one.")
        case "" | "reel" | "feed" | "story":
            pass
        case _:
            yield Problem("mode", "unknown_mode", f"Instagram has no mode '{order.mode}'; use {', '.join(MODES)}.")
    if count > limits.MAX_CAROUSEL_ITEMS:
        sentence = f"A carousel takes up to {limits.MAX_CAROUSEL_ITEMS} items, not {count}; leave out {count - limits.MAX_CAROUSEL_ITEMS}."
        yield Problem("media", "too_many_items", sentence)


def _choice_problems(order: Order) -> Iterator[Problem]:
    if order.privacy != "public":
        sentence = (
            f"Instagram has no privacy of a single post, so '{order.privacy}' cannot be had; choose 'public', or make the account private "
            "in the app."
        )
        yield Problem("privacy", "privacy_not_offered", sentence)
    if order.transfer not in ("upload", "pull"):
        yield Problem("transfer", "unknown_transfer", f"There is no transfer '{order.transfer}'; use 'upload' or 'pull'.")
    if order.brand_content and order.account.get(ACCOUNT_ID) and login_of(order) != "facebook":
        yield Problem("brand_content", "brand_content_not_supported", UNLABELLED)
    yield from _ignored(order)


def _ignored(order: Order) -> Iterator[Problem]:
    """What Instagram would drop without a word for this kind of post; said here instead."""
    why = {
        "allow_comments": "every post takes comments; they can be switched off in the app afterwards",
        "brand_organic": "it has no mark for one's own business",
        "auto_add_music": "it adds no music on its own",
        "cover_index": "a carousel begins with its first item",
        "title": "a post has only a caption",
        "allow_duet": "remixing is set in the app, for the account or the post",
        "allow_stitch": "remixing is set in the app, for the account or the post",
    }
    if kind_of(order) != "reel":
        why |= {"cover": "only reels have a cover", "cover_ms": "only reels have a cover"}
    elif order.cover is not None:
        why["cover_ms"] = "the cover image wins over a moment of the video"
    if kind_of(order) == "story":
        why["caption"] = "a story has no caption"
    for field, reason in why.items():
        if getattr(order, field) != getattr(_DEFAULTS, field):
            yield Problem(field, "ignored_by_instagram", f"Instagram will ignore '{field}': {reason}.", blocking=False)


def _text_problems(order: Order) -> Iterator[Problem]:
    caption = caption_of(order)
    characters, units = len(caption), len(caption.encode("utf-16-le", "surrogatepass")) // 2
    if characters > limits.MAX_CAPTION_CHARS:
        sentence = f"The caption has {characters} characters of {limits.MAX_CAPTION_CHARS}; shorten it."
        yield Problem("caption", "caption_too_long", sentence)
    elif units > limits.MAX_CAPTION_CHARS:
        sentence = f"Counting emoji twice, the caption has {units} characters of {limits.MAX_CAPTION_CHARS}; Instagram may refuse it."
        yield Problem("caption", "caption_may_be_too_long", sentence, blocking=False)
    hashtags, mentions = len(_HASHTAG.findall(caption)), len(_MENTION.findall(caption))
    if hashtags > limits.MAX_HASHTAGS:
        yield Problem("caption", "too_many_hashtags", f"The caption has {hashtags} hashtags of {limits.MAX_HASHTAGS}; leave some out.")
    if mentions > limits.MAX_MENTIONS:
        yield Problem("caption", "too_many_mentions", f"The caption mentions {mentions} accounts of {limits.MAX_MENTIONS}; leave some out.")


def _extra_problems(order: Order) -> Iterator[Problem]:
    for key in order.extra:
        if key in _EXTRA_FIXED:
            sentence = f"'{key}' follows from the media, the mode and the account; take it out of 'extra'."
            yield Problem(f"extra.{key}", "extra_not_allowed", sentence)
        elif key not in _EXTRA_KNOWN:
            sentence = f"'{key}' is sent to Instagram as it is, and may be ignored."
            yield Problem(f"extra.{key}", "unknown_extra", sentence, blocking=False)


# The options


def _option_problems(order: Order) -> list[Problem]:
    return [*_misplaced_options(order), *_tag_problems(order), *_alt_text_problems(order)]


def _misplaced_options(order: Order) -> Iterator[Problem]:
    kind, options = kind_of(order), options_of(order.options)
    meant_for = {
        "share_to_feed": ("reel",),
        "audio_name": ("reel",),
        "trial_params": ("reel",),
        "collaborators": ("reel", "image", "carousel"),
        "location_id": ("reel", "image", "carousel"),
        "alt_texts": ("image", "carousel"),
    }
    for name, kinds in meant_for.items():
        if getattr(options, name) not in (None, "", ()) and kind not in kinds:
            sentence = f"Instagram takes '{name}' with {' and '.join(kinds)} posts only; this one goes out without it."
            yield Problem(f"options.{name}", "ignored_by_instagram", sentence, blocking=False)


def _tag_problems(order: Order) -> Iterator[Problem]:
    for index, tag in enumerate(options_of(order.options).user_tags):
        field = f"options.user_tags.{index}"
        if tag.item >= len(order.media):
            yield Problem(field, "no_such_item", f"The tag of '{tag.username}' names item {tag.item}, counted from 0; there is none.")
        elif _needs_position(order, order.media[tag.item]) and (tag.x is None or tag.y is None):
            sentence = f"The tag of '{tag.username}' in an image needs a position: x and y from 0 to 1, from the top left."
            yield Problem(field, "tag_without_position", sentence)


def _needs_position(order: Order, media: Media) -> bool:
    return media.kind is MediaKind.IMAGE and kind_of(order) != "story"


def _alt_text_problems(order: Order) -> Iterator[Problem]:
    texts = options_of(order.options).alt_texts
    if len(texts) > len(order.media):
        yield Problem("options.alt_texts", "too_many_alt_texts", f"There are {len(texts)} alt texts for {len(order.media)} items.")
    for index, (text, media) in enumerate(zip(texts, order.media, strict=False)):
        if text and media.kind is MediaKind.VIDEO:
            sentence = "Instagram takes alt texts for images only; this one is left out."
            yield Problem(f"options.alt_texts.{index}", "ignored_by_instagram", sentence, blocking=False)


# The account


def _address_problems(order: Order) -> Iterator[Problem]:
    """Whether the public address is set is the server's business, and stops the post there; here it is said in time."""
    fetched = [media for media in order.media if not is_uploaded(order, media)]
    if not fetched and order.cover is None:
        return
    what = "images" if all(media.kind is MediaKind.IMAGE for media in fetched) else "media"
    sentence = f"Instagram fetches {what} by URL, so CLIPCAST_PUBLIC_URL must be set and reachable from the internet."
    if what == "media":
        sentence += " Accounts linked through Facebook can be sent videos without it."
    yield Problem("media", "needs_public_url", sentence, blocking=False)


def _account_problems(order: Order, answer: Answer) -> Iterator[Problem]:
    """A full limit only delays the post. It is asked for as Instagram's own login does it: a refusal of a Facebook login says nothing."""
    try:
        said = answers.accepted(answer, answers.Limits)
    except PlatformError as error:
        if login_of(order) == "instagram":
            blocking = isinstance(error, Rejected | ReconnectRequired) and not error.platform_code.startswith("100")
            yield Problem("account", error.platform_code or error.code, error.sentence, blocking)
        return
    total = limits.ASSUMED_POSTS_PER_DAY if said.total is None else said.total
    if said.used is not None and said.used >= total:
        sentence = (
            f"This account has used {said.used} of its {total} Instagram posts of the last 24 hours; the post waits until the window frees."
        )
        yield Problem("account", "daily_limit_full", sentence, blocking=False)
