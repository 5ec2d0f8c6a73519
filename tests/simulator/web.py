"""A small web server on this machine: it serves what a test put there and keeps what was posted to it."""

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


@dataclass(frozen=True)
class Page:
    """What a path answers."""

    body: bytes = b""
    media_type: str = "image/jpeg"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Posted:
    """What was posted here."""

    headers: dict[str, str]
    body: bytes


class Web:
    """The server; `with Web() as web: web.pages["/a.jpg"] = Page(...)`."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.posted: list[Posted] = []
        self.seen: list[dict[str, str]] = []  #: the headers of every GET
        self.answers: list[int] = []  #: statuses for the next posts; 200 when it runs out
        self.gate = threading.Event()  #: a GET waits for it
        self.gate.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def put(self, path: str, body: bytes, media_type: str = "image/jpeg") -> str:
        self.pages[path.partition("?")[0]] = Page(body, media_type)
        return self.url + path

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                web.seen.append(dict(self.headers))
                web.gate.wait(60)
                page = web.pages.get(self.path.partition("?")[0], Page(b"no", "text/plain", 404))
                self.send_response(page.status)
                self.send_header("Content-Type", page.media_type)
                self.send_header("Content-Length", str(len(page.body)))
                for name, value in page.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(page.body)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                web.posted.append(Posted(dict(self.headers), body))
                self.send_response(web.answers.pop(0) if web.answers else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler
