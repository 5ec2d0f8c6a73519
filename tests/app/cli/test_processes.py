"""`serve`, `worker` and `simulator` as processes of their own: they say where they are, work, and end in order."""

import json
import os
import resource
import signal
import socket
import stat
import subprocess
import time
import urllib.request
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import urllib3

from app.cli.running import PATIENCE_S, Run, Start, answer, greeting, line_with, only
from clipcast.platforms.simulated import NAMELESS
from contract.world import World


def stopped(process: "subprocess.Popen[str]", number: signal.Signals) -> tuple[int, str]:
    """The exit code, and what was said on standard error, of a process that is asked to stop."""
    process.send_signal(number)
    _, stderr = process.communicate(timeout=PATIENCE_S)
    return process.returncode, stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_publishes_what_others_write_and_ends_in_order(
    start: Start, run: Run, world: World, video: Path, number: signal.Signals
) -> None:
    server = start("serve", "--port", "0", "--json")
    said = greeting(server)
    with urllib.request.urlopen(said["health"], timeout=PATIENCE_S) as health:
        assert health.status == 200
    publication = only(answer(run("publish", video, "--to", "tiktok", "--no-wait", "--json"))["publications"])
    result = run("posts", "retry", publication["id"])  # whoever of the two is quicker: it is one publication
    assert "published" in result.stdout
    assert len([post for post in world.posts("tiktok", NAMELESS) if post["published"]]) == 1
    code, stderr = stopped(server, number)
    assert code == 0
    assert "Traceback" not in stderr


def test_serve_goes_on_publishing_while_strangers_hold_connections(start: Start, run: Run, world: World, video: Path) -> None:
    """Each says half a request, and there are more of them than the process may open files."""
    server = start("serve", "--port", "0", "--json", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128)))
    address = urlsplit(greeting(server)["url"])
    half = b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nemail="
    with ExitStack() as crowd:
        for _ in range(400):
            stranger = crowd.enter_context(socket.create_connection((address.hostname or "", address.port or 0), timeout=PATIENCE_S))
            with suppress(ConnectionError):  # it was given up already
                stranger.sendall(half)

        run("publish", video, "--to", "tiktok", "--no-wait")
        give_up_at = time.monotonic() + 30
        while not any(post["published"] for post in world.posts("tiktok", NAMELESS)):
            assert time.monotonic() < give_up_at
        with urllib3.PoolManager(retries=False, timeout=PATIENCE_S) as others:
            assert others.request("GET", f"{address.geturl()}/healthz").status in {200, 503}, "as many as there is room for are read still"
    code, stderr = stopped(server, signal.SIGTERM)
    assert code == 0
    assert "Too many open files" not in stderr


def test_serve_warns_when_strangers_could_fill_a_simulator(start: Start) -> None:
    server = start("serve", "--port", "0", "--host", "0.0.0.0")
    assert "/docs" in line_with(server.stdout, "Clipcast listens on http://127.0.0.1:")
    assert "CLIPCAST_SIMULATION=off" in line_with(server.stderr, "Other machines can reach this server")
    assert stopped(server, signal.SIGTERM)[0] == 0


@pytest.mark.parametrize("numbers", [(signal.SIGTERM,), (signal.SIGINT,), (signal.SIGINT, signal.SIGTERM)])
def test_worker_ends_in_order(start: Start, numbers: tuple[signal.Signals, ...]) -> None:
    """Both signals at once are what `make` sends when somebody stops it."""
    worker = start("worker", env=os.environ | {"CLIPCAST_LOG_LEVEL": "warning"})  # else it may tell how it is getting on
    line_with(worker.stderr, "Clipcast works on what is due")
    for number in numbers[:-1]:
        worker.send_signal(number)
    code, stderr = stopped(worker, numbers[-1])
    assert (code, stderr) == (0, "")


def test_simulator_serves_until_it_is_stopped(start: Start, data_dir: Path) -> None:
    simulator = start("simulator", "--port", "0", "--failure-rate", "0", "--json")
    said = greeting(simulator)
    with urllib.request.urlopen(f"{said['url']}/_simulator/", timeout=PATIENCE_S) as answered:
        assert json.load(answered)["simulator"] == "clipcast"
    assert stopped(simulator, signal.SIGTERM) == (0, "")
    assert [stat.S_IMODE(path.stat().st_mode) for path in (data_dir, data_dir / "simulator")] == [0o700, 0o700]


@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("worker",)])
def test_a_data_directory_that_others_can_read_is_told_at_start(start: Start, data_dir: Path, command: tuple[str, ...]) -> None:
    data_dir.mkdir()
    data_dir.chmod(0o750)
    assert "0750" in line_with(start(*command).stderr, f"chmod 700 {data_dir}")
