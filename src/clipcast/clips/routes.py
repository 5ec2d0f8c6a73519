"""Clips over HTTP: adding, listing, thumbnails, and the signed media links for platforms."""

from collections.abc import AsyncIterator, Generator
from typing import Annotated, Any, Final, Protocol, cast

from fastapi import APIRouter, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from clipcast.clips.ingest import Library
from clipcast.clips.links import Links
from clipcast.clips.media import Located, locate
from clipcast.clips.models import Clip
from clipcast.clips.ranges import Unsatisfiable, requested_range
from clipcast.clips.schemas import ClipByUrl, ClipOut, ClipPage
from clipcast.clips.storage import BLOCK_BYTES, Storage
from clipcast.clips.store import get_clip, list_clips
from clipcast.clips.upload import MultipartUpload, malformed
from clipcast.db.engine import Database
from clipcast.errors import NotFound, TooLarge
from clipcast.people.admission import PUBLIC, PUBLISHES, READS
from clipcast.turnstiles import turnstiles

MAX_JSON_BYTES: Final = 65_536
_MULTIPART_OVERHEAD: Final = 1 << 20  # what boundaries, headers and small fields may add to the file

router = APIRouter(prefix="/clips", tags=["clips"])
media_router = APIRouter(prefix="/media", tags=["media"])


class _Services(Protocol):
    """What these routes need of the application's state (`app.state.clipcast`)."""

    library: Library
    storage: Storage
    db: Database
    links: Links


def _services(request: Request) -> _Services:
    return cast("_Services", request.app.state.clipcast)


_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "slideshow_of": {"type": "array", "items": {"type": "string"}},
                    },
                }
            },
            "application/json": {"schema": ClipByUrl.model_json_schema()},
        },
    }
}


@router.post("", status_code=201, openapi_extra=_BODY, dependencies=[PUBLISHES])
async def add_clip(request: Request) -> ClipOut:
    """Add a video or an image: as the multipart field `file`, or as JSON `{"url": ...}` that is fetched.

    The same bytes are one clip, however often they come in. With `slideshow_of` (ids of images, the field repeated in multipart) a video is
    marked as their slideshow, and they are no longer published on their own.
    """
    content_type = request.headers.get("Content-Type", "")
    if content_type.lower().startswith("multipart/form-data"):
        return ClipOut.model_validate(await _upload(request, content_type))
    return ClipOut.model_validate(await _fetch(request))


async def _upload(request: Request, content_type: str) -> Clip:
    library = _services(request).library
    announced = request.headers.get("Content-Length", "")
    if announced.isdigit() and int(announced) > library.max_bytes + _MULTIPART_OVERHEAD:
        raise TooLarge(f"The file is larger than the {library.max_bytes:,} bytes that CLIPCAST_FETCH_MAX_BYTES allows.")
    upload = MultipartUpload(content_type, library.receive)
    try:
        async for block in _in_blocks(_pieces(request)):
            await run_in_threadpool(upload.feed, block)
        return await run_in_threadpool(upload.finish, library)
    finally:
        upload.discard()  # not in a thread: when the client is gone, this task is being cancelled and may not wait


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    try:
        async for piece in request.stream():
            yield piece
    except ClientDisconnect as error:
        raise malformed("file", "The client went away before the body was whole.") from error


