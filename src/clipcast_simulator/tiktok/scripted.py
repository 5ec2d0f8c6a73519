"""The faults that only TikTok can have, and how its errors look when a script asks for one."""

from random import Random
from typing import Final

from sqlalchemy import update

from clipcast_simulator.exchange import Context, Reply, Request, json_reply
from clipcast_simulator.faults import Fault, parse
from clipcast_simulator.tiktok import access, envelope, oauth_errors, tasks, upload_url
from clipcast_simulator.tiktok.envelope import Refusal
from clipcast_simulator.tiktok.tables import access_tokens
from clipcast_simulator.tiktok.tasks import Task

FAIL_REASONS: Final = frozenset(
    {
        "auth_removed",
        "duration_check_failed",
        "file_format_check_failed",
        "frame_rate_check_failed",
        "internal",
        "photo_pull_failed",
        "picture_size_check_failed",
        "publish_cancelled",
        "spam_risk",
        "spam_risk_text",
        "spam_risk_too_many_posts",
        "spam_risk_user_banned_from_posting",
        "video_pull_failed",
    }
)

INITS: Final = frozenset({"video.init", "inbox.init", "content.init"})
OAUTH: Final = frozenset({"oauth.token", "oauth.revoke"})
PAGES: Final = frozenset({"oauth.authorize", "oauth.consent"})
UPLOAD: Final = frozenset({"upload.chunk"})
STATUS: Final = frozenset({"status"})
DATA: Final = INITS | STATUS | {"creator_info", "cancel", "user.info", "video.list", "video.query"}

#: The operations each of our own instructions can happen to.
_WHERE: Final = {
    "revoke-token": DATA | UPLOAD,
    "expire-token": DATA | UPLOAD,
    "expire-upload-url": UPLOAD | {"video.init", "inbox.init"},
    "416-without-header": UPLOAD,
    "416-with-header": UPLOAD,
    "early-invalid-publish-id": STATUS,
    "stuck": INITS | UPLOAD | STATUS,
    "fail": INITS | UPLOAD | STATUS,
    "processing": INITS | UPLOAD,
}


def check(operation: str, fault: Fault) -> None:
    """Raise ValueError with a sentence when a fault cannot happen to an operation."""
    if fault.kind == "code":
        known = oauth_errors.ERRORS if operation in OAUTH else envelope.STATUSES if operation in DATA else frozenset()
        if fault.word not in known:
            raise ValueError(f"{operation} has no error code {fault.word!r}; it has {sorted(known)}")
        return
    if fault.kind != "platform":
        return
    name = _name(fault)
    places = _WHERE.get(name)
    if places is None:
        raise ValueError(f"unknown fault {fault.instruction!r}")
    if operation not in places:
        raise ValueError(f"{fault.instruction!r} cannot happen to {operation}; it can to {sorted(places)}")
    if name == "fail" and fault.word not in FAIL_REASONS:
        raise ValueError(f"unknown fail reason {fault.word!r}; there are {sorted(FAIL_REASONS)}")
    if name == "processing":
        _seconds(fault)


def strike(context: Context, request: Request, operation: str) -> Reply | None:
    """Let a fault of ours happen before its request is answered; a Reply answers in its stead."""
    assert context.fault is not None
    match _name(context.fault):
        case "revoke-token" | "expire-token":
            _end_token(context, request, operation)
        case "416-without-header":
            return Reply(416, b"null")
        case "416-with-header":
            return _progress(context, request)
        case "early-invalid-publish-id":
            return envelope.refused(context, unknown_publish_id(context), operation)
        case "expire-upload-url" if operation in UPLOAD:
            _change(context, request, expires_at=context.now - 1)
    return None


