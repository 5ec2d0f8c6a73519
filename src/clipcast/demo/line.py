"""A slow line to the simulator, so that an upload takes seconds and there is a middle in which to kill its worker."""

import contextlib
import socket
import threading
import time
from typing import Final

BLOCK_BYTES: Final = 1 << 16
BUFFER_BYTES: Final = 1 << 18
"""The kernel's buffer on our side: small, so that what was sent is not far ahead of what has passed."""


class SlowLine:
    """Relays connections on a loopback port to `target_port`; towards it, `bytes_per_s` at most for each connection."""

    def __init__(self, target_port: int, bytes_per_s: float) -> None:
        self._target_port, self.bytes_per_s = target_port, bytes_per_s
        self._closing = threading.Event()
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)  # inherited by what it accepts
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, name="slow-line", daemon=True).start()

    def close(self) -> None:
        """Cut every connection."""
        self._closing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target_port))
            except OSError:
                continue
            for source, sink, pace in ((client, server, self.bytes_per_s), (server, client, float("inf"))):
                threading.Thread(target=self._pump, args=(source, sink, pace), name="slow-line-pump", daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, bytes_per_s: float) -> None:
        """Carry bytes one way until an end is gone; whichever end it is, the other one hears of it."""
        passes_at_s = time.monotonic()
        with contextlib.suppress(OSError):
            while not self._closing.is_set() and (block := source.recv(BLOCK_BYTES)):
                passes_at_s = max(passes_at_s, time.monotonic() - 0.05) + len(block) / bytes_per_s
                self._closing.wait(max(0.0, passes_at_s - time.monotonic()))
                sink.sendall(block)
        for end in (sink, source):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_WR if end is sink else socket.SHUT_RD)
