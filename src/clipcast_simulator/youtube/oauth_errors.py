"""The OAuth endpoints' errors: `error` is a string here."""

from typing import Final

from clipcast_simulator.exchange import Reply, json_reply

#: Errors of the token and revocation endpoints with their HTTP status.
ERRORS: Final = {
    "admin_policy_enforced": 400,
    "deleted_client": 401,
    "invalid_client": 401,
    "invalid_grant": 400,
    "invalid_request": 400,
    "invalid_scope": 400,
    "invalid_token": 400,
    "org_internal": 403,
    "rate_limit_exceeded": 403,
    "redirect_uri_mismatch": 400,
    "server_error": 500,
    "temporarily_unavailable": 503,
    "unauthorized_client": 401,
    "unsupported_grant_type": 400,
}

DEAD_TOKEN: Final = "Token has been expired or revoked."  # noqa: S105 - a sentence


class OAuthRefusal(Exception):
    """An OAuth endpoint says no. `error` is one of ERRORS."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(error)
        self.error = error
        self.description = description


def refused(refusal: OAuthRefusal) -> Reply:
    """Answer a refusal."""
    content = {"error": refusal.error, "error_description": refusal.description}
    return json_reply(ERRORS[refusal.error], content, refusal.error)
