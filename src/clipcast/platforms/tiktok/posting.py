"""What an order means in TikTok's words: the kind of post it is, and the body of the request that creates it."""

from collections.abc import Mapping
from typing import Any, Final

from clipcast.platforms.base import JsonValue, MediaKind, MediaUrl, Order
from clipcast.platforms.tiktok.chunks import plan_chunks
from clipcast.platforms.tiktok.limits import LISTED_CAPTION_CHARS, PRIVACY_LEVELS
from clipcast.platforms.tiktok.states import Creator

MODES: Final = ("direct", "inbox")
_PUBLIC: Final = PRIVACY_LEVELS["public"]


def is_photos(order: Order) -> bool:
    """Whether this is a photo post (one image or a carousel)."""
    return order.media[0].kind is MediaKind.IMAGE


def is_inbox(order: Order) -> bool:
    """Whether the creator finishes the post in the app; otherwise it is posted directly."""
    return order.mode == "inbox"


def is_pull(order: Order) -> bool:
    """Whether TikTok fetches the media by URL; for photos it knows no other way."""
    return is_photos(order) or order.transfer == "pull"


def is_public(order: Order) -> bool:
    """Whether the post will be viewable by everyone, and so get a public id and show up in the creator's list of videos."""
    return not is_inbox(order) and _post_info(order, None).get("privacy_level") == _PUBLIC


def upload_bytes(order: Order) -> int:
    """How many bytes we send ourselves; 0 when TikTok fetches them."""
    return 0 if is_pull(order) else order.media[0].size_bytes


def init_body(order: Order, creator: Creator | None, chunk_bytes: int) -> dict[str, JsonValue]:
    """The body of the init request; `order.extra` is merged in last, key by key.

    What the creator's own settings switch off (comments, duet, stitch) is sent as switched off, whatever the order allows.

    Source: https://developers.tiktok.com/doc/content-posting-api-reference-direct-post, -photo-post (read 2026-09-11) and -upload-video
    """
    if is_photos(order):
        body = _photo_body(order, creator)
    elif is_inbox(order):
        body = {"source_info": _video_source(order, chunk_bytes)}
    else:
        body = {"post_info": _video_info(order, creator), "source_info": _video_source(order, chunk_bytes)}
    return _merged(body, order.extra)


def listed_captions(order: Order) -> frozenset[str]:
    """How the post's text may read in `video/list`: white space as single spaces, cut at 150 characters or 150 UTF-16 units.

    A photo post may be listed under its title, its description, or both.
    """
    info = _post_info(order, None)
    title, description = str(info.get("title", "")), str(info.get("description", ""))
    texts = {title, description, f"{title} {description}"} if is_photos(order) else {title}
    known = {text for text in texts if text.strip()} or {""}
    return frozenset(cut for text in known for cut in _cuts(as_listed(text)))


def as_listed(text: str) -> str:
    """The text with every run of white space as one space, without an ellipsis at its end.

    >>> as_listed("  Two   words … ")
    'Two words'
    """
    return " ".join(text.split()).removesuffix("…").rstrip()


def _cuts(text: str) -> set[str]:
    units = text.encode("utf-16-le")[: 2 * LISTED_CAPTION_CHARS].decode("utf-16-le", "ignore")
    return {text[:LISTED_CAPTION_CHARS].rstrip(), units.rstrip()}


def _post_info(order: Order, creator: Creator | None) -> Mapping[str, JsonValue]:
    """The `post_info` that is sent, with `extra` merged in."""
    info = _photo_info(order, creator) if is_photos(order) else _video_info(order, creator)
    merged = _merged({"post_info": info}, order.extra)["post_info"]
    return merged if isinstance(merged, Mapping) else {}


def _video_info(order: Order, creator: Creator | None) -> dict[str, JsonValue]:
    info = _shared_info(order, creator)
    if order.caption:
        info["title"] = order.caption
    info["disable_duet"] = not order.allow_duet or bool(creator and creator.duet_disabled)
    info["disable_stitch"] = not order.allow_stitch or bool(creator and creator.stitch_disabled)
    info["is_aigc"] = order.ai_generated
    if order.cover_ms is not None:
        info["video_cover_timestamp_ms"] = order.cover_ms
    return info


def _shared_info(order: Order, creator: Creator | None) -> dict[str, JsonValue]:
    return {
        "privacy_level": PRIVACY_LEVELS.get(order.privacy, order.privacy),  # what preflight let pass, TikTok judges
        "disable_comment": not order.allow_comments or bool(creator and creator.comment_disabled),
        "brand_content_toggle": order.brand_content,
        "brand_organic_toggle": order.brand_organic,
    }


def _video_source(order: Order, chunk_bytes: int) -> dict[str, JsonValue]:
    video = order.media[0]
    if is_pull(order):
        return {"source": "PULL_FROM_URL", "video_url": MediaUrl(video.media_id)}
    plan = plan_chunks(video.size_bytes, chunk_bytes)
    return {
        "source": "FILE_UPLOAD",
        "video_size": plan.size_bytes,
        "chunk_size": plan.chunk_bytes,
        "total_chunk_count": plan.count,
    }


def _photo_body(order: Order, creator: Creator | None) -> dict[str, JsonValue]:
    body: dict[str, JsonValue] = {
        "media_type": "PHOTO",
        "post_mode": "MEDIA_UPLOAD" if is_inbox(order) else "DIRECT_POST",
        "post_info": _photo_info(order, creator),
        "source_info": {
            "source": "PULL_FROM_URL",
            "photo_images": [MediaUrl(image.media_id) for image in order.media],
            "photo_cover_index": order.cover_index,
        },
    }
    return body if is_inbox(order) else {**body, "is_aigc": order.ai_generated}


def _photo_info(order: Order, creator: Creator | None) -> dict[str, JsonValue]:
    texts = {"title": order.title, "description": order.caption}
    info: dict[str, JsonValue] = {name: text for name, text in texts.items() if text}
    return info if is_inbox(order) else {**info, **_shared_info(order, creator), "auto_add_music": order.auto_add_music}


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
