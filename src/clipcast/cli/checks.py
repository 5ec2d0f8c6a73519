"""What `clipcast doctor` looks at. Each check answers with what it saw; none changes anything."""

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from clipcast.accounts import keys
from clipcast.cli import account_checks
from clipcast.cli.findings import Check, Level
from clipcast.cli.output import megabytes
from clipcast.clips.storage import LocalStorage, Storage, key_of
from clipcast.clips.stores import open_storage
from clipcast.clock import system_clock
from clipcast.db import migrate
from clipcast.db.engine import Database
from clipcast.errors import Busy, ClipcastError, ConfigurationError, NotFound
from clipcast.platforms.base import Answer, FileRange, Request
from clipcast.platforms.wire import Wire
from clipcast.privacy import how_to_close, mode_open_to_others
from clipcast.publications import claims
from clipcast.settings import Settings

LITTLE_SPACE_BYTES: Final = 2_000_000_000
"""Less free space than this is worth a word: a single video may have 4 GB."""
NO_SPACE_BYTES: Final = 50_000_000
BUSY_S: Final = 2.0
"""How long the doctor waits for a locked database."""
CLOCK_MAY_DIFFER: Final = timedelta(seconds=2)
CLOCK_MUST_NOT_DIFFER: Final = timedelta(seconds=10)
"""Leases last 30 s and are given up 5 s early: machines whose clocks differ by more would take each other's work."""
SOURCE_WRITTEN: Final = datetime(2026, 3, 1, tzinfo=UTC)
"""No clock that is right shows an earlier moment than this version's making."""


def all_checks(settings: Settings) -> list[Check]:
    """Everything, in the order in which to repair it."""
    looks: tuple[Callable[[Settings], Iterator[Check]], ...] = (
        _data_dir,
        _database,
        _storage,
        _keys,
        account_checks.credentials,
        account_checks.accounts,
        account_checks.people,
        account_checks.platform_apps,
        _clock,
        account_checks.simulation,
        _simulator,
        _reachability,
        _summary,
    )
    return [check for look in looks for check in _told(look, settings)]


def _told(look: Callable[[Settings], Iterator[Check]], settings: Settings) -> Iterator[Check]:
    """What a look finds; expected trouble on the way is a finding too."""
    name = look.__name__.strip("_").replace("_", " ")
    try:
        yield from look(settings)
    except ClipcastError as error:
        yield Check(name, "problem", str(error))
    except (OSError, SQLAlchemyError) as error:
        yield Check(name, "problem", f"It cannot be used ({type(error).__name__}: {getattr(error, 'strerror', None) or 'see the log'}).")


def _data_dir(settings: Settings) -> Iterator[Check]:
    directory = settings.data_dir.absolute()
    if not directory.exists():
        yield Check(
            "data directory", "warning", f"{directory} does not exist yet.", "The first clipcast serve, worker or publish makes it."
        )
        return
    try:
        with tempfile.TemporaryFile(dir=directory):
            yield _for_its_owner_alone(directory)
    except OSError as error:
        advice = "Check its owner and mode, or set CLIPCAST_DATA_DIR to another place."
        yield Check("data directory", "problem", f"{directory} cannot be written ({error.strerror}).", advice)


def _for_its_owner_alone(directory: Path) -> Check:
    mode = mode_open_to_others(directory)
    if mode is None:
        return Check("data directory", "ok", f"{directory} can be written.")
    sentence = f"{directory} is open to others (mode {mode:04o}): the database in it, clips that are not published yet."
    return Check("data directory", "warning", sentence, f"Run: {how_to_close(directory)}")


