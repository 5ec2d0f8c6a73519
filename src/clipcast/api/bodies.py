"""What may come in at all: bodies of a bounded size, and JSON that every later step can read and every database can hold."""

import asyncio
from typing import Final

from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clipcast.api.problems import Fault, malformed, problem
from clipcast.db.storable import UNSTORABLE, json_fault

MAX_BODY_BYTES: Final = 1_000_000
"""Far above any honest request: the longest caption of any platform has a few kilobytes."""

_HEARD_OUT_BYTES: Final = 64_000_000
_HEARD_OUT_S: Final = 10.0
"""How much of a body that is too large is read and thrown away: closed in the middle, the connection would lose the answer."""


class BodyGuard:
    """Reads each body whole before the application sees it, within `patience_s` seconds; only uploads pass by, and take the time they need.

    They are counted where they are written, and nobody begins one without permission.
    """

    def __init__(self, app: ASGIApp, patience_s: float) -> None:
        self._app, self._patience_s = app, patience_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request in, or answer it here."""
        if scope["type"] != "http" or _is_upload(Request(scope)):
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        if "\x00" in scope["path"] or b"%00" in scope["query_string"]:
            await malformed(request, [Fault(location="address", message=UNSTORABLE)])(scope, receive, send)
            return
        try:
            body = await _read(receive, self._patience_s)
        except ClientDisconnect:
            return  # half a request is none, even where its half can be read as a whole
        except TimeoutError:
            detail = f"The body was not whole within {self._patience_s:g} s. Nothing was changed; send the request again."
            await problem(request, 408, "too_slow", detail, headers={"Connection": "close"})(scope, receive, send)
            return
        if body is None:
            detail = f"The body is larger than {MAX_BODY_BYTES:,} bytes. Media come in through POST /clips as multipart/form-data."
            await problem(request, 413, "too_large", detail, headers={"Connection": "close"})(scope, receive, send)
        elif body and _is_json(request) and (fault := json_fault(body)):
            await malformed(request, [Fault(location="body", message=fault)])(scope, receive, send)
        else:
            await self._app(scope, _again(body, receive), send)


def _is_upload(request: Request) -> bool:
    return request.url.path == "/clips" and request.headers.get("Content-Type", "").lower().startswith("multipart/form-data")


def _is_json(request: Request) -> bool:
    return "json" in request.headers.get("Content-Type", "").lower() or request.url.path == "/clips"


async def _read(receive: Receive, patience_s: float) -> bytes | None:
    """The whole body, or None when it is too large: then it is heard out up to a point, so that the answer can be heard too.

    Raises:
        TimeoutError: it is not too large so far, and not whole in time.
    """
    body, size_bytes, too_large = bytearray(), 0, False
    try:
        async with asyncio.timeout(patience_s) as patience:
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                piece = message.get("body", b"")
                size_bytes += len(piece)
                if size_bytes <= MAX_BODY_BYTES:
                    body += piece
                elif not too_large:
                    too_large = True
                    patience.reschedule(asyncio.get_running_loop().time() + _HEARD_OUT_S)
                if not message.get("more_body", False) or size_bytes > _HEARD_OUT_BYTES:
                    break
    except TimeoutError:
        if not too_large:
            raise
    return None if too_large else bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body that was read, and after it what the server still has to say (that the client is gone)."""
    given = False

    async def receive_again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again
