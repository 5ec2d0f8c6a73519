"""Watching publications: bars on a terminal, plain lines elsewhere. Both hear the driver's observer and watch the rows.

The rows matter when another worker is the one that does the work: then they are all there is to see.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from clipcast.cli.output import megabytes
from clipcast.publications.observer import Silent

if TYPE_CHECKING:
    from clipcast.publications.models import Publication

LINE_EVERY_S: Final = 2.0
"""Plain lines: how often a moving upload says how far it is."""

_ENDS: Final = frozenset({"published", "in inbox", "failed", "cancelled"})


@dataclass(slots=True)
class Track:
    """What was last heard of one publication. `began_at_s` and `began_bytes` are where the measured rate starts."""

    name: str
    sent_bytes: int = 0
    total_bytes: int = 0
    phase: str = "scheduled"
    began_at_s: float = 0.0
    began_bytes: int = 0
    task: TaskID | None = None
    said: str = ""
    said_at_s: float = 0.0

    def moved(self, sent_bytes: int, total_bytes: int) -> None:
        """So many bytes are with the platform or on their way; fewer than before means that a piece is sent again."""
        if not self.began_at_s or sent_bytes < self.sent_bytes:
            self.began_at_s, self.began_bytes = time.monotonic(), sent_bytes
        self.sent_bytes, self.total_bytes = sent_bytes, total_bytes

    @property
    def rate_bytes_s(self) -> float:
        """How fast the bytes move, or zero while that is not known."""
        passed_s = time.monotonic() - self.began_at_s
        return (self.sent_bytes - self.began_bytes) / passed_s if self.began_at_s and passed_s > 0 else 0.0


@dataclass
class Board(Silent):
    """The observer that keeps a `Track` per publication and has it drawn; safe to use from the driver's threads."""

    draw: Callable[[Track], None]
    tracks: dict[str, Track] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def expect(self, publication_id: str, name: str) -> None:
        """This publication is about to begin; `name` is how people know it."""
        with self.lock:
            self.tracks[publication_id] = Track(name)

    def sent(self, publication_id: str, sent_bytes: int, total_bytes: int) -> None:
        """So many bytes of so many are with the platform or on their way."""
        with self.lock:
            if publication_id in self.tracks:
                self.tracks[publication_id].moved(sent_bytes, total_bytes)

    def watch(self, publications: "Iterable[Publication]") -> None:
        """The rows as they are now; draws what changed."""
        with self.lock:
            for publication in publications:
                track = self.tracks[publication.id]
                if publication.total_bytes and not track.began_at_s:
                    track.sent_bytes, track.total_bytes = publication.sent_bytes, publication.total_bytes
                track.phase = _phase(publication)
                self.draw(track)


class Bars:
    """A bar per publication: bytes, rate, phase."""

    def __init__(self, console: Console) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(24), TextColumn("{task.fields[moved]}"), TextColumn("{task.fields[phase]}"))
        self.progress = Progress(*columns, console=console)

    def __call__(self, track: Track) -> None:
        """Show this track as it is now."""
        if track.task is None:
            track.task = self.progress.add_task(track.name, total=None, phase="", moved="")
        total = track.total_bytes or (1 if track.phase in _ENDS else None)  # without a total the bar wanders
        self.progress.update(track.task, completed=track.sent_bytes or 1, total=total, phase=track.phase, moved=_moved(track))


class Lines:
    """A line when the phase changes, and now and then while bytes move."""

    def __call__(self, track: Track) -> None:
        """Say what is new."""
        moving = track.phase == "uploading" and 0 < track.sent_bytes < track.total_bytes
        due = time.monotonic() - track.said_at_s >= LINE_EVERY_S
        line = f"{track.name}: {track.phase}{f' {_moved(track)}' if moving else ''}"
        if line != track.said and (track.phase not in track.said or due):
            track.said, track.said_at_s = line, time.monotonic()
            typer.echo(line, err=True)


@contextmanager
def progress() -> Iterator[Board]:
    """What watches publications, on standard error: bars if that is a terminal, lines if not."""
    if not sys.stderr.isatty():
        yield Board(Lines())
        return
    bars = Bars(Console(stderr=True))
    with bars.progress:
        yield Board(bars)


@contextmanager
def conversion(name: str) -> Iterator[Callable[[float], None]]:
    """What is told how much of a conversion is done (0 to 1), on standard error: a bar if that is a terminal, lines if not."""
    if not sys.stderr.isatty():
        yield _Said(name).heard
        return
    columns = (TextColumn("{task.description}"), BarColumn(24), TextColumn("{task.percentage:>3.0f} %"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(f"{name}: converting", total=1.0)
        yield lambda fraction: bar.update(task, completed=fraction)


@dataclass(slots=True)
class _Said:
    """A line at the beginning, and now and then."""

    name: str
    said_at_s: float = float("-inf")

    def heard(self, fraction: float) -> None:
        """Say how far it is, if it was not said just now."""
        if time.monotonic() - self.said_at_s >= LINE_EVERY_S:
            self.said_at_s = time.monotonic()
            typer.echo(f"{self.name}: converting, {fraction:.0%}", err=True)


def _moved(track: Track) -> str:
    """How far the bytes are, and how fast while they move; nothing where the platform fetches them itself."""
    if not track.total_bytes:
        return ""
    rate = f" at {megabytes(track.rate_bytes_s)}/s" if track.phase == "uploading" and track.rate_bytes_s > 0 else ""
    return f"{track.sent_bytes / 1e6:.1f} of {megabytes(track.total_bytes)}{rate}"


def _phase(publication: "Publication") -> str:
    state = publication.state.replace("_", " ")
    if publication.state == "scheduled" and publication.note:
        return publication.note  # the clip is being converted, or something stands in the way of beginning
    waits_for_something = (
        publication.note and publication.lease_token is None and publication.state in {"uploading", "processing", "uncertain"}
    )
    return f"{state}: {publication.note}" if waits_for_something else state
