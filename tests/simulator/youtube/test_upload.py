"""Requests to a session URI: what is persisted, what is refused, and what the answers say."""

import hashlib
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from simulator.wire import Sim
from simulator.youtube.channel import BLOCK, UPLOADS, Channel, channel, knobs, persisted, posts, reason

TOTAL = 9 * BLOCK + 1000
BYTES = bytes(range(256)) * (TOTAL // 256) + bytes(TOTAL % 256)


@pytest.fixture
def uri(eva: Channel) -> str:
    return eva.session(TOTAL)


def put(eva: Channel, uri: str, first: int, end: int, total: int | str = TOTAL, **headers: str) -> Any:
    return eva.put(uri, BYTES[first:end], first, total, **headers)


@contextmanager
def sending(eva: Channel, uri: str, first: int, end: int, sent: int) -> Iterator[socket.socket]:
    """A request that says it carries BYTES[first:end] and has sent so many of them; it is open until the block ends."""
    parts = urlsplit(uri)
    lines = [
        f"PUT {parts.path}?{parts.query} HTTP/1.1",
        f"Host: {parts.netloc}",
        f"Authorization: Bearer {eva.token}",
        f"Content-Length: {end - first}",
        f"Content-Range: bytes {first}-{end - 1}/{TOTAL}",
        *("", ""),
    ]
    with socket.create_connection((parts.hostname, parts.port or 80), timeout=20) as connection:
        connection.sendall("\r\n".join(lines).encode() + BYTES[first : first + sent])
        yield connection


def test_the_whole_file_in_one_request_is_a_201_with_the_video(sim: Sim, eva: Channel, uri: str) -> None:
    answer = eva.send("PUT", uri, body=BYTES, headers={"Content-Type": "video/mp4"})

    assert answer.status == 201
    assert answer.json["kind"] == "youtube#video"
    assert answer.json["status"] == {
        "uploadStatus": "uploaded",
        "privacyStatus": "private",
        "license": "youtube",
        "embeddable": True,
        "publicStatsViewable": True,
        "madeForKids": False,
    }
    (post,) = posts(sim)
    assert (post["video_id"], post["bytes"]) == (answer.json["id"], TOTAL)
    assert post["sha256"] == hashlib.sha256(BYTES).hexdigest()


def test_chunks_are_308_with_the_persisted_range_until_the_last(sim: Sim, eva: Channel, uri: str) -> None:
    first, second = put(eva, uri, 0, BLOCK), put(eva, uri, BLOCK, 3 * BLOCK)

    assert (first.status, first.headers["range"], first.headers["content-length"]) == (308, "bytes=0-262143", "0")
    assert (second.status, second.headers["range"]) == (308, "bytes=0-786431")
    assert posts(sim)[0]["video_id"] is None
    assert put(eva, uri, 3 * BLOCK, TOTAL).status == 201
    assert posts(sim)[0]["sha256"] == hashlib.sha256(BYTES).hexdigest()


def test_a_query_before_any_byte_is_a_308_without_range(eva: Channel, uri: str) -> None:
    answer = eva.query(uri, TOTAL)

    assert (answer.status, answer.headers.get("range"), answer.body) == (308, None, b"")


def test_a_query_repeats_the_final_answer_for_a_day_and_so_do_bytes(sim: Sim, eva: Channel, uri: str) -> None:
    final = put(eva, uri, 0, TOTAL)

    sim.advance(3000)
    again = [eva.query(uri, TOTAL), eva.query(uri), put(eva, uri, 0, TOTAL), put(eva, uri, 3 * BLOCK, TOTAL)]
    assert [(answer.status, answer.body) for answer in again] == [(201, final.body)] * 4
    assert len(posts(sim)) == 1

    sim.advance(86_400 - 3000)
    eva.credentials |= channel(sim, "eva").credentials
    assert eva.query(uri, TOTAL).status == 201
    sim.advance(1)
    assert reason(eva.query(uri, TOTAL)) == (404, "notFound")


def test_an_unfinished_session_lives_seven_days(sim: Sim, eva: Channel, uri: str) -> None:
    put(eva, uri, 0, BLOCK)

    sim.advance(7 * 86_400)
    eva.credentials |= channel(sim, "eva").credentials
    assert persisted(eva.query(uri, TOTAL)) == BLOCK
    sim.advance(1)
    assert reason(eva.query(uri, TOTAL)) == (404, "notFound")
    assert reason(put(eva, uri, BLOCK, TOTAL)) == (404, "notFound")
    assert [post["state"] for post in posts(sim)] == ["abandoned"]


@pytest.mark.parametrize("size", [1, 100_000, BLOCK - 1])
def test_a_small_chunk_that_is_not_the_last_is_a_plain_400(eva: Channel, uri: str, size: int) -> None:
    answer = put(eva, uri, 0, size)

    assert (answer.status, answer.headers["content-type"]) == (400, "text/plain; charset=utf-8")
    assert b"required to be equal or greater than 262144, except for the final request" in answer.body
    assert f"The received request contained {size} bytes".encode() in answer.body
    assert persisted(eva.query(uri)) == 0


def test_only_whole_blocks_of_a_chunk_are_kept(sim: Sim, eva: Channel, uri: str) -> None:
    assert persisted(put(eva, uri, 0, 2 * BLOCK + 5000)) == 2 * BLOCK
    assert put(eva, uri, 2 * BLOCK, TOTAL).status == 201
    assert posts(sim)[0]["sha256"] == hashlib.sha256(BYTES).hexdigest()


@pytest.mark.parametrize("first", [0, BLOCK, 3 * BLOCK])
def test_a_gap_or_an_overlap_stores_nothing(eva: Channel, uri: str, first: int) -> None:
    put(eva, uri, 0, 2 * BLOCK)

    assert reason(put(eva, uri, first, TOTAL)) == (416, "requestedRangeNotSatisfiable")
    assert persisted(eva.query(uri)) == 2 * BLOCK


@pytest.mark.parametrize("status", [308, 400, 503])
def test_a_knob_says_what_answers_a_gap(sim: Sim, eva: Channel, uri: str, status: int) -> None:
    knobs(sim, wrong_offset=status)

    assert put(eva, uri, BLOCK, TOTAL).status == status
    assert persisted(eva.query(uri)) == 0


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content_Range": f"bytes 0-{TOTAL - 1}/{TOTAL + 1}"}, 400),
        ({"Content_Range": f"bytes 0-{TOTAL - 2}/{TOTAL}"}, 400),
        ({"Content_Range": f"bytes=0-{TOTAL - 1}/{TOTAL}"}, 400),
        ({"Content_Range": f"Bytes 0-{TOTAL - 1}/{TOTAL}"}, 400),
        ({"Content_Range": f"bytes 0-{TOTAL - 1}"}, 400),
        ({"Content_Range": "bytes 5-1/10"}, 400),
        ({"Content_Range": f"bytes */{TOTAL}"}, 400),
        ({"Content_Type": "application/json"}, 400),
        ({"Authorization": ""}, 401),
        ({"Authorization": "Bearer nobody"}, 401),
    ],
)
def test_a_wrong_header_is_refused_and_nothing_is_stored(eva: Channel, uri: str, headers: dict[str, str], status: int) -> None:
    assert put(eva, uri, 0, TOTAL, **headers).status == status
    assert persisted(eva.query(uri)) == 0


