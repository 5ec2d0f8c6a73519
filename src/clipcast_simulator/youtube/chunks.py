"""Requests to a session URI: bytes, and questions how far it is (reference, resumable upload, 2.2 to 2.5 and 2.9)."""

from typing import Final

from clipcast_simulator import journal
from clipcast_simulator.exchange import Context, Grant, Reply, Request, text_reply
from clipcast_simulator.youtube import access, finishing, scripted, sessions
from clipcast_simulator.youtube.content_range import ContentRange, body_size, content_range
from clipcast_simulator.youtube.errors import Refusal, refused
from clipcast_simulator.youtube.sessions import BLOCK, Session
from clipcast_simulator.youtube.start import MOST_THUMBNAIL_BYTES, MOST_VIDEO_BYTES, check_size

_TOO_SMALL: Final = (
    "Invalid request.  The number of bytes uploaded is required to be equal or greater than 262144, except for the final request"
    " (it's recommended to be the exact multiple of 262144).  The received request contained {size} bytes,"
    " which does not meet this requirement."
)


class ChunkIntake:
    """Receives the bytes of a session."""

    def admit(self, context: Context, request: Request) -> Grant | Reply:
        """Check the session, the caller, the headers and the place of the bytes, in this order."""
        try:
            return _admitted(context, request)
        except Refusal as refusal:
            return refused(refusal)

    def store(self, context: Context, grant: Grant) -> Reply:
        """Persist a body that arrived whole, unless the session was asked about, or fed, meanwhile."""
        session = sessions.arriving(context.connection, grant)
        if session is None:
            sessions.salvage(context, grant)
            return refused(Refusal("backendError"))
        is_last = grant.first + grant.size == session.total
        kept = scripted.kept(context, grant.size if is_last else sessions.whole_blocks(grant.size))
        session = sessions.take_in(context, session, grant, kept)
        if session.persisted == session.total:
            return scripted.dressed(context, finishing.finish(context, session), session)
        return scripted.dressed(context, sessions.progress(context, session), session)


def query(context: Context, request: Request) -> Reply:
    """Say how far a session is, or repeat its final answer; raises Refusal."""
    session = enter(context, request)
    span = content_range(request)
    if span is None:
        raise Refusal("badRequest", "Invalid Content-Range", "Content-Range", location_type="header")
    _check_total(session, span)
    session = sessions.settle(context, session)
    if session.state == "complete":
        return sessions.replay(session)
    if session.total is None and span.total is not None:
        session = sessions.change(context.connection, session, total=span.total)
        if session.total == session.persisted:
            return finishing.finish(context, session)
    return scripted.dressed(context, sessions.progress(context, session), session)


def enter(context: Context, request: Request) -> Session:
    """Find a session that is known, and check who calls; raises Refusal."""
    session = sessions.by_request(context, request)
    if session is None or not session.is_known(context):
        raise Refusal("notFound")
    is_open = context.settings.youtube.session_authorization == "optional" and access.presented(request) is None
    if not is_open and access.identify(context, request).account.username != session.username:
        raise Refusal("forbidden")
    journal.note(context.connection, context.entry, username=session.username)
    return session


def _admitted(context: Context, request: Request) -> Grant | Reply:
    """Take bytes that belong at the end of what is persisted; raises Refusal."""
    session = enter(context, request)
    span = _span(request, session)
    session = sessions.settle(context, scripted.mark_session(context, session))
    if session.state == "complete":
        return sessions.replay(session)
    if span.first != session.persisted:
        return _wrong_offset(context, session)
    if not span.is_last and span.size < BLOCK:
        return text_reply(400, _TOO_SMALL.format(size=span.size))
    if session.total is None and span.total is not None:
        session = sessions.change(context.connection, session, total=span.total)
    return sessions.expect(context, session, span.size)


def _span(request: Request, session: Session) -> ContentRange:
    """Read which bytes a request carries; raises Refusal."""
    size, span = body_size(request), content_range(request)
    if size is None:
        raise Refusal("badRequest", "PUT requests require a Content-Length header.", status=411)
    if span is None or span.first is None or span.size != size or not (span.is_sound or size == 0):
        raise Refusal("badRequest", "Invalid Content-Range", "Content-Range", location_type="header")
    _check_total(session, span)
    check_size(span.total, MOST_VIDEO_BYTES if session.kind == "video" else MOST_THUMBNAIL_BYTES)
    media_type = request.header("content-type")
    if media_type is not None and not _is_media(media_type):
        raise Refusal("badContent", f"Media type '{media_type}' is not supported.")
    return span


def _check_total(session: Session, span: ContentRange) -> None:
    """Refuse a total that differs from what was declared before. Undocumented; 400 is the strict reading."""
    if None not in (session.total, span.total) and span.total != session.total:
        raise Refusal("badRequest", "The total size differs from the declared one.", "Content-Range", location_type="header")


def _is_media(media_type: str) -> bool:
    return media_type.partition("/")[0].lower() in ("video", "image") or media_type.lower() == "application/octet-stream"


def _wrong_offset(context: Context, session: Session) -> Reply:
    """Answer a gap or an overlap: nothing is stored. The status is undocumented, hence a knob."""
    status = context.settings.youtube.wrong_offset
    if status == 308:
        return sessions.progress(context, session)
    reason = {416: "requestedRangeNotSatisfiable", 400: "badRequest", 503: "backendError"}[status]
    return refused(Refusal(reason))
