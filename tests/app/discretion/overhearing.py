"""An ear for secrets: it hears everything that leaves Clipcast, and knows the secrets in every disguise."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit

SHORTEST: Final = 12
"""A shorter text may stand somewhere by chance."""


@dataclass
class Ear:
    """What was said, by where it was heard, and what must not be among it."""

    secrets: dict[str, str] = field(default_factory=dict)
    heard: list[tuple[str, str]] = field(default_factory=list)

    def mark(self, name: str, secret: str) -> str:
        """This must not be heard from now on; gives it back."""
        assert len(secret) >= SHORTEST, f"{name} is too short to be told from chance"
        self.secrets[f"{name} #{len(self.secrets)}"] = secret
        return secret

    def hear(self, where: str, what: object) -> None:
        self.heard.append((where, what.decode(errors="replace") if isinstance(what, bytes) else str(what)))

    def leaks(self) -> list[str]:
        """Which secret was heard where; the secret itself is not repeated."""
        found = []
        for name, secret in self.secrets.items():
            for disguise in disguises(secret):
                for where, text in self.heard:
                    at = text.find(disguise)
                    if at >= 0:
                        found.append(f"{name} in {where}: ...{text[max(0, at - 120) : at]}<HERE>{text[at + len(disguise) :][:60]}...")
        return list(dict.fromkeys(found))


def disguises(secret: str) -> set[str]:
    """The secret as it may look in a log, a form, a JSON text, a header, a dump."""
    raw = secret.encode()
    return {
        secret,
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        repr(secret)[1:-1],
        raw.hex(),
        *(base64.b64encode(b" " * shift + raw)[4 if shift else 0 :].rstrip(b"=")[:-1].decode() for shift in range(3)),
        base64.urlsafe_b64encode(raw).rstrip(b"=").decode(),
    }


class _Echo(BaseHTTPRequestHandler):
    """Answers with what it was sent, each time in another malformed way: a platform, or a proxy before it, gone mad."""

    protocol_version = "HTTP/1.1"
    server: "Echo"

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))[:2000].decode(errors="replace")
        token = self.headers.get("Authorization", "")
        sent = [*parse_qsl(body), *parse_qsl(urlsplit(self.path).query)]
        bare = " ".join([token.partition(" ")[2], *(value for _, value in sent)])  # nothing beside it says what it is
        said = f"{bare} {token} {self.path} {body}"
        status, kind, text = self.server.answer(said)
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-Tt-Logid", bare[:400].replace("\n", " "))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _answer  # noqa: N815  # http.server's own names

    def log_message(self, *_: object) -> None:
        """Says nothing itself."""


class Echo(ThreadingHTTPServer):
    """Repeats everything; who trades a code is given `grant` first, where there is one."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Echo)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.grant: dict[str, object] = {}
        self._answers = 0

    def answer(self, said: str) -> tuple[int, str, str]:
        """Status, content type and body of the next answer."""
        if self.grant and "code=" in said:
            return 200, "application/json", json.dumps(self.grant)
        self._answers += 1
        return shapes(said)[self._answers % SHAPES]


SHAPES: Final = 8


def shapes(said: str) -> list[tuple[int, str, str]]:
    """Every form in which a platform may repeat something: as its code, its message, its own id, its page, its data."""
    error = {"code": said, "message": said, "log_id": said, "status": said, "errors": [{"reason": said, "message": said}]}
    return [
        (200, "application/json", json.dumps({"data": said, "error": {**error, "code": "ok"}})),
        (400, "application/json", json.dumps({"error": error})),
        (401, "application/json", json.dumps({"error": {**error, "code": "access_token_invalid"}})),
        (400, "application/json", json.dumps({"error": {**error, "code": 190, "error_subcode": 463, "type": said}})),
        (500, "text/html", f"<html><body>{said}</body></html>"),
        (200, "text/plain", said),
        (403, "application/json", json.dumps({"error": said, "error_description": said})),
        (429, "application/json", json.dumps(said)),
    ]


@contextmanager
def echoing() -> Iterator[Echo]:
    """A server that repeats everything."""
    with Echo() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
