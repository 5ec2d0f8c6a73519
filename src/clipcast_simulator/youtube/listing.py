"""videos.list, update and delete."""

from collections.abc import Sequence
from typing import Any, Final

from clipcast_simulator.exchange import Context, Request
from clipcast_simulator.youtube import access, metadata, resource, scripted, videos, world
from clipcast_simulator.youtube.access import Caller
from clipcast_simulator.youtube.errors import Refusal
from clipcast_simulator.youtube.parameters import read_filter, read_ids, read_parts, read_query, single
from clipcast_simulator.youtube.videos import Video

_LIST: Final = frozenset(
    {
        *("part", "chart", "hl", "id", "locale", "maxHeight", "maxResults", "maxWidth", "myRating", "pageToken"),
        *("regionCode", "videoCategoryId"),
    }
)


def collection(kind: str, items: Sequence[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """Write a list answer."""
    page = {"totalResults": len(items), "resultsPerPage": len(items)}
    content = {**more, "pageInfo": more.get("pageInfo", page), "items": list(items)}
    return {"kind": f"youtube#{kind}ListResponse", "etag": videos.etag(content), **content}


def list_videos(context: Context, request: Request) -> dict[str, Any]:
    """Describe videos by id. Those that the caller may not see, or that are not known yet, are simply missing."""
    caller = access.enter(context, request, world.MAY_READ, access.units(1))
    query = read_query(request, _LIST)
    parts = read_parts(query)
    if read_filter(query, ("id", "chart", "myRating")) != "id":
        raise Refusal("notImplemented", "The simulator lists videos by id only.")
    found = [scripted.mark_video(context, video) for video in videos.by_video_ids(context.connection, read_ids(query))]
    seen = [resource.view(context, video, caller.account.username) for video in found if _is_visible(context, caller, video)]
    if resource.OWNER_ONLY & set(parts) and not all(view.is_owner for view in seen):
        raise Refusal("forbidden", "The request asks for details that only the video's owner may see.", "part")
    return collection("video", [resource.video_resource(view, parts) for view in seen])


def insert_without_upload(context: Context, request: Request) -> dict[str, Any]:
    """Refuse videos.insert on the address without `/upload`: it has no place for the video."""
    access.enter(context, request, world.MAY_UPLOAD, access.units(1))
    raise Refusal("mediaBodyRequired")


def update_video(context: Context, request: Request) -> dict[str, Any]:
    """Replace every field of the named parts; what a part leaves out is deleted, or falls to its default."""
    caller = access.enter(context, request, world.MAY_WRITE, access.units(50))
    parts = read_parts(read_query(request, frozenset({"part"})))
    access.need_channel(caller)
    body = metadata.read_body(request.header("content-type"), request.body)
    video = _own(context, caller, body.get("id"))
    applied = metadata.applied(body, parts)
    if "snippet" in parts:
        snippet = applied.setdefault("snippet", {})
        if "categoryId" not in snippet:
            raise Refusal("invalidCategoryId")
    if "status" in parts:
        status = applied.setdefault("status", {})
        was_public = video.was_public or video.privacy(context.now) == "public"
        metadata.check_schedule(context, status, was_public=was_public, may_be_past=True)
    merged = metadata.with_defaults({**video.resource, **applied})
    metadata.check(merged)
    was_public = video.was_public or merged["status"]["privacyStatus"] == "public"
    video = videos.change(context.connection, video, resource=merged, was_public=was_public)
    return resource.video_resource(resource.view(context, video, caller.account.username), parts)


def delete_video(context: Context, request: Request) -> None:
    """Delete a video."""
    caller = access.enter(context, request, world.MAY_WRITE, access.units(50))
    query = read_query(request, frozenset({"id"}))
    access.need_channel(caller)
    video = _own(context, caller, single(query, "id"))
    videos.change(context.connection, video, deleted_at=context.now)


def _is_visible(context: Context, caller: Caller, video: Video) -> bool:
    if context.now < video.created_at + context.settings.youtube.list_lag_s:
        return False
    is_open = video.is_processed(context.now) and video.privacy(context.now) != "private"
    return is_open or video.username == caller.account.username


def _own(context: Context, caller: Caller, video_id: Any) -> Video:
    """Find a video that belongs to the caller; raises Refusal."""
    if not isinstance(video_id, str):
        raise Refusal("required", "Required parameter: id", "id", status=400)
    video = videos.by_video_id(context.connection, video_id)
    if video is None or video.deleted_at is not None:
        raise Refusal("videoNotFound", location="id")
    if video.username != caller.account.username:
        raise Refusal("forbidden", location="id", domain="youtube.video")
    return video
