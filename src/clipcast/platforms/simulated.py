"""How an account without credentials gets some: the simulator hands them out on its control resource."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from clipcast.errors import ConfigurationError, InvalidRequest, ProtocolError, Unavailable
from clipcast.platforms.base import Answer, Credentials, Json, Request

NAMELESS: Final = "clipcast_demo"
"""Who publishes when no account was chosen."""

_NO_CREDENTIALS: Final = ("username", "expires_at", "refresh_expires_at", "scope")
"""What the simulator tells besides the credentials."""
_APP: Final = ("client_key", "client_id", "app_id", "client_secret", "app_secret")


@dataclass(frozen=True, slots=True)
class SimulatorDesk:
    """The simulator's control resource at `url`, seen from one platform. It only builds requests and reads answers."""

    url: str
    platform: str

    def credentials_request(self, username: str) -> Request:
        """Create the account if need be, and tell its credentials; the same ones while they are valid."""
        path = f"{self.url}/_simulator/{self.platform}/accounts/{quote(username, safe='')}"
        return Request("PUT", path, body=Json({}, "application/json"), authorized=False)

    def credentials(self, answer: Answer) -> Credentials:
        """What the simulator answered.

        Raises:
            Unavailable, ConfigurationError, ProtocolError: it did not answer with credentials.
        """
        content = self._checked(answer)
        values = {name: value for name, value in content.items() if isinstance(value, str) and name not in _NO_CREDENTIALS}
        if "access_token" not in values:
            raise ProtocolError("The simulator answered without an access token.", platform=self.platform, http_status=answer.status)
        return Credentials(
            values, expires_at=_moment(content.get("expires_at")), refresh_expires_at=_moment(content.get("refresh_expires_at"))
        )

    def app_request(self, login: str, redirect_uri: str) -> Request:
        """Register an app of our own that is answered at `redirect_uri`, as its owner does in the portal; the same one each time."""
        name = f"clipcast{hashlib.sha256(f'{login} {redirect_uri}'.encode()).hexdigest()[:12]}"
        order = {"redirect_uris": [redirect_uri]} | ({"login": login} if login else {})
        path = f"{self.url}/_simulator/{self.platform}/apps/{name}"
        return Request("PUT", path, body=Json(order, "application/json"), authorized=False)

    def app(self, answer: Answer) -> Credentials:
        """The app's id and secret there.

        Raises:
            InvalidRequest: the simulator takes no such redirect URI, because the platform takes none; says why.
            Unavailable, ConfigurationError: as `credentials`.
        """
        content = answer.json()
        if answer.status == 400 and isinstance(content, dict) and isinstance(content.get("error"), str):
            raise InvalidRequest(f"The platform would not take this server's address as a redirect URI: {content['error']}.")
        content = self._checked(answer)
        return Credentials({name: content[name] for name in _APP if isinstance(content.get(name), str)})

    def media_request(self, credentials: Credentials, media_prefix: str) -> Request:
        """Verify the prefix of our media URLs for the simulated app, as its owner does in the portal; every platform takes one."""
        path = f"{self.url}/_simulator/{self.platform}/apps/{quote(credentials.get('client_key'), safe='')}/prefixes"
        return Request("POST", path, body=Json({"prefix": media_prefix}, "application/json"), authorized=False)

    def media_accepted(self, answer: Answer) -> None:
        """Raises like `credentials` when the simulator refuses the prefix."""
        self._checked(answer)

    def _checked(self, answer: Answer) -> dict[str, Any]:
        if answer.status >= 500:
            raise Unavailable("The simulator has trouble of its own.", platform=self.platform, http_status=answer.status)
        content = answer.json()
        if not isinstance(content, dict) or answer.status >= 400:
            raise ConfigurationError(f"What runs at {self.url} is not a Clipcast simulator. Check CLIPCAST_SIMULATOR_URL.")
        return content


def _moment(text: object) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None
