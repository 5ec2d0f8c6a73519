"""The numbers of a worker that serves nothing else."""

import socket

import pytest
import urllib3

from clipcast.db.engine import Database
from clipcast.errors import ConfigurationError
from clipcast.platforms.registry import live_platforms
from clipcast.settings import load_settings
from clipcast.telemetry.collectors import Installation
from clipcast.telemetry.endpoint import address_of, told
from clipcast.telemetry.metrics import Metrics
from conftest import MovableClock
from ports import free_port


@pytest.fixture
def metrics(db: Database, clock: MovableClock) -> Metrics:
    return Metrics(Installation(db, clock, live_platforms(load_settings())))


def test_a_worker_answers_where_it_is_told_to(metrics: Metrics) -> None:
    port = free_port()

    with told(metrics, f"127.0.0.1:{port}"):
        answer = urllib3.request("GET", f"http://127.0.0.1:{port}/metrics", timeout=10, retries=False)

    assert answer.status == 200
    assert b"clipcast_publications_due 0.0" in answer.data
    with pytest.raises(urllib3.exceptions.HTTPError):
        urllib3.request("GET", f"http://127.0.0.1:{port}/metrics", timeout=2, retries=False)


def test_a_taken_port_is_a_sentence(metrics: Metrics) -> None:
    with socket.socket() as neighbour:
        neighbour.bind(("127.0.0.1", 0))
        neighbour.listen()
        address = f"127.0.0.1:{neighbour.getsockname()[1]}"

        with pytest.raises(ConfigurationError, match="CLIPCAST_METRICS_ADDRESS"), told(metrics, address):
            pass


@pytest.mark.parametrize("text", ["9464", ":9464", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:0", "127.0.0.1:99999", "127.0.0.1:-1"])
def test_what_is_no_address_is_a_sentence(text: str) -> None:
    with pytest.raises(ConfigurationError, match="HOST:PORT"):
        address_of(text)
