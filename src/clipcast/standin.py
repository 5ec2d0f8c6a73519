"""What stands in for the platforms when an account has no credentials: our own simulator, and a loopback address for our media.

Both are loaded and started when the first simulated publication needs them: a worker that publishes live carries neither. The simulator
keeps its port from run to run, because upload URLs that it handed out name it; several processes on one data directory share one simulator,
and whoever is left takes over when its server ends.
"""

import contextlib
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

import structlog

from clipcast.clips.links import Links
from clipcast.clips.storage import Storage
from clipcast.db.engine import Database
from clipcast.errors import ClipcastError, ConfigurationError
from clipcast.platforms.base import Answer, Request
from clipcast.settings import Settings
from clipcast_simulator.settings import InstagramKnobs, SimulatorSettings

if TYPE_CHECKING:
    from clipcast.media_server import MediaServer
    from clipcast_simulator.server import SimulatorServer

log = structlog.get_logger()

WATCH_EVERY_S: Final = 0.5
"""How often we look whether the process that serves the shared simulator is still there."""


@dataclass(frozen=True, slots=True)
class MediaHouse:
    """What serving media takes."""

    db: Database
    storage: Storage
    links: Links


class StandIn:
    """The simulator's URL, and the URL under which it can fetch our media; both served from here if nobody else does."""

    def __init__(self, settings: Settings, house: MediaHouse, send: Callable[[Request], Answer]) -> None:
        self._settings, self._house, self._send = settings, house, send
        self._state_dir = settings.data_dir / "simulator"
        self._address = self._state_dir / "address.json"
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._url = settings.simulator_url
        self._server: SimulatorServer | None = None
        self._media: MediaServer | None = None

    def simulator_url(self) -> str:
        """Where the simulator answers; starts our own if none is configured and none runs."""
        with self._lock:
            if not self._url:
                self._url = self._started()
                threading.Thread(target=self._watch, name="clipcast-simulator-watch", daemon=True).start()
            return self._url

    def media_url(self) -> str:
        """The base URL of our media for the simulator, on the loopback interface."""
        with self._lock:
            if self._media is None:
                parts = import_module("clipcast.media_server")
                self._media = cast("MediaServer", parts.MediaServer(parts.media_app(self._house)))
            return self._media.url

    def close(self) -> None:
        """Stop what was started here."""
        self._closing.set()
        with self._lock:
            for server in (self._server, self._media):
                if server is not None:
                    server.close()
            self._server = self._media = None

    def _started(self) -> str:
        port, state_id = self._remembered()
        if port and self._state_id(port) == state_id:
            return f"http://127.0.0.1:{port}"
        for wanted in dict.fromkeys([port, 0]):
            with contextlib.suppress(OSError):
                return self._serve(wanted)
        raise ConfigurationError("The simulator found no free port on 127.0.0.1. Set CLIPCAST_SIMULATOR_URL to one that runs elsewhere.")

    def _serve(self, port: int) -> str:
        serving = import_module("clipcast_simulator.server")
        server = cast("SimulatorServer", serving.SimulatorServer(self._state_dir, self._simulator_settings(), port=port))
        self._server = server
        self._address.write_text(json.dumps({"port": server.port, "state_id": self._state_id(server.port)}))
        log.info("simulator.started", url=server.url)
        return server.url

    def _watch(self) -> None:
        """Take the simulator over when the process that served it is gone."""
        while not self._closing.wait(WATCH_EVERY_S):
            port, state_id = self._remembered()
            if self._server is None and port and self._state_id(port) != state_id:
                with self._lock, contextlib.suppress(OSError):
                    self._serve(port)

    def _remembered(self) -> tuple[int, str]:
        """The port that our simulator had last time, and the identity of its state; zero and nothing the first time."""
        try:
            address = json.loads(self._address.read_text())
            return int(address["port"]), str(address["state_id"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0, ""

    def _state_id(self, port: int) -> str:
        """Whose state the simulator at this port serves; empty when none answers there."""
        try:
            identity = self._send(Request("GET", f"http://127.0.0.1:{port}/_simulator/", authorized=False)).json()
        except ClipcastError:
            return ""
        return str(identity.get("state_id", "")) if isinstance(identity, dict) else ""

    def _simulator_settings(self) -> SimulatorSettings:
        settings = self._settings
        return SimulatorSettings(
            delay_min_s=settings.simulator_delay_min_s,
            delay_max_s=max(settings.simulator_delay_min_s, settings.simulator_delay_max_s),
            failure_rate=settings.simulator_failure_rate,
            moderation_s=0.0,  # a simulated post has its link at once: there is nobody to wait for
            instagram=InstagramKnobs(video_processing_s=2.0, image_processing_s=1.0),  # nor is a reel worth the usual 20 s
        )
