"""How a worker takes messages, and lets go of them when its broker is gone."""

from typing import Any

from celery.worker.consumer import Consumer


class LettingGo(Consumer):
    """Celery's own, except that it leaves alone what a lost connection had delivered.

    kombu 5.7's Redis channels try to put such messages back and to acknowledge them through the connection that is gone, which ends the
    worker with an AttributeError, or leaves it waiting. What was delivered is sent again from the database.
    """

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """The broker went away in the middle: forget what came over this connection, and connect again."""
        for channel in getattr(getattr(self.connection, "transport", None), "channels", None) or ():
            vars(channel).update(do_restore=False, basic_ack=_nothing, basic_reject=_nothing)
        super().on_connection_error_after_connected(exc)


def _nothing(*_: Any, **__: Any) -> None:
    """Nobody is there to hear it."""
