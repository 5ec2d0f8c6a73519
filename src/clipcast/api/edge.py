"""The outermost layer: each request gets a name, is measured and logged, and a bug becomes an answer that gives nothing away."""

import re
import time
from typing import Final
from uuid import uuid4

import structlog
from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clipcast.api.problems import problem
from clipcast.telemetry.metrics import Metrics

log = structlog.get_logger()

HEADER: Final = "X-Request-ID"
_USABLE_ID: Final = re.compile(r"[\w.:+/=-]{1,128}", re.ASCII)
_ASKING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_UNMATCHED: Final = "unmatched"


class Edge:
    """Wraps the application. A caller's own `X-Request-ID` is kept, so that its logs and ours can be read side by side."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        request.state.request_id = _request_id(request)
        with structlog.contextvars.bound_contextvars(request_id=request.state.request_id):
            await self._measured(request, receive, send)

    async def _measured(self, request: Request, receive: Receive, send: Send) -> None:
        started_s, status = time.monotonic(), 0

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (HEADER.lower().encode(), request.state.request_id.encode())]
            await send(message)

        try:
            await self._app(request.scope, receive, send_named)
        except Exception:
            log.exception("request.bug", method=request.method, route=_route(request))
            if status:
                raise  # half an answer is out: only a broken connection can still say that it is not whole
            await _bug(request)(request.scope, receive, send_named)
        finally:
            self._note(request, status, time.monotonic() - started_s)

    def _note(self, request: Request, status: int, duration_s: float) -> None:
        """By the route's pattern, never by the address itself: a signed link's path is the permission."""
        self._metrics.request_answered(request.method, _route(request), status, duration_s)
        write = log.debug if request.method in _ASKING else log.info
        write("request.answered", method=request.method, route=_route(request), status=status, duration_s=round(duration_s, 4))


def _request_id(request: Request) -> str:
    wished = request.headers.get(HEADER, "")
    return wished if _USABLE_ID.fullmatch(wished) else uuid4().hex


def _route(request: Request) -> str:
    return getattr(request.scope.get("route"), "path", _UNMATCHED)


def _bug(request: Request) -> ASGIApp:
    return problem(request, 500, "bug", "Clipcast stumbled over a bug of its own. Its log has the details under this request_id.")
