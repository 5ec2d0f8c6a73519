"""Signed, expiring URLs by which platforms fetch media from this server."""

from datetime import timedelta
from typing import Final

from itsdangerous import BadData, URLSafeSerializer
from pydantic import SecretStr

from clipcast.clock import Clock
from clipcast.errors import NotFound

_SALT: Final = "clipcast.media-link"  # keeps signatures made for another purpose from passing here


class Links:
    """Signs and reads the links. They are bearer secrets until they expire: never log them."""

    def __init__(self, secret_key: SecretStr, clock: Clock) -> None:
        self._serializer = URLSafeSerializer(secret_key.get_secret_value(), salt=_SALT)
        self._clock = clock

    def sign(self, media_id: str, expires_in: timedelta) -> str:
        """The path segment after `/media/` that gives access to this media until then."""
        # The expiry is part of what is signed: itsdangerous' own timed signer asks the machine's clock, not ours.
        return str(self._serializer.dumps([media_id, int((self._clock() + expires_in).timestamp())]))

    def verify(self, signed: str) -> str:
        """The `media_id` of a link that we signed and that has not expired; raises `NotFound` for any other."""
        try:
            media_id, expires_at = self._serializer.loads(signed)
        except BadData as error:
            raise NotFound("This link is not valid.") from error
        if self._clock().timestamp() >= expires_at:
            raise NotFound("This link has expired.")
        return str(media_id)
