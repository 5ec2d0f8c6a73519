"""Secrets that Clipcast makes for itself: the key that encrypts credentials, and the one that signs links.

Both live in the data directory, readable by its owner alone, unless the environment provides them. An existing file is never overwritten:
a lost credential key is every account's credentials lost.
"""

import base64
import binascii
import os
import secrets
from pathlib import Path
from typing import Final

from filelock import FileLock

from clipcast.accounts.vault import Vault
from clipcast.errors import ConfigurationError
from clipcast.settings import Settings

KEY_BYTES: Final = 32
CREDENTIAL_KEY_FILE: Final = "credential.key"
SIGNING_KEY_FILE: Final = "signing.key"
_SHORTEST_SECRET: Final = 16


def open_vault(settings: Settings) -> Vault:
    """The vault with the keys of `CLIPCAST_CREDENTIAL_KEYS`, or with one generated into the data directory on first use.

    Raises:
        ConfigurationError: a key is unusable; names the variable or the file.
    """
    given = settings.credential_keys.get_secret_value()
    if not given:
        return Vault([load_or_create_secret(settings.data_dir, CREDENTIAL_KEY_FILE, "CLIPCAST_CREDENTIAL_KEYS")])
    parts = [part.strip() for part in given.split(",") if part.strip()]
    keys = [key for part in parts if (key := _decoded(part)) is not None]
    if not keys or len(keys) != len(parts):
        raise ConfigurationError("CLIPCAST_CREDENTIAL_KEYS must hold keys of 32 bytes each, in base64, separated by commas.")
    return Vault(keys)


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
    """The 32 random bytes of the file `name`, made on first use; processes that start together agree on one. `variable` could replace it.

    Raises:
        ConfigurationError: the file is unreadable, truncated, or cannot be made; it is left as it is.
    """
    path = data_dir / name
    try:
        if not path.exists():
            _create(path)
        key = _decoded(path.read_text(encoding="ascii", errors="replace").strip())
    except OSError as error:
        sentence = f"{path} cannot be read or made ({error.strerror}). Check CLIPCAST_DATA_DIR, or set {variable}."
        raise ConfigurationError(sentence) from error
    if key is None:
        raise ConfigurationError(f"{path} does not hold a key of 32 bytes in base64. Restore it from a backup, or set {variable}.")
    return key


def _create(path: Path) -> None:
    """Write a new key under another name and move it into place, so that nobody ever reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock"), mode=0o600):
        if path.exists():
            return
        draft = path.with_name(f".{path.name}.new")
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)


def _decoded(text: str) -> bytes | None:
    """The key behind a base64 text, of the ordinary or the URL alphabet; None when it is not one."""
    try:
        key = base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == KEY_BYTES else None
