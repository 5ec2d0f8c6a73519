"""status/fetch and cancel."""

from typing import Any, Final

from clipcast_simulator.exchange import Context, Request
from clipcast_simulator.tiktok import scripted, tasks
from clipcast_simulator.tiktok.access import POSTING, Caller, enter
from clipcast_simulator.tiktok.envelope import Refusal
from clipcast_simulator.tiktok.fields import check_fields, read_json, required
from clipcast_simulator.tiktok.tasks import Task

PER_MINUTE: Final = 30


def status_fetch(context: Context, request: Request) -> dict[str, Any]:
    """Tell how a task stands. Empty fields are left out."""
    caller = enter(context, request, "status", POSTING, PER_MINUTE)
    task = scripted.mark(context, _own_task(context, request, caller))
    if task.is_open and context.fault is not None and context.fault.instruction.startswith("fail:"):
        task = tasks.fail(context, task, context.fault.word, context.now)
    return describe(context, tasks.advance(context, task))


def cancel(context: Context, request: Request) -> None:
    """Stop a slow pull. What is being processed, or final, cannot be cancelled."""
    caller = enter(context, request, "cancel", POSTING, None)
    task = tasks.advance(context, _own_task(context, request, caller))
    is_early = task.state in ("created", "receiving")
    if not is_early or (task.source == "file" and context.settings.tiktok.cancel_file_upload == "refuse"):
        raise Refusal("publish_not_cancellable")
    tasks.fail(context, task, "publish_cancelled", context.now)


def describe(context: Context, task: Task) -> dict[str, Any]:
    """Write a task as status/fetch shows it."""
    shown: dict[str, Any] = {"status": _word(task)}
    if task.fail_reason is not None:
        return {"fail_reason": task.fail_reason, **shown}
    if task.state == "complete" and (public := tasks.public_ids(context, task)):
        shown["publicaly_available_post_id"] = public
    if task.bytes_done:
        shown["uploaded_bytes" if task.source == "file" else "downloaded_bytes"] = task.bytes_done
    return shown


def _word(task: Task) -> str:
    words = {"inbox": "SEND_TO_USER_INBOX", "complete": "PUBLISH_COMPLETE", "failed": "FAILED"}
    return words.get(task.state) or ("PROCESSING_UPLOAD" if task.source == "file" else "PROCESSING_DOWNLOAD")


def _own_task(context: Context, request: Request, caller: Caller) -> Task:
    body = read_json(request)
    check_fields(body, {"publish_id": "string"})
    task = tasks.by_publish_id(context.connection, required(body, "publish_id"))
    if task is None or context.now < task.hidden_until:
        raise scripted.unknown_publish_id(context)
    if (task.username, task.client_key) != (caller.account.username, caller.app.client_key):
        raise Refusal("token_not_authorized_for_specified_publish_id")
    return task
