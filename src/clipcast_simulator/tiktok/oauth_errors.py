"""The OAuth endpoints' errors: a flat object, no envelope."""

from typing import Final

from clipcast_simulator.exchange import Context, Reply, json_reply
from clipcast_simulator.tiktok.envelope import log_id

ERRORS: Final = frozenset(
    {
        "access_denied",
        "invalid_client",
        "invalid_grant",
        "invalid_request",
        "invalid_scope",
        "server_error",
        "temporarily_unavailable",
        "unauthorized_client",
        "unsupported_grant_type",
        "unsupported_response_type",
    }
)
_SERVER_SIDE: Final = {"server_error": 500, "temporarily_unavailable": 503}


class OAuthRefusal(Exception):
    """An OAuth endpoint says no. `error` is one of ERRORS."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(error)
        self.error = error
        self.description = description


def refused(context: Context, refusal: OAuthRefusal) -> Reply:
    """Answer a refusal; the HTTP status of the client's own mistakes is undocumented, hence a knob."""
    status = _SERVER_SIDE.get(refusal.error, context.settings.tiktok.oauth_error_status)
    content = {"error": refusal.error, "error_description": refusal.description, "log_id": log_id(context.now)}
    return json_reply(status, content, refusal.error)
