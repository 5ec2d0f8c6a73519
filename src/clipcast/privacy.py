"""The data directory is for its owner alone: it holds hashes of passwords, addresses, unpublished clips, and where uploads go on."""

import os
import stat
from pathlib import Path


def make_private(directory: Path) -> None:
    """Make the directory, closed to everybody else; one that is there already stays as its owner left it.

    Raises:
        OSError: it cannot be made.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)


def mode_open_to_others(directory: Path) -> int | None:
    """The directory's mode if others on this machine get in, None if not. Windows has no such modes: None there."""
    if os.name == "nt":
        return None
    mode = stat.S_IMODE(directory.stat().st_mode)
    return mode if mode & 0o077 else None


def how_to_close(directory: Path) -> str:
    """The command that closes it to others."""
    return f"chmod 700 {directory}"
