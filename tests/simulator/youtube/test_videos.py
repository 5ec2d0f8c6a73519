"""What becomes of a video: processing by the clock, the verdict of real probing, its schedule, its owner's changes."""

import json
from typing import Any

import pytest

from simulator import media_samples
from simulator.wire import Answer, Sim
from simulator.youtube.channel import API, RESOURCE, Channel, channel, knobs, posts, reason


@pytest.fixture(scope="session")
def wide() -> bytes:
    return media_samples.video(width=640, height=360)


def settings(sim: Sim, **changes: Any) -> None:
    sim.control("PUT", "/settings", changes)


def test_processing_takes_its_time_and_tells_of_it(sim: Sim, eva: Channel, video: bytes) -> None:
    settings(sim, processing_s=100)
    video_id = eva.upload(video)["id"]

    sim.advance(25)
    shown = eva.video(video_id)
    assert shown["status"]["uploadStatus"] == "uploaded"
    assert shown["contentDetails"]["duration"] == "PT0S"
    assert shown["fileDetails"] == {}
    assert shown["processingDetails"] == {
        "processingStatus": "processing",
        "processingProgress": {"partsTotal": "1000", "partsProcessed": "250", "timeLeftMs": "75000"},
        "fileDetailsAvailability": "inProgress",
        "processingIssuesAvailability": "inProgress",
        "tagSuggestionsAvailability": "inProgress",
        "editorSuggestionsAvailability": "inProgress",
        "thumbnailsAvailability": "inProgress",
    }

    sim.advance(75)
    shown = eva.video(video_id)
    assert shown["status"]["uploadStatus"] == "processed"
    assert shown["contentDetails"]["duration"] == "PT1S"
    assert shown["processingDetails"]["processingStatus"] == "succeeded"
    assert shown["processingDetails"]["fileDetailsAvailability"] == "available"
    assert (shown["fileDetails"]["fileSize"], shown["fileDetails"]["durationMs"]) == (str(len(video)), "1000")
    assert shown["fileDetails"]["videoStreams"][0]["heightPixels"] == 640


def test_the_file_name_is_what_slug_said(eva: Channel, video: bytes) -> None:
    uri = eva.start(headers={"Slug": "my%20clip.mp4"}).headers["location"]

    video_id = eva.put(uri, video, 0, len(video)).json["id"]

    assert eva.video(video_id)["fileDetails"]["fileName"] == "my clip.mp4"


@pytest.mark.parametrize(
    ("content", "failure", "sign"),
    [
        (media_samples.image(), "invalidFile", "imageFile"),
        (b"PK\x03\x04" + bytes(5000), "invalidFile", "archiveFile"),
        (b"%PDF-1.7" + bytes(5000), "invalidFile", "docFile"),
        (b"ffconcat version 1.0\nfile '/etc/hostname'\n" + b"#" * 5000, "invalidFile", "notAVideoFile"),
        (bytes(5000), "invalidFile", "notAVideoFile"),
        (b"tiny", "tooSmall", "notAVideoFile"),
    ],
)
def test_any_bytes_are_taken_and_what_is_no_video_fails_later(eva: Channel, content: bytes, failure: str, sign: str) -> None:
    video_id = eva.upload(content)["id"]

    shown = eva.video(video_id)

    assert (shown["status"]["uploadStatus"], shown["status"]["failureReason"]) == ("failed", failure)
    assert shown["processingDetails"]["processingStatus"] == "failed"
    assert shown["suggestions"]["processingErrors"] == [sign]
    assert posts(eva.sim)[0]["published"] is False


