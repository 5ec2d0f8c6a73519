"""Auto-fit over HTTP: a clip that a platform does not take is converted, by request or on the way to a post."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from app.api.calling import Api, World, new_account, order, until
from clipcast.clips.sample import make_sample_image
from odd_media import Sound, make_video

UNREADABLE = "The video's sound is of a kind that Clipcast cannot read (pcm_alaw). Export it as MP4 with H.264 and AAC."


@pytest.fixture(scope="session")
def slow_motion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 frames a second: twice what TikTok and Instagram take."""
    return make_video(tmp_path_factory.mktemp("odd") / "a.mp4", width=360, height=640, rate=120, seconds=1.5, sound=Sound())


@pytest.fixture(scope="session")
def large_photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_sample_image(tmp_path_factory.mktemp("odd") / "a.png", width=1500, height=1200)


@pytest.fixture(scope="session")
def unreadable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its pictures are fine, so it comes in; its sound is of a kind that no decoder of ours may touch."""
    return make_video(tmp_path_factory.mktemp("odd") / "a.mov", width=360, height=640, rate=120, sound=Sound("pcm_alaw"))


def renditions(api: Api, clip_id: str) -> Any:
    return api("GET", f"/clips/{clip_id}/renditions").json["renditions"]


def preflight(api: Api, clip_id: str, **metadata: Any) -> Any:
    answer = api("POST", "/publications/preflight", order(clip_id, **metadata))
    assert answer.status == 200
    return answer.json


# By request


def test_a_conversion_is_asked_for_watched_and_found(idle_api: Api, slow_motion: Path) -> None:
    clip_id = idle_api.upload(slow_motion)

    asked = idle_api("POST", f"/clips/{clip_id}/renditions", {"platform": "tiktok"})
    assert asked.status == 202
    assert asked.json["state"] in {"waiting", "running"}
    place = asked.headers["location"]
    ready = until(idle_api, place, lambda each: each["state"] == "ready")

    assert place == f"/clips/{clip_id}/renditions/{ready['purpose']}"
    assert (ready["frame_rate"], ready["width"], ready["height"], ready["progress"]) == (60.0, 360, 640, 1.0)
    assert renditions(idle_api, clip_id) == [ready]
    again = idle_api("POST", f"/clips/{clip_id}/renditions", {"platform": "tiktok"})
    assert (again.status, again.json) == (200, ready)


def test_what_fits_is_not_converted(idle_api: Api, video: Path, image: Path) -> None:
    clip_id, image_id = idle_api.upload(video), idle_api.upload(image)

    answer = idle_api("POST", f"/clips/{clip_id}/renditions", {"platform": "youtube"})
    assert (answer.status, answer.json["purpose"], answer.json["state"]) == (200, "original", "ready")
    assert idle_api("GET", answer.headers["location"]).json == answer.json
    assert renditions(idle_api, clip_id) == []
    story = idle_api("POST", f"/clips/{image_id}/renditions", {"platform": "instagram", "mode": "story"})
    assert (story.status, story.json["purpose"]) == (200, "original")


def test_a_png_has_its_jpeg_already(idle_api: Api, tmp_path: Path) -> None:
    clip_id = idle_api.upload(make_sample_image(tmp_path / "a.png", width=400, height=400))

    answer = idle_api("POST", f"/clips/{clip_id}/renditions", {"platform": "tiktok"})

    assert (answer.status, answer.json["purpose"], answer.json["content_type"]) == (200, "jpeg", "image/jpeg")


def test_why_it_failed_is_told(idle_api: Api, unreadable: Path) -> None:
    clip_id = idle_api.upload(unreadable)

    place = idle_api("POST", f"/clips/{clip_id}/renditions", {"platform": "tiktok"}).headers["location"]
    failed = until(idle_api, place, lambda each: each["state"] == "failed")

    assert failed["error_message"] == UNREADABLE
    assert [each["state"] for each in renditions(idle_api, clip_id)] == ["failed"]


def test_what_cannot_be_converted_is_refused(idle_api: Api, image: Path, tmp_path: Path) -> None:
    image_id = idle_api.upload(image)
    ribbon_id = idle_api.upload(make_video(tmp_path / "a.mp4", width=2000, height=64, seconds=0.2))

    for clip_id, platform, reason in [(image_id, "youtube", "takes no images"), (ribbon_id, "tiktok", "too extreme")]:
        answer = idle_api("POST", f"/clips/{clip_id}/renditions", {"platform": platform})
        assert (answer.status, answer.code) == (400, "invalid_request")
        assert reason in answer.json["detail"]
    assert idle_api("POST", "/clips/nothing/renditions", {"platform": "tiktok"}).status == 404
    assert idle_api("GET", f"/clips/{image_id}/renditions/fit-nothing").status == 404
    assert idle_api("POST", f"/clips/{image_id}/renditions", {"platform": "myspace"}).status == 422


# On the way to a post


def test_preflight_says_what_auto_fit_would_mend(api: Api, slow_motion: Path) -> None:
    clip_id = api.upload(slow_motion)

    [problem] = preflight(api, clip_id)["problems"]
    assert (problem["code"], problem["blocking"], problem["fittable"]) == ("frame_rate_out_of_range", True, True)
    assert problem["sentence"].endswith("Or set auto_fit to true, and Clipcast posts a converted copy.")

    answer = preflight(api, clip_id, auto_fit=True)
    [problem] = answer["problems"]
    assert answer["ok"] is True
    assert (problem["code"], problem["blocking"], problem["fittable"]) == ("will_be_converted", False, True)
    assert "MP4 with H.264, 360 x 640 pixels, 60 frames per second" in problem["sentence"]


def test_without_auto_fit_it_is_refused_and_the_way_out_is_named(api: Api, slow_motion: Path, account_id: str) -> None:
    answer = api("POST", "/publishing/publish", order(api.upload(slow_motion), account_id))

    assert (answer.status, answer.code) == (400, "invalid_request")
    assert "auto_fit" in answer.json["detail"]


def test_with_auto_fit_the_world_sees_the_conversion(api: Api, slow_motion: Path, account_id: str, world: World) -> None:
    clip_id = api.upload(slow_motion)

    answer = api("POST", "/publishing/publish", order(clip_id, account_id, auto_fit=True))

    assert answer.json["success"] is True, answer.json
    [post], [rendition] = world.posts(), renditions(api, clip_id)
    assert post["sha256"] == rendition["sha256"]
    assert post["sha256"] != hashlib.sha256(slow_motion.read_bytes()).hexdigest()
    assert api("GET", f"/clips/{clip_id}").json["sha256"] == hashlib.sha256(slow_motion.read_bytes()).hexdigest()
    assert preflight(api, clip_id, auto_fit=True)["problems"] == []


def test_what_fits_goes_out_as_it_is(api: Api, video: Path, account_id: str, world: World) -> None:
    answer = api("POST", "/publishing/publish", order(api.upload(video), account_id, auto_fit=True))

    assert answer.json["success"] is True
    assert [post["sha256"] for post in world.posts()] == [hashlib.sha256(video.read_bytes()).hexdigest()]


def test_a_photo_set_is_converted_where_it_must_be(api: Api, large_photo: Path, image: Path, account_id: str, world: World) -> None:
    clip_ids = [api.upload(large_photo), api.upload(image)]

    answer = api("POST", "/publishing/publish", order(clip_ids[0], account_id, clip_ids=clip_ids, auto_fit=True))

    assert answer.json["success"] is True, answer.json
    [post] = world.posts()
    converted = [each for each in renditions(api, clip_ids[0]) if each["purpose"].startswith("fit-tiktok-")]
    assert [(each["width"], each["height"]) for each in converted] == [(1350, 1080)]
    assert [each["sha256"] for each in post["images"]] == [converted[0]["sha256"], hashlib.sha256(image.read_bytes()).hexdigest()]


def test_a_post_to_many_is_converted_for_each_platform_that_needs_it(api: Api, slow_motion: Path, account_id: str) -> None:
    clip_id, other = api.upload(slow_motion), new_account(api, "second")

    post = api(
        "POST",
        "/posts",
        {"clip_ids": [clip_id], "caption": "Slow", "auto_fit": True, "targets": [{"account_id": account_id}, {"account_id": other}]},
    ).json
    post = until(api, f"/posts/{post['id']}", lambda each: all(one["status"] in {"success", "failed"} for one in each["publications"]))

    assert [each["state"] for each in post["publications"]] == ["published", "published"], post
    assert len(renditions(api, clip_id)) == 1


def test_a_clip_whose_conversion_fails_is_a_post_that_failed(api: Api, account_id: str, world: World, unreadable: Path) -> None:

    answer = api("POST", "/publishing/publish", order(api.upload(unreadable), account_id, auto_fit=True))

    assert answer.json["success"] is False
    assert answer.json["error_message"] == UNREADABLE
    assert world.posts() == []
