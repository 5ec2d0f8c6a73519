"""Starts a simulator: `python -m clipcast_simulator --port 8100 --state-dir DIR`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from clipcast_simulator.server import serve
from clipcast_simulator.settings import SimulatorSettings


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted; 1 when the port or the directory cannot be used."""
    options = _parser().parse_args(arguments)
    given = {name: value for name, value in vars(options).items() if name in SimulatorSettings.model_fields}
    settings = SimulatorSettings.model_validate({name: value for name, value in given.items() if value is not None})
    try:
        serve(options.host, options.port, options.state_dir, settings)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"clipcast_simulator: {error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m clipcast_simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state-dir", type=Path, required=True, help="where everything is kept")
    parser.add_argument("--delay-min-s", type=float, help="least network delay of a request")
    parser.add_argument("--delay-max-s", type=float, help="most network delay of a request")
    parser.add_argument("--failure-rate", type=float, help="probability that a request fails by chance")
    parser.add_argument("--processing-s", type=float, help="from the last byte to the verdict")
    parser.add_argument("--seed", type=int, help="makes chance repeatable")
    return parser


if __name__ == "__main__":
    sys.exit(main())
