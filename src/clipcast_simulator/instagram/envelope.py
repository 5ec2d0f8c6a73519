"""The three shapes of an error, and the headers of every answer of the Graph hosts."""

import json
from typing import Any, Final

from clipcast_simulator.exchange import Context, Reply, json_reply, text_reply
from clipcast_simulator.faults import Shape
from clipcast_simulator.instagram import errors, ids
from clipcast_simulator.instagram.errors import Refusal

NEWEST: Final = "v26.0"

#: A Graph code for a bare HTTP status, when a script asks for the status alone.
_CODE_OF_STATUS: Final = {401: 190, 403: 10, 404: 100, 429: 4}


def graph_error(context: Context, refusal: Refusal, login: str | None = None, status: int | None = None) -> Reply:
    """Answer in the first shape, of `graph.instagram.com` and `graph.facebook.com`."""
    wording = refusal.wording
    error: dict[str, Any] = {"message": refusal.message or wording.message, "type": _type(refusal, login), "code": refusal.code}
    if refusal.subcode is not None:
        error["error_subcode"] = refusal.subcode
    error["is_transient"] = refusal.code == 2
    if wording.title is not None:
        title, told = wording.title, wording.user
        if context.settings.instagram.error_locale == "random":
            title, told = errors.translated(context.random.randrange(3))
        error |= {"error_user_title": title, "error_user_msg": told}
    error["fbtrace_id"] = ids.trace()
    return json_reply(status or wording.status, {"error": error}, refusal.word)


def code_error(message: str, status: int = 400) -> Reply:
    """Answer in the second shape, of the code exchange on `api.instagram.com`."""
    content = {"error_type": "OAuthException", "code": status, "error_message": message}
    return json_reply(status, content, "OAuthException")


def upload_error(status: int, kind: str, message: str, *, retriable: bool) -> Reply:
    """Answer in the third shape, of the upload host."""
    return json_reply(status, {"debug_info": {"retriable": retriable, "type": kind, "message": message}}, kind)


def upload_refused(message: str = "unauthorized user request") -> Reply:
    """Answer that an upload was rejected; the reason is JSON within a string."""
    inner = json.dumps({"success": False, "error": {"message": message}}, separators=(",", ":"))
    return upload_error(400, "ProcessingFailedError", inner, retriable=False)


def bare(context: Context, status: int, shape: Shape, operation: str) -> Reply:
    """Answer a status as a script asks for it: in the host's own shape, as a string, as text, as HTML, or with no body."""
    refusal = Refusal(_CODE_OF_STATUS.get(status, 2 if status >= 500 else 100))
    match shape:
        case "object":
            return _object(context, status, refusal, operation)
        case "string":
            return json_reply(status, {"error": refusal.wording.message}, refusal.word)
        case "text":
            return text_reply(status, refusal.wording.message)
        case "html":
            page = f"<html><head><title>Error</title></head><body><h1>Sorry, something went wrong.</h1><p>{status}</p></body></html>"
            return text_reply(status, page, "text/html")
        case "empty":
            return Reply(status)


def _object(context: Context, status: int, refusal: Refusal, operation: str) -> Reply:
    if operation == "upload":
        kind = "NotAuthorizedError" if status in (401, 403) else "ProcessingFailedError" if status < 500 else "InternalError"
        return upload_error(status, kind, refusal.wording.message, retriable=status >= 500)
    if operation == "oauth.code":
        return code_error(refusal.wording.message, status)
    return graph_error(context, refusal, status=status)


def _type(refusal: Refusal, login: str | None) -> str:
    """Name the error's type, which says nothing useful: nearly all are OAuthException."""
    if refusal.code != 100 or login is None:
        return "OAuthException"
    return "IGApiException" if login == "instagram" else "GraphMethodException"
