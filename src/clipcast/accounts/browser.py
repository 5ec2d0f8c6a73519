"""The mark by which the browser that begins a consent is known when the platform sends it back.

A cookie of its own, not the session: whoever comes back from another site may have signed out meanwhile, and what a consent is bound to
should be worth nothing else. The signature lets a made-up one be refused; what counts is its hash in the consent's row.
"""

from collections.abc import Mapping
from typing import Final

from itsdangerous import BadData, URLSafeSerializer
from pydantic import SecretStr
from starlette.responses import Response

from clipcast.accounts.pending import LASTS
from clipcast.people.tokens import new_token

NAME: Final = "clipcast_link"
PATH: Final = "/oauth"
_SALT: Final = "clipcast.link"  # keeps signatures made for another purpose from passing here


class BrowserMarks:
    """Makes and reads the cookie's values."""

    def __init__(self, secret_key: SecretStr) -> None:
        self._serializer = URLSafeSerializer(secret_key.get_secret_value(), salt=_SALT)

    def read(self, cookies: Mapping[str, str]) -> str:
        """The mark that this browser bears; empty where it bears none that we made."""
        try:
            mark = self._serializer.loads(cookies.get(NAME, ""))
        except BadData:
            return ""
        return mark if isinstance(mark, str) else ""

    def read_or_new(self, cookies: Mapping[str, str]) -> str:
        """The browser's mark, so that consents begun in two of its windows both end well; a new one where it bears none."""
        return self.read(cookies) or new_token()

    def give(self, response: Response, mark: str, *, secure: bool) -> None:
        """Have the browser bear this mark as long as a consent may take: also when another site sends it back to us by a plain link."""
        lasts_s = int(LASTS.total_seconds())
        value = str(self._serializer.dumps(mark))
        response.set_cookie(NAME, value, max_age=lasts_s, path=PATH, secure=secure, httponly=True, samesite="lax")
