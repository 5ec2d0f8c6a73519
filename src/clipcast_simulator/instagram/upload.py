"""The upload host: raw bytes with `offset` and `file_size`, or the address of a file to fetch; what arrived is kept."""

import re
from pathlib import Path
from typing import Final

from sqlalchemy import insert

from clipcast_simulator import journal
from clipcast_simulator.exchange import Context, Grant, Reply, Request, json_reply
from clipcast_simulator.instagram import containers, scripted, tokens, world
from clipcast_simulator.instagram.containers import Container
from clipcast_simulator.instagram.envelope import upload_error, upload_refused
from clipcast_simulator.instagram.tables import parts
from clipcast_simulator.receiving import size_of

_OAUTH: Final = re.compile(r"OAuth (\S+)")
_LOST_TAIL_BYTES: Final = 64 << 10


class UploadIntake:
    """Receives the bytes of a container."""

    def admit(self, context: Context, request: Request) -> Grant | Reply:
        """Check token, container, headers and offset, in this order."""
        container = _container(context, request)
        if container is None:
            return upload_refused()
        container = scripted.mark(context, container)
        if not container.is_resumable or containers.status(context, container)[0] != containers.IN_PROGRESS:
            return upload_refused("The container takes no bytes")
        length = request.header("content-length") or ""
        if not length.isdecimal():
            return upload_refused("Content-Length is required")
        if container.stage != containers.WAITING:
            return upload_refused("Every byte was received already")
        if (url := request.header("file_url")) is not None:
            return _fetch_later(context, request, container, url)
        return _place(context, request, container, int(length))

    def store(self, context: Context, grant: Grant) -> Reply:
        """Keep a body that came whole; it may still be less than the rest of the file."""
        container = containers.find(context.connection, grant.task)
        if container is None or container.stage != containers.WAITING or container.bytes_done != grant.first:
            grant.path.unlink(missing_ok=True)
            return _wrong_offset(context)
        container = _keep(context, container, grant.path, grant.size)
        if container.stage == containers.WAITING:
            told = "Partial request (did not match length of file)"
            return upload_error(_status(context, 206), "PartialRequestError", told, retriable=True)
        return json_reply(200, {"success": True, "message": "Upload successful."}, "ok")


def salvage(context: Context, grant: Grant) -> None:
    """Keep exactly what arrived of a body that broke off; or all but its tail, when the knob says so."""
    container = containers.find(context.connection, grant.task)
    size = size_of(grant.path)
    if context.settings.instagram.upload_tail == "lost":
        size = max(0, size - _LOST_TAIL_BYTES)
    if size == 0 or container is None or container.stage != containers.WAITING or container.bytes_done != grant.first:
        grant.path.unlink(missing_ok=True)
        return
    with grant.path.open("r+b") as file:
        file.truncate(size)
    _keep(context, container, grant.path, size)


def _container(context: Context, request: Request) -> Container | None:
    """Find the container of the path if the token may write to it."""
    match = _OAUTH.fullmatch(request.header("authorization") or "")
    token = tokens.find(context.connection, match[1]) if match else None
    container = containers.by_id(context.connection, request.params["container"])
    if token is None or container is None or not token.lives(context.now):
        return None
    journal.note(context.connection, context.entry, username=container.username)
    account = world.account(context.connection, container.username)
    return container if account is not None and token.reaches(account) else None


def _place(context: Context, request: Request, container: Container, length: int) -> Grant | Reply:
    offset, file_size = (_number(request.header(name)) for name in ("offset", "file_size"))
    if offset is None or not file_size:
        return upload_refused("The headers offset and file_size are required")
    if (request.header("content-type") or "").lower().startswith("multipart/"):
        return upload_refused("The body must be the raw bytes of the file")
    if container.file_size not in (None, file_size):
        return upload_refused("file_size must be the size of the whole file")
    if offset != container.bytes_done:
        return _wrong_offset(context)
    if not 0 < length <= file_size - offset:
        return upload_refused("The body does not fit between offset and file_size")
    if container.file_size is None:
        containers.change(context.connection, container, file_size=file_size)
    path = context.media / "instagram" / str(container.id) / f"{offset}.{context.entry}"
    return Grant(path, length, container.id, offset)


def _fetch_later(context: Context, request: Request, container: Container, url: str) -> Reply:
    """Take the address of a public file in the place of bytes; a fetch that fails shows as the container's error."""
    length = request.header("content-length")
    if length != "0" or request.header("offset") is not None or request.header("file_size") is not None:
        return upload_refused("file_url goes with an empty body and no other header")
    if container.bytes_done:
        return upload_refused("Bytes were received already")
    containers.change(context.connection, container, stage=containers.PULLING, url=url)
    return json_reply(200, {"success": True, "message": "Upload successful."}, "ok")


def _keep(context: Context, container: Container, path: Path, size: int) -> Container:
    """Add received bytes to a container; with the last one processing begins."""
    file = str(path.relative_to(context.media))
    context.connection.execute(insert(parts).values(container=container.id, first=container.bytes_done, size=size, file=file))
    done = container.bytes_done + size
    if done == container.file_size:
        return containers.arrived(context, container, bytes_done=done)
    return containers.change(context.connection, container, bytes_done=done)


def _wrong_offset(context: Context) -> Reply:
    return upload_error(_status(context, 412), "OffsetInvalidError", "Request starting offset is invalid", retriable=True)


def _status(context: Context, usual: int) -> int:
    return usual if context.settings.instagram.upload_status == "family" else 400


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() and text.isascii() else None
