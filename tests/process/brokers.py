"""Brokers of our own, which tests may kill: a Redis server on a free port, a virtual host of the machine's RabbitMQ."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Protocol
from uuid import uuid4

import pytest
import redis

from ports import free_port

PATIENCE_S: Final = 30.0
REQUIRE_ALL: Final = os.environ.get("CLIPCAST_TEST_REQUIRE") == "all"
RABBITMQ_SERVER: Final = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""What Debian's own command runs after it has become another user."""
RABBITMQ: Final = os.environ.get("CLIPCAST_TEST_RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672")


class Broker(Protocol):
    """A broker for one test."""

    url: str

    def cut(self) -> None:
        """Close every connection to it; it forgets nothing."""


class RedisServer:
    """`redis-server` on a port that it keeps when it is killed and started again. It forgets everything, as without a disk."""

    def __init__(self, directory: Path, port: int) -> None:
        self._directory, self._port = directory, port
        self._directory.mkdir(parents=True, exist_ok=True)
        self.url = f"redis://127.0.0.1:{port}/0"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Run it, and wait until it listens."""
        options = [f"--port {self._port}", "--bind 127.0.0.1", "--save ''", "--appendonly no", f"--dir {self._directory}"]
        command = ["redis-server", *" ".join(options).split()]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for_port(self._port)

    @property
    def is_up(self) -> bool:
        """Whether it takes connections."""
        return is_listening(self._port)

    def cut(self) -> None:
        """Close every connection to it; it forgets nothing."""
        with redis.Redis.from_url(self.url) as connection:
            for kind in ("normal", "pubsub"):
                connection.client_kill_filter(_type=kind, skipme=True)

    def kill(self) -> None:
        """End it without warning, and with everything in it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


class RabbitNode:
    """A RabbitMQ of our own, which keeps its ports and its files when it is killed and started again."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._directory.mkdir(parents=True, exist_ok=True)
        (directory / "plugins").write_text("[].")
        self._port, distribution_port = free_port(), free_port()
        self.url = f"amqp://guest:guest@127.0.0.1:{self._port}//"
        places = {"MNESIA_BASE": "mnesia", "LOG_BASE": "log", "PID_FILE": "pid", "ENABLED_PLUGINS_FILE": "plugins", "CONFIG_FILE": "none"}
        own = {name: str(directory / place) for name, place in {**places, "CONF_ENV_FILE": "none", "GENERATED_CONFIG_DIR": "conf"}.items()}
        own |= {"NODENAME": f"clipcast-{uuid4().hex[:12]}@localhost", "NODE_IP_ADDRESS": "127.0.0.1"}
        own |= {"NODE_PORT": str(self._port), "DIST_PORT": str(distribution_port), "SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none"}
        # Its own home: the cookie of the machine's RabbitMQ is not for us to read.
        self._environment = {**os.environ, "HOME": str(directory), **{f"RABBITMQ_{name}": value for name, value in own.items()}}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_up(self) -> bool:
        """Whether it takes connections."""
        return is_listening(self._port)

    def start(self) -> None:
        """Run it; it needs some ten seconds to come up."""
        with (self._directory / "node.log").open("ab") as log:
            command = [str(RABBITMQ_SERVER)]
            self._process = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log, start_new_session=True)

    def kill(self) -> None:
        """End it and all its processes without warning."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


class RabbitHost:
    """A virtual host of the RabbitMQ that runs on this machine."""

    def __init__(self) -> None:
        self._name = f"clipcast-test-{uuid4().hex[:12]}"
        self.url = f"{RABBITMQ}/{self._name}"
        rabbitmqctl("add_vhost", self._name)
        rabbitmqctl("set_permissions", "-p", self._name, "guest", ".*", ".*", ".*")

    def cut(self) -> None:
        """Close every connection to it; it forgets nothing."""
        rabbitmqctl("close_all_connections", "-p", self._name, "the test cut it")

    def close(self) -> None:
        """Throw it away with everything in it."""
        rabbitmqctl("delete_vhost", self._name)


@contextmanager
def redis_server(directory: Path) -> Iterator[RedisServer]:
    """A Redis that ends with the block."""
    if shutil.which("redis-server") is None:
        missing("redis-server is not installed, so the tests of Celery on Redis did not run")
    server = RedisServer(directory, free_port())
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def rabbit_node(directory: Path) -> Iterator[RabbitNode]:
    """A RabbitMQ of our own that ends with the block."""
    if not RABBITMQ_SERVER.exists():
        missing("rabbitmq-server is not installed, so the tests that kill RabbitMQ did not run")
    node = RabbitNode(directory)
    node.start()
    try:
        yield node
    finally:
        node.kill()


@contextmanager
def rabbit_host() -> Iterator[RabbitHost]:
    """A virtual host that ends with the block."""
    if shutil.which("rabbitmqctl") is None:
        missing("rabbitmqctl is not installed, so the tests of Celery on RabbitMQ did not run")
    host = RabbitHost()
    try:
        yield host
    finally:
        host.close()


def rabbitmqctl(*arguments: str) -> None:
    """Tell RabbitMQ something; says what it answered when it refuses."""
    told = subprocess.run(["rabbitmqctl", "-q", *arguments], capture_output=True, text=True, check=False)
    if told.returncode:
        missing(f"RabbitMQ cannot be managed here ({told.stderr.strip()[:200]}), so the tests of Celery on RabbitMQ did not run")


def is_listening(port: int) -> bool:
    """Whether somebody listens there."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1.0):
        return True
    return False


def wait_for_port(port: int) -> None:
    """Wait until somebody listens there."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not is_listening(port):
        assert time.monotonic() < deadline_s, f"nobody listens on port {port}"
        time.sleep(0.02)


def missing(why: str) -> None:
    """Skip what needs something that is not here; where everything has to be, fail."""
    if REQUIRE_ALL:
        pytest.fail(why)
    pytest.skip(why)
