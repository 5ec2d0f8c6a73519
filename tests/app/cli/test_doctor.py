"""`clipcast doctor` says how things are, and what to do about those that are not well."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.cli.running import Run, answer
from clipcast.db.engine import Database


def checks(run: Run) -> dict[str, Any]:
    """What the doctor finds, by name; the exit code has to agree."""
    result = run("doctor", "--json")
    found = answer(result)
    levels = [check["level"] for check in found["checks"]]
    assert result.exit_code == (1 if "problem" in levels else 0)
    assert found["well"] == ("problem" not in levels)
    return {check["name"]: check for check in found["checks"]}


def test_before_the_first_start_there_is_nothing_to_worry_about_and_nothing_is_made(run: Run, data_dir: Path) -> None:
    found = checks(run)
    assert {found[name]["level"] for name in ("data directory", "database", "credential key", "signing key")} == {"warning"}
    assert not data_dir.exists()


def test_a_used_installation_is_well(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("clips")
    monkeypatch.setenv("CLIPCAST_PUBLIC_URL", "https://clips.example.com")
    assert {check["level"] for check in checks(run).values()} == {"ok"}
    result = run("doctor")
    assert result.exit_code == 0
    assert result.stdout.rstrip().endswith("All is well.")


def test_a_key_that_others_can_read(run: Run, data_dir: Path) -> None:
    run("clips")
    (data_dir / "credential.key").chmod(0o644)
    found = checks(run)["credential key"]
    assert found["level"] == "problem"
    assert found["advice"] == f"Run: chmod 600 {data_dir / 'credential.key'}"
    assert run("doctor").stdout.rstrip().endswith("1 of 11 need you.")


def test_a_key_that_is_damaged(run: Run, data_dir: Path) -> None:
    run("clips")
    (data_dir / "signing.key").write_text("half a")
    assert "Restore it from a backup" in checks(run)["signing key"]["sentence"]


def test_a_database_that_is_locked_or_none(run: Run, data_dir: Path) -> None:
    run("clips")
    with closing(sqlite3.connect(data_dir / "clipcast.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert "locked" in checks(run)["database"]["sentence"]
        other.execute("ROLLBACK")
    for file in data_dir.glob("clipcast.sqlite3*"):
        file.write_bytes(b"this is no database" * 100)
    assert checks(run)["database"]["level"] == "problem"


def test_work_that_nobody_does(run: Run, data_dir: Path, video: Path) -> None:
    run("publish", video, "--to", "tiktok", "--no-wait")
    assert checks(run)["work"]["level"] == "ok"
    with closing(sqlite3.connect(data_dir / "clipcast.sqlite3")) as connection, connection:
        connection.execute("UPDATE publications SET next_action_at = '2026-01-01 00:00:00.000000'")
    found = checks(run)["work"]
    assert (found["level"], found["advice"]) == ("warning", "Start clipcast serve or clipcast worker.")


def test_a_simulator_that_is_not_there(run: Run, monkeypatch: pytest.MonkeyPatch, world: Any) -> None:
    monkeypatch.setenv("CLIPCAST_SIMULATOR_URL", "http://127.0.0.1:1")
    assert "clipcast simulator" in checks(run)["simulator"]["advice"]
    monkeypatch.setenv("CLIPCAST_SIMULATOR_URL", f"{world.url}/tiktok")
    assert "is not Clipcast's simulator" in checks(run)["simulator"]["sentence"]
    monkeypatch.delenv("CLIPCAST_SIMULATOR_URL")
    assert checks(run)["simulator"]["sentence"] == "It can be started."
    monkeypatch.setenv("CLIPCAST_SIMULATION", "off")
    assert "not needed" in checks(run)["simulator"]["sentence"]


def test_a_storage_that_cannot_be_written(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIPCAST_STORAGE_URL", "file:///proc/clipcast")
    assert checks(run)["storage"]["level"] == "problem"


def test_a_public_url_that_platforms_refuse(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIPCAST_PUBLIC_URL", "http://clips.example.com")
    assert checks(run)["public URL"]["level"] == "warning"


def test_the_database_is_asked_on_both_kinds(run: Run, blank_db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not migrated: an embedded database heals itself, PostgreSQL is migrated by its owner. The clocks of one machine agree."""
    url = blank_db.engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("CLIPCAST_DATABASE_URL", url)
    with blank_db.writing() as session:
        session.execute(text("SELECT 1"))
    assert checks(run)["database"]["level"] == ("warning" if blank_db.is_sqlite else "problem")
    assert run("db", "upgrade").exit_code == 0
    found = checks(run)
    assert (found["database"]["level"], found["database clock"]["level"]) == ("ok", "ok")
    assert (os.environ.get("PGPASSWORD") or "no password") not in found["database"]["sentence"]
