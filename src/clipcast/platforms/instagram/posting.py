"""What an order means in Instagram's words: the kind of post it is, and the bodies of the requests that create its containers."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

from clipcast.errors import Rejected
from clipcast.platforms.base import JsonValue, Media, MediaKind, MediaUrl, Order
from clipcast.platforms.instagram.options import Options, UserTag, options_of
from clipcast.platforms.instagram.states import Item

MODES: Final = ("reel", "feed", "story")
#: The account facts that a flow needs.
ACCOUNT_ID: Final = "instagram_account_id"
LOGIN: Final = "login"

Kind: TypeAlias = Literal["reel", "image", "carousel", "story"]


def kind_of(order: Order) -> Kind:
    """The kind of post; without a mode a single video is a reel, everything else is for the feed."""
    if order.mode == "story":
        return "story"
    if len(order.media) > 1:
        return "carousel"
    return "reel" if order.media[0].kind is MediaKind.VIDEO else "image"


def login_of(order: Order) -> Literal["instagram", "facebook"]:
    """Which of Meta's two products the account was linked through; whatever does not say `facebook` is Instagram's own login."""
    return "facebook" if order.account.get(LOGIN, "").strip().lower() == "facebook" else "instagram"


def is_uploaded(order: Order, media: Media) -> bool:
    """Whether we send this file's bytes; otherwise Instagram fetches it by URL, as it always does with images.

    Source: .../content-publishing/resumable-uploads (page of 2026-03-15): accounts linked through Facebook only.
    """
    return media.kind is MediaKind.VIDEO and login_of(order) == "facebook" and order.transfer == "upload"


def upload_bytes(order: Order) -> int:
    """How many bytes we send ourselves; 0 when Instagram fetches everything."""
    return sum(media.size_bytes for media in order.media if is_uploaded(order, media))


def is_parent(order: Order, items: tuple[Item, ...]) -> bool:
    """Whether the next container is the carousel itself."""
    return kind_of(order) == "carousel" and len(items) == len(order.media)


def next_media(order: Order, items: tuple[Item, ...]) -> Media | None:
    """The file that the next container is for; None for the carousel itself, which has none of its own."""
    return None if is_parent(order, items) else order.media[len(items)]


def is_last(order: Order, items: tuple[Item, ...]) -> bool:
    """Whether the next container is the one that is published."""
    return kind_of(order) != "carousel" or is_parent(order, items)


def container_body(order: Order, items: tuple[Item, ...]) -> dict[str, JsonValue]:
    """The body of the request for the next container; `order.extra` is merged into that of the one that is published.

    Source: https://developers.facebook.com/documentation/instagram-platform/instagram-graph-api/reference/ig-user/media (2026-09)

    Raises:
        Rejected: the order asks for what this account's kind of login cannot express.
    """
    options = options_of(order.options)
    if not is_last(order, items):
        return _child(order, options, len(items))
    match kind_of(order):
        case "carousel":
            body: dict[str, JsonValue] = {"media_type": "CAROUSEL", "children": [item.container_id for item in items]}
        case "reel":
            body = {"media_type": "REELS", **_video_source(order, order.media[0]), **_reel(order, options)}
        case "story":
            body = {"media_type": "STORIES", **_source(order, order.media[0])}
        case "image":
            body = {**_source(order, order.media[0]), **_alt_text(options, 0)}
    return _merged({**body, **_tags(order, options), **_labels(order)}, order.extra)


def caption_of(order: Order) -> str:
    """The caption as it is sent, `extra` included; stories have none."""
    return "" if kind_of(order) == "story" else str(order.extra.get("caption", order.caption))


def as_listed(caption: str | None) -> str:
    """A caption for comparison: white space as single spaces, without the `@` that lists may strip.

    >>> as_listed("With  @anna, at sea ")
    'With anna, at sea'
    """
    return " ".join(re.sub("@", "", caption or "").split())


def listed_types(order: Order) -> tuple[frozenset[str], str]:
    """The `media_type`s and the `media_product_type` under which the post is listed."""
    match kind_of(order):
        case "carousel":
            return frozenset({"CAROUSEL_ALBUM"}), "FEED"
        case "reel":
            return frozenset({"VIDEO"}), "REELS"
        case "image":
            return frozenset({"IMAGE"}), "FEED"
        case "story":
            return frozenset({"VIDEO" if order.media[0].kind is MediaKind.VIDEO else "IMAGE"}), "STORY"


def _child(order: Order, options: Options, index: int) -> dict[str, JsonValue]:
    """A carousel's child takes no caption, place or label of its own; those are the carousel's."""
    media = order.media[index]
    body: dict[str, JsonValue] = {"is_carousel_item": True, **_source(order, media)}
    if media.kind is MediaKind.VIDEO:
        body["media_type"] = "VIDEO"
    else:
        body |= _alt_text(options, index)
    return {**body, **_user_tags(media, [tag for tag in options.user_tags if tag.item == index])}


def _source(order: Order, media: Media) -> dict[str, JsonValue]:
    return _video_source(order, media) if media.kind is MediaKind.VIDEO else {"image_url": MediaUrl(media.media_id)}


def _video_source(order: Order, media: Media) -> dict[str, JsonValue]:
    return {"upload_type": "resumable"} if is_uploaded(order, media) else {"video_url": MediaUrl(media.media_id)}


def _reel(order: Order, options: Options) -> dict[str, JsonValue]:
    """What only reels have. `share_to_feed` has no documented default, so it is always sent, but for trial reels, which no feed shows."""
    body: dict[str, JsonValue] = {}
    if options.share_to_feed is not None or options.trial_params is None:
        body["share_to_feed"] = options.share_to_feed is not False
    if order.cover is not None:
        body["cover_url"] = MediaUrl(order.cover.media_id)
    elif order.cover_ms is not None:
        body["thumb_offset"] = order.cover_ms
    if options.audio_name:
        body["audio_name"] = options.audio_name
    if options.trial_params is not None:
        body["trial_params"] = options.trial_params.model_dump()
    return body


def _alt_text(options: Options, index: int) -> dict[str, JsonValue]:
    text = options.alt_texts[index] if index < len(options.alt_texts) else ""
    return {"alt_text": text} if text else {}


def _tags(order: Order, options: Options) -> dict[str, JsonValue]:
    """Caption, place and people of the post itself."""
    body: dict[str, JsonValue] = {}
    if kind_of(order) != "carousel":
        body |= _user_tags(order.media[0], options.user_tags)
    if kind_of(order) == "story":
        return body
    if order.caption:
        body["caption"] = order.caption
    if options.location_id:
        body["location_id"] = options.location_id
    if options.collaborators:
        body["collaborators"] = [name.removeprefix("@") for name in options.collaborators]
    return body


def _user_tags(media: Media, tags: Sequence[UserTag]) -> dict[str, JsonValue]:
    """Positions are for images; a reel only names people."""
    if not tags:
        return {}
    placed = media.kind is MediaKind.IMAGE
    return {"user_tags": [_user_tag(tag, placed=placed) for tag in tags]}


def _user_tag(tag: UserTag, *, placed: bool) -> dict[str, JsonValue]:
    position = {"x": tag.x, "y": tag.y} if placed and tag.x is not None and tag.y is not None else {}
    return {"username": tag.username.removeprefix("@"), **position}


def _labels(order: Order) -> dict[str, JsonValue]:
    body: dict[str, JsonValue] = {"is_ai_generated": True} if order.ai_generated else {}
    if order.brand_content:
        if login_of(order) != "facebook":
            raise Rejected(sentence=UNLABELLED, platform="instagram", platform_code="brand_content_not_supported", post_failed=True)
        body["is_paid_partnership"] = True
    return body


UNLABELLED: Final = (
    "Instagram lets only accounts linked through Facebook mark a paid partnership; link the account that way, or publish it in the "
    "Instagram app."
)


def _merged(base: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """`extra` over `base`: objects key by key, everything else replaced.

    >>> _merged({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}, "d": 4})
    {'a': {'b': 3, 'c': 2}, 'd': 4}
    """
    merged = dict(base)
    for key, value in extra.items():
        known = merged.get(key)
        merged[key] = _merged(known, value) if isinstance(known, Mapping) and isinstance(value, Mapping) else value
    return merged
