"""Each scripted fault as the wire shows it, and the accounting of what fired."""

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import urllib3

from clipcast_simulator.server import SimulatorServer
from clipcast_simulator.settings import quiet
from simulator.wire import POST, Answer, Creator, Sim, file_source, one_chunk, put

VIDEO = one_chunk(1000)
CHUNKED = file_source(10_000_000, 5_000_000, 2)
CHUNK = bytes(5_000_000)


def script(sim: Sim) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sim.control("GET", "/faults")["faults"]
    return found


def pending(sim: Sim) -> int:
    return int(sim.control("GET", "/faults")["pending"])


def cause(failure: pytest.ExceptionInfo[BaseException]) -> BaseException:
    found: BaseException = failure.value
    while found.__cause__ is not None or found.__context__ is not None:
        found = found.__cause__ or found.__context__  # type: ignore[assignment]  # one of them is there
    return found


@pytest.mark.parametrize("status", [400, 403, 404, 429, 500, 502, 503])
def test_a_status_is_answered_once_and_then_all_is_well(sim: Sim, ana: Creator, status: int) -> None:
    sim.faults({"operation": "creator_info", "fault": str(status)})

    assert [ana.info().status, ana.info().status] == [status, 200]
    assert pending(sim) == 0


@pytest.mark.parametrize(
    ("shape", "start"),
    [("object", b'{"error":{"code"'), ("string", b'{"error":"internal'), ("text", b"Some"), ("html", b"<html>"), ("empty", b"")],
)
def test_an_error_comes_in_the_shape_that_was_asked_for(sim: Sim, ana: Creator, shape: str, start: bytes) -> None:
    sim.faults({"operation": "creator_info", "fault": "500", "body": shape})

    answer = ana.info()

    assert answer.status == 500
    assert answer.body.startswith(start)
    assert bool(answer.body) == bool(start)


@pytest.mark.parametrize(
    ("operation", "code", "status"),
    [
        ("video.init", "spam_risk_too_many_posts", 403),
        ("creator_info", "spam_risk_too_many_posts", 200),
        ("video.init", "rate_limit_exceeded", 429),
        ("status", "internal_error", 500),
    ],
)
def test_a_code_comes_with_its_documented_status(sim: Sim, ana: Creator, operation: str, code: str, status: int) -> None:
    sim.faults({"operation": operation, "fault": f"code:{code}"})
    calls: dict[str, Callable[[], Answer]] = {
        "video.init": lambda: ana.video_init(VIDEO),
        "creator_info": ana.info,
        "status": lambda: ana.status("x"),
    }

    answer = calls[operation]()

    assert (answer.status, answer.code) == (status, code)


def test_an_oauth_code_comes_in_the_flat_shape(sim: Sim) -> None:
    sim.faults({"operation": "oauth.token", "fault": "code:temporarily_unavailable"})

    answer = sim.form("/tiktok/v2/oauth/token/", {})

    assert (answer.status, answer.json["error"]) == (503, "temporarily_unavailable")


def test_faults_are_consumed_in_order_and_counted(sim: Sim, ana: Creator) -> None:
    sim.faults(
        {"operation": "creator_info", "fault": "500", "times": 2, "after": 1},
        {"operation": "creator_info", "fault": "503"},
        {"operation": "video.list", "fault": "503"},
    )

    statuses = [ana.info().status for _ in range(5)]

    assert statuses == [200, 500, 500, 503, 200]
    assert [(fault["fired"], fault["pending"]) for fault in script(sim)] == [(2, 0), (1, 0), (0, 1)]
    fired = [entry["fault"] for entry in sim.requests(operation="creator_info")]
    assert fired == [None, "500", "500", "503", None]


def test_a_fault_can_be_meant_for_one_account(sim: Sim, ana: Creator) -> None:
    bo = sim.account("bo")
    sim.faults({"operation": "creator_info", "fault": "500", "username": "bo"})

    assert (ana.info().status, bo.info().status) == (200, 500)


@pytest.mark.parametrize(
    ("wanted", "statuses"), [({"chunk": 0}, [503, 206, 201]), ({"chunk": 1}, [206, 503, 201]), ({"last": True}, [206, 503, 201])]
)
def test_a_fault_can_be_meant_for_one_chunk(sim: Sim, ana: Creator, wanted: dict[str, Any], statuses: list[int]) -> None:
    url = ana.video_init(CHUNKED).data["upload_url"]
    sim.faults({"operation": "upload.chunk", "fault": "503", **wanted})
    first = 0
    seen: list[int] = []

    while len(seen) < 3:
        answer = put(sim, url, CHUNK, first, 10_000_000)
        seen.append(answer.status)
        first += 5_000_000 * (answer.status < 300)

    assert seen == statuses