def test_a_truncated_video_cannot_be_converted(eva: Channel) -> None:
    whole = media_samples.video(seconds=4, container="matroska", codec="libvpx")

    shown = eva.video(eva.upload(whole[: len(whole) // 3])["id"])

    assert shown["status"]["failureReason"] == "conversion"


@pytest.mark.parametrize(
    ("seconds", "changes", "outcome"),
    [
        (901, {"long_uploads": "disallowed"}, ("rejected", "length")),
        (901, {"phone_verified": False}, ("rejected", "length")),
        (899, {"long_uploads": "eligible"}, ("processed", None)),
        (901, {}, ("processed", None)),
    ],
)
def test_over_fifteen_minutes_need_long_uploads(sim: Sim, seconds: int, changes: dict[str, Any], outcome: tuple[str, str | None]) -> None:
    someone = channel(sim, "someone", **changes)
    long = media_samples.video(seconds=seconds, rate=1, width=64, height=36)

    status = someone.video(someone.upload(long)["id"])["status"]

    assert (status["uploadStatus"], status.get("rejectionReason")) == outcome


def test_vertical_and_square_videos_of_three_minutes_are_shorts(sim: Sim, eva: Channel, video: bytes, wide: bytes) -> None:
    square = media_samples.video(width=320, height=320)
    longer = media_samples.video(seconds=182, rate=1, width=36, height=64)

    shown = [eva.video(eva.upload(content)["id"]) for content in (video, square, wide, longer)]

    assert ["shortsAspectRatio" in item["snippet"]["thumbnails"] for item in shown] == [True, True, False, False]
    assert [post["is_short"] for post in posts(sim)] == [True, True, False, False]


def test_a_schedule_makes_it_public_by_the_clock(sim: Sim, eva: Channel, video: bytes) -> None:
    status = {"privacyStatus": "private", "publishAt": "2026-11-01T12:30:00Z"}
    video_id = eva.upload(video, RESOURCE | {"status": status})["id"]
    guest = channel(sim, "guest")

    sim.advance(1799)
    shown = eva.video(video_id)["status"]
    assert (shown["privacyStatus"], shown["publishAt"]) == ("private", "2026-11-01T12:30:00Z")
    assert guest.get("videos", part="status", id=video_id).json["items"] == []
    assert posts(sim)[0]["publish_at"] == "2026-11-01T12:30:00.000Z"

    sim.advance(1)
    shown = eva.video(video_id)
    assert (shown["status"]["privacyStatus"], "publishAt" in shown["status"]) == ("public", False)
    assert shown["snippet"]["publishedAt"] == "2026-11-01T12:30:00Z"
    assert guest.video(video_id, "status")["status"]["privacyStatus"] == "public"
    assert posts(sim)[0]["privacy"] == "public"


def test_an_unverified_project_finds_its_videos_locked_private(sim: Sim, eva: Channel, video: bytes) -> None:
    knobs(sim, force_private=True)
    settings(sim, processing_s=10)
    video_id = eva.upload(video, {"snippet": {"title": "x"}, "status": {"privacyStatus": "public"}})["id"]
    assert eva.video(video_id)["status"]["privacyStatus"] == "public"

    sim.advance(10)

    assert eva.video(video_id)["status"]["privacyStatus"] == "private"


def test_a_knob_rejects_the_same_bytes_twice(sim: Sim, eva: Channel, video: bytes) -> None:
    knobs(sim, duplicates="reject")

    first, second = (eva.upload(video)["id"] for _ in range(2))

    assert eva.video(first)["status"]["uploadStatus"] == "processed"
    assert eva.video(second)["status"]["rejectionReason"] == "duplicate"


def test_a_list_keeps_the_order_and_leaves_out_what_it_does_not_know(eva: Channel) -> None:
    first, second = (eva.upload(b"bytes")["id"] for _ in range(2))

    answer = eva.get("videos", part="id", id=f"{second},AAAAAAAAAAA,{first}")

    assert [item["id"] for item in answer.json["items"]] == [second, first]
    assert answer.json["kind"] == "youtube#videoListResponse"
    assert eva.get("videos", part="id", id="AAAAAAAAAAA").json["items"] == []


def test_a_knob_hides_a_new_video_for_a_while(sim: Sim, eva: Channel) -> None:
    knobs(sim, list_lag_s=60)
    video_id = eva.upload(b"bytes")["id"]

    assert eva.get("videos", part="id", id=video_id).json["items"] == []
    sim.advance(60)
    assert eva.video(video_id, "id")["id"] == video_id


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ({"id": "x"}, (400, "required")),
        ({"part": "status"}, (400, "missingRequiredParameter")),
        ({"part": "status", "id": "x", "chart": "mostPopular"}, (400, "incompatibleParameters")),
        ({"part": "status", "mine": "true"}, (400, "unexpectedParameter")),
        ({"part": "state", "id": "x"}, (400, "unknownPart")),
        ({"part": "status", "id": ",".join(f"{n:011}" for n in range(51))}, (400, "invalidParameter")),
        ({"part": "status", "chart": "mostPopular"}, (501, "notImplemented")),
    ],
)
def test_a_bad_list_request_is_refused(eva: Channel, query: dict[str, str], why: tuple[int, str]) -> None:
    assert reason(eva.get("videos", **query)) == why


def test_others_see_public_videos_and_no_details(sim: Sim, eva: Channel, video: bytes) -> None:
    guest = channel(sim, "guest")
    public = eva.upload(video, {"snippet": {"title": "x"}, "status": {"privacyStatus": "unlisted", "selfDeclaredMadeForKids": True}})["id"]
    private = eva.upload(video)["id"]

    shown = guest.get("videos", part="status", id=f"{public},{private}").json["items"]

    assert [item["id"] for item in shown] == [public]
    assert "selfDeclaredMadeForKids" not in shown[0]["status"]
    for part in ("fileDetails", "processingDetails", "suggestions"):
        assert reason(guest.get("videos", part=part, id=public)) == (403, "forbidden")


def update(who: Channel, resource: Any, part: str) -> Answer:
    headers = {"Content-Type": "application/json"}
    return who.send("PUT", f"{API}/videos", body=json.dumps(resource).encode(), headers=headers, part=part)


def test_an_update_replaces_every_field_of_its_parts(boss: Channel) -> None:
    snippet = {"title": "Old", "description": "Text", "tags": ["a"], "categoryId": "20"}
    status = {"privacyStatus": "private", "embeddable": False, "license": "creativeCommon"}
    video_id = boss.upload(b"bytes", {"snippet": snippet, "status": status})["id"]

    answer = update(boss, {"id": video_id, "snippet": {"title": "New", "categoryId": "22"}}, "snippet")

    assert answer.status == 200
    shown = boss.video(video_id)
    assert (shown["snippet"]["title"], shown["snippet"]["description"], "tags" in shown["snippet"]) == ("New", "", False)
    assert shown["status"]["embeddable"] is False

    update(boss, {"id": video_id, "status": {"privacyStatus": "unlisted"}}, "status")
    shown = boss.video(video_id)["status"]
    assert (shown["embeddable"], shown["license"], shown["privacyStatus"]) == (True, "youtube", "unlisted")


@pytest.mark.parametrize(
    ("body", "part", "why"),
    [
        ({"snippet": {"title": "No category"}}, "snippet", (400, "invalidCategoryId")),
        ({"snippet": {"categoryId": "22"}}, "snippet", (400, "invalidTitle")),
        ({"status": {"privacyStatus": "public", "publishAt": "2026-12-01T00:00:00Z"}}, "status", (400, "invalidPublishAt")),
        ({"status": {"publishAt": "2026-12-01T00:00:00Z"}}, "status", (400, "invalidPublishAt")),
        ({"localizations": {"de": {"title": "x"}}}, "localizations", (400, "defaultLanguageNotSet")),
        ({"id": "AAAAAAAAAAA"}, "snippet", (404, "videoNotFound")),
        ({"id": 5}, "snippet", (400, "required")),
    ],
)
def test_a_bad_update_changes_nothing(boss: Channel, body: dict[str, Any], part: str, why: tuple[int, str]) -> None:
    video_id = boss.upload(b"bytes")["id"]
    before = boss.video(video_id, "snippet,status")

    assert reason(update(boss, {"id": video_id} | body, part)) == why
    assert boss.video(video_id, "snippet,status") == before


def test_a_schedule_by_update_may_be_in_the_past_but_never_after_publication(boss: Channel, video: bytes) -> None:
    video_id = boss.upload(video)["id"]
    schedule = {"id": video_id, "status": {"privacyStatus": "private", "publishAt": "2026-10-01T00:00:00Z"}}

    assert update(boss, schedule, "status").json["status"]["privacyStatus"] == "public"
    assert reason(update(boss, schedule, "status")) == (400, "invalidPublishAt")


def test_only_the_owner_changes_and_deletes(sim: Sim, boss: Channel) -> None:
    video_id = boss.upload(b"bytes")["id"]
    other = channel(sim, "other", scopes=["youtube"])

    assert reason(update(other, {"id": video_id}, "status")) == (403, "forbidden")
    assert reason(other.send("DELETE", f"{API}/videos", id=video_id)) == (403, "forbidden")


def test_a_deleted_video_is_gone(sim: Sim, boss: Channel) -> None:
    video_id = boss.upload(b"bytes")["id"]

    assert (deleted := boss.send("DELETE", f"{API}/videos", id=video_id)).status == 204
    assert deleted.body == b""
    assert boss.get("videos", part="id", id=video_id).json["items"] == []
    assert reason(boss.send("DELETE", f"{API}/videos", id=video_id)) == (404, "videoNotFound")
    assert [(post["state"], post["published"]) for post in posts(sim)] == [("deleted", False)]


def test_uploaders_may_not_change_or_delete(eva: Channel) -> None:
    video_id = eva.upload(b"bytes")["id"]

    assert reason(update(eva, {"id": video_id}, "status")) == (403, "insufficientPermissions")
    assert reason(eva.send("DELETE", f"{API}/videos", id=video_id)) == (403, "insufficientPermissions")
