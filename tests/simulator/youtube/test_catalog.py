"""channels.list, playlistItems.list and videoCategories.list."""

from typing import Any

import pytest

from simulator.wire import Sim
from simulator.youtube.channel import Channel, channel, knobs, reason


def uploads(who: Channel, **query: Any) -> Any:
    playlist = f"UU{who.credentials['channel_id'][2:]}"
    asked = {"part": "snippet,contentDetails,status", "playlistId": playlist} | query
    return who.get("playlistItems", **asked).json


def test_mine_is_the_channel_that_consented(eva: Channel) -> None:
    (mine,) = eva.get("channels", part="id,snippet,contentDetails,status", mine="true").json["items"]

    assert mine["id"] == eva.credentials["channel_id"]
    assert mine["contentDetails"]["relatedPlaylists"]["uploads"] == f"UU{mine['id'][2:]}"
    assert mine["status"]["longUploadsStatus"] == "allowed"
    assert mine["snippet"]["title"] == "Eva"


def test_an_unverified_phone_makes_long_uploads_only_eligible(sim: Sim) -> None:
    someone = channel(sim, "someone", phone_verified=False)

    (mine,) = someone.get("channels", part="status", mine="true").json["items"]

    assert mine["status"]["longUploadsStatus"] == "eligible"


def test_without_a_channel_there_are_no_items_at_all(sim: Sim) -> None:
    answer = channel(sim, "nobody", channel=False).get("channels", part="id", mine="true")

    assert answer.status == 200
    assert "items" not in answer.json


def test_other_channels_are_found_by_id_without_their_owners_secrets(sim: Sim, eva: Channel) -> None:
    guest = channel(sim, "guest")

    (found,) = guest.get("channels", part="status,contentDetails", id=eva.credentials["channel_id"]).json["items"]

    assert found["id"] == eva.credentials["channel_id"]
    assert "longUploadsStatus" not in found["status"]


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ({"part": "id"}, (400, "missingRequiredParameter")),
        ({"part": "id", "mine": "true", "id": "x"}, (400, "incompatibleParameters")),
        ({"part": "everything", "mine": "true"}, (400, "unknownPart")),
        ({"part": "id", "forHandle": "@eva"}, (501, "notImplemented")),
    ],
)
def test_a_bad_channel_request_is_refused(eva: Channel, query: dict[str, str], why: tuple[int, str]) -> None:
    assert reason(eva.get("channels", **query)) == why


def test_uploads_come_newest_first(sim: Sim, eva: Channel) -> None:
    made = []
    for title in ("one", "two", "three"):
        made.append(eva.upload(b"bytes", {"snippet": {"title": title}})["id"])
        sim.advance(1)

    listed = uploads(eva, maxResults=50)

    assert [item["contentDetails"]["videoId"] for item in listed["items"]] == made[::-1]
    first = listed["items"][0]
    assert (first["snippet"]["title"], first["snippet"]["position"], first["status"]["privacyStatus"]) == ("three", 0, "public")
    assert first["snippet"]["resourceId"] == {"kind": "youtube#video", "videoId": made[2]}
    assert listed["pageInfo"] == {"totalResults": 3, "resultsPerPage": 50}
    assert [item["snippet"]["resourceId"]["videoId"] for item in uploads(eva, videoId=made[0])["items"]] == made[:1]


def test_a_list_has_pages_of_five(eva: Channel) -> None:
    made = [eva.upload(b"bytes")["id"] for _ in range(7)]

    first = uploads(eva)
    second = uploads(eva, pageToken=first["nextPageToken"])

    assert (len(first["items"]), len(second["items"]), "nextPageToken" in second) == (5, 2, False)
    assert uploads(eva, pageToken=second["prevPageToken"])["items"] == first["items"]
    assert {item["contentDetails"]["videoId"] for page in (first, second) for item in page["items"]} == set(made)


def test_a_knob_lets_the_playlist_lag_behind(sim: Sim, eva: Channel) -> None:
    knobs(sim, playlist_lag_s=120)
    video_id = eva.upload(b"bytes")["id"]

    assert uploads(eva)["items"] == []
    assert eva.video(video_id, "id")["id"] == video_id
    sim.advance(120)
    assert len(uploads(eva)["items"]) == 1


def test_others_see_only_what_is_public_and_processed(sim: Sim, eva: Channel, video: bytes) -> None:
    guest = channel(sim, "guest")
    playlist = f"UU{eva.credentials['channel_id'][2:]}"
    public = eva.upload(video, {"snippet": {"title": "x"}, "status": {"privacyStatus": "public"}})["id"]
    eva.upload(video)
    eva.upload(b"never processed", {"snippet": {"title": "x"}, "status": {"privacyStatus": "public"}})

    shown = guest.get("playlistItems", part="contentDetails", playlistId=playlist).json["items"]

    assert [item["contentDetails"]["videoId"] for item in shown] == [public]
    assert len(uploads(eva)["items"]) == 3


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ({"playlistId": "UUnobody"}, (404, "playlistNotFound")),
        ({"playlistId": "PLx"}, (404, "playlistNotFound")),
        ({"playlistId": None}, (400, "missingRequiredParameter")),
        ({"maxResults": 51}, (400, "invalidParameter")),
        ({"pageToken": "x"}, (400, "invalidParameter")),
        ({"part": "fileDetails"}, (400, "unknownPart")),
    ],
)
def test_a_bad_playlist_request_is_refused(eva: Channel, query: dict[str, Any], why: tuple[int, str]) -> None:
    asked = {"part": "id", "playlistId": f"UU{eva.credentials['channel_id'][2:]}"} | query

    assert reason(eva.get("playlistItems", **{name: value for name, value in asked.items() if value is not None})) == why


def test_categories_say_which_may_be_used(eva: Channel) -> None:
    listed = eva.get("videoCategories", part="snippet", regionCode="DE").json["items"]

    assignable = {item["id"]: item["snippet"]["assignable"] for item in listed}
    assert (assignable["22"], assignable["30"]) == (True, False)
    (one,) = eva.get("videoCategories", part="snippet", id="22").json["items"]
    assert one["snippet"]["title"] == "People & Blogs"
    assert reason(eva.get("videoCategories", part="snippet", regionCode="Germany")) == (400, "invalidParameter")
