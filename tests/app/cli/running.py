"""What the fixtures of these tests give."""

import json
import subprocess
from typing import Any, Final, Protocol

from typer.testing import Result

PATIENCE_S: Final = 30.0
"""How long a process may take to answer or to end."""


class Run(Protocol):
    """Runs a command in this process."""

    def __call__(self, *arguments: object, stdin: str | None = None) -> Result: ...


class Start(Protocol):
    """Starts a command as a process of its own."""

    def __call__(self, *arguments: object, **options: Any) -> "subprocess.Popen[str]": ...


def answer(result: Result) -> Any:
    """The JSON on standard output; nothing else may be there."""
    return json.loads(result.stdout)


def only(publications: list[dict[str, Any]]) -> dict[str, Any]:
    """The one publication that there has to be."""
    (publication,) = publications
    return publication


def line_with(stream: Any, words: str) -> str:
    """The next line that has these words; fails when the stream ends before."""
    seen = []
    for line in stream:
        if words in line:
            return str(line)
        seen.append(line)
    raise AssertionError(f"{words!r} was never said; only: {seen}")


def greeting(process: "subprocess.Popen[str]") -> dict[str, Any]:
    """The JSON object that a server says first."""
    text = ""
    for line in process.stdout or []:
        text += line
        if line.rstrip() == "}":
            return dict(json.loads(text))
    raise AssertionError(process.communicate()[1])
