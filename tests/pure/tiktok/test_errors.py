"""Every code and reason of TikTok's documentation, in every shape in which errors arrive."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clipcast.errors import (
    PlatformError,
    ProtocolError,
    ReconnectRequired,
    Rejected,
    Throttled,
    TokenExpired,
    Unavailable,
)
from clipcast.platforms.base import Answer
from clipcast.platforms.tiktok.errors import CODES, FAIL_REASONS, failure, refusal, upload_refusal, without_secrets
from pure.tiktok.orders import answer, refused

DOCUMENTED: list[tuple[int, str, type[PlatformError]]] = [
    (401, "access_token_invalid", TokenExpired),
    (401, "scope_not_authorized", ReconnectRequired),
    (400, "scope_permission_missed", ReconnectRequired),
    (400, "invalid_param", Rejected),
    (400, "invalid_params", Rejected),
    (400, "invalid_file_upload", Rejected),
    (400, "app_version_check_failed", Rejected),
    (403, "spam_risk_too_many_posts", Throttled),
    (200, "spam_risk_too_many_posts", Throttled),
    (403, "spam_risk_user_banned_from_posting", Rejected),
    (200, "spam_risk_user_banned_from_posting", Rejected),
    (403, "spam_risk_too_many_pending_share", Throttled),
    (403, "reached_active_user_cap", Throttled),
    (200, "reached_active_user_cap", Throttled),
    (403, "unaudited_client_can_only_post_to_private_accounts", Rejected),
    (403, "url_ownership_unverified", Rejected),
    (403, "privacy_level_option_mismatch", Rejected),
    (429, "rate_limit_exceeded", Throttled),
    (500, "internal_error", Unavailable),
    (503, "internal_error", Unavailable),
    (400, "invalid_publish_id", Rejected),
    (400, "token_not_authorized_for_specified_publish_id", ReconnectRequired),
    (400, "publish_not_cancellable", Rejected),
]
CAPS = ("spam_risk_too_many_posts", "spam_risk_too_many_pending_share", "reached_active_user_cap")


@pytest.mark.parametrize(("http_status", "code", "kind"), DOCUMENTED)
def test_each_documented_code(http_status: int, code: str, kind: type[PlatformError]) -> None:
    error = refusal(refused(http_status, code, "Please review our guidelines"))
    assert type(error) is kind
    assert (error.platform, error.platform_code, error.platform_message) == ("tiktok", code, "Please review our guidelines")
    assert (error.http_status, error.log_id) == (http_status, "20261001REFUSED")
    assert str(error).startswith(CODES[code].sentence)


def test_these_tables_know_every_code() -> None:
    assert {code for _, code, _ in DOCUMENTED} == set(CODES)


def test_full_caps_wait_an_hour() -> None:
    for code in CAPS:
        error = refusal(refused(403, code))
        assert isinstance(error, Throttled)
        assert error.retry_after_s == 3600


@pytest.mark.parametrize(
    ("headers", "pause_s"), [({}, 60), ({"retry_after": "17"}, 17), ({"retry_after": "soon"}, 60), ({"retry_after": ""}, 60)]
)
def test_a_rate_limit_waits_as_long_as_tiktok_says_or_a_minute(headers: dict[str, str], pause_s: float) -> None:
    error = refusal(answer(429, {"error": {"code": "rate_limit_exceeded"}}, **headers))
    assert isinstance(error, Throttled)
    assert error.retry_after_s == pause_s


@pytest.mark.parametrize(
    ("http_status", "kind"),
    [
        (200, ProtocolError),
        (302, ProtocolError),
        (400, Rejected),
        (401, TokenExpired),
        (403, Rejected),
        (404, Rejected),
        (408, Unavailable),
        (429, Throttled),
        (500, Unavailable),
        (502, Unavailable),
        (504, Unavailable),
        (599, Unavailable),
    ],
)
@pytest.mark.parametrize(
    "body", [b"", b"null", b"<html>Gateway</html>", b"[]", b'"oops"', b'{"error": {"code": "of_tomorrow"}}', b"\xff\xfe"]
)
def test_an_unknown_code_falls_to_the_http_status(http_status: int, kind: type[PlatformError], body: bytes) -> None:
    assert type(refusal(answer(http_status, body))) is kind


@pytest.mark.parametrize(
    ("body", "code", "message", "log_id"),
    [
        ({"error": {"code": "invalid_params", "message": "m", "log_id": "L"}}, "invalid_params", "m", "L"),
        ({"error": {"code": "invalid_params", "message": "m", "logid": "L"}}, "invalid_params", "m", "L"),
        ({"data": {}, "error": {"code": "invalid_params"}}, "invalid_params", "", ""),
        ({"error": "invalid_params", "error_description": "m", "log_id": "L"}, "invalid_params", "m", "L"),
        ({"error": "invalid_params", "message": "m"}, "invalid_params", "m", ""),
        ({"error": {"code": 40001, "message": None}}, "40001", "", ""),
        ({"error": None, "message": "m", "log_id": "L"}, "", "m", "L"),
        ({"error": ["a"]}, "", "", ""),
        ({"message": "Not Found"}, "", "Not Found", ""),
    ],
)
def test_errors_are_objects_or_plain_strings(body: Any, code: str, message: str, log_id: str) -> None:
    error = refusal(answer(400, body))
    assert (error.platform_code, error.platform_message, error.log_id) == (code, message, log_id)


def test_the_log_id_may_come_as_a_header() -> None:
    assert refusal(Answer(502, {"x-tt-logid": "20261001H"}, b"<html>")).log_id == "20261001H"


def test_a_general_code_is_followed_by_tiktoks_own_words() -> None:
    """`invalid_params` is a bucket; only the message says what is wrong."""
    assert "The chunk size is invalid" in str(refusal(refused(400, "invalid_params", "The chunk size is invalid")))


@pytest.mark.parametrize("http_status", [500, 502, 429, 408, 400, 302])
def test_an_upload_hosts_refusal_keeps_its_status(http_status: int) -> None:
    error = upload_refusal(answer(http_status, b"null"))
    assert (error.http_status, error.platform_code) == (http_status, f"upload_{http_status}")


def test_every_sentence_ends_and_says_something() -> None:
    for meaning in (*CODES.values(), *FAIL_REASONS.values()):
        assert meaning.sentence.endswith(".")
        assert len(meaning.sentence) > 30


SECRETS = [
    "act.3PbUVsEXAMPLEtoken!5236.s1",
    "rft.7hGEXAMPLErefresh%2A!6.s1",
    "clt.EXAMPLEclient",
    "3f1c7e52-secret-upload-token",
    "s3cr3tClientSecretValue",
    "dBjftJeZ4CVPEXAMPLEverifier",
    "X-Amz-Signature=0123456789abcdef",
]
LEAKS = [
    {"access_token": SECRETS[0], "refresh_token": SECRETS[1]},
    {"note": f"Bearer {SECRETS[0]}"},
    {"note": f"token {SECRETS[2]} and {SECRETS[1]}"},
    {"data": {"upload_url": f"https://open-upload.tiktokapis.com/upload?upload_id=1&upload_token={SECRETS[3]}"}},
    {"note": f"upload_token={SECRETS[3]}&client_secret={SECRETS[4]}&code_verifier={SECRETS[5]}"},
    {"client_secret": SECRETS[4], "code_verifier": SECRETS[5]},
    {"photo_images": [f"https://media.example.org/a.jpg?{SECRETS[6]}"]},
]


@pytest.mark.parametrize("leak", LEAKS)
def test_no_secret_survives_in_an_error(leak: dict[str, Any]) -> None:
    """Wherever TikTok echoes a secret back: as a field, in a message, in a URL, escaped or not."""
    text = json.dumps(leak)
    shapes = [
        answer(403, {**leak, "error": {"code": "forbidden", "message": text}}),
        answer(403, {"error": "forbidden", "error_description": text}),
        answer(502, f"<html>{text}</html>".encode()),
        answer(502, json.dumps(leak).replace("/", "\\/").encode()),
        answer(403, {"error": {"code": text, "message": ""}}),
    ]
    for shape in shapes:
        for error in (refusal(shape), upload_refusal(shape), failure(text, shape)):
            shown = f"{error!s} {error!r} {error.raw} {error.platform_message} {error.platform_code} {error.log_id}"
            assert not [secret for secret in SECRETS if secret in shown], shown


def test_what_is_kept_is_bounded() -> None:
    error = refusal(answer(400, {"error": {"code": "x", "message": "m" * 50_000}, "data": "d" * 50_000}))
    assert len(error.raw) == len(error.platform_message) == 2000


def test_a_secret_at_the_cut_is_not_half_kept() -> None:
    body = b'{"pad": "' + b"x" * 1960 + b'", "access_token": "act.' + b"T" * 200 + b'"}'
    assert "TTTT" not in refusal(answer(400, body)).raw


@settings(deadline=None)
@given(st.text())
def test_text_without_secrets_is_left_alone_or_shortened_safely(text: str) -> None:
    once = without_secrets(text)
    assert without_secrets(once) == once


@settings(deadline=None)
@given(http_status=st.integers(100, 599), body=st.binary(max_size=200))
def test_no_answer_whatever_breaks_the_reading(http_status: int, body: bytes) -> None:
    for error in (refusal(Answer(http_status, {}, body)), upload_refusal(Answer(http_status, {}, body))):
        assert error.sentence


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["error", "code", "message", "log_id", "data"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(http_status=st.integers(100, 599), body=JSON)
def test_no_json_whatever_breaks_the_reading(http_status: int, body: Any) -> None:
    error = refusal(answer(http_status, body))
    assert isinstance(error.platform_code, str)
    assert isinstance(error.platform_message, str)
