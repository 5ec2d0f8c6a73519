"""How a publication's flow begins: the order is built from its clips, converted where the platform takes another form."""

import contextlib
import threading
import time
from dataclasses import dataclass
from typing import Any, Final

from clipcast.clips.conversions import Conversions
from clipcast.clock import Clock
from clipcast.db.engine import Database
from clipcast.errors import Busy
from clipcast.platforms.base import Order
from clipcast.platforms.forms import MediaForm
from clipcast.publications import store
from clipcast.publications.connections import Connection
from clipcast.publications.fitted import conversions_of
from clipcast.publications.leases import Lease
from clipcast.publications.models import Publication
from clipcast.publications.order import Metadata, build_order

SAY_EVERY_S: Final = 1.0
"""How often a conversion says how far it is."""


class NotYet(Exception):
    """Nothing is wrong, and nothing can be begun now; says why."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """What it takes to begin, or to go on with what was begun."""

    db: Database
    conversions: Conversions
    clock: Clock
    stopping: threading.Event

    def flow(self, lease: Lease, publication: Publication, connection: Connection) -> Any:
        """The flow as the row holds it, or its first state.

        Raises:
            NotYet: a conversion is needed, and none can be made now.
            LeaseLost: the publication was withdrawn or changed meanwhile.
            ClipcastError: the order cannot be published; says what to change.
        """
        platform = connection.platform
        if publication.flow is not None:
            return platform.load(publication.flow)
        metadata = Metadata.model_validate(publication.order)
        order = self._order(publication, metadata, connection)
        if metadata.auto_fit:
            for clip_id, form in conversions_of(order, platform):
                self._convert(lease, clip_id, form)
            order = self._order(publication, metadata, connection)
        return platform.begin(order)

    def _order(self, publication: Publication, metadata: Metadata, connection: Connection) -> Order:
        with self.db.reading() as session:
            return build_order(
                session,
                publication.clip_id,
                metadata,
                platform=connection.platform,
                username=connection.username,
                credentials=connection.credentials,
            )

    def _convert(self, lease: Lease, clip_id: str, form: MediaForm) -> None:
        """Make the copy of the clip that the platform takes. That may take minutes; the lease is renewed by its keeper meanwhile.

        Raises:
            NotYet: another conversion is running in this process, or the process is about to end.
            LeaseLost: the publication was withdrawn or changed meanwhile.
        """
        said_at_s = float("-inf")

        def heard(fraction: float) -> None:
            nonlocal said_at_s
            lease.check()
            if self.stopping.is_set():
                raise NotYet("Clipcast is being restarted")
            if time.monotonic() - said_at_s >= SAY_EVERY_S:
                said_at_s = time.monotonic()
                self._say(lease, f"converting the clip for {form.name}: {fraction:.0%}")

        if not self.conversions.make(clip_id, form, heard):
            raise NotYet(f"waits to be converted for {form.name}: another conversion is running")

    def _say(self, lease: Lease, note: str) -> None:
        """Tell people, if the database can take it now."""
        with contextlib.suppress(Busy), self.db.writing() as session:
            store.write_held(session, lease, self.clock(), {"note": note})
