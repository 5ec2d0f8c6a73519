"""Every error as `application/problem+json` (RFC 9457): a true status, a stable code, and a sentence that says what to do."""

import math
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from clipcast.concealed import MASK
from clipcast.errors import (
    Busy,
    ClipcastError,
    Conflict,
    Forbidden,
    InvalidRequest,
    NotFound,
    NotSent,
    PlatformError,
    Throttled,
    TooLarge,
    TooManyAttempts,
    Unauthorized,
    Unavailable,
    UnusableRows,
    WireError,
)
from clipcast.log import redact

log = structlog.get_logger()

MEDIA_TYPE: Final = "application/problem+json"

#: What each kind of trouble is in HTTP's words; a kind without a line has its parent's.
STATUS: Final[Mapping[type[Exception], int]] = {
    ClipcastError: 500,
    NotFound: 404,
    Unauthorized: 401,
    Forbidden: 403,
    TooManyAttempts: 429,
    InvalidRequest: 400,
    TooLarge: 413,
    Conflict: 409,
    Busy: 503,
    WireError: 502,
    NotSent: 503,
    PlatformError: 502,
    Throttled: 429,
    Unavailable: 503,
}
RETRY_AFTER_S: Final[Mapping[type[Exception], int]] = {Busy: 1, NotSent: 5, Unavailable: 30}
"""When the same request makes sense again, where the trouble itself does not say."""

_SHOWN_ERRORS: Final = 20
"""How many faults of one request are listed: a list of a thousand wrong items need not come back a thousandfold."""
_NAME: Final = re.compile(r"[A-Za-z_]{1,40}")
"""What somebody may have meant as a field's name; anything else may be its value, which is nobody's to repeat."""
_NOT_JSON: Final = "Send a JSON object, with the header Content-Type: application/json."
_ROUTING: Final = {
    404: ("no_such_route", "There is nothing at this address; /docs lists what there is."),
    405: ("method_not_allowed", "This address does not take that method; the Allow header lists those it takes."),
}


class Fault(BaseModel):
    """One thing that is malformed in a request."""

    location: str = Field(description="Where, for example `body.metadata.caption`.")
    message: str


class Problem(BaseModel):
    """Why a request was not carried out (RFC 9457)."""

    type: str = Field(description="Always `about:blank`: `code` tells the kinds apart.")
    title: str = Field(description="The status in words.")
    status: int
    detail: str = Field(description="A sentence for a person: what is wrong and what to do.")
    code: str = Field(description="What is wrong, for a program; stable.")
    request_id: str = Field(description="The same as the X-Request-ID header; quote it in a report.")
    errors: list[Fault] | None = Field(default=None, description="Each fault of a malformed request (422).")


def problem(
    request: Request,
    status: int,
    code: str,
    detail: str,
    *,
    errors: Sequence[Fault] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer that says so. Whatever in `detail` has the shape of a secret is masked; `errors`, and a `detail` made of them, come so."""
    content = Problem(
        type="about:blank",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail if errors else redact(detail),  # "body.password: Field required" has such a shape, and holds none
        code=code,
        request_id=request.state.request_id,
        errors=list(errors) if errors else None,
    )
    return JSONResponse(content.model_dump(exclude_none=True), status, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Have the application answer with problems. Bugs are not here: `edge` catches them, outside everything else."""
    app.add_exception_handler(ClipcastError, _expected)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _routed)


def nearest(error: Exception, table: Mapping[type[Exception], int]) -> int | None:
    """The table's line for this error's class, or for its closest parent.

    >>> nearest(TooLarge("..."), STATUS), nearest(Unavailable("...", "tiktok"), STATUS)
    (413, 503)
    """
    return next((table[kind] for kind in type(error).__mro__ if kind in table), None)


async def _expected(request: Request, error: Exception) -> Response:
    assert isinstance(error, ClipcastError)
    return answer(request, error)


def answer(request: Request, error: ClipcastError) -> Response:
    """The answer to a request that met trouble of a known kind."""
    status = nearest(error, STATUS) or 500
    if status >= 500:
        log.warning("request.failed", code=error.code, reason=str(error))
    rows = [Fault(location=place, message=sentence) for place, sentence in error.faults] if isinstance(error, UnusableRows) else None
    return problem(request, status, error.code, str(error), errors=rows, headers=_headers(error))


def _headers(error: ClipcastError) -> dict[str, str]:
    """How to ask for access, or when to ask again."""
    if isinstance(error, Unauthorized):
        return {"WWW-Authenticate": "Bearer"}
    pause_s = math.ceil(error.retry_after_s) if isinstance(error, Throttled | TooManyAttempts) else nearest(error, RETRY_AFTER_S)
    return {} if pause_s is None else {"Retry-After": str(pause_s)}


async def _malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return malformed(request, [_fault(found) for found in error.errors()[:_SHOWN_ERRORS]])


def malformed(request: Request, faults: Sequence[Fault]) -> Response:
    """422, with every fault in the sentence and as a list."""
    sentence = " ".join(f"{fault.location}: {fault.message}" for fault in faults)
    return problem(request, 422, "malformed", f"The request is malformed. {sentence}", errors=faults)


def _fault(found: Mapping[str, Any]) -> Fault:
    """Where and why, in pydantic's words; never the value itself, which may be a secret in the wrong field."""
    place = tuple(found["loc"])
    if place == ("body",) and found["type"] in {"model_attributes_type", "missing"}:
        return Fault(location="body", message=_NOT_JSON)
    if found["type"] == "extra_forbidden":
        place = (*place[:-1], place[-1] if _NAME.fullmatch(str(place[-1])) else MASK)
    location = ".".join(redact(str(part))[:100] for part in place)
    message = redact(str(found["msg"])).removeprefix("Value error, ").rstrip(".")
    return Fault(location=location, message=f"{message}.")


async def _routed(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    name = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
    code, detail = _ROUTING.get(error.status_code, (name, f"{error.detail}."))
    if error.status_code == 404 and request.scope["path"].endswith("/"):
        detail = _without_slash(request)
    return problem(request, error.status_code, code, detail, headers=error.headers)


def _without_slash(request: Request) -> str:
    """Names the address that was meant where it is one of ours word for word; any other may hold what is nobody's to repeat."""
    meant = request.scope["path"].rstrip("/")
    known = any(getattr(route, "path", None) == meant for route in iter_route_contexts(request.app.routes))
    return f"There is nothing at this address. Send it without the slash at its end{f', to {meant}' if meant and known else ''}."
