"""The faults that only YouTube can have, and how its errors look when a script asks for one."""

import re
from random import Random
from typing import Final

from sqlalchemy import update

from clipcast_simulator.exchange import Context, Reply, Request, json_reply
from clipcast_simulator.faults import Fault, parse
from clipcast_simulator.youtube import access, errors, oauth_errors, sessions, tokens, videos
from clipcast_simulator.youtube.errors import Refusal
from clipcast_simulator.youtube.sessions import Session
from clipcast_simulator.youtube.tables import access_tokens

START: Final = frozenset({"session.start"})
CHUNK: Final = frozenset({"upload.chunk", "thumbnails.chunk"})
QUERY: Final = frozenset({"upload.query", "thumbnails.query"})
LISTS: Final = frozenset({"videos.list", "channels.list", "playlistItems.list", "videoCategories.list"})
OAUTH: Final = frozenset({"oauth.token", "oauth.revoke"})
PAGES: Final = frozenset({"oauth.authorize", "oauth.consent"})
DATA: Final = (
    START
    | CHUNK
    | QUERY
    | LISTS
    | {"upload.simple", "thumbnails.start", "thumbnails.set", "videos.insert", "videos.update", "videos.delete"}
)

_DOOMED: Final = START | {"upload.chunk", "upload.simple", "videos.list"}

#: The operations each of our own instructions can happen to.
_WHERE: Final = {
    "expire-token": DATA,
    "revoke-token": DATA,
    "session-gone": CHUNK | QUERY,
    "lost-bytes": CHUNK | QUERY,
    "308-shorter": CHUNK,
    "308-without-range": CHUNK | QUERY,
    "308-retry-after": CHUNK | QUERY,
    "308-new-location": CHUNK | QUERY,
    "final-200": CHUNK,
    "final-201": CHUNK,
    "fail": _DOOMED,
    "stuck": _DOOMED,
    "processing": _DOOMED - {"videos.list"},
}
_TIMED: Final = re.compile(r"(308-retry-after|processing)-(\d{1,9})s")


def check(operation: str, fault: Fault) -> None:
    """Raise ValueError with a sentence when a fault cannot happen to an operation."""
    if fault.kind == "code":
        known = oauth_errors.ERRORS if operation in OAUTH else errors.REASONS if operation in DATA else {}
        if fault.word not in known:
            raise ValueError(f"{operation} has no error {fault.word!r}; it has {sorted(known)}")
        return
    if fault.kind != "platform":
        return
    name = _name(fault)
    places = _WHERE.get(name)
    if places is None:
        raise ValueError(f"unknown fault {fault.instruction!r}")
    if operation not in places:
        raise ValueError(f"{fault.instruction!r} cannot happen to {operation}; it can to {sorted(places)}")
    reasons = videos.FAILURES | videos.REJECTIONS
    if name == "fail" and fault.word not in reasons:
        raise ValueError(f"unknown failure or rejection reason {fault.word!r}; there are {sorted(reasons)}")
    if name in ("processing", "308-retry-after") and not _TIMED.fullmatch(fault.instruction):
        raise ValueError(f"{fault.instruction!r}: write {name}-<seconds>s")


def strike(context: Context, request: Request, operation: str) -> Reply | None:
    """Let a fault of ours happen before its request is answered; a Reply answers in its stead."""
    assert context.fault is not None
    session = sessions.by_request(context, request) if operation in CHUNK | QUERY else None
    match _name(context.fault):
        case "expire-token" | "revoke-token":
            _end_token(context, request)
        case "session-gone" if session is not None:
            sessions.change(context.connection, session, state="gone")
        case "lost-bytes" if session is not None and session.state == "open":
            return sessions.progress(context, sessions.forget_bytes(context, session))
    return None


