"""Bad input and a bad machine: one sentence on standard error, exit code 1, and nothing changed."""

import resource
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import Result

from app.cli.running import Run, Start, answer
from clipcast.clips.sample import make_sample_video


def sentence(result: Result) -> str:
    """What the user is told: one line on standard error, nothing on standard output."""
    assert result.exit_code == 1
    assert result.stdout == ""
    (line,) = result.stderr.strip().splitlines()
    assert line.endswith(".") or "Add it: clipcast" in line
    return line


def bad_files(directory: Path, video: Path) -> dict[str, tuple[Path, str]]:
    """Files that are not what they claim, and a word of what has to be said about each."""
    content = {
        "text.mp4": (b"just some words\n" * 40, "text"),
        "empty.mp4": (b"", "empty"),
        "list.mp4": (b"ffconcat version 1.0\nfile '/etc/passwd'\n", "text"),
        "cut.mp4": (video.read_bytes()[: video.stat().st_size // 2], "cut off"),
    }
    for name, (bytes_, _) in content.items():
        (directory / name).write_bytes(bytes_)
    return {name: (directory / name, word) for name, (_, word) in content.items()}


@pytest.mark.parametrize("name", ["text.mp4", "empty.mp4", "list.mp4", "cut.mp4"])
def test_a_file_that_is_not_what_it_claims(run: Run, tmp_path: Path, video: Path, name: str) -> None:
    path, word = bad_files(tmp_path, video)[name]
    assert word in sentence(run("publish", path, "--to", "tiktok"))
    assert answer(run("clips", "--json")) == {"clips": []}


def test_a_file_that_is_not_there(run: Run, tmp_path: Path) -> None:
    assert sentence(run("publish", tmp_path / "gone.mp4", "--to", "tiktok")) == f"There is no file {tmp_path / 'gone.mp4'}."


def test_a_name_that_no_file_can_have(run: Run) -> None:
    assert "File name too long" in sentence(run("publish", "x" * 300 + ".mp4", "--to", "tiktok"))


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/a.mp4", "http://localhost/a.mp4", "http://[::1]/a.mp4"])
def test_a_url_into_our_own_network(run: Run, url: str) -> None:
    assert "an address that is not public" in sentence(run("publish", url, "--to", "tiktok"))
    assert answer(run("clips", "--json")) == {"clips": []}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--to", "tiktok", "--caption", "x" * 2201], "2201 characters"),
        (["--to", "myspace"], "does not publish to 'myspace'"),
        (["--to", "tiktok:nobody"], "no account @nobody"),
        (["--to", "tiktok", "--mode", "sideways"], "no mode 'sideways'"),
    ],
)
def test_what_the_rules_exclude(run: Run, video: Path, options: list[str], words: str) -> None:
    assert words in sentence(run("publish", video, *options))
    assert answer(run("posts", "--json")) == {"publications": []}


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--at", "tomorrow"),
        ("--extra", "[1]"),
        ("--extra", "{"),
        ("--privacy", "secret"),
        ("--cover-ms", "-1"),
        ("--caption", "x" * 100_001),
    ],
)
def test_options_that_cannot_be_understood_are_wrong_use(run: Run, video: Path, option: str, value: str) -> None:
    result = run("publish", video, "--to", "tiktok", option, value)
    assert result.exit_code == 2
    assert result.stdout == ""


def test_too_many_images(run: Run, images: list[Path]) -> None:
    assert "36" in sentence(run("publish", *[images[0]] * 36, "--to", "tiktok"))


@pytest.mark.parametrize(
    "command", [["posts", "show"], ["posts", "retry"], ["posts", "cancel"], ["posts", "check"], ["clips", "show"], ["logs"]]
)
def test_an_id_that_nobody_has(run: Run, command: list[str]) -> None:
    assert sentence(run(*command, "nobody")).startswith("There is no ")


def test_a_setting_that_cannot_be(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIPCAST_SIMULATION", "maybe")
    assert sentence(run("clips")).startswith("CLIPCAST_SIMULATION is not usable")


def test_a_data_directory_that_cannot_be_made(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("CLIPCAST_DATA_DIR", str(tmp_path / "file" / "data"))
    assert "CLIPCAST_DATA_DIR" in sentence(run("clips"))


def test_a_data_directory_that_nobody_may_write(start: Start, video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even root, as whom these tests may run."""
    monkeypatch.setenv("CLIPCAST_DATA_DIR", "/proc/clipcast")
    process = start("publish", video, "--to", "tiktok")
    stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (1, "")
    assert "/proc/clipcast cannot be written" in stderr


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize("command", ["serve", "simulator"])
def test_a_port_that_is_taken(run: Run, taken_port: int, command: str) -> None:
    assert f"Port {taken_port} on 127.0.0.1 is taken" in sentence(run(command, "--port", taken_port))


def test_an_address_that_is_not_ours(run: Run) -> None:
    assert "no address of this machine" in sentence(run("serve", "--host", "203.0.113.7", "--port", "0"))


def test_a_disk_that_is_full(start: Start, tmp_path: Path) -> None:
    """The process may not write a file beyond 4 MB, which to it is the same."""
    large = make_sample_video(tmp_path / "large.mp4", seconds=1, min_bytes=6_000_000)
    process = start("publish", large, "--to", "tiktok", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4 << 20, 4 << 20)))
    stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (1, "")
    assert "is full. Nothing was stored" in stderr
    assert "Traceback" not in stderr


def test_a_database_that_another_program_holds(run: Run, data_dir: Path, video: Path) -> None:
    run("clips")
    with closing(sqlite3.connect(data_dir / "clipcast.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert "database is locked" in sentence(run("publish", video, "--to", "tiktok"))
        other.execute("ROLLBACK")
    assert answer(run("posts", "--json")) == {"publications": []}


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://127.0.0.1/x", "runs on SQLite and PostgreSQL"),
        ("nonsense", "is not a database URL"),
        ("postgresql://127.0.0.1:1/x", "cannot be reached"),
    ],
)
def test_a_database_that_is_not_there(run: Run, monkeypatch: pytest.MonkeyPatch, url: str, words: str) -> None:
    monkeypatch.setenv("CLIPCAST_DATABASE_URL", url)
    assert words in sentence(run("clips"))


def test_a_surprise_is_told_in_a_sentence_and_kept_in_the_log(run: Run, data_dir: Path) -> None:
    """A database file that is none: nobody expects that."""
    run("clips")
    for file in data_dir.glob("clipcast.sqlite3*"):
        file.write_bytes(b"this is no database" * 100)
    told = sentence(run("clips"))
    assert str(data_dir / "clipcast.log") in told
    assert "Traceback" in (data_dir / "clipcast.log").read_text()


def test_who_debugs_sees_the_trace(start: Start, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data_dir.mkdir()
    (data_dir / "clipcast.sqlite3").write_bytes(b"this is no database" * 100)
    monkeypatch.setenv("CLIPCAST_LOG_LEVEL", "debug")
    process = start("clips")
    assert "Traceback" in process.communicate(timeout=60)[1]
    assert process.returncode == 1
