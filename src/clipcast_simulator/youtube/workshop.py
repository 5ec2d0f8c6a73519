"""YouTube's background work: looking at what arrived."""

from collections.abc import Iterator
from concurrent.futures import wait
from contextlib import contextmanager
from random import Random
from typing import Final

from sqlalchemy import select

from clipcast_simulator.chores import Chores, Job
from clipcast_simulator.clock import Clock
from clipcast_simulator.desk import moment
from clipcast_simulator.exchange import Context, Request
from clipcast_simulator.media import sha256
from clipcast_simulator.state import State
from clipcast_simulator.youtube import inspection, sessions, videos, world
from clipcast_simulator.youtube.tables import videos as video_table

_PATIENCE_S: Final = 1.0  #: how long a request waits for an inspection that is under way


class Workshop:
    """Inspects videos; everything it knows is in the state directory."""

    def __init__(self, store: State, clock: Clock, chores: Chores) -> None:
        self._store = store
        self._clock = clock
        self._chores = chores

    @contextmanager
    def moment(self) -> Iterator[Context]:
        """Open a transaction at the simulated now."""
        with self._store.transaction() as connection:
            now, settings = moment(connection, self._clock)
            chance = Random(0)  # noqa: S311 - chores draw nothing
            yield Context(connection=connection, now=now, settings=settings, media=self._store.media, entry=0, random=chance)

    def due(self) -> list[Job]:
        """Find the videos nobody has looked at."""
        with self.moment() as context:
            keys = context.connection.execute(select(video_table.c.video_id).where(video_table.c.inspected.is_(False))).scalars()
            return [self._inspection(key) for key in keys]

    def hurry(self, _request: Request) -> None:
        """Look at every new video now, and wait a little for it, so that an answer depends on the simulated time alone."""
        wait([self._chores.ensure(job) for job in self.due()], timeout=_PATIENCE_S)

    def _inspection(self, video_id: str) -> Job:
        return Job(("youtube.inspect", video_id), lambda: self._inspect(video_id))

    def _inspect(self, video_id: str) -> None:
        with self.moment() as context:
            video = videos.by_video_id(context.connection, video_id)
            if video is None or video.inspected:
                return
            pieces = sessions.media(context, video.session_id)
            account = world.account(context.connection, video.username)
        assert account is not None
        if not all(piece.path.exists() for piece in pieces):
            verdict, digest = inspection.Verdict("uploadAborted", {}), None  # somebody emptied the state directory
        else:
            verdict, digest = inspection.judge(pieces, account.longest_s), sha256(pieces)
        with self.moment() as context:
            reason = verdict.reason
            if (
                digest is not None
                and context.settings.youtube.duplicates == "reject"
                and videos.has_twin(context.connection, video, digest)
            ):
                reason = reason or "duplicate"
            found = {"verdict": reason, "facts": verdict.facts, "is_short": verdict.is_short, "sha256": digest}
            if videos.by_video_id(context.connection, video_id) is not None:
                videos.change(context.connection, video, inspected=True, **found)
