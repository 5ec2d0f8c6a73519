"""Connections and transactions on SQLite and PostgreSQL."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event, func, make_url, select, text
from sqlalchemy.exc import ArgumentError, DBAPIError, InternalError, NoSuchModuleError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from clipcast.clock import Clock
from clipcast.errors import Busy, ConfigurationError
from clipcast.log import get_logger
from clipcast.privacy import make_private

log = get_logger(__name__)

BUSY_TIMEOUT_S = 15.0
"""How long a SQLite transaction waits for another process's write before it gives up."""

_POSTGRESQL_OPTIONS: Final = {
    "connect_timeout": "5",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",  # milliseconds
}
"""How long PostgreSQL may be silent, unless the URL says otherwise: the system would wait a quarter of an hour for a host that is gone."""

_POSTGRESQL_LIMITS: Final = {
    "idle_in_transaction_session_timeout": "30s",
    "lock_timeout": "45s",
    "tcp_keepalives_idle": "10s",
    "tcp_keepalives_interval": "5s",
    "tcp_keepalives_count": "3",
}
"""What the server is asked to see to, unless the URL's `options` name it: a machine that vanishes or is frozen within a transaction would
otherwise keep its rows locked for hours. Who waits for such a lock outlasts its holder."""

_HIDDEN: Final = True
"""An unexpected error's text goes into the log, where the values of its statement have no place: whatever they are."""

_PASSING: Final = frozenset({"25006", "25P03"})
"""PostgreSQL takes no writes now (its disk is full, or it is the standby after a switch), or ended a transaction that took too long."""


