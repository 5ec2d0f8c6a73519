"""The application: routes, the worker that carries out what they write, and how everything that goes wrong is told."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from importlib.metadata import version
from typing import Final

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from clipcast.accounts.routes import router as accounts_router
from clipcast.api import health, problems, publishing
from clipcast.api.bodies import BodyGuard
from clipcast.api.documentation import DocumentedApi
from clipcast.api.edge import Edge
from clipcast.api.metrics import Both, Metrics
from clipcast.clips.fitting_routes import router as renditions_router
from clipcast.clips.routes import media_router
from clipcast.clips.routes import router as clips_router
from clipcast.posts.routes import router as posts_router
from clipcast.publications.routes import ledger_router, publications_router, quota_router
from clipcast.system import Clipcast
from clipcast.worker.embedded import EmbeddedWorker
from clipcast.worker.presence import Presence

_ROUTERS: Final = (
    publishing.router,
    posts_router,
    publications_router,
    ledger_router,
    clips_router,
    renditions_router,
    media_router,
    accounts_router,
    quota_router,
    health.router,
)


def create_app(clipcast: Clipcast, *, with_worker: bool = True) -> FastAPI:
    """The application of an opened installation, whose database is migrated already.

    While it is served, `settings.worker_threads` threads carry out what is due, unless `with_worker` is False. Closing the installation
    stays with the caller.
    """
    metrics = Metrics(clipcast.db)
    app = DocumentedApi(
        title="Clipcast",
        summary="Publishes short videos and photo sets to TikTok, Instagram and YouTube: never twice, never lost, never silent.",
        version=version("clipcast"),
        lifespan=_lifespan(clipcast, metrics) if with_worker else None,
    )
    app.state.clipcast, app.state.metrics, app.state.wake = clipcast, metrics, _nobody_to_wake
    for router in _ROUTERS:
        app.include_router(router)
    app.add_api_route("/", first_page, methods=["GET"], tags=["health"])
    problems.install(app)
    app.add_middleware(BodyGuard)
    app.add_middleware(Edge, metrics=metrics)  # added last, it is the outermost
    return app


async def first_page() -> dict[str, str]:
    """Where things are."""
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
    driver = replace(clipcast.driver, observer=Both(clipcast.driver.observer, metrics))

    @asynccontextmanager
    async def working(app: FastAPI) -> AsyncIterator[None]:
        presence = Presence(clipcast.settings.data_dir)
        worker = EmbeddedWorker(clipcast.db, driver, clipcast.clock, presence, threads=clipcast.settings.worker_threads)
        worker.start()
        app.state.wake = worker.wake
        try:
            yield
        finally:
            app.state.wake = _nobody_to_wake
            await run_in_threadpool(worker.stop)
            presence.close()

    return working
