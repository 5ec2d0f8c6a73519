"""The state directory: an SQLite database and the received media. Nothing that matters lives in process memory.

Every request is one `BEGIN IMMEDIATE` transaction, so two processes may serve the same directory. WAL with
`synchronous=NORMAL` loses nothing when a process is killed; only a power failure could cost the last commits.
"""

import json
import shutil
import sqlite3
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, Engine, MetaData, String, Table, Text, create_engine, event, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from clipcast_simulator.settings import media_directory

METADATA = MetaData()

meta = Table("meta", METADATA, Column("key", String, primary_key=True), Column("value", Text, nullable=False))


class State:
    """One state directory, opened. Creating it makes the directory and the tables when they are missing."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.media = media_directory(directory)
        self.locks = directory / "locks"  #: of work that only one process may do
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)  # what it was sent is nobody else's
        for folder in (self.media, self.locks):
            folder.mkdir(parents=True, exist_ok=True)
        self._engine = _open(directory / "state.sqlite")
        self._turn = threading.Lock()
        with self.transaction() as connection:
            METADATA.create_all(connection)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Hold the only writing transaction; committed at the end, rolled back by an exception.

        The lock spares threads of one process SQLite's polling wait; processes wait for each other in SQLite.
        """
        with self._turn, self._engine.begin() as connection:
            yield connection

    def identity(self, connection: Connection) -> str:
        """Return the UUID of this state, which a reset replaces."""
        known = read(connection, "state_id")
        if known is None:
            known = str(uuid.uuid4())
            write(connection, "state_id", known)
        return str(known)

    def clear(self, connection: Connection) -> None:
        """Forget everything: every row of every table, and every received byte."""
        for table in reversed(METADATA.sorted_tables):
            connection.execute(table.delete())
        for child in self.media.iterdir():
            shutil.rmtree(child, ignore_errors=True)

    def close(self) -> None:
        """Give the database connections back."""
        self._engine.dispose()


def read(connection: Connection, key: str) -> Any:
    """Return a stored JSON value, or None when the key was never written."""
    text = read_text(connection, key)
    return None if text is None else json.loads(text)


def read_text(connection: Connection, key: str) -> str | None:
    """Return a stored value as the JSON text it is, or None."""
    return connection.execute(select(meta.c.value).where(meta.c.key == key)).scalar()


def read_texts(connection: Connection, keys: Sequence[str]) -> dict[str, str]:
    """Return several stored values as JSON texts; missing ones are left out."""
    rows = connection.execute(select(meta.c.key, meta.c.value).where(meta.c.key.in_(keys)))
    return {row.key: row.value for row in rows}


def write(connection: Connection, key: str, value: Any) -> None:
    """Store a JSON value under a key."""
    row = insert(meta).values(key=key, value=json.dumps(value))
    connection.execute(row.on_conflict_do_update(index_elements=[meta.c.key], set_={"value": row.excluded.value}))


def _open(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30, "check_same_thread": False}, hide_parameters=True)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin_immediately)
    return engine


def _prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    assert isinstance(connection, sqlite3.Connection)
    connection.isolation_level = None  # the driver's own transactions start too late to be safe
    for pragma in ("busy_timeout=30000", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediately(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
