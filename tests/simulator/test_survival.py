"""The state is the directory: restarts, kills and a second process change nothing."""

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from clipcast_simulator.server import SimulatorServer
from clipcast_simulator.settings import SimulatorSettings, quiet
from ports import free_port
from simulator.processes import process
from simulator.wire import Creator, Sim, file_source, put

TOTAL = 10_000_000
CHUNK = bytes(range(256)) * 19531 + bytes(64)


def test_a_restart_in_mid_upload_loses_nothing(state_dir: Path) -> None:
    with SimulatorServer(state_dir, quiet()) as server:
        sim, port = Sim(server.url), server.port
        before = sim.control("GET", "/")["state_id"]
        ana = sim.account("ana")
        begun = ana.video_init(file_source(TOTAL, 5_000_000, 2)).data
        assert put(sim, begun["upload_url"], CHUNK, 0, TOTAL).status == 206

    with SimulatorServer(state_dir, port=port) as server:
        sim = Sim(server.url)
        assert sim.control("GET", "/")["state_id"] == before
        assert Creator(sim, ana.credentials).status(begun["publish_id"]).data["uploaded_bytes"] == 5_000_000
        assert put(sim, begun["upload_url"], CHUNK, 5_000_000, TOTAL).status == 201
        assert sim.post(begun["publish_id"])["sha256"] == hashlib.sha256(CHUNK * 2).hexdigest()


def test_sigkill_after_an_acknowledged_chunk_loses_nothing(state_dir: Path) -> None:
    port = free_port()
    with process(state_dir, port) as (child, sim):
        sim.advance(3000)
        ana = sim.account("ana")
        begun = ana.video_init(file_source(TOTAL, 5_000_000, 2)).data
        assert put(sim, begun["upload_url"], CHUNK, 0, TOTAL).status == 206
        sim.faults({"operation": "upload.chunk", "fault": "503", "times": 3})
        child.send_signal(signal.SIGKILL)
        child.wait(10)

    with process(state_dir, port) as (_, sim):
        statuses = [put(sim, begun["upload_url"], CHUNK, 5_000_000, TOTAL).status for _ in range(4)]
        assert statuses == [503, 503, 503, 201]
        assert sim.post(begun["publish_id"])["sha256"] == hashlib.sha256(CHUNK * 2).hexdigest()
        assert sim.control("GET", "/clock")["offset_s"] == 3000


def test_two_servers_share_one_world(state_dir: Path, video: bytes) -> None:
    with SimulatorServer(state_dir, quiet()) as one, SimulatorServer(state_dir, quiet()) as two:
        first, second = Sim(one.url), Sim(two.url)
        ana = first.account("ana")
        there = Creator(second, second.account("ana").credentials)
        assert there.token == ana.token

        publish_id = there.upload(video)

        assert ana.status(publish_id).data["status"] == "PUBLISH_COMPLETE"
        assert [post["publish_id"] for post in first.posts()] == [publish_id]
        codes = [creator.video_init(file_source(1000, 1000, 1)).code for creator in (ana, there) * 3]
        assert codes == ["ok"] * 5 + ["rate_limit_exceeded"]


def test_only_explicit_settings_replace_the_stored_ones(state_dir: Path) -> None:
    with SimulatorServer(state_dir, quiet(moderation_s=9.0)):
        pass
    with SimulatorServer(state_dir, SimulatorSettings(failure_rate=0.5)) as server:
        told = Sim(server.url).control("GET", "/settings")

    assert (told["moderation_s"], told["delay_max_s"], told["failure_rate"]) == (9.0, 0.0, 0.5)


def test_a_new_directory_has_the_documented_defaults(state_dir: Path) -> None:
    with SimulatorServer(state_dir) as server:
        told = Sim(server.url).control("GET", "/settings")

    assert (told["delay_min_s"], told["delay_max_s"], told["failure_rate"]) == (0.1, 0.3, 0.1)


def test_a_taken_port_is_an_error_at_once(state_dir: Path) -> None:
    with SimulatorServer(state_dir, quiet()) as server, pytest.raises(OSError, match="in use"):
        SimulatorServer(state_dir, quiet(), port=server.port)


def test_the_command_says_that_the_port_is_taken(state_dir: Path) -> None:
    with SimulatorServer(state_dir, quiet()) as server:
        command = [sys.executable, "-m", "clipcast_simulator", "--port", str(server.port), "--state-dir", str(state_dir)]
        source = Path(__file__).parents[2] / "src"
        done = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(source)}, capture_output=True, check=False, timeout=30)

    assert done.returncode == 1
    assert b"in use" in done.stderr
    assert b"Traceback" not in done.stderr