def test_a_total_that_differs_from_the_declared_one_is_refused(eva: Channel, uri: str) -> None:
    assert reason(eva.query(uri, TOTAL + 1)) == (400, "badRequest")
    assert reason(eva.send("PUT", uri, body=BYTES[:-1])) == (400, "badRequest")


def test_the_total_may_come_with_the_last_chunk(eva: Channel) -> None:
    uri = eva.session(None)

    assert persisted(put(eva, uri, 0, 2 * BLOCK, "*")) == 2 * BLOCK
    assert persisted(eva.query(uri)) == 2 * BLOCK
    assert put(eva, uri, 2 * BLOCK, TOTAL).status == 201


def test_the_total_may_come_after_the_last_byte(eva: Channel) -> None:
    uri = eva.session(None)
    put(eva, uri, 0, 2 * BLOCK, "*")

    assert eva.query(uri, 2 * BLOCK).status == 201


def test_an_empty_file_is_taken_and_fails_later(eva: Channel) -> None:
    answer = eva.send("PUT", eva.session(0), body=b"")

    assert answer.status == 201
    assert eva.video(answer.json["id"])["status"]["failureReason"] == "emptyFile"


@pytest.mark.parametrize("change", [("upload_id=A", "upload_id=B"), ("upload_id", "upload"), ("/upload/y", "/resumable/upload/y")])
def test_an_unknown_session_is_not_found(eva: Channel, uri: str, change: tuple[str, str]) -> None:
    assert reason(eva.query(uri.replace(*change), TOTAL)) == (404, "notFound")
    assert reason(put(eva, uri.replace(*change), 0, TOTAL)) == (404, "notFound")


