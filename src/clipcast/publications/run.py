"""One publication while a driver holds it, and how its row shows it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clipcast.platforms.base import AnyPlatform
from clipcast.publications.connections import Connection
from clipcast.publications.leases import Lease
from clipcast.publications.models import Publication
from clipcast.publications.states import State


@dataclass(frozen=True, slots=True)
class Position:
    """Where a flow stands: its own state, and since when the post may become visible whatever we do (None: it cannot)."""

    flow: Any
    irreversible_at: datetime | None


@dataclass(slots=True)
class Run:
    """One publication while a driver holds it."""

    lease: Lease
    publication: Publication
    connection: Connection | None
    position: Position
    state: State
    failures: int
    failing_since: datetime | None
    #: When it was begun, the first byte of its media left, and the platform had all that it wanted.
    started_at: datetime | None
    first_byte_at: datetime | None
    accepted_at: datetime | None
    token_was_refreshed: bool = False

    @property
    def open(self) -> Connection:
        """The connection, once there is one."""
        assert self.connection is not None
        return self.connection


def resumed(lease: Lease, publication: Publication, connection: Connection | None, flow: Any) -> Run:
    """The run of this publication from where its row says it is."""
    return Run(
        lease=lease,
        publication=publication,
        connection=connection,
        position=Position(flow, publication.irreversible_at),
        state=State(publication.state),
        failures=publication.failures,
        failing_since=publication.failing_since,
        started_at=publication.started_at,
        first_byte_at=publication.first_byte_at,
        accepted_at=publication.accepted_at,
    )


def unbegun(lease: Lease, publication: Publication) -> Run:
    """A run that has neither a connection nor a flow yet."""
    return resumed(lease, publication, None, None)


def only_progresses(platform: AnyPlatform, before: Position, after_it: Position) -> bool:
    """Whether the platform's handle of the upload is already on the disk and nothing irreversible is near.

    Then a save that a power cut forgets costs a question to the platform, and nothing else: the row still leads to asking.
    """
    handle = platform.reference(before.flow)
    return handle is not None and handle == platform.reference(after_it.flow) and after_it.irreversible_at is None


def columns(run: Run, position: Position | None = None) -> dict[str, Any]:
    """The row's view of a run, at its own position or at another."""
    position = position or run.position
    row: dict[str, Any] = {
        "state": run.state,
        "irreversible_at": position.irreversible_at,
        "failures": run.failures,
        "failing_since": run.failing_since,
        "started_at": run.started_at,
        "first_byte_at": run.first_byte_at,
        "accepted_at": run.accepted_at,
    }
    if position.flow is None:
        return row
    platform, flow = run.open.platform, position.flow
    sent_bytes, total_bytes = platform.progress(flow)
    return row | {
        "flow": platform.dump(flow),
        "reference": platform.reference(flow),
        "sent_bytes": sent_bytes,
        "total_bytes": total_bytes,
    }
