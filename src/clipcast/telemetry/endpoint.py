"""Where a worker without a server tells Prometheus its numbers."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from prometheus_client import start_http_server

from clipcast.errors import ConfigurationError
from clipcast.telemetry.metrics import Metrics

_HIGHEST_PORT: Final = 65_535


def address_of(text: str) -> tuple[str, int]:
    """Host and port of `CLIPCAST_METRICS_ADDRESS`.

    >>> address_of("127.0.0.1:9464"), address_of("[::1]:9464")
    (('127.0.0.1', 9464), ('::1', 9464))

    Raises:
        ConfigurationError: it is not HOST:PORT.
    """
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) <= _HIGHEST_PORT:
        raise ConfigurationError("CLIPCAST_METRICS_ADDRESS must be HOST:PORT, for example 127.0.0.1:9464.")
    return host.removeprefix("[").removesuffix("]"), int(port)


@contextmanager
def told(metrics: Metrics, address: str, *, offset: int = 0) -> Iterator[None]:
    """Answer `GET /metrics` at this address meanwhile; nowhere when it is empty.

    `offset` is added to the port: processes of one worker that share its setting (Celery's prefork pool) are told apart by it.

    Raises:
        ConfigurationError: it is not HOST:PORT, or somebody else listens there.
    """
    if not address:
        yield
        return
    host, port = address_of(address)
    try:
        server, thread = start_http_server(port + offset, host, metrics.registry)
    except OSError as error:
        raise _taken(host, port + offset, error) from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def ensure_free(address: str, count: int) -> None:
    """That `count` processes of one worker will be able to listen at this address and the ports after it; always so when it is empty.

    Raises:
        ConfigurationError: it is not HOST:PORT, or somebody else listens on one of them.
    """
    if not address:
        return
    host, first = address_of(address)
    for port in range(first, first + count):
        try:
            socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
        except (OSError, OverflowError) as error:
            raise _taken(host, port, error) from error


def _taken(host: str, port: int, error: OSError | OverflowError) -> ConfigurationError:
    why = getattr(error, "strerror", None) or error
    return ConfigurationError(
        f"CLIPCAST_METRICS_ADDRESS: {host}:{port} cannot be listened on ({why}). Each worker of a machine needs an address of its own."
    )
