"""Publishing with one call, and a clip's publish log: the oldest addresses of the interface."""

import asyncio
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Final, cast

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from clipcast import publishing
from clipcast.clips.store import get_clip
from clipcast.errors import Busy
from clipcast.people.admission import PUBLISHES, READS
from clipcast.posts import compose
from clipcast.publications import store
from clipcast.publications.models import Publication
from clipcast.publications.publishing import PublishRequest
from clipcast.publications.routes import Wake
from clipcast.publications.schemas import DEFAULT_WAIT_S, PlatformName, PublishNow, Status, WaitS
from clipcast.publications.states import State
from clipcast.repeats import Key
from clipcast.system import Clipcast

router = APIRouter(prefix="/publishing", tags=["publishing"])

FIRST_LOOK_S: Final = 0.02
LONGEST_LOOK_S: Final = 0.5
"""A waiting request looks at its row soon, then less and less often: most posts take seconds, some take minutes."""


class PublishAnswer(BaseModel):
    """What became of the request. `success` is null while nobody can say yet."""

    success: bool | None
    status: Status
    platform: PlatformName
    clip_id: str
    social_account_id: str | None
    external_post_id: str | None
    external_url: str | None
    error_message: str | None
    publish_log_id: str = Field(description="Its id under /publications.")
    simulated: bool | None = Field(description="True: the simulator got it, nothing is on the real platform. Null before it began.")
    note: str | None = Field(description="What to know although nothing is wrong, or why it waits.")


class PublishLogOut(BaseModel):
    """One attempt to publish a clip."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    clip_id: str
    platform: PlatformName
    social_account_id: str | None
    status: Status
    external_post_id: str | None
    external_url: str | None
    error_message: str | None
    requested_at: datetime
    published_at: datetime | None
    created_at: datetime
    updated_at: datetime
    simulated: bool | None
    state: State
    note: str | None


@router.post(
    "/publish",
    responses={202: {"model": PublishAnswer, "description": "Not decided yet; Location is where to look."}},
    dependencies=[PUBLISHES],
)
async def publish(
    request: Request,
    response: Response,
    *,
    wake: Wake,
    body: PublishNow,
    wait_s: Annotated[WaitS | None, Query(description="As in the body, and before it.")] = None,
    key: Key = None,
) -> PublishAnswer:
    """Publish a clip, and wait up to `wait_s` seconds for the outcome.

    200 with the outcome, also when the platform refuses (`success` false); 202 when it is not known yet.
    """
    clipcast = _clipcast(request)
    publication = await run_in_threadpool(_created, clipcast, body.request(), key)
    wake()
    patience_s = next(each for each in (wait_s, body.wait_s, DEFAULT_WAIT_S) if each is not None)
    publication = await _watched(clipcast, request, publication, patience_s)
    answer = PublishAnswer(**asdict(publishing.result_of(publication)), note=publication.note)
    if answer.success is None:
        response.status_code = 202
        response.headers["Location"] = f"/publications/{publication.id}"
    return answer


@router.get("/logs/{clip_id}", dependencies=[READS])
def logs_of_clip(request: Request, clip_id: str) -> list[PublishLogOut]:
    """Every publication of this clip, newest first."""
    clipcast = _clipcast(request)
    with clipcast.db.reading() as session:
        get_clip(session, clip_id)
        return [_log(publication) for publication in store.logs_of_clip(session, clip_id)]


def _log(publication: Publication) -> PublishLogOut:
    return PublishLogOut(**asdict(publishing.log_of(publication)), state=State(publication.state), note=publication.note)


def _clipcast(request: Request) -> Clipcast:
    return cast("Clipcast", request.app.state.clipcast)


def _created(clipcast: Clipcast, wanted: PublishRequest, key: str | None) -> Publication:
    return compose.written(clipcast.db, lambda session: compose.publish(session, wanted, clipcast.platforms, clipcast.clock(), key=key))


async def _watched(clipcast: Clipcast, request: Request, publication: Publication, patience_s: float) -> Publication:
    """The publication as it is when it is settled, when nothing more can happen in time, or when nobody waits any more.

    No thread is held in between. A database that is busy only makes this wait longer: the publication is written, and an error now would
    invite its repetition.
    """
    now_s = asyncio.get_running_loop().time
    deadline_s, look_s = now_s() + patience_s, FIRST_LOOK_S
    while not publishing.is_settled(publication):
        left_s = deadline_s - now_s()
        if left_s <= 0 or _rests(publication, clipcast.clock(), left_s) or await request.is_disconnected():
            break
        await asyncio.sleep(min(look_s, left_s))
        look_s = min(look_s * 1.5, LONGEST_LOOK_S)
        publication = await run_in_threadpool(_looked_at, clipcast, publication)
    return publication


def _rests(publication: Publication, now: datetime, left_s: float) -> bool:
    """Whether nobody will touch it before the time is over: it is scheduled for later, or waits out a limit."""
    due_at = publication.next_action_at
    return publication.lease_token is None and due_at is not None and due_at > now + timedelta(seconds=left_s)


def _looked_at(clipcast: Clipcast, publication: Publication) -> Publication:
    try:
        with clipcast.db.reading() as session:
            return store.get(session, publication.id)
    except Busy:
        return publication
