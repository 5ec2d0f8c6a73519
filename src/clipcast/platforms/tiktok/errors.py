"""TikTok's error codes and fail reasons, as data: which of our errors each one is, and the sentence for the creator.

Three shapes arrive: `{"error": {"code", "message", "log_id"}}`, `{"error": "code", "error_description": ...}`, and anything that is
not JSON (a gateway's page, an empty body). All are understood. A code that is not in the tables falls to the HTTP status.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from clipcast.errors import (
    PlatformError,
    ProtocolError,
    ReconnectRequired,
    Rejected,
    Throttled,
    TokenExpired,
    Unavailable,
)
from clipcast.platforms.base import Answer, JsonValue
from clipcast.platforms.tiktok.limits import CAP_WAIT_S

RAW_CHARS: Final = 2000
#: No more is searched for secrets, so that a hostile megabyte costs nothing; ten times what is kept.
SEARCHED_CHARS: Final = 20_000
RETRY_AFTER_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one code means for us: the kind of error, what to tell the creator, and how long to wait where waiting helps."""

    kind: type[PlatformError]
    sentence: str
    retry_after_s: float = RETRY_AFTER_S


_POST_CAP = Meaning(
    Throttled,
    "This TikTok account has reached its daily number of posts through apps; the post will be tried again as the 24 hours pass.",
    CAP_WAIT_S,
)
_BANNED = Meaning(Rejected, "TikTok has banned this creator from posting; its owner has to settle that with TikTok.")
_INVALID = Meaning(Rejected, "TikTok did not accept a field of the request; its own message says which.")
_FORMAT = "TikTok does not support this file's format; use MP4 with H.264 and AAC for video, JPEG or WebP for images."
_PULL = "TikTok could not download the {what}; check that PUBLIC_URL is reachable from the internet, over https and without redirects."

# https://developers.tiktok.com/doc/tiktok-api-v2-error-handling, /doc/content-posting-api-reference-direct-post, -photo-post,
# -upload-video, -query-creator-info and -get-video-status (read 2026-09-11; the last two are undated copies)
CODES: Final[Mapping[str, Meaning]] = {
    "access_token_invalid": Meaning(TokenExpired, "TikTok no longer accepts this account's access token; it will be renewed."),
    "scope_not_authorized": Meaning(
        ReconnectRequired, "This TikTok account has not granted a permission this post needs; connect it again and allow everything."
    ),
    "scope_permission_missed": Meaning(
        ReconnectRequired, "Some of what was asked needs more permissions; connect the TikTok account again and allow everything."
    ),
    "invalid_param": _INVALID,  # the documentation's spelling
    "invalid_params": _INVALID,  # the live API's spelling
    "invalid_file_upload": Meaning(Rejected, "TikTok did not accept the file; check its format, size and length."),
    "app_version_check_failed": Meaning(
        Rejected, "The creator's TikTok app is too old to receive photo drafts; update it to version 31.8 or later."
    ),
    "spam_risk_too_many_posts": _POST_CAP,
    "spam_risk_user_banned_from_posting": _BANNED,
    "spam_risk_too_many_pending_share": Meaning(
        Throttled,
        "Five drafts of the last 24 hours are still unfinished; finish or delete drafts in the TikTok app, then the post goes on.",
        CAP_WAIT_S,
    ),
    "reached_active_user_cap": Meaning(
        Throttled, "The TikTok app has reached its number of posting creators for today; the post will be tried again.", CAP_WAIT_S
    ),
    "unaudited_client_can_only_post_to_private_accounts": Meaning(
        Rejected,
        "TikTok has not audited this app yet: set the TikTok account itself to private and choose the privacy 'private', "
        "or let the app pass TikTok's audit.",
    ),
    "url_ownership_unverified": Meaning(
        Rejected, "TikTok has not verified the domain of PUBLIC_URL for this app; verify it under 'URL properties' in TikTok's portal."
    ),
    "privacy_level_option_mismatch": Meaning(
        Rejected, "The account does not offer the chosen privacy right now; choose one of the levels its TikTok settings allow."
    ),
    "rate_limit_exceeded": Meaning(Throttled, "TikTok asks for fewer requests per minute; the post will go on shortly."),
    "internal_error": Meaning(Unavailable, "TikTok had an internal error; the post will be tried again."),
    "invalid_publish_id": Meaning(Rejected, "TikTok does not know this post's publish_id (any more)."),
    "token_not_authorized_for_specified_publish_id": Meaning(
        ReconnectRequired, "This post was begun with another TikTok account; connect that same account again."
    ),
    "publish_not_cancellable": Meaning(Rejected, "TikTok is already past the point where this post could be cancelled."),
}

