"""Reading Instagram's refusals: three shapes of error, and pages that are none. Decided on (code, subcode), never on text.

    graph hosts   {"error": {"message", "type", "code", "error_subcode", "is_transient", "error_user_msg", "fbtrace_id"}}
    code exchange {"error_type", "code", "error_message"}
    upload host   {"debug_info": {"retriable", "type", "message"}}

Sources: https://developers.facebook.com/docs/graph-api/guides/error-handling, .../instagram-platform/content-publishing/resumable-uploads
and .../business-login (pages of 2026-03).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from clipcast.errors import PlatformError, ProtocolError, ReconnectRequired, Rejected, Throttled, TokenExpired, Unavailable
from clipcast.platforms.base import Answer, JsonValue
from clipcast.platforms.instagram.codes import Meaning, failed_meaning, known_meaning
from clipcast.platforms.instagram.limits import USAGE_PAUSE_PERCENT, USAGE_PAUSE_S

RAW_CHARS: Final = 2000
#: What is about the token as a whole, whatever was asked for with it.
ACCESS_CODES: Final = frozenset({102, 190})
#: No more is searched for secrets, so that a hostile megabyte costs nothing; ten times what is kept.
SEARCHED_CHARS: Final = 20_000

_TROUBLE = Meaning(Unavailable, "Instagram is having trouble right now; the post will be tried again.")
_REFUSED = Meaning(Rejected, "Instagram refused the request.", general=True)
_UNREADABLE = Meaning(ProtocolError, "Instagram's answer could not be understood; please report this with the trace id.")
_CALLS = Meaning(Throttled, "Instagram asks for fewer requests; the post goes on when the limit allows.")
_TOKEN = Meaning(TokenExpired, "Instagram did not accept this account's access token; it will be renewed.")
_UPLOAD_REFUSED = Meaning(Unavailable, "Instagram did not take the uploaded video; check the file, then publish again.", renewals=1)
_AGAIN = "Instagram calls this trouble of its own that passes; the post will be tried again."

_SUBCODE: Final = re.compile(r"\b22\d{5}\b")
_SECRETS: Final = (
    (re.compile(r"(https?:(?:\\?/){2}[^\s\"'<>?\\]+(?:\\/[^\s\"'<>?\\]*)*)\?[^\s\"'<>]*"), r"\1?***"),
    (re.compile(r"(/media\\?/)[^\s\"'?#/<>\\]{16,}"), r"\1***"),
    (re.compile(r"\b(IG[A-Z]{1,3}|EAA)[A-Za-z0-9_-]{12,}"), r"\1***"),
    (re.compile(r"(?i)\b((?:bearer|oauth)\s+)[\w.!*~%+/=|-]{8,}"), r"\1***"),
    (
        re.compile(
            r"(?i)((?:access_token|client_secret|app_secret|appsecret_proof|fb_exchange_token|input_token)\\?[\"']?\s*[:=]\s*\\?[\"']?)"
            r"[^\"'\\&\s,}]+"
        ),
        r"\1***",
    ),
)


def without_secrets(text: str) -> str:
    """The text with tokens, app secrets, the queries of URLs and our signed media links blanked out.

    >>> without_secrets('{"access_token":"IGAAabcdefghijklmnop","url":"https://clips.example.com/media/x.jpg?sig=1"}')
    '{"access_token":"***","url":"https://clips.example.com/media/x.jpg?***"}'
    """
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


def kept(text: str) -> str:
    """What is kept of Instagram's words: without secrets, and at most 2,000 characters."""
    return without_secrets(text[:SEARCHED_CHARS])[:RAW_CHARS]


@dataclass(frozen=True, slots=True)
class Words:
    """What an answer says in its own words. `said` is meant for people and comes in the account's language."""

    code: int | None = None
    subcode: int | None = None
    kind: str = ""
    message: str = ""
    said: str = ""
    log_id: str = ""
    transient: bool = False
    is_error: bool = False

    @property
    def number(self) -> str:
        """The code and subcode as people look them up.

        >>> Words(code=9, subcode=2207042).number
        '9/2207042'
        """
        return "/".join(str(part) for part in (self.code, self.subcode) if part is not None) or self.kind


