"""The application: routes, the worker that carries out what they write, and how everything that goes wrong is told."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import version
from typing import Final

from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool

from clipcast.accounts.linking_routes import router as linking_router
from clipcast.accounts.routes import router as accounts_router
from clipcast.api import documentation, health, problems, publishing
from clipcast.api.bodies import BodyGuard
from clipcast.api.documentation import DocumentedApi
from clipcast.api.edge import Edge
from clipcast.api.gate import Gate
from clipcast.clips.fitting_routes import router as renditions_router
from clipcast.clips.routes import media_router
from clipcast.clips.routes import router as clips_router
from clipcast.people import pages
from clipcast.people import routes as people
from clipcast.people.admission import READS, CurrentActor
from clipcast.posts.routes import router as posts_router
from clipcast.publications.leaving_routes import router as leaving_router
from clipcast.publications.routes import ledger_router, publications_router, quota_router
from clipcast.schedules.routes import router as schedules_router
from clipcast.system import Clipcast
from clipcast.telemetry.collectors import Installation
from clipcast.telemetry.metrics import Metrics
from clipcast.timetable.routes import router as slots_router
from clipcast.turnstiles import Turnstiles
from clipcast.worker.embedded import EmbeddedWorker
from clipcast.worker.optional import celery_part
from clipcast.worker.presence import Presence
from clipcast.worker.watching import watched

_ROUTERS: Final = (
    publishing.router,
    posts_router,
    slots_router,
    schedules_router,
    publications_router,
    ledger_router,
    clips_router,
    renditions_router,
    media_router,
    accounts_router,
    leaving_router,
    linking_router,
    quota_router,
    people.people_router,
    people.keys_router,
    people.sessions_router,
    pages.router,
    health.router,
    documentation.router,
)


PATIENCE_S: Final = 30.0
"""How long a request waits for its turn where somebody else's server is asked, and the server for the body of a request."""


def create_app(clipcast: Clipcast, *, with_worker: bool = True, patience_s: float = PATIENCE_S) -> FastAPI:
    """The application of an opened installation, whose database is migrated already.

    While it is served, `settings.worker_threads` threads carry out what is due, or with a broker Celery's workers are told of it; neither
    when `with_worker` is False. `patience_s` is for tests, which have none. Closing the installation stays with the caller.
    """
    metrics = Metrics(Installation(clipcast.db, clipcast.clock, clipcast.platforms))
    app = DocumentedApi(
        title="Clipcast",
        summary="Publishes short videos and photo sets to TikTok, Instagram and YouTube: never twice, never lost, never silent.",
        version=version("clipcast"),
        openapi_url=None,  # FastAPI's own pages would be open to everybody; `documentation` has ours
        redirect_slashes=False,  # clients would repeat their tokens at http:// and whatever name the request came with
        lifespan=_lifespan(clipcast, metrics) if with_worker else None,
    )
    app.state.clipcast, app.state.metrics, app.state.wake = clipcast, metrics, _nobody_to_wake
    app.state.turnstiles = Turnstiles(patience_s)
    for router in _ROUTERS:
        app.include_router(router)
    app.add_api_route("/", first_page, methods=["GET"], tags=["health"], dependencies=[READS], response_model=dict[str, str])
    problems.install(app)
    app.add_middleware(BodyGuard, patience_s=patience_s)
    app.add_middleware(Gate, routes=app.routes)  # outside the guard: who may not, is refused before the body is read
    app.add_middleware(Edge, metrics=metrics)  # added last, it is the outermost
    return app


def first_page(request: Request, response: Response, actor: CurrentActor) -> dict[str, str] | Response:
    """Where things are; for a browser as a page."""
    if pages.is_wanted(request):
        return pages.start(request, actor)
    response.headers["Vary"] = "Accept"
    return {
        "name": "Clipcast",
        "version": version("clipcast"),
        "documentation": "/docs",
        "openapi": "/openapi.json",
        "health": "/healthz",
        "readiness": "/readyz",
        "metrics": "/metrics",
    }


def _nobody_to_wake() -> None:
    """Another process works: it looks for due rows by itself."""


def _lifespan(clipcast: Clipcast, metrics: Metrics) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    return _knocking(clipcast) if clipcast.settings.broker_url else _working(clipcast, metrics)


def _knocking(clipcast: Clipcast) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Celery's workers carry out what is due; from here they only hear that there is something."""
    broker, outbox = celery_part("broker"), celery_part("outbox")

    @asynccontextmanager
    async def knocking(app: FastAPI) -> AsyncIterator[None]:
        knocker = outbox.Knocker(broker.celery_app(clipcast.settings))
        knocker.start()
        app.state.wake = knocker.wake
        try:
            yield
        finally:
            app.state.wake = _nobody_to_wake
            await run_in_threadpool(knocker.stop)

    return knocking


def _working(clipcast: Clipcast, metrics: Metrics) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    driver, upkeep = watched(clipcast, metrics)

    @asynccontextmanager
    async def working(app: FastAPI) -> AsyncIterator[None]:
        presence = Presence(clipcast.settings.data_dir)
        threads = clipcast.settings.worker_threads
        worker = EmbeddedWorker(clipcast.db, driver, clipcast.clock, presence, threads=threads, upkeep=upkeep)
        worker.start()
        app.state.wake = worker.wake
        try:
            yield
        finally:
            app.state.wake = _nobody_to_wake
            await run_in_threadpool(worker.stop)
            presence.close()

    return working
