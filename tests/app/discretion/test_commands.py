"""No secret leaves by the command line: not one that is stored, pasted or set, nor one that somebody types where an id belongs.

A new command is one line in `COMMANDS`.
"""

import json
import re
import shlex
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from app.discretion.conftest import Way
from app.discretion.scene import LEAD, Scene
from clipcast.cli.app import app as cli
from clipcast.settings import Settings, environment_with
from contract.platforms import TIKTOK

COMMANDS: Final = (
    "accounts list",
    "accounts add tiktok other --credentials {credentials}",
    "accounts add tiktok broken --credentials {broken}",
    "accounts quota {account_id}",
    "accounts link nowhere",
    "accounts disconnect {other}",
    "accounts delete {other} --yes",
    "apikeys create --name {name} --role viewer",
    "apikeys list",
    "apikeys revoke {key_id}",
    "clips list",
    "clips show {clip_id}",
    "clips add {video}",
    "clips fit {clip_id} --to tiktok",
    "db upgrade",
    "doctor",
    "keys list",
    "keys rotate",
    "ledger list --publication {publication_id}",
    "ledger verify",
    "logs {clip_id}",
    "people list",
    "people invite --role viewer --email {email}",
    "people reset-password {email}",
    "people role {email} editor",
    "people delete {email}",
    "posts list",
    "posts show {publication_id}",
    "posts check {publication_id}",
    "posts cancel {publication_id}",
    "posts retry {publication_id} --no-wait",
    "posts edit {publication_id} --caption {name}",
    "posts release {publication_id} --no-wait",
    "posts decide {publication_id} --live",
    "preflight {video} --to {account}",
    "publish {video} --to {account} --at {later}",
    "schedule list",
    "schedule slots {account}",
    "schedule import {table} --dry-run",
    "schedule feed --name {name}",
    "schedule recurring",
    "schedule recur FREQ=DAILY;COUNT=1 {video} --to {account} --start 2099-01-01T09:00:00 --timezone UTC",
    "schedule move {recurrence_id} {occurrence} {another_time}",
    "schedule skip {recurrence_id} {occurrence}",
    "schedule cancel {recurrence_id}",
    "tokens status",
    "tokens refresh --dry-run",
    "tokens refresh --account-id {account_id}",
)
NOT_RUN_HERE: Final = {"serve", "worker", "simulator"}
"""They run until they are stopped; what they do and say is what the other ways go through."""
WRITTEN_TO_BE_READ: Final = {"name"}
"""What people call things: it is shown as they wrote it, or they would not know them again."""
TOLD_ONCE: Final = re.compile(r"token=([\w-]{43})|(clipcast_[\w-]{20,})")
"""What some commands are there to tell: a new key, or the link for a person or a calendar. It is told there, and nowhere else."""
WRONG_SETTINGS: Final = {
    "CREDENTIAL_KEYS": LEAD,
    "SECRET_KEY": "short",
    "STORAGE_URL": f"s3://{LEAD}:{LEAD}@bucket",
    "DATABASE_URL": f"nonsense://{LEAD}",
    "BROKER_URL": f"https://user:{LEAD}@127.0.0.1",
    "REDIS_URL": f"redis://user:{LEAD}@127.0.0.1:1/x",
    "TRACES_URL": LEAD,
    "SIMULATION": LEAD,
}
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def nouns() -> list[str]:
    """The groups of commands, and the commands without one."""
    return list(dict.fromkeys(line.split()[0] for line in COMMANDS))


@on_sqlite
@pytest.mark.parametrize("noun", nouns())
def test_no_secret_leaves_by_the_command_line(play: Callable[[Way], None], monkeypatch: pytest.MonkeyPatch, noun: str) -> None:
    """As a person and as a program runs each command, once as it should be and once with a token where an id belongs."""

    def run(scene: Scene) -> None:
        set_environment(scene, monkeypatch)
        right = prepared(scene)
        wrong = right | dict.fromkeys(right.keys() - WRITTEN_TO_BE_READ - {"table"}, LEAD)
        for line in (line for line in COMMANDS if line.split()[0] == noun):
            for values in (right, wrong):
                for form in ([], ["--json"]):
                    ask(scene, [*(word.format_map(values) for word in shlex.split(line)), *form])

    play(run)


