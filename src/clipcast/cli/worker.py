"""`clipcast worker`: carries out what is due, without a server."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from clipcast.cli.opening import opened
from clipcast.cli.output import Json, tell
from clipcast.cli.stopping import asked_to_stop

if TYPE_CHECKING:
    from clipcast.publications.observer import Observer
    from clipcast.settings import Settings


def worker(
    beat: Annotated[
        bool, typer.Option("--beat", help="With a broker: also be the beat, which makes the workers look for due work. One is enough.")
    ] = False,
    queues: Annotated[
        str, typer.Option("--queues", help="With a broker: the queues to work on, of uploads, polls and maintenance.")
    ] = "uploads,polls,maintenance",
    as_json: Json = False,
) -> None:
    """Carry out every publication that is due, until stopped. Several workers may run; none of them posts anything twice.

    With CLIPCAST_BROKER_URL this is one of Celery's workers, with CLIPCAST_WORKER_THREADS threads; `celery --app clipcast.worker.celery:app
    worker` has all its options. With --json, each thing that happens to a publication is one line of JSON on standard output. SIGTERM and
    Ctrl-C stop it after its step.
    """
    from clipcast.cli.event_lines import EventLines
    from clipcast.errors import ConfigurationError
    from clipcast.publications.observer import Silent
    from clipcast.settings import load_settings

    observer: Observer = EventLines() if as_json else Silent()
    settings = load_settings()
    if settings.broker_url:
        _work_for_celery(settings, observer, queues, beat=beat)
    elif beat:
        raise ConfigurationError("--beat needs a broker: set CLIPCAST_BROKER_URL. Without one, each worker looks for due work by itself.")
    else:
        _work_alone(observer)


def _work_alone(observer: "Observer") -> None:
    """Look for due work in the database."""
    from clipcast.telemetry.collectors import Installation
    from clipcast.telemetry.endpoint import told
    from clipcast.telemetry.metrics import Metrics
    from clipcast.worker.embedded import EmbeddedWorker
    from clipcast.worker.presence import Presence
    from clipcast.worker.watching import watched

    with asked_to_stop() as asked, opened(observer=observer, log_on_stderr=True) as clipcast:
        threads, metrics = clipcast.settings.worker_threads, Metrics(Installation(clipcast.db, clipcast.clock, clipcast.platforms))
        driver, upkeep = watched(clipcast, metrics)
        presence = Presence(clipcast.settings.data_dir)
        running = EmbeddedWorker(clipcast.db, driver, clipcast.clock, presence, threads=threads, upkeep=upkeep)
        with told(metrics, clipcast.settings.metrics_address):
            running.start()
            tell(f"Clipcast works on what is due, {threads} publications at a time. Ctrl-C stops it; nothing is lost.")
            asked.wait()
            running.stop()
        presence.close()


def _work_for_celery(settings: "Settings", observer: "Observer", queues: str, *, beat: bool) -> None:
    """Be one of Celery's workers, until it is asked to end."""
    from clipcast.system import Clipcast
    from clipcast.worker.optional import celery_part

    broker, tasks = celery_part("broker"), celery_part("tasks")
    unknown = {name.strip() for name in queues.split(",")} - {str(name) for name in broker.QUEUES}
    if unknown:
        raise typer.BadParameter(f"There is no queue {min(unknown)!r}; there are {', '.join(broker.QUEUES)}.", param_hint="--queues")
    tasks.ensure_ready(settings, processes=1)  # Celery asks too, but keeps the answer from whoever called it
    app = broker.celery_app(settings)
    tasks.equip(app, settings, partial(Clipcast.open, settings, observer=observer))
    if beat:
        tasks.beat_along(app)
    tell(f"Clipcast works for Celery, {settings.worker_threads} publications at a time. Ctrl-C stops it; nothing is lost.")
    app.worker_main(["--quiet", "worker", "--pool=threads", f"--concurrency={settings.worker_threads}", f"--queues={queues}"])
