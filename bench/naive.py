"""The usual design, for comparison: one Celery task that uploads a video, then sleeps and asks until the platform is done.

`celery -A bench.naive worker`; `BENCH_BROKER` and `BENCH_SINK` say where. It keeps nothing and checks nothing: everything that a worker
needs beyond this is our cost, not its.
"""

import os
import time
from pathlib import Path

import urllib3
from celery import Celery

POLL_S = 5.0

app = Celery("naive", broker=os.environ["BENCH_BROKER"], backend=None)
app.conf.update(task_acks_late=True, worker_prefetch_multiplier=1, task_ignore_result=True, broker_connection_retry_on_startup=True)
SINK = os.environ["BENCH_SINK"]
HTTP = urllib3.PoolManager(maxsize=64, retries=False)


@app.task(name="naive.publish")
def publish(path: str, done: str) -> None:
    """Upload the file, wait for it, and leave a mark that it is out."""
    clip = Path(path)
    size = clip.stat().st_size
    source = {"source": "FILE_UPLOAD", "video_size": size, "chunk_size": size, "total_chunk_count": 1}
    begun = HTTP.request("POST", f"{SINK}/v2/post/publish/video/init/", json={"source_info": source}).json()["data"]
    headers = {"Content-Type": "video/mp4", "Content-Length": str(size), "Content-Range": f"bytes 0-{size - 1}/{size}"}
    with clip.open("rb") as file:
        assert HTTP.request("PUT", begun["upload_url"], body=file, headers=headers).status == 201
    while True:
        time.sleep(POLL_S)
        answer = HTTP.request("POST", f"{SINK}/v2/post/publish/status/fetch/", json={"publish_id": begun["publish_id"]}).json()
        if answer["data"]["status"] == "PUBLISH_COMPLETE":
            break
    with Path(done).open("a") as file:
        file.write("x")
