"""The simulator's control resource, as the demonstration uses it: scripting faults, and seeing what the world sees."""

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from http.client import HTTPConnection
from typing import Any


def script(port: int, faults: Sequence[Mapping[str, Any]]) -> None:
    """Let these faults happen, each once."""
    _ask(port, "POST", "faults", faults)


def prepare_account(port: int, platform: str, username: str, **facts: str) -> None:
    """Make an account before anybody publishes in its name."""
    _ask(port, "PUT", f"{platform}/accounts/{username}", facts)


def posts(port: int, platform: str) -> list[dict[str, Any]]:
    """Everything that reached the platform, published or not, with the SHA-256 of its bytes."""
    found: list[dict[str, Any]] = _ask(port, "GET", f"{platform}/posts")["posts"]
    return found


def _ask(port: int, method: str, path: str, content: object = None) -> Any:
    with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        body = None if content is None else json.dumps(content)
        connection.request(method, f"/_simulator/{path}", body, {"Content-Type": "application/json"})
        return json.load(connection.getresponse())
