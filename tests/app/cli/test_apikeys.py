"""`clipcast apikeys`: keys without a server, shown once, worth nothing once they are revoked."""

import json
import re

import pytest

from app.cli.running import Run, answer
from clipcast.people import keys
from clipcast.people.access import Role
from clipcast.settings import load_settings
from clipcast.system import Clipcast


def test_the_key_alone_is_on_standard_output(run: Run) -> None:
    """KEY=$(clipcast apikeys create ...) has to work."""
    made = run("apikeys", "create", "--name", "me", "--role", "editor")

    assert re.fullmatch(r"clipcast_[\w-]{43}\n", made.stdout)
    assert "shown only now" in made.stderr
    assert "me, editor" in made.stderr


def test_a_key_is_never_shown_again(run: Run) -> None:
    text = run("apikeys", "create", "--name", "me", "--role", "owner").stdout.strip()

    shown = [run("apikeys"), run("apikeys", "list", "--json"), run("ledger", "--json"), run("apikeys", "revoke", text[:15])]

    assert all(text[:15] in each.stdout for each in (shown[0], shown[1], shown[3]))
    assert not any(text[15:] in each.output for each in shown)


def test_a_key_may_be_narrower_than_its_role_and_end_by_itself(run: Run) -> None:
    made = answer(run("apikeys", "create", "--name", "dashboard", "--role", "owner", "--scope", "read", "--expires-in-days", 30, "--json"))

    assert (made["role"], made["scopes"]) == ("owner", ["read"])
    assert made["expires_at"] > made["created_at"]
    listed = run("apikeys", "list").stdout
    assert "owner: read only" in listed
    assert "valid until" in listed
    assert answer(run("apikeys", "list", "--json")) == {"api_keys": [{name: value for name, value in made.items() if name != "key"}]}


@pytest.mark.parametrize("by", ["id", "prefix"])
def test_a_key_is_revoked_by_its_id_or_its_beginning(run: Run, by: str) -> None:
    made = answer(run("apikeys", "create", "--name", "old laptop", "--role", "editor", "--json"))

    assert "old laptop" in run("apikeys", "revoke", made[by]).stdout
    again = answer(run("apikeys", "revoke", made[by], "--json"))

    assert again["revoked_at"] is not None
    assert "revoked" in run("apikeys").stdout
    events = [each["event"] for each in answer(run("ledger", "--json"))["events"]]
    assert events.count("api_key_revoked") == 1, "the second time changes nothing"


def test_what_was_made_with_a_key_is_revoked_with_it(run: Run) -> None:
    """And the list says who made what: a shell, a person or a key by name."""
    first = answer(run("apikeys", "create", "--name", "deployer", "--role", "owner", "--json"))
    with Clipcast.open(load_settings()) as clipcast, clipcast.db.writing() as session:
        by = f"key:{first['id']}"
        second, _ = keys.create_key(session, name="passed on", role=Role.VIEWER, now=clipcast.clock(), by=by)

    made_by = {each["name"]: (each["created_by"], each["created_by_name"]) for each in answer(run("apikeys", "--json"))["api_keys"]}
    assert made_by == {"deployer": ("command line", None), "passed on": (by, "deployer")}
    listed = run("apikeys").stdout.splitlines()
    assert [line.endswith(maker) for line, maker in zip(listed, ("MADE BY", "deployer", "command line"), strict=True)] == [True] * 3
    revoked = run("apikeys", "revoke", first["id"]).stdout
    assert f"Revoked with it {second.prefix}... (passed on)" in revoked
    assert all(each["revoked_at"] for each in answer(run("apikeys", "--json"))["api_keys"])


def test_a_beginning_that_many_keys_share_is_refused(run: Run) -> None:
    for name in ("one", "two"):
        run("apikeys", "create", "--name", name, "--role", "viewer")

    result = run("apikeys", "revoke", "clipcast_")

    assert result.exit_code == 2
    assert len(re.findall(r"clipcast_[\w-]{6}", result.stderr)) == 2
    assert all(key["revoked_at"] is None for key in answer(run("apikeys", "--json"))["api_keys"])


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["revoke", "clipcast_s3cr3t"], 1, "There is no such key"),
        (["revoke", ""], 1, "There is no such key"),
        (["revoke", "%"], 1, "There is no such key"),
        (["create", "--name", "", "--role", "owner"], 1, "Give the key a name"),
        (["create", "--name", "x" * 121, "--role", "owner"], 1, "Give the key a name"),
        (["create", "--name", "x", "--role", "viewer", "--scope", "publish"], 1, "no others"),
        (["create", "--name", "x", "--role", "boss"], 2, "boss"),
        (["create", "--name", "x"], 2, "--role"),
        (["create", "--name", "x", "--role", "owner", "--expires-in-days", 0], 2, "--expires-in-days"),
    ],
)
def test_what_cannot_be_done_is_told(run: Run, arguments: list[object], code: int, sentence: str) -> None:
    result = run("apikeys", *arguments)

    assert (result.exit_code, result.stdout) == (code, "")
    assert sentence in result.stderr
    assert "s3cr3t" not in result.output
    assert json.loads(run("apikeys", "--json").stdout) == {"api_keys": []}