def test_an_upload_can_be_answered_503_in_the_middle_of_a_chunk(sim: Sim, ana: Creator) -> None:
    begun = ana.video_init(CHUNKED).data
    sim.faults({"operation": "upload.chunk", "fault": "503-after-256K"})

    answer = put(sim, begun["upload_url"], CHUNK, 0, 10_000_000)

    assert (answer.status, answer.body) == (503, b"null")
    assert "uploaded_bytes" not in ana.status(begun["publish_id"]).data
    (entry,) = sim.requests(operation="upload.chunk")
    assert 256 * 1024 <= entry["bytes"] < 5_000_000
    assert put(sim, begun["upload_url"], CHUNK, 0, 10_000_000).status == 206


def raw(sim: Sim, request: bytes) -> socket.socket:
    """Send bytes on a socket of our own."""
    parts = urlsplit(sim.url)
    connection = socket.create_connection((parts.hostname, parts.port or 80), timeout=10)
    connection.sendall(request)
    return connection


def status_request(ana: Creator) -> bytes:
    head = f"POST {POST}/creator_info/query/ HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ana.token}\r\nContent-Length: 0\r\n\r\n"
    return head.encode()


def test_a_reset_is_a_tcp_reset(sim: Sim, ana: Creator) -> None:
    sim.faults({"operation": "creator_info", "fault": "reset"})

    with raw(sim, status_request(ana)) as connection, pytest.raises(ConnectionResetError):
        connection.recv(100)

    (entry,) = sim.requests(operation="creator_info")
    assert (entry["status"], entry["fault"]) == (None, "reset")


def test_a_dropped_answer_is_an_orderly_end_without_a_byte(sim: Sim, ana: Creator) -> None:
    sim.faults({"operation": "creator_info", "fault": "accept-then-drop-answer"})

    with raw(sim, status_request(ana)) as connection:
        assert connection.recv(100) == b""


@pytest.mark.parametrize("fault", ["reset", "reset-after-256K"])
def test_a_reset_chunk_is_not_stored(sim: Sim, ana: Creator, fault: str) -> None:
    begun = ana.video_init(CHUNKED).data
    sim.faults({"operation": "upload.chunk", "fault": fault})

    with pytest.raises(urllib3.exceptions.ProtocolError) as failure:
        put(sim, begun["upload_url"], CHUNK, 0, 10_000_000)

    assert isinstance(cause(failure), (ConnectionResetError, BrokenPipeError))
    assert "uploaded_bytes" not in ana.status(begun["publish_id"]).data
    assert put(sim, begun["upload_url"], CHUNK, 0, 10_000_000).status == 206


def test_an_accepted_chunk_whose_answer_is_dropped_is_stored(sim: Sim, ana: Creator, video: bytes) -> None:
    begun = ana.video_init(one_chunk(len(video))).data
    sim.faults({"operation": "upload.chunk", "fault": "accept-then-drop-answer", "last": True})

    with pytest.raises(urllib3.exceptions.ProtocolError):
        put(sim, begun["upload_url"], video, 0, len(video))

    assert ana.status(begun["publish_id"]).data["status"] == "PUBLISH_COMPLETE"


@pytest.mark.parametrize("fault", ["accept-then-drop-answer", "error-after-effect"])
def test_an_init_can_have_its_effect_without_saying_so(sim: Sim, ana: Creator, fault: str) -> None:
    sim.faults({"operation": "video.init", "fault": fault, "status": 502})
    answer: Answer | None = None
    try:
        answer = ana.video_init(VIDEO)
    except urllib3.exceptions.ProtocolError:
        assert fault == "accept-then-drop-answer"

    assert (answer.status if answer else 502) == 502
    assert [post["state"] for post in sim.posts()] == ["created"]


def test_a_stall_outlasts_an_impatient_client_and_nothing_is_done(sim: Sim, ana: Creator) -> None:
    sim.faults({"operation": "video.init", "fault": "stall-30s"})
    impatient = Creator(Sim(sim.url, urllib3.PoolManager(retries=False, timeout=0.2)), ana.credentials)

    with pytest.raises(urllib3.exceptions.ReadTimeoutError):
        impatient.video_init(VIDEO)

    assert ana.video_init(VIDEO).code == "ok"
    assert len(sim.posts()) == 1


