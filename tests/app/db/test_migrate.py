"""Migrations: they build what the models say, once, whoever starts first."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, Connection, inspect, text
from sqlalchemy.exc import IntegrityError

import clipcast.api.app  # noqa: F401  # with it, every module that has a table
from clipcast.db.base import Base
from clipcast.db.engine import Database
from clipcast.db.migrate import current, ensure_current, head, is_current, upgrade
from clipcast.errors import ConfigurationError


def test_an_empty_database_is_not_current_until_it_is_migrated(blank_db: Database) -> None:
    assert current(blank_db) is None
    assert not is_current(blank_db)
    upgrade(blank_db)
    assert current(blank_db) == head()
    assert is_current(blank_db)


def test_migrating_twice_changes_nothing(db: Database) -> None:
    upgrade(db)
    assert is_current(db)


def test_models_and_migrated_schema_agree(db: Database) -> None:
    with db.reading() as session:
        context = MigrationContext.configure(session.connection(), opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


def test_check_constraints_agree(db: Database) -> None:
    """Alembic does not compare them, so we do: the same names, allowing the same values."""
    with db.reading() as session:
        connection = session.connection()
        for table in Base.metadata.sorted_tables:
            declared = {str(c.name): _values(str(c.sqltext)) for c in table.constraints if isinstance(c, CheckConstraint)}
            assert _migrated_checks(connection, table.name) == declared


def test_partial_indexes_are_partial(db: Database) -> None:
    """A full index on what is due would cost a claim the whole history."""
    with db.reading() as session:
        indexes = {index["name"]: index for index in inspect(session.connection()).get_indexes("publications")}
    for name, column in (("ix_publications_due", "next_action_at"), ("ix_publications_lease_owner", "lease_owner")):
        options = indexes[name]["dialect_options"]
        assert f"{column} IS NOT NULL" in str(next(iter(value for key, value in options.items() if key.endswith("where"))))


def _migrated_checks(connection: Connection, table: str) -> dict[str, set[str]]:
    return {str(check["name"]): _values(check["sqltext"]) for check in inspect(connection).get_check_constraints(table)}


def _values(condition: str) -> set[str]:
    return set(re.findall(r"'([^']*)'", condition))


EVENT = "'{}', 's', 1, 'publish_started', 'clip', 'c', '2026-01-01 00:00:00', '{{}}', '', 'h'"
ATTACKS = ["UPDATE ledger_events SET event = 'nothing_happened'", "DELETE FROM ledger_events"]
# INSERT OR REPLACE removes rows without asking the DELETE trigger, by their id or by their place in the stream.
SQLITE_ATTACKS = [f"INSERT OR REPLACE INTO ledger_events VALUES ({EVENT.format(event_id)})" for event_id in ("e1", "e2")]
POSTGRESQL_ATTACKS = ["TRUNCATE ledger_events", "DELETE FROM ledger_events WHERE id = 'unknown'"]


def test_the_database_itself_refuses_to_change_the_ledger(db: Database) -> None:
    """Whoever connects, with whatever tool, is told no."""
    _execute(db, f"INSERT INTO ledger_events VALUES ({EVENT.format('e1')})")
    for attack in [*ATTACKS, *(SQLITE_ATTACKS if db.is_sqlite else POSTGRESQL_ATTACKS)]:
        with pytest.raises(IntegrityError, match="append-only"):
            _execute(db, attack)
    with db.reading() as session:
        assert list(session.execute(text("SELECT id, event FROM ledger_events"))) == [("e1", "publish_started")]


def _execute(db: Database, statement: str) -> None:
    with db.writing() as session:
        session.execute(text(statement))


def test_a_newer_database_is_refused_with_a_sentence(blank_db: Database) -> None:
    upgrade(blank_db)
    _execute(blank_db, "UPDATE alembic_version SET version_num = '9999'")
    for start in (upgrade, ensure_current):
        with pytest.raises(ConfigurationError, match="newer Clipcast"):
            start(blank_db)


def test_only_sqlite_migrates_by_itself(blank_db: Database) -> None:
    if blank_db.is_sqlite:
        ensure_current(blank_db)
        assert is_current(blank_db)
        return
    with pytest.raises(ConfigurationError, match="clipcast db upgrade"):
        ensure_current(blank_db)
    assert current(blank_db) is None


def test_processes_that_start_together_migrate_once(blank_db: Database) -> None:
    """Six processes, one empty database: all end well."""
    url = blank_db.engine.url.render_as_string(hide_password=False)
    program = f"from clipcast.db.engine import Database; from clipcast.db.migrate import upgrade; upgrade(Database({url!r}))"
    processes = [subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True) for _ in range(6)]
    complaints = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 6, complaints
    assert is_current(blank_db)


def test_foreign_keys_hold_again_after_migrating(blank_db: Database) -> None:
    """Rebuilding SQLite tables needs them off; no connection may come back to the pool that way."""
    upgrade(blank_db)
    with pytest.raises(IntegrityError):
        _execute(blank_db, "INSERT INTO post_clips (post_id, position, clip_id) VALUES ('p', 0, 'c')")


def test_a_wrong_statement_is_not_called_busy(db: Database) -> None:
    """`Busy` is repeated; a statement that can never work must not be."""
    with pytest.raises(Exception, match="no_such_table") as caught, db.reading() as session:
        session.execute(text("SELECT 1 FROM no_such_table"))
    assert type(caught.value).__module__ == "sqlalchemy.exc"


def test_the_migrations_travel_with_the_package() -> None:
    """Each revision follows one other, and lies inside the package, so that an installed wheel has them."""
    versions = sorted((Path(sys.modules[upgrade.__module__].__file__ or "").parent / "migrations" / "versions").glob("*.py"))
    assert versions[0].name == "0001_first_tables.py"
    assert versions[-1].name.startswith(head())
