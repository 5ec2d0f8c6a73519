"""The simulator's control resource, as the demonstration uses it: scripting faults, and seeing what the world sees."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.request import Request, urlopen


def script(simulator_url: str, faults: Sequence[Mapping[str, Any]]) -> None:
    """Let these faults happen, each once."""
    body = json.dumps([{"platform": "tiktok", **fault} for fault in faults]).encode()
    _ask(Request(f"{simulator_url}/_simulator/faults", body, {"Content-Type": "application/json"}, method="POST"))  # noqa: S310


def posts(simulator_url: str) -> list[dict[str, Any]]:
    """Everything that reached TikTok, published or not, with the SHA-256 of its bytes."""
    found: list[dict[str, Any]] = _ask(Request(f"{simulator_url}/_simulator/tiktok/posts"))["posts"]  # noqa: S310
    return found


def _ask(request: Request) -> Any:
    with urlopen(request, timeout=10) as answer:  # noqa: S310  # our own simulator, on loopback
        return json.load(answer)
