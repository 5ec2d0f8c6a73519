"""The OpenAPI document: FastAPI's, with the errors that each operation can really answer."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI

from clipcast.api.problems import MEDIA_TYPE, Problem

_FASTAPIS_OWN: Final = ("HTTPValidationError", "ValidationError")
"""Schemas of an error format that this server does not speak."""

_ALWAYS: Final = frozenset({500, 503})
_PARTICULAR: Final[Mapping[str, frozenset[int]]] = {
    "POST /clips": frozenset({400, 404}),
    "POST /clips/{clip_id}/renditions": frozenset({400}),
    "POST /accounts": frozenset({400, 404, 409}),
    "PATCH /accounts/{account_id}": frozenset({400}),
    "GET /accounts/{account_id}/quota": frozenset({400, 502}),
    "POST /posts": frozenset({400, 404, 409}),
    "POST /posts/preflight": frozenset({400, 404}),
    "PATCH /posts/{post_id}": frozenset({400, 409}),
    "POST /publishing/publish": frozenset({400, 404, 409}),
    "POST /publications/preflight": frozenset({400, 404}),
    "POST /publications/{publication_id}/cancellation": frozenset({409}),
    "POST /publications/{publication_id}/attempts": frozenset({409}),
    "POST /publications/{publication_id}/decision": frozenset({409}),
}
"""What only the operation itself knows; the rest follows from its form."""


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
    if "requestBody" in operation:
        found |= {413, 422}
    return found | {422} if operation.get("parameters") else found


def _described(status: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": schema}}}