def test_after_a_short_stall_the_request_is_answered(sim: Sim, ana: Creator, video: bytes) -> None:
    sim.faults({"operation": "video.init", "fault": "stall-0.1s"}, {"operation": "upload.chunk", "fault": "stall-0.1s"})

    assert ana.status(ana.upload(video)).data["status"] == "PUBLISH_COMPLETE"
    assert pending(sim) == 0


@pytest.mark.parametrize(("fault", "refreshes"), [("expire-token", True), ("revoke-token", False)])
def test_a_token_can_end_under_a_request(sim: Sim, ana: Creator, fault: str, *, refreshes: bool) -> None:
    sim.faults({"operation": "creator_info", "fault": fault})
    assert (ana.info().status, ana.info().code) == (401, "access_token_invalid")

    form = {"client_key": "awclipcastsimulator", "client_secret": "clipcast-simulator-secret", "grant_type": "refresh_token"}
    answer = sim.form("/tiktok/v2/oauth/token/", form | {"refresh_token": ana.credentials["refresh_token"]})

    assert ("access_token" in answer.json) == refreshes


def test_a_token_can_expire_in_mid_upload_and_the_upload_goes_on(sim: Sim, ana: Creator) -> None:
    begun = ana.video_init(CHUNKED).data
    sim.faults({"operation": "upload.chunk", "fault": "expire-token"})

    assert put(sim, begun["upload_url"], CHUNK, 0, 10_000_000).status == 206
    assert ana.status(begun["publish_id"]).code == "access_token_invalid"
    assert sim.account("ana").status(begun["publish_id"]).data["uploaded_bytes"] == 5_000_000


@pytest.mark.parametrize("operation", ["video.init", "upload.chunk"])
def test_an_upload_url_can_expire_early(sim: Sim, ana: Creator, operation: str) -> None:
    sim.faults({"operation": operation, "fault": "expire-upload-url"})
    url = ana.video_init(CHUNKED).data["upload_url"]

    assert put(sim, url, CHUNK, 0, 10_000_000).status == 403


@pytest.mark.parametrize(("fault", "shown"), [("416-with-header", "bytes 0-5000000/10000000"), ("416-without-header", None)])
def test_a_416_comes_with_and_without_progress(sim: Sim, ana: Creator, fault: str, shown: str | None) -> None:
    url = ana.video_init(CHUNKED).data["upload_url"]
    put(sim, url, CHUNK, 0, 10_000_000)
    sim.faults({"operation": "upload.chunk", "fault": fault})

    answer = put(sim, url, CHUNK, 5_000_000, 10_000_000)

    assert (answer.status, answer.headers.get("content-range")) == (416, shown)
    assert put(sim, url, CHUNK, 5_000_000, 10_000_000).status == 201


@pytest.mark.parametrize("operation", ["video.init", "upload.chunk", "status"])
def test_a_post_can_fail_for_any_reason(sim: Sim, ana: Creator, video: bytes, operation: str) -> None:
    sim.settings(processing_s=10.0)
    sim.faults({"operation": operation, "fault": "fail:spam_risk_text"})
    publish_id = ana.upload(video)
    sim.advance(0 if operation == "status" else 10)

    assert ana.status(publish_id).data == {"status": "FAILED", "fail_reason": "spam_risk_text"}
    assert sim.post(publish_id)["published"] is False


def test_a_post_can_be_stuck_until_it_is_not(sim: Sim, ana: Creator, video: bytes) -> None:
    sim.faults({"operation": "video.init", "fault": "stuck"})
    publish_id = ana.upload(video)
    sim.advance(50_000)
    assert ana.status(publish_id).data["status"] == "PROCESSING_UPLOAD"

    sim.control("POST", f"/tiktok/posts/{publish_id}/unstick")
    assert ana.status(publish_id).data["status"] == "PUBLISH_COMPLETE"


def test_processing_can_be_slow_for_one_post(sim: Sim, ana: Creator, video: bytes) -> None:
    sim.faults({"operation": "video.init", "fault": "processing-3600s"})
    publish_id = ana.upload(video)
    sim.advance(3599)
    assert ana.status(publish_id).data["status"] == "PROCESSING_UPLOAD"

    sim.advance(1)
    assert ana.status(publish_id).data["status"] == "PUBLISH_COMPLETE"


