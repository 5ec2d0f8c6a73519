"""Carries out conversions: one at a time in each process, with progress, and never twice for the same result.

Progress is this process's own knowledge; only the finished rendition is in the database. A conversion that is cut off leaves nothing
behind but a file in `incoming/`, which is swept some day, and is simply begun again.
"""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import structlog

from clipcast.errors import Busy, ClipcastError
from clipcast.platforms.forms import MediaForm, purpose_of

log = structlog.get_logger()

MAX_WAITING: Final = 100
"""Conversions that were asked for and have not begun; more are refused for now."""

Key: TypeAlias = tuple[str, str]

Heard: TypeAlias = Callable[[float], None]
"""Is told the fraction that is done, many times a second; what it raises ends the work."""

Convert: TypeAlias = Callable[[str, MediaForm, Heard], None]
"""Makes the form of the clip of that id, unless it is there."""


@dataclass(slots=True)
class Conversion:
    """One conversion that is not finished: how far it is (0 to 1), or why it failed."""

    clip_id: str
    form: MediaForm
    state: Literal["waiting", "running", "failed"] = "waiting"
    progress: float = 0.0
    error_message: str | None = None

    @property
    def key(self) -> Key:
        """What it will be, once: this clip's rendition of that purpose."""
        return self.clip_id, purpose_of(self.form)


class _Stopped(Exception):
    """This process is ending."""


class Conversions:
    """The conversions of this process, each carried out by `convert`."""

    def __init__(self, convert: Convert) -> None:
        self._convert = convert
        self._working = threading.Lock()
        self._known = threading.Condition()
        self._conversions: dict[Key, Conversion] = {}
        self._waiting: deque[Conversion] = deque()
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    def of(self, clip_id: str) -> list[Conversion]:
        """This clip's conversions that wait, run or have failed since this process began."""
        with self._known:
            return [conversion for conversion in self._conversions.values() if conversion.clip_id == clip_id]

    def begin(self, clip_id: str, form: MediaForm) -> Conversion:
        """Have it done in the background; asking again for what waits or runs changes nothing.

        Raises:
            Busy: too many are waiting.
        """
        wanted = Conversion(clip_id, form)
        with self._known:
            known = self._conversions.get(wanted.key)
            if known is not None and known.state != "failed":
                return known
            if len(self._waiting) >= MAX_WAITING:
                raise Busy("Too many conversions are waiting already. Try again when some of them are done.")
            self._remember(wanted)
            self._waiting.append(wanted)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="clipcast-conversions", daemon=True)
                self._thread.start()
            self._known.notify()
            return wanted

    def make(self, clip_id: str, form: MediaForm, heard: Heard) -> bool:
        """Do it now, in this thread; False when another conversion of this process is running, and nothing was done.

        `heard` is told the fraction that is done, many times a second; what it raises ends the work.

        Raises:
            NotFound: there is no such clip.
            UnusableMedia: the clip cannot be converted to that form.
            Busy: the disk, the store or the database cannot take it now.
        """
        if not self._working.acquire(blocking=False):
            return False
        conversion = Conversion(clip_id, form)
        try:
            self._carry_out(conversion, heard)
        finally:
            self._forget(conversion)
            self._working.release()
        return True

    def stop(self, patience_s: float = 5.0) -> None:
        """Begin nothing more, and end what runs in the background at its next frame."""
        with self._known:
            self._stopping.set()
            self._known.notify()
        if self._thread is not None:
            self._thread.join(patience_s)

    def _work(self) -> None:
        while (conversion := self._next()) is not None:
            with self._working:
                try:
                    self._carry_out(conversion, self._unless_stopped)
                    self._forget(conversion)
                except _Stopped:
                    return
                except Exception as error:  # noqa: BLE001  # whatever it is, the one who asked must be told
                    self._failed(conversion, error)

    def _next(self) -> Conversion | None:
        with self._known:
            self._known.wait_for(lambda: self._waiting or self._stopping.is_set())
            return None if self._stopping.is_set() else self._waiting.popleft()

    def _unless_stopped(self, _: float) -> None:
        if self._stopping.is_set():
            raise _Stopped

    def _failed(self, conversion: Conversion, error: Exception) -> None:
        if not isinstance(error, ClipcastError):
            log.error("conversion.bug", clip=conversion.clip_id, exc_info=error)
        sentence = str(error) if isinstance(error, ClipcastError) else "Clipcast stumbled over a bug of its own; the log has the details."
        with self._known:
            conversion.state, conversion.error_message = "failed", sentence
            self._remember(conversion)

    def _remember(self, conversion: Conversion) -> None:
        """Keep it among those that are shown; of the failed ones only the last hundred."""
        self._conversions.pop(conversion.key, None)
        self._conversions[conversion.key] = conversion
        failed = [key for key, each in self._conversions.items() if each.state == "failed"]
        for key in failed[:-MAX_WAITING]:
            del self._conversions[key]

    def _carry_out(self, conversion: Conversion, heard: Heard) -> None:
        """Make it, shown while it runs, unless it is there already."""
        with self._known:
            conversion.state = "running"
            self._remember(conversion)

        def told(fraction: float) -> None:
            conversion.progress = fraction
            heard(fraction)

        self._convert(conversion.clip_id, conversion.form, told)

    def _forget(self, conversion: Conversion) -> None:
        with self._known:
            self._conversions.pop(conversion.key, None)
