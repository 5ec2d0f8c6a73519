"""One request and its answer, and what a platform needs to answer: plain values, no I/O."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any, Protocol

from sqlalchemy import Connection

from clipcast_simulator.faults import Fault
from clipcast_simulator.settings import SimulatorSettings


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came over the wire. Header names are lower case; a repeated header is joined by `, `."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    base_url: str  #: scheme and authority as the client addressed us
    body: bytes = b""
    params: Mapping[str, str] = field(default_factory=dict)  #: what the route's path template captured

    def header(self, name: str) -> str | None:
        """Return a header's value, or None when it was not sent."""
        return self.headers.get(name)


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back. `code` is the platform's own word for the outcome, for the journal."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    code: str | None = None

    def with_header(self, name: str, value: str) -> "Reply":
        """Return the same reply with one more header."""
        return replace(self, headers=(*self.headers, (name, value)))


@dataclass(frozen=True, slots=True)
class Context:
    """The moment in which a request is answered: one transaction, one instant, the settings, the scripted fault."""

    connection: Connection
    now: float
    settings: SimulatorSettings
    media: Path
    entry: int  #: the request's number in the journal
    random: Random  #: drawn from the seed and the entry, so a run can be repeated
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom and what a request concerns, for faults that name an account or a chunk."""

    username: str | None = None
    chunk: int | None = None
    is_last: bool | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """Leave to receive a body: where its bytes go and how many there must be. `task` is the platform's own key."""

    path: Path
    size: int
    task: int
    first: int


class Intake(Protocol):
    """A body that is streamed to disk instead of held in memory."""

    def admit(self, context: Context, request: Request) -> Grant | Reply:
        """Check everything that can be known before the first byte; a Reply refuses."""

    def store(self, context: Context, grant: Grant) -> Reply:
        """Take the complete body into the state; called once its bytes are in the file."""


@dataclass(frozen=True, slots=True)
class Errand:
    """What must be done between two transactions, such as fetching a URL; `finish` answers with what it brought."""

    run: Callable[[], Any]
    finish: Callable[[Context, Any], Reply]


Handler = Callable[[Context, Request], Reply | Errand]


@dataclass(frozen=True, slots=True)
class Route:
    """One thing that can be asked. `path` is exact, or a template with `{name}` segments."""

    method: str
    path: str
    operation: str
    handler: Handler | None = None
    intake: Intake | None = None
    before: Callable[[Request], None] | None = None  #: runs outside the transaction, for what takes long
    stirs: bool = False  #: what it does may leave work for the chores
    when: Callable[[Request], bool] | None = None  #: several routes may share an address; the first that fits answers
    salvage: Callable[[Context, Grant], None] | None = None  #: keeps what arrived of a body that broke off, or else it is thrown away


def json_reply(status: int, content: Any, code: str | None = None) -> Reply:
    """Answer in JSON."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return Reply(status, body, (("content-type", "application/json; charset=utf-8"),), code)


def text_reply(status: int, text: str, media_type: str = "text/plain") -> Reply:
    """Answer in plain text or HTML."""
    return Reply(status, text.encode(), (("content-type", f"{media_type}; charset=utf-8"),))
