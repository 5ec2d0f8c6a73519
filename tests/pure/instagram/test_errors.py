"""Every code of Meta's tables and of what was seen beyond them, in each of the three shapes in which errors arrive."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipcast.errors import PlatformError, ProtocolError, ReconnectRequired, Rejected, Throttled, TokenExpired, Unavailable
from clipcast.platforms.base import Answer
from clipcast.platforms.instagram.codes import CODES, failed_meaning
from clipcast.platforms.instagram.errors import failure, meaning_of, refusal, subcode_of, usage, without_secrets, words
from pure.instagram.orders import answer, refused

# (code, subcode, our error, how many new containers may help); the tables of Meta's error page, of what was seen, and of Graph in general.
TABLE: list[tuple[int, int | None, type[PlatformError], int]] = [
    (-2, 2207003, Unavailable, 3),
    (-2, 2207020, Unavailable, 2),
    (-1, 2207001, Unavailable, 0),
    (-1, 2207032, Unavailable, 3),
    (-1, 2207053, Unavailable, 2),
    (1, 2207057, Rejected, 0),
    (4, 2207051, Rejected, 0),
    (9, 2207042, Throttled, 0),
    (24, 2207006, Unavailable, 1),
    (24, 2207008, Unavailable, 1),
    (25, 2207050, Rejected, 0),
    (100, 2207023, Rejected, 0),
    (100, 2207028, Rejected, 0),
    (100, 2207035, Rejected, 0),
    (100, 2207036, Rejected, 0),
    (100, 2207037, Rejected, 0),
    (100, 2207040, Rejected, 0),
    (352, 2207026, Rejected, 0),
    (9004, 2207052, Unavailable, 3),
    (9007, 2207027, Unavailable, 0),
    (36000, 2207004, Rejected, 0),
    (36001, 2207005, Rejected, 0),
    (36003, 2207009, Rejected, 0),
    (36004, 2207010, Rejected, 0),
    (100, 2207067, Rejected, 0),
    (9, 2207069, Throttled, 0),
    (-1, 2207073, Rejected, 0),
    (-1, 2207076, Unavailable, 1),
    (-1, 2207077, Unavailable, 2),
    (-1, 2207081, Rejected, 0),
    (-1, 2207082, Unavailable, 2),
    (-1, 2207085, Unavailable, 1),
    (1, None, Unavailable, 0),
    (2, None, Unavailable, 0),
    (3, None, Rejected, 0),
    (4, None, Throttled, 0),
    (9, None, Throttled, 0),
    (10, None, ReconnectRequired, 0),
    (17, None, Throttled, 0),
    (17, 2446079, Throttled, 0),
    (24, None, Unavailable, 1),
    (25, None, Rejected, 0),
    (32, None, Throttled, 0),
    (100, None, Rejected, 0),
    (100, 33, Rejected, 0),
    (100, 36007, ReconnectRequired, 0),
    (100, 36009, ReconnectRequired, 0),
    (102, None, ReconnectRequired, 0),
    (104, None, Rejected, 0),
    (190, None, TokenExpired, 0),
    (190, 0, TokenExpired, 0),
    (190, 463, TokenExpired, 0),
    (190, 467, TokenExpired, 0),
    (190, 458, ReconnectRequired, 0),
    (190, 459, ReconnectRequired, 0),
    (190, 460, ReconnectRequired, 0),
    (190, 464, ReconnectRequired, 0),
    (190, 492, ReconnectRequired, 0),
    (200, None, ReconnectRequired, 0),
    (299, None, ReconnectRequired, 0),
    (341, None, Throttled, 0),
    (368, None, Rejected, 0),
    (506, None, Rejected, 0),
    (613, None, Throttled, 0),
    (613, 1996, Throttled, 0),
    (2500, None, Rejected, 0),
    (2635, None, Rejected, 0),
    (80001, None, Throttled, 0),
    (80002, None, Throttled, 0),
]


@pytest.mark.parametrize(("code", "subcode", "kind", "renewals"), TABLE)
@pytest.mark.parametrize("http_status", [400, 403, 500, 200])
def test_each_code_decides_whatever_the_http_status(
    http_status: int, code: int, subcode: int | None, kind: type[PlatformError], renewals: int
) -> None:
    reply = refused(code, subcode, http_status)
    error = refusal(reply)
    assert (type(error), meaning_of(reply).renewals) == (kind, renewals)
    number = f"{code}/{subcode}" if subcode else str(code)
    assert (error.platform, error.platform_code, error.platform_message) == ("instagram", number, "Refused")
    assert (error.http_status, error.log_id) == (http_status, "Atrace")


def test_this_table_knows_every_code() -> None:
    told = {(code, subcode or None) for code, subcode, _, _ in TABLE}
    assert {pair for pair in CODES if pair[0] is not None} - told == set()
    assert {subcode for code, subcode in CODES if code is None} <= {subcode for _, subcode in told}


def test_a_number_that_comes_as_text_is_a_number() -> None:
    assert words(answer(400, {"error": {"code": "9", "error_subcode": "2207042"}})).number == "9/2207042"
    assert words(answer(400, {"error": {"code": True, "error_subcode": "x"}})).number == ""


def test_real_answers_as_they_were_reported() -> None:
    not_ready = {
        "message": "Media ID is not available",
        "type": "OAuthException",
        "code": 9007,
        "error_subcode": 2207027,
        "is_transient": False,
        "error_user_title": "Cannot publish",
    }
    assert isinstance(refusal(answer(400, {"error": not_ready})), Unavailable)
    fetch = {"message": "Only photo or video can be accepted as media type.", "code": 9004, "error_subcode": 2207052, "is_transient": False}
    assert meaning_of(answer(400, {"error": fetch})).renewals == 3


@pytest.mark.parametrize("code", [100, 352, 36003, 999])
def test_transient_is_tried_again_and_its_absence_means_nothing(code: int) -> None:
    assert isinstance(refusal(refused(code, is_transient=True)), Unavailable)
    assert isinstance(refusal(refused(code, is_transient=False)), Rejected)


@pytest.mark.parametrize(("code", "subcode", "kind"), [(4, 2207051, Rejected), (368, None, Rejected), (190, 458, ReconnectRequired)])
def test_a_block_stands_even_when_it_is_called_transient(code: int, subcode: int | None, kind: type[PlatformError]) -> None:
    assert isinstance(refusal(refused(code, subcode, is_transient=True)), kind)


def test_the_language_of_the_account_decides_nothing() -> None:
    thai: dict[str, Any] = {"error_user_title": "ไม่สามารถเผยแพร่", "error_user_msg": "คุณใช้แอปมากเกินไป rate limit token expired"}
    for code, subcode, kind, _ in TABLE:
        assert type(refusal(refused(code, subcode, **thai))) is kind


def test_a_general_code_is_followed_by_instagrams_own_words() -> None:
    assert "The parameter video_url is required (100)." in str(refusal(refused(100, message="The parameter video_url is required")))
    said = refused(100, 2207099, error_user_msg="Das Feld stimmt nicht.")
    assert "Das Feld stimmt nicht (100/2207099)." in str(refusal(said))


@pytest.mark.parametrize(
    ("http_status", "body", "kind", "code"),
    [
        (400, {"error_type": "OAuthException", "code": 400, "error_message": "Matching code was not found"}, Rejected, "400"),
        (400, {"debug_info": {"retriable": False, "type": "ProcessingFailedError", "message": "x"}}, Rejected, "ProcessingFailedError"),
        (400, {"debug_info": {"retriable": True, "type": "PartialRequestError"}}, Unavailable, "PartialRequestError"),
        (400, {"error": "something"}, Rejected, "http_400"),
        (400, {"error": None}, Rejected, "http_400"),
        (500, {"error": {"code": 999}}, Unavailable, "999"),
        (401, {"error": {"code": 999}}, TokenExpired, "999"),
        (429, {"error": {"code": 999}}, Throttled, "999"),
        (404, {"message": "not found"}, Rejected, "http_404"),
        (302, b"", ProtocolError, "http_302"),
        (200, b"<html>", ProtocolError, "http_200"),
        (200, [], ProtocolError, "http_200"),
        (500, b"<html>", Unavailable, "http_500"),
        (503, b"", Unavailable, "http_503"),
        (400, b"<html>", Unavailable, "http_400"),
        (403, b"", Unavailable, "http_403"),
        (429, b"", Throttled, "http_429"),
        (408, b"", Unavailable, "http_408"),
    ],
)
def test_all_shapes_are_understood_and_pages_that_are_none_pass(http_status: int, body: Any, kind: type[PlatformError], code: str) -> None:
    error = refusal(answer(http_status, body))
    assert (type(error), error.platform_code) == (kind, code)


def test_the_trace_may_come_as_a_header() -> None:
    assert refusal(Answer(502, {"x-fb-trace-id": "Aheader"}, b"<html>")).log_id == "Aheader"


@pytest.mark.parametrize(
    ("headers", "pause_s"),
    [
        ({}, 300),
        ({"retry_after": "17"}, 17),
        ({"retry_after": "soon"}, 300),
        ({"x_business_use_case_usage": '{"1": [{"type": "instagram", "call_count": 100, "estimated_time_to_regain_access": 19}]}'}, 1140),
    ],
)
def test_a_call_limit_waits_as_long_as_instagram_says(headers: dict[str, str], pause_s: float) -> None:
    error = refusal(answer(400, {"error": {"code": 80002}}, **headers))
    assert isinstance(error, Throttled)
    assert error.retry_after_s == pause_s


def test_a_full_day_waits_half_an_hour() -> None:
    error = refusal(refused(9, 2207042))
    assert isinstance(error, Throttled)
    assert error.retry_after_s == 1800


@pytest.mark.parametrize(
    ("status", "subcode"),
    [
        ("Error: Media upload has failed with error code 2207082", 2207082),
        ("2207026", 2207026),
        ("Finished: Media has been uploaded and it is ready to be published.", None),
        ("12207082", None),
        ("", None),
    ],
)
def test_the_number_of_a_failed_container_is_found_in_its_status(status: str, subcode: int | None) -> None:
    assert subcode_of(status) == subcode


def test_a_failed_container_shows_a_number_nobody_knows() -> None:
    error = failure("Error: 2209999", answer(200, {"status_code": "ERROR"}))
    assert (type(error), error.platform_code, error.post_failed) == (Rejected, "2209999", True)
    assert "2209999" in error.sentence
    assert "Error: 2209999" in error.platform_message


def test_every_sentence_ends_and_says_something() -> None:
    for meaning in (*CODES.values(), failed_meaning(None), failed_meaning(2209999)):
        assert meaning.sentence.endswith(".")
        assert len(meaning.sentence) > 30


SECRETS = ["IGAAJexampletoken0123456789", "EAABexampletoken0123456789", "0123456789abcdef0123", "eyJhbGciOiJIUzI1NiJ9-signature"]
LEAKS = [
    {"access_token": SECRETS[0]},
    {"note": f"Bearer {SECRETS[0]} and OAuth {SECRETS[1]}"},
    {"note": f"client_secret={SECRETS[2]}&x=1"},
    {"client_secret": SECRETS[2], "appsecret_proof": SECRETS[2]},
    {"image_url": f"https://clips.example.org/media/{SECRETS[3]}"},
    {"video_url": f"https://clips.example.org/a.mp4?sig={SECRETS[3]}"},
    {"note": f"Error validating access token {SECRETS[1]}"},
]


@pytest.mark.parametrize("leak", LEAKS)
def test_no_secret_survives_in_an_error(leak: dict[str, Any]) -> None:
    """Wherever Instagram echoes a secret back: as a field, in a message, in a URL, escaped or not."""
    text = json.dumps(leak)
    shapes = [
        answer(403, {**leak, "error": {"code": 100, "message": text, "error_user_msg": text, "type": text, "fbtrace_id": text}}),
        answer(403, {"error_type": text, "error_message": text}),
        answer(403, {"debug_info": {"type": text, "message": text}}),
        answer(502, f"<html>{text}</html>".encode()),
        answer(502, json.dumps(leak).replace("/", "\\/").encode()),
    ]
    for shape in shapes:
        for error in (refusal(shape), failure(text, shape)):
            shown = f"{error!s} {error!r} {error.raw} {error.platform_message} {error.platform_code} {error.log_id}"
            assert not [secret for secret in SECRETS if secret in shown], shown


def test_what_is_kept_is_bounded() -> None:
    error = refusal(answer(400, {"error": {"code": 100, "message": "m" * 50_000}, "data": "d" * 50_000}))
    assert len(error.raw) == len(error.platform_message) == 2000


@given(st.text())
def test_text_without_secrets_is_left_alone_or_shortened_safely(text: str) -> None:
    once = without_secrets(text)
    assert without_secrets(once) == once


NAMES = [
    "error",
    "code",
    "error_subcode",
    "message",
    "debug_info",
    "retriable",
    "error_type",
    "error_message",
    "is_transient",
    "call_count",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)


@given(http_status=st.integers(100, 599), body=JSON, header=JSON)
def test_no_answer_whatever_breaks_the_reading(http_status: int, body: Any, header: Any) -> None:
    reply = answer(http_status, body, x_app_usage=json.dumps(header), x_business_use_case_usage=json.dumps(header))
    error = refusal(reply)
    assert error.sentence
    assert isinstance(error.platform_code, str)
    assert 0 <= usage(reply).pause_s <= 86_400


@given(http_status=st.integers(100, 599), body=st.binary(max_size=200))
def test_no_bytes_whatever_break_the_reading(http_status: int, body: bytes) -> None:
    assert refusal(Answer(http_status, {}, body)).sentence
