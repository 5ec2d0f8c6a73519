"""What a platform package brings: its routes and how faults look in its own words."""

from collections.abc import Iterable
from random import Random
from typing import Protocol

from sqlalchemy import Connection

from clipcast_simulator.chores import Job
from clipcast_simulator.exchange import Context, Reply, Request, Route, Subject
from clipcast_simulator.faults import Fault


class Platform(Protocol):
    """A simulated platform. Everything below `/{name}/` is its own; `/_simulator/{name}/` is its control part."""

    @property
    def name(self) -> str:
        """The first segment of every path."""

    @property
    def title(self) -> str:
        """How people write it."""

    @property
    def routes(self) -> tuple[Route, ...]:
        """What the platform serves."""

    @property
    def control(self) -> tuple[Route, ...]:
        """What tests and the product steer it with."""

    @property
    def not_imitated(self) -> tuple[str, ...]:
        """Sentences for the first page: where the simulator differs from the platform."""

    def prepare(self, connection: Connection, now: float) -> None:
        """Make what exists in every fresh state, such as the default app. Idempotent."""

    def subject(self, context: Context, request: Request, operation: str) -> Subject:
        """Say whom and what a request concerns, without judging it."""

    def check_fault(self, operation: str, fault: Fault) -> None:
        """Raise ValueError with a sentence when this fault cannot happen to this operation."""

    def strike(self, context: Context, request: Request, operation: str) -> Reply | None:
        """Apply the context's `platform` fault before the request is answered; a Reply answers in its stead."""

    def failure(self, context: Context, fault: Fault, operation: str) -> Reply:
        """Write an error answer for a `status`, `code` or `error-after-effect` fault."""

    def mishap(self, random: Random, request: Request, operation: str) -> Fault | None:
        """Choose what goes wrong by chance with this operation, or None when it should be spared."""

    def due(self) -> Iterable[Job]:
        """Find the background work that can be done at the simulated time."""
