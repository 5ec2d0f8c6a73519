"""Fetches a stranger's URL without being made to reach into our own network (server-side request forgery).

The name is resolved once, every address is checked, and exactly a checked address is dialled: nothing is looked up a second time, so a name
that changes its address in between gains nothing. Each redirect starts again from the beginning.
"""

import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Final, TypeAlias
from urllib.parse import urljoin

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, LocationParseError, ReadTimeoutError, SSLError
from urllib3.response import BaseHTTPResponse
from urllib3.util import Url, parse_url
from urllib3.util.ssl_match_hostname import CertificateError

from clipcast.clips.addresses import is_public
from clipcast.errors import RefusedUrl, TooLarge, UnusableMedia
from clipcast.platforms.deadline import Deadline, Deadlines

MAX_REDIRECTS: Final = 5
MAX_ADDRESSES: Final = 4
MAX_URL: Final = 4096
READ_BYTES: Final = 1 << 18
_REDIRECTS: Final = {301, 302, 303, 307, 308}
_PORTS: Final = {"http": 80, "https": 443}

Resolver: TypeAlias = Callable[[str, int], Sequence[str]]
"""From a host name and a port to the addresses to try, in order; raises OSError when there are none."""


def system_resolver(host: str, port: int) -> list[str]:
    """The addresses that the operating system knows for a name, each once."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True)
class Fetcher:
    """The guarded fetcher. `allow_hosts` are names (lower case) that may lead to private addresses.

    `read_timeout_s` bounds each wait for the next bytes, `total_timeout_s` the whole fetch with its redirects. `ca_certs` is a file of
    certificates to trust instead of the system's, for a private host with its own authority.
    """

    allow_hosts: frozenset[str] = frozenset()
    resolve: Resolver = field(default=system_resolver)
    read_timeout_s: float = 30.0
    total_timeout_s: float = 3600.0
    ca_certs: str | None = None
    deadlines: Deadlines = field(default_factory=Deadlines, repr=False, compare=False)

    def stop(self) -> None:
        """Break off what is being fetched: this process is about to end, and would wait for it."""
        self.deadlines.cut()

    @contextmanager
    def fetch(self, url: str, *, max_bytes: int) -> Iterator[Iterator[bytes]]:
        """The content behind a URL, streamed: nothing is kept in memory.

        Raises (when entered, or while reading):
            RefusedUrl: not http or https, with a password, not resolvable, leading to an address that is not public, or in circles.
            TooLarge: more than `max_bytes`, announced or sent.
            UnusableMedia: the server cannot be reached, is too slow, answers with an error, or its answer ends early.
        """
        with self.deadlines.begun() as deadline:
            deadline.allow(self.total_timeout_s)
            for _ in range(MAX_REDIRECTS + 1):
                target = _checked(url)
                with self._get(target, deadline) as response:
                    location = response.headers.get("Location")
                    if response.status not in _REDIRECTS or location is None:
                        yield _content(response, target, max_bytes, deadline)
                        return
                url = urljoin(target.url, location)
            raise RefusedUrl(f"The URL was redirected more than {MAX_REDIRECTS} times.")

    @contextmanager
    def _get(self, target: Url, deadline: Deadline) -> Iterator[BaseHTTPResponse]:
        with _told_by(target, deadline):
            connection = self._dial(target, deadline)
        with closing(connection):
            with _told_by(target, deadline):
                response = _asked(connection, target)
            with closing(response):
                yield response

    def _dial(self, target: Url, deadline: Deadline) -> HTTPConnection:
        """A connection to the first address that answers; all of them were checked before the first was tried."""
        trouble: Exception = OSError("no address")
        for address in self._addresses(target)[:MAX_ADDRESSES]:
            connection = self._connection(target, address)
            try:
                connection.connect()
            except (HTTPError, OSError, CertificateError) as error:
                connection.close()
                trouble = error
            else:
                deadline.guard(connection.sock)
                return connection
        raise trouble

    def _connection(self, target: Url, address: str) -> HTTPConnection:
        if target.scheme == "http":
            return HTTPConnection(address, _port(target), timeout=self.read_timeout_s)
        # The name is what the certificate must be for, although we dial a number.
        return HTTPSConnection(
            address,
            _port(target),
            timeout=self.read_timeout_s,
            server_hostname=_name(target),
            assert_hostname=_name(target),
            ca_certs=self.ca_certs,
        )

    def _addresses(self, target: Url) -> Sequence[str]:
        host = _name(target)
        try:
            addresses = self.resolve(host, _port(target))
        except (OSError, UnicodeError) as error:
            raise RefusedUrl(f"The name {host} cannot be resolved.") from error
        if host not in self.allow_hosts and not all(is_public(address) for address in addresses):
            raise RefusedUrl(
                f"{host} leads to an address that is not public, so nothing is fetched from it. "
                "If it is a machine of yours, name it in CLIPCAST_FETCH_ALLOW_HOSTS."
            )
        return addresses


def _checked(url: str) -> Url:
    """The URL in its parts; raises `RefusedUrl` for what may never be fetched, wherever it leads. Its query is never quoted."""
    if len(url) > MAX_URL:
        raise RefusedUrl(f"The URL is longer than {MAX_URL} characters.")
    try:
        target = parse_url(url)
    except (LocationParseError, ValueError) as error:
        raise RefusedUrl("This is not a URL.") from error
    if target.scheme not in _PORTS:
        raise RefusedUrl("Only http and https URLs are fetched.")
    if target.auth is not None:
        raise RefusedUrl("The URL holds a user name or password; only URLs without them are fetched.")
    if not target.host or "%" in target.host:
        raise RefusedUrl("The URL names no host that can be fetched from.")
    return target


def _port(target: Url) -> int:
    return target.port or _PORTS[target.scheme or "http"]


def _name(target: Url) -> str:
    """The host as a resolver and a certificate know it: no brackets, no final dot."""
    return str(target.host).strip("[]").rstrip(".")


def _asked(connection: HTTPConnection, target: Url) -> BaseHTTPResponse:
    headers = {
        "Host": target.netloc or _name(target),
        "User-Agent": "Clipcast",
        "Accept": "video/*, image/*",
        "Accept-Encoding": "identity",
    }
    connection.request("GET", target.request_uri, headers=headers, preload_content=False, decode_content=False)
    return connection.getresponse()


def _content(response: BaseHTTPResponse, target: Url, max_bytes: int, deadline: Deadline) -> Iterator[bytes]:
    host = _name(target)
    if response.status != 200:
        raise UnusableMedia(f"{host} answered {response.status} instead of the file.")
    if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise UnusableMedia(f"{host} sent the file compressed although it was asked not to.")
    promised = response.headers.get("Content-Length", "")
    expected = int(promised) if promised.isascii() and promised.isdigit() else None
    if expected is not None and expected > max_bytes:
        raise _too_large(max_bytes)
    return _blocks(response, target, expected, max_bytes, deadline)


def _blocks(response: BaseHTTPResponse, target: Url, expected: int | None, max_bytes: int, deadline: Deadline) -> Iterator[bytes]:
    received = 0
    while True:
        with _told_by(target, deadline):
            block = response.read1(READ_BYTES)
        if not block:
            break
        received += len(block)
        if received > max_bytes:
            raise _too_large(max_bytes)
        yield block
    if deadline.passed or (expected is not None and received != expected):
        raise UnusableMedia(f"{_name(target)} stopped sending after {received:,} bytes.")


@contextmanager
def _told_by(target: Url, deadline: Deadline) -> Iterator[None]:
    """Turn the network's errors into sentences that hold no part of the URL but its host."""
    try:
        yield
    except (HTTPError, HTTPException, OSError, ValueError) as error:
        raise UnusableMedia(f"{_name(target)} did not deliver the file: {_reason(error, deadline)}.") from error


def _reason(error: Exception, deadline: Deadline) -> str:
    if deadline.passed or isinstance(error, (TimeoutError, ReadTimeoutError, ConnectTimeoutError)):
        return "it was too slow"
    if isinstance(error, (SSLError, ssl.SSLError, CertificateError)):
        return "its certificate or encryption cannot be trusted"
    return "the connection failed or broke off"


def _too_large(max_bytes: int) -> TooLarge:
    return TooLarge(f"The file is larger than the {max_bytes:,} bytes that CLIPCAST_FETCH_MAX_BYTES allows.")
