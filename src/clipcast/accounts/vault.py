"""Encryption of credentials: AES-256-GCM, bound to the row they belong to, under a ring of keys."""

import hashlib
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from clipcast.errors import ClipcastError

_FORMAT: Final = b"\x01"
_KEY_ID_BYTES: Final = 8
_NONCE_BYTES: Final = 12
HEADER_BYTES: Final = len(_FORMAT) + _KEY_ID_BYTES
"""What stands before the nonce: the format, and the id of the key."""


class CredentialError(ClipcastError):
    """Stored credentials that cannot be read: damaged, moved from another account, or encrypted with a key that is not in the ring."""

    code = "credential_error"


@dataclass(frozen=True, slots=True)
class _Ring:
    """The keys of one moment, ready to use; `first` is the id of the one that encrypts."""

    ciphers: Mapping[bytes, AESGCM]
    first: bytes

    @classmethod
    def of(cls, keys: Sequence[bytes]) -> Self:
        return cls({_key_id(key): AESGCM(key) for key in keys}, _key_id(keys[0]))


def _no_news() -> None:
    """A ring that stays as it is."""


class Vault:
    """Encrypts with the first key of the ring and decrypts with all of them.

    What it makes is: one byte of format, eight that name the key, a random nonce of twelve, the ciphertext and its tag. The first nine and
    the identity of the row are authenticated with it, so that a ciphertext copied to another row does not decrypt.

    `news` gives the keys anew if they were rotated since it was last asked, and None otherwise. It is asked before anything is encrypted,
    so that nothing is written any more with a key that is about to go, and when a ciphertext names a key that is not in the ring.
    """

    def __init__(self, keys: Sequence[bytes], news: Callable[[], Sequence[bytes] | None] = _no_news) -> None:
        self._ring = _Ring.of(keys)
        self._news = news
        self._asking = threading.Lock()

    @property
    def key_ids(self) -> list[str]:
        """The names of all keys, the one that encrypts first."""
        ring = self._renewed()
        return [ring.first.hex(), *(key_id.hex() for key_id in ring.ciphers if key_id != ring.first)]

    @property
    def header(self) -> bytes:
        """How everything begins that is encrypted now."""
        return _FORMAT + self._renewed().first

    def encrypt(self, plain: bytes, identity: str) -> bytes:
        """Ciphertext that only decrypts for the same `identity`."""
        ring = self._renewed()
        header = _FORMAT + ring.first
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return header + nonce + ring.ciphers[ring.first].encrypt(nonce, plain, header + identity.encode())

    def decrypt(self, sealed: bytes, identity: str) -> bytes:
        """What was encrypted for `identity`.

        Raises:
            CredentialError: it was not, or it was damaged since, or its key is not in the ring.
        """
        header, nonce, ciphertext = _split(sealed)
        if len(header) < HEADER_BYTES or not header.startswith(_FORMAT):
            raise CredentialError(
                "The stored credentials are damaged: they do not begin as Clipcast writes them. Connect the account again."
            )
        key_id = header[len(_FORMAT) :]
        cipher = self._ring.ciphers.get(key_id) or self._renewed().ciphers.get(key_id)
        if cipher is None:
            raise CredentialError(
                f"The stored credentials were encrypted with the key {key_id.hex()}, which is not in CLIPCAST_CREDENTIAL_KEYS "
                "or credential.key. Give that key back, or connect the account again."
            )
        try:
            return cipher.decrypt(nonce, ciphertext, header + identity.encode())
        except (InvalidTag, ValueError) as error:  # ValueError: cut off within the nonce
            raise CredentialError("The stored credentials are damaged or belong to another account. Connect the account again.") from error

    def _renewed(self) -> _Ring:
        """The ring of now. Whoever finds others asking waits for what they hear."""
        with self._asking:
            keys = self._news()
            if keys is not None:
                self._ring = _Ring.of(keys)
            return self._ring


def key_name(header: bytes) -> str | None:
    """The id of the key that a ciphertext with this beginning names; None where it does not begin as the vault writes."""
    well_formed = len(header) >= HEADER_BYTES and header.startswith(_FORMAT)
    return header[len(_FORMAT) : HEADER_BYTES].hex() if well_formed else None


def key_id_of(key: bytes) -> str:
    """A name for the key that says nothing about it."""
    return _key_id(key).hex()


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"clipcast credential key" + key).digest()[:_KEY_ID_BYTES]


def _split(sealed: bytes) -> tuple[bytes, bytes, bytes]:
    start = HEADER_BYTES + _NONCE_BYTES
    return sealed[:HEADER_BYTES], sealed[HEADER_BYTES:start], sealed[start:]
