"""A client that nobody here wrote: google-api-python-client, with the discovery document it brings."""

import hashlib
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from google.oauth2.credentials import Credentials
from googleapiclient import discovery_cache
from googleapiclient.discovery import build_from_document
from googleapiclient.errors import HttpError
from googleapiclient.http import MediaIoBaseUpload

from simulator import media_samples
from simulator.wire import Sim
from simulator.youtube.channel import BLOCK, Channel, channel, faults, posts

CLIP = media_samples.padded(media_samples.video(), 13 * BLOCK + 77)
RESOURCE = {"snippet": {"title": "From Google's own client", "categoryId": "22"}, "status": {"privacyStatus": "unlisted"}}


def youtube(who: Channel) -> Any:
    """Build the client for the simulator: the document's rootUrl is all that differs from the real one."""
    document = json.loads(discovery_cache.get_static_doc("youtube", "v3"))
    document["rootUrl"] = f"{who.sim.url}/youtube/"
    return build_from_document(document, credentials=Credentials(who.token))  # type: ignore[no-untyped-call]  # google-auth is half typed


@pytest.fixture
def google(boss: Channel) -> Iterator[Any]:
    with youtube(boss) as client:
        yield client


def insert(google: Any, content: bytes = CLIP, *, chunk: int = 4 * BLOCK, resumable: bool = True) -> Any:
    media = MediaIoBaseUpload(io.BytesIO(content), "video/mp4", chunksize=chunk, resumable=resumable)
    return google.videos().insert(part="snippet,status", body=RESOURCE, media_body=media)


def finish(request: Any) -> tuple[Any, list[int]]:
    """Go on until it is uploaded, as Google's sample does: after an error the next call asks how far it is."""
    answer, errors = None, []
    while answer is None:
        try:
            _, answer = request.next_chunk()
        except HttpError as error:
            errors.append(error.resp.status)
    return answer, errors


def test_it_uploads_through_a_503_and_finds_its_video(sim: Sim, google: Any) -> None:
    faults(sim, {"operation": "upload.chunk", "fault": "503-after-700K", "chunk": 1})

    made, errors = finish(insert(google))

    assert errors == [503]
    (found,) = google.videos().list(part="snippet,status,fileDetails,processingDetails", id=made["id"]).execute()["items"]
    assert found["snippet"]["title"] == "From Google's own client"
    assert (found["status"]["uploadStatus"], found["status"]["privacyStatus"]) == ("processed", "unlisted")
    assert found["fileDetails"]["fileSize"] == str(len(CLIP))
    (post,) = posts(sim)
    assert (post["video_id"], post["sha256"]) == (made["id"], hashlib.sha256(CLIP).hexdigest())
    operations = [entry["operation"] for entry in sim.requests() if entry["operation"].startswith("upload")]
    assert operations == ["upload.chunk", "upload.chunk", "upload.query", "upload.chunk", "upload.chunk"]


def test_it_ends_with_one_video_when_the_last_answer_is_an_error(sim: Sim, google: Any) -> None:
    faults(sim, {"operation": "upload.chunk", "fault": "error-after-effect", "status": 503, "last": True})

    made, errors = finish(insert(google))

    assert errors == [503]
    assert [post["video_id"] for post in posts(sim)] == [made["id"]]


@pytest.mark.parametrize("instruction", ["308-shorter", "308-without-range", "308-new-location"])
def test_it_follows_what_a_308_says(sim: Sim, google: Any, instruction: str) -> None:
    """It goes back to byte 0 when the range is missing, is refused, asks, and goes on."""
    faults(sim, {"operation": "upload.chunk", "fault": instruction, "chunk": 0})

    _, errors = finish(insert(google))

    assert errors == ([416] if instruction == "308-without-range" else [])
    assert [post["sha256"] for post in posts(sim)] == [hashlib.sha256(CLIP).hexdigest()]


def test_one_request_is_enough_in_both_ways(sim: Sim, google: Any) -> None:
    finish(insert(google, chunk=-1))
    insert(google, resumable=False).execute()

    assert [post["sha256"] for post in posts(sim)] == [hashlib.sha256(CLIP).hexdigest()] * 2


def test_it_reads_back_sets_a_thumbnail_updates_and_deletes(sim: Sim, google: Any) -> None:
    made, _ = finish(insert(google))
    (mine,) = google.channels().list(part="contentDetails", mine=True).execute()["items"]
    playlist = mine["contentDetails"]["relatedPlaylists"]["uploads"]
    (item,) = google.playlistItems().list(part="contentDetails", playlistId=playlist, maxResults=50).execute()["items"]
    assert item["contentDetails"]["videoId"] == made["id"]

    picture = media_samples.image()
    media = MediaIoBaseUpload(io.BytesIO(picture), "image/jpeg")
    assert google.thumbnails().set(videoId=made["id"], media_body=media).execute()["kind"] == "youtube#thumbnailSetResponse"
    assert posts(sim)[0]["thumbnail_sha256"] == hashlib.sha256(picture).hexdigest()

    changed = {"id": made["id"], "snippet": {"title": "Renamed", "categoryId": "24"}}
    assert google.videos().update(part="snippet", body=changed).execute()["snippet"]["title"] == "Renamed"
    assert google.videos().delete(id=made["id"]).execute() == ""
    assert google.videos().list(part="id", id=made["id"]).execute()["items"] == []


def test_it_understands_the_errors(sim: Sim, google: Any) -> None:
    faults(sim, {"operation": "channels.list", "fault": "503", "body": "html"})

    with youtube(channel(sim, "reader", scopes=["youtube.readonly"])) as reader, pytest.raises(HttpError) as refused:
        insert(reader, resumable=False).execute()
    with pytest.raises(HttpError) as broken:
        google.channels().list(part="id", mine=True).execute()

    (details,) = refused.value.error_details
    assert (refused.value.resp.status, details["reason"]) == (403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT")
    assert broken.value.resp.status == 503
