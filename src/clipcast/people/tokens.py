"""Random texts that let somebody in. Whoever holds one gets in; we keep only its SHA-256, which is of no use to a thief."""

import hashlib
import secrets
from typing import Final

TOKEN_BYTES: Final = 32


def new_token() -> str:
    """A new token: 32 random bytes in the URL alphabet, 43 characters.

    >>> len(new_token())
    43
    """
    return secrets.token_urlsafe(TOKEN_BYTES)


def digest(token: str) -> str:
    """What is stored of a token, and what it is looked up by: how long that takes says nothing about the token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
