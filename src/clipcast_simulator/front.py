"""The ASGI application: finds the route, reads the body, lets the desk answer in a thread, keeps to its outcome."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace

from clipcast_simulator.chores import Chores, Job
from clipcast_simulator.desk import Admission, Desk, Outcome, Visit
from clipcast_simulator.exchange import Request, Route, text_reply
from clipcast_simulator.line import Disconnected, Line, Receive, Scope, Send, request_from
from clipcast_simulator.platform import Platform
from clipcast_simulator.receiving import discard, receive_fragment, receive_into
from clipcast_simulator.router import Router
from clipcast_simulator.state import State

CONTROL = "/_simulator/"
_BODY_LIMIT = 1 << 20  #: no JSON or form that a platform documents comes near it

log = logging.getLogger(__name__)


class Front:
    """The simulator as an ASGI application."""

    def __init__(self, store: State, desk: Desk, chores: Chores, platforms: Sequence[Platform], control: Sequence[Route]) -> None:
        self._store = store
        self._desk = desk
        self._chores = chores
        self._control = Router([*control, *(route for platform in platforms for route in platform.control)])
        self._platforms = {platform.name: platform for platform in platforms}
        self._routers = {platform.name: Router(platform.routes) for platform in platforms}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            line, request = Line(scope, receive, send), request_from(scope)
            try:
                await self._serve(line, request)
            except Disconnected:
                log.debug("simulator.client_left")
            except asyncio.CancelledError:  # the server is closing while this request is stalled
                await line.hang_up()

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._chores.start(self._due)
            else:
                await asyncio.to_thread(self._chores.stop)
                self._store.close()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return

    def _due(self) -> list[Job]:
        return [job for platform in self._platforms.values() for job in platform.due()]

    async def _serve(self, line: Line, request: Request) -> None:
        is_control = request.path == "/" or request.path.startswith(CONTROL)
        name = request.path.split("/")[1]
        router = self._control if is_control else self._routers.get(name)
        match = router.find(request) if router is not None else None
        if match is None:
            await self._refuse_stray(line, request, router, None if is_control else name)
            return
        request = replace(request, params=match.params)
        visit = Visit(request, match.route, None if is_control else self._platforms[name])
        if match.route.intake is not None:
            await self._stream(line, visit)
        else:
            await self._converse(line, visit)
        if match.route.stirs:
            self._chores.nudge()

    async def _refuse_stray(self, line: Line, request: Request, router: Router | None, name: str | None) -> None:
        status = 405 if router is not None and router.knows(request.path) else 404
        if name is not None:
            platform = name if name in self._platforms else None
            await asyncio.to_thread(self._desk.stray, request, platform, status)
        await line.reply(text_reply(status, "405 method not allowed" if status == 405 else "404 page not found"))

    async def _converse(self, line: Line, visit: Visit) -> None:
        body = await _body(line)
        if body is None:
            await line.reply(text_reply(413, "413 request entity too large"))
            return
        visit = replace(visit, request=replace(visit.request, body=body))
        if visit.platform is None:
            await line.reply(await asyncio.to_thread(self._desk.control, visit))
            return
        outcome = await asyncio.to_thread(self._desk.answer, visit)
        if outcome.ending == "stall":
            await line.outlast(outcome.stall_s)
            outcome = await asyncio.to_thread(self._desk.answer, replace(visit, entry=outcome.entry))
        await _end(line, outcome)

    async def _stream(self, line: Line, visit: Visit) -> None:
        admission = await asyncio.to_thread(self._desk.admit, visit)
        if isinstance(admission, Admission):
            outcome = await self._receive(line, visit, admission)
        else:
            outcome = admission
            await line.outlast(outcome.stall_s)
            if outcome.after_bytes:
                received = await discard(line, outcome.after_bytes)
                await asyncio.to_thread(self._desk.lose, outcome.entry, received)
        await _end(line, outcome)

    async def _receive(self, line: Line, visit: Visit, admission: Admission) -> Outcome:
        if admission.stall_s:
            await line.outlast(admission.stall_s)
        grant, cut = admission.grant, admission.cut
        try:
            if cut is None:
                await receive_into(line, grant.path, grant.size)
            else:
                await receive_fragment(line, grant.path, cut.after_bytes or 0)
        except Disconnected:
            await asyncio.to_thread(self._desk.break_off, visit, admission)
            raise
        if cut is None:
            return await asyncio.to_thread(self._desk.store, visit, admission)
        await asyncio.to_thread(self._desk.break_off, visit, admission)
        return cut


async def _body(line: Line) -> bytes | None:
    """Read a small body; None when it is too large."""
    parts: list[bytes] = []
    while not line.is_complete:
        parts.append(await line.read())
        if sum(map(len, parts)) > _BODY_LIMIT:
            return None
    return b"".join(parts)


async def _end(line: Line, outcome: Outcome) -> None:
    if outcome.delay_s:
        await asyncio.sleep(outcome.delay_s)
    if outcome.ending == "reset":
        await line.reset()
    elif outcome.ending == "drop":
        await line.hang_up()
    else:
        assert outcome.reply is not None
        await line.reply(outcome.reply)
