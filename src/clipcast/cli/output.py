"""What commands show: prose and tables for people, JSON for programs, on standard output."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, TypeAlias

import typer

Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Answer with JSON on standard output and nothing else there.")]
Limit: TypeAlias = Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many at most, newest first.")]
Before: TypeAlias = Annotated[str | None, typer.Option("--before", metavar="ID", help="Only those before this id: the next page.")]


def say(text: str) -> None:
    """One line for a person who asked for it."""
    typer.echo(text)


def tell(text: str) -> None:
    """One line beside the answer: on standard error, so that it never mixes with what programs read."""
    typer.echo(text, err=True)


def show_json(content: Any) -> None:
    """The answer as JSON; times are ISO 8601 with zone."""
    typer.echo(json.dumps(content, default=_plain, ensure_ascii=False, indent=2))


def show_table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, empty: str) -> None:
    """A table, drawn on a terminal and in plain columns elsewhere; `empty` is said when there is no row."""
    if not rows:
        say(empty)
        return
    cells = [[_cell(value) for value in row] for row in rows]
    if sys.stdout.isatty():
        _draw(columns, cells)
        return
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    for row in (columns, *cells):
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def show_facts(facts: Mapping[str, object]) -> None:
    """Names and values, one per line; what is None or empty is left out."""
    shown = {name: _cell(value) for name, value in facts.items() if value not in (None, "")}
    width = max(map(len, shown), default=0)
    for name, value in shown.items():
        say(f"{name.ljust(width)}  {value}")


def moment(at: datetime | None) -> str:
    """A time for people: UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else ""


def megabytes(size_bytes: float) -> str:
    """A size for people, in megabytes or, when that would be next to nothing, in kilobytes.

    >>> megabytes(1_234_567), megabytes(12_345)
    ('1.2 MB', '12 kB')
    """
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes >= 100_000 else f"{size_bytes / 1e3:.0f} kB"


def _draw(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column == "ID")  # an id is there to be copied
    for row in cells:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return moment(value)
    text = "" if value is None else str(value)
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")
