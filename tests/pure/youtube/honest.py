"""YouTube in memory, honest and strict, and a wire that loses things: what the never-twice properties run against.

It keeps the rules of the documentation that decide about duplicates: whole blocks in order, a video as soon as the last byte is there, the
last answer once more for whoever asks, sessions that end. It knows nothing of how Clipcast reads the same pages.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from clipcast.errors import PlatformError
from clipcast.platforms.base import Answer, FileRange, Json, Request, Send
from clipcast.platforms.youtube import YouTube, YouTubeState
from pure.youtube.orders import CHANNEL_ID, KIB_256, UPLOADS, answer, channel, listed, refused, stored

PROCESSING = timedelta(seconds=40)


@dataclass
class Upload:
    """One session, and the video it became."""

    number: int
    size_bytes: int
    title: str
    opened_at: datetime
    persisted: int = 0
    complete_at: datetime | None = None
    gone: bool = False

    @property
    def video_id(self) -> str:
        return f"video-{self.number:05}"


@dataclass
class Habits:
    """What the documentation leaves open, or lets happen."""

    final_status: int = 201
    session_life: timedelta = timedelta(days=7)
    complete_session_life: timedelta = timedelta(hours=24)
    list_lag: timedelta = timedelta(0)  # how long the list of uploads does not know a video
    size_lag: timedelta = timedelta(0)  # how long its file's size is not told
    gone_status: int = 404
    gap_status: int = 400
    moves: bool = False  # every 308 names a new address
    range_prefix: str = "bytes="
    failures: list[str] = field(default_factory=list)  # what befalls the next videos


class HonestYouTube:
    """Answers requests; `uploads` is every session there was."""

    def __init__(self, habits: Habits) -> None:
        self.habits = habits
        self.uploads: list[Upload] = []
        self.failed: dict[str, str] = {}

    @property
    def completed(self) -> list[Upload]:
        """Every session that became a video which YouTube has not failed."""
        return [each for each in self.uploads if each.complete_at and each.video_id not in self.failed]

    def serve(self, request: Request, now: datetime, *, cut_at: float = 1.0) -> Answer:
        """The answer; `cut_at` is the share of a chunk's bytes that arrive before the connection breaks."""
        url = urlsplit(str(request.url))
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        match request.method, url.path:
            case "POST", "/upload/youtube/v3/videos":
                return self._open(request, now)
            case "PUT", "/upload/youtube/v3/videos":
                return self._put(self.uploads[int(query["upload_id"].partition("-")[0])], request, now, cut_at)
            case "GET", "/youtube/v3/channels":
                return channel()
            case "GET", "/youtube/v3/playlistItems":
                assert query["playlistId"] == UPLOADS
                return self._listed(now)
            case "GET", "/youtube/v3/videos":
                return self._videos(query["id"].split(","), now)
        raise AssertionError(f"YouTube serves no {request.method} {url.path}")

    def _open(self, request: Request, now: datetime) -> Answer:
        assert isinstance(request.body, Json)
        assert request.body.content["status"]["privacyStatus"] in ("public", "unlisted", "private")
        upload = Upload(len(self.uploads), int(request.headers["X-Upload-Content-Length"]), request.body.content["snippet"]["title"], now)
        self.uploads.append(upload)
        return answer(200, location=self._address(upload, 0))

    def _address(self, upload: Upload, move: int) -> str:
        return f"https://www.googleapis.com/upload/youtube/v3/videos?uploadType=resumable&upload_id={upload.number}-{move}"

    def _put(self, upload: Upload, request: Request, now: datetime, cut_at: float) -> Answer:
        life = self.habits.complete_session_life if upload.complete_at else self.habits.session_life
        if upload.gone or now > (upload.complete_at or upload.opened_at) + life:
            upload.gone = True
            return refused(self.habits.gone_status, "notFound")
        if request.headers["Content-Range"] == f"bytes */{upload.size_bytes}":
            assert (request.body, request.headers["Content-Length"]) == (None, "0")
            return self._how_far(upload)
        return self._take(upload, request, now, cut_at)

    def _take(self, upload: Upload, request: Request, now: datetime, cut_at: float) -> Answer:
        sent = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", request.headers["Content-Range"])
        assert sent
        assert isinstance(request.body, FileRange)
        first, last, total = (int(number) for number in sent.groups())
        assert (first, last + 1, total) == (request.body.start, request.body.stop, upload.size_bytes)
        if upload.complete_at:
            return self._how_far(upload)
        if first != upload.persisted:
            return refused(self.habits.gap_status, "invalid")
        if last + 1 < total and (last + 1 - first) % KIB_256:
            return refused(400, "badContent")
        arrived = int((last + 1 - first) * cut_at)
        whole = arrived if first + arrived == total else arrived - arrived % KIB_256
        upload.persisted = first + whole
        if upload.persisted == total:
            self._complete(upload, now)
        return self._how_far(upload)

    def _complete(self, upload: Upload, now: datetime) -> None:
        upload.complete_at = now
        if self.habits.failures:
            self.failed[upload.video_id] = self.habits.failures.pop(0)

    def _how_far(self, upload: Upload) -> Answer:
        if upload.complete_at:
            return answer(
                self.habits.final_status, {"id": upload.video_id, "status": {"uploadStatus": "uploaded", "privacyStatus": "public"}}
            )
        headers = {"range": f"{self.habits.range_prefix}0-{upload.persisted - 1}"} if upload.persisted else {}
        if self.habits.moves:
            headers["location"] = self._address(upload, upload.persisted)
        return answer(308, **headers)

    def _listed(self, now: datetime) -> Answer:
        known = [each for each in self.uploads if each.complete_at and now >= each.complete_at + self.habits.list_lag]
        items = [
            {"snippet": {"publishedAt": str(each.complete_at)}, "contentDetails": {"videoId": each.video_id}} for each in reversed(known)
        ]
        return listed(*items[:50])

    def _videos(self, ids: list[str], now: datetime) -> Answer:
        return listed(*(self._resource(each, now) for each in self.uploads if each.complete_at and each.video_id in ids))

    def _resource(self, upload: Upload, now: datetime) -> dict[str, Any]:
        assert upload.complete_at
        done = now >= upload.complete_at + PROCESSING
        reason = self.failed.get(upload.video_id)
        status = "failed" if done and reason else "processed" if done else "uploaded"
        item: dict[str, Any] = {
            "id": upload.video_id,
            "snippet": {"title": upload.title, "publishedAt": upload.complete_at.isoformat(), "channelId": CHANNEL_ID},
            "status": {"uploadStatus": status, "privacyStatus": "public"} | ({"failureReason": reason} if done and reason else {}),
            "processingDetails": {"processingStatus": "succeeded" if done else "processing"},
        }
        if now >= upload.complete_at + self.habits.size_lag:
            item["fileDetails"] = {"fileSize": str(upload.size_bytes)}
        return item


