"""URL properties: which addresses an app may have TikTok pull from."""

from collections.abc import Iterable
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from clipcast_simulator.tiktok.world import App

_LOOPBACK_NAMES: Final = frozenset({"localhost"})


def is_loopback(host: str) -> bool:
    """Say whether a host name is this machine, written as an address or as localhost.

    >>> is_loopback("127.0.0.1"), is_loopback("example.com")
    (True, False)
    """
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host in _LOOPBACK_NAMES or host.endswith(".localhost")


def web_address(url: str) -> SplitResult | None:
    """Split an https URL, or a plain http one of this machine; None when it is neither."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        return None
    if not host or parts.username is not None or parts.fragment or not url.isascii() or " " in url:
        return None
    if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)):
        return parts
    return None


def owns(app: App, url: str) -> bool:
    """Say whether a URL lies under a verified domain (subdomains too) or starts with a verified prefix."""
    parts = web_address(url)
    if parts is None:
        return False
    host = (parts.hostname or "").lower()
    by_domain = any(host == domain or host.endswith(f".{domain}") for domain in app.verified_domains)
    return by_domain or any(url.startswith(prefix) for prefix in app.verified_prefixes)


def prefix_complaint(prefix: str) -> str | None:
    """Return why a URL prefix cannot be verified, or None: https, a host that is no address, a path, a final slash."""
    parts = web_address(prefix)
    if parts is None:
        return f"{prefix!r} is not an https URL (plain http is accepted for loopback hosts)"
    if parts.query or not prefix.endswith("/"):
        return f"{prefix!r} must end in a slash and have no query"
    if _is_address(parts.hostname or "") and not is_loopback(parts.hostname or ""):
        return f"{prefix!r} must not have an IP address for a host"
    return None


def domain_complaint(domain: str) -> str | None:
    """Return why a domain cannot be verified, or None."""
    labels = domain.split(".")
    well_formed = all(label and label.replace("-", "").isalnum() for label in labels) and domain == domain.lower()
    return None if well_formed and not _is_address(domain) else f"{domain!r} is not a lower-case domain name"


def redirect_complaint(uri: str) -> str | None:
    """Return why a redirect URI cannot be registered, or None (Login Kit for web and for desktop)."""
    parts = web_address(uri.replace(":*/", ":1/", 1))
    if parts is None:
        return f"{uri!r} is not an https URL (plain http is accepted for loopback hosts)"
    if parts.query or len(uri) >= 512:
        return f"{uri!r} must have no query and fewer than 512 characters"
    if ":*/" in uri and not is_loopback(parts.hostname or ""):
        return f"{uri!r}: a wildcard port is for loopback hosts"
    return None


def complaints(app: App) -> Iterable[str]:
    """Find everything that the portal would refuse in an app's registration."""
    if len(app.redirect_uris) > 10:
        yield "an app has at most 10 redirect URIs"
    found = (
        *map(redirect_complaint, app.redirect_uris),
        *map(domain_complaint, app.verified_domains),
        *map(prefix_complaint, app.verified_prefixes),
    )
    yield from (complaint for complaint in found if complaint is not None)
    if app.webhook_url is not None and web_address(app.webhook_url) is None:
        yield f"{app.webhook_url!r} is not an https URL (plain http is accepted for loopback hosts)"


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