def mark_session(context: Context, session: Session) -> Session:
    """Let a fault of ours happen to the session that its request opened or fed; its video inherits it."""
    match _name(context.fault):
        case "fail":
            assert context.fault is not None
            return sessions.change(context.connection, session, doom=context.fault.word)
        case "stuck":
            return sessions.change(context.connection, session, stuck=True)
        case "processing":
            return sessions.change(context.connection, session, slow_s=_seconds(context.fault))
    return session


def mark_video(context: Context, video: videos.Video) -> videos.Video:
    """Let a fault of ours happen to a video that was asked about: at once."""
    name = _name(context.fault)
    if name == "fail":
        assert context.fault is not None
        ready_at = min(video.ready_at, context.now)
        return videos.change(context.connection, video, doom=context.fault.word, ready_at=ready_at, stuck=False)
    return videos.change(context.connection, video, stuck=True) if name == "stuck" else video


def kept(context: Context, size: int) -> int:
    """Return how much of a body is persisted: all of it, unless the script keeps less."""
    return sessions.whole_blocks(size // 2) if _name(context.fault) == "308-shorter" else size


def final_status(context: Context) -> int:
    """Return the status of a finished upload: 201 as documented, or 200 as every client accepts."""
    scripted = {"final-200": 200, "final-201": 201}.get(_name(context.fault))
    return scripted or context.settings.youtube.final_status


def dressed(context: Context, reply: Reply, session: Session) -> Reply:
    """Change a session's answer as the script says; what was done stays done."""
    match _name(context.fault):
        case "308-without-range":
            return sessions.upload_reply(session, 308)
        case "308-retry-after" if reply.status == 308:
            return reply.with_header("retry-after", f"{_seconds(context.fault):.0f}")
        case "308-new-location" if reply.status == 308:
            return reply.with_header("location", sessions.rename(context, session).uri())
    return reply


def failure(fault: Fault, operation: str) -> Reply:
    """Write the error answer that a script or chance asks for."""
    if fault.kind == "code" and operation in OAUTH:
        return oauth_errors.refused(oauth_errors.OAuthRefusal(fault.word, _description(fault.word)))
    if fault.kind == "code" and fault.word == "rateLimitExceeded" and operation in START:
        return errors.refused(errors.upload_bucket_full("100000000001"))
    if fault.kind == "code":
        return errors.refused(Refusal(fault.word))
    if operation in OAUTH and fault.shape == "object":
        word = "server_error" if fault.status >= 500 else "invalid_request"
        return json_reply(fault.status, {"error": word, "error_description": "Try again."}, word)
    return errors.bare(fault.status, fault.shape)


def mishap(random: Random, operation: str) -> Fault | None:
    """Choose what goes wrong by chance: never after an effect, and never so that a video could be doubled."""
    if operation in PAGES | {"videos.insert", "upload.simple"}:
        return None
    if operation in START:
        return parse(random.choice(("503", "code:alreadyExists", "500")))
    if operation in CHUNK:
        return parse(random.choice(("503", "500", "503-after-256K", "502")))
    return parse(random.choice(("503", "500", "502")))


def _description(error: str) -> str:
    return oauth_errors.DEAD_TOKEN if error == "invalid_grant" else "A scripted error."


def _name(fault: Fault | None) -> str:
    if fault is None or fault.kind != "platform":
        return ""
    if (timed := _TIMED.fullmatch(fault.instruction)) is not None:
        return timed[1]
    return "fail" if fault.instruction.startswith("fail:") else fault.instruction


def _seconds(fault: Fault | None) -> float:
    match = _TIMED.fullmatch(fault.instruction) if fault is not None else None
    return float(match[2]) if match else 0.0


def _end_token(context: Context, request: Request) -> None:
    token = access.bearer(context, request)
    if token is None:
        return
    assert context.fault is not None
    if context.fault.instruction == "revoke-token":
        tokens.revoke_project(context.connection, token.client_id, token.username)
    else:
        context.connection.execute(update(access_tokens).where(access_tokens.c.id == token.id).values(expires_at=context.now))
