"""Structured logs: events with stable dotted names, as text for people or as JSON for machines, never with a secret.

    log = get_logger(__name__)
    log.info("publication.published", publication_id=publication.id, duration_s=12.3)

Callers pass no secrets. `redact` and the processor built on it are the last line of defence for when a library or an exception's text
carries one anyway.
"""

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, Final, TextIO

import structlog
from structlog.stdlib import BoundLogger, ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger

from clipcast.concealed import MASK, Concealed
from clipcast.settings import Settings

#: Names under which a secret travels, as a key of a mapping, of a form or of a query string.
_SECRET_NAME: Final = re.compile(
    r"authorization|cookie|password|passwd|secret|signature|^credentials?$|api_?key|client_key|(access|refresh|id|upload|page|bearer|session)_?token|"
    r"^(token|sig|key|code|code_verifier|state)$",
    re.IGNORECASE,
)
#: Keys that look like a secret's and are none: they name one, or say that one is there.
_HARMLESS: Final = frozenset({"code", "state", "key"})

#: What structlog keeps in an event for itself until the line is written.
_STRUCTLOGS_OWN: Final = ("_record", "_from_structlog")

_SECRET_TEXT: Final = (
    # TikTok's access, refresh and app tokens, Google's, Meta's: known by how they begin.
    (re.compile(r"\b(?:act|rft|clt)\.[\w.!~*%-]{8,}"), MASK),
    (re.compile(r"\bya29\.[\w-]{8,}|\b1//0[\w-]{8,}|\bEAA[A-Za-z0-9]{20,}|\bIG[A-Z]{1,4}[A-Za-z0-9_-]{40,}"), MASK),
    (re.compile(r"(\b(?:bearer|basic|oauth))\s+[\w.~+/!*%=-]{8,}", re.IGNORECASE), rf"\1 {MASK}"),
    # name=value and "name": "value", in URLs, forms, JSON bodies and printed dictionaries.
    (
        re.compile(
            r"((?:upload_token|access_token|refresh_token|id_token|client_secret|client_key|app_secret|appsecret_proof|code_verifier|"
            r"fb_exchange_token|input_token|x-amz-signature|x-amz-credential|x-amz-security-token|signature|sig)"
            r"[\"']?\s*[=:]\s*[\"']?)[^\s\"'&,;}\])]+",
            re.IGNORECASE,
        ),
        rf"\1{MASK}",
    ),
    # A sentence may say "password:" and go on; a dump puts quotes around it, or nothing between it and its value.
    (re.compile(r"(password(?:[\"']\s*[=:]\s*|\s*=\s*|:(?=\S))[\"']?)[^\s\"'&,;}\])]+", re.IGNORECASE), rf"\1{MASK}"),
    (re.compile(r"([?&](?:code|state|token|key)=|\bcode=(?=[^\s&]+&))[^\s\"'&]+", re.IGNORECASE), rf"\1{MASK}"),
    # Our own API keys.
    (re.compile(r"\bclipcast_[\w-]{20,}"), MASK),
    # Our signed media links: the path itself is the permission. And a password in a URL.
    # It ends with a signature, and not as a file's name does: disks are mounted under /media, too.
    (re.compile(r"(/media/)[\w.~-]{16,}\.[\w~-]{16,}(?![\w.~-])"), rf"\1{MASK}"),
    (re.compile(r"(\w://[^\s:/@]*):[^\s/@]+@"), rf"\1:{MASK}@"),
)


def redact(text: str) -> str:
    """The text with everything that has the shape of a secret replaced by `***`.

    >>> redact("PUT https://open-upload.tiktokapis.com/upload?upload_id=73&upload_token=ab-12 failed")
    'PUT https://open-upload.tiktokapis.com/upload?upload_id=73&upload_token=*** failed'
    """
    for pattern, replacement in _SECRET_TEXT:
        text = pattern.sub(replacement, text)
    return text


def redacted(value: Any) -> Any:
    """The same value with secrets masked, by key and by shape, however deep they lie."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, bytes):
        return redact(value.decode(errors="replace"))
    if isinstance(value, Mapping):
        hidden = isinstance(value, Concealed)
        return {key: MASK if hidden or _is_secret(str(key), item) else redacted(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redacted(item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return redact(str(value))


def _is_secret(key: str, value: object) -> bool:
    if value is None or isinstance(value, bool) or key.lower() in _HARMLESS:
        return False
    return isinstance(value, str | bytes | Mapping) and bool(_SECRET_NAME.search(key)) and bool(value)


def configure(settings: Settings, stream: TextIO | None = None) -> None:
    """Set up all logging of this process, ours and the libraries', on standard error by default. Called once, at an entry point."""
    stream = stream or sys.stderr
    as_json = settings.log_format == "json" or (settings.log_format == "auto" and not stream.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        _mask_secrets,
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, ProcessorFormatter.wrap_for_formatter],
        wrapper_class=BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(ProcessorFormatter(foreign_pre_chain=shared, processors=_last(as_json=as_json, colors=stream.isatty())))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level.upper())
    _adopt_libraries()


def hand_over() -> None:
    """Give our events to Python's `logging`, as a library should: the program's handlers decide. Leaves structlog be if it is set up."""
    if structlog.is_configured():
        return
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            structlog.processors.format_exc_info,
            _mask_secrets,
            structlog.processors.KeyValueRenderer(key_order=["event"]),
        ],
        wrapper_class=BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def get_logger(name: str) -> BoundLogger:
    """The logger of one module."""
    logger: BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def _mask_secrets(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    own = {name: event[name] for name in _STRUCTLOGS_OWN if name in event}
    masked: EventDict = redacted({name: value for name, value in event.items() if name not in own})
    return {**masked, **own}


def _last(*, as_json: bool, colors: bool) -> list[Processor]:
    """What turns an event into a line."""
    if as_json:
        return [ProcessorFormatter.remove_processors_meta, structlog.processors.JSONRenderer(ensure_ascii=False)]
    return [ProcessorFormatter.remove_processors_meta, structlog.dev.ConsoleRenderer(colors=colors, pad_event_to=0)]


def _adopt_libraries() -> None:
    """Let the libraries' records reach our handler; what they say below WARNING is of no use to whoever runs Clipcast."""
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "urllib3", "alembic", "sqlalchemy", "filelock"):
        library = logging.getLogger(name)
        library.handlers = []
        library.propagate = True
        library.setLevel(logging.INFO if name in {"uvicorn", "uvicorn.error"} else logging.WARNING)
    logging.captureWarnings(capture=True)
