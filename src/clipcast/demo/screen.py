"""What the audience sees: bars that move on a terminal, plain lines elsewhere, and the same story told on both."""

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, Protocol

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Table
from rich.text import Text

PLAIN_WIDTH: Final = 160
LINE_EVERY_S: Final = 1.0
ENDS: Final = frozenset({"published", "in inbox", "failed", "cancelled"})

STYLES: Final[Mapping[str, str]] = {"good": "green", "bad": "bold red", "news": "cyan", "plain": ""}


class Screen(Protocol):
    """Where the story is told."""

    def say(self, text: str, mood: str = "plain") -> None:
        """One line of the story; `mood` is a key of `STYLES`."""

    def bar(self, name: str, sent_bytes: int, total_bytes: int, phase: str) -> None:
        """How far one post is."""

    def end_of_bars(self) -> None:
        """Nothing moves any more."""

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table at the end."""


@contextmanager
def screen() -> Iterator[Screen]:
    """The screen that suits standard output."""
    shown: LiveScreen | PlainScreen = LiveScreen() if sys.stdout.isatty() else PlainScreen()
    try:
        yield shown
    finally:
        shown.end_of_bars()


class PlainScreen:
    """Lines, for pipes and logs."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(width=PLAIN_WIDTH, highlight=False)
        self._said: dict[str, tuple[str, float]] = {}

    def say(self, text: str, mood: str = "plain") -> None:
        """One line of the story."""
        self._console.print(Text(text, style=STYLES[mood]), soft_wrap=True)

    def bar(self, name: str, sent_bytes: int, total_bytes: int, phase: str) -> None:
        """A line when the phase changes, and about one a second while bytes move."""
        before, at_s = self._said.get(name, ("", 0.0))
        moving = phase == "uploading" and total_bytes
        line = f"{phase} {100 * sent_bytes // total_bytes} % of {total_bytes / 1e6:.1f} MB" if moving else phase
        if line == before or (before.startswith(phase) and time.monotonic() < at_s + LINE_EVERY_S):
            return
        self._said[name] = (line, time.monotonic())
        self.say(f"  {name}: {line}")

    def end_of_bars(self) -> None:
        """Lines need no end."""

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table of the screen's width."""
        table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        self._console.print(table)


class LiveScreen(PlainScreen):
    """Bars below, the story above them."""

    def __init__(self) -> None:
        super().__init__(Console(highlight=False))
        columns = (
            TextColumn("  {task.description}"),
            BarColumn(28),
            TextColumn("{task.fields[moved]}"),
            TextColumn("{task.fields[phase]}"),
        )
        self._progress = Progress(*columns, console=self._console)
        self._tasks: dict[str, TaskID] = {}
        self._progress.start()

    def bar(self, name: str, sent_bytes: int, total_bytes: int, phase: str) -> None:
        """Move the post's bar."""
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=None, phase=phase, moved="")
        moved = f"{sent_bytes / 1e6:5.1f} of {total_bytes / 1e6:.1f} MB" if total_bytes else "fetched by the platform"
        total = total_bytes or (None if phase not in ENDS else 1)  # without a total the bar wanders
        self._progress.update(self._tasks[name], completed=sent_bytes or 1, total=total, phase=phase, moved=moved)

    def end_of_bars(self) -> None:
        """Leave the bars as they are."""
        self._progress.stop()
