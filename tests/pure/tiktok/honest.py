"""TikTok in memory, honest and strict, and a wire that loses things: what the never-twice properties run against.

It keeps the rules of the documentation that decide about duplicates: chunks in order, an upload URL that dies after an hour, a post as soon
as every byte is there, a pull that starts with init. It knows nothing of how Clipcast reads the same pages.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from clipcast.errors import PlatformError
from clipcast.platforms.base import Answer, FileRange, Json, Request, Send
from clipcast.platforms.tiktok import TikTok, TikTokState
from pure.tiktok.orders import IMAGE, VIDEO, answer, created, creator_info, ok, refused, served, status, stored

URL_LIFE = timedelta(hours=1)
PROCESSING = timedelta(seconds=20)


@dataclass
class Task:
    """One publish_id and what became of it."""

    publish_id: str
    size_bytes: int
    issued_at: datetime
    received: int = 0
    received_at: list[tuple[datetime, int]] = field(default_factory=list)
    complete_at: datetime | None = None
    failed: str = ""
    caption: str = ""


@dataclass
class Habits:
    """What the documentation leaves open, or lets happen."""

    header: str = "count"  # count, index, absent
    tells_bytes: bool = True
    fail_reasons: list[str] = field(default_factory=list)  # what befalls the next tasks, in order
    unknown_for: timedelta = timedelta(0)
    lag: timedelta = timedelta(0)  # how far the status is behind the upload host
    after_the_last_byte: int = 416  # what a chunk for a complete upload is answered with: 416, or 404 as the task is gone


class HonestTikTok:
    """Answers requests; `tasks` is what exists, `posts` what the world sees."""

    def __init__(self, habits: Habits) -> None:
        self.habits = habits
        self.tasks: list[Task] = []
        self.inits = 0

    @property
    def completed(self) -> list[Task]:
        """Every task whose media TikTok has in full: each becomes a post unless TikTok fails it."""
        return [task for task in self.tasks if task.complete_at and not task.failed]

    def serve(self, request: Request, now: datetime) -> Answer:
        if request.method == "HEAD":
            media_id = getattr(request.url, "media_id", "")
            return served(IMAGE if media_id.startswith("image") else VIDEO)
        path = str(request.url)
        if request.method == "PUT":
            return self._put(request, now)
        assert isinstance(request.body, Json)
        if "creator_info" in path:
            return creator_info()
        if path.endswith("/init/"):
            return self._init(request.body.content, now)
        return self._listed() if "video/list" in path else self._status(request.body.content["publish_id"], now)

    def _init(self, body: Any, now: datetime) -> Answer:
        source = body["source_info"]
        task = Task(f"id{len(self.tasks)}", source.get("video_size", 0), now, caption=body.get("post_info", {}).get("title", ""))
        self.tasks.append(task)
        if source["source"] == "PULL_FROM_URL":
            self._complete(task, now)
            return ok({"publish_id": task.publish_id})
        return created(task.publish_id, f"https://open-upload.tiktokapis.com/upload?task={len(self.tasks) - 1}")

    def _put(self, request: Request, now: datetime) -> Answer:
        task = self.tasks[int(str(request.url).rpartition("=")[2])]
        assert isinstance(request.body, FileRange)
        sent = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", request.headers["Content-Range"])
        assert sent
        first, last, total = (int(number) for number in sent.groups())
        assert (first, last + 1, total) == (request.body.start, request.body.stop, task.size_bytes)
        if now > task.issued_at + URL_LIFE:
            return answer(403, b"null")
        if task.complete_at:
            return answer(self.habits.after_the_last_byte, b"null")
        if first != task.received:
            return answer(416, b"null")
        task.received = last + 1
        task.received_at.append((now, task.received))
        if task.received == total:
            self._complete(task, now)
        return answer(201 if task.complete_at else 206, b"null", **self._progress(task))

    def _progress(self, task: Task) -> dict[str, str]:
        if self.habits.header == "absent":
            return {}
        return {"content_range": f"bytes 0-{task.received - (self.habits.header == 'index')}/{task.size_bytes}"}

    def _complete(self, task: Task, now: datetime) -> None:
        task.complete_at = now
        if self.habits.fail_reasons:
            task.failed = self.habits.fail_reasons.pop(0)

    def _status(self, publish_id: str, now: datetime) -> Answer:
        task = self.tasks[int(publish_id.removeprefix("id"))]
        if now < task.issued_at + self.habits.unknown_for:
            return refused(400, "invalid_params", "invalid_publish_id")
        known = max([0, *(count for moment, count in task.received_at if moment <= now - self.habits.lag)])
        if not task.complete_at or now < task.complete_at + PROCESSING + self.habits.lag:
            return status("PROCESSING_UPLOAD", **({"uploaded_bytes": known} if self.habits.tells_bytes else {}))
        if task.failed:
            return status("FAILED", fail_reason=task.failed)
        return status("PUBLISH_COMPLETE", publicaly_available_post_id=[7_000_000_000_000_000_000 + int(publish_id[2:])])

    def _listed(self) -> Answer:
        posts = [
            {"id": task.publish_id, "create_time": int(task.complete_at.timestamp()), "video_description": task.caption}
            for task in self.completed
            if task.complete_at
        ]
        return ok({"videos": posts, "has_more": False})


class LossyWire:
    """Sends as the driver does, with faults; the state it leaves behind is the one the driver would have stored.

    `late` holds chunks that a gateway swallowed: they reach TikTok after all, some time later.
    """

    def __init__(self, world: HonestTikTok) -> None:
        self.world = world
        self.late: list[tuple[datetime, Request]] = []

    def exchange(
        self, tiktok: TikTok, state: TikTokState, step: Send, now: datetime, fault: str
    ) -> tuple[TikTokState, PlatformError | None]:
        if fault == "not_sent":
            return state, None
        meanwhile = stored(step.meanwhile)
        if fault in ("killed_before_sending", "lost_on_the_way"):
            return meanwhile, None
        if fault == "swallowed_by_a_gateway":
            self.late.append((now + timedelta(minutes=2), step.request))
            return meanwhile, None
        reply = self._reply(step.request, now, fault)
        if fault in ("answer_lost", "killed_after_sending"):
            return meanwhile, None
        try:
            return stored(tiktok.received(meanwhile, reply, now)), None
        except PlatformError as error:
            return (state if error.refused else meanwhile), error

    def _reply(self, request: Request, now: datetime, fault: str) -> Answer:
        if fault == "503":
            return answer(503, b"<html>")
        if fault == "429" and request.method != "HEAD":
            return refused(429, "rate_limit_exceeded")
        reply = self.world.serve(request, now)
        return answer(502, b"<html>") if fault == "502_after_storing" else reply

    def deliver_late(self, now: datetime) -> None:
        """What was swallowed and is due by now reaches TikTok, at its own time."""
        for moment, request in [each for each in self.late if each[0] <= now]:
            self.late.remove((moment, request))
            if request.method == "PUT":
                self.world.serve(request, moment)
