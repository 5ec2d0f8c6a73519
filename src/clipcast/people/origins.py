"""Whether a browser asks because of one of our own pages, under one of our own names.

Two attacks end here. Cross-site request forgery: a strange page makes a browser send our cookie along. DNS rebinding: a strange name
is made to point at this machine, so that its pages and ours look like one place to the browser. Programs with an API key need neither
check: no browser sends a key by itself.
"""

import ipaddress
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from clipcast.errors import WrongOrigin

ASKING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing."""

_OURS: Final = frozenset({"same-origin", "none"})
"""What `Sec-Fetch-Site` says for our own pages, and for what the person did without any page."""


def check_host(host: str, public_url: str) -> None:
    """Pass when this `Host` header is a name that cannot be rebound: an address, this machine, or the name of `public_url`.

    Raises:
        WrongOrigin: it is another name.
    """
    name = _host_name(host)
    if not name or not (_is_address(name) or name == "localhost" or name.endswith(".localhost") or name == urlsplit(public_url).hostname):
        raise WrongOrigin(
            "Clipcast does not know the name under which it was called here. Use its IP address, or set CLIPCAST_PUBLIC_URL to the "
            "address that people open."
        )


def check_origin(headers: Mapping[str, str], public_url: str) -> None:
    """Pass when one of our own pages sent this: by `Origin`, else by `Referer`, else by `Sec-Fetch-Site`.

    A page without an origin of its own says `null`, which is nobody. Without any of the three nothing is known, and that is a no.

    Raises:
        WrongOrigin: somebody else's page did, or nothing says who.
    """
    said = headers.get("origin") or headers.get("referer")
    if said is not None and said != "null":
        ours = _is_ours(said, headers.get("host", ""), public_url)
    else:
        ours = headers.get("sec-fetch-site") in _OURS
    if not ours:
        raise WrongOrigin(
            "This was not sent by one of Clipcast's own pages, so nothing was done. Open Clipcast itself and try there; programs use an "
            "API key. Behind a proxy, set CLIPCAST_PUBLIC_URL to the address that people open."
        )


def is_https(headers: Mapping[str, str], public_url: str) -> bool:
    """Whether the browser speaks TLS with a proxy before us: it says so by the address that it knows us by."""
    if not public_url.startswith("https://"):
        return False
    return headers.get("host", "").lower() == urlsplit(public_url).netloc.lower() or _origin(headers.get("origin", "")) == _origin(
        public_url
    )


def _is_ours(said: str, host: str, public_url: str) -> bool:
    origin = _origin(said)
    if public_url and origin == _origin(public_url):
        return True
    if public_url.startswith("https://") and host.lower() == urlsplit(public_url).netloc.lower():
        return False  # reached through TLS: the same name without it is somebody in between
    return origin == _origin(f"http://{host}")


def _origin(url: str) -> tuple[str, str, int] | None:
    """Scheme, name and port; None for what is no such address."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None
    return (parts.scheme, parts.hostname.lower(), port) if parts.hostname and port else None


def _host_name(host: str) -> str:
    """The name in a `Host` header, without its port; empty when it is none."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return ""
    return "" if "@" in host or "/" in host else (parts.hostname or "")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