def test_a_session_belongs_to_its_channel(sim: Sim, eva: Channel, uri: str) -> None:
    assert reason(channel(sim, "thief").query(uri, TOTAL)) == (403, "forbidden")
    assert persisted(eva.query(uri, TOTAL)) == 0


def test_a_token_that_expires_on_the_way_ends_nothing(sim: Sim, eva: Channel, uri: str) -> None:
    put(eva, uri, 0, BLOCK)
    sim.control("POST", "/youtube/accounts/eva/expire-token")
    assert reason(put(eva, uri, BLOCK, TOTAL)) == (401, "authError")

    eva.credentials |= channel(sim, "eva").credentials

    assert persisted(eva.query(uri)) == BLOCK
    assert put(eva, uri, BLOCK, TOTAL).status == 201


def test_a_knob_lets_the_session_uri_alone_suffice(sim: Sim, eva: Channel, uri: str) -> None:
    knobs(sim, session_authorization="optional")

    assert put(eva, uri, 0, BLOCK, Authorization="").status == 308
    assert put(eva, uri, BLOCK, TOTAL, Authorization="Bearer nobody").status == 401


def test_knobs_turn_the_final_status_and_the_range(sim: Sim, eva: Channel, uri: str) -> None:
    knobs(sim, final_status=200, range_header="bare")

    assert put(eva, uri, 0, BLOCK).headers["range"] == "0-262143"
    assert put(eva, uri, BLOCK, TOTAL).status == 200


def test_a_client_that_leaves_keeps_the_blocks_that_arrived(sim: Sim, eva: Channel, uri: str) -> None:
    put(eva, uri, 0, BLOCK)
    with sending(eva, uri, BLOCK, TOTAL, 6 * BLOCK + 77):
        while posts(sim)[0]["bytes"] < 5 * BLOCK:  # the server writes 1 MiB at a time
            pass

    while not (left := sim.requests(operation="upload.chunk")[1])["bytes"]:
        pass
    assert left["bytes"] == 6 * BLOCK + 77
    assert persisted(eva.query(uri)) == 7 * BLOCK


def test_asking_fences_off_a_request_that_still_hangs(sim: Sim, eva: Channel, uri: str) -> None:
    """What a query says stays true: the old connection can add nothing, and the new one can go on at once."""
    with sending(eva, uri, 0, TOTAL, 2 * BLOCK + 77) as hanging:
        while not sim.requests(operation="upload.chunk"):
            pass
        known = persisted(eva.query(uri))
        assert put(eva, uri, known, 4 * BLOCK).status == 308
        hanging.sendall(BYTES[2 * BLOCK + 77 :])
        assert b" 503 " in hanging.recv(65536).partition(b"\r\n")[0]

    assert persisted(eva.query(uri)) == 4 * BLOCK
    assert put(eva, uri, 4 * BLOCK, TOTAL).status == 201
    assert posts(sim)[0]["sha256"] == hashlib.sha256(BYTES).hexdigest()


