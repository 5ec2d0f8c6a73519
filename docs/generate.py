"""Writes the pages of docs/reference that say what the code says. `make docs` runs it; a test fails when a page is stale."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

# Before anything reads them: the pages must not depend on who writes them, or on how wide their terminal is.
os.environ.update({"COLUMNS": "100", "TERMINAL_WIDTH": "100", "NO_COLOR": "1", "TERM": "dumb"})

from pydantic.fields import FieldInfo

from clipcast import errors
from clipcast.platforms.tiktok import errors as tiktok
from clipcast.publications import states
from clipcast.publications.states import FINAL, STATUS, TRANSITIONS, Event, State
from clipcast.settings import PREFIX, Settings

ROOT: Final = Path(__file__).parents[1]
REFERENCE: Final = ROOT / "docs" / "reference"


def main() -> None:
    """Write every page anew."""
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(page())
        print(f"docs/reference/{name}")


def page_of(title: str, source: str, *parts: str) -> str:
    """A page with its title and a note for whoever would edit it."""
    return "\n\n".join([f"<!-- Written by `make docs` from {source}. -->", f"# {title}", *parts]) + "\n"


def table(headings: list[str], rows: Iterator[list[str]]) -> str:
    """A Markdown table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


# Settings


def settings_page() -> str:
    """Every environment variable with its default."""
    rows = ([f"`{PREFIX}{name.upper()}`", _default(field), field.description or ""] for name, field in Settings.model_fields.items())
    return page_of(
        "Settings",
        "src/clipcast/settings.py",
        "Clipcast is set up by environment variables. Each of them may also name a file that holds the value: append `_FILE`\n"
        f"(`{PREFIX}SECRET_KEY_FILE=/run/secrets/key`). A wrong value stops the start with a sentence that names the variable.",
        table(["variable", "default", "meaning"], rows),
    )


def _default(field: FieldInfo) -> str:
    value = field.default.get_secret_value() if hasattr(field.default, "get_secret_value") else field.default
    return f"`{value}`" if value not in ("", frozenset()) else "empty"


# States


def states_page() -> str:
    """The state table as a diagram and in words."""
    meanings = _comments(Path(states.__file__))
    rows = ([f"`{state}`", f"`{STATUS[state]}`", "yes" if state in FINAL else "", _first_upper(meanings[state])] for state in State)
    return page_of(
        "States of a publication",
        "src/clipcast/publications/states.py",
        "A publication is one post going to one account. Its state is one of these; `status` is what the publish log and the HTTP\n"
        "answers call it.",
        table(["state", "status", "final", "meaning"], rows),
        "What may follow what:",
        _diagram(),
        "An `uncertain` publication waits for a person: see [what to do with an uncertain post](../how-to/uncertain-post.md).",
    )


def _comments(source: Path) -> Mapping[str, str]:
    """The `#:` comment behind each enum member, by the member's value."""
    return dict(re.findall(r'= "(\w+)"  #: (.+)', source.read_text()))


def _diagram() -> str:
    arrows: dict[tuple[State, State], list[Event]] = {}
    for state, steps in TRANSITIONS.items():
        for event, target in steps.items():
            if target is not state:
                arrows.setdefault((state, target), []).append(event)
    lines = [f"    {one} --> {other}: {', '.join(_words(event) for event in events)}" for (one, other), events in arrows.items()]
    ends = [f"    {state} --> [*]" for state in State if state in FINAL]
    return "\n".join(["```mermaid", "stateDiagram-v2", f"    [*] --> {State.SCHEDULED}", *lines, *ends, "```"])


# Errors


def errors_page() -> str:
    """Our errors, and what each of TikTok's codes becomes."""
    return page_of(
        "Errors",
        "src/clipcast/errors.py and src/clipcast/platforms/tiktok/errors.py",
        "Each error answers one question: what should the caller do? The `code` is stable; HTTP answers carry it as\n"
        "`application/problem+json`.",
        f"```text\n{_tree()}\n```",
        table(["error", "code", "meaning"], ([f"`{kind.__name__}`", f"`{kind.code}`", _first_line(kind)] for kind in _kinds())),
        "## TikTok's codes",
        "What TikTok answers and what we make of it. A code that is not listed falls to the HTTP status, and TikTok's own words are kept.",
        table(["TikTok's code", "error", "what the creator reads"], _meanings(tiktok.CODES)),
        "## TikTok's fail reasons",
        "Why TikTok gave up on a post that it had already accepted.",
        table(["fail reason", "error", "what the creator reads"], _meanings(tiktok.FAIL_REASONS)),
    )


def _tree() -> str:
    """The tree at the top of errors.py."""
    text = errors.__doc__ or ""
    return text[text.index("ClipcastError") :].rstrip()


def _kinds() -> Iterator[type[errors.ClipcastError]]:
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, errors.ClipcastError):
            yield kind


def _meanings(codes: Mapping[str, tiktok.Meaning]) -> Iterator[list[str]]:
    for code, meaning in codes.items():
        yield [f"`{code}`", f"`{meaning.kind.__name__}`", meaning.sentence]


def _first_line(thing: Any) -> str:
    return (thing.__doc__ or "").strip().splitlines()[0]


def _first_upper(text: str) -> str:
    return text[0].upper() + text[1:]


def _words(name: str) -> str:
    return name.replace("_", " ")


PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "settings.md": settings_page,
    "states.md": states_page,
    "errors.md": errors_page,
}

if __name__ == "__main__":
    main()
