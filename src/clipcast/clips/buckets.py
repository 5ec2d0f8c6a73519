"""Media in an S3-compatible store: AWS, MinIO, R2, Ceph and their like.

Files still come in on the local disk, where they are probed, and travel to the bucket once they are whole. Credentials are those that AWS's
own tools use (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, a role of the machine).
"""

import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Final, Self, cast
from urllib.parse import parse_qs, urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import S3Store

from clipcast.clips.storage import BLOCK_BYTES, IncomingFile, LocalStorage
from clipcast.errors import Busy, ConfigurationError, NotFound, UnusableMedia

_FORM: Final = "CLIPCAST_STORAGE_URL must be like s3://bucket/prefix, with ?endpoint=https://host&region=name where they are needed."


class BucketStorage:
    """Media in a bucket, under `ab/cd/<sha256>.<extension>`; `staging` holds what is on its way in or out."""

    def __init__(self, bucket: S3Store, staging: Path) -> None:
        self._bucket = bucket
        self._staging = LocalStorage(staging)

    @classmethod
    def from_url(cls, url: str, staging: Path) -> Self:
        """The bucket of an `s3://` URL.

        Raises:
            ConfigurationError: the URL is not one, or lacks what its store needs.
        """
        parts = urlsplit(url)
        options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if not parts.netloc or set(options) - {"endpoint", "region"}:
            raise ConfigurationError(_FORM)
        endpoint = options.get("endpoint")
        try:
            bucket = S3Store(
                parts.netloc,
                prefix=parts.path.strip("/") or None,
                region=options.get("region", "us-east-1"),
                endpoint=endpoint,
                client_options={"allow_http": endpoint is not None and endpoint.startswith("http://")},
            )
        except (BaseError, ValueError) as error:
            raise ConfigurationError(_FORM) from error
        return cls(bucket, staging)

    def incoming(self, max_bytes: int | None = None) -> IncomingFile:
        """A new file on the local disk; raises as `LocalStorage.incoming`."""
        return self._staging.incoming(max_bytes)

    def adopt(self, file: IncomingFile, extension: str) -> str:
        """Send a sealed file to the bucket; it appears there whole or not at all, and the same bytes are sent only once."""
        file.seal()
        key = file.key(extension)
        if self._size_or_none(key) != file.size_bytes:
            with _told_what_the_bucket_says():
                obstore.put(self._bucket, key, file.path)
        file.discard()
        return key

    def open(self, key: str) -> BinaryIO:
        """A local copy of the stored file, gone when it is closed; raises `NotFound`."""
        size = self.size(key)
        copy = tempfile.TemporaryFile(dir=self._staging.root)  # noqa: SIM115  # the caller closes it
        for block in self.read_range(key, 0, size):
            copy.write(block)
        copy.seek(0)
        return cast("BinaryIO", copy)

    @contextmanager
    def on_disk(self, key: str) -> Iterator[Path]:
        """A local copy of the stored file, deleted at the end of the `with`; raises `NotFound`."""
        with self._staging.incoming() as copy:
            for block in self.read_range(key, 0, self.size(key)):
                copy.write(block)
            yield copy.seal().path

    def read_range(self, key: str, start: int, stop: int) -> Generator[bytes, None, None]:
        """The bytes `start` (included) to `stop` (excluded), in blocks of at most 1 MiB.

        Raises:
            NotFound: there is no such file.
            UnusableMedia: the stored file ends before `stop`.
            Busy: the bucket cannot be reached.
        """
        self._staging.path(key)  # refuses what is not a key
        missing = stop - start
        with _told_what_the_bucket_says():
            if missing > 0:
                for chunk in obstore.get(self._bucket, key, options={"range": (start, stop)}).stream(min_chunk_size=BLOCK_BYTES):
                    whole = memoryview(chunk)
                    missing -= len(whole)
                    yield from (bytes(whole[at : at + BLOCK_BYTES]) for at in range(0, len(whole), BLOCK_BYTES))
        if missing > 0:
            raise UnusableMedia("The stored file is shorter than it was when it came in; add it again.")

    def lend_range(self, key: str, start: int, stop: int) -> Generator[bytes, None, None]:
        """As `read_range`: what comes over the network is not worth a buffer of its own."""
        return self.read_range(key, start, stop)

    def size(self, key: str) -> int:
        """The stored file's size in bytes; raises `NotFound`."""
        size = self._size_or_none(key)
        if size is None:
            raise NotFound("The file is no longer in the media store.")
        return size

    def signed_url(self, key: str, expires_in: timedelta) -> str:
        """A URL of the bucket itself at which the file can be fetched without credentials until then."""
        self._staging.path(key)
        with _told_what_the_bucket_says():
            return obstore.sign(self._bucket, "GET", key, expires_in)

    def sweep_incoming(self, older_than: datetime) -> int:
        """Delete unfinished local files untouched since `older_than`; returns how many."""
        return self._staging.sweep_incoming(older_than)

    def _size_or_none(self, key: str) -> int | None:
        self._staging.path(key)
        try:
            with _told_what_the_bucket_says():
                return obstore.head(self._bucket, key)["size"]
        except NotFound:
            return None


@contextmanager
def _told_what_the_bucket_says() -> Iterator[None]:
    try:
        yield
    except (NotFoundError, FileNotFoundError) as error:
        raise NotFound("The file is no longer in the media store.") from error
    except (BaseError, OSError) as error:
        # The store's own words may name its keys and signatures; the log's redaction is not asked to save us here.
        raise Busy(f"The media store cannot be used right now ({type(error).__name__}). Nothing was lost; try again.") from error
