"""What the wire needs of media: bytes from storage, and URLs that lead back to us."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import timedelta

from clipcast.clips.links import Links
from clipcast.clips.media import locate
from clipcast.clips.storage import Storage
from clipcast.db.engine import Database
from clipcast.errors import ConfigurationError

LINK_LIFE = timedelta(hours=2)
"""Platforms give a pull up to an hour after the request that names the URL; twice that covers the request's own delays."""


@dataclass(frozen=True, slots=True)
class ClipSource:
    """Media of this installation. `base_url` says under which address the asking platform reaches us."""

    db: Database
    storage: Storage
    links: Links
    base_url: Callable[[], str]

    def read_range(self, media_id: str, start: int, stop: int) -> Generator[bytes | memoryview, None, None]:
        """The bytes `start` to `stop` (excluded), in blocks of at most 1 MiB, each good until the next is asked for."""
        with self.db.reading() as session:
            found = locate(session, media_id)
        return self.storage.lend_range(found.storage_key, start, stop)

    def url(self, media_id: str) -> str:
        """A signed URL that ends working after two hours: ours, or the media store's own where we have no public address.

        Raises:
            ConfigurationError: nobody said where this server is reached from outside.
        """
        base_url = self.base_url()
        if base_url:
            return f"{base_url}/media/{self.links.sign(media_id, LINK_LIFE)}"
        with self.db.reading() as session:
            found = locate(session, media_id)
        signed = self.storage.signed_url(found.storage_key, LINK_LIFE)
        if signed is None:
            raise ConfigurationError(
                "The platform fetches this media from us, but CLIPCAST_PUBLIC_URL is not set. Set it to the https address of this server."
            )
        return signed
