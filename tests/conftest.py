"""What every test may ask for: a migrated database of both kinds, a clock that moves on command, and no way to the outside world."""

import errno
import ipaddress
import logging
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import structlog
from filelock import FileLock
from hypothesis import settings
from sqlalchemy import text

import clipcast.accounts.models
import clipcast.clips.models
import clipcast.ledger
import clipcast.people.models
import clipcast.posts.models
import clipcast.publications.models
import clipcast.schedules.models
import clipcast.timetable.models  # noqa: F401  every table has to be known before any is used
from clipcast.db.base import Base
from clipcast.db.engine import Database
from clipcast.db.migrate import upgrade
from clipcast.errors import ClipcastError

POSTGRES_URL = os.environ.get("CLIPCAST_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/test")
REQUIRE_ALL = os.environ.get("CLIPCAST_TEST_REQUIRE") == "all"
NO_POSTGRES = "PostgreSQL cannot be reached at CLIPCAST_TEST_POSTGRES_URL, so its half of this test did not run"


settings.register_profile("clipcast", settings.default, deadline=None)
settings.load_profile("clipcast")
"""How long one example takes says more about the machine than about us."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end what tests have to say; what they print themselves is lost when they run in several processes."""
    for report in [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]:
        for name, verdict in report.user_properties:
            if name == "verdict":
                terminalreporter.write_line(str(verdict))


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """Entry points that run within a test set up the logging of the whole process; the next test finds it as if none had."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    libraries = {name: (logger.handlers[:], logger.propagate, logger.level) for name, logger in _loggers()}
    yield
    root.handlers = handlers
    for name, logger in _loggers():
        logger.handlers, logger.propagate, logger.level = libraries.get(name, ([], True, logging.NOTSET))
    root.setLevel(level)  # As the last: what each logger remembers of its levels is forgotten with it.
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def _loggers() -> list[tuple[str, logging.Logger]]:
    return [(name, logger) for name, logger in logging.Logger.manager.loggerDict.items() if isinstance(logger, logging.Logger)]


class MovableClock:
    """Stands still until a test moves it; callable like the real clock."""

    def __init__(self, start: datetime) -> None:
        self.now = start

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> datetime:
        """Move on by so many seconds; gives the new time."""
        self.now += timedelta(seconds=seconds)
        return self.now


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC))


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file, made once and copied for each test."""
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite3"
    with opened(f"sqlite:///{path}") as db:
        upgrade(db)
    return path


@pytest.fixture(scope="session")
def postgres_schema() -> Iterator[str]:
    """The URL of a schema of our own on the PostgreSQL server, dropped at the end; empty when there is no server."""
    name = f"clipcast_test_{uuid4().hex}"
    try:
        server = Database(POSTGRES_URL)
        execute(server, f"CREATE SCHEMA {name}")
    except ClipcastError:  # no server there, or no driver installed
        yield ""
        return
    # The application's name is what `empty` finds stragglers by.
    mark = "&" if "?" in POSTGRES_URL else "?"
    yield f"{POSTGRES_URL}{mark}options=-csearch_path%3D{name}&application_name={name}"
    execute(server, f"DROP SCHEMA {name} CASCADE")
    server.close()


