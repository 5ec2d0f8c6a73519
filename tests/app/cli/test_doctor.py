"""`clipcast doctor` says how things are, and what to do about those that are not well."""

import json
import os
import re
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.cli.running import Run, answer
from clipcast.accounts import keys
from clipcast.accounts.provider import APP_CREDENTIALS
from clipcast.clock import system_clock
from clipcast.db.engine import Database
from clipcast.people.models import Person


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
    monkeypatch.setenv("CLIPCAST_SIMULATION", "off")
    assert {check["level"] for check in checks(run).values()} == {"ok"}
    result = run("doctor")
    assert result.exit_code == 0
    assert result.stdout.rstrip().endswith("All is well.")


@pytest.mark.skipif(os.name == "nt", reason="modes mean nothing there")
def test_a_directory_that_others_can_read_is_told_and_left_as_it_is(run: Run, data_dir: Path) -> None:
    run("clips")
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700
    data_dir.chmod(0o755)
    found = checks(run)["data directory"]
    assert (found["level"], found["advice"]) == ("warning", f"Run: chmod 700 {data_dir}")
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o755


def test_a_key_that_others_can_read(run: Run, data_dir: Path) -> None:
    run("clips")
    (data_dir / "credential.key").chmod(0o644)
    found = checks(run)["credential key"]
    assert found["level"] == "problem"
    assert found["advice"] == f"Run: chmod 600 {data_dir / 'credential.key'}"
    assert re.search(r"\n1 of \d+ need you\.$", run("doctor").stdout.rstrip())


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


