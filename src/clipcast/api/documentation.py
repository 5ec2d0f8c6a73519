"""The OpenAPI document and its page: FastAPI's, with the errors that each operation can really answer."""

import base64
import hashlib
import re
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import fastapi_offline
from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse

from clipcast.api.problems import MEDIA_TYPE, Problem
from clipcast.errors import NotFound
from clipcast.people.admission import READS

router = APIRouter(include_in_schema=False)

_SWAGGER: Final = Path(fastapi_offline.__file__).parent / "static"
_FILES: Final[Mapping[str, str]] = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
_INLINE: Final = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_POLICY: Final = (
    "default-src 'none'; script-src 'self' '{script}'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Swagger UI may show the document and call this server, and nothing else."""

_FASTAPIS_OWN: Final = ("HTTPValidationError", "ValidationError")
"""Schemas of an error format that this server does not speak."""

_ALWAYS: Final = frozenset({500, 503})
_PARTICULAR: Final[Mapping[str, frozenset[int]]] = {
    "POST /clips": frozenset({400, 404}),
    "POST /clips/{clip_id}/renditions": frozenset({400}),
    "POST /accounts": frozenset({400, 404, 409}),
    "PATCH /accounts/{account_id}": frozenset({400, 409}),
    "GET /accounts/{account_id}/quota": frozenset({400, 502}),
    "POST /accounts/{account_id}/refresh": frozenset({400}),
    "DELETE /accounts/{account_id}": frozenset({409}),
    "GET /oauth/{platform}/start": frozenset({400}),
    "GET /oauth/{platform}/callback": frozenset({400, 409, 429, 502}),
    "POST /oauth/{platform}/choice": frozenset({400, 409}),
    "PATCH /people/me": frozenset({400, 429}),
    "POST /people/invitations": frozenset({400, 409}),
    "PATCH /people/{person_id}": frozenset({400, 409}),
    "DELETE /people/{person_id}": frozenset({409}),
    "POST /apikeys": frozenset({400, 409}),
    "POST /sessions": frozenset({401, 403, 429}),
    "DELETE /sessions/current": frozenset({403}),
    "POST /posts": frozenset({400, 404, 409}),
    "POST /posts/preflight": frozenset({400, 404}),
    "PATCH /posts/{post_id}": frozenset({400, 409}),
    "PUT /accounts/{account_id}/slots": frozenset({400}),
    "POST /recurrences": frozenset({400, 404, 409}),
    "GET /recurrences/{recurrence_id}/occurrences": frozenset({400}),
    "PATCH /recurrences/{recurrence_id}/occurrences/{local_time}": frozenset({400, 409}),
    "POST /recurrences/{recurrence_id}/cancellation": frozenset({400}),
    "POST /schedules/import": frozenset({400}),
    "POST /calendar/feeds": frozenset({409}),
    "GET /calendar.ics": frozenset({404}),
    "POST /publishing/publish": frozenset({400, 404, 409}),
    "POST /publications/preflight": frozenset({400, 404}),
    "POST /publications/{publication_id}/cancellation": frozenset({409}),
    "POST /publications/{publication_id}/attempts": frozenset({409}),
    "POST /publications/{publication_id}/decision": frozenset({409}),
}
"""What only the operation itself knows; the rest follows from its form."""


@router.get("/openapi.json", dependencies=[READS])
def show_document(request: Request) -> JSONResponse:
    """The OpenAPI document."""
    return JSONResponse(request.app.openapi())


@router.get("/docs", dependencies=[READS])
def show_page(request: Request) -> HTMLResponse:
    """The same to read and to try."""
    page = get_swagger_ui_html(
        openapi_url="/openapi.json",
        title=request.app.title,
        swagger_js_url="/docs/swagger-ui-bundle.js",
        swagger_css_url="/docs/swagger-ui.css",
        swagger_favicon_url="data:,",
    )
    return HTMLResponse(page.body, headers={"Content-Security-Policy": _POLICY.format(script=_hash_of_script(bytes(page.body).decode()))})


@router.get("/docs/{name}", dependencies=[READS])
def show_file(name: str) -> FileResponse:
    """What the page is made of: nothing of it comes from elsewhere, so that nobody else's script acts for whoever is signed in."""
    if name not in _FILES:
        raise NotFound("There is nothing at this address; /docs is the page.")
    return FileResponse(_SWAGGER / name, media_type=_FILES[name], headers={"Cache-Control": "private, max-age=86400"})


def _hash_of_script(page: str) -> str:
    """The one script within the page that may run, as a Content-Security-Policy names it."""
    inline = _INLINE.search(page)
    assert inline is not None
    return f"sha256-{base64.b64encode(hashlib.sha256(inline[1].encode()).digest()).decode()}"


class DocumentedApi(FastAPI):
    """A FastAPI application whose document lists every error as a problem."""

    def openapi(self) -> dict[str, Any]:
        """The document, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = with_problems(super().openapi())
        return self.openapi_schema


def with_problems(document: dict[str, Any]) -> dict[str, Any]:
    """The same document, each operation with its errors."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in _FASTAPIS_OWN:
        schemas.pop(name, None)
    own = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= {**own.pop("$defs"), "Problem": own}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            operation["responses"] |= {str(status): _described(status) for status in sorted(statuses(method, path, operation))}
    return document


def statuses(method: str, path: str, operation: Mapping[str, Any]) -> frozenset[int]:
    """The error statuses of one operation.

    >>> sorted(statuses("get", "/clips/{clip_id}", {"parameters": [{}]}))
    [404, 422, 500, 503]
    """
    found = _ALWAYS | _PARTICULAR.get(f"{method.upper()} {path}", frozenset())
    if "{" in path:
        found |= {404}
    if operation.get("security"):
        found |= {401, 403}
    if "requestBody" in operation:
        found |= {408, 413, 422}
    return found | {422} if operation.get("parameters") else found


def _described(status: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": schema}}}
