"""Connecting accounts in the browser: to the platform's page, back, and the choice among several.

Only the way back is open to everybody, because the platform sends people there: what protects it is the state and the browser's mark.
Neither the code nor the state is logged or shown. People get pages, programs (by `Accept`) JSON and problems.
"""

import json
from collections.abc import Callable, Coroutine, Mapping
from typing import Annotated, Any, Final, Protocol, TypeAlias, cast
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from clipcast.accounts import pages, store
from clipcast.accounts.browser import BrowserMarks
from clipcast.accounts.linking import Linker, NotChosen, Outcome, redirect_uri
from clipcast.accounts.pending import LinkRefused, LinkUsed, Wish, wish_of
from clipcast.accounts.provider import assess
from clipcast.accounts.schemas import AccountId, AccountOut, Kind, PlatformName, shown
from clipcast.errors import ClipcastError
from clipcast.people.admission import MANAGES, PUBLIC, READS, CurrentActor
from clipcast.turnstiles import ASKS_PLATFORM

_LOCAL_PATH: Final = r"^/([!-.0-\[\]-~][!-\[\]-~]*)?$"
"""A path on this server and nothing else: no second slash, and no backslash, which browsers take for one; printable ASCII."""
_UNSEEN: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
_AWAY: Final[dict[int | str, dict[str, Any]]] = {303: {"description": "To the platform's page, where the owner is asked."}}
_BACK: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "What is connected now, or what there is to choose from; a page where `Accept` names `text/html`."},
    303: {"description": "To `return_to`, or to a page that says what is connected; where `Accept` names `text/html`."},
}


class ChoiceOut(BaseModel):
    """An account that the consent is good for."""

    external_id: str
    username: str


class LinkedOut(BaseModel):
    """What came of a consent."""

    accounts: list[AccountOut]
    simulated: bool = Field(description="True: the simulator was asked, and not the platform.")
    choices: list[ChoiceOut] = Field(description="Where there are some, nothing is connected yet: send those wanted to .../choice.")
    choice_token: str | None = Field(description="To send along as `link`.")


class _Services(Protocol):
    """What these routes need of the application's state (`app.state.clipcast`)."""

    linker: Linker
    browser_marks: BrowserMarks


def _services(request: Request) -> _Services:
    return cast("_Services", request.app.state.clipcast)


Services = Annotated[_Services, Depends(_services)]
ReturnTo: TypeAlias = Annotated[
    str, Query(max_length=500, pattern=_LOCAL_PATH, description="A path on this server to go on to afterwards.", examples=["/app"])
]


class _PageRoute(APIRoute):
    """Tells people by a page what it tells programs by a problem."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with its errors as pages where a browser asks."""
        handler = super().get_route_handler()

        async def with_pages(request: Request) -> Response:
            try:
                return await handler(request)
            except (ClipcastError, RequestValidationError, HTTPException) as error:
                if not _wants_page(request):
                    raise
                tell = next(told for kind, told in request.app.exception_handlers.items() if isinstance(error, kind))
                problem: Response = await tell(request, error)
                sentence = json.loads(bytes(problem.body))["detail"]
                if isinstance(error, LinkUsed):
                    return pages.used(problem.status_code, sentence)
                return pages.refused(problem.status_code, sentence, wish_of(error))

        return with_pages


router = APIRouter(prefix="/oauth", tags=["accounts"], route_class=_PageRoute)


@router.get("/{platform}/start", status_code=303, dependencies=[MANAGES], response_class=RedirectResponse, responses=_AWAY)
def start(
    platform: PlatformName,
    request: Request,
    services: Services,
    actor: CurrentActor,
    *,
    login: Annotated[str, Query(max_length=20, description="Instagram: `instagram` (default) or `facebook`.")] = "",
    account_id: Annotated[
        AccountId | None, Query(description="The account to connect again; none: whichever the owner consents with.")
    ] = None,
    kind: Annotated[Kind, Query(description="What an account that is new here becomes.")] = "main",
    main_account_id: Annotated[AccountId | None, Query(description="The main account that a new satellite follows.")] = None,
    return_to: ReturnTo = "/",
) -> Response:
    """Connect an account by its owner's consent: open this in a browser."""
    linker, marks = services.linker, services.browser_marks
    uri = redirect_uri(platform, linker.settings.public_url, request.headers.get("host", ""))
    mark = marks.read_or_new(request.cookies)
    wish = Wish(platform, login, account_id, kind, main_account_id, "" if return_to == "/" else return_to)
    url = linker.start(wish, redirect_uri=uri, browser=mark, actor=actor.label)
    answer = RedirectResponse(url, 303, _UNSEEN)
    _mark(answer, services, mark)
    return answer


