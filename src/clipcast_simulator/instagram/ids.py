"""Identifiers as Meta makes them: long decimal strings, and tokens whose prefix tells the login.

Live ids do not say what they name. Here their first digits do, so that each kind of object is an operation of its own.
"""

import secrets
import string
from collections.abc import Callable
from typing import Final

from clipcast_simulator.exchange import Request

USER: Final = "17841"  #: a professional account
CONTAINER: Final = "179"
MEDIA: Final = "180"

_LETTERS: Final = string.ascii_letters + string.digits
_LENGTH: Final = 17


def make(prefix: str) -> str:
    """Make a 17-digit id that begins with these digits."""
    return prefix + "".join(secrets.choice(string.digits) for _ in range(_LENGTH - len(prefix)))


def names(prefix: str) -> Callable[[Request], bool]:
    """Return a test whether a request's path ends in an id of this kind.

    >>> names(MEDIA)(Request("GET", "/instagram/v26.0/18012345678901234", "", {}, "http://localhost"))
    True
    """
    return lambda request: is_a(prefix, request.path.rstrip("/").rpartition("/")[2])


def is_a(prefix: str, text: str) -> bool:
    """Say whether a text looks like an id of this kind."""
    return len(text) == _LENGTH and text.isdecimal() and text.isascii() and text.startswith(prefix)


def token(login: str) -> str:
    """Make an access token."""
    return ("IGAA" if login == "instagram" else "EAA") + "".join(secrets.choice(_LETTERS) for _ in range(120))


def code() -> str:
    """Make an authorization code."""
    return "AQ" + "".join(secrets.choice(_LETTERS + "-_") for _ in range(96))


def shortcode() -> str:
    """Make the part of a permalink that names the post."""
    return "D" + "".join(secrets.choice(_LETTERS + "-_") for _ in range(10))


def trace() -> str:
    """Make an fbtrace_id."""
    return "A" + "".join(secrets.choice(_LETTERS + "-_") for _ in range(22))
