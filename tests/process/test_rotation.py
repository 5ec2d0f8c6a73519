"""Keys are rotated while tokens are refreshed, and the rotation is killed again and again: every row stays readable and the newest."""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import clipcast
from clipcast.accounts import rotation, store
from clipcast.accounts.keys import credential_key_file
from clipcast.accounts.models import SocialAccount

HERE = Path(__file__).parent
ACCOUNTS = 25
KILLS = 8


def program(*arguments: str, **streams: Any) -> "subprocess.Popen[str]":
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")])}
    return subprocess.Popen([sys.executable, str(HERE / "rotating.py"), *arguments], env=environment, text=True, **streams)


def newest(said: str) -> dict[str, str]:
    """The last token that was said to be stored, by account."""
    whole = [line.split() for line in said.splitlines(keepends=True) if line.endswith("\n")]
    return dict(whole)


def new_accounts(db: clipcast.Clipcast) -> list[str]:
    now = db.clock()
    rows = [
        SocialAccount(id=f"account-{number:02}", platform="tiktok", username=f"maker{number}", created_at=now, updated_at=now)
        for number in range(ACCOUNTS)
    ]
    with db.db.writing() as session:
        for row in rows:
            store.add(session, row)
    for row in rows:
        clipcast.set_account_credentials(db, row.id, {"access_token": f"first of {row.id}"})
    return [row.id for row in rows]


@pytest.mark.timeout(600)
def test_a_rotation_killed_anywhere_loses_no_refresh(tmp_path: Path, database_url: str, record_property: Any) -> None:
    """The refreshing process never restarts: it learns of each new key by meeting it, or before it writes."""
    settings = json.dumps({"data_dir": str(tmp_path / "data"), "database_url": database_url})
    with clipcast.connect(**json.loads(settings)) as db:
        account_ids = new_accounts(db)
        first_key = db.vault.key_ids[0]
    chance, ends = random.Random(4), []
    said = tmp_path / "said"
    with said.open("w") as stream, program("refresh", settings, stdin=subprocess.PIPE, stdout=stream) as refreshing:
        for _ in range(KILLS):
            with program("rotate", settings, str(chance.randrange(1, ACCOUNTS * 2))) as rotating:
                ends.append(rotating.wait(60))
        refreshing.communicate()
    assert refreshing.returncode == 0
    assert set(ends) <= {0, -signal.SIGKILL}
    assert ends.count(-signal.SIGKILL) >= KILLS // 2
    stored = newest(said.read_text())
    assert len(stored) == ACCOUNTS, "every account was refreshed meanwhile"
    with clipcast.connect(**json.loads(settings)) as db:
        rotation.rotate(db.db, db.vault, credential_key_file(db.settings), db.clock())
        for account_id in account_ids:
            assert clipcast.get_account_credentials(db, account_id).get("access_token") == stored[account_id]
        [using, *others] = rotation.keys_in_use(db.db, db.vault)
        assert (using.rows, [other.rows for other in others]) == (ACCOUNTS, [0] * len(others))
        assert using.id != first_key
    record_property("verdict", f"{ends.count(-signal.SIGKILL)} kills, {len(said.read_text().splitlines())} refreshes, 0 lost")
