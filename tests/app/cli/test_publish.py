"""`clipcast publish`, and what one does to publications afterwards."""

import hashlib
import json
import signal
from pathlib import Path

import pytest

from app.cli.running import Run, Start, answer, line_with, only
from clipcast.platforms.simulated import NAMELESS
from contract.world import World


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_video_goes_out_whole_without_any_server(run: Run, world: World, video: Path) -> None:
    result = run("publish", video, "--to", "tiktok", "--caption", "Sunset", "--hashtag", "sea")
    assert result.exit_code == 0
    assert "published" in result.stdout
    assert "simulated: nothing was posted to the real platform" in result.stdout
    post = only(world.posts("tiktok", NAMELESS))
    assert (post["sha256"], post["caption"], post["published"]) == (sha256(video), "Sunset #sea", True)
    assert post["share_url"] in result.stdout


def test_progress_goes_to_standard_error_and_json_to_standard_output(run: Run, world: World, video: Path) -> None:
    world.script({"platform": "tiktok", "operation": "upload.chunk", "fault": "stall-1s"})  # an upload long enough to be seen
    result = run("publish", video, "--to", "tiktok", "--json")
    publication = only(answer(result)["publications"])
    assert (publication["status"], publication["state"], publication["simulated"]) == ("success", "published", True)
    assert "tiktok: uploading" in result.stderr
    assert "tiktok: published" in result.stderr


def test_several_images_are_one_photo_set_to_two_accounts(run: Run, world: World, images: list[Path]) -> None:
    """A username may be written with @; each account gets the images once, in order."""
    run("accounts", "add", "tiktok", "lena")
    run("accounts", "add", "tiktok", "@mika", "--kind", "satellite")
    result = run("publish", *images, "--to", "tiktok:lena", "--to", "tiktok:@mika", "--title", "Two walls", "--json")
    assert result.exit_code == 0
    assert [one["state"] for one in answer(result)["publications"]] == ["published", "published"]
    for username in ("lena", "mika"):
        post = only(world.posts("tiktok", username))
        assert (post["kind"], post["title"]) == ("photo", "Two walls")
        assert [image["sha256"] for image in post["images"]] == [sha256(image) for image in images]


def test_options_reach_the_platform(run: Run, world: World, video: Path) -> None:
    switches = (
        "--no-comments",
        "--no-duet",
        "--no-stitch",
        "--brand-organic",
        "--ai-generated",
        "--privacy",
        "friends",
        "--cover-ms",
        "500",
    )
    assert run("publish", video, "--to", "tiktok", *switches).exit_code == 0
    post = only(world.posts("tiktok", NAMELESS))
    assert post["privacy_level"] == "MUTUAL_FOLLOW_FRIENDS"
    wanted = {"disable_comment": True, "disable_duet": True, "disable_stitch": True, "brand_organic_toggle": True, "is_aigc": True}
    assert post["options"].items() >= (wanted | {"video_cover_timestamp_ms": 500}).items()


def test_a_refusal_is_exit_code_1_with_what_to_change(run: Run, world: World, video: Path) -> None:
    world.script({"platform": "tiktok", "operation": "video.init", "fault": "fail:frame_rate_check_failed"})
    result = run("publish", video, "--to", "tiktok")
    assert result.exit_code == 1
    assert "failed" in result.stdout
    assert "frame" in result.stdout
    assert not only(world.posts("tiktok", NAMELESS))["published"]


def test_a_failed_one_can_be_tried_again(run: Run, world: World, video: Path) -> None:
    world.script({"platform": "tiktok", "operation": "video.init", "fault": "fail:frame_rate_check_failed"})
    failed = only(answer(run("publish", video, "--to", "tiktok", "--json"))["publications"])
    result = run("posts", "retry", failed["id"])
    assert result.exit_code == 0
    assert "published" in result.stdout
    assert [post["published"] for post in world.posts("tiktok", NAMELESS)].count(True) == 1


def test_one_account_is_never_meant_twice(run: Run, world: World, video: Path) -> None:
    """The platform's main account and its name are the same account."""
    run("accounts", "add", "tiktok", "lena")
    result = run("publish", video, "--to", "tiktok", "--to", "tiktok:lena")
    assert result.exit_code == 2
    assert "would post twice" in result.stderr
    assert answer(run("posts", "--json")) == {"publications": []}
    assert world.posts("tiktok", "lena") == []


