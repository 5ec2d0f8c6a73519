"""Orders and answers for the tests of YouTube's flow: a clock that starts at NOW, media that pass every check, YouTube's usual words."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from clipcast.platforms.base import Answer, Media, MediaKind, Order, Send, Wait
from clipcast.platforms.youtube import YouTube, YouTubeState

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
KIB_256 = 262_144
CHUNK = 4 * KIB_256
SIZE = 3 * CHUNK + 123
YOUTUBE = YouTube(chunk_bytes=CHUNK)
SESSION_URI = "https://www.googleapis.com/upload/youtube/v3/videos?uploadType=resumable&upload_id=SECRET-UPLOAD-ID&part=snippet,status"
VIDEO_ID = "dQw4w9WgXcQ"
CHANNEL_ID = "UC1234567890123456789012"
UPLOADS = "UU1234567890123456789012"

VIDEO = Media(
    media_id="clip-1",
    kind=MediaKind.VIDEO,
    content_type="video/mp4",
    size_bytes=SIZE,
    width=1920,
    height=1080,
    duration_s=30.0,
    frame_rate=30.0,
    video_codec="h264",
    audio_codec="aac",
)
COVER = Media(media_id="cover-1", kind=MediaKind.IMAGE, content_type="image/jpeg", size_bytes=400_000, width=1280, height=720)


def video(**changes: Any) -> Media:
    return replace(VIDEO, **changes)


def cover(**changes: Any) -> Media:
    return replace(COVER, **changes)


def order(**changes: Any) -> Order:
    return Order(**{"media": (VIDEO,), "title": "At sea", "caption": "A day at sea #boat", "username": "skipper", **changes})


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def answer(status: int, body: Any = None, **headers: str) -> Answer:
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, content)


def refused(status: int, reason: str, message: str = "", domain: str = "global") -> Answer:
    entry = {"message": message, "domain": domain, "reason": reason}
    return answer(status, {"error": {"code": status, "message": message, "errors": [entry]}})


def listed(*items: Any, **fields: Any) -> Answer:
    return answer(200, {"kind": "list", "items": list(items), **fields})


def channel(**changes: Any) -> Answer:
    known = {
        "kind": "youtube#channel",
        "id": CHANNEL_ID,
        "contentDetails": {"relatedPlaylists": {"likes": "", "uploads": UPLOADS}},
        "status": {"privacyStatus": "public", "longUploadsStatus": "allowed"},
    }
    return listed({**known, **changes})


def opened(uri: str = SESSION_URI) -> Answer:
    return answer(200, location=uri, content_length="0")


def stored_until(count: int | None, **headers: str) -> Answer:
    return answer(308, **({"range": f"bytes=0-{count - 1}"} if count else {}), **headers)


def resource(video_id: str = VIDEO_ID, **status: Any) -> dict[str, Any]:
    named = {"uploadStatus": "uploaded", "privacyStatus": "public", "madeForKids": False, **status}
    return {"kind": "youtube#video", "id": video_id, "snippet": {"title": "At sea"}, "status": named}


def created(status: int = 201, **fields: Any) -> Answer:
    return answer(status, resource(**fields))


def doing(upload_status: str, processing: str = "", why: str = "", **status: Any) -> Answer:
    """What `videos.list` says of our video."""
    item = resource(uploadStatus=upload_status, **status)
    details = {"processingStatus": processing} | ({"processingFailureReason": why} if why else {})
    return listed({**item, "processingDetails": details} if processing else item)


def uploads(*videos: tuple[str, datetime], **fields: Any) -> Answer:
    items = [{"snippet": {"publishedAt": when.isoformat()}, "contentDetails": {"videoId": video_id}} for video_id, when in videos]
    return listed(*items, **fields)


def upload_of(video_id: str, size: int | None = SIZE, title: str = "At sea", published_at: datetime = NOW) -> dict[str, Any]:
    """One of the channel's videos, as a look sees it."""
    item = resource(video_id)
    item["snippet"] = {"title": title, "publishedAt": published_at.isoformat()}
    return item if size is None else {**item, "fileDetails": {"fileSize": str(size)}}


def send(state: YouTubeState, now: datetime = NOW, *, youtube: YouTube = YOUTUBE) -> Send:
    step = youtube.next_step(state, now)
    assert isinstance(step, Send), step
    return step


def wait(state: YouTubeState, now: datetime = NOW) -> Wait:
    step = YOUTUBE.next_step(state, now)
    assert isinstance(step, Wait), step
    return step


def after(state: YouTubeState, *answers: Answer, now: datetime = NOW) -> YouTubeState:
    """The state after sending what it asks for and getting these answers, one after the other; each state goes through JSON."""
    for each in answers:
        meanwhile = stored(send(state, now).meanwhile)
        state = stored(YOUTUBE.received(meanwhile, each, now))
    return state


def lost(state: YouTubeState, now: datetime = NOW) -> YouTubeState:
    """The state after sending what it asks for and hearing nothing."""
    return stored(send(state, now).meanwhile)


def stored(state: YouTubeState) -> YouTubeState:
    """The state as the database gives it back."""
    again = YOUTUBE.load(json.loads(json.dumps(YOUTUBE.dump(state))))
    assert again == state
    return again


def uploading(chosen: Order | None = None) -> YouTubeState:
    """Just after the session was opened: nothing sent yet."""
    return after(YOUTUBE.begin(chosen or order()), channel(), opened())


def before_the_last_chunk(chosen: Order | None = None) -> YouTubeState:
    return after(uploading(chosen), *(stored_until(count * CHUNK) for count in (1, 2, 3)))


def searching(chosen: Order | None = None) -> YouTubeState:
    """The last byte was sent, no answer came, and the session is gone."""
    return after(lost(before_the_last_chunk(chosen)), refused(404, "notFound"))


def processing(chosen: Order | None = None, **status: Any) -> YouTubeState:
    """Just after the last byte."""
    return after(before_the_last_chunk(chosen), created(**status))


def finished(chosen: Order | None = None, **status: Any) -> YouTubeState:
    """Just after YouTube said that it has processed the video."""
    return after(processing(chosen), doing("processed", "succeeded", **status), now=at(10))


def labels(state: YouTubeState, answers: Sequence[Answer], now: datetime = NOW) -> list[str]:
    """What is sent on the way through these answers."""
    sent = []
    for each in answers:
        sent.append(send(state, now).label)
        state = after(state, each, now=now)
    return sent
