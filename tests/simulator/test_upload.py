"""The PUT to the upload URL: what is stored, what is refused, and what the answers say."""

import hashlib
import socket
from urllib.parse import urlsplit

import pytest

from simulator.wire import Answer, Creator, Sim, file_source, one_chunk, put

TOTAL = 12_000_000
PARTS = ((0, 5_000_000), (5_000_000, 12_000_000))  # the last chunk takes the remainder
BYTES = bytes(range(256)) * (TOTAL // 256) + bytes(TOTAL % 256)


@pytest.fixture
def begun(ana: Creator) -> dict[str, str]:
    found: dict[str, str] = ana.video_init(file_source(TOTAL, 5_000_000, 2)).data
    return found


def send(sim: Sim, url: str, index: int, **headers: str) -> Answer:
    first, end = PARTS[index]
    return put(sim, url, BYTES[first:end], first, TOTAL, **headers)


def test_chunks_in_order_are_206_then_201_and_the_bytes_are_whole(sim: Sim, begun: dict[str, str]) -> None:
    first, last = send(sim, begun["upload_url"], 0), send(sim, begun["upload_url"], 1)

    assert (first.status, first.body, first.headers["content-range"]) == (206, b"null", "bytes 0-5000000/12000000")
    assert (last.status, last.body, last.headers["content-range"]) == (201, b"null", "bytes 0-12000000/12000000")
    assert sim.post(begun["publish_id"])["sha256"] == hashlib.sha256(BYTES).hexdigest()


@pytest.mark.parametrize(("knob", "shown"), [("index", "bytes 0-4999999/12000000"), ("absent", None)])
def test_a_knob_says_how_progress_is_told(sim: Sim, begun: dict[str, str], knob: str, shown: str | None) -> None:
    sim.settings(tiktok={"content_range_reply": knob})

    assert send(sim, begun["upload_url"], 0).headers.get("content-range") == shown


def test_a_knob_answers_the_undocumented_200(sim: Sim, begun: dict[str, str]) -> None:
    sim.settings(tiktok={"put_success": "200"})

    assert [send(sim, begun["upload_url"], index).status for index in (0, 1)] == [200, 200]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content_Range": ""}, 416),
        ({"Content_Range": "bytes 0-4999999/*"}, 400),
        ({"Content_Range": "bytes=0-4999999/12000000"}, 400),
        ({"Content_Range": "Bytes 0-4999999/12000000"}, 400),
        ({"Content_Range": "bytes 0-4999998/12000000"}, 400),
        ({"Content_Range": "bytes 0-4999999/12000001"}, 416),
        ({"Content_Range": "bytes 1-5000000/12000000"}, 416),
        ({"Content_Range": "bytes 5000000-9999999/12000000"}, 416),
        ({"Content_Type": ""}, 400),
        ({"Content_Type": "video/mpeg"}, 400),
        ({"Content_Type": "video/mp4; charset=utf-8"}, 400),
        ({"Authorization": "Bearer act.x"}, 400),
    ],
)
def test_a_wrong_header_is_refused_and_nothing_is_stored(
    sim: Sim, ana: Creator, begun: dict[str, str], headers: dict[str, str], status: int
) -> None:
    answer = send(sim, begun["upload_url"], 0, **headers)

    assert (answer.status, answer.body) == (status, b"null")
    assert "uploaded_bytes" not in ana.status(begun["publish_id"]).data
    assert send(sim, begun["upload_url"], 0).status == 206


def test_a_body_without_a_length_is_refused(sim: Sim, begun: dict[str, str]) -> None:
    headers = {"Content-Type": "video/mp4", "Content-Range": "bytes 0-4999999/12000000"}

    got = sim.pool.request("PUT", begun["upload_url"], body=iter([BYTES[:5_000_000]]), headers=headers, chunked=True)

    assert got.status == 400


def test_a_knob_lets_an_authorization_header_pass(sim: Sim, begun: dict[str, str]) -> None:
    sim.settings(tiktok={"upload_authorization": "ignore"})

    assert send(sim, begun["upload_url"], 0, Authorization="Bearer act.x").status == 206


@pytest.mark.parametrize("change", ["&x=1", "0", "&upload_id=1"])
def test_any_other_upload_url_is_unknown(sim: Sim, begun: dict[str, str], change: str) -> None:
    assert send(sim, begun["upload_url"] + change, 0).status == 404


