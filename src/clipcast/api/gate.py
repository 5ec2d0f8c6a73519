"""The door before the door: who may not, hears so before anything of what they send is read."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeAlias

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clipcast.api import problems
from clipcast.errors import ClipcastError, Unauthorized
from clipcast.people import admission, pages
from clipcast.people.access import Permission

UNSAID: Final = frozenset({Permission.MANAGE})
"""What a route asks for that does not say: a test finds it, and until then nobody but an owner gets in."""

Declaration: TypeAlias = tuple[RouteContext, frozenset[Permission] | None]
"""A route with what it asks for; None where it does not say."""

_CACHE: Final = b"cache-control"


class Gate:
    """Looks up what the route declares and asks for it. The routes' own dependencies ask again; this is why the body can wait.

    What they declare is read once, when the application is asked for the first time: by then it has all its routes.
    """

    def __init__(self, app: ASGIApp, routes: Sequence[BaseRoute]) -> None:
        self._app, self._declarations = app, tuple(declarations(routes))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request in, or answer it here."""
        needed = _needed(self._declarations, scope) if scope["type"] == "http" else frozenset()
        if needed:
            send = _unkept(send)
            request = Request(scope)
            try:
                actor = await admission.admit(request)
                for permission in needed:
                    actor.must_have(permission)
            except ClipcastError as error:
                await _refusal(request, error)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _unkept(send: Send) -> Send:
    """Have no cache keep what not everybody may see, unless the answer says itself how long it may be kept."""

    async def send_unkept(message: Message) -> None:
        if message["type"] == "http.response.start" and not any(name.lower() == _CACHE for name, _ in message["headers"]):
            message["headers"] = [*message["headers"], (_CACHE, b"no-store")]
        await send(message)

    return send_unkept


def _refusal(request: Request, error: ClipcastError) -> Response:
    """A person in a browser who is not signed in is shown where to; everybody else hears what is wrong."""
    if isinstance(error, Unauthorized) and pages.is_wanted(request):
        return RedirectResponse("/login", 303)
    return problems.answer(request, error)


def declarations(routes: Sequence[BaseRoute]) -> Iterator[Declaration]:
    """Every route, hidden ones and those of included routers too, with what it asks for."""
    for route in iter_route_contexts(routes):
        yield route, admission.declared(getattr(route, "dependencies", None) or ())


def _needed(declared: Iterable[Declaration], scope: Scope) -> frozenset[Permission]:
    """What the route of this request asks for; nothing where there is none, because then nothing is done either."""
    for route, said in declared:
        if _match(route, scope) is Match.FULL:
            scope["route"] = route.original_route  # the log and the metrics name it, also when nobody comes as far as it
            return UNSAID if said is None else said
    return frozenset()


def _match(route: RouteContext, scope: Scope) -> Match:
    match: Match = route.matches(scope)[0]
    return match
