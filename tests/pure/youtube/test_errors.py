"""Every reason of YouTube's, every shape of answer, and nothing secret in any of it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipcast.errors import (
    ClipcastError,
    PlatformError,
    ProtocolError,
    ReconnectRequired,
    Rejected,
    Throttled,
    TokenExpired,
    Unavailable,
)
from clipcast.platforms.base import Answer
from clipcast.platforms.youtube import errors
from clipcast.platforms.youtube.quota import next_reset, seconds_until_reset
from clipcast.platforms.youtube.reasons import FAILURES, REASONS, REJECTIONS
from pure.youtube.orders import NOW, answer, refused

DAY_S = 86_400.0
MIDNIGHT_S = 20 * 3600 + 60.0  # from NOW, noon UTC in winter, to 08:00 UTC, and a minute
PER_DAY = (
    "Quota exceeded for quota metric 'Video Uploads' and limit 'Video Uploads per day' of service 'youtube.googleapis.com' for consumer "
    "'project_number:1'."
)

F = [
    "invalidTitle",
    "invalidDescription",
    "invalidTags",
    "invalidCategoryId",
    "invalidPublishAt",
    "invalidRecordingDetails",
    "invalidVideoGameRating",
    "invalidVideoMetadata",
    "invalidFilename",
    "defaultLanguageNotSet",
    "mediaBodyRequired",
    "badContent",
    "parseError",
    "required",
    "invalid",
    "invalidParameter",
    "unexpectedParameter",
    "missingRequiredParameter",
    "incompatibleParameters",
    "wrongUrlForUpload",
    "notUpload",
    "unsupportedMediaProtocol",
    "keyInvalid",
    "keyExpired",
]
X = [
    "forbidden",
    "forbiddenLicenseSetting",
    "forbiddenPrivacySetting",
    "accessNotConfigured",
    "authenticatedUserAccountSuspended",
    "authenticatedUserAccountClosed",
    "channelSuspended",
    "channelClosed",
    "accountDisabled",
    "accountDeleted",
    "accountDelegationForbidden",
    "authenticatedUserNotChannel",
    "channelNotFound",
]
TABLE: list[tuple[int, str, type[PlatformError]]] = [
    *((400, reason, Rejected) for reason in F),
    *((403, reason, Rejected) for reason in X),
    (400, "uploadLimitExceeded", Throttled),
    *((403, reason, Throttled) for reason in ("quotaExceeded", "dailyLimitExceeded", "dailyLimitExceededUnreg")),
    *((status, reason, Throttled) for status in (403, 429) for reason in ("rateLimitExceeded", "userRateLimitExceeded")),
    *((403, reason, Throttled) for reason in ("concurrentLimitExceeded", "limitExceeded", "servingLimitExceeded")),
    (429, "uploadRateLimitExceeded", Throttled),
    *((401, reason, TokenExpired) for reason in ("authError", "expired", "required", "unauthorized", "something new")),
    (401, "youtubeSignupRequired", Rejected),
    (401, "authorizationRequired", ReconnectRequired),
    (403, "insufficientPermissions", ReconnectRequired),
    (403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT", ReconnectRequired),
    (404, "notFound", Rejected),
    (404, "videoNotFound", Rejected),
    (404, "playlistNotFound", Rejected),
    (409, "alreadyExists", Unavailable),
    (409, "conflict", Rejected),
    (409, "duplicate", Rejected),
    (410, "deleted", Rejected),
    (412, "conditionNotMet", Rejected),
    (428, "preconditionRequired", Rejected),
    (413, "uploadTooLarge", Rejected),
    (413, "backendRequestTooLarge", Rejected),
    (416, "requestedRangeNotSatisfiable", Rejected),
    (500, "internalError", Unavailable),
    (501, "notImplemented", Rejected),
    *((503, reason, Unavailable) for reason in ("backendError", "backendNotConnected", "notReady")),
    (418, "something new", Rejected),
    (599, "something new", Unavailable),
]


def refusal(reply: Answer) -> PlatformError:
    return errors.refusal(reply, NOW)


def wait_s(reply: Answer) -> float:
    error = refusal(reply)
    assert isinstance(error, Throttled), error
    return error.retry_after_s


@pytest.mark.parametrize(("status", "reason", "kind"), TABLE)
def test_each_reason_means_one_thing(status: int, reason: str, kind: type[PlatformError]) -> None:
    error = refusal(refused(status, reason, "in YouTube's words"))
    assert type(error) is kind
    assert (error.platform, error.platform_code, error.http_status) == ("youtube", reason, status)
    assert error.platform_message == "in YouTube's words"


def test_every_reason_in_the_tables_was_tried() -> None:
    others = {"RATE_LIMIT_EXCEEDED", "ALREADY_EXISTS", "insufficientScopes", "unknownPart"}  # other spellings of those above
    covers = {"invalidImage", "failedPrecondition", "imageFormatUnsupported", "imageTooTall", "imageTooWide"}
    assert set(REASONS) == {reason for _, reason, _ in TABLE} - {"something new"} | others | covers


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (answer(400), Rejected),
        (answer(401), TokenExpired),
        (answer(403, b"<html>"), Rejected),
        (answer(404), Rejected),
        (answer(408), Unavailable),
        (answer(410), Rejected),
        (answer(413, b"too large"), Rejected),
        (answer(429, b"[]"), Throttled),
        (answer(500, b""), Unavailable),
        (answer(501, b"null"), Rejected),
        (answer(502, b"<html>Bad Gateway</html>"), Unavailable),
        (answer(503, b"Service Unavailable"), Unavailable),
        (answer(504), Unavailable),
        (answer(302), ProtocolError),
        (answer(200, b"<html>"), ProtocolError),
        (answer(403, {"error": "access_denied"}), Rejected),
        (answer(400, {"error": None}), Rejected),
        (answer(400, {"error": {"errors": "none", "details": 7, "message": ["x"]}}), Rejected),
        (answer(400, {"error": {"errors": [None, {"reason": 5}, {"reason": "quotaExceeded"}]}}), Throttled),
        (answer(403, {"error": {"details": [{"reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}]}}), ReconnectRequired),
        (answer(409, {"error": {"status": "ALREADY_EXISTS", "message": "Requested entity already exists"}}), Unavailable),
        (answer(403, b"no", www_authenticate='Bearer realm="x", error="insufficient_scope"'), ReconnectRequired),
    ],
)
def test_every_shape_is_understood(reply: Answer, kind: type[PlatformError]) -> None:
    assert type(refusal(reply)) is kind


def test_all_reasons_count_and_a_missing_permission_most() -> None:
    def both(*reasons: str) -> Answer:
        return answer(403, {"error": {"errors": [{"reason": reason, "domain": "global"} for reason in reasons]}})

    assert refusal(both("brand new", "quotaExceeded")).platform_code == "quotaExceeded"
    assert refusal(both("forbidden", "insufficientPermissions")).platform_code == "insufficientPermissions"


@pytest.mark.parametrize(
    ("reply", "seconds"),
    [
        (refused(429, "rateLimitExceeded", PER_DAY), MIDNIGHT_S),
        (refused(403, "rateLimitExceeded", PER_DAY), MIDNIGHT_S),
        (answer(429, {"error": {"message": PER_DAY}}), MIDNIGHT_S),
        (refused(403, "quotaExceeded", 'exceeded your <a href="/youtube/v3/getting-started#quota">quota</a>.'), MIDNIGHT_S),
        (refused(403, "dailyLimitExceeded"), MIDNIGHT_S),
        (refused(400, "uploadLimitExceeded"), DAY_S),
        (refused(429, "uploadRateLimitExceeded", "so many per day"), DAY_S),
        (refused(429, "rateLimitExceeded"), 60),
        (refused(403, "userRateLimitExceeded", "per minute"), 60),
        (answer(429, retry_after="17"), 17),
        (answer(429, retry_after="soon"), 60),
        (answer(429, retry_after="99999999999999"), DAY_S),
        (answer(429, retry_after="²"), 60),
    ],
)
def test_how_long_a_limit_is_waited_for(reply: Answer, seconds: float) -> None:
    assert wait_s(reply) == seconds


@pytest.mark.parametrize(
    ("now", "reset"),
    [
        ("2026-11-20T12:00:00", "2026-11-21T08:00:00"),
        ("2026-11-20T07:59:59", "2026-11-20T08:00:00"),
        ("2026-11-20T08:00:00", "2026-11-21T08:00:00"),
        ("2026-07-01T12:00:00", "2026-07-02T07:00:00"),
        ("2026-03-08T08:30:00", "2026-03-09T07:00:00"),  # the clocks go forward: a day of 23 hours
        ("2026-11-01T07:30:00", "2026-11-02T08:00:00"),  # and back: one of 25
        ("2026-12-31T23:00:00", "2027-01-01T08:00:00"),
    ],
)
def test_quotas_are_full_again_at_midnight_in_california(now: str, reset: str) -> None:
    assert next_reset(datetime.fromisoformat(now).replace(tzinfo=UTC)) == datetime.fromisoformat(reset).replace(tzinfo=UTC)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001  the strategy wants them naive
def test_a_quota_is_never_more_than_a_day_and_an_hour_away(now: datetime) -> None:
    assert 60 < seconds_until_reset(now) <= 25 * 3600 + 60


def test_a_cover_that_is_forbidden_needs_a_verified_phone() -> None:
    assert "phone" in str(refusal(refused(403, "forbidden", domain="youtube.thumbnail")))
    assert "phone" not in str(refusal(refused(403, "forbidden", domain="youtube.common")))


def test_general_sentences_carry_youtubes_own_words() -> None:
    assert str(refusal(refused(400, "invalidParameter", "No filter selected."))).endswith(
        "YouTube said: invalidParameter: No filter selected."
    )
    assert str(refusal(answer(400))) == "YouTube refused the request."


def test_html_in_messages_becomes_text() -> None:
    error = refusal(refused(403, "quotaExceeded", 'your <a href="/x">quota</a> &amp; more'))
    assert error.platform_message == "your quota & more"


@pytest.mark.parametrize("sentence", [meaning.sentence for meaning in REASONS.values()] + [*FAILURES.values(), *REJECTIONS.values()])
def test_every_sentence_is_one(sentence: str) -> None:
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert "{" not in sentence


SECRETS = [
    "https://www.googleapis.com/upload/youtube/v3/videos?uploadType=resumable&upload_id=HIDDEN",
    "https:\\/\\/www.googleapis.com\\/upload?upload_id=HIDDEN",
    "ya29.HIDDEN-token_1",
    "1//0gHIDDEN-refresh",
    "GOCSPX-HIDDEN_secret",
    "Bearer HIDDEN.token",
    '{"access_token": "HIDDEN"}',
    '{"refresh_token":"HIDDEN"}',
    "client_secret=HIDDEN&grant_type=x",
    '{\\"upload_id\\": \\"HIDDEN\\"}',
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("shape", ["message", "reason", "oauth", "html", "raw"])
def test_no_secret_survives(secret: str, shape: str) -> None:
    bodies: dict[str, Any] = {
        "message": {"error": {"message": secret, "errors": [{"reason": "invalid", "message": secret}]}},
        "reason": {"error": {"errors": [{"reason": secret}]}},
        "oauth": {"error": secret, "error_description": secret},
        "html": f"<html>{secret}</html>".encode(),
        "raw": secret.encode(),
    }
    error = refusal(answer(400, bodies[shape]))
    assert "HIDDEN" not in f"{error!r} {error} {error.raw} {error.platform_message} {error.platform_code}"


def test_a_huge_body_is_cut() -> None:
    error = refusal(answer(400, json.dumps({"error": {"message": "x" * 900_000}}).encode()))
    assert (len(error.raw), len(error.platform_message)) == (2000, 2000)


@given(
    status=st.integers(100, 599),
    body=st.one_of(st.binary(max_size=200), st.recursive(st.none() | st.text() | st.integers(), st.lists).map(json.dumps).map(str.encode)),
)
def test_no_answer_is_too_odd(status: int, body: bytes) -> None:
    assert isinstance(refusal(Answer(status, {}, body)), ClipcastError)
    assert isinstance(refusal(Answer(status, {}, b'{"error": ' + body + b"}")), ClipcastError)
