"""The first request of an upload: checks everything that can be known before a byte, and opens a session."""

import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from clipcast_simulator.exchange import Context, Reply, Request
from clipcast_simulator.youtube import access, metadata, quota, scripted, sessions, videos, world
from clipcast_simulator.youtube.access import Caller
from clipcast_simulator.youtube.content_range import body_size
from clipcast_simulator.youtube.errors import Refusal, thumbnails_forbidden
from clipcast_simulator.youtube.parameters import Query, read_parts, read_query, single
from clipcast_simulator.youtube.sessions import Session

MOST_VIDEO_BYTES: Final = 274_877_906_944
MOST_THUMBNAIL_BYTES: Final = 52_428_800

_INSERT: Final = frozenset({"part", "notifySubscribers", "autoLevels", "stabilize"})
_VIDEO_TYPE: Final = re.compile(r"video/[\w.+*-]+(; ?[\w=\".,+ -]+)?|application/octet-stream", re.IGNORECASE)
_IMAGE_TYPE: Final = re.compile(r"image/jpeg|image/png|application/octet-stream", re.IGNORECASE)
_FILE_NAME: Final = re.compile(r"[^/\\\x00-\x1f\x7f]{1,255}")


@dataclass(frozen=True, slots=True)
class Upload:
    """What a start request says about its bytes, after every check."""

    kind: str
    caller: Caller
    parts: tuple[str, ...]
    video_id: str | None = None
    file_name: str | None = None

    @property
    def most_bytes(self) -> int:
        """How large the file may be."""
        return MOST_VIDEO_BYTES if self.kind == "video" else MOST_THUMBNAIL_BYTES

    def check_type(self, media_type: str | None) -> None:
        """Refuse a media type that this upload does not take."""
        pattern, valid = (_VIDEO_TYPE, "video/*") if self.kind == "video" else (_IMAGE_TYPE, "image/jpeg, image/png")
        if media_type is not None and not pattern.fullmatch(media_type):
            raise Refusal(
                "badContent", f"Media type '{media_type}' is not supported. Valid media types: [{valid}, application/octet-stream]"
            )


def upload_type(request: Request) -> str | None:
    """Return the protocol of an upload: resumable, media, multipart; None when none, or an unknown one, is named."""
    match = re.search(r"(?:^|&)uploadType=([^&]*)", request.query)
    return match[1] if match and match[1] in ("resumable", "media", "multipart") else None


def is_resumable(request: Request) -> bool:
    """Say whether a POST starts a session."""
    return upload_type(request) == "resumable"


def start_video(context: Context, request: Request) -> Reply:
    """Open a session for a video: 200 with its URI in Location; raises Refusal."""
    upload = admit_video(context, request)
    body = metadata.read_body(request.header("content-type"), request.body)
    return _open(context, request, upload, metadata.new_resource(context, body, upload.parts))


def start_thumbnail(context: Context, request: Request) -> Reply:
    """Open a session for a thumbnail, which has no metadata; raises Refusal."""
    upload = admit_thumbnail(context, request)
    if request.body:
        raise Refusal("badContent", "thumbnails.set takes no request body.")
    return _open(context, request, upload, {})


def admit_video(context: Context, request: Request) -> Upload:
    """Check who uploads a video, and whether they may; raises Refusal."""
    caller = access.enter(context, request, world.MAY_UPLOAD, quota.charge_upload)
    query = read_query(request, _INSERT)
    parts = read_parts(query)
    access.need_channel(caller)
    if videos.uploads_today(context, caller.account.username) >= caller.account.upload_cap:
        raise Refusal("uploadLimitExceeded")
    return Upload("video", caller, parts, file_name=_file_name(request))


def admit_thumbnail(context: Context, request: Request) -> Upload:
    """Check who sets a thumbnail, and of which video; raises Refusal."""
    caller = access.enter(context, request, world.MAY_UPLOAD, access.units(50))
    query: Query = read_query(request, frozenset({"videoId"}))
    access.need_channel(caller)
    video_id = single(query, "videoId")
    if video_id is None:
        raise Refusal("required", "Required parameter: videoId", "videoId", status=400)
    video = videos.by_video_id(context.connection, video_id)
    if video is None or video.deleted_at is not None:
        raise Refusal("videoNotFound", location="videoId", domain="youtube.thumbnail")
    if video.username != caller.account.username:
        raise Refusal("forbidden", location="videoId", domain="youtube.thumbnail")
    if not caller.account.phone_verified:
        raise thumbnails_forbidden()
    return Upload("thumbnail", caller, (), video_id=video_id)


def open_session(context: Context, request: Request, upload: Upload, resource: dict[str, Any], **values: Any) -> Session:
    """Make the session of an upload."""
    session = sessions.create(
        context,
        kind=upload.kind,
        client_id=upload.caller.app.client_id,
        username=upload.caller.account.username,
        origin=request.base_url,
        path=request.path,
        parts=list(upload.parts),
        resource=resource,
        video_id=upload.video_id,
        file_name=upload.file_name,
        **values,
    )
    return scripted.mark_session(context, session)


def check_size(size: int | None, most: int) -> None:
    """Refuse a file that is too large."""
    if size is not None and size > most:
        raise Refusal("uploadTooLarge")


def _open(context: Context, request: Request, upload: Upload, resource: dict[str, Any]) -> Reply:
    media_type, declared = request.header("x-upload-content-type"), request.header("x-upload-content-length")
    upload.check_type(media_type)
    if declared is not None and not re.fullmatch(r"\d{1,15}", declared):
        raise Refusal("invalid", "Invalid value for header: X-Upload-Content-Length", "X-Upload-Content-Length", location_type="header")
    total = None if declared is None else int(declared)
    check_size(total, upload.most_bytes)
    session = open_session(context, request, upload, resource, content_type=media_type, total=total)
    reply = sessions.upload_reply(session, 200).with_header("content-type", "text/html; charset=UTF-8")
    return reply.with_header("location", session.uri())


def _file_name(request: Request) -> str | None:
    slug = request.header("slug")
    if slug is None:
        return None
    name = unquote(slug)
    if not _FILE_NAME.fullmatch(name):
        raise Refusal("invalidFilename")
    return name


def length(request: Request) -> int:
    """Return the declared size of a body; raises Refusal without one."""
    size = body_size(request)
    if size is None:
        raise Refusal("badRequest", "POST requests require a Content-Length header.", status=411)
    return size