def test_chunks_out_of_order_are_416_and_say_how_far_the_upload_is(sim: Sim, begun: dict[str, str]) -> None:
    assert send(sim, begun["upload_url"], 1).status == 416
    send(sim, begun["upload_url"], 0)

    again = send(sim, begun["upload_url"], 0)

    assert (again.status, again.headers["content-range"]) == (416, "bytes 0-5000000/12000000")


def test_a_knob_accepts_a_stored_range_again_without_storing_it_twice(sim: Sim, begun: dict[str, str]) -> None:
    sim.settings(tiktok={"stored_range_again": "accept"})

    statuses = [send(sim, begun["upload_url"], index).status for index in (0, 0, 1, 1, 0)]

    assert statuses == [206, 206, 201, 201, 201]
    assert sim.post(begun["publish_id"])["bytes_received"] == TOTAL


def test_the_content_type_may_not_change_between_chunks(sim: Sim, begun: dict[str, str]) -> None:
    send(sim, begun["upload_url"], 0)

    assert send(sim, begun["upload_url"], 1, Content_Type="video/webm").status == 400


def test_the_upload_url_dies_after_an_hour_and_the_task_never_publishes(sim: Sim, ana: Creator, begun: dict[str, str]) -> None:
    sim.advance(3600)
    assert send(sim, begun["upload_url"], 0).status == 206

    sim.advance(1)

    assert send(sim, begun["upload_url"], 1).status == 403
    assert ana.status(begun["publish_id"]).data == {"status": "PROCESSING_UPLOAD", "uploaded_bytes": 5_000_000}
    task = sim.post(begun["publish_id"])
    assert (task["state"], task["published"]) == ("abandoned", False)


def test_an_aborted_body_leaves_nothing_behind(sim: Sim, ana: Creator, begun: dict[str, str]) -> None:
    sim.faults({"operation": "upload.chunk", "fault": "reset-after-256K"})
    with pytest.raises(Exception, match=r"(?i)reset|aborted|broken"):
        send(sim, begun["upload_url"], 0)

    assert "uploaded_bytes" not in ana.status(begun["publish_id"]).data
    assert [send(sim, begun["upload_url"], index).status for index in (0, 1)] == [206, 201]


def head(url: str, first: int, last: int) -> bytes:
    """Write a chunk's request head by hand."""
    target = url.partition("/tiktok/")[2]
    lines = [f"PUT /tiktok/{target} HTTP/1.1", "Host: x", "Content-Type: video/mp4", f"Content-Length: {last - first + 1}"]
    return "\r\n".join([*lines, f"Content-Range: bytes {first}-{last}/{TOTAL}", "", ""]).encode()


def connect(sim: Sim) -> socket.socket:
    parts = urlsplit(sim.url)
    return socket.create_connection((parts.hostname, parts.port or 80), timeout=20)


def test_a_client_that_leaves_in_mid_chunk_leaves_nothing_behind(sim: Sim, ana: Creator, begun: dict[str, str]) -> None:
    with connect(sim) as connection:
        connection.sendall(head(begun["upload_url"], 0, 4_999_999) + BYTES[:3_000_000])

    while not any(entry["bytes"] for entry in sim.requests(operation="upload.chunk")):
        pass
    assert "uploaded_bytes" not in ana.status(begun["publish_id"]).data
    assert send(sim, begun["upload_url"], 0).status == 206


def test_a_request_right_behind_a_chunk_is_answered_too(sim: Sim, begun: dict[str, str]) -> None:
    """Chunks go past the HTTP parser; what follows them on the connection does not get lost."""
    following = b"GET /_simulator/clock HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = b""
    with connect(sim) as connection:
        connection.sendall(head(begun["upload_url"], 0, 4_999_999) + BYTES[:5_000_000] + following)
        while block := connection.recv(65536):
            answer += block

    assert answer.startswith(b"HTTP/1.1 206")
    assert b'"follows":false' in answer


def test_a_finished_upload_takes_no_more(sim: Sim, ana: Creator, video: bytes) -> None:
    begun = ana.video_init(one_chunk(len(video))).data
    put(sim, begun["upload_url"], video, 0, len(video))

    assert put(sim, begun["upload_url"], video, 0, len(video)).status == 416
