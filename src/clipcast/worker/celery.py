"""The Celery application: `celery -A clipcast.worker.celery:app worker` and `celery -A clipcast.worker.celery:app beat`.

Everything is set by the environment (`CLIPCAST_BROKER_URL`, `CLIPCAST_DATABASE_URL`, ...). Programs that only want to send something use
the same application: `app.send_task("refresh_single_account_token", [account_id], queue="maintenance")`.
"""

from functools import cache
from typing import Any

from celery import Celery

from clipcast.errors import ClipcastError
from clipcast.settings import load_settings
from clipcast.worker.broker import celery_app
from clipcast.worker.tasks import equip


def __getattr__(name: str) -> Any:
    """`app`, made when it is asked for: importing this module alone needs no setting."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _app()


@cache
def _app() -> Celery:
    """Made once.

    Raises:
        SystemExit: a setting is missing or wrong. The `celery` command would show anything else as a stack trace.
    """
    try:
        settings = load_settings()
    except ClipcastError as error:
        raise SystemExit(str(error)) from error
    if not settings.broker_url:
        raise SystemExit("CLIPCAST_BROKER_URL is not set. Set it to your broker, such as redis://localhost:6379/0; or run: clipcast worker")
    app = celery_app(settings)
    equip(app, settings)
    return app
