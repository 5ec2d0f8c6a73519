"""The state is the directory: a killed simulator keeps every whole block that it had written."""

import hashlib
import signal
import socket
from pathlib import Path
from urllib.parse import urlsplit

from clipcast_simulator.server import SimulatorServer
from clipcast_simulator.settings import quiet
from ports import free_port
from simulator.processes import process
from simulator.wire import Sim
from simulator.youtube.channel import BLOCK, Channel, channel, faults, persisted, posts

TOTAL = 40 * BLOCK + 123
BYTES = bytes(range(256)) * (TOTAL // 256) + bytes(TOTAL % 256)


def begin_to_send(eva: Channel, uri: str, first: int, sent: int) -> socket.socket:
    parts = urlsplit(uri)
    lines = [f"PUT {parts.path}?{parts.query} HTTP/1.1", "Host: x", f"Authorization: Bearer {eva.token}"]
    lines += [f"Content-Length: {TOTAL - first}", f"Content-Range: bytes {first}-{TOTAL - 1}/{TOTAL}", "", ""]
    connection = socket.create_connection((parts.hostname, parts.port or 80), timeout=20)
    connection.sendall("\r\n".join(lines).encode() + BYTES[first : first + sent])
    return connection


def test_sigkill_in_mid_chunk_keeps_the_blocks_that_were_written(state_dir: Path) -> None:
    port = free_port()
    with process(state_dir, port) as (child, sim):
        eva = channel(sim, "eva")
        uri = eva.session(TOTAL)
        assert persisted(eva.put(uri, BYTES[:BLOCK], 0, TOTAL)) == BLOCK
        with begin_to_send(eva, uri, BLOCK, 30 * BLOCK + 99):
            while posts(sim)[0]["bytes"] < 20 * BLOCK:
                pass
            known = posts(sim)[0]["bytes"]
            child.send_signal(signal.SIGKILL)
            child.wait(10)

    with process(state_dir, port) as (_, sim):
        eva = Channel(sim, eva.credentials)
        done = persisted(eva.query(uri, TOTAL))
        assert done % BLOCK == 0
        assert known <= done <= 31 * BLOCK
        assert eva.put(uri, BYTES[done:], done, TOTAL).status == 201
        assert [post["sha256"] for post in posts(sim)] == [hashlib.sha256(BYTES).hexdigest()]


def test_a_killed_simulator_remembers_the_final_answer(state_dir: Path) -> None:
    port = free_port()
    with process(state_dir, port) as (child, sim):
        eva = channel(sim, "eva")
        uri = eva.session(TOTAL)
        final = eva.put(uri, BYTES, 0, TOTAL)
        faults(sim, {"operation": "upload.query", "fault": "503"})
        child.send_signal(signal.SIGKILL)
        child.wait(10)

    with process(state_dir, port) as (_, sim):
        eva = Channel(sim, eva.credentials)
        answers = [eva.query(uri, TOTAL) for _ in range(2)]
        assert [answer.status for answer in answers] == [503, 201]
        assert answers[1].body == final.body
        assert len(posts(sim)) == 1


def test_two_servers_share_one_session(state_dir: Path) -> None:
    with SimulatorServer(state_dir, quiet()) as one, SimulatorServer(state_dir, quiet()) as two:
        here, there = channel(Sim(one.url), "eva"), channel(Sim(two.url), "eva")
        assert here.token == there.token
        uri = here.session(TOTAL)
        assert persisted(here.put(uri, BYTES[: 10 * BLOCK], 0, TOTAL)) == 10 * BLOCK

        elsewhere = uri.replace(one.url, two.url)
        assert persisted(there.query(elsewhere, TOTAL)) == 10 * BLOCK
        assert there.put(elsewhere, BYTES[10 * BLOCK :], 10 * BLOCK, TOTAL).status == 201
        assert here.query(uri, TOTAL).status == 201
        assert [post["sha256"] for post in posts(here.sim)] == [hashlib.sha256(BYTES).hexdigest()]
