"""An upload as it arrives: multipart/form-data taken apart block by block, the file straight to the disk."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from fastapi.exceptions import RequestValidationError
from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from clipcast.clips.ingest import Library
from clipcast.clips.models import Clip
from clipcast.clips.storage import IncomingFile

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MAX_FIELD_BYTES: Final = 16_384
MAX_PARTS: Final = 200


def malformed(field: str, sentence: str) -> RequestValidationError:
    """The body is not what this endpoint takes: status 422."""
    return RequestValidationError([{"type": "value_error", "loc": ("body", field), "msg": sentence, "input": None}])


class MultipartUpload:
    """Takes the blocks of one request's body. Its work is on files: call it in a thread, one call at a time, and `discard` at the end."""

    def __init__(self, content_type: str, receive: Callable[[], IncomingFile]) -> None:
        _, options = parse_options_header(content_type)
        try:
            self._parser = MultipartParser(options.get(b"boundary", b""), self._callbacks())
        except FormParserError as error:
            raise malformed("file", "The multipart boundary is missing or unusable.") from error
        self._receive = receive
        self._file: IncomingFile | None = None
        self._file_name = ""
        self._fields: list[tuple[str, bytearray]] = []
        self._parts = 0
        self._in_file = False
        self._whole = False
        self._header = (bytearray(), bytearray())
        self._disposition = b""

    def feed(self, block: bytes) -> None:
        """Take the next bytes of the body.

        Raises:
            RequestValidationError: this is not multipart/form-data as the endpoint takes it.
            TooLarge, Busy: as `IncomingFile.write`.
        """
        try:
            self._parser.write(block)
        except FormParserError as error:
            raise malformed("file", "The multipart body is malformed.") from error

    def finish(self, library: Library) -> Clip:
        """Make a clip of what was uploaded, now that the body has ended.

        Raises:
            RequestValidationError: the body stopped early, or held no `file`.
        """
        if not self._whole:
            raise malformed("file", "The multipart body stops in the middle.")
        if self._file is None:
            raise malformed("file", "There is no field named `file` that holds a file.")
        sources = [field.decode("utf-8", "replace").strip() for name, field in self._fields if name == "slideshow_of"]
        return library.take(self._file, self._file_name, slideshow_of=[source for source in sources if source])

    def discard(self) -> None:
        """Delete what did not become a clip."""
        if self._file is not None:
            self._file.discard()

    def _callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._part_begins,
            "on_header_field": lambda block, start, end: self._header[0].extend(block[start:end]),
            "on_header_value": lambda block, start, end: self._header[1].extend(block[start:end]),
            "on_header_end": self._header_ends,
            "on_headers_finished": self._headers_end,
            "on_part_data": self._part_goes_on,
            "on_end": self._body_ends,
        }

    def _part_begins(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise malformed("file", f"The multipart body has more than {MAX_PARTS} parts.")
        self._disposition = b""

    def _header_ends(self) -> None:
        name, value = self._header
        if bytes(name).lower() == b"content-disposition":
            self._disposition = bytes(value)
        self._header = (bytearray(), bytearray())

    def _headers_end(self) -> None:
        _, options = parse_options_header(self._disposition)
        name = options.get(b"name", b"").decode("utf-8", "replace")
        self._in_file = name == "file"
        if not self._in_file:
            self._fields.append((name, bytearray()))
        elif self._file is not None:
            raise malformed("file", "One file makes one clip; send the others in requests of their own.")
        else:
            self._file = self._receive()
            self._file_name = options.get(b"filename", b"").decode("utf-8", "replace")

    def _part_goes_on(self, block: bytes, start: int, end: int) -> None:
        if self._in_file and self._file is not None:
            self._file.write(block[start:end])
            return
        name, field = self._fields[-1]
        field.extend(block[start:end])
        if len(field) > MAX_FIELD_BYTES:
            raise malformed(name[:40], f"This field is longer than {MAX_FIELD_BYTES} bytes.")

    def _body_ends(self) -> None:
        self._whole = True