@pytest.fixture(scope="session")
def migrated_postgres(postgres_schema: str) -> str:
    """The URL of a migrated schema, shared by this process's tests and emptied between them."""
    if postgres_schema:
        with opened(postgres_schema) as db:
            upgrade(db)
    return postgres_schema


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated, empty database, for tests that start processes or open it themselves."""
    if request.param == "sqlite":
        path = tmp_path / "clipcast.sqlite3"
        shutil.copyfile(request.getfixturevalue("migrated_sqlite"), path)
        yield f"sqlite:///{path}"
        return
    url = _reachable(request.getfixturevalue("migrated_postgres"))
    yield url
    empty(url)


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """A migrated, empty database: each test that asks for it runs on SQLite and on PostgreSQL."""
    with opened(database_url) as database:
        yield database


@pytest.fixture
def many_connections(database_url: str) -> Iterator[None]:
    """For tests with some fifty connections: PostgreSQL takes a hundred in all, so one such test runs at a time, in whatever process.

    To be asked for by `usefixtures`, so that it ends after everything that holds connections.
    """
    if not database_url.startswith("postgresql"):
        yield
        return
    with FileLock(Path(tempfile.gettempdir()) / f"clipcast-test-connections-{os.getuid()}.lock"):
        yield


@pytest.fixture(params=["sqlite", "postgresql"])
def blank_db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without any table, for tests of the migrations themselves."""
    if request.param == "sqlite":
        with opened(f"sqlite:///{tmp_path / 'blank.sqlite3'}") as database:
            yield database
        return
    shared = _reachable(request.getfixturevalue("postgres_schema"))
    name = f"clipcast_test_{uuid4().hex}"
    url = shared.replace(shared.partition("search_path%3D")[2].partition("&")[0], name)
    with opened(shared) as server:
        execute(server, f"CREATE SCHEMA {name}")
        with opened(url) as database:
            yield database
        execute(server, f"DROP SCHEMA {name} CASCADE")


@contextmanager
def opened(url: str) -> Iterator[Database]:
    """A database that is closed at the end."""
    database = Database(url)
    try:
        yield database
    finally:
        database.close()


def execute(database: Database, statement: str) -> None:
    """Run and commit one statement."""
    with database.writing() as session:
        session.execute(text(statement))


def _reachable(url: str) -> str:
    if not url and REQUIRE_ALL:
        pytest.fail(NO_POSTGRES)
    if not url:
        pytest.skip(NO_POSTGRES)
    return url


def empty(url: str) -> None:
    """Throw out whoever is still connected, then every row. Replica mode passes over foreign keys and the ledger's triggers."""
    with opened(url) as database, database.writing() as session:
        others = "FROM pg_stat_activity WHERE application_name = current_setting('application_name') AND pid <> pg_backend_pid()"
        session.execute(text(f"SELECT pg_terminate_backend(pid) {others}"))
        session.execute(text("SET LOCAL session_replication_role = replica"))
        for table in Base.metadata.tables.values():
            session.execute(table.delete())


@pytest.fixture(autouse=True)
def no_outside_world(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A connection to anything but this machine fails the test, also one made in a thread or swallowed by an `except`."""
    attempts: list[str] = []
    connect, connect_ex, sendto, getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.socket.sendto, socket.getaddrinfo

    def check(address: object) -> None:
        if not _is_local(address):
            attempts.append(f"{address} from thread {threading.current_thread().name}")
            raise OSError(errno.ENETUNREACH, "tests must not reach the outside world")

    def guarded_connect(self: socket.socket, address: Any) -> None:
        check(address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        check(address)
        return connect_ex(self, address)

    def guarded_sendto(self: socket.socket, *arguments: Any) -> int:
        check(arguments[-1])
        return sendto(self, *arguments)

    def guarded_getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
        if not _is_local((host,)) and not _is_address(host):
            raise socket.gaierror(socket.EAI_NONAME, "tests resolve no names but localhost")
        return getaddrinfo(host, *arguments, **options)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
    monkeypatch.setattr(socket.socket, "sendto", guarded_sendto)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_getaddrinfo)
    yield
    if attempts:
        pytest.fail(f"this test reached for the outside world: {attempts}")


def _is_local(address: object) -> bool:
    """Whether a socket address stays on this machine: a Unix socket, loopback, or `localhost`."""
    if not isinstance(address, tuple):
        return True
    host = address[0]
    if host in {None, "", "localhost", b"localhost"}:
        return True
    return _is_address(host) and ipaddress.ip_address(host).is_loopback


def _is_address(host: object) -> bool:
    try:
        ipaddress.ip_address(host if isinstance(host, str) else "")
    except ValueError:
        return False
    return True