def test_the_worlds_view_disturbs_no_upload(sim: Sim, eva: Channel, uri: str) -> None:
    with sending(eva, uri, 0, TOTAL, 2 * BLOCK) as connection:
        while not sim.requests(operation="upload.chunk"):
            pass
        assert posts(sim)[0]["video_id"] is None
        connection.sendall(BYTES[2 * BLOCK :])
        assert b" 201 " in connection.recv(65536).partition(b"\r\n")[0]


def test_a_body_without_its_length_is_refused(sim: Sim, eva: Channel, uri: str) -> None:
    parts = urlsplit(uri)
    lines = [f"PUT {parts.path}?{parts.query} HTTP/1.1", "Host: x", f"Authorization: Bearer {eva.token}", "Transfer-Encoding: chunked"]
    with socket.create_connection((parts.hostname, parts.port or 80), timeout=20) as connection:
        connection.sendall("\r\n".join([*lines, "", "3", "abc", "0", "", ""]).encode())
        assert b" 411 " in connection.recv(65536).partition(b"\r\n")[0]

    assert posts(sim)[0]["bytes"] == 0


def test_media_uploads_are_bytes_alone_with_a_title_nobody_chose(eva: Channel) -> None:
    answer = eva.send(
        "POST", f"{UPLOADS}/videos", body=BYTES, headers={"Content-Type": "video/mp4"}, uploadType="media", part="snippet,status"
    )

    assert answer.status == 201
    assert (answer.json["snippet"]["title"], answer.json["status"]["privacyStatus"]) == ("unknown", "public")


def multipart(line: bytes, document: bytes, media: bytes) -> bytes:
    parts = [b"--xyz", b"Content-Type: application/json", b"", document, b"--xyz", b"Content-Type: video/mp4", b"", media, b"--xyz--"]
    return line.join(parts)


@pytest.mark.parametrize("line", [b"\r\n", b"\n"])
def test_multipart_uploads_carry_their_metadata(sim: Sim, eva: Channel, line: bytes) -> None:
    body = multipart(line, b'{"snippet": {"title": "In one go"}}', BYTES)
    headers = {"Content-Type": "multipart/related; boundary=xyz"}

    answer = eva.send("POST", f"{UPLOADS}/videos", body=body, headers=headers, uploadType="multipart", part="snippet")

    assert (answer.status, answer.json["snippet"]["title"]) == (201, "In one go")
    assert posts(sim)[0]["sha256"] == hashlib.sha256(BYTES).hexdigest()


@pytest.mark.parametrize(
    ("body", "media_type", "why"),
    [
        (multipart(b"\n", b'{"snippet": {"title": ""}}', BYTES), "multipart/related; boundary=xyz", "invalidTitle"),
        (multipart(b"\n", b'{"snippet": {"title": "x"}}', b""), "multipart/related; boundary=xyz", "mediaBodyRequired"),
        (multipart(b"\n", b"{}", BYTES)[:-7], "multipart/related; boundary=xyz", "badContent"),
        (multipart(b"\n", b"{}", BYTES), "multipart/related; boundary=abc", "badContent"),
        (multipart(b"\n", b"{}", BYTES), "multipart/form-data; boundary=xyz", "badContent"),
        (b"", "multipart/related; boundary=xyz", "mediaBodyRequired"),
    ],
)
def test_a_bad_multipart_body_makes_no_video(sim: Sim, eva: Channel, body: bytes, media_type: str, why: str) -> None:
    headers = {"Content-Type": media_type}

    answer = eva.send("POST", f"{UPLOADS}/videos", body=body, headers=headers, uploadType="multipart", part="snippet")

    assert reason(answer) == (400, why)
    assert not any(post["published"] for post in posts(sim))
