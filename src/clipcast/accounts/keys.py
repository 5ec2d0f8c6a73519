"""Secrets that Clipcast makes for itself: the keys that encrypt credentials, and the one that signs links.

They live in the data directory, readable by its owner alone, unless the environment provides them. A file that cannot be understood is
never overwritten: a lost credential key is every account's credentials lost.
"""

import base64
import binascii
import contextlib
import os
import secrets
import stat
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from filelock import FileLock

from clipcast.accounts.vault import Vault, key_id_of
from clipcast.errors import ConfigurationError
from clipcast.log import get_logger
from clipcast.privacy import make_private
from clipcast.settings import Settings

KEY_BYTES: Final = 32
CREDENTIAL_KEY_FILE: Final = "credential.key"
SIGNING_KEY_FILE: Final = "signing.key"
_SHORTEST_SECRET: Final = 16

log = get_logger(__name__)


class KeyFile:
    """A ring of generated keys: one a line, in base64, the first one in use. Made on first use; every change replaces the file whole.

    `variable` is the setting that could replace it.
    """

    def __init__(self, path: Path, variable: str) -> None:
        self.path = path
        self._variable = variable
        self._seen: tuple[int, ...] = ()

    def read(self) -> list[bytes]:
        """The keys; a first one is made if there is no file. Processes that start together agree on one.

        Raises:
            ConfigurationError: the file is unreadable, empty or damaged, or cannot be made; it is left as it is.
        """
        try:
            if not self.path.exists():
                with self._locked():
                    if not self.path.exists():
                        self._write([secrets.token_bytes(KEY_BYTES)])
            return self._read()
        except OSError as error:
            raise self._unusable(error) from error

    def read_if_changed(self) -> list[bytes] | None:
        """The keys, if the file is another one than when it was last read; None if not, or if it cannot be read now.

        Whoever works goes on with the keys they have: a file that went bad meanwhile must not cost a token that was just fetched.
        """
        try:
            if self._identity() == self._seen:
                return None
            return self._read()
        except (OSError, ConfigurationError) as error:
            log.error("key.file_unusable", path=str(self.path), reason=str(error))  # noqa: TRY400  # nothing broke yet; the trace says nothing
            return None

    def put_new_first(self) -> None:
        """Make a key and put it before the others, which keep decrypting.

        Raises:
            ConfigurationError: as `read`.
        """
        try:
            with self._locked():
                self._write([secrets.token_bytes(KEY_BYTES), *self._read()])
        except OSError as error:
            raise self._unusable(error) from error

    def keep_only(self, key_ids: Collection[str]) -> None:
        """Leave out every key that is not named.

        Raises:
            ConfigurationError: as `read`.
        """
        try:
            with self._locked():
                self._write([key for key in self._read() if key_id_of(key) in key_ids])
        except OSError as error:
            raise self._unusable(error) from error

    def written_at(self) -> datetime:
        """When the file was last replaced."""
        return datetime.fromtimestamp(self.path.stat().st_mtime, UTC)

    def _read(self) -> list[bytes]:
        seen = self._identity()
        lines = self.path.read_text(encoding="ascii", errors="replace").split()
        keys = [key for line in lines if (key := _decoded(line)) is not None]
        if not keys or len(keys) != len(lines):
            raise ConfigurationError(
                f"{self.path} does not hold keys of 32 bytes in base64, one a line. Restore it from a backup, or set {self._variable}."
            )
        self._seen = seen
        return keys

    def _write(self, keys: Sequence[bytes]) -> None:
        """Write under another name and move it into place, so that nobody ever reads half of it, not even after a power cut."""
        draft = self.path.with_name(f".{self.path.name}.new")
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(base64.b64encode(key) + b"\n" for key in keys)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path)
        _sync_directory(self.path.parent)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        make_private(self.path.parent)
        with FileLock(self.path.with_name(f".{self.path.name}.lock"), mode=0o600):
            yield

    def _identity(self) -> tuple[int, ...]:
        found = self.path.stat()
        return (found.st_ino, found.st_mtime_ns, found.st_size)

    def _unusable(self, error: OSError) -> ConfigurationError:
        sentence = f"{self.path} cannot be read or made ({error.strerror}). Check CLIPCAST_DATA_DIR, or set {self._variable}."
        return ConfigurationError(sentence)


@dataclass(frozen=True, slots=True)
class Readable:
    """A key file that others on this machine can read, and its mode."""

    path: Path
    mode: int


def open_vault(settings: Settings) -> Vault:
    """The vault with the keys of `CLIPCAST_CREDENTIAL_KEYS`, or with those of the data directory, of which the first use makes one.

    Raises:
        ConfigurationError: a key is unusable; names the variable or the file.
    """
    file = credential_key_file(settings)
    if file is not None:
        return Vault(file.read(), file.read_if_changed)
    parts = [part.strip() for part in settings.credential_keys.get_secret_value().split(",") if part.strip()]
    keys = [key for part in parts if (key := _decoded(part)) is not None]
    if not keys or len(keys) != len(parts):
        raise ConfigurationError("CLIPCAST_CREDENTIAL_KEYS must hold keys of 32 bytes each, in base64, separated by commas.")
    return Vault(keys)


def credential_key_file(settings: Settings) -> KeyFile | None:
    """The file that holds the credential keys; None where `CLIPCAST_CREDENTIAL_KEYS` does."""
    if settings.credential_keys.get_secret_value():
        return None
    return KeyFile(settings.data_dir / CREDENTIAL_KEY_FILE, "CLIPCAST_CREDENTIAL_KEYS")


def signing_key(settings: Settings) -> bytes:
    """What signs links and cookies: `CLIPCAST_SECRET_KEY`, or a key generated into the data directory on first use.

    Raises:
        ConfigurationError: it is too short, or its file is unusable.
    """
    given = settings.secret_key.get_secret_value()
    if not given:
        return load_or_create_secret(settings.data_dir, SIGNING_KEY_FILE, "CLIPCAST_SECRET_KEY")
    if len(given) < _SHORTEST_SECRET:
        raise ConfigurationError(f"CLIPCAST_SECRET_KEY must have at least {_SHORTEST_SECRET} characters.")
    return given.encode()


def load_or_create_secret(data_dir: Path, name: str, variable: str) -> bytes:
    """The 32 random bytes of the file `name`, made on first use; `variable` could replace it.

    Raises:
        ConfigurationError: as `KeyFile.read`.
    """
    return KeyFile(data_dir / name, variable).read()[0]


def readable_by_others(settings: Settings) -> list[Readable]:
    """The key files of the data directory that more than their owner can read."""
    if os.name == "nt":
        return []
    paths = [settings.data_dir / name for name in (CREDENTIAL_KEY_FILE, SIGNING_KEY_FILE)]
    found = [Readable(path, stat.S_IMODE(path.stat().st_mode)) for path in paths if path.exists()]
    return [one for one in found if one.mode & 0o077]


def warn_of_readable_keys(settings: Settings) -> None:
    """Say so in the log, at each start. It is no reason to stop: whoever was to read them has read them by now."""
    for one in readable_by_others(settings):
        log.warning("key.readable_by_others", path=str(one.path), mode=f"{one.mode:04o}", advice=f"chmod 600 {one.path}")


def _sync_directory(directory: Path) -> None:
    """Let the new name survive a power cut; Windows has no such thing."""
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _decoded(text: str) -> bytes | None:
    """The key behind a base64 text, of the ordinary or the URL alphabet; None when it is not one."""
    try:
        key = base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == KEY_BYTES else None
