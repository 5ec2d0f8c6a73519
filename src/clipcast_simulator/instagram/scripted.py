"""The faults that only Instagram can have, and how its errors look when a script asks for one."""

import re
from random import Random
from typing import Any, Final

from sqlalchemy import select

from clipcast_simulator import journal
from clipcast_simulator.exchange import Context, Reply, Request
from clipcast_simulator.faults import Fault, parse
from clipcast_simulator.instagram import access, containers, envelope, errors, parameters, tokens, usage, world
from clipcast_simulator.instagram.containers import Container
from clipcast_simulator.instagram.errors import Refusal, parse_pair

CREATE: Final = frozenset({"container.create"})
UPLOAD: Final = frozenset({"upload"})
STATUS: Final = frozenset({"container.status"})
PUBLISH: Final = frozenset({"publish"})
CONTAINER: Final = CREATE | UPLOAD | STATUS | PUBLISH
MEDIA: Final = frozenset({"media", "media.list", "media.update", "media.delete"})
GRAPH: Final = CREATE | STATUS | PUBLISH | MEDIA | {"limit", "user", "object", "accounts", "permissions"}
PAGES: Final = frozenset({"oauth.authorize", "oauth.consent"})
OPEN: Final = frozenset({"oauth.exchange", "oauth.refresh", "oauth.token", "debug_token"})

#: The operations each of our own instructions can happen to.
_WHERE: Final = {
    "code": GRAPH | OPEN,
    "publish-live-but-error": PUBLISH,
    "container-unreadable": CONTAINER,
    "expire-container": CONTAINER,
    "expire-token": GRAPH | UPLOAD | {"oauth.refresh"},
    "revoke-token": GRAPH | UPLOAD | {"oauth.refresh"},
    "fail": CREATE | UPLOAD | STATUS,
    "stuck": CREATE | UPLOAD | STATUS,
    "processing": CREATE | UPLOAD,
}

_UNREADABLE: Final = re.compile(r"container-unreadable:(\d+)s(?::(page|user|instagram))?")
_PROCESSING: Final = re.compile(r"processing-(\d+)s")


def check(operation: str, fault: Fault) -> None:
    """Raise ValueError with a sentence when a fault cannot happen to an operation."""
    if fault.kind not in ("code", "platform"):
        return
    name = _name(fault)
    places = _WHERE.get(name)
    if places is None:
        raise ValueError(f"unknown fault {fault.instruction!r}")
    if operation not in places:
        raise ValueError(f"{fault.instruction!r} cannot happen to {operation}; it can to {sorted(places)}")
    if name in ("code", "publish-live-but-error") and parse_pair(fault.word) is None:
        known = sorted(Refusal(*pair).word for pair in errors.ERRORS)
        raise ValueError(f"unknown error {fault.word!r}; there are {known}")
    if name == "fail" and _subcode(fault) not in errors.CONTAINER_SUBCODES:
        raise ValueError(f"unknown subcode {fault.word!r}; there are {sorted(errors.CONTAINER_SUBCODES)}")
    if name == "container-unreadable" and not _UNREADABLE.fullmatch(fault.instruction):
        raise ValueError(f"{fault.instruction!r}: write container-unreadable:<seconds>s, and :page, :user or :instagram after it")
    if name == "processing" and not _PROCESSING.fullmatch(fault.instruction):
        raise ValueError(f"{fault.instruction!r}: write processing-<seconds>s")


def strike(context: Context, request: Request, operation: str) -> Reply | None:
    """Let a fault of ours happen before its request is answered; a Reply answers in its stead."""
    assert context.fault is not None
    match _name(context.fault):
        case "code":
            return failure(context, context.fault, operation)
        case "expire-token" | "revoke-token":
            _end_token(context, request)
    return None