@router.get("/{platform}/callback", dependencies=[PUBLIC, ASKS_PLATFORM], response_model=LinkedOut, responses=_BACK)
def callback(platform: PlatformName, request: Request, services: Services) -> Response:
    """Where the platform sends the owner back to. Its parameters are the platform's own."""
    mark = services.browser_marks.read(request.cookies)
    outcome = services.linker.arrived(platform, _single(request), mark)
    answer = _told(request, services, platform, outcome)
    if outcome.choice_token:  # the choice may take as long again as the consent
        _mark(answer, services, mark)
    return answer


@router.get("/{platform}/connected", dependencies=[READS], include_in_schema=False)
def show_connected(
    platform: PlatformName, services: Services, account: Annotated[list[AccountId] | None, Query(max_length=500)] = None
) -> Response:
    """The page at the end of a consent. Its address may be kept, opened again and shown around: it holds nothing of the consent."""
    with services.linker.db.reading() as session:
        rows = [row for one in account or [] if (row := store.find(session, one)) and row.platform == platform]
    return pages.connected([row for row in rows if row.status == "active"])


@router.post("/{platform}/choice", dependencies=[MANAGES, ASKS_PLATFORM], response_model=LinkedOut, responses=_BACK)
def choose(
    platform: PlatformName,
    request: Request,
    services: Services,
    *,
    link: Annotated[str, Form(max_length=100, description="The `choice_token`.")],
    account: Annotated[list[str] | None, Form(max_length=500, description="The `external_id` of each account that is wanted.")] = None,
) -> Response:
    """Connect some of the accounts that a consent is good for (Instagram with Facebook's login)."""
    try:
        outcome = services.linker.choose(platform, link, account or [], services.browser_marks.read(request.cookies))
    except NotChosen as again:
        if not _wants_page(request):
            raise
        return pages.choice(platform, again.found, link, status=400, trouble=str(again))
    return _told(request, services, platform, outcome)


def _single(request: Request) -> Mapping[str, str]:
    """The query's parameters, each there once: which of two codes would be meant is anybody's guess (RFC 6749, section 3.1)."""
    given = request.query_params.multi_items()
    if len({name for name, _ in given}) != len(given):
        raise LinkRefused("The platform's answer holds something twice, which no platform sends. Begin anew.")
    return dict(given)


def _told(request: Request, services: _Services, platform: str, outcome: Outcome) -> Response:
    if not _wants_page(request):
        return JSONResponse(linked(services.linker, outcome).model_dump(mode="json"), headers=_UNSEEN)
    if outcome.choice_token:
        return pages.choice(platform, outcome.choices, outcome.choice_token)
    # Not a page from here: the address of the way back, with its code and state, would stay in view and be asked for again by a reload.
    connected = urlencode([("account", one.id) for one in outcome.accounts])
    return RedirectResponse(outcome.return_to or f"/oauth/{platform}/connected?{connected}", 303, _UNSEEN)


def _mark(answer: Response, services: _Services, mark: str) -> None:
    """Have the browser bear the mark for another ten minutes."""
    services.browser_marks.give(answer, mark, secure=services.linker.settings.public_url.startswith("https://"))


def linked(linker: Linker, outcome: Outcome) -> LinkedOut:
    """What programs are told of a consent."""
    return LinkedOut(
        accounts=[shown(row, assess(row, linker.vault, linker.live.get(row.platform), linker.settings)) for row in outcome.accounts],
        simulated=outcome.simulated,
        choices=[ChoiceOut(external_id=one.external_id, username=one.username) for one in outcome.choices],
        choice_token=outcome.choice_token or None,
    )


def _wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")
