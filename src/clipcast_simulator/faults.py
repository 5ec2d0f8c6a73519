"""Scripted faults: a resource of the simulator, consumed in order, with an accounting of what fired.

A request takes the oldest unspent fault that names its platform, operation and, when given, account and chunk.
`after` lets that many matching requests pass first; `times` is how often it fires.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Boolean, Column, Connection, Integer, RowMapping, String, Table, insert, select, update

from clipcast_simulator.state import METADATA

KIB = 1024

faults = Table(
    "faults",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("platform", String, nullable=False),
    Column("operation", String, nullable=False),
    Column("fault", String, nullable=False),
    Column("times", Integer, nullable=False),
    Column("after", Integer, nullable=False),
    Column("username", String),
    Column("chunk", Integer),
    Column("last", Boolean),
    Column("body", String, nullable=False),
    Column("status", Integer, nullable=False),
    Column("passed", Integer, nullable=False),
    Column("fired", Integer, nullable=False),
)

Shape = Literal["object", "string", "text", "html", "empty"]


class FaultOrder(BaseModel):
    """A fault as it is asked for over HTTP."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    platform: str
    operation: str
    fault: str
    times: int = Field(default=1, ge=1)
    after: int = Field(default=0, ge=0)
    username: str | None = None
    chunk: int | None = Field(default=None, ge=0)  #: counted from 0
    last: bool | None = None
    body: Shape = "object"  #: how an error answer is written
    status: int = Field(default=500, ge=500, le=599)  #: what `error-after-effect` answers


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that fires on a request.

    `kind` is one of: `status`, `reset`, `stall`, `late`, `drop`, `error-after-effect`, `code`, or `platform` for what only
    the platform can do. `after_bytes` says how much of the body is read first (None: the kind's own habit).
    """

    instruction: str
    kind: str
    status: int = 0
    after_bytes: int | None = None
    seconds: float = 0.0
    word: str = ""
    shape: Shape = "object"


class Marked(Protocol):
    """What a fault's filters are compared with."""

    @property
    def username(self) -> str | None:
        """The account a request concerns."""

    @property
    def chunk(self) -> int | None:
        """The number of the chunk it carries, from 0."""

    @property
    def is_last(self) -> bool | None:
        """Whether that chunk is the last one."""


_PATTERNS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], dict[str, Any]]], ...] = (
    (re.compile(r"([45]\d\d)"), lambda m: {"kind": "status", "status": int(m[1])}),
    (
        re.compile(r"([45]\d\d)-after-(\d+)K"),
        lambda m: {"kind": "status", "status": int(m[1]), "after_bytes": int(m[2]) * KIB},
    ),
    (re.compile(r"reset"), lambda _: {"kind": "reset", "after_bytes": 0}),
    (re.compile(r"reset-after-(\d+)K"), lambda m: {"kind": "reset", "after_bytes": int(m[1]) * KIB}),
    (re.compile(r"stall-(\d+(?:\.\d+)?)s"), lambda m: {"kind": "stall", "seconds": float(m[1])}),
    (re.compile(r"late-answer-(\d+(?:\.\d+)?)s"), lambda m: {"kind": "late", "seconds": float(m[1])}),
    (re.compile(r"accept-then-drop-answer"), lambda _: {"kind": "drop"}),
    (re.compile(r"error-after-effect"), lambda _: {"kind": "error-after-effect"}),
    (re.compile(r"code:(\w+)"), lambda m: {"kind": "code", "word": m[1]}),
)


def parse(instruction: str, shape: Shape = "object", status: int = 500) -> Fault:
    """Read an instruction. What is not common to all platforms becomes kind `platform`, unchecked.

    >>> parse("503-after-256K").after_bytes
    262144
    """
    for pattern, build in _PATTERNS:
        if match := pattern.fullmatch(instruction):
            return Fault(**{"instruction": instruction, "shape": shape, "status": status, **build(match)})
    word, _, argument = instruction.partition(":")
    return Fault(instruction, "platform", word=argument or word, shape=shape)


def add(connection: Connection, order: FaultOrder) -> None:
    """Append a fault to the script."""
    connection.execute(insert(faults).values(**order.model_dump(), passed=0, fired=0))


def listing(connection: Connection) -> list[dict[str, Any]]:
    """Return every fault with how often it fired and how often it still will."""
    rows = connection.execute(select(faults).order_by(faults.c.id)).mappings()
    return [{**row, "pending": row["times"] - row["fired"]} for row in rows]


def clear(connection: Connection) -> None:
    """Forget the script, the spent part too."""
    connection.execute(faults.delete())


def claim(connection: Connection, platform: str, operation: str, subject: Callable[[], Marked]) -> Fault | None:
    """Take the fault that fires on this request, if any, and count it. `subject` is asked only when needed."""
    waiting = select(faults).where(faults.c.platform == platform, faults.c.operation == operation, faults.c.fired < faults.c.times)
    rows = connection.execute(waiting.order_by(faults.c.id)).mappings().all()
    if not rows:
        return None
    who = subject()
    row = next((row for row in rows if _names(row, who)), None)
    if row is None:
        return None
    fires = row["passed"] >= row["after"]
    counter = faults.c.fired if fires else faults.c.passed
    connection.execute(update(faults).where(faults.c.id == row["id"]).values({counter: counter + 1}))
    return parse(row["fault"], row["body"], row["status"]) if fires else None


def _names(row: RowMapping, who: Marked) -> bool:
    wanted = ((row["username"], who.username), (row["chunk"], who.chunk), (row["last"], who.is_last))
    return all(want is None or want == have for want, have in wanted)
