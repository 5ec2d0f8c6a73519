"""thumbnails.set: who may, which bytes, and the late hour of Shorts."""

import hashlib
from typing import Any

import pytest

from simulator import media_samples
from simulator.wire import Sim
from simulator.youtube.channel import UPLOADS, Channel, channel, posts, reason

PICTURE = media_samples.image(width=1280, height=720)


@pytest.fixture(scope="session")
def wide() -> bytes:
    return media_samples.video(width=640, height=360)


def test_a_picture_is_set_and_comes_in_the_sizes_it_is_large_enough_for(sim: Sim, eva: Channel, wide: bytes) -> None:
    video_id = eva.upload(wide)["id"]

    answer = eva.set_thumbnail(video_id, PICTURE)

    assert (answer.status, answer.json["kind"]) == (200, "youtube#thumbnailSetResponse")
    (sizes,) = answer.json["items"]
    assert list(sizes) == ["default", "medium", "high", "standard", "maxres"]
    assert (sizes["maxres"]["width"], sizes["maxres"]["height"]) == (1280, 720)
    assert posts(sim)[0]["thumbnail_sha256"] == hashlib.sha256(PICTURE).hexdigest()
    assert eva.video(video_id)["contentDetails"]["hasCustomThumbnail"] is True


def test_the_last_picture_counts(sim: Sim, eva: Channel, wide: bytes) -> None:
    video_id = eva.upload(wide)["id"]
    eva.set_thumbnail(video_id, PICTURE)

    png = media_samples.image("PNG")
    assert eva.set_thumbnail(video_id, png, "image/png").status == 200

    assert posts(sim)[0]["thumbnail_sha256"] == hashlib.sha256(png).hexdigest()


def test_on_a_short_it_does_nothing_before_processing_has_succeeded(sim: Sim, eva: Channel, video: bytes) -> None:
    sim.control("PUT", "/settings", {"processing_s": 60})
    video_id = eva.upload(video)["id"]

    assert eva.set_thumbnail(video_id, PICTURE).status == 200
    sim.advance(60)
    assert posts(sim)[0]["thumbnail_sha256"] is None

    assert eva.set_thumbnail(video_id, PICTURE).status == 200
    assert posts(sim)[0]["thumbnail_sha256"] == hashlib.sha256(PICTURE).hexdigest()


@pytest.mark.parametrize(
    ("image", "media_type", "why"),
    [
        (b"no picture at all", "image/jpeg", (400, "invalidImage")),
        (PICTURE[: len(PICTURE) // 2], "image/jpeg", (400, "invalidImage")),
        (media_samples.image("WEBP"), "application/octet-stream", (400, "invalidImage")),
        (PICTURE, "image/webp", (400, "badContent")),
        (PICTURE, "", (400, "badContent")),
        (b"", "image/jpeg", (400, "mediaBodyRequired")),
        (bytes(52_428_801), "image/jpeg", (413, "uploadTooLarge")),
    ],
)
def test_a_bad_picture_is_refused(sim: Sim, eva: Channel, image: bytes, media_type: str, why: tuple[int, str]) -> None:
    video_id = eva.upload(b"bytes")["id"]

    assert reason(eva.set_thumbnail(video_id, image, media_type)) == why
    assert posts(sim)[0]["thumbnail_sha256"] is None


def test_without_a_verified_phone_it_is_forbidden_as_seen_on_the_wire(sim: Sim) -> None:
    someone = channel(sim, "someone", phone_verified=False)

    answer = someone.set_thumbnail(someone.upload(b"bytes")["id"], PICTURE)

    assert reason(answer) == (403, "forbidden")
    assert answer.json["error"]["errors"][0]["domain"] == "youtube.thumbnail"
    assert answer.message == "The authenticated user doesn't have permissions to upload and set custom video thumbnails."


def test_only_ones_own_videos_have_thumbnails(sim: Sim, eva: Channel) -> None:
    video_id = channel(sim, "other").upload(b"bytes")["id"]

    assert reason(eva.set_thumbnail(video_id, PICTURE)) == (403, "forbidden")
    assert reason(eva.set_thumbnail("AAAAAAAAAAA", PICTURE)) == (404, "videoNotFound")


def test_a_channel_may_set_so_many_in_24_hours(sim: Sim) -> None:
    someone = channel(sim, "someone", thumbnail_cap=1)
    video_id = someone.upload(b"bytes")["id"]
    assert someone.set_thumbnail(video_id, PICTURE).status == 200

    assert reason(someone.set_thumbnail(video_id, PICTURE)) == (429, "uploadRateLimitExceeded")


def test_each_costs_fifty_units(sim: Sim, eva: Channel) -> None:
    eva.set_thumbnail(eva.upload(b"bytes")["id"], PICTURE)

    assert sim.control("GET", "/youtube/apps")["apps"][0]["used_today"] == {"uploads": 1, "units": 50}


@pytest.mark.parametrize(("picture", "outcome"), [(PICTURE, 200), (b"no picture at all", 400)])
def test_thumbnails_may_be_resumable_too(sim: Sim, eva: Channel, wide: bytes, picture: bytes, outcome: int) -> None:
    video_id = eva.upload(wide)["id"]
    query: dict[str, Any] = {"uploadType": "resumable", "videoId": video_id}
    begun = eva.send("POST", f"{UPLOADS}/thumbnails/set", headers={"X-Upload-Content-Type": "image/jpeg"}, **query)
    assert begun.status == 200
    uri = begun.headers["location"]

    answer = eva.put(uri, picture, 0, len(picture), Content_Type="image/jpeg")

    assert answer.status == outcome
    assert eva.query(uri).status == (200 if outcome == 200 else 404)
    assert (posts(sim)[0]["thumbnail_sha256"] is not None) == (outcome == 200)
