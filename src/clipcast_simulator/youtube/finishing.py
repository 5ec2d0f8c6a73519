"""The last byte: a video, or a thumbnail, comes into being, and the session's answer is final."""

import json
from typing import Any, Final

from sqlalchemy import func, insert, select

from clipcast_simulator.exchange import Context, Reply
from clipcast_simulator.media import Unreadable, probe_image, sha256
from clipcast_simulator.youtube import resource, scripted, sessions, videos, world
from clipcast_simulator.youtube.errors import Refusal, refused
from clipcast_simulator.youtube.sessions import Session
from clipcast_simulator.youtube.tables import thumbnails

_IMAGES: Final = ("JPEG", "PNG")


def finish(context: Context, session: Session) -> Reply:
    """Complete a session whose every byte is persisted, and return its final answer."""
    if session.kind == "thumbnail":
        try:
            content = _set_thumbnail(context, session)
        except Refusal as refusal:
            sessions.forget_bytes(context, session)
            sessions.change(context.connection, session, state="gone")
            return refused(refusal)
        return _final(context, session, 200, content)
    video = videos.create(context, session)
    shown = resource.video_resource(resource.view(context, video, session.username), session.parts)
    return _final(context, session, scripted.final_status(context), shown)


def _final(context: Context, session: Session, status: int, content: dict[str, Any]) -> Reply:
    body = json.dumps(content, ensure_ascii=False)
    values = {"state": "complete", "completed_at": context.now, "final_status": status, "final_body": body}
    return sessions.replay(sessions.change(context.connection, session, **values))


def _set_thumbnail(context: Context, session: Session) -> dict[str, Any]:
    """Look at the picture and keep it; raises Refusal."""
    video = videos.by_video_id(context.connection, session.video_id or "")
    if video is None or video.deleted_at is not None:
        raise Refusal("videoNotFound", location="videoId", domain="youtube.thumbnail")
    if not session.persisted:
        raise Refusal("mediaBodyRequired", "The request does not include the image content.", domain="youtube.thumbnail")
    account = world.account(context.connection, session.username)
    if account is None or _set_today(context, session.username) >= account.thumbnail_cap:
        raise Refusal("uploadRateLimitExceeded")
    pieces = sessions.media(context, session.id)
    try:
        facts = probe_image(pieces, _IMAGES)
    except Unreadable as error:
        raise Refusal("invalidImage") from error
    row = insert(thumbnails).values(
        video_id=video.video_id,
        username=session.username,
        at=context.now,
        was_processed=video.is_processed(context.now),
        sha256=sha256(pieces),
        bytes=session.persisted,
        width=facts.width,
        height=facts.height,
    )
    context.connection.execute(row)
    content = {"items": [resource.thumbnail_sizes(video.video_id, facts.width)]}
    return {"kind": "youtube#thumbnailSetResponse", "etag": videos.etag(content), **content}


def _set_today(context: Context, username: str) -> int:
    mine = (thumbnails.c.username == username, thumbnails.c.at > context.now - videos.DAY_S)
    return context.connection.execute(select(func.count()).select_from(thumbnails).where(*mine)).scalar_one()
