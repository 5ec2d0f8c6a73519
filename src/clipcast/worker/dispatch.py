"""Handing out what is due to Celery's workers, a little ahead of them and never more than they can take up soon."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Protocol

from clipcast.clock import Clock
from clipcast.db.engine import Database
from clipcast.errors import Busy
from clipcast.publications import handing
from clipcast.publications.handing import Lane

QUEUE_LENGTH: Final = 400
"""No more messages than this wait in a queue. The rest waits in the database, where its order is kept and a change of mind is heard."""

BATCH: Final = 200
"""How many are handed out in one transaction."""


class BrokerAway(Busy):
    """The broker cannot be reached; what is due waits in the database until it can."""


class Outbox(Protocol):
    """An open way to the broker."""

    def waiting(self, lane: Lane) -> int:
        """How many messages of this lane no worker has taken yet. Raises BrokerAway."""

    def send(self, lane: Lane, publication_ids: Sequence[str]) -> None:
        """One message for each of these, in this order. Raises BrokerAway, when some may have left."""


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """Fills the queues of both lanes. Any number of them may do so at once, on any number of machines."""

    db: Database
    clock: Clock
    outbox: Callable[[], AbstractContextManager[Outbox]]

    def run(self) -> int:
        """Hand out what is due and not handed out yet, as far as there is room; answers how many.

        Raises:
            BrokerAway: what could not be sent is handed out again by the next round.
            Busy: the database cannot take it now.
        """
        with self.db.reading() as session:
            due = [lane for lane in Lane if handing.is_any_waiting(session, self.clock(), lane)]
        if not due:
            return 0
        with self.outbox() as outbox:
            return sum(self._fill(outbox, lane) for lane in due)

    def hand_on(self, publication_id: str) -> None:
        """Hand out this upload now, if it is due and nobody has it or was told of it. Raises as `run`."""
        if ids := self._marked([publication_id]):
            with self.outbox() as outbox:
                self._send(outbox, Lane.UPLOADS, ids)

    def _fill(self, outbox: Outbox, lane: Lane) -> int:
        room, sent = QUEUE_LENGTH - outbox.waiting(lane), 0
        while sent < room:
            with self.db.reading() as session:
                chosen = handing.waiting(session, self.clock(), lane, min(BATCH, room - sent))
            ids = self._marked(chosen) if chosen else []
            if not ids:
                break
            self._send(outbox, lane, ids)
            sent += len(ids)
        return sent

    def _marked(self, publication_ids: Sequence[str]) -> list[str]:
        # Forgetting this in a power cut costs a doubled message.
        with self.db.writing(hasty=True) as session:
            return handing.hand_out(session, self.clock(), publication_ids)

    def _send(self, outbox: Outbox, lane: Lane, publication_ids: Sequence[str]) -> None:
        try:
            outbox.send(lane, publication_ids)
        except BrokerAway:
            with self.db.writing(hasty=True) as session:
                handing.take_back(session, publication_ids)
            raise
