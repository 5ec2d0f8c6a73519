"""Uploads in one request, `uploadType=media` or `multipart`. Neither can be resumed; what broke off is thrown away."""

from typing import Any, Final

from clipcast_simulator.exchange import Context, Grant, Reply, Request
from clipcast_simulator.youtube import finishing, metadata, multipart, sessions
from clipcast_simulator.youtube.errors import Refusal, refused
from clipcast_simulator.youtube.sessions import Session
from clipcast_simulator.youtube.start import (
    Upload,
    admit_thumbnail,
    admit_video,
    check_size,
    length,
    open_session,
    upload_type,
)

_MULTIPART: Final = "multipart/"


class SimpleIntake:
    """Receives a whole upload: `kind` is video or thumbnail."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def admit(self, context: Context, request: Request) -> Grant | Reply:
        """Check everything but metadata that comes with the bytes."""
        try:
            return self._admitted(context, request)
        except Refusal as refusal:
            return refused(refusal)

    def store(self, context: Context, grant: Grant) -> Reply:
        """Take the whole body in."""
        session = sessions.arriving(context.connection, grant)
        if session is None:
            return refused(Refusal("backendError"))
        start, size = 0, grant.size
        try:
            if (session.content_type or "").lower().startswith(_MULTIPART):
                session, parts = _unpack(context, session, grant)
                start, size = parts.media.start, parts.media.size
        except Refusal as refusal:
            sessions.forget_bytes(context, session)
            sessions.change(context.connection, session, state="gone")
            return refused(refusal)
        session = sessions.take_in(context, session, grant, size, start)
        return finishing.finish(context, session)

    def _admitted(self, context: Context, request: Request) -> Grant:
        upload = admit_video(context, request) if self._kind == "video" else admit_thumbnail(context, request)
        protocol, size = upload_type(request), length(request)
        if protocol is None or (protocol == "multipart" and self._kind == "thumbnail"):
            raise Refusal("unsupportedMediaProtocol")
        if size == 0:
            raise Refusal("mediaBodyRequired")
        check_size(size, upload.most_bytes)
        resource = _check_head(context, request, upload, protocol)
        session = open_session(context, request, upload, resource, content_type=request.header("content-type"))
        return sessions.expect(context, session, size)


def _check_head(context: Context, request: Request, upload: Upload, protocol: str) -> dict[str, Any]:
    """Check what the headers say; the resource of a body of bytes alone has a title that nobody chose."""
    if protocol == "multipart":
        multipart.boundary_of(request.header("content-type"))
        return {}
    upload.check_type(request.header("content-type") or "")
    if upload.kind == "thumbnail":
        return {}
    return metadata.new_resource(context, {"snippet": {"title": upload.file_name or "unknown"}}, ("snippet",))


def _unpack(context: Context, session: Session, grant: Grant) -> tuple[Session, multipart.Parts]:
    """Read the metadata of a multipart body; raises Refusal."""
    parts = multipart.split(grant.path, multipart.boundary_of(session.content_type))
    body = metadata.read_body(parts.document_type, parts.document)
    resource = metadata.new_resource(context, body, session.parts)
    return sessions.change(context.connection, session, resource=resource), parts
