"""Whether the server lives, whether it can do its work, and its numbers: for whoever watches it."""

from collections.abc import Callable, Iterator
from typing import Literal, cast

from fastapi import APIRouter, Request, Response
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError

from clipcast.api.problems import problem
from clipcast.clips.ingest import Library
from clipcast.db.engine import Database
from clipcast.db.migrate import is_current
from clipcast.errors import ClipcastError, ConfigurationError
from clipcast.people.admission import PUBLIC, READS
from clipcast.system import Clipcast
from clipcast.telemetry.metrics import Metrics

router = APIRouter(tags=["health"])


class Alive(BaseModel):
    """The process answers."""

    status: Literal["alive"]


class Ready(BaseModel):
    """The server can do its work."""

    status: Literal["ready"]


@router.get("/healthz", dependencies=[PUBLIC])
async def healthz() -> Alive:
    """Whether the process is alive; asks nothing else of anything."""
    return Alive(status="alive")


@router.get("/readyz", response_model=Ready, dependencies=[PUBLIC])
def readyz(request: Request) -> Ready | Response:
    """Whether the database is reachable and migrated, and the media store writable; 503 with what is wrong when not."""
    clipcast = cast("Clipcast", request.app.state.clipcast)
    troubles = [*_trouble_of(lambda: _migrated(clipcast.db)), *_trouble_of(lambda: _writable(clipcast.library))]
    return problem(request, 503, "not_ready", " ".join(troubles)) if troubles else Ready(status="ready")


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}}, dependencies=[READS])
def metrics(request: Request) -> Response:
    """The numbers of this server, in Prometheus' text format."""
    numbers = cast("Metrics", request.app.state.metrics)
    return Response(numbers.rendered(), media_type=CONTENT_TYPE_LATEST)


def _trouble_of(check: Callable[[], None]) -> Iterator[str]:
    try:
        check()
    except ClipcastError as error:
        yield str(error)
    except SQLAlchemyError:  # its text may hold the database's address and password
        yield "The database cannot be read; `clipcast doctor` says more."


def _migrated(db: Database) -> None:
    if not is_current(db):
        raise ConfigurationError("The database has another shape than this version of Clipcast expects. Run `clipcast db upgrade`.")


def _writable(library: Library) -> None:
    with library.receive() as file:
        file.write(b"is there room?")
        file.seal()
