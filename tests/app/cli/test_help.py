"""What every command has in common."""

import resource
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from clipcast.cli import app


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that does something, with the words that call it."""
    children = getattr(group, "commands", {})
    for name, child in children.items():
        yield from commands(child, (*path, name))
    if path and (not children or group.invoke_without_command):
        yield path, group


ALL = [pytest.param(path, command, id=" ".join(path)) for path, command in commands(typer.main.get_command(app))]


@pytest.mark.parametrize(("path", "command"), ALL)
def test_every_command_explains_itself_and_speaks_json(path: tuple[str, ...], command: Any) -> None:
    result = CliRunner().invoke(app, [*path, "--help"])
    assert result.exit_code == 0
    assert "--json" in result.stdout
    assert command.help
    described = [parameter for parameter in command.params if parameter.param_type_name == "option"]
    assert all(option.help for option in described), "an option without a word about it"


def test_the_design_names_these_commands() -> None:
    words = {path[0] for path, _ in commands(typer.main.get_command(app))}
    assert words >= {"serve", "worker", "simulator", "publish", "preflight", "clips", "accounts", "posts", "logs", "ledger", "db", "doctor"}


def test_help_is_quick() -> None:
    """By the processor's time, and the best of a few tries: other work on this machine is not ours to answer for."""
    assert min(_processor_s("--help") for _ in range(5)) < 0.3


def test_help_loads_no_database_and_no_server() -> None:
    program = (
        "import sys, clipcast.cli; print([m for m in ('sqlalchemy', 'fastapi', 'pydantic', 'av', 'rich', 'urllib3') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)
    assert shown.stdout.strip() == "[]"


def _processor_s(*arguments: str) -> float:
    """How many seconds a processor worked on this, for the program and for the system."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "clipcast", *arguments], check=True, stdout=subprocess.DEVNULL, timeout=30)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_the_version_is_told() -> None:
    result = CliRunner().invoke(app, ["--version"], prog_name="clipcast")
    assert result.exit_code == 0
    assert result.stdout.startswith("clipcast 0.")


@pytest.mark.parametrize(
    "wrong", [["nonsense"], ["publish", "a.mp4"], ["publish", "--to", "tiktok"], ["clips", "--limit", "0"], ["serve", "--port", "x"]]
)
def test_wrong_use_is_exit_code_2_and_leaves_standard_output_alone(wrong: list[str]) -> None:
    result = CliRunner().invoke(app, wrong)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Error" in result.stderr
