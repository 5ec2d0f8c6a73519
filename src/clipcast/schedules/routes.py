"""Recurring posts, imports and calendar feeds over HTTP."""

from datetime import datetime
from typing import Annotated

import structlog
from fastapi import APIRouter, Body, Query, Request, Response
from sqlalchemy.orm import Session

from clipcast.errors import Busy
from clipcast.people.access import Actor
from clipcast.people.admission import PUBLIC, PUBLISHES, READS, CurrentActor
from clipcast.publications.routes import Before, Services, Wake
from clipcast.repeats import Key, Once
from clipcast.schedules import feeds, importing, recurring, store
from clipcast.schedules.models import Recurrence
from clipcast.schedules.schemas import (
    FeedIn,
    FeedList,
    FeedMade,
    FeedOut,
    ImportReport,
    Local,
    OccurrenceEdit,
    OccurrenceOut,
    OccurrencePage,
    RecurrenceCancellation,
    RecurrenceEnd,
    RecurrenceIn,
    RecurrenceOut,
    RecurrencePage,
    known_zone,
)
from clipcast.settings import Settings

log = structlog.get_logger()

router = APIRouter(tags=["schedules"])

SHOWN = 10
"""How many occurrences are shown of a recurrence at first sight."""


@router.post("/recurrences", status_code=201, dependencies=[PUBLISHES])
def create_recurrence(services: Services, actor: CurrentActor, wanted: RecurrenceIn, key: Key = None) -> RecurrenceOut:
    """A post that comes again and again, from now on. Each time becomes a post of its own a week ahead."""
    now = services.clock()
    with services.db.writing() as session:
        once = Once(session, "POST /recurrences", key, wanted, by=actor.label)
        if once.made_id is not None:
            return _shown(session, store.get(session, once.made_id), now)
        row = recurring.create(session, wanted, services.platforms, now)
        once.remember(row.id, now)
        shown = _shown(session, row, now)
    # It stands from here on: who heard of an error now would ask again, and have two. Workers look for what is to be made each minute.
    try:
        recurring.materialise_due(services.db, services.platforms, now)
        shown = show_recurrence(services, shown.id)
    except Busy as error:
        log.warning("recurrence.plan_delayed", recurrence=shown.id, reason=str(error))
    except Exception:
        log.exception("recurrence.plan_failed", recurrence=shown.id)
    return shown


@router.get("/recurrences", dependencies=[READS])
def list_recurrences(
    services: Services, *, limit: Annotated[int, Query(ge=1, le=50, description="How many per page.")] = 20, before: Before = None
) -> RecurrencePage:
    """Recurring posts, newest first, each with its next ten times."""
    with services.db.reading() as session:
        found = store.listed(session, limit=limit + 1, before=before)
        page = [_shown(session, row, services.clock()) for row in found[:limit]]
    return RecurrencePage(recurrences=page, next=page[-1].id if len(found) > limit else None)


@router.get("/recurrences/{recurrence_id}", dependencies=[READS])
def show_recurrence(services: Services, recurrence_id: str) -> RecurrenceOut:
    """A recurring post, and its next ten times."""
    with services.db.reading() as session:
        return _shown(session, store.get(session, recurrence_id), services.clock())


@router.get("/recurrences/{recurrence_id}/occurrences", dependencies=[READS])
def list_occurrences(
    services: Services,
    recurrence_id: str,
    *,
    limit: Annotated[int, Query(ge=1, le=200, description="How many per page.")] = SHOWN,
    after: Annotated[Local | None, Query(description="Local time; default: now.")] = None,
) -> OccurrencePage:
    """The times that it comes, earliest first."""
    now = services.clock()
    with services.db.reading() as session:
        row = store.get(session, recurrence_id)
        if after is None:
            found = recurring.coming(session, row, now, limit + 1)
        else:
            found = recurring.occurrences(session, row, recurring.in_reach(after, "after", now), limit + 1)
    return OccurrencePage(occurrences=found[:limit], next=found[limit - 1].local_time if len(found) > limit else None)


