"""Encryption of credentials: AES-256-GCM, bound to the row they belong to, under a ring of keys."""

import hashlib
import secrets
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from clipcast.errors import ClipcastError

_FORMAT: Final = b"\x01"
_KEY_ID_BYTES: Final = 8
_NONCE_BYTES: Final = 12
_HEADER_BYTES: Final = len(_FORMAT) + _KEY_ID_BYTES


class CredentialError(ClipcastError):
    """Stored credentials that cannot be read: damaged, moved from another account, or encrypted with a key that is not in the ring."""

    code = "credential_error"


class Vault:
    """Encrypts with the first key of the ring and decrypts with all of them.

    What it makes is: one byte of format, eight that name the key, a random nonce of twelve, the ciphertext and its tag. The first nine and
    the identity of the row are authenticated with it, so that a ciphertext copied to another row does not decrypt.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._ciphers = {_key_id(key): AESGCM(key) for key in keys}
        self._first = _key_id(keys[0])

    def encrypt(self, plain: bytes, identity: str) -> bytes:
        """Ciphertext that only decrypts for the same `identity`."""
        header = _FORMAT + self._first
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return header + nonce + self._ciphers[self._first].encrypt(nonce, plain, header + identity.encode())

    def decrypt(self, sealed: bytes, identity: str) -> bytes:
        """What was encrypted for `identity`.

        Raises:
            CredentialError: it was not, or it was damaged since, or its key is not in the ring.
        """
        header, nonce, ciphertext = _split(sealed)
        cipher = self._ciphers.get(header[len(_FORMAT) :])
        if cipher is None or not header.startswith(_FORMAT):
            raise CredentialError("The stored credentials were encrypted with a key that is not in CLIPCAST_CREDENTIAL_KEYS.")
        try:
            return cipher.decrypt(nonce, ciphertext, header + identity.encode())
        except (InvalidTag, ValueError) as error:  # ValueError: cut off within the nonce
            raise CredentialError("The stored credentials are damaged or belong to another account. Connect the account again.") from error


def _key_id(key: bytes) -> bytes:
    """A name for the key that says nothing about it."""
    return hashlib.sha256(b"clipcast credential key" + key).digest()[:_KEY_ID_BYTES]


def _split(sealed: bytes) -> tuple[bytes, bytes, bytes]:
    start = _HEADER_BYTES + _NONCE_BYTES
    return sealed[:_HEADER_BYTES], sealed[_HEADER_BYTES:start], sealed[start:]