def _database(settings: Settings) -> Iterator[Check]:
    path = _sqlite_path(settings)
    if path is not None and not path.exists():
        yield Check("database", "warning", f"{path} does not exist yet.", "The first clipcast serve, worker or publish makes it.")
        return
    database = Database(settings.database, busy_timeout_s=BUSY_S)
    try:
        revision = migrate.current(database)
        name = database.engine.url.render_as_string(hide_password=True)
        if not migrate.is_current(database):
            advice = "The next clipcast serve, worker or publish migrates it." if database.is_sqlite else "Run: clipcast db upgrade"
            level: Level = "warning" if database.is_sqlite else "problem"
            yield Check("database", level, f"{name} is at revision {revision}, this version needs {migrate.head()}.", advice)
            return
        with database.writing() as session:
            session.execute(text("UPDATE alembic_version SET version_num = version_num"))
        yield Check("database", "ok", f"{name} can be read and written, and is migrated (revision {revision}).")
        yield _database_clock(database)
        yield _overdue(database)
    except Busy as error:
        yield Check("database", "problem", str(error), str(getattr(error.__cause__, "orig", "")).partition("\n")[0])
    finally:
        database.close()


def _sqlite_path(settings: Settings) -> Path | None:
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(settings.database)
    except ArgumentError:
        return None  # Database says it better
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def _database_clock(database: Database) -> Check:
    if database.is_sqlite:
        return Check("database clock", "ok", "The database is a file of this machine and has no clock of its own.")
    apart = abs(database.ahead_by(system_clock))
    level: Level = "ok" if apart <= CLOCK_MAY_DIFFER else "warning" if apart <= CLOCK_MUST_NOT_DIFFER else "problem"
    advice = "" if level == "ok" else "Let both machines follow a time server (NTP)."
    return Check("database clock", level, f"The database's clock is {apart.total_seconds():.2f} s from this machine's.", advice)


def _overdue(database: Database) -> Check:
    long_ago = system_clock() - timedelta(minutes=1)
    with database.reading() as session:
        waiting = claims.is_anything_due(session, long_ago)
    if waiting:
        return Check("work", "warning", "Publications have been due for more than a minute.", "Start clipcast serve or clipcast worker.")
    return Check("work", "ok", "Nothing that is due is waiting.")


def _storage(settings: Settings) -> Iterator[Check]:
    storage = open_storage(settings)
    yield _directory(storage.root) if isinstance(storage, LocalStorage) else _bucket(storage)


def _bucket(storage: Storage) -> Check:
    """A file that cannot be there is asked for: the answer "not found" takes an open door."""
    try:
        storage.size(key_of("0" * 64, "mp4"))
    except NotFound:
        return Check("storage", "ok", "The bucket answers.")
    return Check("storage", "warning", "The bucket holds a file that it cannot hold.", "Check CLIPCAST_STORAGE_URL.")


def _directory(root: Path) -> Check:
    place = root
    while not place.exists():
        place = place.parent
    free_bytes = shutil.disk_usage(place).free
    if not os.access(place, os.W_OK):
        return Check("storage", "problem", f"{place} cannot be written.", "Check its owner and mode, or set CLIPCAST_STORAGE_URL.")
    if free_bytes < NO_SPACE_BYTES:
        return Check("storage", "problem", f"{root} has only {megabytes(free_bytes)} left.", "Free some space.")
    if free_bytes < LITTLE_SPACE_BYTES:
        return Check("storage", "warning", f"{root} has {megabytes(free_bytes)} left; one video may have 4 GB.", "Free some space.")
    return Check("storage", "ok", f"{root} can be written and has {free_bytes / 1e9:.1f} GB left.")


def _keys(settings: Settings) -> Iterator[Check]:
    given = (
        ("credential key", settings.credential_keys, keys.CREDENTIAL_KEY_FILE, "CLIPCAST_CREDENTIAL_KEYS", keys.open_vault),
        ("signing key", settings.secret_key, keys.SIGNING_KEY_FILE, "CLIPCAST_SECRET_KEY", keys.signing_key),
    )
    for name, value, file_name, variable, read in given:
        path = settings.data_dir.absolute() / file_name
        if not value.get_secret_value() and not path.exists():
            yield Check(name, "warning", f"There is none yet in {path}.", "The first clipcast serve, worker or publish makes one.")
            continue
        try:
            read(settings)
        except ClipcastError as error:
            yield Check(name, "problem", str(error))
            continue
        yield Check(name, "ok", f"It comes from {variable}.") if value.get_secret_value() else _mode(name, path)


