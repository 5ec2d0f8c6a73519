"""Orders and answers for the tests of TikTok's flows: a clock that starts at NOW, media that pass every check, TikTok's usual words."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from clipcast.platforms.base import Answer, Media, MediaKind, Order, Send, Wait
from clipcast.platforms.tiktok import TikTok, TikTokState

NOW = datetime(2026, 10, 1, 12, 0, tzinfo=UTC)
TIKTOK = TikTok()
UPLOAD_URL = "https://open-upload.tiktokapis.com/upload?upload_id=7000000000000000000&upload_token=secret-upload-token"

VIDEO = Media(
    media_id="clip-1",
    kind=MediaKind.VIDEO,
    content_type="video/mp4",
    size_bytes=100_000_123,
    width=1080,
    height=1920,
    duration_s=30.0,
    frame_rate=30.0,
    video_codec="h264",
    audio_codec="aac",
)
IMAGE = Media(media_id="image-1", kind=MediaKind.IMAGE, content_type="image/jpeg", size_bytes=400_000, width=1080, height=1920)


def video(**changes: Any) -> Media:
    return replace(VIDEO, **changes)


def image(**changes: Any) -> Media:
    return replace(IMAGE, **changes)


def direct(**changes: Any) -> Order:
    return Order(**{"media": (VIDEO,), "caption": "A day at sea #boat", "mode": "direct", "username": "skipper", **changes})


def inbox(**changes: Any) -> Order:
    return direct(**{"mode": "inbox", **changes})


def photos(count: int = 2, **changes: Any) -> Order:
    images = tuple(image(media_id=f"image-{number}") for number in range(count))
    return direct(**{"media": images, "title": "At sea", **changes})


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def ok(data: Mapping[str, Any] | None = None) -> Answer:
    return answer(200, {"data": data or {}, "error": {"code": "ok", "message": "", "log_id": "20261001"}})


def refused(status: int, code: str, message: str = "") -> Answer:
    return answer(status, {"error": {"code": code, "message": message, "log_id": "20261001REFUSED"}})


def answer(status: int, body: Any = None, **headers: str) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, content)


def creator_info(**changes: Any) -> Answer:
    known = {
        "creator_username": "skipper",
        "creator_nickname": "The Skipper",
        "privacy_level_options": ["PUBLIC_TO_EVERYONE", "MUTUAL_FOLLOW_FRIENDS", "SELF_ONLY"],
        "comment_disabled": False,
        "duet_disabled": False,
        "stitch_disabled": False,
        "max_video_post_duration_sec": 600,
    }
    return ok({**known, **changes})


def created(publish_id: str = "v_pub_file~v2-1.1", upload_url: str = UPLOAD_URL) -> Answer:
    return ok({"publish_id": publish_id, "upload_url": upload_url})


def status(word: str, **fields: Any) -> Answer:
    return ok({"status": word, **fields})


def served(media: Media, **headers: str) -> Answer:
    return Answer(200, {"content-type": media.content_type, "content-length": str(media.size_bytes), **headers})


def send(state: TikTokState, now: datetime = NOW, *, tiktok: TikTok = TIKTOK) -> Send:
    step = tiktok.next_step(state, now)
    assert isinstance(step, Send), step
    return step


def wait(state: TikTokState, now: datetime = NOW) -> Wait:
    step = TIKTOK.next_step(state, now)
    assert isinstance(step, Wait), step
    return step


def after(state: TikTokState, *answers: Answer, now: datetime = NOW) -> TikTokState:
    """The state after sending what it asks for and getting these answers, one after the other; each state goes through JSON."""
    for each in answers:
        meanwhile = stored(send(state, now).meanwhile)
        state = stored(TIKTOK.received(meanwhile, each, now))
    return state


def stored(state: TikTokState) -> TikTokState:
    """The state as the database gives it back."""
    again = TIKTOK.load(json.loads(json.dumps(TIKTOK.dump(state))))
    assert again == state
    return again


def uploading(order: Order | None = None) -> TikTokState:
    """Just after init: nothing sent yet."""
    chosen = order or direct()
    return after(TIKTOK.begin(chosen), *([] if chosen.mode == "inbox" else [creator_info()]), created())


def processing(order: Order | None = None) -> TikTokState:
    """Just after the last byte, or after init by URL."""
    chosen = order or direct(media=(video(size_bytes=5_000_000),))
    if chosen.transfer == "pull" or chosen.media[0].kind is MediaKind.IMAGE:
        return after(asked_to_pull(chosen), ok({"publish_id": "v_pub_url~v2.1"}))
    return after(uploading(chosen), answer(201, b"null"))


def asked_to_pull(order: Order) -> TikTokState:
    """Just before init by URL: every URL was checked."""
    checks = [served(media) for media in order.media]
    return after(TIKTOK.begin(order), *checks, *([] if order.mode == "inbox" else [creator_info()]))