class LossyWire:
    """Sends as the driver does, with faults; the state it leaves behind is the one the driver would have stored.

    `late` holds chunks that a gateway swallowed: they reach YouTube after all, some time later.
    """

    def __init__(self, world: HonestYouTube) -> None:
        self.world = world
        self.late: list[tuple[datetime, Request]] = []

    def exchange(
        self, youtube: YouTube, state: YouTubeState, step: Send, now: datetime, fault: str
    ) -> tuple[YouTubeState, PlatformError | None]:
        if fault == "not_sent":
            return state, None
        meanwhile = stored(step.meanwhile)
        reply = self._reply(step.request, now, fault)
        if reply is None:
            return meanwhile, None
        try:
            return stored(youtube.received(meanwhile, reply, now)), None
        except PlatformError as error:
            return (state if error.refused else meanwhile), error

    def _reply(self, request: Request, now: datetime, fault: str) -> Answer | None:
        """What comes back; None when nothing does."""
        refusals = {
            "503": (503, "backendError"),
            "429": (429, "rateLimitExceeded"),
            "401": (401, "authError"),
            "409": (409, "alreadyExists"),
        }
        if fault in refusals:
            return refused(*refusals[fault])
        if fault == "swallowed_by_a_gateway":
            self.late.append((now + timedelta(minutes=2), request))
        if fault in ("killed_before_sending", "lost_on_the_way", "swallowed_by_a_gateway"):
            return None
        if fault == "session_gone":
            self._forget_sessions()
        reply = self.world.serve(request, now, cut_at=0.6 if fault == "cut_in_the_middle" else 1.0)
        if fault == "lost_and_session_gone":
            self._forget_sessions()
        if fault in ("answer_lost", "killed_after_sending", "lost_and_session_gone", "cut_in_the_middle"):
            return None
        return answer(503, b"<html>") if fault == "503_after_storing" else reply

    def _forget_sessions(self) -> None:
        for upload in self.world.uploads:
            upload.gone = True

    def deliver_late(self, now: datetime) -> None:
        """What was swallowed and is due by now reaches YouTube, at its own time."""
        for moment, request in [each for each in self.late if each[0] <= now]:
            self.late.remove((moment, request))
            if request.method == "PUT":
                self.world.serve(request, moment)
