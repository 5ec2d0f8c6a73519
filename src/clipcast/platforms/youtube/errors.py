"""YouTube's answers that are not a yes, turned into our errors; `reasons.py` holds what each reason means.

Four shapes arrive: `{"error": {"code", "message", "errors": [{"reason", "domain"}], "details": [...]}}`, the OAuth endpoints'
`{"error": "code", "error_description"}`, plain text or HTML from the upload host, and nothing at all. All are understood. A reason that is
not in the tables falls to the HTTP status.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from typing import Final

from clipcast.errors import PlatformError, ProtocolError, ReconnectRequired, Rejected, Throttled, Unavailable
from clipcast.platforms.base import Answer, JsonValue
from clipcast.platforms.youtube import limits, reasons
from clipcast.platforms.youtube.quota import seconds_until_reset
from clipcast.platforms.youtube.reasons import Meaning

RAW_CHARS: Final = 2000
#: No more is searched for secrets, so that a hostile megabyte costs nothing; ten times what is kept.
SEARCHED_CHARS: Final = 20_000
_ENTRIES: Final = 20

_REFUSED = Meaning(Rejected, "YouTube refused the request.")
_UNREADABLE = Meaning(ProtocolError, "YouTube's answer could not be understood; please report this.")

_SECRETS: Final = (
    (re.compile(r"(https?:(?:\\?/){2}[^\s\"'<>?\\]+(?:\\/[^\s\"'<>?\\]*)*)\?[^\s\"'<>]*"), r"\1?***"),
    (re.compile(r"\bya29\.[\w.-]+"), "ya29.***"),
    (re.compile(r"\b1//[\w.-]+"), "1//***"),
    (re.compile(r"\bGOCSPX-[\w-]+"), "GOCSPX-***"),
    (re.compile(r"(?i)(bearer\s+)[\w.!*~%+/-]+"), r"\1***"),
    (
        re.compile(
            r"(?i)((?:access_token|refresh_token|id_token|client_secret|upload_id|code_verifier)\\{0,4}[\"']?\s*[:=]\s*\\{0,4}[\"']?)[^\"'\\&\s,}]+"
        ),
        r"\1***",
    ),
)
_TAG: Final = re.compile(r"<[^<>]{0,500}>")


@dataclass(frozen=True, slots=True)
class Words:
    """What YouTube said: its reasons with their domains, and its message as plain text."""

    reasons: tuple[tuple[str, str], ...] = ()
    message: str = ""

    @property
    def reason(self) -> str:
        """The first reason, or nothing."""
        return self.reasons[0][0] if self.reasons else ""


def without_secrets(text: str) -> str:
    """The text with tokens, client secrets and the queries of URLs (session URIs carry `upload_id`) blanked out.

    >>> without_secrets('{"access_token":"ya29.a0Af","uri":"https://www.googleapis.com/upload/youtube/v3/videos?upload_id=ABC"}')
    '{"access_token":"***","uri":"https://www.googleapis.com/upload/youtube/v3/videos?***"}'
    """
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


def kept(text: str) -> str:
    """What is kept of YouTube's words: without secrets, and at most 2,000 characters."""
    return without_secrets(text[:SEARCHED_CHARS])[:RAW_CHARS]


def words(answer: Answer) -> Words:
    """YouTube's own reasons and message out of any answer.

    >>> words(Answer(400, body=b'{"error": "invalid_grant", "error_description": "Token has been expired or revoked."}'))
    Words(reasons=(('invalid_grant', ''),), message='Token has been expired or revoked.')
    """
    body = answer.json()
    if not isinstance(body, dict):
        return Words(tuple(_scope_reasons(answer)))
    error = body.get("error") or body.get("error_code")
    if isinstance(error, str):
        return Words(((_text(error), ""),), _text(body.get("error_description")))
    if not isinstance(error, dict):
        return Words(tuple(_scope_reasons(answer)))
    return Words((*_scope_reasons(answer), *_api_reasons(error)), _text(error.get("message")))


def refusal(answer: Answer, now: datetime) -> PlatformError:
    """The error that an answer stands for, when it is not a yes."""
    reason, meaning = _meant(words(answer), answer.status)
    return error(meaning, answer, reason, now)


def trouble(answer: Answer, now: datetime) -> PlatformError:
    """The error for an upload host's passing trouble: whatever its body says, what it stored has to be asked for."""
    return error(Meaning(Unavailable, reasons.TROUBLE.sentence), answer, words(answer).reason or f"upload_{answer.status}", now)


def upload_refusal(answer: Answer, now: datetime) -> PlatformError:
    """The error for a chunk that the upload host keeps refusing although its session lives."""
    meaning = Meaning(Rejected, f"YouTube's upload host keeps refusing the video's bytes (HTTP {answer.status}); please report this.")
    return error(meaning, answer, words(answer).reason or f"upload_{answer.status}", now)


