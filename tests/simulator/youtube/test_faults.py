"""Each scripted fault as the wire shows it, and what is true afterwards."""

import hashlib
import time
from typing import Any

import pytest
import urllib3

from simulator.wire import Answer, Sim
from simulator.youtube.channel import BLOCK, RESOURCE, Channel, channel, faults, knobs, persisted, posts, reason

TOTAL = 4 * BLOCK + 500
BYTES = bytes(range(256)) * (TOTAL // 256) + bytes(TOTAL % 256)
SHA256 = hashlib.sha256(BYTES).hexdigest()


@pytest.fixture
def uri(eva: Channel) -> str:
    return eva.session(TOTAL)


def put(eva: Channel, uri: str, first: int = 0, end: int = TOTAL) -> Answer:
    return eva.put(uri, BYTES[first:end], first, TOTAL)


def made(sim: Sim) -> list[str]:
    """Return the hashes of the videos that exist."""
    assert sim.control("GET", "/faults")["pending"] == 0
    return [post["sha256"] for post in posts(sim) if post["video_id"] is not None]


def lost(action: Any) -> None:
    with pytest.raises(urllib3.exceptions.HTTPError):
        action()


def test_a_lost_answer_to_the_start_leaves_a_session_that_nobody_knows(sim: Sim, eva: Channel) -> None:
    faults(sim, {"operation": "session.start", "fault": "accept-then-drop-answer"})
    lost(eva.start)

    assert put(eva, eva.session(TOTAL)).status == 201
    assert made(sim) == [SHA256]


def test_a_409_on_the_start_passes(sim: Sim, eva: Channel) -> None:
    faults(sim, {"operation": "session.start", "fault": "code:alreadyExists"})

    answers = [eva.start(), eva.start()]

    assert (reason(answers[0]), answers[1].status) == ((409, "alreadyExists"), 200)
    assert (answers[0].json["error"]["status"], answers[0].message) == ("ALREADY_EXISTS", "Requested entity already exists")


@pytest.mark.parametrize(
    ("code", "status", "domain"),
    [
        ("uploadLimitExceeded", 400, "youtube.video"),
        ("rateLimitExceeded", 429, "global"),
        ("quotaExceeded", 403, "youtube.quota"),
        ("dailyLimitExceeded", 403, "usageLimits"),
        ("forbidden", 403, "youtube.common"),
        ("backendError", 503, "global"),
        ("youtubeSignupRequired", 401, "youtube.header"),
        ("invalidDescription", 400, "youtube.video"),
    ],
)
def test_a_code_comes_with_its_documented_status_and_domain(sim: Sim, eva: Channel, code: str, status: int, domain: str) -> None:
    faults(sim, {"operation": "session.start", "fault": f"code:{code}"})

    answer = eva.start()

    assert reason(answer) == (status, code)
    assert answer.json["error"]["errors"][0]["domain"] == domain
    assert answer.json["error"]["message"] == answer.json["error"]["errors"][0]["message"]


def test_the_same_reason_is_another_limit_elsewhere(sim: Sim, eva: Channel) -> None:
    faults(sim, {"operation": "session.start", "fault": "code:rateLimitExceeded"})
    faults(sim, {"operation": "channels.list", "fault": "code:rateLimitExceeded"})

    assert "per day" in eva.start().message
    assert "per minute" in eva.get("channels", part="id", mine="true").message


def test_a_503_in_mid_chunk_keeps_the_blocks_it_had(sim: Sim, eva: Channel, uri: str) -> None:
    put(eva, uri, 0, BLOCK)
    faults(sim, {"operation": "upload.chunk", "fault": "503-after-600K"})

    assert reason(put(eva, uri, BLOCK)) == (503, "backendError")
    assert persisted(eva.query(uri, TOTAL)) == 3 * BLOCK
    assert put(eva, uri, 3 * BLOCK).status == 201
    assert made(sim) == [SHA256]


def test_a_reset_in_mid_chunk_keeps_the_blocks_it_had(sim: Sim, eva: Channel, uri: str) -> None:
    faults(sim, {"operation": "upload.chunk", "fault": "reset-after-300K"})
    lost(lambda: put(eva, uri))

    assert persisted(eva.query(uri, TOTAL)) == BLOCK
    assert put(eva, uri, BLOCK).status == 201
    assert made(sim) == [SHA256]


def test_a_503_after_every_byte_has_made_no_video(sim: Sim, eva: Channel, uri: str) -> None:
    faults(sim, {"operation": "upload.chunk", "fault": "503-after-9999K", "last": True})

    assert put(eva, uri).status == 503
    assert made(sim) == []
    assert persisted(eva.query(uri, TOTAL)) == 4 * BLOCK
    assert put(eva, uri, 4 * BLOCK).status == 201


def test_a_503_on_the_last_chunk_without_a_video(sim: Sim, eva: Channel, uri: str) -> None:
    put(eva, uri, 0, BLOCK)
    faults(sim, {"operation": "upload.chunk", "fault": "503", "last": True})

    assert put(eva, uri, BLOCK).status == 503
    assert made(sim) == []
    assert persisted(eva.query(uri, TOTAL)) == BLOCK


@pytest.mark.parametrize("instruction", ["error-after-effect", "accept-then-drop-answer"])
def test_a_lost_last_answer_with_the_video_there(sim: Sim, eva: Channel, uri: str, instruction: str) -> None:
    faults(sim, {"operation": "upload.chunk", "fault": instruction, "last": True, "status": 503})
    put(eva, uri, 0, BLOCK)

    if instruction == "error-after-effect":
        assert put(eva, uri, BLOCK).status == 503
    else:
        lost(lambda: put(eva, uri, BLOCK))

    again = eva.query(uri, TOTAL)
    assert again.status == 201
    assert made(sim) == [SHA256]
    assert again.json["id"] == posts(sim)[0]["video_id"]


def test_the_chunk_number_chooses(sim: Sim, eva: Channel, uri: str) -> None:
    faults(sim, {"operation": "upload.chunk", "fault": "500", "chunk": 1, "username": "eva"})

    statuses = [put(eva, uri, first, first + BLOCK).status for first in (0, BLOCK, BLOCK)]

    assert statuses == [308, 500, 308]


@pytest.mark.parametrize(("first", "end", "kept"), [(0, 2 * BLOCK, BLOCK), (0, TOTAL, 2 * BLOCK), (0, BLOCK, 0)])
def test_308_shorter_keeps_less_than_was_sent(sim: Sim, eva: Channel, uri: str, *, first: int, end: int, kept: int) -> None:
    faults(sim, {"operation": "upload.chunk", "fault": "308-shorter"})

    assert persisted(put(eva, uri, first, end)) == kept
    assert persisted(eva.query(uri, TOTAL)) == kept
    assert put(eva, uri, kept).status == 201
    assert made(sim) == [SHA256]


def test_308_without_range_hides_what_is_there(sim: Sim, eva: Channel, uri: str) -> None:
    faults(sim, {"operation": "upload.chunk", "fault": "308-without-range"})

    assert persisted(put(eva, uri, 0, BLOCK)) == 0
    assert persisted(eva.query(uri, TOTAL)) == BLOCK


def test_308_without_range_can_even_hide_the_video(sim: Sim, eva: Channel, uri: str) -> None:
    faults(sim, {"operation": "upload.chunk", "fault": "308-without-range", "last": True})

    assert persisted(put(eva, uri)) == 0
    assert eva.query(uri, TOTAL).status == 201
    assert made(sim) == [SHA256]


def test_lost_bytes_are_lost(sim: Sim, eva: Channel, uri: str) -> None:
    put(eva, uri, 0, 2 * BLOCK)
    faults(sim, {"operation": "upload.query", "fault": "lost-bytes"})

    assert persisted(eva.query(uri, TOTAL)) == 0
    assert persisted(eva.query(uri, TOTAL)) == 0
    assert put(eva, uri).status == 201
    assert made(sim) == [SHA256]


def test_308_may_ask_for_patience(sim: Sim, eva: Channel, uri: str) -> None:
    faults(sim, {"operation": "upload.chunk", "fault": "308-retry-after-3s"}, {"operation": "upload.query", "fault": "308-retry-after-5s"})

    answers = [put(eva, uri, 0, BLOCK), eva.query(uri, TOTAL)]

    assert [(persisted(answer), answer.headers["retry-after"]) for answer in answers] == [(BLOCK, "3"), (BLOCK, "5")]


def test_308_may_move_the_session(sim: Sim, eva: Channel, uri: str) -> None:
    faults(sim, {"operation": "upload.chunk", "fault": "308-new-location"})

    answer = put(eva, uri, 0, BLOCK)

    moved = answer.headers["location"]
    assert (persisted(answer), moved != uri) == (BLOCK, True)
    assert reason(eva.query(uri, TOTAL)) == (404, "notFound")
    assert put(eva, moved, BLOCK).status == 201
    assert made(sim) == [SHA256]


@pytest.mark.parametrize(("status", "why"), [(404, "notFound"), (410, "deleted")])
def test_a_query_may_answer_that_nothing_is_there_once(sim: Sim, eva: Channel, uri: str, status: int, why: str) -> None:
    put(eva, uri, 0, BLOCK)
    faults(sim, {"operation": "upload.query", "fault": str(status)})

    assert reason(eva.query(uri, TOTAL)) == (status, why)
    assert persisted(eva.query(uri, TOTAL)) == BLOCK


def test_a_session_may_be_gone_for_good_though_its_video_is_there(sim: Sim, eva: Channel, uri: str) -> None:
    """The worst case: only the uploads playlist knows, and late."""
    knobs(sim, playlist_lag_s=60)
    faults(sim, {"operation": "upload.chunk", "fault": "accept-then-drop-answer"}, {"operation": "upload.query", "fault": "session-gone"})
    lost(lambda: put(eva, uri))

    assert [reason(eva.query(uri, TOTAL)) for _ in range(2)] == [(404, "notFound")] * 2
    playlist = f"UU{eva.credentials['channel_id'][2:]}"
    assert eva.get("playlistItems", part="id", playlistId=playlist).json["items"] == []
    sim.advance(60)
    assert len(eva.get("playlistItems", part="id", playlistId=playlist).json["items"]) == 1
    assert made(sim) == [SHA256]


def test_a_session_that_is_gone_takes_no_bytes(sim: Sim, eva: Channel, uri: str) -> None:
    faults(sim, {"operation": "upload.chunk", "fault": "session-gone"})

    assert reason(put(eva, uri)) == (404, "notFound")
    assert reason(put(eva, uri)) == (404, "notFound")
    assert made(sim) == []


@pytest.mark.parametrize("instruction", ["expire-token", "revoke-token"])
def test_a_token_may_end_in_mid_upload(sim: Sim, eva: Channel, uri: str, instruction: str) -> None:
    put(eva, uri, 0, BLOCK)
    faults(sim, {"operation": "upload.chunk", "fault": instruction})

    assert reason(put(eva, uri, BLOCK)) == (401, "authError")

    form = {name: eva.credentials[name] for name in ("client_id", "client_secret", "refresh_token")}
    answer = sim.form("/youtube/token", {"grant_type": "refresh_token", **form})
    assert answer.status == (200 if instruction == "expire-token" else 400)
    eva.credentials |= channel(sim, "eva").credentials
    assert persisted(eva.query(uri, TOTAL)) == BLOCK


def test_a_stalled_request_adds_nothing_once_its_client_has_asked(sim: Sim, eva: Channel, uri: str) -> None:
    faults(sim, {"operation": "upload.chunk", "fault": "stall-5s"})
    hasty = Channel(Sim(sim.url, urllib3.PoolManager(retries=False, timeout=0.1)), eva.credentials)
    lost(lambda: put(hasty, uri))

    assert persisted(eva.query(uri, TOTAL)) == 0
    assert put(eva, uri, 0, BLOCK).status == 308
    while not sim.requests(operation="upload.chunk")[0]["bytes"]:
        pass
    assert persisted(eva.query(uri, TOTAL)) == BLOCK
    assert put(eva, uri, BLOCK).status == 201
    assert made(sim) == [SHA256]


@pytest.mark.parametrize("status", [200, 201])
def test_the_final_status_is_either(sim: Sim, eva: Channel, uri: str, status: int) -> None:
    faults(sim, {"operation": "upload.chunk", "fault": f"final-{status}", "last": True})

    assert [put(eva, uri).status, eva.query(uri, TOTAL).status] == [status, status]
    assert made(sim) == [SHA256]


@pytest.mark.parametrize(
    ("shape", "media_type", "start"),
    [
        ("object", "application/json; charset=utf-8", b'{"error":{"code":503'),
        ("string", "application/json; charset=utf-8", b'{"error":"backendError"'),
        ("text", "text/plain; charset=utf-8", b"Backend Error"),
        ("html", "text/html; charset=utf-8", b"<!DOCTYPE html>"),
        ("empty", None, b""),
    ],
)
def test_an_error_need_not_be_json(sim: Sim, eva: Channel, uri: str, *, shape: str, media_type: str | None, start: bytes) -> None:
    faults(sim, {"operation": "upload.chunk", "fault": "503", "body": shape})

    answer = put(eva, uri)

    assert (answer.status, answer.headers.get("content-type")) == (503, media_type)
    assert answer.body.startswith(start)
    assert bool(answer.body) == bool(start)


def test_the_last_answer_may_be_late(sim: Sim, eva: Channel, uri: str) -> None:
    """The video exists before the client hears of it."""
    faults(sim, {"operation": "upload.chunk", "fault": "late-answer-0.3s", "last": True})
    begun = time.monotonic()

    assert put(eva, uri).status == 201
    assert time.monotonic() - begun >= 0.3
    assert made(sim) == [SHA256]


@pytest.mark.parametrize("operation", ["session.start", "upload.chunk", "videos.list"])
@pytest.mark.parametrize(("word", "state", "field"), [("codec", "failed", "failureReason"), ("copyright", "rejected", "rejectionReason")])
def test_a_video_may_be_doomed(sim: Sim, eva: Channel, video: bytes, *, operation: str, word: str, state: str, field: str) -> None:
    faults(sim, {"operation": operation, "fault": f"fail:{word}"})

    status = eva.video(eva.upload(video)["id"])["status"]

    assert (status["uploadStatus"], status[field]) == (state, word)
    assert posts(sim)[0]["reason"] == word


def test_processing_may_take_longer_or_for_ever(sim: Sim, eva: Channel, video: bytes) -> None:
    faults(sim, {"operation": "upload.chunk", "fault": "processing-3000s"}, {"operation": "session.start", "fault": "stuck", "after": 1})
    slow, stuck = (eva.upload(video)["id"] for _ in range(2))

    sim.advance(2999)
    assert eva.video(slow)["status"]["uploadStatus"] == "uploaded"
    sim.advance(1)
    eva.credentials |= channel(sim, "eva").credentials
    assert eva.video(slow)["status"]["uploadStatus"] == "processed"
    assert eva.video(stuck)["status"]["uploadStatus"] == "uploaded"

    sim.control("POST", f"/youtube/posts/{stuck}/unstick")
    assert eva.video(stuck)["status"]["uploadStatus"] == "processed"


def test_oauth_errors_come_in_oauths_shape(sim: Sim, eva: Channel) -> None:
    faults(sim, {"operation": "oauth.token", "fault": "code:invalid_grant"}, {"operation": "oauth.token", "fault": "503"})
    form = {name: eva.credentials[name] for name in ("client_id", "client_secret", "refresh_token")} | {"grant_type": "refresh_token"}

    answers = [sim.form("/youtube/token", form) for _ in range(3)]

    assert answers[0].json == {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
    assert [answer.status for answer in answers] == [400, 503, 200]
    assert answers[1].json["error"] == "server_error"


@pytest.mark.parametrize(
    ("operation", "path", "query"),
    [
        ("videos.list", "videos", {"part": "id", "id": "x"}),
        ("channels.list", "channels", {"part": "id", "mine": "true"}),
        ("playlistItems.list", "playlistItems", {"part": "id", "playlistId": "UUx"}),
    ],
)
def test_lists_fail_like_everything_else(sim: Sim, eva: Channel, operation: str, path: str, query: dict[str, str]) -> None:
    faults(sim, {"operation": operation, "fault": "503"}, {"operation": operation, "fault": "reset"})

    assert eva.get(path, **query).status == 503
    lost(lambda: eva.get(path, **query))


def test_a_thumbnail_may_be_one_too_many(sim: Sim, eva: Channel) -> None:
    faults(sim, {"operation": "thumbnails.set", "fault": "code:uploadRateLimitExceeded"})

    assert reason(eva.set_thumbnail(eva.upload(b"bytes")["id"], b"x")) == (429, "uploadRateLimitExceeded")


@pytest.mark.parametrize(
    ("operation", "fault"),
    [
        ("session.start", "code:invalid_grant"),
        ("oauth.token", "code:quotaExceeded"),
        ("oauth.authorize", "code:forbidden"),
        ("upload.chunk", "fail:spam_risk"),
        ("upload.chunk", "processing-soon"),
        ("upload.chunk", "308-retry-after"),
        ("upload.chunk", "308-shorter:1"),
        ("upload.query", "308-shorter"),
        ("session.start", "session-gone"),
        ("videos.list", "expire-upload-url"),
        ("video.init", "503"),
    ],
)
def test_a_fault_that_cannot_happen_is_refused(sim: Sim, operation: str, fault: str) -> None:
    order = {"platform": "youtube", "operation": operation, "fault": fault}

    assert sim.try_control("POST", "/faults", [order]).status == 400


def test_chance_never_makes_two_of_one(sim: Sim, eva: Channel) -> None:
    """A client that asks before it acts ends with one video each, whatever chance does."""
    sim.control("PUT", "/settings", {"failure_rate": 0.4, "seed": 7})
    for number in range(5):
        while (begun := eva.start(RESOURCE)).status != 200:
            assert begun.status in (409, 500, 503)
        uri, done = begun.headers["location"], 0
        content = BYTES + bytes([number])
        while (answer := eva.put(uri, content[done:], done, len(content))).status != 201:
            while (told := eva.query(uri, len(content))).status != 308:
                assert told.status in (500, 502, 503)
            done = persisted(told)
            assert answer.status in (500, 502, 503)

    sim.control("PUT", "/settings", {"failure_rate": 0.0})
    assert made(sim) == [hashlib.sha256(BYTES + bytes([number])).hexdigest() for number in range(5)]
