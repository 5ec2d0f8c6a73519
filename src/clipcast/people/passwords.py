"""Passwords: which ones are taken, and argon2id over them.

Each hash needs 64 MiB for a moment, so only a few are computed at once; whoever comes meanwhile waits a little.
"""

import re
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Final

from pwdlib import PasswordHash

from clipcast.errors import Busy, InvalidRequest

SHORTEST: Final = 10
LONGEST: Final = 1024
LONGEST_EMAIL: Final = 254
LONGEST_NAME: Final = 120

COMMON: Final = frozenset(
    """
    0123456789 1234567890 12345678910 0987654321 1111111111 123456789a 1q2w3e4r5t 1qaz2wsx3edc administrator asdfghjkl; changeme123
    clipcast123 clipcast1234 clipcastclipcast iloveyou123 letmein123 letmein1234 password12 password123 password1234 password12345
    passwordpassword q1w2e3r4t5 qwerty1234 qwerty12345 qwertyuiop qwertyuiop123 welcome123 welcome1234
    """.split()  # noqa: SIM905  # words read best as words
)
"""What is tried first. Short on purpose: length does the work, and waiting between tries the rest."""

AT_ONCE: Final = 2
PATIENCE_S: Final = 10.0

_HASHER: Final = PasswordHash.recommended()
_ROOM: Final = threading.BoundedSemaphore(AT_ONCE)
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+")


def checked_password(password: str, *, email: str, name: str) -> str:
    """The password, if it may be one.

    Raises:
        InvalidRequest: too short, too long, or among the first that somebody would guess; never repeats it.
    """
    if len(password) < SHORTEST:
        raise InvalidRequest(f"This password is too short. Take {SHORTEST} characters or more; a few words make a good one.")
    if len(password) > LONGEST:
        raise InvalidRequest(f"This password is too long. Take {LONGEST:,} characters at most.")
    plain = password.casefold()
    if plain in COMMON or len(set(plain)) < 3:
        raise InvalidRequest("This password is one of the first that somebody would try. Take another; a few words make a good one.")
    if plain in {email.casefold(), email.partition("@")[0].casefold(), name.casefold()}:
        raise InvalidRequest("Your name or email address is no password: others know it. Take another.")
    return password


def checked_email(text: str) -> str:
    """The address as it is stored: without blanks around it, in lower case.

    Raises:
        InvalidRequest: it is none. Whether mail arrives there is not asked: nothing is sent.
    """
    email = text.strip().lower()
    if not _EMAIL.fullmatch(email) or len(email) > LONGEST_EMAIL or not email.isprintable():
        raise InvalidRequest("This is not an email address. Write it like name@example.com.")
    return email


def checked_name(text: str) -> str:
    """The name as it is stored.

    Raises:
        InvalidRequest: empty, too long, or with characters that cannot be shown.
    """
    name = " ".join(text.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidRequest(f"Give a name of 1 to {LONGEST_NAME} characters.")
    return name


def hashed(password: str) -> str:
    """What is stored of a password.

    Raises:
        Busy: too many people are signing in.
    """
    with room():
        return _HASHER.hash(_normal(password))


def matches(password: str, password_hash: str | None) -> tuple[bool, str | None]:
    """Whether it is the password, and a better hash of it if the stored one is out of date.

    Without a hash (nobody has that address) as much work is done, so that the time taken does not tell who is here.

    Raises:
        Busy: too many people are signing in.
    """
    with room():
        right, better = _HASHER.verify_and_update(_normal(password), password_hash or _nobodys())
    return (right, better) if password_hash else (False, None)


@contextmanager
def room(*, patience_s: float = PATIENCE_S) -> Iterator[None]:
    """A place in which to hash one password; there are `AT_ONCE`.

    Raises:
        Busy: none became free in time.
    """
    if not _ROOM.acquire(timeout=patience_s):
        raise Busy("Too many people are signing in at this moment. Nothing was changed; try again.")
    try:
        yield
    finally:
        _ROOM.release()


@cache
def _nobodys() -> str:
    return _HASHER.hash("nobody has this password")


def _normal(password: str) -> bytes:
    """One spelling for what looks the same, since keyboards differ in how they compose letters (NIST SP 800-63B)."""
    return unicodedata.normalize("NFKC", password[:LONGEST]).encode("utf-8", "surrogatepass")
