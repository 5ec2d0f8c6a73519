"""Instagram in memory, honest and strict, and a wire that loses things: what the never-twice properties run against.

It keeps the rules that decide about duplicates: a container is published once at most, dies after a day, shows PUBLISHED when it is live;
a carousel eats its children; the upload host keeps what arrived. It knows nothing of how Clipcast reads the same pages.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from clipcast.errors import PlatformError
from clipcast.platforms.base import Answer, FileRange, Json, Request, Send
from clipcast.platforms.instagram import Instagram, InstagramState
from pure.instagram.orders import ACCOUNT_ID, answer, container, created, link, listed, ok, posted, refused, room, stored

LIFE = timedelta(hours=24)
PROCESSING = timedelta(seconds=20)


@dataclass
class Container:
    """One container and what became of it."""

    container_id: str
    body: dict[str, Any]
    created_at: datetime
    size_bytes: int = 0
    received: int = 0
    complete_at: datetime | None = None
    failed: str = ""
    published_at: datetime | None = None


@dataclass
class Habits:
    """What the documentation leaves open, or lets happen."""

    keeps_partial: bool = True
    quota: int = 50
    blind_for: timedelta = timedelta(0)  # how long after the first publish request containers cannot be read (the outage of May 2026)
    list_lag: timedelta = timedelta(0)
    failures: list[str] = field(default_factory=list)  # what befalls the next containers, in order
    refusals: list[tuple[int, int | None, bool]] = field(default_factory=list)  # next publish answers: code, subcode, live all the same
    republished: tuple[int, int] = (24, 2207008)


class HonestInstagram:
    """Answers requests; `posts` is what the world sees."""

    def __init__(self, habits: Habits) -> None:
        self.habits = habits
        self.containers: list[Container] = []
        self.publish_requests: list[datetime] = []

    @property
    def posts(self) -> list[Container]:
        """Every container that became a post."""
        return [each for each in self.containers if each.published_at]

    def serve(self, request: Request, now: datetime, arrived: int | None = None) -> Answer:
        """The answer; `arrived` bytes of a body make it when the connection breaks."""
        url = str(request.url)
        if "rupload" in url:
            return self._bytes(request, url, now, arrived)
        path = url.partition("/v26.0/")[2].partition("?")[0]
        if path.endswith("/media_publish"):
            assert isinstance(request.body, Json)
            return self._publish(request.body.content["creation_id"], now)
        if path.endswith("/content_publishing_limit"):
            return room(self._used(now), self.habits.quota)
        if path.startswith(ACCOUNT_ID):
            return self._create(request.body, now) if request.method == "POST" else self._listed(now)
        return self._container(path, now) if path.startswith("c") else link(f"https://www.instagram.com/p/{path}/")

    def _create(self, body: Any, now: datetime) -> Answer:
        content = dict(body.content)
        for child in content.get("children", []):
            known = self._find(child)
            if known is None or self._status(known, now) != "FINISHED":
                return refused(100, 2207028)
        made = Container(f"c{len(self.containers)}", content, now)
        made.failed = self.habits.failures.pop(0) if self.habits.failures else ""
        self.containers.append(made)
        if content.get("upload_type") != "resumable":
            made.complete_at = now
            return created(made.container_id)
        return created(made.container_id, f"https://rupload.facebook.com/ig-api-upload/v26.0/{made.container_id}")

    def _bytes(self, request: Request, url: str, now: datetime, arrived: int | None) -> Answer:
        known = self._find(url.rpartition("/")[2])
        assert known is not None
        assert isinstance(request.body, FileRange)
        assert (request.auth_scheme, int(request.headers["file_size"])) == ("OAuth", request.body.stop)
        known.size_bytes = request.body.stop
        if self._status(known, now) == "EXPIRED":
            return answer(400, {"debug_info": {"retriable": False, "type": "ProcessingFailedError", "message": "{}"}})
        if int(request.headers["offset"]) != known.received or known.complete_at:
            return answer(412, {"debug_info": {"retriable": True, "type": "OffsetInvalidError", "message": "offset"}})
        if arrived is not None:
            known.received += min(arrived, request.body.size_bytes) if self.habits.keeps_partial else 0
            return answer(206, {"debug_info": {"retriable": True, "type": "PartialRequestError", "message": "partial"}})
        known.received, known.complete_at = known.size_bytes, now
        return ok({"success": True, "message": "Upload successful."})

    def _container(self, container_id: str, now: datetime) -> Answer:
        known = self._find(container_id)
        if known is None or (self.publish_requests and now < self.publish_requests[0] + self.habits.blind_for):
            return refused(100, 33)
        phase = "complete" if known.complete_at else "in_progress"
        video_status = {"uploading_phase": {"status": phase, "bytes_transferred": known.received}}
        return container(self._status(known, now), known.failed, video_status=video_status)

    def _status(self, known: Container, now: datetime) -> str:
        if known.published_at:
            return "PUBLISHED"
        if now >= known.created_at + LIFE:
            return "EXPIRED"
        if known.complete_at is None or now < known.complete_at + PROCESSING:
            return "IN_PROGRESS"
        return "ERROR" if known.failed else "FINISHED"

    def _publish(self, container_id: str, now: datetime) -> Answer:
        known, self.publish_requests = self._find(container_id), [*self.publish_requests, now]
        refusal = self._refusal(known, now)
        if refusal is not None or known is None:
            return refused(*refusal or (24, 2207008))
        known.published_at = now
        return posted(f"m{container_id}")

    def _refusal(self, known: Container | None, now: datetime) -> tuple[int, int | None] | None:
        status = self._status(known, now) if known else "EXPIRED"
        expected = {
            "EXPIRED": (24, 2207008),
            "PUBLISHED": self.habits.republished,
            "IN_PROGRESS": (9007, 2207027),
            "ERROR": (9007, 2207027),
        }
        if known is None or status in expected:
            return expected[status]
        if self.habits.refusals:
            code, subcode, live = self.habits.refusals.pop(0)
            known.published_at = now if live else None
            return code, subcode
        return (9, 2207042) if self._used(now) >= self.habits.quota else None

    def _used(self, now: datetime) -> int:
        return len([each for each in self.posts if each.published_at and each.published_at > now - LIFE])

    def _listed(self, now: datetime) -> Answer:
        shown = [each for each in self.posts if each.published_at and each.published_at <= now - self.habits.list_lag]
        return listed(*[self._entry(each) for each in shown])

    def _entry(self, post: Container) -> dict[str, Any]:
        kinds = {
            "REELS": ("VIDEO", "REELS"),
            "CAROUSEL": ("CAROUSEL_ALBUM", "FEED"),
            "STORIES": ("VIDEO", "STORY"),
            None: ("IMAGE", "FEED"),
        }
        media_type, product = kinds[post.body.get("media_type")]
        assert post.published_at is not None
        return {
            "id": f"m{post.container_id}",
            "caption": post.body.get("caption", ""),
            "media_type": media_type,
            "media_product_type": product,
            "permalink": f"https://www.instagram.com/p/m{post.container_id}/",
            "timestamp": post.published_at.strftime("%Y-%m-%dT%H:%M:%S+0000"),
        }

    def _find(self, container_id: str) -> Container | None:
        return next((each for each in self.containers if each.container_id == container_id), None)


class LossyWire:
    """Sends as the driver does, with faults; the state it leaves behind is the one the driver would have stored.

    `late` holds publish requests that a gateway swallowed: they reach Instagram after all, some time later.
    """

    def __init__(self, world: HonestInstagram) -> None:
        self.world = world
        self.late: list[tuple[datetime, Request]] = []

    def exchange(
        self, instagram: Instagram, state: InstagramState, step: Send, now: datetime, fault: str
    ) -> tuple[InstagramState, PlatformError | None]:
        if fault == "not_sent":
            return state, None
        meanwhile = stored(step.meanwhile)
        reply = self._reply(step.request, now, fault)
        if reply is None:
            return meanwhile, None
        try:
            return stored(instagram.received(meanwhile, reply, now)), None
        except PlatformError as error:
            return (state if error.refused else meanwhile), error

    def _reply(self, request: Request, now: datetime, fault: str) -> Answer | None:
        """What comes back; None when nothing does."""
        match fault:
            case "503":
                return answer(503, b"<html>")
            case "429":
                return refused(80002)
            case "swallowed_by_a_gateway":
                self.late.append((now + timedelta(minutes=2), request))
            case "broken_in_the_middle":
                self.world.serve(request, now, 1_000_000)
            case "answer_lost" | "killed_after_sending":
                self.world.serve(request, now)
            case "502_after_storing":
                self.world.serve(request, now)
                return answer(502, b"<html>")
            case "":
                return self.world.serve(request, now)
        return None

    def deliver_late(self, now: datetime) -> None:
        """What was swallowed and is due by now reaches Instagram, at its own time."""
        for moment, request in [each for each in self.late if each[0] <= now]:
            self.late.remove((moment, request))
            if str(request.url).endswith("/media_publish"):
                self.world.serve(request, moment)
