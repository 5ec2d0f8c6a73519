"""TikTok, assembled: its routes, its control part, its faults and its background work."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

from sqlalchemy import Connection

from clipcast_simulator.chores import Chores, Job
from clipcast_simulator.clock import Clock
from clipcast_simulator.exchange import Context, Reply, Request, Route, Subject
from clipcast_simulator.faults import Fault
from clipcast_simulator.state import State
from clipcast_simulator.tiktok import access, authorize, display, init, oauth, scripted, world
from clipcast_simulator.tiktok.control import control_routes
from clipcast_simulator.tiktok.creator import creator_info
from clipcast_simulator.tiktok.envelope import answering
from clipcast_simulator.tiktok.status import cancel, status_fetch
from clipcast_simulator.tiktok.upload import ChunkIntake
from clipcast_simulator.tiktok.upload_url import content_range, find_task
from clipcast_simulator.tiktok.workshop import Workshop

_ROOT = "/tiktok/v2"


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
            Route("GET", f"{_ROOT}/auth/authorize/", "oauth.authorize", authorize.page),
            Route("POST", authorize.CONSENT_PATH, "oauth.consent", authorize.consent),
            Route("POST", f"{_ROOT}/oauth/token/", "oauth.token", oauth.answering(oauth.token)),
            Route("POST", f"{_ROOT}/oauth/revoke/", "oauth.revoke", oauth.answering(oauth.revoke), stirs=True),
            _data("POST", "post/publish/creator_info/query", "creator_info", creator_info),
            _data("POST", "post/publish/video/init", "video.init", init.video_init, stirs=True),
            _data("POST", "post/publish/inbox/video/init", "inbox.init", init.inbox_init, stirs=True),
            _data("POST", "post/publish/content/init", "content.init", init.content_init, stirs=True),
            _data("POST", "post/publish/status/fetch", "status", status_fetch, before=self._before_status),
            _data("POST", "post/publish/cancel", "cancel", cancel, stirs=True),
            _data("GET", "user/info", "user.info", display.user_info),
            _data("POST", "video/list", "video.list", display.video_list),
            _data("POST", "video/query", "video.query", display.video_query),
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


def _data(
    method: str,
    path: str,
    operation: str,
    handler: Callable[[Context, Request], dict[str, Any] | None],
    *,
    before: Callable[[Request], None] | None = None,
    stirs: bool = False,
) -> Route:
    """Make the route of a data endpoint; every documented path ends in a slash."""
    return Route(method, f"{_ROOT}/{path}/", operation, answering(operation, handler), before=before, stirs=stirs)
