"""The three init endpoints: direct video, inbox video, photos.

Order of the checks (undocumented): token, scope, rate limit, body shape, caps and ban, URL ownership, the unaudited
rule, privacy, chunk plan.
"""

from collections.abc import Mapping
from typing import Any, Final

from clipcast_simulator.exchange import Context, Request
from clipcast_simulator.tiktok import chunks, ownership, scripted, tasks
from clipcast_simulator.tiktok.access import POSTING, PUBLISH, UPLOAD, Caller, enter
from clipcast_simulator.tiktok.creator import check_ban, check_creator, check_drafts
from clipcast_simulator.tiktok.envelope import Refusal
from clipcast_simulator.tiktok.fields import Kind, check_fields, read_json, required, utf16_units
from clipcast_simulator.tiktok.tasks import Order, Task

PER_MINUTE: Final = 6

_MOST_BYTES: Final = 4_000_000_000
_MOST_IMAGES: Final = 35
_CAPTION_UNITS: Final = 2200
_PHOTO_TITLE_UNITS: Final = 90
_PHOTO_DESCRIPTION_UNITS: Final = 4000
_PHOTO_DRAFT_APP: Final = (31, 8)

_BAD_POST_INFO: Final = "The request post info is empty or incorrect"

_VIDEO_INFO: Final[Mapping[str, Kind]] = {
    "privacy_level": "string",
    "title": "string",
    "disable_comment": "boolean",
    "disable_duet": "boolean",
    "disable_stitch": "boolean",
    "video_cover_timestamp_ms": "int32",
    "brand_content_toggle": "boolean",
    "brand_organic_toggle": "boolean",
    "is_aigc": "boolean",
}
_PHOTO_INFO: Final[Mapping[str, Kind]] = {
    "title": "string",
    "description": "string",
    "privacy_level": "string",
    "disable_comment": "boolean",
    "auto_add_music": "boolean",
    "brand_content_toggle": "boolean",
    "brand_organic_toggle": "boolean",
    "is_aigc": "boolean",  # documented at the top level; where the server reads it is unknown
}
_FILE_SOURCE: Final[Mapping[str, Kind]] = {
    "source": "string",
    "video_size": "int64",
    "chunk_size": "int64",
    "total_chunk_count": "int64",
}
_URL_SOURCE: Final[Mapping[str, Kind]] = {"source": "string", "video_url": "string"}
_PHOTO_SOURCE: Final[Mapping[str, Kind]] = {"source": "string", "photo_images": "strings", "photo_cover_index": "int32"}
_PHOTO_BODY: Final[Mapping[str, Kind]] = {
    "media_type": "string",
    "post_mode": "string",
    "post_info": "object",
    "source_info": "object",
    "is_aigc": "boolean",
}


def video_init(context: Context, request: Request) -> dict[str, Any]:
    """Begin a direct post of a video."""
    caller = enter(context, request, "video.init", PUBLISH, PER_MINUTE)
    body = read_json(request)
    check_fields(body, {"post_info": "object", "source_info": "object"})
    info = _post_info(body, _VIDEO_INFO)
    _limit(info, "title", _CAPTION_UNITS)
    source = _video_source(body)
    check_creator(context, caller)
    _check_ownership(caller, source)
    _check_privacy(context, caller, info)
    _check_plan(context, source)
    return _answer(context, request, _create_video(context, caller, "direct", info, source))


def inbox_init(context: Context, request: Request) -> dict[str, Any]:
    """Begin a draft. A `post_info` is ignored, whatever it says."""
    caller = enter(context, request, "inbox.init", UPLOAD, PER_MINUTE)
    body = read_json(request)
    body.pop("post_info", None)
    check_fields(body, {"source_info": "object"})
    source = _video_source(body)
    check_ban(caller)
    check_drafts(context, caller)
    _check_ownership(caller, source)
    _check_plan(context, source)
    return _answer(context, request, _create_video(context, caller, "inbox", {}, source))


def content_init(context: Context, request: Request) -> dict[str, Any]:
    """Begin a photo post or a photo draft; TikTok pulls the images."""
    caller = enter(context, request, "content.init", POSTING, PER_MINUTE)
    body = read_json(request)
    check_fields(body, _PHOTO_BODY)
    mode = _photo_mode(body)
    if not caller.may(PUBLISH if mode == "direct" else UPLOAD):
        raise Refusal("scope_not_authorized")
    info = _photo_info(body, mode)
    urls = _photo_urls(body)
    _check_photo_creator(context, caller, mode)
    if not all(ownership.owns(caller.app, url) for url in urls):
        raise Refusal("url_ownership_unverified")
    if mode == "direct":
        _check_privacy(context, caller, info)
    order = Order("photo", mode, "pull", caller.app.client_key, caller.account.username, info, tuple(urls))
    return _answer(context, request, tasks.create(context, order))


def _post_info(body: Mapping[str, Any], allowed: Mapping[str, Kind]) -> dict[str, Any]:
    info = body.get("post_info")
    if not isinstance(info, dict) or not info:
        raise Refusal("invalid_params", _BAD_POST_INFO)
    check_fields(info, allowed, "post_info.")
    return info


def _limit(info: Mapping[str, Any], name: str, units: int) -> None:
    if utf16_units(info.get(name, "")) > units:
        raise Refusal("invalid_params", f"The {name} exceeds {units} UTF-16 units")


