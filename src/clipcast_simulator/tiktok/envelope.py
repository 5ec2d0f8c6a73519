"""TikTok's answers: the data envelope, the refusals with their documented statuses, and log ids."""

import secrets
import time
from collections.abc import Callable
from typing import Any, Final

from clipcast_simulator.exchange import Context, Handler, Reply, Request, json_reply, text_reply
from clipcast_simulator.faults import Shape

_GUIDELINES = "Please review our integration guidelines at https://developers.tiktok.com/doc/content-sharing-guidelines/"

#: Every documented code of the data endpoints with its HTTP status: the general error page, the Content Posting pages.
STATUSES: Final = {
    "access_token_invalid": 401,
    "app_version_check_failed": 400,
    "internal_error": 500,
    "invalid_file_upload": 400,
    "invalid_param": 400,
    "invalid_params": 400,
    "invalid_publish_id": 400,
    "privacy_level_option_mismatch": 403,
    "publish_not_cancellable": 400,
    "rate_limit_exceeded": 429,
    "reached_active_user_cap": 403,
    "scope_not_authorized": 401,
    "scope_permission_missed": 400,
    "spam_risk_too_many_pending_share": 403,
    "spam_risk_too_many_posts": 403,
    "spam_risk_user_banned_from_posting": 403,
    "token_not_authorized_for_specified_publish_id": 400,
    "unaudited_client_can_only_post_to_private_accounts": 403,
    "url_ownership_unverified": 403,
}

#: creator_info answers these with HTTP 200, deliberately.
SOFT_ON_CREATOR_INFO: Final = frozenset({"spam_risk_too_many_posts", "spam_risk_user_banned_from_posting", "reached_active_user_cap"})

_MESSAGES: Final = {
    "access_token_invalid": "The access token is invalid or not found in the request.",
    "internal_error": "Something went wrong. Please try again later.",
    "rate_limit_exceeded": "The API rate limit was exceeded. Please try again later.",
    "scope_not_authorized": "The user did not authorize the scope required for completing this request.",
}

#: Codes for a bare HTTP status, when a script asks for the status alone.
_CODE_OF_STATUS: Final = {
    400: "invalid_params",
    401: "access_token_invalid",
    403: "spam_risk_too_many_posts",
    404: "not_found",
    429: "rate_limit_exceeded",
}


class Refusal(Exception):
    """A data endpoint says no. `code` is one of STATUSES."""

    def __init__(self, code: str, message: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.message = _MESSAGES.get(code, _GUIDELINES) if message is None else message


def log_id(now: float) -> str:
    """Make a log id: the time, and noise."""
    return time.strftime("%Y%m%d%H%M%S", time.gmtime(now)) + secrets.token_hex(10).upper()


def answering(operation: str, handler: Callable[[Context, Request], dict[str, Any] | None]) -> Handler:
    """Wrap a function that returns `data` or raises Refusal into one that answers in the envelope."""

    def answer(context: Context, request: Request) -> Reply:
        try:
            data = handler(context, request)
        except Refusal as refusal:
            return refused(context, refusal, operation)
        error = {"code": "ok", "message": "", "log_id": log_id(context.now)}
        return json_reply(200, {"error": error} if data is None else {"data": data, "error": error}, "ok")

    return answer


def refused(context: Context, refusal: Refusal, operation: str) -> Reply:
    """Answer a refusal: no `data`, the code's documented status."""
    soft = operation == "creator_info" and refusal.code in SOFT_ON_CREATOR_INFO
    error = {"code": refusal.code, "message": refusal.message, "log_id": log_id(context.now)}
    return json_reply(200 if soft else STATUSES[refusal.code], {"error": error}, refusal.code)


def bare(context: Context, status: int, shape: Shape) -> Reply:
    """Answer a status as a script asks for it: in the envelope, as strings, as text, as HTML, or with no body."""
    code = _CODE_OF_STATUS.get(status, "internal_error" if status >= 500 else "invalid_params")
    message = _MESSAGES.get(code, "")
    match shape:
        case "object":
            return json_reply(status, {"error": {"code": code, "message": message, "log_id": log_id(context.now)}}, code)
        case "string":
            return json_reply(status, {"error": code, "message": message, "log_id": log_id(context.now)}, code)
        case "text":
            return text_reply(status, message or code)
        case "html":
            page = f"<html><head><title>{status}</title></head><body><center><h1>{status}</h1></center></body></html>"
            return text_reply(status, page, "text/html")
        case "empty":
            return Reply(status)
