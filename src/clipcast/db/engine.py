"""Connections and transactions on SQLite and PostgreSQL."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from clipcast.errors import Busy, ConfigurationError

BUSY_TIMEOUT_S = 15.0
"""How long a SQLite transaction waits for another process's write before it gives up."""


class Database:
    """One database. `reading()` and `writing()` give a session inside one transaction; nothing below calls `commit()`.

    On SQLite a writing transaction is `BEGIN IMMEDIATE`: it owns the write lock from its first statement, so what it reads is still true when it
    writes. Threads of this process queue on a lock of their own first, because SQLite's own waiting is a poll with naps in between.
    """

    def __init__(self, url: str, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        self.engine = _engine(url, busy_timeout_s)
        self._writing_engine = self.engine.execution_options(clipcast_writes=True)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._writers: AbstractContextManager[object] = threading.RLock() if self.is_sqlite else nullcontext()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that only reads; rolled back at the end."""
        with _told_when_busy(), Session(self.engine, expire_on_commit=False, autoflush=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session whose work is committed when the block ends well, and undone when it raises.

        Raises:
            Busy: the database stayed locked, ran out of disk or out of reach; nothing was changed.
        """
        with self._writers, _told_when_busy(), Session(self._writing_engine, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


@contextmanager
def _told_when_busy() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        reason = str(error.orig).splitlines()[0] if error.orig else "no connection"
        raise Busy(f"The database cannot take this now ({reason}). Nothing was changed; try again.") from error


def _engine(url: str, busy_timeout_s: float) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.drivername in {"postgresql", "postgres"}:
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() == "sqlite":
            return _sqlite(parsed.render_as_string(hide_password=False), busy_timeout_s)
        if parsed.get_backend_name() == "postgresql":
            return create_engine(parsed, pool_size=20, max_overflow=40, pool_pre_ping=True)
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise ConfigurationError("CLIPCAST_DATABASE_URL is not a database URL such as postgresql://user@host/name.") from error
    except ModuleNotFoundError as error:
        raise ConfigurationError("PostgreSQL needs its driver: pip install 'clipcast[postgres]'.") from error
    raise ConfigurationError(f"CLIPCAST_DATABASE_URL names {parsed.get_backend_name()}; Clipcast runs on SQLite and PostgreSQL.")


def _sqlite(url: str, busy_timeout_s: float) -> Engine:
    path = make_url(url).database
    if not path or path == ":memory:":
        raise ConfigurationError("CLIPCAST_DATABASE_URL names no SQLite file; threads and processes must share one.")
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"The directory of the database {path} cannot be made: {error.strerror}. Check CLIPCAST_DATA_DIR.") from error
    engine = create_engine(url, connect_args={"timeout": busy_timeout_s}, pool_size=20, max_overflow=60)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: object, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # type: ignore[attr-defined]  # sqlite3's own attribute: we say BEGIN ourselves
    cursor = connection.cursor()  # type: ignore[attr-defined]  # a sqlite3 connection
    # FULL: a commit survives the power going out, not only the process; the promise is about both.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("clipcast_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


