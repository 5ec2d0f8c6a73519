"""Serves the simulator: blocking for a command, or in a thread for tests and for a product that embeds it."""

import os
import socket
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

import uvicorn

from clipcast_simulator.app import create_app
from clipcast_simulator.connection import ConnectionProtocol
from clipcast_simulator.settings import SimulatorSettings

_BACKLOG = 2048


class _Server(uvicorn.Server):
    """Says when it is ready."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


def serve(host: str, port: int, state_dir: Path, settings: SimulatorSettings) -> None:
    """Serve until interrupted. Raises OSError when the port is taken or the directory cannot be written."""
    with _listener(host, port) as listener:
        _Server(_config(state_dir, settings)).run(sockets=[listener])


class SimulatorServer:
    """A simulator in a background thread, on a loopback port: `with SimulatorServer(directory) as server: server.url`.

    Port 0 takes a free one. Raises OSError when the port is taken.
    """

    def __init__(self, state_dir: Path, settings: SimulatorSettings | None = None, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._listener = _listener(host, port)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://{host}:{self.port}"
        self._server = _Server(_config(state_dir, settings or SimulatorSettings()))
        self._thread = threading.Thread(target=self._run, name="simulator-server", daemon=True)
        self._thread.start()
        self._server.ready.wait()
        if not self._server.started:
            raise RuntimeError(f"the simulator did not start on port {self.port}")

    def close(self) -> None:
        """Stop serving; requests that are still open after a second are cut off."""
        self._server.should_exit = True
        self._thread.join()
        self._listener.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._listener])
        finally:
            self._server.ready.set()


def _config(state_dir: Path, settings: SimulatorSettings) -> uvicorn.Config:
    return uvicorn.Config(
        create_app(state_dir, settings),
        http=ConnectionProtocol,
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
    )


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only on sockets that say they are TCP; without it every answer takes 40 ms longer
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere it would let two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