def test_a_database_that_is_not_there(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver's own words, which strangers are not told."""
    monkeypatch.setenv("CLIPCAST_DATABASE_URL", "postgresql://somebody@127.0.0.1:1/clipcast")
    found = checks(run)["database"]
    assert (found["level"], "cannot be reached" in found["sentence"], "127.0.0.1" in found["advice"]) == ("problem", True, True)


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


# Accounts, their credentials, and people

FULL = {"client_key": "ck", "client_secret": "cs", "access_token": "act.1", "refresh_token": "rft.1"}


def add(run: Run, username: str, platform: str = "tiktok", **credentials: str) -> str:
    return str(answer(run("accounts", "add", platform, username, "--credentials", "-", "--json", stdin=json.dumps(credentials)))["id"])


def sentences(run: Run, name: str) -> list[str]:
    """Everything that is found under this name."""
    return [check["sentence"] for check in answer(run("doctor", "--json"))["checks"] if check["name"] == name]


def test_who_publishes_live_and_who_to_the_simulator_and_why(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    add(run, "real", **FULL)
    add(run, "half", access_token="act.1")
    add(run, "none", "youtube")
    assert sentences(run, "live accounts") == ["tiktok @real."]
    half, none = sentences(run, "simulated accounts")
    assert half == "tiktok @half to the simulator: their credentials, or the app's settings, are incomplete."
    assert none == "youtube @none to the simulator: they have no credentials."
    monkeypatch.setenv("CLIPCAST_TIKTOK_CLIENT_KEY", "ck")
    found = checks(run)["tiktok app"]
    assert (found["level"], found["sentence"]) == ("warning", "Only half of it is set: CLIPCAST_TIKTOK_CLIENT_SECRET is missing.")
    monkeypatch.setenv("CLIPCAST_TIKTOK_CLIENT_SECRET", "cs")
    assert sentences(run, "live accounts") == ["tiktok @half, tiktok @real."]
    assert (checks(run)["tiktok app"]["level"], checks(run)["tiktok app"]["sentence"]) == ("ok", "It is set.")
    monkeypatch.setenv("CLIPCAST_SIMULATION", "off")
    assert sentences(run, "simulated accounts") == ["youtube @none cannot publish (CLIPCAST_SIMULATION=off): they have no credentials."]
    monkeypatch.setenv("CLIPCAST_SIMULATION", "always")
    assert sentences(run, "live accounts") == []
    assert checks(run)["simulation"]["level"] == "warning"


def test_an_app_is_named_for_every_platform_that_has_one(run: Run) -> None:
    found = checks(run)
    for platform, names in APP_CREDENTIALS.items():
        assert all(f"CLIPCAST_{platform}_{name}".upper() in found[f"{platform} app"]["sentence"] for name in names)


def test_a_server_that_others_reach_should_not_fall_back(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks(run)["simulation"]["level"] == "ok"
    monkeypatch.setenv("CLIPCAST_PUBLIC_URL", "https://clips.example.com")
    assert "CLIPCAST_SIMULATION=off" in checks(run)["simulation"]["advice"]
    monkeypatch.setenv("CLIPCAST_SIMULATION", "off")
    assert checks(run)["simulation"]["level"] == "ok"


def test_credentials_that_cannot_be_decrypted(run: Run, data_dir: Path) -> None:
    """The doctor names the accounts and the key, and does not make a new one where the file is missing."""
    add(run, "real", **FULL)
    add(run, "none")
    [key] = answer(run("keys", "--json"))["keys"]
    (data_dir / "credential.key").unlink()
    found = checks(run)["credentials"]
    assert found["sentence"] == "tiktok @real: the credentials cannot be decrypted."
    assert key["id"] in found["advice"]
    assert not (data_dir / "credential.key").exists()


def test_a_rotation_that_was_left_unfinished(run: Run, data_dir: Path) -> None:
    add(run, "real", **FULL)
    assert checks(run)["credentials"]["level"] == "ok"
    keys.KeyFile(data_dir / "credential.key", "CLIPCAST_CREDENTIAL_KEYS").put_new_first()
    found = checks(run)["key rotation"]
    assert (found["level"], found["advice"]) == ("warning", "Run: clipcast keys rotate")
    assert run("keys", "rotate").exit_code == 0
    assert "key rotation" not in checks(run)


def test_accounts_that_need_their_owner(run: Run, data_dir: Path) -> None:
    for name in ("gone", "shaky"):
        add(run, name, **FULL)
    with closing(sqlite3.connect(data_dir / "clipcast.sqlite3")) as connection, connection:
        connection.execute("UPDATE social_accounts SET status = 'expired' WHERE username = 'gone'")
        connection.execute("UPDATE social_accounts SET warning = 'TikTok did not answer.' WHERE username = 'shaky'")
    found = checks(run)
    assert found["lost accounts"]["sentence"] == "tiktok @gone: the connection is lost."
    assert found["troubled accounts"]["sentence"].startswith("tiktok @shaky: ")


@pytest.mark.parametrize(("roles", "level"), [([], "ok"), (["owner", "viewer"], "ok"), (["editor"], "problem")])
def test_an_installation_has_an_owner(run: Run, data_dir: Path, roles: list[str], level: str) -> None:
    run("clips")
    with closing(Database(f"sqlite:///{data_dir / 'clipcast.sqlite3'}")) as db, db.writing() as session:
        for role in roles:
            now = system_clock()
            session.add(Person(email=f"{role}@example.com", name=role, role=role, password_hash="x", created_at=now, updated_at=now))
    assert checks(run)["owner"]["level"] == level


def test_one_account_that_is_here_twice_is_named(run: Run, data_dir: Path) -> None:
    """From before that was refused: by identity, and by a name in two cases where an identity is not known."""
    for name, identity in (("ana", {"open_id": "-001"}), ("bob", {"open_id": "-002"}), ("carl", {}), ("dora", {"open_id": "-003"})):
        add(run, name, **identity)
    assert sentences(run, "twin accounts") == []
    with closing(sqlite3.connect(data_dir / "clipcast.sqlite3")) as connection, connection:
        connection.execute("UPDATE social_accounts SET external_id = '-001' WHERE username = 'bob'")
        connection.execute("UPDATE social_accounts SET username = 'CARL' WHERE username = 'dora'")
    assert sentences(run, "twin accounts") == [
        "tiktok @ana, tiktok @bob are the same account: what goes to both is posted twice.",
        "tiktok @CARL, tiktok @carl are the same account: what goes to both is posted twice.",
    ]
    assert run("doctor").exit_code == 1
