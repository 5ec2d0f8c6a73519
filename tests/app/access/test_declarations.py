"""Every way into the server says what it asks for, and the few that are open to everybody are these."""

from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import RouteContext
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from clipcast.api.app import create_app
from clipcast.api.gate import declarations
from clipcast.people.admission import PUBLIC, PUBLISHES, READS
from clipcast.system import Clipcast

OPEN = {
    "GET /healthz": "whoever watches the process has no key",
    "GET /readyz": "the same",
    "GET /media/{signed}": "platforms fetch media; the link itself is the permission, and ends",
    "HEAD /media/{signed}": "the same",
    "GET /oauth/{platform}/callback": "a platform sends the browser back; its state is the permission, and is bound to the browser",
    "GET /style.css": "what the sign-in pages look like",
    "GET /welcome": "a one-time link is the permission",
    "POST /welcome": "the same",
    "GET /login": "the page to sign in",
    "POST /login": "signing in",
    "POST /sessions": "the same, for scripts of our pages",
    "POST /logout": "signing out needs no permission",
    "DELETE /sessions/current": "the same",
    "GET /calendar.ics": "calendar programs send no key; the feed's address is the permission",
    "POST /webhooks/{platform}": "platforms sign what they send",
}
"""The whole list. Whoever adds to it has to say here why strangers may."""


def names(route: RouteContext) -> list[str]:
    """How this list calls a route; one that answers any method, or is no HTTP at all, by its kind."""
    kind = [type(route.original_route).__name__]
    return [f"{method} {route.path}" for method in sorted(getattr(route, "methods", None) or kind)]


def unsaid(routes: list[BaseRoute]) -> list[str]:
    return [name for route, said in declarations(routes) if said is None for name in names(route)]


def open_to_all(routes: list[BaseRoute]) -> set[str]:
    return {name for route, said in declarations(routes) if said is not None and not said for name in names(route)}


@pytest.fixture
def app(clipcast: Clipcast) -> FastAPI:
    return create_app(clipcast, with_worker=False)


def test_every_route_says_what_it_asks_for(app: FastAPI) -> None:
    assert unsaid(app.routes) == []
    assert len(list(declarations(app.routes))) > 40, "the walk has to find the routes at all"


def test_what_is_open_to_everybody_is_on_the_list(app: FastAPI) -> None:
    assert open_to_all(app.routes) <= OPEN.keys()


def test_the_document_says_the_same(app: FastAPI) -> None:
    """An operation without a security requirement is open, and one with it names the permission and its refusals."""
    document = app.openapi()
    operations = {f"{method.upper()} {path}": each for path, methods in document["paths"].items() for method, each in methods.items()}

    for name, operation in operations.items():
        needed = operation.get("security", [])
        assert bool(needed) != (name in open_to_all(app.routes)), name
        assert all(scopes in (["read"], ["publish"], ["manage"]) for each in needed for scopes in each.values()), name
        assert not needed or {"401", "403"} <= operation["responses"].keys(), name


def endpoint(*_: Any) -> PlainTextResponse:
    return PlainTextResponse("in")


def hidden(app: FastAPI) -> None:
    app.add_api_route("/extra", endpoint, include_in_schema=False)


def included(app: FastAPI) -> None:
    inner, outer = APIRouter(), APIRouter(prefix="/outer")
    inner.add_api_route("/extra", endpoint)
    outer.include_router(inner, prefix="/inner")
    app.include_router(outer)


def plain(app: FastAPI) -> None:
    app.router.routes.append(Route("/extra", endpoint))


def mounted(app: FastAPI) -> None:
    app.router.routes.append(Mount("/extra", FastAPI()))


def socket(app: FastAPI) -> None:
    app.router.routes.append(WebSocketRoute("/extra", endpoint))


@pytest.mark.parametrize("add", [hidden, included, plain, mounted, socket])
def test_an_undeclared_route_is_found_however_it_came_in(app: FastAPI, add: Any) -> None:
    """The test above can fail."""
    add(app)

    assert len(unsaid(app.routes)) >= 1
    assert all("extra" in name for name in unsaid(app.routes))


def test_an_open_route_that_is_not_on_the_list_is_found(app: FastAPI) -> None:
    router = APIRouter()
    router.add_api_route("/extra", endpoint, dependencies=[PUBLIC])
    app.include_router(router)

    assert open_to_all(app.routes) - OPEN.keys() == {"GET /extra"}


def test_a_declaration_may_stand_on_the_router_or_the_route(app: FastAPI) -> None:
    """Both count; a route of a router that asks for something is not open because it says so."""
    router = APIRouter(dependencies=[READS])
    router.add_api_route("/extra/1", endpoint)
    router.add_api_route("/extra/2", endpoint, dependencies=[PUBLISHES])
    router.add_api_route("/extra/3", endpoint, dependencies=[PUBLIC])
    app.include_router(router)

    said = {str(route.path): sorted(said or ()) for route, said in declarations(app.routes) if str(route.path).startswith("/extra")}
    assert said == {"/extra/1": ["read"], "/extra/2": ["publish", "read"], "/extra/3": ["read"]}
