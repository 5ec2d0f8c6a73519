"""Converting at the command line: a clip by itself, or on the way to a post."""

from pathlib import Path

import pytest

from app.cli.running import Run, answer, only
from contract.world import World
from odd_media import Sound, make_video


@pytest.fixture(scope="session")
def slow_motion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("odd") / "slow.mp4", width=360, height=640, rate=120, seconds=1.5, sound=Sound())


def test_a_clip_is_converted_once(run: Run, slow_motion: Path) -> None:
    clip = only(answer(run("clips", "add", slow_motion, "--json"))["clips"])

    first = run("clips", "fit", clip["id"], "--to", "tiktok", "--json")

    made = answer(first)
    assert (made["state"], made["frame_rate"], made["clip_id"]) == ("ready", 60.0, clip["id"])
    assert "tiktok: converting, 0%" in first.stderr
    again = run("clips", "fit", clip["id"], "--to", "tiktok")
    assert made["purpose"] in again.stdout
    assert again.stderr == ""
    assert answer(run("clips", "show", clip["id"], "--json")) == clip


def test_what_fits_is_said_to_fit(run: Run, video: Path) -> None:
    clip = only(answer(run("clips", "add", video, "--json"))["clips"])

    assert run("clips", "fit", clip["id"], "--to", "youtube").stdout == "youtube takes the clip as it is.\n"


def test_what_cannot_be_converted_is_refused(run: Run, images: list[Path], tmp_path: Path) -> None:
    image, ribbon = answer(run("clips", "add", images[0], make_video(tmp_path / "a.mp4", width=2000, height=64, seconds=0.2), "--json"))[
        "clips"
    ]

    refused = run("clips", "fit", image["id"], "--to", "youtube")
    assert (refused.exit_code, "takes no images" in refused.stderr) == (1, True)
    assert run("clips", "fit", ribbon["id"], "--to", "tiktok").exit_code == 1
    assert run("clips", "fit", "nothing", "--to", "tiktok").exit_code == 1
    assert run("clips", "fit", image["id"], "--to", "myspace").exit_code == 2


def test_publishing_converts_on_the_way(run: Run, slow_motion: Path, world: World) -> None:
    refused = run("publish", slow_motion, "--to", "tiktok")
    assert (refused.exit_code, "auto_fit" in refused.stderr) == (1, True)
    assert run("preflight", slow_motion, "--to", "tiktok", "--auto-fit").exit_code == 0

    published = run("publish", slow_motion, "--to", "tiktok", "--auto-fit", "--json")

    publication = only(answer(published)["publications"])
    assert publication["state"] == "published"
    clip = only(answer(run("clips", "--json"))["clips"])
    made = answer(run("clips", "fit", clip["id"], "--to", "tiktok", "--json"))
    assert [post["sha256"] for post in world.ask("GET", "tiktok/posts")["posts"]] == [made["sha256"]]
