"""Every request seen, without secrets: no query, no headers, no bodies."""

from typing import Any

from sqlalchemy import Column, Connection, Float, Integer, String, Table, insert, select, update

from clipcast_simulator.clock import iso
from clipcast_simulator.state import METADATA

requests = Table(
    "requests",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("platform", String),
    Column("operation", String, nullable=False),
    Column("method", String, nullable=False),
    Column("path", String, nullable=False),
    Column("username", String),
    Column("bytes", Integer, nullable=False, default=0),
    Column("status", Integer),
    Column("code", String),
    Column("fault", String),
    sqlite_autoincrement=True,
)

PAGE = 10_000


def open_entry(connection: Connection, at: float, *, platform: str | None, operation: str, method: str, path: str) -> int:
    """Note that a request began and return its number. Until it is answered its status stays empty."""
    row = insert(requests).values(at=at, platform=platform, operation=operation, method=method, path=path)
    key = connection.execute(row).inserted_primary_key
    assert key is not None
    return int(key[0])


def note(connection: Connection, entry: int, **facts: Any) -> None:
    """Add what is known by now: `status`, `code`, `bytes`, `fault`, `username`."""
    connection.execute(update(requests).where(requests.c.id == entry).values(**facts))


def listing(connection: Connection, since: int, operation: str | None) -> list[dict[str, Any]]:
    """Return the requests after number `since`, oldest first, at most PAGE of them."""
    query = select(requests).where(requests.c.id > since).order_by(requests.c.id).limit(PAGE)
    if operation is not None:
        query = query.where(requests.c.operation == operation)
    return [{**row, "at": iso(row["at"])} for row in connection.execute(query).mappings()]