def _mode(name: str, path: Path) -> Check:
    mode = stat.S_IMODE(path.stat().st_mode)
    if os.name != "nt" and mode & 0o077:
        return Check(name, "problem", f"{path} can be read by others (mode {mode:04o}).", f"Run: chmod 600 {path}")
    return Check(name, "ok", f"{path} can be read by its owner only (mode {mode:04o}). Keep a copy elsewhere, apart from the database.")


def _clock(settings: Settings) -> Iterator[Check]:
    del settings
    now = system_clock()
    if now < SOURCE_WRITTEN:
        yield Check(
            "clock",
            "problem",
            f"This machine believes it is {now:%Y-%m-%d %H:%M} UTC.",
            "Set its clock; let it follow a time server (NTP).",
        )
    else:
        yield Check("clock", "ok", f"It is {now:%Y-%m-%d %H:%M:%S} UTC.")


def _simulator(settings: Settings) -> Iterator[Check]:
    if settings.simulation == "off":
        yield Check("simulator", "ok", "It is not needed: CLIPCAST_SIMULATION=off.")
    elif settings.simulator_url:
        yield _simulator_at(settings.simulator_url)
    else:
        from clipcast_simulator.server import SimulatorServer

        with tempfile.TemporaryDirectory() as directory, SimulatorServer(Path(directory)) as server:
            found = _simulator_at(server.url)
        yield Check("simulator", "ok", "It can be started.") if found.level == "ok" else found


def _simulator_at(url: str) -> Check:
    wire = Wire(connect_timeout_s=3, answer_timeout_s=5)
    try:
        answer: Answer = wire.send(Request("GET", f"{url}/_simulator/", authorized=False), media=_NoMedia())
        identity = answer.json()
    except ClipcastError as error:
        return Check("simulator", "problem", str(error), "Start it: clipcast simulator. Or unset CLIPCAST_SIMULATOR_URL.")
    finally:
        wire.close()
    if not isinstance(identity, dict) or identity.get("simulator") != "clipcast":
        return Check("simulator", "problem", f"What answers at {url} is not Clipcast's simulator.", "Check CLIPCAST_SIMULATOR_URL.")
    return Check("simulator", "ok", f"{url} answers.")


class _NoMedia:
    """A request without a body needs none."""

    def read_range(self, media_id: str, start: int, stop: int) -> Generator[bytes, None, None]:
        """Never asked."""
        raise ConfigurationError(f"There is no media {FileRange(media_id, start, stop)}.")

    def url(self, media_id: str) -> str:
        """Never asked."""
        raise ConfigurationError(f"There is no media {media_id}.")


def _reachability(settings: Settings) -> Iterator[Check]:
    url = settings.public_url
    if not url:
        advice = "Set CLIPCAST_PUBLIC_URL to this server's https address if you need those; the simulator works without."
        yield Check("public URL", "warning", "It is not set, so real platforms cannot fetch photos or pulled videos from here.", advice)
    elif not url.startswith("https://"):
        yield Check(
            "public URL",
            "warning",
            f"{url} is not https; platforms refuse to fetch from it.",
            "Set CLIPCAST_PUBLIC_URL to an https address.",
        )
    else:
        yield Check("public URL", "ok", f"Platforms fetch media from {url}.")


def _summary(settings: Settings) -> Iterator[Check]:
    words = f"simulation {settings.simulation}, {settings.worker_threads} worker threads, log level {settings.log_level}"
    yield Check("settings", "ok", f"{words}.")
