"""Publications and the ledger over HTTP."""

from collections.abc import Callable
from typing import Annotated, Any, Final, Protocol, TypeAlias, cast

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import AfterValidator

from clipcast import ledger
from clipcast.clock import Clock
from clipcast.db.engine import Database
from clipcast.people.admission import PUBLISHES, READS
from clipcast.publications import preflight, publishing, quota, store
from clipcast.publications.connections import Connections
from clipcast.publications.models import Publication
from clipcast.publications.publishing import Platforms
from clipcast.publications.schemas import (
    DecisionIn,
    LedgerEventOut,
    LedgerPage,
    LedgerVerification,
    PlatformName,
    PreflightAnswer,
    PublicationOut,
    PublicationPage,
    PublishBody,
    QuotaOut,
)
from clipcast.publications.states import State
from clipcast.turnstiles import ASKS_PLATFORM

publications_router = APIRouter(prefix="/publications", tags=["publications"])
ledger_router = APIRouter(prefix="/ledger", tags=["ledger"])
quota_router = APIRouter(prefix="/accounts", tags=["accounts"])


class _Services(Protocol):
    """What these routes need of the application's state (`app.state.clipcast`)."""

    db: Database
    clock: Clock
    platforms: Platforms
    connections: Connections


def _services(request: Request) -> _Services:
    return cast("_Services", request.app.state.clipcast)


def _wake(request: Request) -> Callable[[], None]:
    return cast("Callable[[], None]", request.app.state.wake)


Services: TypeAlias = Annotated[_Services, Depends(_services)]
Wake: TypeAlias = Annotated[Callable[[], None], Depends(_wake)]
"""Tells the server's own worker, if it has one, that something became due."""

Limit: TypeAlias = Annotated[int, Query(ge=1, le=200, description="How many per page.")]
Before: TypeAlias = Annotated[str | None, Query(max_length=36, description="`next` of the page before.")]
Id: TypeAlias = Annotated[str | None, Query(max_length=36)]


def _known(event: str) -> str:
    if event not in ledger.EVENTS:
        raise ValueError(f"there is no such event; there are {', '.join(ledger.EVENTS)}")
    return event


_UNDER_WAY: Final[dict[int | str, dict[str, Any]]] = {202: {"model": PublicationOut, "description": "A worker carries on with it."}}
EventName: TypeAlias = Annotated[str, AfterValidator(_known), Query(json_schema_extra={"enum": list(ledger.EVENTS)})]


@publications_router.get("", dependencies=[READS])
def list_publications(
    services: Services,
    *,
    state: State | None = None,
    platform: PlatformName | None = None,
    social_account_id: Id = None,
    clip_id: Id = None,
    limit: Limit = 50,
    before: Before = None,
) -> PublicationPage:
    """The publications, newest first."""
    wanted = store.Filter(state, platform, social_account_id, clip_id, before)
    with services.db.reading() as session:
        found = store.listed(session, wanted, limit=limit + 1)
    page = found[:limit]
    return PublicationPage(publications=[PublicationOut.of(each) for each in page], next=page[-1].id if len(found) > limit else None)


@publications_router.post("/preflight", dependencies=[PUBLISHES, ASKS_PLATFORM])
def check_before_publishing(services: Services, body: PublishBody) -> PreflightAnswer:
    """What publishing this would run into. Nothing is written; the platform is asked what the account may do, where it can be asked."""
    problems = preflight.preflight(services.db, services.connections, services.platforms, body.request(), services.clock())
    return PreflightAnswer.of(problems)


@publications_router.get("/{publication_id}", dependencies=[READS])
def show_publication(services: Services, publication_id: str) -> PublicationOut:
    """One publication."""
    with services.db.reading() as session:
        return PublicationOut.of(store.get(session, publication_id))


@publications_router.post("/{publication_id}/cancellation", responses=_UNDER_WAY, dependencies=[PUBLISHES])
def cancel(services: Services, wake: Wake, response: Response, publication_id: str) -> PublicationOut:
    """Withdraw it: 200 when it is cancelled, 202 when the platform was asked to, 409 with the reason when it is too late."""
    with services.db.writing() as session:
        publication = publishing.cancel(session, publication_id, services.platforms, services.clock())
    wake()
    if publication.state != State.CANCELLED:
        response.status_code = 202
    return PublicationOut.of(publication)


@publications_router.post("/{publication_id}/attempts", responses=_UNDER_WAY, dependencies=[PUBLISHES])
def try_again(services: Services, wake: Wake, response: Response, publication_id: str) -> PublicationOut:
    """Another try by hand: a failed publication starts over, an uncertain one is looked for first. 202 while there is work to do."""
    with services.db.writing() as session:
        publication = publishing.try_again(session, publication_id, services.platforms, services.clock())
    return _under_way(publication, wake, response)


@publications_router.post("/{publication_id}/checks", responses=_UNDER_WAY, dependencies=[PUBLISHES])
def check(services: Services, wake: Wake, response: Response, publication_id: str) -> PublicationOut:
    """Have the platform asked now how the post is doing. 202 while there is work to do, 200 when nothing is left to learn."""
    with services.db.writing() as session:
        publication = publishing.ask_platform_now(session, publication_id, services.platforms, services.clock())
    return _under_way(publication, wake, response)


@publications_router.post("/{publication_id}/decision", dependencies=[PUBLISHES])
def decide(services: Services, wake: Wake, publication_id: str, decision: DecisionIn) -> PublicationOut:
    """Say of an uncertain publication what you found when you looked: it is live, or it is not and starts over."""
    now = services.clock()
    with services.db.writing() as session:
        publication = publishing.decide(session, publication_id, is_live=decision.is_live, external_url=decision.external_url, now=now)
    wake()
    return PublicationOut.of(publication)


def _under_way(publication: Publication, wake: Callable[[], None], response: Response) -> PublicationOut:
    wake()
    if publication.next_action_at is not None:
        response.status_code = 202
    return PublicationOut.of(publication)


@ledger_router.get("", dependencies=[READS])
def list_events(
    services: Services,
    *,
    entity_id: Annotated[str | None, Query(max_length=36, description="A clip's id.")] = None,
    publication_id: Id = None,
    event: EventName | None = None,
    limit: Limit = 100,
    before: Before = None,
) -> LedgerPage:
    """What happened, newest first."""
    stream = f"publication:{publication_id}" if publication_id is not None else None
    with services.db.reading() as session:
        found = ledger.events(session, stream=stream, entity_id=entity_id, event=event, before=before, limit=limit + 1)
    page = found[:limit]
    return LedgerPage(events=[LedgerEventOut.of(each) for each in page], next=page[-1].id if len(found) > limit else None)


@ledger_router.get("/verification", dependencies=[READS])
def verify_ledger(services: Services) -> LedgerVerification:
    """Whether every event is as it was written; reads them all."""
    with services.db.reading() as session:
        return LedgerVerification.of(ledger.verify(session))


@quota_router.get("/{account_id}/quota", dependencies=[READS, ASKS_PLATFORM])
def show_quota(services: Services, account_id: str) -> QuotaOut:
    """What is used and left of every limit that the platform documents: its own numbers where it tells them, our count otherwise."""
    return QuotaOut.model_validate(quota.quota_of(services.db, services.connections, account_id, services.clock()))
