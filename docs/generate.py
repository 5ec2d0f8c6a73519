"""Writes the pages of docs/reference that say what the code says. `make docs` runs it; a test fails when a page is stale."""

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal, get_args, get_origin

from pydantic.fields import FieldInfo
from typer import Context
from typer.core import TyperGroup
from typer.main import get_command

import http_page
from clipcast import errors
from clipcast.api.app import create_app
from clipcast.cli import app as cli
from clipcast.platforms.instagram import codes as instagram
from clipcast.platforms.tiktok import errors as tiktok
from clipcast.platforms.youtube import reasons as youtube
from clipcast.publications import states
from clipcast.publications.states import FINAL, STATUS, TRANSITIONS, Event, State
from clipcast.settings import PREFIX, Settings, load_settings
from clipcast.system import Clipcast
from markdown_pieces import page, table

ROOT: Final = Path(__file__).parents[1]
REFERENCE: Final = ROOT / "docs" / "reference"
WIDTH: Final = 100


def main() -> None:
    """Write every page anew."""
    for name, written in PAGES.items():
        (REFERENCE / name).write_text(written())
        print(f"docs/reference/{name}")


# Settings


def settings_page() -> str:
    """Every environment variable with its default."""
    rows = ([f"`{PREFIX}{name.upper()}`", _default(field), _meaning(field)] for name, field in Settings.model_fields.items())
    return page(
        "Settings",
        "src/clipcast/settings.py",
        "Clipcast is set up by environment variables. Each of them may also name a file that holds the value: append `_FILE`\n"
        f"(`{PREFIX}SECRET_KEY_FILE=/run/secrets/key`). A wrong value stops the start with a sentence that names the variable.",
        table(["variable", "default", "meaning"], rows),
    )


def _meaning(field: FieldInfo) -> str:
    choices = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    unnamed = [f"`{choice}`" for choice in choices if f"`{choice}`" not in (field.description or "")]
    return f"{field.description} One of {', '.join(unnamed)}." if unnamed else field.description or ""


def _default(field: FieldInfo) -> str:
    value = field.default.get_secret_value() if hasattr(field.default, "get_secret_value") else field.default
    return f"`{value}`" if value not in ("", frozenset()) else "empty"


# States


def states_page() -> str:
    """The state table as a diagram and in words."""
    meanings = _comments(Path(states.__file__))
    rows = ([f"`{state}`", f"`{STATUS[state]}`", _first_upper(meanings[state])] for state in State)
    return page(
        "States of a publication",
        "src/clipcast/publications/states.py",
        "A publication is one post going to one account. Its state is one of these; `status` is what the publish log and the HTTP\n"
        "answers call it.",
        table(["state", "status", "meaning"], rows),
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
    """Our errors, and what each platform's codes become."""
    return page(
        "Errors",
        "src/clipcast/errors.py and the platforms' tables of codes",
        "Each error answers one question: what should the caller do? The `code` is stable; HTTP answers carry it as\n"
        "`application/problem+json`.",
        f"```text\n{_tree()}\n```",
        table(["error", "code", "meaning"], ([f"`{kind.__name__}`", f"`{kind.code}`", _first_line(kind)] for kind in _kinds())),
        *_tiktok_errors(),
        *_instagram_errors(),
        *_youtube_errors(),
    )


def _tiktok_errors() -> Iterator[str]:
    yield "## TikTok's codes"
    yield "What TikTok answers and what we make of it. A code that is not listed falls to the HTTP status, and TikTok's own words are kept."
    yield table(["TikTok's code", "error", "what the creator reads"], _meanings(tiktok.CODES))
    yield "## TikTok's fail reasons"
    yield "Why TikTok gave up on a post that it had already accepted."
    yield table(["fail reason", "error", "what the creator reads"], _meanings(tiktok.FAIL_REASONS))


def _instagram_errors() -> Iterator[str]:
    yield "## Instagram's codes"
    yield (
        "By code and subcode; the pair is looked for first, then the subcode, then the code alone. A container that failed shows only\n"
        "its subcode. Codes from 200 to 299 are missing permissions. What Instagram answers to a publish request proves nothing about\n"
        "the post: it is looked at before anything else is done."
    )
    names = {pair: "/".join("any" if number is None else str(number) for number in pair) for pair in instagram.CODES}
    yield table(
        ["code/subcode", "error", "what the creator reads"], _meanings({names[pair]: each for pair, each in instagram.CODES.items()})
    )


def _youtube_errors() -> Iterator[str]:
    yield "## YouTube's reasons"
    yield "A reason that is not listed falls to the HTTP status, and YouTube's own words are kept."
    yield table(["reason", "error", "what the creator reads"], _meanings(youtube.REASONS))
    yield "The same under another status or in another domain:"
    yield table(["where", "error", "what the creator reads"], _meanings(_elsewhere()))
    yield "## YouTube's verdicts"
    yield "What became of a video that had arrived whole."
    verdicts = {"failed": youtube.FAILURES, "rejected": youtube.REJECTIONS, "processing failed": youtube.PROCESSING_FAILURES}
    rows = ([verdict, f"`{reason}`", sentence] for verdict, reasons in verdicts.items() for reason, sentence in reasons.items())
    yield table(["verdict", "reason", "what the creator reads"], rows)


def _elsewhere() -> dict[str, youtube.Meaning]:
    under_status = {f"{status} {reason}": meaning for (status, reason), meaning in youtube.UNDER_STATUS.items()}
    in_domain = {f"{domain} {reason}": meaning for (domain, reason), meaning in youtube.IN_DOMAIN.items()}
    return under_status | in_domain | {"403 or 429, with 'per day' in the message": youtube.PER_DAY}


def _tree() -> str:
    """The tree at the top of errors.py."""
    text = errors.__doc__ or ""
    return text[text.index("ClipcastError") :].rstrip()


def _kinds() -> Iterator[type[errors.ClipcastError]]:
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, errors.ClipcastError):
            yield kind