def test_a_key_makes_repeating_the_command_harmless(run: Run, world: World, video: Path) -> None:
    command = ("publish", video, "--to", "tiktok", "--key", "monday", "--json")
    first, second = (only(answer(run(*command))["publications"]) for _ in range(2))
    assert first["id"] == second["id"]
    assert len(world.posts("tiktok", NAMELESS)) == 1
    other = run(*command, "--caption", "something else")
    assert other.exit_code == 1
    assert "Idempotency-Key" in other.stderr


def test_what_is_scheduled_waits_and_can_be_cancelled(run: Run, world: World, video: Path) -> None:
    result = run("publish", video, "--to", "tiktok", "--at", "2032-05-01T09:00:00+02:00", "--json")
    assert result.exit_code == 0
    publication = only(answer(result)["publications"])
    assert (publication["state"], publication["scheduled_at"]) == ("scheduled", "2032-05-01T07:00:00Z")
    assert run("posts", "cancel", publication["id"]).exit_code == 0
    assert only(answer(run("posts", "--json", "--state", "cancelled"))["publications"])["id"] == publication["id"]
    assert world.posts("tiktok", NAMELESS) == []


def test_what_is_out_cannot_be_cancelled(run: Run, video: Path) -> None:
    publication = only(answer(run("publish", video, "--to", "tiktok", "--json"))["publications"])
    result = run("posts", "cancel", publication["id"])
    assert result.exit_code == 1
    assert result.stderr.strip() == "This publication is published and can no longer be cancelled."


def test_an_uncertain_one_is_decided_by_a_person(run: Run, video: Path) -> None:
    """Only an uncertain one: about the others there is nothing to decide."""
    publication = only(answer(run("publish", video, "--to", "tiktok", "--no-wait", "--json"))["publications"])
    result = run("posts", "decide", publication["id"], "--live")
    assert result.exit_code == 1
    assert "nothing to decide" in result.stderr
    assert run("posts", "decide", publication["id"], "--not-live", "--url", "https://x").exit_code == 2
    assert run("posts", "decide", publication["id"]).exit_code == 2


def test_checking_carries_on_what_nobody_carries(run: Run, video: Path) -> None:
    publication = only(answer(run("publish", video, "--to", "tiktok", "--no-wait", "--json"))["publications"])
    assert publication["state"] == "scheduled"
    result = run("posts", "check", publication["id"], "--json")
    assert result.exit_code == 0
    assert only(answer(result)["publications"])["state"] in {"processing", "published"}


def test_preflight_says_everything_and_publishes_nothing(run: Run, world: World, video: Path, images: list[Path]) -> None:
    assert run("preflight", video, "--to", "tiktok").stdout.strip() == "tiktok: ready to publish."
    result = run("preflight", video, images[0], "--to", "tiktok", "--mode", "nonsense", "--json")
    assert result.exit_code == 1
    found = answer(result)
    assert not found["ok"]
    assert {problem["code"] for problem in found["targets"][0]["problems"]} >= {"mixed_media", "unknown_mode"}
    assert answer(run("posts", "--json")) == {"publications": []}
    assert all(not post["published"] for post in world.posts("tiktok", NAMELESS))


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGINT])
def test_a_publish_that_was_ended_is_finished_by_the_next_worker(start: Start, world: World, video: Path, blow: signal.Signals) -> None:
    """In mid-upload: the simulator takes its time before it reads the bytes."""
    world.script({"platform": "tiktok", "operation": "upload.chunk", "fault": "stall-3s"})
    publish = start("publish", video, "--to", "tiktok")
    line_with(publish.stderr, "tiktok: uploading")
    while not world.requests("upload.chunk"):
        assert publish.poll() is None
    publish.send_signal(blow)
    if blow is signal.SIGINT:
        assert publish.wait(timeout=30) == 1
        assert "clipcast worker" in publish.communicate()[1]
    publish.wait(timeout=30)

    worker = start("worker", "--json")
    assert json.loads(line_with(worker.stdout, '"ended"'))["outcome"] == "published"
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=30) == 0
    assert [post["sha256"] for post in world.posts("tiktok", NAMELESS) if post["published"]] == [sha256(video)]
