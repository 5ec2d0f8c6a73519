"""Pieces of Markdown."""

from collections.abc import Iterable, Sequence


def page(title: str, source: str, *parts: str) -> str:
    """A page with its title, and a note for whoever would edit it."""
    return "\n\n".join([f"<!-- Written by `make docs` from {source}. -->", f"# {title}", *(part.rstrip() for part in parts)]) + "\n"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def link(heading: str) -> str:
    """A link to a heading of the same page."""
    return f"[{heading}](#{heading.lower()})"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", r"\|").split())