def test_a_publish_id_can_be_unknown_a_few_times(sim: Sim, ana: Creator, video: bytes) -> None:
    publish_id = ana.upload(video)
    sim.faults({"operation": "status", "fault": "early-invalid-publish-id", "times": 2})

    answers = [ana.status(publish_id) for _ in range(3)]

    assert [answer.status for answer in answers] == [400, 400, 200]
    assert answers[0].message == "invalid_publish_id"


@pytest.mark.parametrize(
    ("order", "part"),
    [
        ({"operation": "video.init", "fault": "explode"}, "unknown fault 'explode'"),
        ({"operation": "video.init", "fault": "fail:boredom"}, "unknown fail reason 'boredom'"),
        ({"operation": "video.init", "fault": "code:teapot"}, "no error code 'teapot'"),
        ({"operation": "video.init", "fault": "416-with-header"}, "cannot happen to video.init"),
        ({"operation": "video.init", "fault": "processing-longs"}, "processing-<seconds>s"),
        ({"operation": "video.delete", "fault": "500"}, "unknown operation 'video.delete'"),
        ({"operation": "video.init", "fault": "500", "platform": "myspace"}, "unknown platform 'myspace'"),
        ({"operation": "video.init", "fault": "500", "chance": 1}, "chance"),
        ({"operation": "video.init", "fault": "500", "times": 0}, "times"),
        ({"operation": "video.init"}, "fault"),
    ],
)
def test_an_instruction_that_means_nothing_is_refused_whole(sim: Sim, order: dict[str, Any], part: str) -> None:
    good = {"platform": "tiktok", "operation": "status", "fault": "500"}

    answer = sim.try_control("POST", "/faults", [good, {"platform": "tiktok"} | order])

    assert answer.status == 400
    assert part in answer.json["error"]
    assert script(sim) == []


def test_the_script_can_be_cleared(sim: Sim, ana: Creator) -> None:
    sim.faults({"operation": "creator_info", "fault": "500", "times": 9})
    sim.control("DELETE", "/faults")

    assert (script(sim), ana.info().status) == ([], 200)


def test_chance_fails_requests_repeatably_and_never_after_an_effect(sim: Sim, ana: Creator) -> None:
    sim.settings(failure_rate=0.5, seed=7, tiktok={"per_minute_limits": "off"})
    statuses = [ana.info().status for _ in range(60)]

    assert 15 < statuses.count(200) < 45
    assert set(statuses) <= {200, 500, 502, 503}
    begun = [ana.video_init(VIDEO) for _ in range(12)]
    assert len(sim.posts()) == sum(answer.code == "ok" for answer in begun if answer.status == 200)


def test_an_honest_client_gets_through_half_the_requests_failing(sim: Sim, ana: Creator, video: bytes) -> None:
    """Retrying what may be retried publishes exactly once."""
    sim.settings(failure_rate=0.3, seed=3, tiktok={"per_minute_limits": "off"})
    done = None
    for _ in range(60):
        begun = ana.video_init(one_chunk(len(video)))
        if begun.status != 200:
            continue
        while put(sim, begun.data["upload_url"], video, 0, len(video)).status >= 500:
            pass
        while (status := ana.status(begun.data["publish_id"])).status >= 500:
            pass
        if status.data["status"] == "PUBLISH_COMPLETE":
            done = begun.data["publish_id"]
            break

    assert [post["publish_id"] for post in sim.posts() if post["published"]] == [done]


def test_the_journal_remembers_a_stall_that_was_sat_out(sim: Sim, ana: Creator) -> None:
    sim.faults({"operation": "creator_info", "fault": "stall-0.05s"})
    ana.info()

    (entry,) = sim.requests(operation="creator_info")
    assert (entry["status"], entry["fault"]) == (200, "stall-0.05s")


def test_closing_cuts_a_stalled_request_off(tmp_path: Path) -> None:
    with SimulatorServer(tmp_path, quiet()) as server:
        sim = Sim(server.url)
        ana = sim.account("ana")
        sim.faults({"operation": "creator_info", "fault": "stall-30s"})
        connection = raw(sim, status_request(ana))
        while not sim.requests():
            pass

    with connection:
        assert connection.recv(100) == b""
