"""The command line as a user meets it: a data directory of its own, real files, and the real simulator."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from app.cli.running import Run, Start
from clipcast.cli import app
from clipcast.clips.sample import make_sample_image, make_sample_video
from contract.world import World


@pytest.fixture
def data_dir(tmp_path: Path, environment: pytest.MonkeyPatch, world: World) -> Path:
    """An installation that does not exist yet; the environment names it and nothing else."""
    directory = tmp_path / "data"
    environment.setenv("CLIPCAST_DATA_DIR", str(directory))
    environment.setenv("CLIPCAST_SIMULATOR_URL", world.url)
    return directory


@pytest.fixture
def run(data_dir: Path) -> Run:
    """Runs a command; whatever happens, no stack trace reaches the user."""
    assert not data_dir.exists()
    runner = CliRunner()

    def call(*arguments: object, stdin: str | None = None) -> Result:
        result = runner.invoke(app, [str(argument) for argument in arguments], input=stdin, prog_name="clipcast")
        assert "Traceback" not in result.output
        return result

    return call


@pytest.fixture
def start(data_dir: Path) -> Iterator[Start]:
    """Starts a command as a process of its own; those still running at the end are killed."""
    assert data_dir
    started: list[subprocess.Popen[str]] = []

    def begin(*arguments: object, **options: Any) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "clipcast", *(str(argument) for argument in arguments)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1, **options)
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with `video.mp4`, and `0.jpg` and `1.jpg`."""
    directory = tmp_path_factory.mktemp("media")
    make_sample_video(directory / "video.mp4", seconds=1.2)
    for number in range(2):
        make_sample_image(directory / f"{number}.jpg", width=360, height=640, seed=number)
    return directory


@pytest.fixture
def video(media: Path) -> Path:
    return media / "video.mp4"


@pytest.fixture
def images(media: Path) -> list[Path]:
    return [media / "0.jpg", media / "1.jpg"]
