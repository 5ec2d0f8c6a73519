"""Servers of other people that take for ever keep waiting whoever asked them, and nobody else."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
import urllib3

from app.api.calling import PATIENCE_S, Answer, Api, new_account, order, served
from clipcast.api.app import create_app
from clipcast.clock import Clock
from clipcast.settings import load_settings
from clipcast.system import Clipcast
from clipcast.turnstiles import FETCHES, QUESTIONS
from keys import bearer

MANY = 45
"""More than there are threads for requests."""

#: Which threads wait is no question of the database.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Tarpit:
    """A server that takes every connection and never says a word, until it is closed."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=MANY)
        self._held: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.arrived = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._hold)
        self._thread.start()

    def _hold(self) -> None:
        with contextlib.suppress(OSError):  # the listener is closed
            while True:
                self._held.append(self._listener.accept()[0])
                self.arrived.release()

    def has(self, count: int) -> bool:
        """Whether so many are stuck in it, after waiting for them."""
        return all(self.arrived.acquire(timeout=PATIENCE_S) for _ in range(count))

    def close(self) -> None:
        """Break everything off; a second time nothing happens."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        for connection in (self._listener, *self._held):
            connection.close()


@pytest.fixture
def tarpit() -> Iterator[Tarpit]:
    pit = Tarpit()
    yield pit
    pit.close()


@pytest.fixture
def stuck(database_url: str, tmp_path: Path, clock: Clock, tarpit: Tarpit) -> Iterator[Clipcast]:
    """Both the platforms and the place that clips come from are the tarpit."""
    settings = load_settings(
        data_dir=tmp_path / "data", database_url=database_url, simulator_url=tarpit.url, fetch_allow_hosts=frozenset({"127.0.0.1"})
    )
    with Clipcast.open(settings, clock=clock) as opened:
        yield opened


def fetch(api: Api, tarpit: Tarpit, _account_id: str, _clip_id: str) -> Answer:
    return api("POST", "/clips", {"url": f"{tarpit.url}/film.mp4"})


def quota(api: Api, _tarpit: Tarpit, account_id: str, _clip_id: str) -> Answer:
    return api("GET", f"/accounts/{account_id}/quota")


def preflight(api: Api, _tarpit: Tarpit, account_id: str, clip_id: str) -> Answer:
    return api("POST", "/publications/preflight", order(clip_id, account_id))


def post_preflight(api: Api, _tarpit: Tarpit, account_id: str, clip_id: str) -> Answer:
    return api("POST", "/posts/preflight", {"clip_ids": [clip_id], "targets": [{"account_id": account_id}]})


Slow = Callable[[Api, Tarpit, str, str], Answer]


@pytest.mark.parametrize(("slow", "let_in"), [(fetch, FETCHES), (quota, QUESTIONS), (preflight, QUESTIONS), (post_preflight, QUESTIONS)])
def test_everybody_else_is_answered_meanwhile(stuck: Clipcast, tarpit: Tarpit, video: Path, slow: Slow, let_in: int) -> None:
    with served(create_app(stuck, with_worker=False)) as api, ThreadPoolExecutor(MANY) as crowd:
        account_id, clip_id = new_account(api, "slow"), api.upload(video)
        asked = [crowd.submit(slow, api, tarpit, account_id, clip_id) for _ in range(MANY)]
        assert tarpit.has(let_in)

        with urllib3.PoolManager(retries=False, timeout=PATIENCE_S) as others:
            for path in ("/readyz", "/login", "/accounts", f"/clips/{clip_id}"):
                assert others.request("GET", api.url + path, headers=bearer(api.key)).status == 200

        assert not any(each.done() for each in asked)
        assert not tarpit.arrived.acquire(blocking=False), "no more than those are let in"
        tarpit.close()
        assert "busy" not in {each.result(PATIENCE_S).json.get("code") for each in asked}, "whoever waited has a turn in the end"


@pytest.mark.parametrize(("slow", "let_in"), [(fetch, FETCHES), (quota, QUESTIONS)])
def test_who_waited_long_enough_is_asked_to_come_back(stuck: Clipcast, tarpit: Tarpit, slow: Slow, let_in: int) -> None:
    with served(create_app(stuck, with_worker=False, patience_s=1.0)) as api, ThreadPoolExecutor(let_in) as crowd:
        account_id = new_account(api, "slow")
        asked: list[Future[Answer]] = [crowd.submit(slow, api, tarpit, account_id, "") for _ in range(let_in)]
        assert tarpit.has(let_in)

        answer = slow(api, tarpit, account_id, "")

        assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, "busy", "1")
        tarpit.close()
        assert "busy" not in {each.result(PATIENCE_S).json.get("code") for each in asked}