def _video_source(body: Mapping[str, Any]) -> dict[str, Any]:
    source: dict[str, Any] = required(body, "source_info")
    kind = required(source, "source", "source_info.")
    if kind == "FILE_UPLOAD":
        allowed = _FILE_SOURCE
    elif kind == "PULL_FROM_URL":
        allowed = _URL_SOURCE
    else:
        raise Refusal("invalid_params", "The field source_info.source must be FILE_UPLOAD or PULL_FROM_URL")
    check_fields(source, allowed, "source_info.")
    for name in allowed:
        required(source, name, "source_info.")
    if kind == "FILE_UPLOAD" and not 1 <= source["video_size"] <= _MOST_BYTES:
        raise Refusal("invalid_params", "The video size is invalid")
    if kind == "PULL_FROM_URL" and ownership.web_address(source["video_url"]) is None:
        raise Refusal("invalid_params", "The video url is invalid")
    return source


def _photo_mode(body: Mapping[str, Any]) -> str:
    if required(body, "media_type") != "PHOTO":
        raise Refusal("invalid_params", "The field media_type must be PHOTO")
    modes = {"DIRECT_POST": "direct", "MEDIA_UPLOAD": "inbox"}
    mode = modes.get(required(body, "post_mode"))
    if mode is None:
        raise Refusal("invalid_params", "The field post_mode must be DIRECT_POST or MEDIA_UPLOAD")
    return mode


def _photo_info(body: Mapping[str, Any], mode: str) -> dict[str, Any]:
    """Read a photo post's texts; a draft keeps title and description and forgets the rest."""
    is_bare_draft = mode == "inbox" and not body.get("post_info")
    info = {} if is_bare_draft else _post_info(body, _PHOTO_INFO)
    _limit(info, "title", _PHOTO_TITLE_UNITS)
    _limit(info, "description", _PHOTO_DESCRIPTION_UNITS)
    if mode == "inbox":
        return {name: info[name] for name in ("title", "description") if name in info}
    return info | ({"is_aigc": body["is_aigc"]} if "is_aigc" in body else {})


def _photo_urls(body: Mapping[str, Any]) -> list[str]:
    source: dict[str, Any] = required(body, "source_info")
    check_fields(source, _PHOTO_SOURCE, "source_info.")
    for name in _PHOTO_SOURCE:
        required(source, name, "source_info.")
    if source["source"] != "PULL_FROM_URL":
        raise Refusal("invalid_params", "The field source_info.source must be PULL_FROM_URL for photos")
    urls: list[str] = source["photo_images"]
    if not 1 <= len(urls) <= _MOST_IMAGES:
        raise Refusal("invalid_params", f"The field source_info.photo_images must have 1 to {_MOST_IMAGES} URLs")
    if not 0 <= source["photo_cover_index"] < len(urls):
        raise Refusal("invalid_params", "The field source_info.photo_cover_index is out of range")
    if any(ownership.web_address(url) is None for url in urls):
        raise Refusal("invalid_params", "The photo url is invalid")
    return urls


def _check_photo_creator(context: Context, caller: Caller, mode: str) -> None:
    if mode == "direct":
        check_creator(context, caller)
        return
    check_ban(caller)
    check_drafts(context, caller)
    version = tuple(int(part) for part in caller.account.app_version.split(".")[:2])
    if version < _PHOTO_DRAFT_APP:
        raise Refusal("app_version_check_failed", "The user's TikTok app must be version 31.8 or later")


def _check_ownership(caller: Caller, source: Mapping[str, Any]) -> None:
    if "video_url" in source and not ownership.owns(caller.app, source["video_url"]):
        raise Refusal("url_ownership_unverified")


def _check_privacy(context: Context, caller: Caller, info: Mapping[str, Any]) -> None:
    level = info.get("privacy_level")
    if not caller.app.audited and not (caller.account.private and level == "SELF_ONLY"):
        raise Refusal("unaudited_client_can_only_post_to_private_accounts")
    if level not in caller.account.privacy_options:
        raise Refusal("privacy_level_option_mismatch")
    is_hidden_brand = info.get("brand_content_toggle") is True and level == "SELF_ONLY"
    if is_hidden_brand and context.settings.tiktok.brand_content_private == "refuse":
        raise Refusal("invalid_params", "Branded content visibility cannot be set to private")


def _check_plan(context: Context, source: Mapping[str, Any]) -> None:
    if "video_size" not in source:
        return
    knobs = context.settings.tiktok
    complaint = chunks.complaint(
        source["video_size"],
        source["chunk_size"],
        source["total_chunk_count"],
        chunks.ChunkRules.of(knobs.size_unit),
        single_smaller=knobs.single_chunk_smaller == "accept",
    )
    if complaint is not None:
        raise Refusal("invalid_params", complaint)


def _create_video(context: Context, caller: Caller, mode: str, info: dict[str, Any], source: Mapping[str, Any]) -> Task:
    is_file = source["source"] == "FILE_UPLOAD"
    order = Order(
        kind="video",
        mode=mode,
        source="file" if is_file else "pull",
        client_key=caller.app.client_key,
        username=caller.account.username,
        post_info=info,
        urls=() if is_file else (source["video_url"],),
        video_size=source.get("video_size"),
        chunk_size=source.get("chunk_size"),
        chunk_count=source.get("total_chunk_count"),
    )
    return tasks.create(context, order)


def _answer(context: Context, request: Request, task: Task) -> dict[str, Any]:
    scripted.mark(context, task)
    if task.source == "pull":
        return {"publish_id": task.publish_id}
    query = f"upload_id={task.upload_id}&upload_token={task.upload_token}"
    return {"publish_id": task.publish_id, "upload_url": f"{request.base_url}/tiktok/upload?{query}"}
