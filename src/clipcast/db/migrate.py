"""Bring a database to the shape that this version of Clipcast expects.

The migrations are part of the installed package and need no `alembic.ini`. All steps run in one transaction under a lock, so that of
several processes that start together one migrates and the others find the work done; a step that fails leaves the database as it was.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from filelock import FileLock, Timeout
from sqlalchemy import Connection, text

from clipcast.db.engine import Database
from clipcast.errors import Busy, ConfigurationError

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK_WAIT_S = 600.0
"""How long a process waits for another one's migration; rebuilding a large table takes minutes."""
_DDL_LOCK_WAIT = "5s"
"""How long a step waits for a table on PostgreSQL: while it waits, everybody who comes after it waits too."""


def head() -> str:
    """The revision that this version of Clipcast expects."""
    revision = _scripts().get_current_head()
    assert revision is not None
    return revision


def current(db: Database) -> str | None:
    """The revision of the database; None when it is empty."""
    with db.reading() as session:
        return _revision(session.connection())


def is_current(db: Database) -> bool:
    """Whether the database has exactly the shape that this version expects."""
    return current(db) == head()


def upgrade(db: Database) -> None:
    """Migrate the database to `head()`; does nothing when it is there. Safe when several processes do it at once.

    Raises:
        Busy: another process's migration or transaction did not end in time; nothing was changed.
        ConfigurationError: the database was written by a newer Clipcast.
    """
    with _one_at_a_time(db), _migrating(db) as connection:
        found = _revision(connection)
        if found == head():
            return
        _refuse_newer(found)
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def ensure_current(db: Database) -> None:
    """Migrate an embedded SQLite database; only check a PostgreSQL one, which is migrated by `clipcast db upgrade` alone.

    Raises:
        ConfigurationError: the PostgreSQL database is older or newer than this version.
    """
    if is_current(db):
        return
    if db.is_sqlite:
        upgrade(db)
        return
    _refuse_newer(current(db))
    raise ConfigurationError("The database is older than this version of Clipcast. Run: clipcast db upgrade")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(MIGRATIONS))


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _refuse_newer(found: str | None) -> None:
    known = {script.revision for script in _scripts().walk_revisions()}
    if found is not None and found not in known:
        raise ConfigurationError(f"The database was written by a newer Clipcast (revision {found}). Install that version or a later one.")


@contextmanager
def _one_at_a_time(db: Database) -> Iterator[None]:
    """Queue the processes that share a SQLite file: its own waiting would give up during a long migration."""
    if not db.is_sqlite:
        yield
        return
    try:
        with FileLock(f"{db.engine.url.database}.migration-lock", timeout=LOCK_WAIT_S):
            yield
    except Timeout as error:
        raise Busy("Another process has been migrating the database for ten minutes. Try again when it has ended.") from error


@contextmanager
def _migrating(db: Database) -> Iterator[Connection]:
    """One transaction that owns the database (SQLite) or the migration lock (PostgreSQL)."""
    with db.exclusive() as connection:
        if db.is_sqlite:
            yield connection
            _refuse_dangling(connection)
            return
        connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_WAIT_S:.0f}s'"))
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        # Per schema, so that databases sharing one server, as in tests, do not queue behind each other.
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('clipcast.migration.' || current_schema()))"))
        connection.execute(text(f"SET LOCAL lock_timeout = '{_DDL_LOCK_WAIT}'"))
        yield connection


def _refuse_dangling(connection: Connection) -> None:
    dangling = connection.execute(text("PRAGMA foreign_key_check")).first()
    if dangling:
        raise RuntimeError(f"A migration would leave rows of {dangling[0]} pointing to nothing; it was undone.")
