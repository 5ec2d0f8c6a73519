"""Which media store the settings name."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote, urlsplit

from clipcast.clips.storage import LocalStorage, Storage
from clipcast.errors import ConfigurationError
from clipcast.settings import Settings

if TYPE_CHECKING:
    from clipcast.clips.buckets import BucketStorage


def open_storage(settings: Settings) -> Storage:
    """The media store that the settings name: `media/` in the data directory unless `CLIPCAST_STORAGE_URL` says otherwise.

    Raises:
        ConfigurationError: the URL is of a kind that Clipcast does not know.
    """
    if not settings.storage_url:
        return LocalStorage(settings.data_dir / "media")
    parts = urlsplit(settings.storage_url)
    if parts.scheme == "s3":
        return _bucket_storage().from_url(settings.storage_url, settings.data_dir / "staging")
    if parts.scheme != "file" or parts.netloc not in {"", "localhost"} or not parts.path:
        raise ConfigurationError("CLIPCAST_STORAGE_URL must name a directory or a bucket: file:///srv/clipcast/media, s3://bucket/prefix.")
    return LocalStorage(Path(unquote(parts.path)))


def _bucket_storage() -> "type[BucketStorage]":
    """Loaded where a bucket is named: its client weighs seven megabytes, which every other installation is spared."""
    return cast("type[BucketStorage]", import_module("clipcast.clips.buckets").BucketStorage)
