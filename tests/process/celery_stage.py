"""What the workers of the tests run: `clipcast.worker.celery`'s application, with shorter leases, and a signal to themselves on the way.

`STAGE_ORDER` holds the order as JSON: `lease_s`, `again_s` and `queue_length`, `kill` as in `victim.Killer`, and `simulator`, the URL
of one whose clock is to be ours.
"""

import json
import os
from datetime import timedelta
from functools import cache, partial
from pathlib import Path

from celery import Celery

from clipcast.clock import Clock, system_clock
from clipcast.publications import handing
from clipcast.publications.observer import Observer, Silent
from clipcast.settings import load_settings
from clipcast.system import Clipcast
from clipcast.worker import dispatch
from clipcast.worker.broker import celery_app
from clipcast.worker.tasks import equip
from contract.world import Json, World, WorldClock
from process.victim import Killer, SharedClock, shorten_leases


def __getattr__(name: str) -> Celery:
    """`app`, made when Celery asks for it: whoever only looks at this module has no order."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _app()


@cache
def _app() -> Celery:
    order, settings = json.loads(os.environ["STAGE_ORDER"]), load_settings()
    shorten_leases(order.get("lease_s"))
    vars(handing).update(AGAIN_AFTER=timedelta(seconds=order.get("again_s", handing.AGAIN_AFTER.total_seconds())))
    vars(dispatch).update(QUEUE_LENGTH=order.get("queue_length", dispatch.QUEUE_LENGTH))
    kill = order.get("kill")
    observer: Observer = Killer(Path(order["story"]), **kill) if kill else Silent()
    app = celery_app(settings)
    equip(app, settings, partial(Clipcast.open, settings, clock=_clock(order), observer=observer))
    return app


def _clock(order: Json) -> Clock:
    if "world" in order:
        return WorldClock(World(order["world"]))
    return SharedClock(World(order["simulator"])) if "simulator" in order else system_clock
