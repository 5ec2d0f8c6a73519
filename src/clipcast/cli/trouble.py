"""How commands fail: one sentence on standard error and exit code 1; never a stack trace, unless somebody debugs."""

import errno
import traceback
from typing import Any

import typer
from typer.core import TyperGroup

from clipcast.errors import ClipcastError


class Guarded(TyperGroup):
    """The root of all commands: what goes wrong in any of them ends here."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for; wrong use stays the parser's business (exit code 2)."""
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, BrokenPipeError):
            raise
        except typer.TyperException as error:
            from clipcast.log import redact

            error.message = redact(error.message)
            raise
        except KeyboardInterrupt:
            typer.echo("Interrupted.", err=True)
            raise typer.Exit(1) from None
        except Exception as error:
            from clipcast.log import redact

            typer.echo(sentence(error), err=True)
            if _debugging():
                typer.echo(redact(traceback.format_exc()), err=True, nl=False)
            raise typer.Exit(1) from error


def sentence(error: Exception) -> str:
    """What to tell a person. A bug's own text may hold anything, so it goes into the log and only its kind is told."""
    from clipcast.log import redact  # also what was typed may be a secret in the wrong place, and what is said here ends up in logs

    if isinstance(error, ClipcastError):
        return redact(str(error))
    if isinstance(error, OSError) and error.strerror:
        return _about_the_machine(error)
    return f"Clipcast stumbled over a bug of its own ({type(error).__name__}). {_kept(error)}"


def _debugging() -> bool:
    from clipcast.settings import load_settings

    try:
        return load_settings().log_level == "debug"
    except ClipcastError:
        return False


def _about_the_machine(error: OSError) -> str:
    where = error.filename if isinstance(error.filename, str) else "This machine"
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return f"{where}: the disk is full. Free some space and try again; what was begun is kept."
    hint = " Check its owner and mode, or set CLIPCAST_DATA_DIR to another place." if error.errno in {errno.EACCES, errno.EROFS} else ""
    return f"{where} cannot be used: {error.strerror}.{hint}"


def _kept(error: Exception) -> str:
    """Write the trace where the log is, and say where that is."""
    from clipcast.cli.opening import log_in_file, log_path
    from clipcast.log import get_logger
    from clipcast.settings import load_settings

    try:
        settings = load_settings()
        with log_in_file(settings):
            get_logger(__name__).error("cli.bug", exc_info=error)
    except (ClipcastError, OSError):
        return "Set CLIPCAST_LOG_LEVEL=debug to see where."
    return f"Please report it with the trace that is in {log_path(settings)}."
