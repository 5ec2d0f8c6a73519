"""What the outbox does about a broker that is there and says nothing."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from clipcast.publications.handing import Lane
from clipcast.settings import load_settings
from clipcast.worker.broker import celery_app
from clipcast.worker.dispatch import BrokerAway
from clipcast.worker.outbox import connected

METHOD, END = 1, b"\xce"
START = struct.pack(">HHBB", 10, 10, 0, 9) + struct.pack(">I", 0) + struct.pack(">I", 5) + b"PLAIN" + struct.pack(">I", 5) + b"en_US"
TUNE = struct.pack(">HHHIH", 10, 30, 2047, 131072, 60)
#: What is answered to whom, as the class and the method of AMQP 0-9-1.
ANSWERS = {
    (10, 11): TUNE,
    (10, 40): struct.pack(">HHB", 10, 41, 0),
    (20, 10): struct.pack(">HHI", 20, 11, 0),
}


class MuteBroker(threading.Thread):
    """Greets, opens channels, and answers nothing else: as RabbitMQ with a full memory or disk, or a virtual machine that is frozen."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def run(self) -> None:
        client, _ = self._listener.accept()
        with closing(client):
            client.recv(8, socket.MSG_WAITALL)
            self._say(client, 0, START)
            while header := client.recv(7, socket.MSG_WAITALL):
                _, channel, length = struct.unpack(">BHI", header)
                payload = client.recv(length + 1, socket.MSG_WAITALL)
                if (answer := ANSWERS.get(struct.unpack(">HH", payload[:4]))) is not None:
                    self._say(client, channel, answer)

    def close(self) -> None:
        self._listener.close()

    @staticmethod
    def _say(client: socket.socket, channel: int, payload: bytes) -> None:
        client.sendall(struct.pack(">BHI", METHOD, channel, len(payload)) + payload + END)


@pytest.fixture
def mute() -> Iterator[MuteBroker]:
    broker = MuteBroker()
    broker.start()
    yield broker
    broker.close()


def test_a_broker_that_says_nothing_is_away(mute: MuteBroker, tmp_path: Path) -> None:
    """Whoever hands out work would wait for it for ever, and say nothing either."""
    app = celery_app(load_settings(data_dir=tmp_path, broker_url=f"amqp://guest:guest@127.0.0.1:{mute.port}//"))
    with pytest.raises(BrokerAway, match="cannot be reached"), connected(app) as outbox:
        outbox.waiting(Lane.UPLOADS)


@pytest.mark.parametrize("broker_url", ["redis://127.0.0.1:1/0", "amqp://guest:guest@127.0.0.1:1//"])
def test_a_worker_and_a_beat_can_say_where_their_broker_is(tmp_path: Path, broker_url: str) -> None:
    """They do so first of all, and give no options of their own."""
    with celery_app(load_settings(data_dir=tmp_path, broker_url=broker_url)).connection() as connection:
        assert connection.as_uri().startswith(broker_url.partition("/")[0])
