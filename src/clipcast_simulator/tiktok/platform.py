"""TikTok, assembled: its routes, its control part, its faults and its background work."""

import json
from random import Random

from sqlalchemy import Connection

from clipcast_simulator.chores import Chores, Job
from clipcast_simulator.clock import Clock
from clipcast_simulator.exchange import Context, Reply, Request, Route, Subject
from clipcast_simulator.faults import Fault
from clipcast_simulator.state import State
from clipcast_simulator.tiktok import access, init, scripted, world
from clipcast_simulator.tiktok.control import control_routes
from clipcast_simulator.tiktok.creator import creator_info
from clipcast_simulator.tiktok.envelope import answering
from clipcast_simulator.tiktok.status import cancel, status_fetch
from clipcast_simulator.tiktok.upload import ChunkIntake
from clipcast_simulator.tiktok.upload_url import content_range, find_task
from clipcast_simulator.tiktok.workshop import Workshop

_POST = "/tiktok/v2/post/publish/"


class TikTok:
    """The simulated TikTok."""

    name = "tiktok"
    title = "TikTok"
    not_imitated = (
        "TikTok: a browser session. The authorize page always asks, and lets you be any account that exists.",
        "TikTok: moderation. A post passes after moderation_s; view, like and share counts stay at zero.",
        "TikTok: a variable frame rate is judged by its average, where TikTok may refuse the recording.",
        "TikTok: sandboxes, app review and the audit; whether an app is audited is a flag.",
        "TikTok: how long abandoned publish ids and drafts live. Here they are kept until a reset.",
    )

    def __init__(self, store: State, clock: Clock, chores: Chores) -> None:
        self._workshop = Workshop(store, clock, chores)
        self.routes = self._routes()
        self.control = control_routes(self._workshop)

    def prepare(self, connection: Connection, now: float) -> None:  # noqa: ARG002 - part of the contract
        """Make the default app unless it exists."""
        if world.app(connection, world.DEFAULT_APP.client_key) is None:
            world.save_app(connection, world.DEFAULT_APP)

    def subject(self, context: Context, request: Request, operation: str) -> Subject:
        """Find the account behind the token, or behind the upload URL with the chunk."""
        if operation not in scripted.UPLOAD:
            token = access.bearer(context, request)
            return Subject(username=None if token is None else token.username)
        task, span = find_task(context, request), content_range(request)
        if task is None:
            return Subject()
        if span is None or task.chunk_size is None:
            return Subject(username=task.username)
        is_last = span.last + 1 == task.video_size
        index = span.first // task.chunk_size
        return Subject(username=task.username, chunk=index, is_last=is_last)

    def check_fault(self, operation: str, fault: Fault) -> None:
        """Raise ValueError when a fault cannot happen to an operation."""
        scripted.check(operation, fault)

    def strike(self, context: Context, request: Request, operation: str) -> Reply | None:
        """Apply a fault of TikTok's own."""
        return scripted.strike(context, request, operation)

    def failure(self, context: Context, fault: Fault, operation: str) -> Reply:
        """Write a scripted error answer."""
        return scripted.failure(context, fault, operation)

    def mishap(self, random: Random, request: Request, operation: str) -> Fault | None:
        """Choose what goes wrong by chance."""
        return scripted.mishap(random, request, operation)

    def due(self) -> list[Job]:
        """Find the background work that can be done now."""
        return self._workshop.due()

    def _routes(self) -> tuple[Route, ...]:
        return (
            Route("POST", f"{_POST}creator_info/query/", "creator_info", answering("creator_info", creator_info)),
            Route("POST", f"{_POST}video/init/", "video.init", answering("video.init", init.video_init), stirs=True),
            Route("POST", f"{_POST}inbox/video/init/", "inbox.init", answering("inbox.init", init.inbox_init), stirs=True),
            Route("POST", f"{_POST}content/init/", "content.init", answering("content.init", init.content_init), stirs=True),
            Route("POST", f"{_POST}status/fetch/", "status", answering("status", status_fetch), before=self._before_status),
            Route("POST", f"{_POST}cancel/", "cancel", answering("cancel", cancel), stirs=True),
            Route("PUT", "/tiktok/upload", "upload.chunk", intake=ChunkIntake(), stirs=True),
        )

    def _before_status(self, request: Request) -> None:
        """Let the media of the task that is asked about be inspected, so that the answer depends on time alone."""
        try:
            body = json.loads(request.body)
        except ValueError:
            return
        if isinstance(body, dict) and isinstance(body.get("publish_id"), str):
            self._workshop.hurry(body["publish_id"])
