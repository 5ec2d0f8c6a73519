"""Listening: a port that cannot be had is a sentence, not a trace."""

import errno
import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from clipcast.errors import ConfigurationError


@contextmanager
def told_when_taken(host: str, port: int) -> Iterator[None]:
    """Raises ConfigurationError when what happens inside cannot listen there."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ConfigurationError(
                f"Port {port} on {host} is taken by another program. Stop it, or choose another with --port."
            ) from error
        if error.errno == errno.EACCES:
            raise ConfigurationError(f"This user may not listen on port {port}. Choose one above 1023 with --port.") from error
        if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            raise ConfigurationError(f"{host} is no address of this machine. Choose another with --host.") from error
        raise


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach that address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
