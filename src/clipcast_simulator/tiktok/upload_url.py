"""What an upload URL names, and how its answers tell the progress."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from clipcast_simulator.exchange import Context, Reply, Request
from clipcast_simulator.tiktok import tasks
from clipcast_simulator.tiktok.tasks import Task

_RANGE: Final = re.compile(r"bytes (\d{1,13})-(\d{1,13})/(\d{1,13})")


@dataclass(frozen=True, slots=True)
class ContentRange:
    """`bytes first-last/total`, both ends included."""

    first: int
    last: int
    total: int

    @property
    def size(self) -> int:
        """How many bytes it spans."""
        return self.last - self.first + 1


def content_range(request: Request) -> ContentRange | None:
    """Read the header in full; None when it is missing or malformed."""
    match = _RANGE.fullmatch(request.header("content-range") or "")
    return ContentRange(*map(int, match.groups())) if match else None


def find_task(context: Context, request: Request) -> Task | None:
    """Find the task whose upload URL this is: both parameters, once each, and nothing else."""
    query = parse_qsl(request.query, keep_blank_values=True)
    if sorted(name for name, _ in query) != ["upload_id", "upload_token"]:
        return None
    found = dict(query)
    return tasks.by_upload(context.connection, found["upload_id"], found["upload_token"])


def with_progress(context: Context, reply: Reply, task: Task) -> Reply:
    """Add the documented `Content-Range: bytes 0-{UPLOADED_BYTES}/{TOTAL}`, read as the knob says."""
    style = context.settings.tiktok.content_range_reply
    if style == "absent" or task.bytes_done == 0:
        return reply
    upper = task.bytes_done if style == "count" else task.bytes_done - 1
    return reply.with_header("content-range", f"bytes 0-{upper}/{task.video_size}")