def words(answer: Answer) -> Words:
    """Instagram's own words out of any answer, whichever of the three shapes it has.

    >>> words(Answer(400, body=b'{"error": {"message": "No", "code": 100, "error_subcode": 33, "fbtrace_id": "A"}}')).number
    '100/33'
    """
    body, log_id = answer.json(), _text(answer.headers.get("x-fb-trace-id"))
    if not isinstance(body, dict):
        return Words(log_id=log_id)
    if isinstance(error := body.get("error"), dict):
        return _graph_words(error, log_id)
    if isinstance(debug := body.get("debug_info"), dict):
        return Words(
            kind=_text(debug.get("type")),
            message=_text(debug.get("message")),
            log_id=log_id,
            transient=debug.get("retriable") is True,
            is_error=True,
        )
    if "error_type" in body or "error_message" in body:
        kind, message = _text(body.get("error_type")), _text(body.get("error_message"))
        return Words(code=_number(body.get("code")), kind=kind, message=message, log_id=log_id, is_error=True)
    return Words(log_id=log_id, message=_text(body.get("message")), is_error="error" in body)


def _graph_words(error: Mapping[str, Any], log_id: str) -> Words:
    return Words(
        code=_number(error.get("code")),
        subcode=_number(error.get("error_subcode")) or None,
        kind=_text(error.get("type")),
        message=_text(error.get("message")),
        said=_text(error.get("error_user_msg") or error.get("error_user_title")),
        log_id=_text(error.get("fbtrace_id")) or log_id,
        transient=error.get("is_transient") is True,
        is_error=True,
    )


def _text(value: JsonValue) -> str:
    return kept(str(value)) if isinstance(value, str | int) else ""


def _number(value: JsonValue) -> int | None:
    """A number, also one that came as text; `True` is none."""
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,12}", value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def is_yes(answer: Answer) -> bool:
    """Whether this is a 200 with a JSON object that is no error."""
    return answer.status == 200 and isinstance(answer.json(), dict) and not words(answer).is_error


def meaning_of(answer: Answer) -> Meaning:
    """What an answer that is not a yes means: by its codes, else by its HTTP status. `is_transient` softens what we would take as final."""
    said = words(answer)
    known = known_meaning(said.code, said.subcode) if said.is_error else None
    meaning = known or _by_status(answer, said)
    if said.transient and meaning.kind is Rejected and not meaning.lasting:
        return Meaning(Unavailable, _AGAIN)
    return meaning


def _by_status(answer: Answer, said: Words) -> Meaning:
    """Nearly any error can also come as a gateway's page or as nothing at all: those pass."""
    if answer.status == 429:
        return _CALLS
    if answer.status >= 500 or answer.status == 408:
        return _TROUBLE
    if answer.status < 400 and not said.is_error:
        return _UNREADABLE
    if answer.json() is None:
        return _TROUBLE
    return _TOKEN if answer.status == 401 else _REFUSED


def refusal(answer: Answer) -> PlatformError:
    """The error that a graph host's answer stands for, when it is not a yes."""
    return error(meaning_of(answer), answer)


def upload_meaning(answer: Answer) -> Meaning | None:
    """What an answer of the upload host means; None when the upload goes on where Instagram stands.

    Only `retriable`, a status that names a wrong or a short position, and trouble on the way allow that.

    Source: .../content-publishing/resumable-uploads (page of 2026-03-15); 206 and 412 are the host's answers to Meta's own Mapillary tools.
    """
    said = words(answer)
    if said.code is not None:
        return meaning_of(answer)
    if said.transient or answer.status in (206, 408, 412, 429) or answer.status >= 500 or answer.json() is None:
        return None
    if answer.status == 401:
        return _TOKEN
    return _UPLOAD_REFUSED if said.is_error or answer.status >= 400 else None


def subcode_of(status: str) -> int | None:
    """The subcode in a failed container's `status`, which is text with a number in it, or the number alone.

    >>> subcode_of("Error: Media upload has failed with error code 2207082")
    2207082
    """
    found = _SUBCODE.search(status)
    return int(found.group()) if found else None


def final(meaning: Meaning, answer: Answer) -> PlatformError:
    """The error once trying again has not helped: it is the creator's turn, and nothing of the post is visible."""
    made = error(replace(meaning, kind=Rejected), answer)
    made.post_failed = True
    return made


