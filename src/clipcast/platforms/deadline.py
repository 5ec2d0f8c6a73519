"""Cuts a connection when the time is up: a peer that sends a byte a minute outlives every timeout of a single wait."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self


class Deadline:
    """How long what goes on over a connection may take: for ever until `allow` is called; once it has passed, nothing brings it back."""

    def __init__(self) -> None:
        self.passed = False
        self._changed = threading.Condition()
        self._socket: socket.socket | None = None
        self._ends_at_s = float("inf")
        self._is_over = False
        self._watch: threading.Thread | None = None

    def allow(self, seconds: float) -> None:
        """From now on so many seconds, whatever was left."""
        with self._changed:
            comes_earlier, self._ends_at_s = time.monotonic() + seconds < self._ends_at_s, time.monotonic() + seconds
            if self._watch is None:
                self._watch = threading.Thread(target=self._wait, name="clipcast-deadline", daemon=True)
                self._watch.start()
            elif comes_earlier:
                self._changed.notify()

    def guard(self, connected: socket.socket | None) -> None:
        """From now on this connection is the one to cut."""
        with self._changed:
            self._socket = connected
            if self.passed:
                self._shut()

    def cut(self) -> None:
        """The time is up now."""
        with self._changed:
            if not self._is_over:
                self.passed = True
                self._shut()

    def end(self) -> None:
        """What it was for is done: nothing is cut any more."""
        with self._changed:
            self._is_over = True
            self._changed.notify()

    def _wait(self) -> None:
        with self._changed:
            while not (self._is_over or self.passed):
                left_s = self._ends_at_s - time.monotonic()
                if left_s <= 0:
                    self.cut()
                else:
                    self._changed.wait(left_s)

    def _shut(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):  # it is closed already
                # Not SSLSocket.shutdown, which is not safe beside a reading thread: the plain socket's, which wakes it.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


class Deadlines:
    """Those of all that is under way, to be cut at once when the process is about to end."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: set[Deadline] = set()
        self._is_cut = False

    @contextmanager
    def begun(self) -> Iterator[Deadline]:
        """One more; cut from the start where all are."""
        with Deadline() as deadline:
            with self._lock:
                self._under_way.add(deadline)
                is_cut = self._is_cut
            if is_cut:
                deadline.cut()
            try:
                yield deadline
            finally:
                with self._lock:
                    self._under_way.discard(deadline)

    def cut(self) -> None:
        """The time of all is up now, and that of those which begin later."""
        with self._lock:
            self._is_cut = True
            for deadline in self._under_way:
                deadline.cut()
