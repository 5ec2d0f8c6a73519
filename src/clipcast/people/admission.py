"""The door of the HTTP interface: who asks is found out here, and whether they may.

    @router.post("/posts", dependencies=[PUBLISHES])
    def create_post(post: PostIn, actor: CurrentActor) -> PostOut: ...

What an operation asks for stands in the OpenAPI document as the scopes of its security requirement.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final, cast

import structlog
from fastapi import Depends, Request, Response, Security, params
from fastapi.security import APIKeyCookie, HTTPBearer
from fastapi.security.utils import get_authorization_scheme_param
from starlette.concurrency import run_in_threadpool

from clipcast.errors import Busy, Unauthorized
from clipcast.people import keys, sessions, store
from clipcast.people.access import Actor, Permission, acting
from clipcast.people.browsers import Services, check_browser, give_session, services, session_token
from clipcast.people.cookies import SECURE, SESSION

log = structlog.get_logger()

_NOBODY: Final = (
    "Nobody is signed in. Open the link that `clipcast serve` printed, sign in at /login, or make a key: "
    "clipcast apikeys create --name me --role owner"
)
_KEY_SCHEME: Final = HTTPBearer(
    auto_error=False, scheme_name="api_key", description="An API key: `Authorization: Bearer clipcast_...` (`clipcast apikeys create`)."
)
_SESSION_SCHEME: Final = APIKeyCookie(
    auto_error=False,
    name=SESSION,
    scheme_name="session",
    description=f"The session of a signed-in browser; `{SECURE}{SESSION}` under https. What changes something needs an `Origin` of ours.",
)


async def admit(request: Request) -> Actor:
    """Find out who asks, by key or by session; a key that came along counts alone. Asked once for each request, whoever asks first.

    Raises:
        Unauthorized: nobody does, or nobody that is known (any more).
        WrongOrigin: a browser asks, and not because of a page of ours.
    """
    if not hasattr(request.state, "actor"):
        request.state.actor = await run_in_threadpool(_asking, request)
        acting.set(request.state.actor.label)
        structlog.contextvars.bind_contextvars(actor=request.state.actor.id)  # here: what a thread binds, the threads after it do not see
    return cast("Actor", request.state.actor)


async def current_actor(
    request: Request,
    response: Response,
    _key: Annotated[object, Security(_KEY_SCHEME)],
    _session: Annotated[object, Security(_SESSION_SCHEME)],
) -> Actor:
    """Whoever asks; a browser whose session was prolonged gets its cookie anew."""
    actor = await admit(request)
    prolonged = getattr(request.state, "prolonged_session", None)
    if prolonged is not None:
        give_session(request, response, prolonged)
    return actor


CurrentActor = Annotated[Actor, Depends(current_actor)]


async def _reading(actor: CurrentActor) -> None:
    actor.must_have(Permission.READ)


async def _publishing(actor: CurrentActor) -> None:
    actor.must_have(Permission.PUBLISH)


async def _managing(actor: CurrentActor) -> None:
    actor.must_have(Permission.MANAGE)


async def _anybody() -> None:
    """No question is asked."""


READS: Final = Security(_reading, scopes=[Permission.READ])
PUBLISHES: Final = Security(_publishing, scopes=[Permission.PUBLISH])
MANAGES: Final = Security(_managing, scopes=[Permission.MANAGE])
PUBLIC: Final = Depends(_anybody)


def declared(dependencies: Sequence[object]) -> frozenset[Permission] | None:
    """What a route's dependencies ask for: nothing of those that anybody may call, and None of those that say nothing."""
    said = [each for each in (READS, PUBLISHES, MANAGES, PUBLIC) if each in dependencies]
    return (
        frozenset(Permission(scope) for each in said if isinstance(each, params.Security) for scope in each.scopes or ()) if said else None
    )


def _asking(request: Request) -> Actor:
    scheme, credential = get_authorization_scheme_param(request.headers.get("Authorization"))
    if scheme.lower() == "bearer" and credential:
        return _with_key(services(request), credential)
    return _with_session(services(request), request)


def _with_key(installation: Services, text: str) -> Actor:
    now = installation.clock()
    with installation.db.reading() as session:
        key = keys.verified(session, text, now)
    if keys.is_use_unnoted(key, now):
        try:
            with installation.db.writing(hasty=True) as session:
                store.note_use(session, key.id, now, unless_since=now - keys.USE_NOTED_EVERY)
        except Busy as error:  # the next request notes it
            log.warning("api_key.use_not_noted", reason=str(error))
    return keys.actor_of(key)


def _with_session(installation: Services, request: Request) -> Actor:
    now, token = installation.clock(), session_token(request)
    if token is None:
        raise Unauthorized(_NOBODY)
    check_browser(request)
    with installation.db.reading() as session:
        row, person = sessions.found(session, token, now)
    if sessions.is_renewal_due(row, now):
        _renew(installation, row.id, now)
        request.state.prolonged_session = token
    return sessions.actor_of(person)


def _renew(installation: Services, session_id: str, now: datetime) -> None:
    try:
        with installation.db.writing(hasty=True) as session:
            store.prolong(session, session_id, now + sessions.LASTS)
    except Busy as error:  # the next request does it
        log.warning("session.not_renewed", reason=str(error))
