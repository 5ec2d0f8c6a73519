"""`python -m clipcast.demo [FILE]`: exit code 0 if every post is out exactly once, 1 if not, 2 for wrong use."""

import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from clipcast.demo.play import play
from clipcast.demo.screen import screen
from clipcast.errors import ClipcastError


def main(arguments: list[str]) -> int:
    """Play the demonstration with the sample, or with the user's own video."""
    if len(arguments) > 1 or (arguments and arguments[0].startswith("-")):
        sys.stderr.write(f"{__doc__}\n")
        return 2
    file = Path(arguments[0]) if arguments else None
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends like Ctrl-C: the worker and the directory go too
    try:
        with TemporaryDirectory(prefix="clipcast-demo-") as directory, screen() as shown:
            return 0 if play(Path(directory), file, shown) else 1
    except ClipcastError as error:
        sys.stderr.write(f"{error}\n")
    except OSError as error:
        sys.stderr.write(f"{error.filename or 'This machine'} cannot be used: {error.strerror}.\n")
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted; nothing is left behind.\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
