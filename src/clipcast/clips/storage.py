"""Where the bytes of clips live: named by their content, whole or not there at all."""

import errno
import hashlib
import os
import re
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Protocol, Self

from clipcast.db.base import new_id
from clipcast.errors import Busy, ConfigurationError, NotFound, TooLarge, UnusableMedia

BLOCK_BYTES: Final = 1 << 20
"""What is read, hashed or sent at a time: memory stays flat whatever the file's size."""

INCOMING: Final = "incoming"
_KEY: Final = re.compile(r"[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{64}\.[a-z0-9]{1,8}", re.ASCII)
#: EFBIG is the quota's cousin: the file system or the process may not hold a file this large.
_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN: Final = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST}


class Storage(Protocol):
    """What a media store must offer. Keys come from `key_of` and name their content, so nothing is ever overwritten."""

    def incoming(self, max_bytes: int | None = None) -> "IncomingFile":
        """A new, private file on the local disk; it becomes visible only when `adopt` takes it."""

    def adopt(self, file: "IncomingFile", extension: str) -> str:
        """Take a sealed file in whole, and return its key; the same bytes a second time cost nothing."""

    def open(self, key: str) -> BinaryIO:
        """The stored file for reading; raises `NotFound`."""

    def on_disk(self, key: str) -> AbstractContextManager[Path]:
        """The stored file as a file of this machine while the `with` lasts, for reading only; raises `NotFound`."""

    def read_range(self, key: str, start: int, stop: int) -> Generator[bytes, None, None]:
        """The bytes `start` (included) to `stop` (excluded), in blocks of at most 1 MiB; closing the generator closes the file."""

    def lend_range(self, key: str, start: int, stop: int) -> Generator[bytes | memoryview, None, None]:
        """Like `read_range`, for one reader in a hurry: a block is good only until the next one is asked for."""

    def size(self, key: str) -> int:
        """The stored file's size in bytes; raises `NotFound`."""

    def signed_url(self, key: str, expires_in: timedelta) -> str | None:
        """A URL of the store itself at which anybody can fetch the file until then; None where the store is not on the network."""

    def sweep_incoming(self, older_than: datetime) -> int:
        """Delete unfinished files untouched since `older_than`, left by a crash; returns how many."""


def key_of(sha256: str, extension: str) -> str:
    """The storage key of that content.

    >>> key_of("ab" * 32, "mp4")[:12]
    'ab/ab/ababab'
    """
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}.{extension}"


def too_large(max_bytes: int) -> TooLarge:
    """What a file of more bytes is told."""
    return TooLarge(f"The file is larger than the {max_bytes:,} bytes that CLIPCAST_FETCH_MAX_BYTES allows.")


