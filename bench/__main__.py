"""Runs the measurements: `python -m bench` for all of them, `python -m bench upload claim` for some.

Prints one line per number, and writes bench/results/<name>.md with the command and the machine it was measured on.
"""

import os
import platform
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bench import claim, dispatch, engine, large, lateness, refresh, upload, workers, youtube

BENCHES: dict[str, Callable[[], list[str]]] = {
    "upload": upload.measure,
    "youtube": youtube.measure,
    "large": large.measure,
    "claim": claim.measure,
    "dispatch": dispatch.measure,
    "engine": engine.measure,
    "lateness": lateness.measure,
    "refresh": refresh.measure,
    "workers": workers.measure,
    "burst": workers.burst,
}
RESULTS = Path(__file__).parent / "results"


def main(names: list[str]) -> int:
    """Measure what is named, or everything."""
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        print(f"There is no measurement called {', '.join(unknown)}; there are: {', '.join(BENCHES)}.", file=sys.stderr)
        return 2
    RESULTS.mkdir(exist_ok=True)
    for name in names or BENCHES:
        print(f"== {name}", flush=True)
        lines = BENCHES[name]()
        print("\n".join(lines), flush=True)
        (RESULTS / f"{name}.md").write_text(_page(name, lines))
    return 0


def _page(name: str, lines: list[str]) -> str:
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    head = f"# {name}\n\n`python -m bench {name}` on {datetime.now(UTC):%Y-%m-%d}, {machine}.\n"
    return head + "\n" + "\n".join(f"- {line}" for line in lines) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
