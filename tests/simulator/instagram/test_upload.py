"""The upload host: offsets, what is kept of a body that broke off, and the third shape of an error."""

import hashlib
import json
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest

from simulator.instagram.client import Profile, bearer, profile, world
from simulator.web import Web
from simulator.wire import Answer, Sim


def kept(who: Profile, container: str) -> int:
    return int(who.status(container)["video_status"]["uploading_phase"]["bytes_transferred"])


def debug(answer: Answer) -> tuple[int, str, bool]:
    told = answer.json["debug_info"]
    return answer.status, told["type"], told["retriable"]


REFUSED = (400, "ProcessingFailedError", False)


def test_a_short_body_is_kept_and_the_rest_follows(fay: Profile, clip: bytes) -> None:
    container, uri = fay.resumable()
    size, half = len(clip), len(clip) // 2

    answer = fay.send(uri, clip[:half], size=size)

    assert debug(answer) == (206, "PartialRequestError", True)
    assert answer.json["debug_info"]["message"] == "Partial request (did not match length of file)"
    assert fay.status(container)["video_status"] == {
        "uploading_phase": {"status": "in_progress", "bytes_transferred": half},
        "processing_phase": {"status": "not_started"},
    }
    assert fay.send(uri, clip[half:], offset=half, size=size).status == 200
    assert world(fay.sim)[0]["sha256"] == hashlib.sha256(clip).hexdigest()
    assert fay.status(container)["video_status"] == {
        "uploading_phase": {"status": "complete", "bytes_transferred": size},
        "processing_phase": {"status": "complete"},
    }


@pytest.mark.parametrize("offset", [1, 999, 1001, 5000])
def test_a_wrong_offset_changes_nothing(fay: Profile, clip: bytes, offset: int) -> None:
    container, uri = fay.resumable()
    fay.send(uri, clip[:1000], size=len(clip))

    answer = fay.send(uri, clip[offset:], offset=offset, size=len(clip))

    assert debug(answer) == (412, "OffsetInvalidError", True)
    assert kept(fay, container) == 1000


def test_a_knob_answers_400_in_their_place(fay: Profile, clip: bytes) -> None:
    fay.settings(upload_status="400")
    _, uri = fay.resumable()

    assert debug(fay.send(uri, clip[:9], size=len(clip))) == (400, "PartialRequestError", True)
    assert debug(fay.send(uri, clip, size=len(clip))) == (400, "OffsetInvalidError", True)


def cut_off(fay: Profile, uri: str, body: bytes, size: int) -> None:
    """Send a part of what was announced and close the connection."""
    address = urlsplit(uri)
    assert address.hostname is not None
    with socket.create_connection((address.hostname, address.port or 80)) as line:
        head = f"POST {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: OAuth {fay.token}\r\n"
        line.sendall(f"{head}offset: 0\r\nfile_size: {size}\r\nContent-Length: {size}\r\n\r\n".encode() + body)
        line.shutdown(socket.SHUT_WR)
        line.recv(1)
    wait_for_the_end(fay)


def wait_for_the_end(fay: Profile) -> None:
    """Ask until the journal has the size of the body that broke off: the answer is stored a moment after the connection ended."""
    for _ in range(2000):
        if fay.sim.requests(operation="upload")[-1]["bytes"]:
            return
    raise AssertionError("the broken upload was never noted")


def test_every_byte_that_arrived_is_kept(fay: Profile, clip: bytes) -> None:
    container, uri = fay.resumable()

    cut_off(fay, uri, clip[:5002], len(clip))

    assert kept(fay, container) == 5002
    assert fay.send(uri, clip[5002:], offset=5002, size=len(clip)).status == 200
    assert world(fay.sim)[0]["sha256"] == hashlib.sha256(clip).hexdigest()


def test_a_knob_loses_the_tail(fay: Profile) -> None:
    fay.settings(upload_tail="lost")
    container, uri = fay.resumable()

    cut_off(fay, uri, bytes(100_000), 1_000_000)

    assert kept(fay, container) == 100_000 - 65_536


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": ""},
        {"Authorization": "Bearer {token}"},
        {"Authorization": "OAuth nonsense"},
        {"offset": ""},
        {"offset": "-1"},
        {"file_size": ""},
        {"file_size": "0"},
        {"file_size": "10"},
        {"Content-Type": "multipart/form-data; boundary=b"},
        {"file_url": "https://example.com/v.mp4"},
    ],
)
def test_strictness(fay: Profile, clip: bytes, headers: dict[str, Any]) -> None:
    container, uri = fay.resumable()
    told: dict[str, Any] = {name: value.format(token=fay.token) for name, value in headers.items()}

    answer = fay.send(uri, clip, **told)

    assert debug(answer) == REFUSED
    assert json.loads(answer.json["debug_info"]["message"])["success"] is False
    assert kept(fay, container) == 0


