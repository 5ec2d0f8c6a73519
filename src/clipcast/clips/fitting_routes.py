"""Conversions over HTTP: asking for the form of a clip that a platform takes, and seeing how far it is."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Protocol, TypeAlias, cast

from fastapi import APIRouter, Depends, Request, Response

from clipcast.clips.conversions import Conversions
from clipcast.clips.media import fitting
from clipcast.clips.models import Clip, Rendition
from clipcast.clips.schemas import RenditionList, RenditionOut, RenditionWanted
from clipcast.clips.store import find_rendition, get_clip, renditions_of
from clipcast.db.engine import Database
from clipcast.errors import NotFound
from clipcast.people.admission import PUBLISHES, READS
from clipcast.platforms.base import AnyPlatform
from clipcast.platforms.forms import purpose_of

router = APIRouter(prefix="/clips", tags=["clips"])


class _Services(Protocol):
    """What these routes need of the application's state (`app.state.clipcast`)."""

    db: Database
    platforms: Mapping[str, AnyPlatform]
    conversions: Conversions


def _services(request: Request) -> _Services:
    return cast("_Services", request.app.state.clipcast)


Services: TypeAlias = Annotated[_Services, Depends(_services)]

_READY: Final[dict[int | str, dict[str, Any]]] = {
    200: {"model": RenditionOut, "description": "There is nothing to convert, or it is done."}
}


@router.post("/{clip_id}/renditions", status_code=202, responses=_READY, dependencies=[PUBLISHES])
def make_rendition(services: Services, response: Response, clip_id: str, wanted: RenditionWanted) -> RenditionOut:
    """Convert a clip into what a platform takes, in the background; `Location` says where to look. The original stays as it is.

    200 where nothing has to be done: the original fits (`purpose` is `original`), or it was converted before.
    """
    with services.db.reading() as session:
        found = fitting(session, get_clip(session, clip_id), services.platforms[wanted.platform], wanted.mode)
    if isinstance(found, Clip | Rendition):
        shown = RenditionOut.of(found)
        response.status_code = 200
    else:
        shown = RenditionOut.of(services.conversions.begin(clip_id, found))
    response.headers["Location"] = f"/clips/{clip_id}/renditions/{shown.purpose}"
    return shown


@router.get("/{clip_id}/renditions", dependencies=[READS])
def list_renditions(services: Services, clip_id: str) -> RenditionList:
    """The clip's other forms, and the conversions of this server that are not finished: how far they are, or why they failed."""
    conversions = services.conversions.of(clip_id)  # asked first: what is not there any more is stored by now
    with services.db.reading() as session:
        found = renditions_of(session, get_clip(session, clip_id).id)
    ready = {rendition.purpose for rendition in found}
    under_way = [each for each in conversions if purpose_of(each.form) not in ready]
    return RenditionList(renditions=[*map(RenditionOut.of, found), *map(RenditionOut.of, under_way)])


@router.get("/{clip_id}/renditions/{purpose}", dependencies=[READS])
def show_rendition(services: Services, clip_id: str, purpose: str) -> RenditionOut:
    """One form of a clip; `original` is the clip itself."""
    conversions = services.conversions.of(clip_id)  # asked first: what is not there any more is stored by now
    with services.db.reading() as session:
        clip = get_clip(session, clip_id)
        if purpose == "original":
            return RenditionOut.of(clip)
        found = find_rendition(session, clip_id, purpose)
    under_way = [each for each in conversions if purpose_of(each.form) == purpose]
    if found is None and not under_way:
        raise NotFound("There is no such form of this clip; if it was being made, the server was restarted: ask for it again.")
    return RenditionOut.of(found or under_way[0])
