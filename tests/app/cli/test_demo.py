"""`make demo`: the demonstration proves what it shows, or fails."""

import subprocess
import sys
from pathlib import Path

import pytest

from clipcast.clips.sample import make_sample_video


def demo(*arguments: object, directory: Path) -> "subprocess.CompletedProcess[str]":
    """Runs it in an empty directory, with settings of the user's that must not matter."""
    command = [sys.executable, "-m", "clipcast.demo", *map(str, arguments)]
    hostile = {"CLIPCAST_DATA_DIR": "/proc/nowhere", "CLIPCAST_DATABASE_URL": "mysql://production/", "CLIPCAST_SIMULATION": "off"}
    return subprocess.run(command, cwd=directory, env=hostile, capture_output=True, text=True, timeout=110, check=False)


def test_killed_uploads_are_resumed_on_every_platform_and_nothing_is_doubled_or_lost(tmp_path: Path) -> None:
    shown = demo(directory=tmp_path)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert shown.stdout.rstrip().splitlines()[-1] == "published 6, duplicated 0, lost 0"
    for words in ("It goes on from there", "yes, 1 of 1 files", "yes, 3 of 3 files", "Ledger verified"):
        assert words in shown.stdout
    assert shown.stdout.count("SIGKILL") == 3
    for platform in ("TikTok", "Instagram", "YouTube"):
        assert f"Its successor asked {platform} what had arrived" in shown.stdout
    assert "\x1b" not in shown.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "words"), [("gone.mp4", "There is no file"), ("text.mp4", "text, not a video"), ("0.jpg", "is an image")])
def test_a_file_that_cannot_be_used_is_told_in_a_sentence(tmp_path: Path, media: Path, name: str, words: str) -> None:
    (tmp_path / "text.mp4").write_text("some words")
    file = media / name if (media / name).exists() else tmp_path / name
    shown = demo(file, directory=tmp_path)
    assert shown.returncode == 1
    assert words in shown.stderr
    assert "Traceback" not in shown.stderr


def test_more_than_one_file_is_wrong_use(tmp_path: Path) -> None:
    assert demo("a", "b", directory=tmp_path).returncode == 2


def test_a_video_that_one_platform_refuses_goes_to_the_others(tmp_path: Path) -> None:
    file = make_sample_video(tmp_path / "short.mp4", seconds=2, min_bytes=4_000_000)
    directory = tmp_path / "empty"
    directory.mkdir()
    shown = demo(file, directory=directory)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "Instagram reel @lena is left out: A reel on Instagram lasts 3 s at least" in shown.stdout
    assert shown.stdout.rstrip().splitlines()[-1] == "published 5, duplicated 0, lost 0"