# https://developers.tiktok.com/doc/content-posting-api-reference-get-video-status (undated copy; same values seen 2026-09-30)
FAIL_REASONS: Final[Mapping[str, Meaning]] = {
    "file_format_check_failed": Meaning(Rejected, _FORMAT),
    "duration_check_failed": Meaning(Rejected, "The video is too long or too short for this creator; cut it and publish again."),
    "frame_rate_check_failed": Meaning(
        Rejected, "TikTok takes 23 to 60 frames per second; export the video with a constant 30 and publish again."
    ),
    "picture_size_check_failed": Meaning(
        Rejected,
        "The picture's size is out of range: videos from 360 to 4096 pixels per side, images at most 1080 on the shorter side. "
        "In a photo set one image is enough to fail all.",
    ),
    "internal": Meaning(Unavailable, "TikTok failed to process the post for reasons of its own; publish it again later."),
    "video_pull_failed": Meaning(Unavailable, _PULL.format(what="video")),
    "photo_pull_failed": Meaning(Unavailable, _PULL.format(what="photos")),
    "publish_cancelled": Meaning(Rejected, "The post was cancelled before TikTok published it."),
    "auth_removed": Meaning(ReconnectRequired, "The creator removed this app's access while TikTok worked; connect the account again."),
    "spam_risk_too_many_posts": _POST_CAP,
    "spam_risk_user_banned_from_posting": _BANNED,
    "spam_risk_text": Meaning(Rejected, "TikTok takes the caption for spam; reword it and publish again."),
    "spam_risk": Meaning(Rejected, "TikTok takes this post for spam and will not publish it; wait, then try with different content."),
}

_BY_STATUS: Final[Mapping[int, Meaning]] = {
    401: Meaning(TokenExpired, "TikTok did not accept this account's access token; it will be renewed."),
    408: Meaning(Unavailable, "TikTok did not get the request in time; it will be tried again."),
    429: Meaning(Throttled, "TikTok asks for fewer requests; the post will go on shortly."),
}
_REFUSED = Meaning(Rejected, "TikTok refused the request.")
_TROUBLE = Meaning(Unavailable, "TikTok is having trouble right now; the post will be tried again.")
_UNREADABLE = Meaning(ProtocolError, "TikTok's answer could not be understood; please report this with the log id.")

_SECRETS: Final = (
    (re.compile(r"(https?:(?:\\?/){2}[^\s\"'<>?\\]+(?:\\/[^\s\"'<>?\\]*)*)\?[^\s\"'<>]*"), r"\1?***"),
    (re.compile(r"\b(act|rft|clt)\.[\w.!*~%-]+"), r"\1.***"),
    (re.compile(r"(?i)(bearer\s+)[\w.!*~%+/=-]+"), r"\1***"),
    (
        re.compile(
            r"(?i)((?:access_token|refresh_token|client_secret|upload_token|code_verifier)\\?[\"']?\s*[:=]\s*\\?[\"']?)[^\"'\\&\s,}]+"
        ),
        r"\1***",
    ),
)


def without_secrets(text: str) -> str:
    """The text with tokens, client secrets and the queries of URLs (they carry `upload_token` and signatures) blanked out.

    >>> without_secrets('{"access_token":"act.abc!5236.s1","upload_url":"https://up.tiktokapis.com/upload?upload_id=1&upload_token=x"}')
    '{"access_token":"***","upload_url":"https://up.tiktokapis.com/upload?***"}'
    """
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


def kept(text: str) -> str:
    """What is kept of TikTok's words: without secrets, and at most 2,000 characters."""
    return without_secrets(text[:SEARCHED_CHARS])[:RAW_CHARS]


