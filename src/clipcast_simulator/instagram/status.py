"""`GET /{container-id}`: how far a container is."""

from typing import Any, Final

from clipcast_simulator.exchange import Context
from clipcast_simulator.instagram import access, containers, scripted
from clipcast_simulator.instagram.access import READ
from clipcast_simulator.instagram.containers import Container
from clipcast_simulator.instagram.errors import Refusal
from clipcast_simulator.instagram.fields import project
from clipcast_simulator.instagram.graph import Answer, Call
from clipcast_simulator.instagram.tokens import Token

_FIELDS: Final = frozenset({"id", "status_code", "status", "video_status", "copyright_check_status"})

_SENTENCES: Final = {
    containers.IN_PROGRESS: "In Progress: Media is still being processed.",
    containers.FINISHED: "Finished: Media has been uploaded and it is ready to be published.",
    containers.PUBLISHED: "Published: Media has been successfully published.",
    containers.EXPIRED: "Expired: Media was not published within 24 hours and must be created again.",
}


def container_status(call: Call) -> Answer:
    """Answer the wanted fields of a container."""
    call.caller.require(READ)
    call.given.check(())
    context, node = call.context, call.request.params["node"]
    container = containers.by_id(context.connection, node)
    if container is None:
        raise access.unsupported(node)
    account = access.owner(context, call.caller, container.username, node)
    if account.restricted:
        raise Refusal(25, 2207050)
    container = scripted.mark(context, container)
    if _is_hidden(context, container, call.caller.token):
        raise access.unsupported(node)
    return project(call.fields(), _node(context, container), _FIELDS, "ShadowIGMediaBuilder")


def _is_hidden(context: Context, container: Container, token: Token) -> bool:
    kind = token.kind if token.kind == "page" else "user" if token.is_user else "instagram"
    return context.now < container.hidden_until and container.hidden_from in (None, kind)


def _node(context: Context, container: Container) -> dict[str, Any]:
    code, subcode = containers.status(context, container)
    return {
        "id": container.container_id,
        "status_code": code,
        "status": _sentence(context, code, subcode),
        "video_status": _video_status(context, container, code) if container.is_resumable else None,
        "copyright_check_status": _copyright(code) if container.medium == "video" else None,
    }


def _sentence(context: Context, code: str, subcode: int | None) -> str:
    if code != containers.ERROR:
        return _SENTENCES[code]
    if context.settings.instagram.error_status == "number":
        return str(subcode)
    return f"Error: Media upload has failed with error code {subcode}"


def _video_status(context: Context, container: Container, code: str) -> dict[str, Any]:
    """Tell the phases of a resumable upload: how many bytes are kept, and how processing goes."""
    complete = context.settings.instagram.phase_complete
    uploading: str = complete if container.stage in (containers.ARRIVED, containers.SETTLED) else "in_progress"
    if uploading == "in_progress" and container.bytes_done == 0:
        uploading = "not_started"
    processing = {containers.FINISHED: complete, containers.PUBLISHED: complete, containers.ERROR: "error"}.get(code, "in_progress")
    if uploading != complete:
        processing = "not_started"
    return {
        "uploading_phase": {"status": uploading, "bytes_transferred": container.bytes_done},
        "processing_phase": {"status": processing},
    }


def _copyright(code: str) -> dict[str, Any]:
    status = "completed" if code in (containers.FINISHED, containers.PUBLISHED) else "in_progress"
    return {"status": "error" if code == containers.ERROR else status, "matches_found": False}
