"""How these tests call the server, see the world, and skip the waiting."""

import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar, Final

import pytest
import urllib3
import uvicorn
from fastapi import FastAPI
from sqlalchemy import func, select

from clipcast.publications.models import Publication
from clipcast.system import Clipcast
from conftest import MovableClock
from keys import bearer, new_key

PATIENCE_S: Final = 30.0
LONGEST_LEAP: Final = timedelta(minutes=2)
LONGEST_SKIP: Final = timedelta(minutes=10)
"""Waiting for a platform is skipped, up to a point; what is scheduled for later stays in the future."""


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The problem's code, after a look at whether it is one as RFC 9457 wants it."""
        assert self.headers["content-type"] == "application/problem+json"
        problem = self.json
        assert problem["status"] == self.status
        assert problem["request_id"] == self.headers["x-request-id"]
        assert all(problem[name] for name in ("type", "title", "detail"))
        assert re.search(r"[.!]$", problem["detail"]), "a detail is a sentence"
        return str(problem["code"])


@dataclass
class Api:
    """Calls a server as an owner, and holds each answer against what the OpenAPI document promises."""

    url: str
    key: str
    heard: str = ""
    _http: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False, timeout=PATIENCE_S))
    document: ClassVar[Any] = None  # the same for every server of this process

    def __call__(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        sent = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        named = bearer(self.key) | {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            named.setdefault("Content-Type", "application/json")
        response = self._http.request(method, self.url + path, body=sent, headers=named, redirect=False)
        answer = Answer(response.status, {name.lower(): value for name, value in response.headers.items()}, response.data)
        self.heard += f"{answer.headers} {answer.body.decode()}\n"
        self._check_promise(method, path, answer)
        return answer

    def upload(self, path: Path) -> str:
        """The id of a clip with the content of this file."""
        fields = {"file": (path.name, path.read_bytes())}
        response = self._http.request("POST", f"{self.url}/clips", fields=fields, headers=bearer(self.key))
        assert response.status == 201, response.data
        return str(response.json()["id"])

    def close(self) -> None:
        self._http.clear()

    def _check_promise(self, method: str, path: str, answer: Answer) -> None:
        bare = path.partition("?")[0]
        for template, operations in self.document["paths"].items():
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), bare) and method.lower() in operations:
                promised = operations[method.lower()]["responses"]
                assert str(answer.status) in promised, f"{method} {template} answered {answer.status}, which its document does not list"
                return


@dataclass
class World:
    """One account on the simulator, and what can be seen and scripted of it."""

    url: str
    username: str
    _http: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False, timeout=PATIENCE_S))

    def script(self, operation: str, fault: str) -> None:
        order = {"platform": "tiktok", "operation": operation, "fault": fault, "username": self.username}
        assert self._call("POST", "/faults", [order])[0] in {200, 201}

    def set_account(self, **changes: object) -> None:
        assert self._call("PUT", f"/tiktok/accounts/{self.username}", changes)[0] in {200, 201}

    def unstick(self, publish_id: str) -> None:
        assert self._call("POST", f"/tiktok/posts/{publish_id}/unstick")[0] == 200

    def posts(self) -> list[Any]:
        """What the world sees of this account."""
        return list(self._call("GET", f"/tiktok/posts?username={self.username}")[1]["posts"])

    def close(self) -> None:
        self._http.clear()

    def _call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        response = self._http.request(method, f"{self.url}/_simulator{path}", body=json.dumps(body) if body is not None else None)
        return response.status, response.json()


def new_account(api: Api, username: str, platform: str = "tiktok") -> str:
    answer = api("POST", "/accounts", {"platform": platform, "username": username})
    assert answer.status == 201
    return str(answer.json["id"])


@contextmanager
def served(app: FastAPI, *, key: str | None = None, **options: Any) -> Iterator[Api]:
    """Serve an application on a free port of this machine; without `key`, its database gets an owner's. `options` are uvicorn's."""
    key = new_key(app.state.clipcast.db) if key is None else key
    Api.document = Api.document or app.openapi()
    # Its clients try nothing again, so the server must not close a connection just when the next request is on its way.
    usual = {"log_config": None, "access_log": False, "timeout_keep_alive": 75, "timeout_graceful_shutdown": 2}
    config = uvicorn.Config(app, **usual | options)
    # Said to be TCP, or asyncio leaves Nagle's algorithm on and each answer waits 40 ms for the kernel's acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    server = _Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    assert server.ready.wait(PATIENCE_S)
    api = Api(f"http://127.0.0.1:{listener.getsockname()[1]}", key)
    try:
        yield api
    finally:
        api.close()
        server.should_exit = True
        thread.join(PATIENCE_S)
        listener.close()


class _Server(uvicorn.Server):
    """Says when it is ready."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@contextmanager
def skipping(clipcast: Clipcast, clock: MovableClock) -> Iterator[None]:
    """Move the clock to the next moment at which something is due, whenever nobody works on anything."""
    over, end = threading.Event(), clock.now + LONGEST_SKIP

    def skip() -> None:
        while clock.now < end and not over.wait(0.01):
            with clipcast.db.reading() as session:
                working = session.scalar(select(func.count()).where(Publication.lease_token.is_not(None)))
                due_at = session.scalar(select(func.min(Publication.next_action_at)))
            if not working and due_at is not None and timedelta() < due_at - clock.now <= LONGEST_LEAP:
                clock.now = due_at

    thread = threading.Thread(target=skip, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(PATIENCE_S)


def until(api: Api, path: str, satisfied: Callable[[Any], bool]) -> Any:
    """What the server says once it satisfies; asks again and again, while a person would."""
    end_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < end_s:
        said = api("GET", path)
        answer = said.json if said.headers["content-type"] == "application/json" else said.body.decode()
        if satisfied(answer):
            return answer
    pytest.fail(f"{path} never came to what was waited for; last: {answer}")


def written(clipcast: Clipcast) -> int:
    """How many publications there are."""
    with clipcast.db.reading() as session:
        return session.scalar(select(func.count()).select_from(Publication)) or 0


def order(clip_id: str, account_id: str | None = None, **metadata: object) -> dict[str, object]:
    """A publish request for TikTok."""
    return {"clip_id": clip_id, "platform": "tiktok", "social_account_id": account_id, "metadata": metadata}
