"""Identifiers as Google makes them."""

import secrets
import string
from typing import Final

_LETTERS: Final = string.ascii_letters + string.digits + "-_"


def _noise(count: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(count))


def video_id() -> str:
    """Make the 11 characters of a video id."""
    return _noise(11)


def channel_id() -> str:
    """Make a channel id; its uploads playlist has UU for the UC."""
    return f"UC{_noise(22)}"


def uploads_playlist(channel: str) -> str:
    """Return the id of a channel's uploads playlist.

    >>> uploads_playlist("UC_x5XG1OV2P6uZZ5FSM9Ttw")
    'UU_x5XG1OV2P6uZZ5FSM9Ttw'
    """
    return f"UU{channel.removeprefix('UC')}"


def upload_id() -> str:
    """Make the opaque token of a session URI; whoever has it may upload."""
    return f"AAwnv3{_noise(120)}"


def access_token() -> str:
    """Make an access token."""
    return f"ya29.a0{_noise(180)}"


def refresh_token() -> str:
    """Make a refresh token; its slashes must survive storage and forms."""
    return f"1//0{_noise(98)}"


def code() -> str:
    """Make an authorization code, whose slash must be URL-decoded."""
    return f"4/0{_noise(70)}"