def test_another_accounts_token_is_unauthorized(sim: Sim, fay: Profile, clip: bytes) -> None:
    _, uri = fay.resumable()
    guy = profile(sim, "guy", login="facebook")

    answer = guy.send(uri, clip)

    assert debug(answer) == REFUSED
    assert "unauthorized user request" in answer.json["debug_info"]["message"]


def test_both_tokens_of_an_account_may_upload(fay: Profile, clip: bytes) -> None:
    _, uri = fay.resumable()

    assert fay.send(uri, clip, Authorization=f"OAuth {fay.credentials['user_token']}").status == 200


def test_the_size_of_the_file_cannot_change(fay: Profile, clip: bytes) -> None:
    _, uri = fay.resumable()
    fay.send(uri, clip[:10], size=len(clip))

    assert debug(fay.send(uri, clip[10:], offset=10, size=len(clip) + 1)) == REFUSED


def test_a_finished_upload_takes_no_more(fay: Profile, clip: bytes) -> None:
    _, uri = fay.resumable()
    fay.send(uri, clip)

    assert debug(fay.send(uri, clip)) == REFUSED


def test_an_upload_lives_as_long_as_its_container(sim: Sim, fay: Profile, clip: bytes) -> None:
    _, uri = fay.resumable()
    sim.advance(86_400)

    assert debug(fay.send(uri, clip)) == REFUSED


def test_a_container_with_a_url_takes_no_bytes(fay: Profile, clip: bytes, clip_url: str) -> None:
    container = fay.container(media_type="REELS", video_url=clip_url)
    uri = f"{fay.sim.url}/instagram/rupload/ig-api-upload/v26.0/{container}"

    assert debug(fay.send(uri, clip)) == REFUSED


def pull(who: Profile, uri: str, url: str, **more: str) -> Answer:
    head = {"Authorization": f"OAuth {who.token}", "file_url": url} | more
    return who.sim.send("POST", uri, body=b"", headers=head)


def test_the_host_fetches_a_file_when_it_is_told_to(sim: Sim, fay: Profile, clip: bytes, clip_url: str) -> None:
    container, uri = fay.resumable()

    assert pull(fay, uri, clip_url).json["success"] is True
    sim.settle()

    assert fay.code(container) == "FINISHED"
    assert world(sim)[0]["sha256"] == hashlib.sha256(clip).hexdigest()


def test_a_file_that_cannot_be_fetched_ends_the_container(sim: Sim, fay: Profile, web: Web) -> None:
    container, uri = fay.resumable()

    pull(fay, uri, f"{web.url}/absent.mp4")
    sim.settle()

    assert fay.status(container)["status"].endswith("2207052")


@pytest.mark.parametrize("more", [{"offset": "0"}, {"file_size": "10"}])
def test_fetching_takes_no_other_header(fay: Profile, clip_url: str, more: dict[str, Any]) -> None:
    _, uri = fay.resumable()

    assert debug(pull(fay, uri, clip_url, **more)) == REFUSED


def test_a_knob_says_completed(fay: Profile, clip: bytes) -> None:
    fay.settings(phase_complete="completed")
    container, uri = fay.resumable()
    fay.send(uri, clip)

    assert fay.status(container)["video_status"]["uploading_phase"]["status"] == "completed"


def test_copyright_is_checked_with_the_video(fay: Profile, clip: bytes, jpeg_url: str) -> None:
    container, uri = fay.resumable()
    assert fay.status(container)["copyright_check_status"] == {"status": "in_progress", "matches_found": False}
    fay.send(uri, clip)

    assert fay.status(container)["copyright_check_status"] == {"status": "completed", "matches_found": False}
    assert "copyright_check_status" not in fay.status(fay.container(image_url=jpeg_url))


def test_the_upload_host_answers_posts_alone(fay: Profile) -> None:
    _, uri = fay.resumable()

    assert fay.sim.send("GET", uri, headers=bearer(fay.token)).status == 405
