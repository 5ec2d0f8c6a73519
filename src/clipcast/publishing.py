"""Publishing from Python: connect, publish a clip, read its log, ask how a post is doing (mission A4, B9).

No server has to run: what is published here is also carried to its end here, unless a worker of the same installation is quicker.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from clipcast import log
from clipcast.clips.store import get_clip
from clipcast.db.migrate import ensure_current
from clipcast.errors import ConfigurationError
from clipcast.posts import compose
from clipcast.publications import publishing, store
from clipcast.publications.models import Publication
from clipcast.publications.observer import Observer, Silent
from clipcast.publications.publishing import PublishRequest, PublishResult
from clipcast.publications.states import FINAL, STATUS, State
from clipcast.settings import Settings, load_settings
from clipcast.system import Clipcast
from clipcast.worker.embedded import EmbeddedWorker
from clipcast.worker.presence import Presence

LOOK_EVERY_S: Final = 0.1
"""Another process may be the one that carries a publication; so its row is what we watch."""

_SUCCEEDED: Final = {"success": True, "failed": False, "cancelled": False}


def connect(*, observer: Observer | None = None, **settings: Any) -> Clipcast:
    """Open this installation; the keywords are settings that win over the environment. Close it, or use it in a `with`.

    An embedded SQLite database is made or migrated on the way; a PostgreSQL one is migrated by `clipcast db upgrade` alone.

    Raises:
        ConfigurationError: a setting is unknown or unusable, or the PostgreSQL database is not migrated; says what to do.
        Busy: another process holds the database.
    """
    log.hand_over()
    unknown = sorted(settings.keys() - Settings.model_fields.keys())
    if unknown:
        raise ConfigurationError(f"There is no setting {unknown[0]!r}. There are: {', '.join(Settings.model_fields)}.")
    opened = Clipcast.open(load_settings(**settings), observer=observer or Silent())
    try:
        ensure_current(opened.db)
    except BaseException:
        opened.close()
        raise
    return opened


def publish_clip(
    db: Clipcast, request: PublishRequest, *, wait_s: float | None = None, given_up: threading.Event | None = None
) -> PublishResult:
    """Publish a clip and answer what became of it; a platform's refusal is an answer, not an error.

    Waits for the end however long that takes, or `wait_s` seconds at most. When the time is over, and for a request that is scheduled for
    later, the answer's `success` is None, and a worker (`clipcast worker`, `clipcast serve`) or `check_publish_status` carries on. Setting
    `given_up` in another thread ends the waiting as if the time were over.

    Raises:
        InvalidRequest, NotFound: nothing was written or sent; says what to change.
        Busy: the database or the disk could not take it; nothing was written.
    """
    with db.db.writing() as session:
        publication = compose.publish(session, request, db.platforms, db.clock())
    if publication.scheduled_at <= db.clock():
        carry(db, [publication.id], wait_s=wait_s, given_up=given_up)
    return result_of(_publication(db, publication.id))


def get_publish_logs_for_clip(db: Clipcast, clip_id: str) -> "list[PublishLog]":
    """Every publication of this clip, newest first.

    Raises:
        NotFound: there is no such clip.
    """
    with db.db.reading() as session:
        get_clip(session, clip_id)
        return [log_of(publication) for publication in store.logs_of_clip(session, clip_id)]


def check_publish_status(
    db: Clipcast, publication_id: str, *, wait_s: float = 30.0, given_up: threading.Event | None = None
) -> PublishResult:
    """Ask the platform now how this post is doing, and answer what is known after at most `wait_s` seconds.

    What is final is answered at once, what nobody carries is carried one step on. `given_up` as for `publish_clip`.

    Raises:
        NotFound: there is no such publication.
    """
    asked_at = db.clock()
    with db.db.writing() as session:
        publishing.ask_platform_now(session, publication_id, db.platforms, asked_at)
    carry(db, [publication_id], wait_s=wait_s, until=lambda publication: _was_asked(publication, asked_at), given_up=given_up)
    return result_of(_publication(db, publication_id))


@dataclass(frozen=True, slots=True)
class PublishLog:
    """One line of a clip's publish log (mission A2). Times are aware and in UTC."""

    id: str
    clip_id: str
    platform: str
    social_account_id: str | None
    status: str
    external_post_id: str | None
    external_url: str | None
    error_message: str | None
    requested_at: datetime
    published_at: datetime | None
    created_at: datetime
    updated_at: datetime
    simulated: bool | None


def log_of(publication: Publication) -> PublishLog:
    """The publication as a line of the log."""
    plain = {name: getattr(publication, name) for name in PublishLog.__dataclass_fields__ if name != "status"}
    return PublishLog(status=STATUS[State(publication.state)], **plain)


def result_of(publication: Publication) -> PublishResult:
    """What became of the publication."""
    status = STATUS[State(publication.state)]
    return PublishResult(
        success=_SUCCEEDED.get(status),
        status=status,
        platform=publication.platform,
        clip_id=publication.clip_id,
        social_account_id=publication.social_account_id,
        external_post_id=publication.external_post_id,
        external_url=publication.external_url,
        error_message=publication.error_message,
        publish_log_id=publication.id,
        simulated=publication.simulated,
    )


def is_settled(publication: Publication) -> bool:
    """Whether nothing more happens by itself: the outcome is known, or a person must decide."""
    return publication.state in FINAL or publication.next_action_at is None


def carry(
    db: Clipcast,
    publication_ids: Collection[str],
    *,
    wait_s: float | None = None,
    until: Callable[[Publication], bool] = is_settled,
    watch: Callable[[list[Publication]], None] = lambda _: None,
    given_up: threading.Event | None = None,
) -> bool:
    """Work on these publications until each satisfies `until`, at most `wait_s` seconds or until `given_up` is set; whether they do.

    `watch` hears their rows about ten times a second. What another worker holds is left to it and only watched.
    """
    deadline_s = None if wait_s is None else time.monotonic() + wait_s
    given_up = given_up or threading.Event()
    with working_on(db, publication_ids):
        while True:
            with db.db.reading() as session:
                publications = store.by_ids(session, list(publication_ids))
            watch(publications)
            if all(until(publication) for publication in publications):
                return True
            if deadline_s is not None and time.monotonic() >= deadline_s:
                return False
            if given_up.wait(LOOK_EVERY_S):
                return False


@contextmanager
def working_on(db: Clipcast, publication_ids: Collection[str]) -> Iterator[None]:
    """A worker of our own, for these publications alone."""
    # Its own way to stop: a worker that ends must not stop the driver that other threads of this process use.
    driver = replace(db.driver, stopping=threading.Event())
    presence = Presence(db.settings.data_dir)
    threads = min(len(publication_ids), db.settings.worker_threads) or 1
    worker = EmbeddedWorker(db.db, driver, db.clock, presence, threads=threads, only=publication_ids)
    worker.start()
    try:
        yield
    finally:
        worker.stop()
        presence.close()


def _was_asked(publication: Publication, asked_at: datetime) -> bool:
    waits = publication.next_action_at is None or publication.next_action_at > asked_at
    return waits and publication.lease_token is None


def _publication(db: Clipcast, publication_id: str) -> Publication:
    with db.db.reading() as session:
        return store.get(session, publication_id)