class IncomingFile:
    """A file on its way in: counted and hashed while it is written, deleted at the end of the `with` unless adopted."""

    def __init__(self, path: Path, max_bytes: int | None) -> None:
        self.path = path
        self.size_bytes = 0
        self._max_bytes = max_bytes
        self._hash = hashlib.sha256()
        with _told_what_the_disk_says(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("xb")

    @property
    def sha256(self) -> str:
        """The SHA-256 of what was written so far, in hexadecimal."""
        return self._hash.hexdigest()

    def key(self, extension: str) -> str:
        """The storage key that the file has once it is adopted."""
        return key_of(self.sha256, extension)

    def write(self, block: bytes) -> None:
        """Append a block.

        Raises:
            TooLarge: this block would pass the cap.
            Busy: the disk is full.
        """
        if self._max_bytes is not None and self.size_bytes + len(block) > self._max_bytes:
            raise too_large(self._max_bytes)
        with _told_what_the_disk_says(self.path.parent):
            self._file.write(block)
        self._hash.update(block)
        self.size_bytes += len(block)

    def reread(self) -> Self:
        """Count and hash what lies at `path` now: a program that has to seek wrote it there instead of calling `write`."""
        self.size_bytes, self._hash = 0, hashlib.sha256()
        with _told_what_the_disk_says(self.path.parent), self.path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                self._hash.update(block)
                self.size_bytes += len(block)
        return self

    def seal(self) -> Self:
        """Bring every byte to the disk, so that the file survives the power going out; nothing is written afterwards."""
        if not self._file.closed:
            with _told_what_the_disk_says(self.path.parent), self._file:
                self._file.flush()
                os.fsync(self._file.fileno())
        return self

    def discard(self) -> None:
        """Delete the file, unless it was adopted."""
        try:
            self._file.close()
        except OSError:  # a full disk refuses the last buffered bytes; they are being thrown away
            self._file.close()
        self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.discard()


class LocalStorage:
    """Media in a directory: `ab/cd/<sha256>.<extension>`, and `incoming/` for what is not whole yet."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()

    def incoming(self, max_bytes: int | None = None) -> IncomingFile:
        """A new file under `incoming/`, on the same file system as its later place.

        Raises:
            ConfigurationError: the directory cannot be written.
            Busy: the disk is full.
        """
        return IncomingFile(self.root / INCOMING / f"{new_id()}.part", max_bytes)

    def adopt(self, file: IncomingFile, extension: str) -> str:
        """Move a sealed file to its place in one step; where the same bytes are already there, they stay."""
        file.seal()
        key = file.key(extension)
        place = self.path(key)
        with _told_what_the_disk_says(self.root):
            if place.is_file() and place.stat().st_size == file.size_bytes:
                file.discard()
            else:
                place.parent.mkdir(parents=True, exist_ok=True)
                file.path.replace(place)
                _sync_directories(place.parent, self.root)
        return key

    def path(self, key: str) -> Path:
        """The stored file's place on this machine; raises `NotFound` for anything that is not a key."""
        if not _KEY.fullmatch(key):
            raise NotFound("There is no such file in the media store.")
        return self.root / key

    @contextmanager
    def on_disk(self, key: str) -> Iterator[Path]:
        """The stored file itself; raises `NotFound`."""
        self.size(key)
        yield self.path(key)

    def open(self, key: str) -> BinaryIO:
        """The stored file for reading; raises `NotFound`."""
        try:
            return self.path(key).open("rb")
        except FileNotFoundError as error:
            raise NotFound("The file is no longer in the media store.") from error

    def read_range(self, key: str, start: int, stop: int) -> Generator[bytes, None, None]:
        """The bytes `start` (included) to `stop` (excluded), in blocks of at most 1 MiB.

        Raises:
            NotFound: there is no such file.
            UnusableMedia: the stored file ends before `stop`.
        """
        with self.open(key) as file:
            file.seek(start)
            while start < stop:
                block = file.read(min(BLOCK_BYTES, stop - start))
                if not block:
                    raise UnusableMedia("The stored file is shorter than it was when it came in; add it again.")
                start += len(block)
                yield block

    def _unbuffered(self, key: str) -> FileIO:
        try:
            return self.path(key).open("rb", buffering=0)
        except FileNotFoundError as error:
            raise NotFound("The file is no longer in the media store.") from error

    def lend_range(self, key: str, start: int, stop: int) -> Generator[memoryview, None, None]:
        """Like `read_range`, in one buffer that is used again: a fresh mebibyte for each block costs a fifth of the speed.

        Raises:
            as `read_range`.
        """
        buffer = memoryview(bytearray(BLOCK_BYTES))
        with self._unbuffered(key) as file:
            file.seek(start)
            while start < stop:
                count = file.readinto(buffer[: min(BLOCK_BYTES, stop - start)])
                if not count:
                    raise UnusableMedia("The stored file is shorter than it was when it came in; add it again.")
                start += count
                yield buffer[:count]

    def size(self, key: str) -> int:
        """The stored file's size in bytes; raises `NotFound`."""
        try:
            return self.path(key).stat().st_size
        except FileNotFoundError as error:
            raise NotFound("The file is no longer in the media store.") from error

    def signed_url(self, key: str, expires_in: timedelta) -> None:
        """None: a directory has no address; our own media links lead to its files."""
        del key, expires_in

    def sweep_incoming(self, older_than: datetime) -> int:
        """Delete unfinished files untouched since `older_than`, left by a crash; returns how many.

        A running upload touches its file all the time, so hours of margin are plenty.
        """
        swept = 0
        for path in (self.root / INCOMING).glob("*.part"):
            try:
                if datetime.fromtimestamp(path.stat().st_mtime, UTC) < older_than:
                    path.unlink()
                    swept += 1
            except FileNotFoundError:  # its upload ended, or another process sweeps too
                continue
        return swept


@contextmanager
def _told_what_the_disk_says(directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise Busy(f"The disk of {directory} is full. Nothing was stored; free some space and try again.") from error
        if error.errno in _FORBIDDEN:
            raise ConfigurationError(
                f"Nothing can be written in {directory} ({error.strerror}). "
                "Check its owner and mode, or set CLIPCAST_DATA_DIR or CLIPCAST_STORAGE_URL to another place."
            ) from error
        raise Busy(f"The disk of {directory} failed ({error.strerror}). Nothing was stored; try again.") from error


def _sync_directories(leaf: Path, root: Path) -> None:
    """Make new names survive the power going out: the leaf and each directory above it, up to the root."""
    if os.name == "nt":  # Windows cannot open a directory for this, and its rename is journalled
        return
    for directory in (leaf, leaf.parent, root):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
