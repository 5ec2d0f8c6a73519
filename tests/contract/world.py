"""The simulator's control resource as a test uses it: the world as everybody sees it, scripted faults, the clock."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import urllib3

Json = dict[str, Any]
PATIENT = urllib3.Retry(total=None, connect=8, read=0, redirect=0, backoff_factor=0.05)
"""A simulator that is just starting is waited for; what it was told once is not told twice."""


class World:
    """The control resource at `url`; everything goes over real HTTP."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._last_seen = 0
        self._pool = urllib3.PoolManager(retries=PATIENT, timeout=30, maxsize=16)

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def reconnect(self) -> None:
        """The simulator was started again: what is left of old connections is of no use."""
        self._pool.clear()

    def ask(self, method: str, path: str, body: object = None) -> Json:
        """One control request; anything but a yes fails the test with the simulator's sentence."""
        answer = self._pool.request(method, f"{self.url}/_simulator/{path}", json=body) if body is not None else self._bare(method, path)
        content: Json = answer.json()
        assert answer.status == 200, content
        return content

    def _bare(self, method: str, path: str) -> urllib3.BaseHTTPResponse:
        return self._pool.request(method, f"{self.url}/_simulator/{path}")

    def reset(self) -> None:
        """Forget everything but the settings."""
        self.ask("POST", "reset")

    def settle(self) -> None:
        """Let pulls and inspections come to their end."""
        self.ask("POST", "settle")

    def set_clock(self, now: datetime) -> None:
        """Stop the simulated clock at this moment."""
        self.ask("PUT", "clock", {"now": now.isoformat()})

    @contextmanager
    def settings(self, **changes: object) -> Iterator[None]:
        """Other settings for a while."""
        before = self.ask("GET", "settings")
        self.ask("PUT", "settings", changes)
        try:
            yield
        finally:
            self.ask("PUT", "settings", before)

    def script(self, *faults: Json) -> None:
        """Append faults to the script; each names at least `platform`, `operation` and `fault`."""
        self.ask("POST", "faults", list(faults))

    def unspent(self) -> list[Json]:
        """The scripted faults that did not fire as often as they should have."""
        return [fault for fault in self.ask("GET", "faults")["faults"] if fault["pending"]]

    def requests(self, operation: str | None = None, *, since: int = 0) -> list[Json]:
        """The requests seen after number `since`, oldest first."""
        query = f"requests?since={since}" + (f"&operation={operation}" if operation else "")
        found: list[Json] = self.ask("GET", query)["requests"]
        return found

    def last_request(self) -> int:
        """The number of the last request seen."""
        while found := self.requests(since=self._last_seen):
            self._last_seen = int(found[-1]["id"])
        return self._last_seen

    def posts(self, platform: str, username: str) -> list[Json]:
        """Everything that was begun on this account, published or not."""
        found: list[Json] = self.ask("GET", f"{platform}/posts?username={username}")["posts"]
        return found

    def published(self, platform: str, username: str) -> list[Json]:
        """What followers or the creator can see: posts, and drafts in the inbox."""
        return [post for post in self.posts(platform, username) if post["published"]]


class WorldClock:
    """The simulated clock for a process of its own, to the millisecond: it shows what a test made of it."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __call__(self) -> datetime:
        return datetime.fromisoformat(self._world.ask("GET", "clock")["now"])
