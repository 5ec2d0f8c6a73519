"""A library on a real database, and small local servers that answer as a test tells them to."""

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TypeAlias

import pytest

from clipcast.clips.fetch import Fetcher, system_resolver
from clipcast.clips.ingest import Library
from clipcast.clips.sample import make_sample_image, make_sample_video
from clipcast.clips.storage import LocalStorage
from clipcast.clock import Clock
from clipcast.db.engine import Database

Reply: TypeAlias = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Web:
    """A server on this machine. `hosts` are invented names and the addresses that the resolver gives for them."""

    port: int
    replies: dict[str, Reply] = field(default_factory=dict)
    hosts: dict[str, list[str]] = field(default_factory=lambda: {"nas.test": ["127.0.0.1"]})
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    resolved: list[str] = field(default_factory=list)

    def url(self, path: str, host: str = "nas.test") -> str:
        return f"http://{host}:{self.port}{path}"

    def serve(self, path: str, body: bytes, headers: Mapping[str, str] | None = None, status: int = 200) -> str:
        """Answer `path` with this; gives its URL."""
        sent = {"Content-Length": str(len(body))} | dict(headers or {})

        def reply(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            for name, value in sent.items():
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(body)

        self.replies[path] = reply
        return self.url(path)

    def redirect(self, path: str, to: str) -> str:
        return self.serve(path, b"", {"Location": to}, status=302)

    def resolve(self, host: str, port: int) -> list[str]:
        """Invented names by the table; a literal or numeric address as the system reads it."""
        self.resolved.append(host)
        if host in self.hosts:
            return self.hosts[host]
        with suppress(OSError):
            return [socket.inet_ntoa(socket.inet_aton(host))]  # 127.1, 0x7f000001 and the like
        return system_resolver(host, port)


@pytest.fixture
def web() -> Iterator[Web]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            world.requests.append((self.path, dict(self.headers)))
            world.replies[self.path](self)
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    world = Web(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield world
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def fetcher(web: Web) -> Fetcher:
    return Fetcher(allow_hosts=frozenset({"nas.test"}), resolve=web.resolve, read_timeout_s=5, total_timeout_s=20)


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "media")


@pytest.fixture
def library(storage: LocalStorage, db: Database, clock: Clock, fetcher: Fetcher) -> Library:
    return Library(storage, db, clock, fetcher, max_bytes=20_000_000)


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short vertical MP4 with sound."""
    return make_sample_video(tmp_path_factory.mktemp("sample") / "video.mp4", seconds=1, width=270, height=480)


@pytest.fixture(scope="session")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_sample_image(tmp_path_factory.mktemp("sample") / "photo.jpg", width=320, height=240)


@pytest.fixture(scope="session")
def drawing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_sample_image(tmp_path_factory.mktemp("sample") / "drawing.png", width=320, height=240)


@pytest.fixture
def stored_files(storage: LocalStorage) -> Callable[[], list[str]]:
    """What lies in the media store now, unfinished files included."""
    return lambda: sorted(str(path.relative_to(storage.root)) for path in storage.root.rglob("*") if path.is_file())