def mark(context: Context, task: Task) -> Task:
    """Let a fault of ours happen to the task that its request made, fed or asked for."""
    fault = context.fault
    if fault is None or fault.kind != "platform" or not task.is_open:
        return task
    match _name(fault):
        case "fail":
            return tasks.change(context.connection, task, doom=fault.word)
        case "stuck":
            return tasks.change(context.connection, task, stuck=True)
        case "processing":
            return tasks.change(context.connection, task, slow_s=_seconds(fault))
        case "expire-upload-url" if task.state == "created":
            return tasks.change(context.connection, task, expires_at=context.now - 1)
    return task


def failure(context: Context, fault: Fault, operation: str) -> Reply:
    """Write the error answer that a script or chance asks for."""
    if fault.kind == "code" and operation in OAUTH:
        return oauth_errors.refused(context, oauth_errors.OAuthRefusal(fault.word, "A scripted error."))
    if fault.kind == "code":
        return envelope.refused(context, Refusal(fault.word), operation)
    if operation in OAUTH and fault.shape == "object":
        word = "server_error" if fault.status >= 500 else "invalid_request"
        content = {"error": word, "error_description": "Try again.", "log_id": envelope.log_id(context.now)}
        return json_reply(fault.status, content, word)
    if operation in UPLOAD and fault.shape == "object":
        return Reply(fault.status, b"null")
    return envelope.bare(context, fault.status, fault.shape)


def mishap(random: Random, request: Request, operation: str) -> Fault | None:
    """Choose what goes wrong by chance: never after an effect, and never so that a post could be doubled.

    An init that makes TikTok pull does not answer 5xx, because its caller could not know whether the post will appear;
    its post fails instead, for a reason that may be tried again.
    """
    if operation in PAGES:
        return None
    if operation in UPLOAD | OAUTH:
        return parse(random.choice(("500", "502", "503")))
    if operation in INITS and b"PULL_FROM_URL" in request.body:
        pulled = "photo_pull_failed" if operation == "content.init" else "video_pull_failed"
        return parse(random.choice((f"fail:{pulled}", "fail:internal")))
    if operation in INITS:
        return parse(random.choice(("code:internal_error", "503", "fail:internal")))
    return parse(random.choice(("code:internal_error", "502", "503")))


def unknown_publish_id(context: Context) -> Refusal:
    """Return the refusal of a publish id that is unknown, or not known yet."""
    if context.settings.tiktok.unknown_publish_id == "code":
        return Refusal("invalid_publish_id", "")
    return Refusal("invalid_params", "invalid_publish_id")


def _name(fault: Fault) -> str:
    name = fault.instruction.partition(":")[0]
    return "processing" if name.startswith("processing-") else name


def _seconds(fault: Fault) -> float:
    """Read `processing-90s`; raises ValueError."""
    text = fault.instruction.removeprefix("processing-").removesuffix("s")
    if not text.isdecimal() or fault.instruction != f"processing-{text}s":
        raise ValueError(f"{fault.instruction!r}: write processing-<seconds>s")
    return float(text)


def _end_token(context: Context, request: Request, operation: str) -> None:
    assert context.fault is not None
    task = upload_url.find_task(context, request) if operation in UPLOAD else None
    token = access.bearer(context, request)
    if task is not None:
        mine = [access_tokens.c.client_key == task.client_key, access_tokens.c.username == task.username]
        owner = (task.client_key, task.username)
    elif token is not None and token.username is not None:
        mine = [access_tokens.c.id == token.id]
        owner = (token.client_key, token.username)
    else:
        return
    if context.fault.instruction == "revoke-token":
        tasks.disconnect(context, *owner, reason=1)
    else:
        context.connection.execute(update(access_tokens).where(*mine).values(expires_at=context.now))


def _change(context: Context, request: Request, **values: float) -> None:
    task = upload_url.find_task(context, request)
    if task is not None:
        tasks.change(context.connection, task, **values)


def _progress(context: Context, request: Request) -> Reply:
    """Answer 416 and say how far the upload is."""
    task = upload_url.find_task(context, request)
    reply = Reply(416, b"null")
    return reply if task is None else upload_url.with_progress(context, reply, task)
