"""Opening the installation that a command works on."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from clipcast.publications.observer import Observer
    from clipcast.settings import Settings
    from clipcast.system import Clipcast

LOG_MAX_BYTES: Final = 10_000_000
"""A longer log begins anew when the next command starts; the one before it is kept beside it."""


@contextmanager
def opened(observer: "Observer | None" = None, *, log_on_stderr: bool = False) -> "Iterator[Clipcast]":
    """This installation, an embedded SQLite migrated. Logs go to a file, so that they cross no progress bar, or to standard error.

    Raises:
        ConfigurationError: a setting, a directory or the database is not usable; says which and what to do.
        Busy: another process holds the database.
    """
    from clipcast import log
    from clipcast.publishing import connect
    from clipcast.settings import load_settings

    settings = load_settings()
    make_data_dir(settings)
    if log_on_stderr:
        log.configure(settings)
    with nullcontext() if log_on_stderr else log_in_file(settings), connect(observer=observer) as clipcast:
        yield clipcast


def make_data_dir(settings: "Settings") -> None:
    """Make the data directory and see that it can be written, before anything fails half way.

    Raises:
        ConfigurationError: it cannot.
    """
    import tempfile

    from clipcast.errors import Busy, ConfigurationError
    from clipcast.privacy import make_private

    try:
        make_private(settings.data_dir)
        with tempfile.TemporaryFile(dir=settings.data_dir):
            pass
    except OSError as error:
        from errno import EDQUOT, ENOSPC

        if error.errno in {ENOSPC, EDQUOT}:
            raise Busy(f"The disk of {settings.data_dir} is full. Nothing was changed; free some space and try again.") from error
        raise ConfigurationError(
            f"The data directory {settings.data_dir} cannot be written ({error.strerror}). "
            "Check its owner and mode, or set CLIPCAST_DATA_DIR to another place."
        ) from error


def log_path(settings: "Settings") -> Path:
    """Where the commands that do not serve keep their log."""
    return settings.data_dir / "clipcast.log"


@contextmanager
def log_in_file(settings: "Settings") -> Iterator[None]:
    """Send this process's log to `log_path` meanwhile, as text or JSON lines like everywhere."""
    import logging

    from clipcast import log

    path = log_path(settings)
    if path.exists() and path.stat().st_size > LOG_MAX_BYTES:
        path.replace(path.with_suffix(".log.1"))
    with path.open("a", buffering=1, encoding="utf-8") as stream:
        log.configure(settings, stream)
        try:
            yield
        finally:
            logging.getLogger().handlers = [logging.NullHandler()]
