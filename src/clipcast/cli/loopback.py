"""The listener that a consent comes back to when a terminal began it. Loaded when it is needed: Python's HTTP server is not light."""

import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from starlette.responses import Response

from clipcast.accounts import pages
from clipcast.accounts.linking import Outcome
from clipcast.accounts.pending import LinkRefused
from clipcast.errors import ClipcastError, ConfigurationError, InvalidRequest

PATIENCE_S: Final = 300.0
"""How long the owner may take on the platform's page."""
_REQUEST_S: Final = 10.0
"""How long one connection to our listener may take: a stuck one must not keep the owner's out."""


class Listener(HTTPServer):
    """Waits on the loopback interface for the one request that ends a consent (RFC 8252, section 7.3); bound before the page is shown."""

    def __init__(self, port: int, path: str) -> None:
        self.path = path
        self.outcome: Outcome | None = None
        self.error: Exception | None = None
        self._arrive: Callable[[Mapping[str, str]], Outcome] = _nobody
        try:
            super().__init__(("127.0.0.1", port), _Handler)
        except OSError as error:
            raise ConfigurationError(f"Port {port} on 127.0.0.1 cannot be used ({error.strerror}). Choose another --port.") from error

    def wait(self, arrive: Callable[[Mapping[str, str]], Outcome]) -> Outcome:
        """What `arrive` made of the request that the platform sent; a strange one is refused, and waiting goes on.

        Raises:
            InvalidRequest: nobody came back in time.
            ClipcastError: as `arrive`.
        """
        self._arrive = arrive
        deadline_s = time.monotonic() + PATIENCE_S
        while self.outcome is None and self.error is None:
            self.timeout = deadline_s - time.monotonic()
            if self.timeout <= 0:
                raise InvalidRequest("Nobody came back from the platform's page within five minutes. Begin anew.")
            self.handle_request()
        if self.error is not None:
            raise self.error
        assert self.outcome is not None
        return self.outcome

    def answer(self, query: str) -> Response:
        """The page for this request."""
        try:
            self.outcome = self._arrive(_single(query))
        except LinkRefused as refused:
            return pages.closing("Nothing was connected", str(refused), 400)
        except ClipcastError as error:
            self.error = error
            return pages.closing("Nothing was connected", str(error), 400)
        if self.outcome.choice_token:
            return pages.closing("Almost there", "The consent is good for several accounts: choose in the terminal.")
        return pages.closing("Connected", "The terminal has the rest.")


class _Handler(BaseHTTPRequestHandler):
    """One request to the listener. Nothing of it is logged: its query is the consent."""

    server: Listener
    timeout = _REQUEST_S

    def do_GET(self) -> None:
        """Answer the platform's redirect; everything else is not here."""
        address = urlsplit(self.path)
        if address.path != self.server.path or self.server.outcome is not None:
            self.send_error(404)
            return
        page = self.server.answer(address.query)
        self.send_response(page.status_code)
        for name, value in page.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(bytes(page.body))

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def _single(query: str) -> Mapping[str, str]:
    pairs = parse_qsl(query, keep_blank_values=True)
    if len(dict(pairs)) != len(pairs):
        raise LinkRefused("The platform's answer holds something twice, which no platform sends.")
    return dict(pairs)


def _nobody(_: Mapping[str, str]) -> Outcome:
    raise AssertionError("nothing is answered before somebody waits")
