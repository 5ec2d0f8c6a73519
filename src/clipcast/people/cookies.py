"""The cookies of a browser, signed with the installation's key: its session, and that it signed in here before.

The signature lets a made-up or altered cookie be refused without a look into the database; what a session is worth, its row says.
"""

from collections.abc import Mapping
from typing import Final

from itsdangerous import BadData, URLSafeSerializer
from pydantic import SecretStr

SESSION: Final = "clipcast_session"
DEVICE: Final = "clipcast_device"
SECURE: Final = "__Host-"
"""Before the name under https: browsers take such a cookie only with Secure, Path=/ and no Domain, so no neighbouring host can plant it."""


class Cookies:
    """Signs and reads the values of cookies. The name is signed along, so that one cookie cannot pass for another."""

    def __init__(self, secret_key: SecretStr) -> None:
        self._secret_key = secret_key.get_secret_value()

    def sign(self, name: str, value: str) -> str:
        """What the browser is given."""
        return str(self._serializer(name).dumps(value))

    def read(self, name: str, cookies: Mapping[str, str], *, https_only: bool) -> str | None:
        """The value that we signed, or None. Under https only the protected name counts."""
        signed = cookies.get(SECURE + name) or (None if https_only else cookies.get(name))
        if signed is None:
            return None
        try:
            value = self._serializer(name).loads(signed)
        except BadData:
            return None
        return value if isinstance(value, str) else None

    def _serializer(self, name: str) -> URLSafeSerializer:
        return URLSafeSerializer(self._secret_key, salt=f"clipcast.cookie.{name}")