def words(answer: Answer) -> tuple[str, str, str]:
    """TikTok's own code, message and log id out of any answer; empty strings where it gave none.

    >>> words(Answer(400, body=b'{"error": "invalid_grant", "error_description": "expired", "log_id": "7"}'))
    ('invalid_grant', 'expired', '7')
    """
    body = answer.json()
    if not isinstance(body, dict):
        return "", "", answer.headers.get("x-tt-logid", "")
    error = body.get("error")
    if isinstance(error, str):
        described: JsonValue = {**body, "code": error, "message": body.get("error_description") or body.get("message")}
    else:
        described = error if isinstance(error, dict) else {**body, "code": ""}
    log_id = described.get("log_id") or described.get("logid") or answer.headers.get("x-tt-logid")
    return _text(described.get("code")), _text(described.get("message")), _text(log_id)


def _text(value: JsonValue) -> str:
    return kept(str(value)) if isinstance(value, str | int) else ""


def refusal(answer: Answer) -> PlatformError:
    """The error that a data endpoint's answer stands for, when its code is not `ok`."""
    code, message, _ = words(answer)
    if message == "invalid_publish_id":  # seen live: code `invalid_params`, and this as the message
        code = message
    return error(_meaning(code, answer.status), answer, code)


def upload_refusal(answer: Answer) -> PlatformError:
    """The error that an answer of the upload host stands for; it has a status and no body worth reading.

    Anything but trouble and throttling means that the chunk was sent in a way that can never pass: trying again would only loop.

    Source: https://developers.tiktok.com/doc/content-posting-api-media-transfer-guide (read 2026-09-11)
    """
    if answer.status in (429, 408) or answer.status >= 500:
        return error(_meaning("", answer.status), answer, f"upload_{answer.status}")
    meaning = Meaning(Rejected, f"TikTok's upload host did not accept how the video was sent (HTTP {answer.status}); please report this.")
    return error(meaning, answer, f"upload_{answer.status}")


def failure(reason: str, answer: Answer, meaning: Meaning | None = None) -> PlatformError:
    """The error that a post's `fail_reason` stands for, or `meaning` where the caller knows better; the post itself has failed."""
    named = f" ({kept(reason)})" if reason else " and gave no reason"
    unknown = Meaning(Rejected, f"TikTok could not publish this post{named}; change the post or try again later.")
    made = error(meaning or FAIL_REASONS.get(reason, unknown), answer, kept(reason) or "failed")
    made.post_failed = True
    return made


def unreadable(answer: Answer) -> PlatformError:
    """The error for an answer that says `ok` and lacks what it should hold."""
    return error(_UNREADABLE, answer, "unreadable_answer")


def error(meaning: Meaning, answer: Answer, code: str) -> PlatformError:
    """One of our errors with everything TikTok said, without its secrets."""
    _, message, log_id = words(answer)
    made = meaning.kind(
        sentence=_sentence(meaning, code, message),
        platform="tiktok",
        platform_code=code,
        platform_message=message,
        http_status=answer.status,
        log_id=log_id,
        raw=kept(answer.body[: 4 * SEARCHED_CHARS].decode("utf-8", "replace")),
    )
    if isinstance(made, Throttled):
        made.retry_after_s = _retry_after_s(answer) or meaning.retry_after_s
    return made


def _meaning(code: str, status: int) -> Meaning:
    """By TikTok's code, else by HTTP status; an unknown code under HTTP 200 proves nothing either way."""
    if code in CODES:
        return CODES[code]
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status >= 500:
        return _TROUBLE
    return _REFUSED if 400 <= status < 500 else _UNREADABLE


def _sentence(meaning: Meaning, code: str, message: str) -> str:
    """The sentence, with TikTok's own words where ours are too general to act upon."""
    if meaning not in (_INVALID, _REFUSED):
        return meaning.sentence
    said = ": ".join(part for part in (code, message) if part)
    return f"{meaning.sentence} TikTok said: {said}" if said else meaning.sentence


def _retry_after_s(answer: Answer) -> float | None:
    """`Retry-After` in seconds; its date form, which TikTok has never been seen to send, counts as absent."""
    value = answer.headers.get("retry-after", "").strip()
    return float(value) if value.isascii() and value.isdigit() else None
