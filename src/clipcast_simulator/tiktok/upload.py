"""The PUT to the upload URL: strictly sequential, each chunk stored before it is acknowledged.

Every attempt writes a file of its own, so a broken or concurrent PUT cannot touch bytes that were acknowledged.
"""

from typing import Final

from sqlalchemy import insert

from clipcast_simulator import journal
from clipcast_simulator.exchange import Context, Grant, Reply, Request
from clipcast_simulator.tiktok import chunks, scripted, tasks
from clipcast_simulator.tiktok.tables import parts
from clipcast_simulator.tiktok.tasks import Task
from clipcast_simulator.tiktok.upload_url import ContentRange, content_range, find_task, with_progress

_CONTENT_TYPES: Final = frozenset({"video/mp4", "video/quicktime", "video/webm"})


class ChunkIntake:
    """Receives chunks."""

    def admit(self, context: Context, request: Request) -> Grant | Reply:
        """Check the URL, its age, the headers and the place of the chunk, in this order."""
        task = find_task(context, request)
        if task is None:
            return _refused(404)
        journal.note(context.connection, context.entry, username=task.username)
        task = scripted.mark(context, task)
        if context.now > task.expires_at or task.state == "failed":
            return _refused(403)
        if not _headers_are_right(context, request):
            return _refused(400)
        span = content_range(request)
        if request.header("content-range") is None:
            return _refused(416)
        if span is None or not _length_matches(request, span):
            return _refused(400)
        return self._place(context, request, task, span)

    def store(self, context: Context, grant: Grant) -> Reply:
        """Add a received chunk, unless another PUT has meanwhile stored the same one."""
        task = tasks.find(context.connection, grant.task)
        if task is None:  # the state was reset meanwhile
            grant.path.unlink(missing_ok=True)
            return _refused(404)
        if task.state not in ("created", "receiving") or task.bytes_done != grant.first:
            grant.path.unlink()
            return with_progress(context, _refused(416), task)
        file = str(grant.path.relative_to(context.media))
        part = insert(parts).values(task_id=task.id, first=grant.first, size=grant.size, file=file)
        context.connection.execute(part)
        done = task.bytes_done + grant.size
        if done == task.video_size:
            return _stored(context, tasks.arrived(context, task, bytes_done=done), last=True)
        task = tasks.change(context.connection, task, state="receiving", bytes_done=done)
        return _stored(context, task, last=False)

    @staticmethod
    def _place(context: Context, request: Request, task: Task, span: ContentRange) -> Grant | Reply:
        assert task.video_size is not None
        assert task.chunk_size is not None
        assert task.chunk_count is not None
        if span.total != task.video_size:
            return _refused(416)
        if span.last < task.bytes_done and context.settings.tiktok.stored_range_again == "accept":
            return _stored(context, task, last=task.state == "processing")
        index = task.bytes_done // task.chunk_size
        due = chunks.bounds(task.video_size, task.chunk_size, task.chunk_count, min(index, task.chunk_count - 1))
        if task.state not in ("created", "receiving") or (span.first, span.last) != due:
            return with_progress(context, _refused(416), task)
        if task.content_type not in (None, request.header("content-type")):
            return _refused(400)
        if task.content_type is None:
            tasks.change(context.connection, task, content_type=request.header("content-type"))
        path = context.media / "tiktok" / str(task.id) / f"{span.first}.{context.entry}"
        return Grant(path, span.size, task.id, span.first)


def _headers_are_right(context: Context, request: Request) -> bool:
    if request.header("authorization") is not None and context.settings.tiktok.upload_authorization == "refuse":
        return False
    length = request.header("content-length") or ""
    return request.header("content-type") in _CONTENT_TYPES and length.isdecimal()


def _length_matches(request: Request, span: ContentRange) -> bool:
    in_order = span.first <= span.last < span.total
    return in_order and int(request.header("content-length") or 0) == span.size


def _refused(status: int) -> Reply:
    return Reply(status, b"null", code=str(status))


def _stored(context: Context, task: Task, *, last: bool) -> Reply:
    status = 201 if last else 206
    if context.settings.tiktok.put_success == "200":
        status = 200
    return with_progress(context, Reply(status, b"null"), task)