async def _in_blocks(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces put together to a mebibyte or more, so that the thread is asked once for many of them."""
    block = bytearray()
    async for piece in pieces:
        block += piece
        if len(block) >= BLOCK_BYTES:
            yield bytes(block)
            block.clear()
    yield bytes(block)


async def _fetch(request: Request) -> Clip:
    body = bytearray()
    async for piece in _pieces(request):
        body += piece
        if len(body) > MAX_JSON_BYTES:
            raise TooLarge(f"The JSON body is longer than {MAX_JSON_BYTES:,} bytes.")
    try:
        wanted = ClipByUrl.model_validate_json(bytes(body))
    except ValidationError as error:
        raise _unreadable(error) from error
    async with turnstiles(request).fetching.passed():
        return await run_in_threadpool(_services(request).library.add_url, wanted.url, slideshow_of=wanted.slideshow_of)


def _unreadable(error: ValidationError) -> RequestValidationError:
    """Says what is wrong without quoting the input, which may hold a signed URL."""
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    if problems[0]["type"] == "json_invalid":
        return malformed("url", 'Send a file as multipart field `file`, or JSON such as {"url": "https://example.com/clip.mp4"}.')
    return RequestValidationError([{**problem, "loc": ("body", *problem["loc"])} for problem in problems])


@router.get("", dependencies=[READS])
def list_all(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=200, description="Clips per page.")] = 50,
    before: Annotated[str | None, Query(max_length=36, description="`next` of the page before.")] = None,
) -> ClipPage:
    """The clips, newest first."""
    with _services(request).db.reading() as session:
        found = list_clips(session, limit=limit + 1, before=before)
    page = found[:limit]
    return ClipPage(clips=[ClipOut.model_validate(clip) for clip in page], next=page[-1].id if len(found) > limit else None)


@router.get("/{clip_id}", dependencies=[READS])
def get_one(request: Request, clip_id: str) -> ClipOut:
    """One clip."""
    with _services(request).db.reading() as session:
        return ClipOut.model_validate(get_clip(session, clip_id))


@router.get("/{clip_id}/thumbnail", response_class=Response, responses={200: {"content": {"image/jpeg": {}}}}, dependencies=[READS])
def get_thumbnail(request: Request, clip_id: str) -> Response:
    """A JPEG of at most 480 pixels on its longer side."""
    services = _services(request)
    with services.db.reading() as session:
        key = get_clip(session, clip_id).thumbnail_key
    if key is None:
        raise NotFound("This clip has no thumbnail.")
    with services.storage.open(key) as file:
        headers = {"Cache-Control": "private, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
        return Response(file.read(), media_type="image/jpeg", headers=headers)


@media_router.head("/{signed}", response_class=Response, dependencies=[PUBLIC])
@media_router.get("/{signed}", response_class=Response, dependencies=[PUBLIC])
def get_media(request: Request, signed: str) -> Response:
    """The bytes behind a signed link, whole or one range of them; 404 once it has expired."""
    services = _services(request)
    with services.db.reading() as session:
        found = locate(session, services.links.verify(signed))
    size = services.storage.size(found.storage_key)
    headers = _media_headers(found)
    try:
        part = requested_range(_range_header(request, headers["ETag"]), size)
    except Unsatisfiable:
        return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{size}"})
    if part is not None:
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
    part, status = (range(size), 200) if part is None else (part, 206)
    headers |= {"Content-Length": str(len(part)), "Content-Type": found.content_type}
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    blocks = services.storage.read_range(found.storage_key, part.start, part.stop)
    return _Blocks(blocks, status, headers)


class _Blocks(StreamingResponse):
    """Streams blocks in the thread pool, and closes their file also when the client goes away before the last one."""

    def __init__(self, blocks: Generator[bytes, None, None], status: int, headers: dict[str, str]) -> None:
        super().__init__(blocks, status_code=status, headers=headers)
        self._blocks = blocks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._blocks.close()


def _media_headers(found: Located) -> dict[str, str]:
    return {
        "Accept-Ranges": "bytes",
        "ETag": f'"{found.sha256}"',
        "Cache-Control": "no-store",  # a cache would go on answering after the link has expired
        "Content-Disposition": "inline",
        "X-Content-Type-Options": "nosniff",
    }


def _range_header(request: Request, etag: str) -> str | None:
    """The `Range` header, unless `If-Range` says that the client holds part of another file (RFC 9110, section 13.1.5)."""
    condition = request.headers.get("If-Range")
    return request.headers.get("Range") if condition in {None, etag} else None
