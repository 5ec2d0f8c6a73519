"""`serve` ends when it has said so, whatever others' servers do."""

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
import urllib3

from app.cli.running import Run, Start, answer, greeting

HANGS = """
import sys, threading
from clipcast.cli.serve import leave_within
threading.Thread(target=threading.Event().wait).start()
leave_within(float(sys.argv[1]), say_after_s=0.1)
"""


def hanging(seconds: float) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", HANGS, str(seconds)], stderr=subprocess.PIPE, text=True)


def test_a_thread_that_never_ends_is_left_behind_and_told() -> None:
    with hanging(0.5) as process:
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "did not come in time" in stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_answers_are_waited_for_ends_it_at_once(number: signal.Signals) -> None:
    with hanging(3600) as process:
        assert process.stderr is not None
        assert "Ctrl-C leaves at once" in process.stderr.readline()
        process.send_signal(number)
        assert process.wait(30) == -number
        assert process.stderr.read() == ""


@pytest.fixture
def dripping() -> Iterator[str]:
    """The URL of a clip that comes a byte at a time, for as long as the test takes."""
    over, asked = threading.Event(), threading.Event()

    def serve(listener: socket.socket) -> None:
        with suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                asked.set()
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: 1000000\r\n\r\n")
                while not over.wait(0.2):
                    connection.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=[listener], daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/clip.mp4"
        over.set()
        with suppress(OSError):  # somebody was there already
            socket.socket.shutdown(listener, socket.SHUT_RDWR)
    thread.join(10)


def test_serve_does_not_wait_for_a_clip_that_drips(start: Start, run: Run, dripping: str, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("CLIPCAST_FETCH_ALLOW_HOSTS", "127.0.0.1")
    key = answer(run("apikeys", "create", "--name", "x", "--role", "editor", "--json"))["key"]
    server = start("serve", "--port", "0", "--json")
    url = f"{greeting(server)['url']}/clips"
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    with (
        urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(connect=10, read=0.5)) as client,
        suppress(urllib3.exceptions.HTTPError),
    ):
        client.request("POST", url, headers=headers, body=json.dumps({"url": dripping}))

    server.send_signal(signal.SIGTERM)
    _, stderr = server.communicate(timeout=50)

    assert server.returncode == 0
    assert "did not come in time" not in stderr