def failure(status: str, answer: Answer) -> PlatformError:
    """The error that a container's `ERROR` stands for when no new container is made: the post itself has failed."""
    subcode = subcode_of(status)
    made = final(failed_meaning(subcode), answer)
    made.platform_code = str(subcode) if subcode else "container_error"
    made.platform_message = made.platform_message or kept(status)
    return made


def unreadable(answer: Answer) -> PlatformError:
    """The error for an answer that looks like a yes and lacks what it should hold."""
    made = error(_UNREADABLE, answer)
    made.platform_code = "unreadable_answer"
    return made


def error(meaning: Meaning, answer: Answer) -> PlatformError:
    """One of our errors with everything Instagram said, without its secrets."""
    said = words(answer)
    made = meaning.kind(
        sentence=_sentence(meaning, said),
        platform="instagram",
        platform_code=said.number or f"http_{answer.status}",
        platform_message=said.message,
        http_status=answer.status,
        log_id=said.log_id,
        raw=kept(answer.body[: 4 * SEARCHED_CHARS].decode("utf-8", "replace")),
    )
    if isinstance(made, ReconnectRequired):
        made.access_gone = said.code in ACCESS_CODES
    if isinstance(made, Throttled):
        made.retry_after_s = _retry_after_s(answer) or meaning.retry_after_s
    return made


def _sentence(meaning: Meaning, said: Words) -> str:
    """The sentence, with Instagram's own words where ours are too general to act upon."""
    own = said.said or said.message
    if not meaning.general or not own:
        return meaning.sentence
    return (
        f"{meaning.sentence} Instagram said: {own.rstrip('.')} ({said.number})."
        if said.number
        else f"{meaning.sentence} Instagram said: {own}"
    )


def is_for_the_owner(error: PlatformError) -> bool:
    """Whether asking again is useless before somebody renews or restores the access."""
    return isinstance(error, TokenExpired | ReconnectRequired)


def says_gone(answer: Answer) -> bool:
    """Whether Instagram says that it does not know the object: true for what is gone, and seen for what is only seconds old."""
    said = words(answer)
    return said.code == 24 or (said.code, said.subcode) == (100, 33)


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of the call budget is used, in percent, and after how many seconds it is said to be free again."""

    percent: float = 0
    regain_s: float = 0

    @property
    def pause_s(self) -> float:
        """How long to pause before the next call; 0 below 90 %."""
        return max(self.regain_s, USAGE_PAUSE_S) if self.percent >= USAGE_PAUSE_PERCENT else 0


def usage(answer: Answer) -> Usage:
    """What the usage headers say; they are JSON, appear only after many calls, and count in percent and minutes.

    Source: https://developers.facebook.com/docs/graph-api/overview/rate-limiting (undated copy)

    >>> usage(Answer(200, {"x-app-usage": '{"call_count": 91, "total_time": 5, "total_cputime": 5}'}))
    Usage(percent=91, regain_s=0)
    """
    rows = [_json(answer.headers.get("x-app-usage"))]
    for group in _values(_json(answer.headers.get("x-business-use-case-usage"))):
        rows += group if isinstance(group, list) else []
    known = [row for row in rows if isinstance(row, dict)]
    percents = [_size(row.get(name)) for row in known for name in ("call_count", "total_time", "total_cputime")]
    regains = [60 * _size(row.get("estimated_time_to_regain_access")) for row in known]
    return Usage(max(percents, default=0), min(max(regains, default=0), 86_400))


def _retry_after_s(answer: Answer) -> float | None:
    """The minutes of the usage header, else `Retry-After` in seconds; None when neither says."""
    value = answer.headers.get("retry-after", "").strip()
    told = float(value) if value.isascii() and value.isdigit() else None
    return usage(answer).regain_s or told


def _json(text: str | None) -> JsonValue:
    try:
        return json.loads(text or "null")
    except ValueError:
        return None


def _values(tree: JsonValue) -> list[JsonValue]:
    return list(tree.values()) if isinstance(tree, dict) else []


def _size(value: JsonValue) -> float:
    return value if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e9 else 0