@on_sqlite
@pytest.mark.parametrize("name", WRONG_SETTINGS)
def test_no_secret_leaves_where_a_setting_is_wrong(play: Callable[[Way], None], monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The sentence names the variable, and never what it holds."""

    def run(scene: Scene) -> None:
        set_environment(scene, monkeypatch)
        monkeypatch.setenv(f"CLIPCAST_{name}", WRONG_SETTINGS[name])
        for command in (["doctor"], ["accounts", "list"], ["accounts", "list", "--json"]):
            ask(scene, command)

    play(run)


def test_every_command_is_listened_to() -> None:
    """A command without a line in COMMANDS fails here."""
    root = get_command(cli)
    assert isinstance(root, TyperGroup)
    known = {f"{name} {inner}".strip() for name, command in root.commands.items() for inner in words(command)}
    groups = {name for name, command in root.commands.items() if isinstance(command, TyperGroup)}
    listened = {" ".join(line.split()[: 2 if line.split()[0] in groups else 1]) for line in COMMANDS}
    assert known - NOT_RUN_HERE - listened == set()


def words(command: Any) -> list[str]:
    """The second words of a command, where it has some."""
    return list(command.commands) if isinstance(command, TyperGroup) else [""]


def ask(scene: Scene, arguments: list[str]) -> None:
    """Run a command, and hear all it says but what it is there to tell."""
    result = CliRunner().invoke(cli, arguments, prog_name="clipcast")
    for found in TOLD_ONCE.finditer(result.stdout):
        scene.ear.mark("told once", found[1] or found[2])
    said = TOLD_ONCE.sub("", result.stdout) if result.exit_code == 0 else result.stdout
    scene.ear.hear(f"clipcast {' '.join(arguments[:2])}", f"{said} {result.stderr} {result.exception!r}")


def prepared(scene: Scene) -> dict[str, str]:
    """What commands are given: names, ids and files of what is there."""
    bench = scene.bench(TIKTOK)
    scene.publish(bench, steps=1)
    pasted = scene.ear.mark("pasted token", "a-pasted-token-without-any-shape")
    clip = {"caption": "A day", "clip": str(scene.media["video"]), "to": "tiktok:marina", "when": "2099-01-01T09:00"}
    files = {
        "credentials": json.dumps({"access_token": pasted, "client_secret": pasted}),
        "broken": json.dumps({"access_token": [pasted], pasted: pasted}),
        "table": f"{','.join(clip)}\n{','.join(clip.values())}\n{LEAD},{LEAD},{LEAD},{LEAD}\n",
    }
    for name, content in files.items():
        (scene.directory / name).write_text(content)
    made = scene.api("POST", "/apikeys", {"name": "a program", "role": "viewer"}).json
    scene.ear.mark("API key", made["key"])
    scene.api("POST", "/accounts", {"platform": "tiktok", "username": "other"})
    tomorrow = (scene.clock() + timedelta(days=1)).date()
    post = {"clip_ids": [bench.shelf["video"].id], "targets": [{"account_id": bench.account_id}]}
    recurring = {"rule": "FREQ=DAILY;COUNT=3", "starts_at": f"{tomorrow}T09:00:00", "timezone": "UTC", "post": post}
    return {
        **{name: str(scene.directory / name) for name in files},
        "account": "tiktok:marina",
        "account_id": bench.account_id,
        "another_time": f"{tomorrow}T10:00",
        "clip_id": bench.shelf["video"].id,
        "email": "friend@example.com",
        "key_id": made["id"],
        "later": (scene.clock() + timedelta(days=1)).isoformat(),
        "name": "a phone",
        "occurrence": f"{tomorrow}T09:00",
        "other": "other",
        "recurrence_id": scene.api("POST", "/recurrences", recurring).json["id"],
        "publication_id": scene.ids["publication_id"],
        "video": str(scene.media["video"]),
    }


def set_environment(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scene's installation, as a terminal names it."""
    for name, value in environment_with(as_texts(scene.product.settings)).items():
        monkeypatch.setenv(name, value)


def as_texts(settings: Settings) -> Mapping[str, str]:
    """What was set, as variables hold it."""
    plain = {name: getattr(settings, name) for name in settings.model_fields_set}
    return {name: value.get_secret_value() if hasattr(value, "get_secret_value") else str(value) for name, value in plain.items()}


def test_commands_mask_what_has_the_shape_of_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is not there is named, wherever it was to be; a token is not."""
    monkeypatch.setenv("CLIPCAST_DATA_DIR", str(tmp_path))
    said = [
        CliRunner().invoke(cli, ["preflight", name, "--to", "tiktok"]).stderr for name in ("/media/a-disk-with-a-long-name/x.mp4", LEAD)
    ]
    assert "/media/a-disk-with-a-long-name/x.mp4" in said[0]
    assert "***" in said[1]
