"""Clipcast's own commands beside Celery's: a server that others publish through, and `clipcast worker`."""

import json
import os
import subprocess
import sys
from typing import Any

import urllib3
from celery import Celery

from clipcast.settings import environment_with
from contract.bench import connect_live, metadata_of
from contract.world import Json
from keys import bearer, new_key
from ports import free_port
from process.brokers import PATIENCE_S, wait_for_port
from process.celery_theatre import CeleryTheatre

Process = subprocess.Popen[bytes]


def command(celery: CeleryTheatre, *arguments: str, **settings: str) -> Process:
    """`clipcast` with these arguments, in the same installation as the workers; it ends with the theatre."""
    with celery.log.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "clipcast", *arguments],
            env=environment_with({**celery.settings, **settings}),
            cwd=celery.stage.directory,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    celery.processes.append(process)
    return process


class Server:
    """`clipcast serve`, and a program that publishes through it."""

    def __init__(self, celery: CeleryTheatre) -> None:
        self._stage, port = celery.stage, free_port()
        self._url, self._key = f"http://127.0.0.1:{port}", new_key(celery.stage.product.db, "editor")
        self.process = command(celery, "serve", f"--port={port}")
        wait_for_port(port)

    def publish(self, flow_name: str = "direct") -> str:
        """Ask for a publication on an account of its own, and wait for nothing; its id."""
        stage, flow = self._stage, self._stage.platform.flow(flow_name)
        username = f"guest_{len(stage.usernames)}"
        account_id = connect_live(stage.product, stage.platform, stage.world, username)
        wanted = metadata_of(flow, stage.shelf, f"Caption of {username}")
        asked = {
            "clip_id": stage.shelf[flow.clips[0]].id,
            "platform": stage.platform.name,
            "social_account_id": account_id,
            "metadata": wanted.model_dump(mode="json", exclude_unset=True),
        }
        publication_id = str(self._ask("POST", "/publishing/publish?wait_s=0", asked)["publish_log_id"])
        stage.flows[publication_id], stage.usernames[publication_id] = flow, username
        return publication_id

    def _ask(self, method: str, path: str, body: Json) -> Any:
        headers = {"Content-Type": "application/json", **bearer(self._key)}
        answer = urllib3.request(
            method, f"{self._url}{path}", body=json.dumps(body).encode(), headers=headers, timeout=PATIENCE_S, retries=False
        )
        assert answer.status < 300, answer.data
        return answer.json()


def leaves_nothing(process: Process) -> bool:
    """Whether no process of its group is left."""
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return True
    return False


def waiting(app: Celery, name: str) -> int:
    """How many messages lie in this queue."""
    with app.connection_for_read() as connection:
        channel: Any = connection.default_channel
        queue = app.amqp.queues[name](channel)
        queue.declare()
        same = {"durable": queue.durable, "auto_delete": queue.auto_delete, "arguments": queue.queue_arguments}
        return int(channel.queue_declare(queue=name, **same).message_count)


def purged(app: Celery, name: str) -> int:
    """Throw away all that lies in this queue; how many messages that was."""
    with app.connection_for_write() as connection:
        return app.amqp.queues[name](connection.default_channel).purge() or 0
