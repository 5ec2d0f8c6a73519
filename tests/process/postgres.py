"""A PostgreSQL of our own, which a chaos may kill. The one that the other tests share lives on."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from ports import free_port
from process.brokers import is_listening, missing, wait_for_port

ACCOUNT: Final = "postgres"
"""PostgreSQL refuses to run as root: there it runs as this user."""

OPTIONS: Final = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off", "max_connections": "200"}
"""What was written survives the death of every process also without fsync, which is for the power going out."""


class PostgresServer:
    """A cluster in `directory`, on a port that it keeps when it is killed and started again."""

    def __init__(self, binaries: Path, directory: Path) -> None:
        self._binaries, self._data, self._port = binaries, directory / "data", free_port()
        self._log = directory / "log"
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:
            self._user = {"user": ACCOUNT, "group": ACCOUNT, "extra_groups": []}
            shutil.chown(directory, ACCOUNT, ACCOUNT)
        self.url = f"postgresql://{ACCOUNT}@127.0.0.1:{self._port}/postgres"
        self._process: subprocess.Popen[bytes] | None = None
        options = ["--pgdata", str(self._data), "--auth=trust", f"--username={ACCOUNT}", "--encoding=UTF8", "--no-locale", "--no-sync"]
        self._run("initdb", *options).wait()

    @property
    def is_up(self) -> bool:
        """Whether it takes connections; it may still refuse them with a sentence."""
        return is_listening(self._port)

    def start(self) -> None:
        """Run it, and wait until it listens. It recovers meanwhile, and refuses everybody until it has."""
        options = [f"--{name}={value}" for name, value in {**OPTIONS, "port": self._port}.items()]
        self._process = self._run("postgres", "-D", str(self._data), *options)
        wait_for_port(self._port)

    def kill(self) -> None:
        """End it and all its processes without warning. Each has a process group of its own."""
        if self._process is None:
            return
        family = [self._process.pid, *children(self._process.pid)]
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()

    def _run(self, command: str, *arguments: str) -> "subprocess.Popen[bytes]":
        with self._log.open("ab") as log:
            return subprocess.Popen([str(self._binaries / command), *arguments], stdout=log, stderr=log, cwd="/", **self._user)


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL that ends with the block."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        missing("PostgreSQL's own programs are not installed, so the tests that kill PostgreSQL did not run")
    # Not below pytest's directories, which nobody but their owner may enter.
    with tempfile.TemporaryDirectory(prefix="clipcast-postgres-") as name:
        server = PostgresServer(found[-1].parent, Path(name))
        server.start()
        try:
            yield server
        finally:
            server.kill()


def children(pid: int) -> list[int]:
    """The processes that this one has started and that live."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []
