"""Strict JSON bodies: the documented fields with their documented types, and nothing else."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final, Literal

from clipcast_simulator.exchange import Request
from clipcast_simulator.tiktok.envelope import Refusal

Kind = Literal["string", "boolean", "int32", "int64", "strings", "object"]

JSON_TYPE: Final = re.compile(r"application/json; ?charset=utf-8", re.IGNORECASE)

_BOUNDS: Final = {"int32": 1 << 31, "int64": 1 << 63}


def read_json(request: Request, *, optional: bool = False) -> dict[str, Any]:
    """Parse a body that must be a JSON object, declared as `application/json; charset=UTF-8`."""
    declared = request.header("content-type")
    if not request.body and optional and declared is None:
        return {}
    if not JSON_TYPE.fullmatch(declared or ""):
        raise Refusal("invalid_params", "Content-Type must be application/json; charset=UTF-8")
    if not request.body and optional:
        return {}
    try:
        body = json.loads(request.body)
    except ValueError as error:
        raise Refusal("invalid_params", "The request body is not valid JSON") from error
    if not isinstance(body, dict):
        raise Refusal("invalid_params", "The request body must be a JSON object")
    return body


def check_fields(body: Mapping[str, Any], allowed: Mapping[str, Kind], prefix: str = "") -> None:
    """Refuse unknown fields and wrong types."""
    for name, value in body.items():
        kind = allowed.get(name)
        if kind is None:
            raise Refusal("invalid_params", f"Unknown field {prefix}{name}")
        if not _fits(value, kind):
            raise Refusal("invalid_params", f"The field {prefix}{name} must be of type {kind}")


def required(body: Mapping[str, Any], name: str, prefix: str = "") -> Any:
    """Return a field that must be there."""
    if name not in body:
        raise Refusal("invalid_params", f"The field {prefix}{name} is required")
    return body[name]


def utf16_units(text: str) -> int:
    r"""Count as TikTok counts: an emoji outside the basic plane is two.

    >>> utf16_units("a\U0001F600")
    3
    """
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _fits(value: Any, kind: Kind) -> bool:
    match kind:
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "int32" | "int64":
            bound = _BOUNDS[kind]
            return isinstance(value, int) and not isinstance(value, bool) and -bound <= value < bound
        case "strings":
            return isinstance(value, list) and all(isinstance(item, str) for item in value)
        case "object":
            return isinstance(value, dict)
