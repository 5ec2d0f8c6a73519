"""Orders and answers for the tests of Instagram's flows: a clock that starts at NOW, media that pass every check, its usual words."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from clipcast.platforms.base import Answer, Json, Media, MediaKind, Order, Send, Wait
from clipcast.platforms.instagram import Instagram, InstagramState

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
INSTAGRAM = Instagram()
ACCOUNT_ID = "17841400000000001"
GRAPH_IG = "https://graph.instagram.com/v26.0"
GRAPH_FB = "https://graph.facebook.com/v26.0"
URI = "https://rupload.facebook.com/ig-api-upload/v26.0/17900000000000001"

VIDEO = Media(
    media_id="clip-1",
    kind=MediaKind.VIDEO,
    content_type="video/mp4",
    size_bytes=10_000_000,
    width=1080,
    height=1920,
    duration_s=30.0,
    frame_rate=30.0,
    video_codec="h264",
    audio_codec="aac",
)
IMAGE = Media(media_id="image-1", kind=MediaKind.IMAGE, content_type="image/jpeg", size_bytes=400_000, width=1080, height=1350)


def video(**changes: Any) -> Media:
    return replace(VIDEO, **changes)


def image(**changes: Any) -> Media:
    return replace(IMAGE, **changes)


def reel(login: str = "instagram", **changes: Any) -> Order:
    account = {"instagram_account_id": ACCOUNT_ID, "login": login}
    return Order(**{"media": (VIDEO,), "caption": "A day at sea #boat", "username": "skipper", "account": account, **changes})


def photo(**changes: Any) -> Order:
    return reel(**{"media": (IMAGE,), **changes})


def story(**changes: Any) -> Order:
    return reel(**{"mode": "story", "caption": "", **changes})


def carousel(login: str = "instagram", **changes: Any) -> Order:
    """An image, a video, an image."""
    return reel(login, **{"media": (image(media_id="image-1"), VIDEO, image(media_id="image-2")), **changes})


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def answer(status: int, body: Any = None, **headers: str) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, content)


def ok(body: Mapping[str, Any] | None = None, **headers: str) -> Answer:
    return answer(200, body or {}, **headers)


def refused(code: int, subcode: int | None = None, status: int = 400, **more: Any) -> Answer:
    error = {"message": "Refused", "type": "OAuthException", "code": code, "is_transient": False, "fbtrace_id": "Atrace", **more}
    return answer(status, {"error": error if subcode is None else {**error, "error_subcode": subcode}})


def created(container_id: str = "17900000000000001", uri: str = "") -> Answer:
    return ok({"id": container_id, "uri": uri} if uri else {"id": container_id})


def container(status_code: str, status: str = "", **more: Any) -> Answer:
    return ok({"id": "17900000000000001", "status_code": status_code, "status": status, **more})


def uploaded(phase: str, count: int | None = None) -> Answer:
    transferred = {} if count is None else {"bytes_transferred": count}
    phases = {"uploading_phase": {"status": phase, **transferred}, "processing_phase": {"status": "not_started"}}
    return container("IN_PROGRESS", video_status=phases)


def room(used: int = 2, total: int = 50) -> Answer:
    return ok({"data": [{"quota_usage": used, "config": {"quota_total": total, "quota_duration": 86400}}]})


def posted(media_id: str = "18000000000000001") -> Answer:
    return ok({"id": media_id})


def link(url: str = "https://www.instagram.com/reel/Cabc/") -> Answer:
    return ok({"id": "18000000000000001", "permalink": url})


def listed(*posts: Mapping[str, Any]) -> Answer:
    return ok({"data": list(posts), "paging": {"cursors": {"before": "b", "after": "a"}}})


def entry(seconds: float = 3, **changes: Any) -> dict[str, Any]:
    """A post in the account's list; as a reel of `reel()`."""
    known = {
        "id": "18000000000000001",
        "caption": "A day at sea #boat",
        "media_type": "VIDEO",
        "media_product_type": "REELS",
        "permalink": "https://www.instagram.com/reel/Cabc/",
        "timestamp": at(seconds).strftime("%Y-%m-%dT%H:%M:%S+0000"),
    }
    return {**known, **changes}


def send(state: InstagramState, now: datetime = NOW) -> Send:
    step = INSTAGRAM.next_step(state, now)
    assert isinstance(step, Send), step
    return step


def wait(state: InstagramState, now: datetime = NOW) -> Wait:
    step = INSTAGRAM.next_step(state, now)
    assert isinstance(step, Wait), step
    return step


def body(state: InstagramState, now: datetime = NOW) -> Mapping[str, Any]:
    content = send(state, now).request.body
    assert isinstance(content, Json)
    return content.content


def after(state: InstagramState, *answers: Answer, now: datetime = NOW) -> InstagramState:
    """The state after sending what it asks for and getting these answers, one after the other, waits skipped; each goes through JSON."""
    for each in answers:
        now = _due(state, now)
        meanwhile = stored(send(state, now).meanwhile)
        state = stored(INSTAGRAM.received(meanwhile, each, now))
    return state


def lost(state: InstagramState, now: datetime = NOW) -> InstagramState:
    """The state after what it asks for left and no answer came."""
    return stored(send(state, now).meanwhile)


def stored(state: InstagramState) -> InstagramState:
    """The state as the database gives it back."""
    again = INSTAGRAM.load(json.loads(json.dumps(INSTAGRAM.dump(state))))
    assert again == state
    return again


def processing(order: Order | None = None) -> InstagramState:
    """Just after the last container was made, and its bytes, if any, were sent."""
    return after(INSTAGRAM.begin(order or reel()), created())


def ready(order: Order | None = None) -> InstagramState:
    """Just before `media_publish`: the container is ready and the daily limit has room."""
    return after(processing(order), container("FINISHED"), room())


def _due(state: InstagramState, now: datetime) -> datetime:
    step = INSTAGRAM.next_step(state, now)
    return step.until if isinstance(step, Wait) else now
