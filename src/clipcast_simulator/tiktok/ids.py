"""Identifiers as TikTok makes them."""

import secrets
import string
from typing import Final

_LETTERS: Final = string.ascii_letters + string.digits

#: Prefix of a publish id by kind, mode and source, as seen live.
PREFIXES: Final = {
    ("video", "direct", "file"): "v_pub_file~v2-1.",
    ("video", "direct", "pull"): "v_pub_url~v2-1.",
    ("video", "inbox", "file"): "v_inbox_file~v2.",
    ("video", "inbox", "pull"): "v_inbox_url~v2.",
    ("photo", "direct", "pull"): "p_pub_url~v2.",
    ("photo", "inbox", "pull"): "p_inbox_url~v2.",
}


def snowflake(now: float) -> int:
    """Make a 19-digit id whose upper bits are the time."""
    return (int(now) << 32) | secrets.randbits(32)


def publish_id(kind: str, mode: str, source: str, now: float) -> str:
    """Make a publish id."""
    return f"{PREFIXES[kind, mode, source]}{snowflake(now)}"


def open_id() -> str:
    """Make an open id: it may begin with a dash and contain an underscore, and must be kept as it is."""
    return "-000" + "".join(secrets.choice(_LETTERS + "_") for _ in range(32))


def token(prefix: str) -> str:
    """Make a token such as `act.…`; live ones end in a `!` tail that clients have cut off by mistake."""
    return f"{prefix}.{''.join(secrets.choice(_LETTERS) for _ in range(48))}!5236.s1"


def code() -> str:
    """Make an authorization code, with the `*v!` tail that must be URL-decoded and kept."""
    return "".join(secrets.choice(_LETTERS + "-_") for _ in range(64)) + "*v!5236.s1"