def _meanings(codes: Mapping[str, tiktok.Meaning | instagram.Meaning | youtube.Meaning]) -> Iterator[list[str]]:
    for code, meaning in codes.items():
        yield [f"`{code}`", f"`{meaning.kind.__name__}`", meaning.sentence]


def _first_line(thing: Any) -> str:
    return (thing.__doc__ or "").strip().splitlines()[0]


def _first_upper(text: str) -> str:
    return text[0].upper() + text[1:]


def _words(name: str) -> str:
    return name.replace("_", " ")


# Platforms


def platforms_page() -> str:
    """The feature matrix."""
    with (ROOT / "docs" / "platforms.csv").open() as file:
        headings, *rows = csv.reader(file)
    return page(
        "Platforms",
        "docs/platforms.csv",
        "What each platform takes and what Clipcast does with it. The facts come from the platforms' documentation; each is dated and\n"
        "sourced in the platform's `limits.py`.",
        table(headings, rows),
    )


# Command line


def cli_page() -> str:
    """Every command's own help."""
    return page(
        "Command line",
        "the commands' own --help",
        "Answers go to standard output, everything else to standard error. `--json` answers with JSON and nothing else. Exit codes:\n"
        "0 done, 1 refused or failed, 2 wrong use.",
        *_helps(Context(get_command(cli), info_name="clipcast", max_content_width=WIDTH, terminal_width=WIDTH)),
    )


def _helps(context: Context) -> Iterator[str]:
    yield f"## {context.command_path}\n\n```text\n{context.get_help()}\n```"
    if isinstance(context.command, TyperGroup):
        for name in context.command.list_commands(context):
            command = context.command.get_command(context, name)
            assert command is not None
            yield from _helps(Context(command, info_name=name, parent=context, max_content_width=WIDTH, terminal_width=WIDTH))


# HTTP


def http_interface_page() -> str:
    """Every operation and shape of the HTTP interface."""
    with TemporaryDirectory() as directory, Clipcast.open(load_settings(data_dir=directory)) as clipcast:
        document = create_app(clipcast, with_worker=False).openapi()
    return page(
        "HTTP interface",
        "the OpenAPI document",
        "What `clipcast serve` answers. The OpenAPI document is at `/openapi.json`, and a page to try things out at `/docs`.\n"
        "Bodies are JSON unless a call says otherwise; times are ISO 8601 with zone. Errors are `application/problem+json` with a\n"
        "stable `code`: see [errors](errors.md).",
        *http_page.operations(document),
        "## Shapes",
        *http_page.shapes(document),
    )


PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "cli.md": cli_page,
    "http.md": http_interface_page,
    "platforms.md": platforms_page,
    "settings.md": settings_page,
    "states.md": states_page,
    "errors.md": errors_page,
}

if __name__ == "__main__":
    main()