def mark(context: Context, container: Container) -> Container:
    """Let a fault of ours happen to the container that its request made, fed or asked for."""
    fault = context.fault
    if fault is None or fault.kind != "platform" or container.published_at is not None:
        return container
    changes: dict[str, Any] = {}
    match _name(fault):
        case "fail":
            changes = _doom(context, fault)
        case "stuck":
            changes = {"stuck": True}
        case "processing":
            changes = _slowness(container, fault)
        case "expire-container":
            changes = {"expires_at": context.now}
        case "container-unreadable":
            changes = _hiding(context, fault)
    return containers.change(context.connection, container, **changes) if changes else container


def error_after_effect(context: Context) -> Refusal | None:
    """Return the error that a script wants in the place of a success."""
    fault = context.fault
    if fault is None or _name(fault) != "publish-live-but-error":
        return None
    return parse_pair(fault.word)


def failure(context: Context, fault: Fault, operation: str) -> Reply:
    """Write the error answer that a script or chance asks for."""
    refusal = parse_pair(fault.word) if fault.kind in ("code", "platform") else None
    if refusal is None:
        return envelope.bare(context, fault.status, fault.shape, operation)
    reply = envelope.graph_error(context, refusal)
    return usage.with_headers(context, reply, usage.spent(_object_id(context))) if refusal.code == 80002 else reply


def mishap(random: Random, request: Request, operation: str) -> Fault | None:
    """Choose what goes wrong by chance: before anything was done, or a container whose video fails in a passing way."""
    if operation in PAGES or operation == "oauth.code":
        return None
    if operation in UPLOAD:
        return parse(random.choice(("500", "503", "503-after-256K")))
    if operation in CREATE and b"video_url" in request.body + request.query.encode():
        return parse(random.choice(("code:2", "503", "fail:2207053")))
    return parse(random.choice(("code:2", "500", "503")))


def _name(fault: Fault) -> str:
    name = fault.instruction.partition(":")[0]
    return "processing" if name.startswith("processing-") else name


def _subcode(fault: Fault) -> int:
    return int(fault.word) if fault.word.isdecimal() else 0


def _doom(context: Context, fault: Fault) -> dict[str, Any]:
    """Doom a container; one that is only asked for fails at once."""
    operation = context.connection.execute(select(journal.requests.c.operation).where(journal.requests.c.id == context.entry)).scalar()
    at_once = {"stage": containers.SETTLED, "ready_at": context.now} if operation in STATUS else {}
    return {"doom": _subcode(fault), **at_once}


def _hiding(context: Context, fault: Fault) -> dict[str, Any]:
    match = _UNREADABLE.fullmatch(fault.instruction)
    assert match is not None
    return {"hidden_until": context.now + int(match[1]), "hidden_from": match[2]}


def _slowness(container: Container, fault: Fault) -> dict[str, Any]:
    match = _PROCESSING.fullmatch(fault.instruction)
    assert match is not None
    seconds = int(match[1])
    ready_at = None if container.ready_at is None else container.ready_at + seconds
    return {"slow_s": float(seconds), "ready_at": ready_at}


def _end_token(context: Context, request: Request) -> None:
    assert context.fault is not None
    token = _token(context, request)
    if token is None:
        return
    if context.fault.instruction == "revoke-token":
        account = world.account(context.connection, token.username)
        assert account is not None
        tokens.kill(context.connection, account)
    else:
        tokens.expire_one(context.connection, token, context.now)


def _token(context: Context, request: Request) -> tokens.Token | None:
    try:
        text = access.sent_token(request, parameters.read(request))
    except Refusal:
        text = access.sent_token(request, None)
    return None if text is None else tokens.find(context.connection, text)


def subject_name(context: Context, request: Request) -> str | None:
    """Return whose token a request carries, and note it in the journal."""
    token = _token(context, request)
    if token is not None:
        journal.note(context.connection, context.entry, username=token.username)
    return None if token is None else token.username


def _object_id(context: Context) -> str:
    query = select(journal.requests.c.username).where(journal.requests.c.id == context.entry)
    account = world.account(context.connection, context.connection.execute(query).scalar() or "")
    return "0" if account is None else account.instagram_account_id
