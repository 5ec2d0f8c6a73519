"""Instagram, assembled: its routes, its control part, its faults and its background work."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Final

from sqlalchemy import Connection

from clipcast_simulator.chores import Chores, Job
from clipcast_simulator.clock import Clock
from clipcast_simulator.exchange import Context, Handler, Reply, Request, Route, Subject
from clipcast_simulator.faults import Fault
from clipcast_simulator.instagram import authorize, ids, oauth, parameters, people, posts, publish, scripted, world
from clipcast_simulator.instagram.control import control_routes
from clipcast_simulator.instagram.create import creating
from clipcast_simulator.instagram.errors import Refusal
from clipcast_simulator.instagram.graph import answering, open_to_all
from clipcast_simulator.instagram.status import container_status
from clipcast_simulator.instagram.upload import UploadIntake, salvage
from clipcast_simulator.instagram.workshop import Workshop
from clipcast_simulator.state import State

_ROOT: Final = "/instagram"
_NODE: Final = "/instagram/{version}/{node}"


class Instagram:
    """The simulated Instagram: every host of both logins below one base. A request's token tells its login."""

    name = "instagram"
    title = "Instagram"
    not_imitated = (
        "Instagram: hosts. All of Meta's stand below one base, and a request's token tells which login it belongs to.",
        "Instagram: browser sessions, app review, Page roles, two-factor gates and the 90 days of data access.",
        "Instagram: comments, insights, hashtag search, product catalogs, the Audio API and webhooks.",
        "Instagram: transcoding. Bytes are judged and kept as they came; addresses on scontent.cdninstagram.com are names only.",
        "Instagram: edit lists and a late moov box are let pass unless a knob enforces them; the audio bit rate always is.",
        "Instagram: ids tell what they name by their first digits, and the call budget is a number instead of a share of impressions.",
    )

    def __init__(self, store: State, clock: Clock, chores: Chores) -> None:
        self._workshop = Workshop(store, clock, chores)
        self.routes = tuple(self._routes())
        self.control = control_routes(self._workshop)

    def prepare(self, connection: Connection, now: float) -> None:  # noqa: ARG002 - part of the contract
        """Make the default apps, one for each login, unless they exist."""
        for app in world.DEFAULT_APPS:
            if world.app(connection, app.app_id) is None:
                world.save_app(connection, app)

    def subject(self, context: Context, request: Request, operation: str) -> Subject:  # noqa: ARG002 - part of the contract
        """Find the account behind the token."""
        return Subject(username=scripted.subject_name(context, request))

    def check_fault(self, operation: str, fault: Fault) -> None:
        """Raise ValueError when a fault cannot happen to an operation."""
        scripted.check(operation, fault)

    def strike(self, context: Context, request: Request, operation: str) -> Reply | None:
        """Apply a fault of Instagram's own."""
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

    def _routes(self) -> Iterator[Route]:
        yield Route("GET", f"{_ROOT}/oauth/authorize", "oauth.authorize", authorize.page("instagram"))
        yield Route("POST", authorize.CONSENT_PATH, "oauth.consent", authorize.consent)
        yield Route("POST", f"{_ROOT}/oauth/access_token", "oauth.code", oauth.exchange_code)
        yield Route("GET", f"{_ROOT}/access_token", "oauth.exchange", open_to_all(oauth.exchange_short))
        yield Route("GET", f"{_ROOT}/refresh_access_token", "oauth.refresh", open_to_all(oauth.refresh))
        upload = f"{_ROOT}/rupload/ig-api-upload/{{version}}/{{container}}"
        yield Route("POST", upload, "upload", intake=UploadIntake(), stirs=True, salvage=salvage)
        yield Route("GET", f"{_ROOT}/{{version}}/dialog/oauth", "oauth.authorize", authorize.page("facebook"))
        yield Route("GET", f"{_ROOT}/{{version}}/oauth/access_token", "oauth.token", open_to_all(oauth.facebook_token))
        publishing = answering(publish.publish)
        yield Route("POST", f"{_NODE}/media_publish", "publish", publishing, stirs=True, before=self._before_publishing)
        for method, tail, operation, handler in self._edges():
            yield Route(method, f"{_NODE}/{tail}", operation, handler, stirs=method == "POST")
        for slash in ("", "/"):  # a node's path may end in a slash
            yield from self._nodes(slash)

    def _edges(self) -> Iterator[tuple[str, str, str, Handler]]:
        yield "POST", "media", "container.create", answering(creating(self._workshop))
        yield "GET", "content_publishing_limit", "limit", answering(publish.publishing_limit)
        yield "GET", "media", "media.list", answering(posts.media_list)
        yield "GET", "stories", "media.list", answering(posts.stories)
        yield "GET", "accounts", "accounts", answering(people.pages)
        yield "GET", "permissions", "permissions", answering(people.permissions)
        yield "DELETE", "permissions", "permissions", answering(people.revoke)

    def _nodes(self, slash: str) -> Iterator[Route]:
        container, media, user = (ids.names(prefix) for prefix in (ids.CONTAINER, ids.MEDIA, ids.USER))
        node = _NODE + slash
        yield Route("GET", f"{_ROOT}/{{version}}/debug_token{slash}", "debug_token", open_to_all(people.debug_token))
        yield Route("GET", f"{_ROOT}/{{version}}/me{slash}", "user", answering(people.me))
        yield _at(node, "GET", "container.status", answering(container_status), container, before=self._before_container)
        yield _at(node, "GET", "media", answering(posts.media), media)
        yield _at(node, "POST", "media.update", answering(posts.update_media), media)
        yield _at(node, "DELETE", "media.delete", answering(posts.delete_media), media)
        yield _at(node, "GET", "user", answering(people.user), user)
        yield Route("GET", node, "object", answering(people.any_object))

    def _before_container(self, request: Request) -> None:
        """Let the container's media be looked at, so that the answer depends on time alone."""
        self._workshop.hurry(request.path.rstrip("/").rpartition("/")[2])

    def _before_publishing(self, request: Request) -> None:
        """Let the media that is to be published be looked at, for the same reason."""
        try:
            container_id = parameters.read(request).text("creation_id")
        except Refusal:
            return
        if container_id is not None:
            self._workshop.hurry(container_id)


def _at(
    path: str,
    method: str,
    operation: str,
    handler: Handler,
    when: Callable[[Request], bool],
    *,
    before: Callable[[Request], None] | None = None,
) -> Route:
    return Route(method, path, operation, handler, when=when, before=before)