def failure(code: str, sentence: str, answer: Answer, now: datetime) -> PlatformError:
    """The error for a video that YouTube itself says has failed: nothing of it is or will become visible."""
    made = error(Meaning(Rejected, sentence), answer, kept(code), now)
    made.post_failed = True
    return made


def unreadable(answer: Answer, now: datetime) -> PlatformError:
    """The error for an answer that says yes and lacks what it should hold."""
    return error(_UNREADABLE, answer, "unreadable_answer", now)


def error(meaning: Meaning, answer: Answer, code: str, now: datetime) -> PlatformError:
    """One of our errors with everything YouTube said, without its secrets."""
    said = words(answer)
    made = meaning.kind(
        sentence=_sentence(meaning, said),
        platform="youtube",
        platform_code=code,
        platform_message=said.message,
        http_status=answer.status,
        raw=kept(answer.body[: 4 * SEARCHED_CHARS].decode("utf-8", "replace")),
    )
    if isinstance(made, Throttled):
        made.retry_after_s = _wait_s(meaning, answer, now)
    return made


def retry_after_s(answer: Answer) -> float | None:
    """`Retry-After` in seconds, at most a day; its date form, which these hosts have not been seen to send, counts as absent."""
    value = answer.headers.get("retry-after", "").strip()
    if not (value.isascii() and value.isdigit()):
        return None
    return min(float(value[:9]), limits.LONGEST_RETRY_AFTER_S)


def _meant(said: Words, status: int) -> tuple[str, Meaning]:
    """What the answer comes down to: of all its reasons a missing permission, else the first we know; without one, the HTTP status."""
    if (
        status in (403, 429)
        and "per day" in said.message
        and (not said.reasons or any(reason in reasons.LIMITS for reason, _ in said.reasons))
    ):
        return said.reason, reasons.PER_DAY
    known = [(reason, meaning) for reason, domain in said.reasons if (meaning := _known(reason, domain, status))]
    known.sort(key=lambda each: each[1].kind is not ReconnectRequired)
    return known[0] if known else (said.reason, _by_status(status))


def _known(reason: str, domain: str, status: int) -> Meaning | None:
    return reasons.IN_DOMAIN.get((domain, reason)) or reasons.UNDER_STATUS.get((status, reason)) or reasons.REASONS.get(reason)


def _by_status(status: int) -> Meaning:
    if status in reasons.BY_STATUS:
        return reasons.BY_STATUS[status]
    if status >= 500:
        return reasons.TROUBLE
    return _REFUSED if 400 <= status < 500 else _UNREADABLE


def _wait_s(meaning: Meaning, answer: Answer, now: datetime) -> float:
    match meaning.until:
        case "midnight":
            return seconds_until_reset(now)
        case "a day":
            return limits.CHANNEL_CAP_WAIT_S
        case "soon":
            return retry_after_s(answer) or limits.RETRY_AFTER_S


def _sentence(meaning: Meaning, said: Words) -> str:
    """The sentence, with YouTube's own words where ours are too general to act upon."""
    if meaning not in (_REFUSED, *reasons.GENERAL):
        return meaning.sentence
    own = ": ".join(part for part in (said.reason, said.message) if part)
    return f"{meaning.sentence} YouTube said: {own}" if own else meaning.sentence


def _api_reasons(error: Mapping[str, JsonValue]) -> Iterator[tuple[str, str]]:
    """From the classic list, the newer details, and at last the status word."""
    for entry in _objects(error.get("errors")):
        if reason := _text(entry.get("reason")):
            yield reason, _text(entry.get("domain"))
    for entry in _objects(error.get("details")):
        if reason := _text(entry.get("reason")):
            yield reason, _text(entry.get("domain"))
    if error.get("status") == "ALREADY_EXISTS":
        yield "ALREADY_EXISTS", ""


def _scope_reasons(answer: Answer) -> Iterable[tuple[str, str]]:
    """The header that says the permission is missing, whatever the body looks like."""
    challenge = answer.headers.get("www-authenticate", "")
    return [("insufficientPermissions", "")] if answer.status == 403 and "insufficient_scope" in challenge else []


def _objects(value: JsonValue) -> list[Mapping[str, JsonValue]]:
    return [entry for entry in value[:_ENTRIES] if isinstance(entry, dict)] if isinstance(value, list) else []


def _text(value: JsonValue) -> str:
    """A text as people read it: messages come with HTML in them."""
    return kept(unescape(_TAG.sub("", value[:SEARCHED_CHARS]))) if isinstance(value, str) else ""
