"""Starting Celery's real processes."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from clipcast.settings import environment_with

STAGE: Final = "process.celery_stage:app"
Process = subprocess.Popen[bytes]


def launched(app: str, settings: dict[str, Any], order: dict[str, Any], log: Path, *arguments: str) -> Process:
    """A `celery` command of this application, in a process group of its own; `order` is for the stages among the applications."""
    paths = [str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    extra = {"PYTHONPATH": os.pathsep.join(paths), "STAGE_ORDER": json.dumps(order)}
    command = [sys.executable, "-W", "ignore", "-m", "celery", "--app", app, *arguments]
    with log.open("ab") as said:
        return subprocess.Popen(
            command,
            env=environment_with(settings) | extra,
            cwd=log.parent,
            stdout=said,
            stderr=said,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