class Database:
    """One database. `reading()` and `writing()` give a session inside one transaction; nothing below calls `commit()`.

    On SQLite a writing transaction is `BEGIN IMMEDIATE`: it owns the write lock from its first statement, so what it reads is still
    true when it writes. Threads of this process queue on a lock of their own first, because SQLite's own waiting is a poll with naps
    in between.
    """

    def __init__(self, url: str, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        self.engine = _engine(url, busy_timeout_s)
        self._writing_engine = self.engine.execution_options(clipcast_writes=True)
        self._hasty_engine = self.engine.execution_options(clipcast_writes=True, clipcast_hasty=True)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._writers: AbstractContextManager[object] = _Line(busy_timeout_s) if self.is_sqlite else nullcontext()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that only reads; rolled back at the end."""
        with _told_when_busy(), Session(self.engine, expire_on_commit=False, autoflush=False) as session:
            yield session

    @contextmanager
    def writing(self, *, hasty: bool = False) -> Iterator[Session]:
        """A session whose work is committed when the block ends well, and undone when it raises.

        A commit survives the power going out. A `hasty` one does not wait for the disk: it survives the death of every process, but the
        last ones may be forgotten when the machine itself loses power, all that came before them excepted. Right for progress that can be
        asked for again.

        Raises:
            Busy: the database stayed locked, ran out of disk or out of reach; nothing was changed.
        """
        engine = self._hasty_engine if hasty else self._writing_engine
        with self._writers, _told_when_busy(), Session(engine, expire_on_commit=False) as session, session.begin():
            if hasty and not self.is_sqlite:
                session.execute(text("SET LOCAL synchronous_commit TO OFF"))
            yield session

    @contextmanager
    def exclusive(self) -> Iterator[Connection]:
        """A writing transaction for changing the schema; committed when the block ends well, and undone when it raises.

        SQLite's foreign keys rest meanwhile, because altering a table there means dropping it and renaming its successor.

        Raises:
            Busy: as `writing`.
        """
        with self._writers, _told_when_busy(), self._writing_engine.connect() as connection:
            if self.is_sqlite:
                _foreign_keys(connection, "OFF")
            try:
                with connection.begin():
                    yield connection
            finally:
                if self.is_sqlite:
                    _foreign_keys(connection, "ON")

    def ahead_by(self, clock: Clock) -> timedelta:
        """How far this clock is ahead of the database's, by the middle of the question. An SQLite file has no clock of its own.

        Raises:
            Busy: as `writing`.
        """
        if self.is_sqlite:
            return timedelta(0)
        with self.reading() as session:
            session.execute(text("SELECT 1"))  # connecting takes longer than asking
            before = clock()
            theirs: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
            ours = before + (clock() - before) / 2
        return ours - theirs

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


class _Line:
    """The writers of this process, one behind the other; nobody waits longer for all of them together than for another process."""

    def __init__(self, longest_s: float) -> None:
        self._lock, self._longest_s = threading.RLock(), longest_s

    def __enter__(self) -> None:
        if not self._lock.acquire(timeout=self._longest_s):
            raise Busy("The database is busy with others' writes. Nothing was changed; try again.")

    def __exit__(self, *_: object) -> None:
        self._lock.release()


@contextmanager
def _told_when_busy() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        # SQLite's plain SQLITE_ERROR is a statement that can never work (a table that is not there), not a shortage.
        if getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:
            raise
        raise Busy(f"{_trouble(error)} Nothing was changed; try again.") from error
    except PoolTimeout as error:
        raise Busy("All connections to the database are in use. Nothing was changed; try again.") from error
    except InternalError as error:
        if getattr(error.orig, "sqlstate", None) not in _PASSING:
            raise
        raise Busy(f"{_trouble(error)} Nothing was changed; try again.") from error


def _trouble(error: DBAPIError) -> str:
    """What it is. A driver without a server speaks of addresses and names, which are no stranger's business: the log alone hears them."""
    reason = str(error.orig).partition("\n")[0]
    if getattr(error.orig, "sqlite_errorcode", None) or getattr(error.orig, "sqlstate", None):
        return f"The database cannot take this now ({reason})."
    log.warning("database.unreachable", reason=reason)
    return "The database cannot be reached: is it running, and CLIPCAST_DATABASE_URL right?"


def _engine(url: str, busy_timeout_s: float) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.drivername in {"postgresql", "postgres"}:
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() == "sqlite":
            return _sqlite(parsed.render_as_string(hide_password=False), busy_timeout_s)
        if parsed.get_backend_name() == "postgresql":
            return _postgresql(parsed)
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise ConfigurationError("CLIPCAST_DATABASE_URL is not a database URL such as postgresql://user@host/name.") from error
    except ModuleNotFoundError as error:
        raise ConfigurationError("PostgreSQL needs its driver: pip install 'clipcast[postgres]'.") from error
    raise ConfigurationError(f"CLIPCAST_DATABASE_URL names {parsed.get_backend_name()}; Clipcast runs on SQLite and PostgreSQL.")


def _postgresql(url: URL) -> Engine:
    url = url.update_query_dict({name: value for name, value in _POSTGRESQL_OPTIONS.items() if name not in url.query})
    engine = create_engine(url, pool_size=20, max_overflow=40, pool_pre_ping=True, hide_parameters=_HIDDEN)
    event.listen(engine, "handle_error", _without_detail)
    said = str(url.query.get("options", ""))
    limits = {name: limit for name, limit in _POSTGRESQL_LIMITS.items() if name not in said}

    def limit(connection: Any, _: ConnectionPoolEntry) -> None:
        """After connecting: a pooler in between refuses options in the greeting."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config(name, setting, false) FROM unnest(%s::text[], %s::text[]) AS limits (name, setting)",
                (list(limits), list(limits.values())),
            )
        connection.commit()

    event.listen(engine, "connect", limit)
    return engine


def _without_detail(context: ExceptionContext) -> None:
    """PostgreSQL's own words say what is wrong in their first line, and in the next ones repeat the row that it is wrong with."""
    for error in (context.original_exception, context.sqlalchemy_exception):
        if error is not None:
            error.args = tuple(part.partition("\nDETAIL:")[0] if isinstance(part, str) else part for part in error.args)


def _sqlite(url: str, busy_timeout_s: float) -> Engine:
    path = make_url(url).database
    if not path or path == ":memory:":
        raise ConfigurationError("CLIPCAST_DATABASE_URL names no SQLite file; threads and processes must share one.")
    try:
        make_private(Path(path).parent)
    except OSError as error:
        raise ConfigurationError(
            f"The directory of the database {path} cannot be made: {error.strerror}. Check CLIPCAST_DATA_DIR."
        ) from error
    engine = create_engine(url, connect_args={"timeout": busy_timeout_s}, pool_size=20, max_overflow=60, hide_parameters=_HIDDEN)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: object, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # type: ignore[attr-defined]  # sqlite3's own attribute: we say BEGIN ourselves
    cursor = connection.cursor()  # type: ignore[attr-defined]  # a sqlite3 connection
    # FULL: a commit survives the power going out, not only the process; the promise is about both.
    for pragma in ("synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY"):
        cursor.execute(f"PRAGMA {pragma}")
    # Asking first: changing the mode wants the file for itself, and once is enough.
    if cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        cursor.execute("PRAGMA journal_mode=WAL")
    cursor.close()


def _foreign_keys(connection: Connection, on_or_off: str) -> None:
    """Outside a transaction only, and so past SQLAlchemy, which would begin one."""
    connection.connection.cursor().execute(f"PRAGMA foreign_keys={on_or_off}")


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("clipcast_writes", False):
        # With the write-ahead log, NORMAL leaves out the wait for the disk at each commit and nothing else.
        connection.exec_driver_sql(f"PRAGMA synchronous={'NORMAL' if options.get('clipcast_hasty', False) else 'FULL'}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql("BEGIN")