@router.patch("/recurrences/{recurrence_id}/occurrences/{local_time}", dependencies=[PUBLISHES])
def change_occurrence(services: Services, wake: Wake, recurrence_id: str, local_time: Local, wanted: OccurrenceEdit) -> OccurrenceOut:
    """Move one occurrence, give it another caption, or leave it out; all others stay as they are."""
    with services.db.writing() as session:
        changed = recurring.edit(session, recurrence_id, local_time, wanted, services.platforms, now=services.clock())
    wake()
    return changed


@router.post("/recurrences/{recurrence_id}/cancellation", dependencies=[PUBLISHES])
def end_recurrence(services: Services, wake: Wake, recurrence_id: str, wanted: RecurrenceEnd) -> RecurrenceCancellation:
    """No occurrence from that one on comes any more; posts made of them are withdrawn, and what cannot be says why in `refusals`."""
    now = services.clock()
    with services.db.writing() as session:
        row, refusals = recurring.end(session, recurrence_id, wanted.from_local, services.platforms, now)
        answer = RecurrenceCancellation(recurrence=_shown(session, row, now), refusals=refusals)
    wake()
    return answer


@router.post("/schedules/import", dependencies=[PUBLISHES])
def import_posts(
    services: Services,
    wake: Wake,
    content: Annotated[bytes, Body(media_type="text/csv", description="The table; docs/how-to/schedule.md lists its columns.")],
    *,
    dry_run: Annotated[bool, Query(description="Only look: every bad row is reported, and nothing is written.")] = False,
    timezone: Annotated[str, Query(max_length=64, description="For rows that name no zone of their own.")] = "UTC",
) -> ImportReport:
    """Post every row of a table, or none. Importing it again posts nothing twice."""
    report = importing.import_posts(
        services.db, services.platforms, content, now=services.clock(), timezone=known_zone(timezone), dry_run=dry_run
    )
    if report.problems and not dry_run:
        raise importing.unusable(report.problems)
    wake()
    return report


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.clipcast.settings
    return settings


def _owner(actor: Actor) -> feeds.Owner:
    return feeds.Owner(person_id=actor.id) if actor.kind == "person" else feeds.Owner(key_id=actor.id)


@router.post("/calendar/feeds", status_code=201, dependencies=[READS])
def create_feed(services: Services, request: Request, actor: CurrentActor, wanted: FeedIn, key: Key = None) -> FeedMade:
    """A secret address for a calendar program. It is told this once, and ends with whoever made it."""
    now = services.clock()
    with services.db.writing() as session:
        once = Once(session, "POST /calendar/feeds", key, wanted, by=actor.label)
        once.refuse_again("feed")
        feed, token = feeds.create(session, _owner(actor), wanted.name, now)
        once.remember(feed.id, now)
        base = str(_settings(request).public_url or request.base_url).rstrip("/")
        return FeedMade(**FeedOut.of(feed).model_dump(), url=f"{base}/calendar.ics?token={token}")


@router.get("/calendar/feeds", dependencies=[READS])
def list_feeds(services: Services, actor: CurrentActor) -> FeedList:
    """Your calendar feeds, newest first, without their addresses."""
    owner = _owner(actor)
    with services.db.reading() as session:
        found = store.feeds(session, person_id=owner.person_id, key_id=owner.key_id)
    return FeedList(feeds=[FeedOut.of(feed) for feed in found])


@router.delete("/calendar/feeds/{feed_id}", dependencies=[READS])
def revoke_feed(services: Services, actor: CurrentActor, feed_id: str) -> FeedOut:
    """Close one of your feeds for ever."""
    with services.db.writing() as session:
        return FeedOut.of(feeds.revoke(session, _owner(actor), feed_id, services.clock()))


@router.get("/calendar.ics", dependencies=[PUBLIC], response_class=Response, responses={200: {"content": {"text/calendar": {}}}, 404: {}})
def read_calendar(services: Services, token: Annotated[str, Query(min_length=1, max_length=200)]) -> Response:
    """The posts of the past 30 and the next 90 days, for calendar programs; the address's own token opens it."""
    with services.db.reading() as session:
        content = feeds.calendar_for(session, token, services.clock())
    return Response(content, media_type="text/calendar; charset=utf-8", headers={"Cache-Control": "private, no-store"})


def _shown(session: Session, row: Recurrence, now: datetime) -> RecurrenceOut:
    return RecurrenceOut.of(row, recurring.coming(session, row, now, SHOWN))
