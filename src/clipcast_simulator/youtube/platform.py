"""YouTube, assembled: its routes, its control part, its faults and its background work."""

from random import Random

from sqlalchemy import Connection

from clipcast_simulator.chores import Chores, Job
from clipcast_simulator.clock import Clock
from clipcast_simulator.exchange import Context, Reply, Request, Route, Subject
from clipcast_simulator.faults import Fault
from clipcast_simulator.state import State
from clipcast_simulator.youtube import access, authorize, catalog, chunks, listing, oauth, scripted, sessions, world
from clipcast_simulator.youtube.chunks import ChunkIntake
from clipcast_simulator.youtube.content_range import content_range, is_query
from clipcast_simulator.youtube.control import control_routes
from clipcast_simulator.youtube.errors import answering, replying
from clipcast_simulator.youtube.simple import SimpleIntake
from clipcast_simulator.youtube.start import is_resumable, start_thumbnail, start_video
from clipcast_simulator.youtube.workshop import Workshop

_API = "/youtube/youtube/v3"
_UPLOADS = ("/youtube/upload/youtube/v3", "/youtube/resumable/upload/youtube/v3")


class YouTube:
    """The simulated YouTube."""

    name = "youtube"
    title = "YouTube"
    not_imitated = (
        "YouTube: a browser session. The consent page always asks, and lets you be any channel that exists; prompt=none never succeeds.",
        "YouTube: API keys, service accounts, content owners, the device flow, id tokens, and the fields= parameter, which is ignored.",
        "YouTube: search, comments, captions, playlists other than the uploads, live streams, analytics, push notifications.",
        "YouTube: copyright claims and policy strikes; a script asks for a rejection. Counts stay at zero.",
        "YouTube: whether it drops a scheduled video that fails to process. Here it stays private.",
    )

    def __init__(self, store: State, clock: Clock, chores: Chores) -> None:
        self._workshop = Workshop(store, clock, chores)
        self.routes = self._routes()
        self.control = control_routes(self._workshop)

    def prepare(self, connection: Connection, now: float) -> None:  # noqa: ARG002 - part of the contract
        """Make the default app unless it exists."""
        if world.app(connection, world.DEFAULT_APP.client_id) is None:
            world.save_app(connection, world.DEFAULT_APP)

    def subject(self, context: Context, request: Request, operation: str) -> Subject:
        """Find the account behind the token or the session; a chunk's number is how many bodies were taken in before."""
        if operation not in scripted.CHUNK | scripted.QUERY:
            token = access.bearer(context, request)
            return Subject(username=None if token is None else token.username)
        session, span = sessions.by_request(context, request), content_range(request)
        if session is None:
            return Subject()
        if operation in scripted.QUERY or span is None:
            return Subject(username=session.username)
        return Subject(session.username, session.chunks, span.is_last)

    def check_fault(self, operation: str, fault: Fault) -> None:
        """Raise ValueError when a fault cannot happen to an operation."""
        scripted.check(operation, fault)

    def strike(self, context: Context, request: Request, operation: str) -> Reply | None:
        """Apply a fault of YouTube's own."""
        return scripted.strike(context, request, operation)

    def failure(self, context: Context, fault: Fault, operation: str) -> Reply:  # noqa: ARG002 - part of the contract
        """Write a scripted error answer."""
        return scripted.failure(fault, operation)

    def mishap(self, random: Random, request: Request, operation: str) -> Fault | None:  # noqa: ARG002 - part of the contract
        """Choose what goes wrong by chance."""
        return scripted.mishap(random, operation)

    def due(self) -> list[Job]:
        """Find the background work that can be done now."""
        return self._workshop.due()

    def _routes(self) -> tuple[Route, ...]:
        look = self._workshop.hurry
        return (
            Route("GET", "/youtube/o/oauth2/v2/auth", "oauth.authorize", authorize.page),
            Route("POST", authorize.CONSENT_PATH, "oauth.consent", authorize.consent),
            Route("POST", "/youtube/token", "oauth.token", oauth.answering(oauth.token)),
            Route("POST", "/youtube/revoke", "oauth.revoke", oauth.answering(oauth.revoke)),
            *(route for root in _UPLOADS for route in self._upload_routes(root)),
            Route("GET", f"{_API}/videos", "videos.list", answering(listing.list_videos), before=look),
            Route("POST", f"{_API}/videos", "videos.insert", answering(listing.insert_without_upload)),
            Route("PUT", f"{_API}/videos", "videos.update", answering(listing.update_video), before=look),
            Route("DELETE", f"{_API}/videos", "videos.delete", answering(listing.delete_video)),
            Route("GET", f"{_API}/channels", "channels.list", answering(catalog.list_channels), before=look),
            Route("GET", f"{_API}/playlistItems", "playlistItems.list", answering(catalog.list_playlist_items), before=look),
            Route("GET", f"{_API}/videoCategories", "videoCategories.list", answering(catalog.list_categories)),
        )

    def _upload_routes(self, root: str) -> tuple[Route, ...]:
        """Return the routes of an upload root: one address starts a session, takes a whole upload, and is the session's URI."""
        look, salvage = self._workshop.hurry, sessions.salvage
        video, picture = f"{root}/videos", f"{root}/thumbnails/set"
        return (
            Route("POST", video, "session.start", replying(start_video), when=is_resumable),
            Route("POST", video, "upload.simple", intake=SimpleIntake("video"), stirs=True),
            Route("PUT", video, "upload.query", replying(chunks.query), when=is_query, stirs=True),
            Route("PUT", video, "upload.chunk", intake=ChunkIntake(), salvage=salvage, stirs=True),
            Route("POST", picture, "thumbnails.start", replying(start_thumbnail), when=is_resumable),
            Route("POST", picture, "thumbnails.set", intake=SimpleIntake("thumbnail"), before=look),
            Route("PUT", picture, "thumbnails.query", replying(chunks.query), when=is_query),
            Route("PUT", picture, "thumbnails.chunk", intake=ChunkIntake(), salvage=salvage, before=look),
        )
