"""A request's parameters, wherever they stand: query, form, multipart or JSON body; each of them once."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from typing import Any, Final
from urllib.parse import parse_qsl

from clipcast_simulator.exchange import Request
from clipcast_simulator.instagram.errors import Refusal

#: What every Graph request may carry.
COMMON: Final = frozenset({"access_token", "appsecret_proof", "fields"})

#: What every list may be asked with besides; `summary` is a modifier of Graph's that Meta's own SDK sends along.
LISTS: Final = frozenset({"limit", "after", "before", "summary"})


@dataclass(frozen=True, slots=True)
class Given:
    """Parameters as they were sent: texts, or JSON values from a JSON body."""

    values: dict[str, Any]

    def check(self, allowed: Iterable[str]) -> None:
        """Refuse what the endpoint does not document."""
        if unknown := sorted(self.values.keys() - COMMON - set(allowed)):
            raise Refusal(100, message=f"(#100) Unknown parameter: {unknown[0]}")

    def text(self, name: str) -> str | None:
        """Return a text; None when it was not sent. An empty one counts as not sent."""
        value = self.values.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise malformed(name, "string")
        return value

    def needed(self, name: str) -> str:
        """Return a text that must be there."""
        if (value := self.text(name)) is None:
            raise missing(name)
        return value

    def number(self, name: str) -> int | None:
        """Return a whole number."""
        value = self.values.get(name)
        if value is None:
            return None
        if isinstance(value, str) and value.removeprefix("-").isdecimal() and value.isascii():
            return int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise malformed(name, "integer")
        return value

    def flag(self, name: str) -> bool | None:
        """Return a boolean, written `true` or `false`."""
        value = self.values.get(name)
        known: dict[Any, bool] = {"true": True, "false": False}
        if value is None or isinstance(value, bool):
            return value
        if not isinstance(value, str) or value not in known:
            raise malformed(name, "boolean")
        return known[value]

    def structure(self, name: str, kind: type[Any]) -> Any:
        """Return a list or an object; in a query or form it is JSON text."""
        value = self.values.get(name)
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError as error:
                raise malformed(name, "JSON") from error
        if value is not None and not isinstance(value, kind):
            raise malformed(name, "array" if kind is list else "object")
        return value


def missing(name: str) -> Refusal:
    """Make the refusal of a parameter that is not there."""
    return Refusal(100, message=f"The parameter {name} is required")


def malformed(name: str, kind: str) -> Refusal:
    """Make the refusal of a parameter of the wrong type."""
    return Refusal(100, message=f"(#100) Param {name} must be a valid {kind}")


def read(request: Request) -> Given:
    """Collect the parameters; raises Refusal for a malformed body and for a repeated one."""
    pairs: list[tuple[str, Any]] = list(parse_qsl(request.query, keep_blank_values=True))
    if request.body:
        kind = (request.header("content-type") or "").partition(";")[0].strip().lower()
        parse = _BODIES.get(kind)
        if parse is None:
            raise Refusal(100, message=f"(#100) Unsupported content type: {kind or 'none'}")
        pairs += parse(request)
    values = dict(pairs)
    if len(values) != len(pairs):
        raise Refusal(100, message="(#100) A parameter is repeated")
    return Given(values)


def _form(request: Request) -> list[tuple[str, Any]]:
    try:
        return list(parse_qsl(request.body.decode(), keep_blank_values=True, strict_parsing=True))
    except ValueError as error:
        raise Refusal(100, message="(#100) The body is malformed") from error


def _json(request: Request) -> list[tuple[str, Any]]:
    try:
        content = json.loads(request.body)
    except ValueError as error:
        raise Refusal(100, message="(#100) The body is not valid JSON") from error
    if not isinstance(content, dict):
        raise Refusal(100, message="(#100) The body must be a JSON object")
    return list(content.items())


def _multipart(request: Request) -> list[tuple[str, Any]]:
    head = f"Content-Type: {request.header('content-type')}\r\n\r\n".encode("latin-1")
    message = message_from_bytes(head + request.body)
    parts = message.get_payload()
    if not message.is_multipart() or not isinstance(parts, list):
        raise Refusal(100, message="(#100) The multipart body is malformed")
    return [_part(part) for part in parts if isinstance(part, Message)]


def _part(part: Message) -> tuple[str, Any]:
    name = part.get_param("name", header="content-disposition")
    body = part.get_payload(decode=True)
    if not isinstance(name, str) or not isinstance(body, bytes) or part.get_filename() is not None:
        raise Refusal(100, message="(#100) The multipart body is malformed")
    try:
        return name, body.decode()
    except ValueError as error:
        raise Refusal(100, message="(#100) The multipart body is malformed") from error


_BODIES: Final[dict[str, Callable[[Request], list[tuple[str, Any]]]]] = {
    "application/x-www-form-urlencoded": _form,
    "application/json": _json,
    "multipart/form-data": _multipart,
}
