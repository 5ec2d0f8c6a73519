"""Containers, bytes and tokens are in the directory: restarts, kills and a second process change nothing."""

import hashlib
import signal
from pathlib import Path

from clipcast_simulator.server import SimulatorServer
from clipcast_simulator.settings import quiet
from ports import free_port
from simulator.instagram.client import Profile, profile, world
from simulator.processes import process
from simulator.web import Web
from simulator.wire import Sim


def test_a_restart_in_mid_upload_loses_nothing(state_dir: Path, clip: bytes) -> None:
    half = len(clip) // 2
    with SimulatorServer(state_dir, quiet()) as server:
        fay, port = profile(Sim(server.url), "fay", login="facebook"), server.port
        container, uri = fay.resumable()
        assert fay.send(uri, clip[:half], size=len(clip)).status == 206

    with SimulatorServer(state_dir, port=port) as server:
        again = Profile(Sim(server.url), fay.credentials)
        assert again.status(container)["video_status"]["uploading_phase"]["bytes_transferred"] == half
        assert again.send(uri, clip[half:], offset=half, size=len(clip)).status == 200
        assert again.code(container) == "FINISHED"
        again.published(container)
        assert world(again.sim)[0]["sha256"] == hashlib.sha256(clip).hexdigest()


def test_sigkill_between_creating_and_publishing_loses_nothing(state_dir: Path, jpeg_url: str) -> None:
    port = free_port()
    with process(state_dir, port) as (child, sim):
        ana = profile(sim)
        first, second = ana.container(image_url=jpeg_url), ana.container(image_url=jpeg_url)
        media = ana.published(first)
        ana.faults({"operation": "publish", "fault": "503"})
        child.send_signal(signal.SIGKILL)
        child.wait(10)

    with process(state_dir, port) as (_, sim):
        ana = Profile(sim, ana.credentials)
        assert ana.code(first) == "PUBLISHED"
        assert [ana.publish(second).status for _ in range(2)] == [503, 200]
        assert ana.get(f"{ana.id}/content_publishing_limit").json["data"] == [{"quota_usage": 2}]
        assert ana.get(f"{ana.id}/media").json["data"][-1] == {"id": media}


def test_a_fetch_that_a_restart_interrupted_is_done_again(state_dir: Path, web: Web, clip: bytes, clip_url: str) -> None:
    web.gate.clear()
    with SimulatorServer(state_dir, quiet()) as server:
        ana, port = profile(Sim(server.url)), server.port
        container = ana.container(media_type="REELS", video_url=clip_url)
        web.gate.set()

    with SimulatorServer(state_dir, port=port) as server:
        ana = Profile(Sim(server.url), ana.credentials)
        ana.sim.settle()
        assert ana.code(container) == "FINISHED"
        assert world(ana.sim)[0]["sha256"] == hashlib.sha256(clip).hexdigest()


def test_two_servers_share_one_world(state_dir: Path, jpeg_url: str) -> None:
    with SimulatorServer(state_dir, quiet()) as one, SimulatorServer(state_dir, quiet()) as two:
        here, there = profile(Sim(one.url)), profile(Sim(two.url))
        assert here.token == there.token

        container = here.container(image_url=jpeg_url)
        there.published(container)

        assert here.publish(container).status == 400
        assert len(world(here.sim)) == 1


def test_a_reset_forgets_the_accounts(sim: Sim, ana: Profile, jpeg_url: str) -> None:
    ana.container(image_url=jpeg_url)

    sim.control("POST", "/reset")

    assert (world(sim), sim.control("GET", "/instagram/accounts")["accounts"]) == ([], [])
    assert len(sim.control("GET", "/instagram/apps")["apps"]) == 2
    assert ana.get("me").json["error"]["code"] == 190
