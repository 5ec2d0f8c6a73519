"""Each scripted fault of Instagram as the wire shows it, and what it leaves behind."""

import json
from typing import Any

import pytest
import urllib3

from clipcast_simulator.settings import quiet
from simulator.instagram.client import Profile, error, world
from simulator.wire import Sim


def pending(sim: Sim) -> int:
    return int(sim.control("GET", "/faults")["pending"])


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("1", (400, 1, None)),
        ("2", (500, 2, None)),
        ("4", (400, 4, None)),
        ("17", (400, 17, None)),
        ("10", (403, 10, None)),
        ("200", (403, 200, None)),
        ("368", (400, 368, None)),
        ("190", (400, 190, None)),
        ("190/0", (400, 190, 0)),
        ("190/460", (400, 190, 460)),
        ("100/33", (400, 100, 33)),
        ("9/2207042", (400, 9, 2207042)),
        ("4/2207051", (400, 4, 2207051)),
        ("-1/2207001", (400, -1, 2207001)),
        ("-2/2207003", (400, -2, 2207003)),
    ],
)
def test_a_code_is_answered_once_and_nothing_is_done(sim: Sim, ana: Profile, jpeg_url: str, word: str, wanted: Any) -> None:
    container = ana.container(image_url=jpeg_url)
    ana.faults({"operation": "publish", "fault": f"code:{word}"})

    assert error(ana.publish(container)) == wanted
    assert ana.code(container) == "FINISHED"
    ana.published(container)
    assert pending(sim) == 0


def test_throttling_tells_when_to_come_back(ana: Profile) -> None:
    ana.faults({"operation": "user", "fault": "code:80002"})

    answer = ana.get("me")

    assert error(answer) == (400, 80002, None)
    (case,) = json.loads(answer.headers["X-Business-Use-Case-Usage"])[ana.id]
    assert (case["call_count"], case["estimated_time_to_regain_access"]) == (100, 60)


def test_a_post_may_be_live_although_an_error_said_no(sim: Sim, ana: Profile, jpeg_url: str) -> None:
    container = ana.container(image_url=jpeg_url)
    ana.faults({"operation": "publish", "fault": "publish-live-but-error:4/2207051"})

    assert error(ana.publish(container)) == (400, 4, 2207051)

    assert ana.code(container) == "PUBLISHED"
    assert [post["published"] for post in world(sim)] == [True]


def test_a_lost_answer_leaves_a_post(sim: Sim, ana: Profile, jpeg_url: str) -> None:
    container = ana.container(image_url=jpeg_url)
    ana.faults({"operation": "publish", "fault": "accept-then-drop-answer"})

    with pytest.raises(urllib3.exceptions.ProtocolError):
        ana.publish(container)

    assert ana.code(container) == "PUBLISHED"
    listed = ana.get("me/media", fields="id,caption,timestamp").json["data"]
    assert [item["id"] for item in listed] == [world(sim)[0]["id"]]


def test_a_lost_answer_to_an_image_leaves_a_container(sim: Sim, ana: Profile, jpeg_url: str) -> None:
    ana.faults({"operation": "container.create", "fault": "accept-then-drop-answer"})

    with pytest.raises(urllib3.exceptions.ProtocolError):
        ana.create(image_url=jpeg_url)

    assert [(post["published"], post["status_code"]) for post in world(sim)] == [(False, "FINISHED")]


def test_an_error_after_the_effect(sim: Sim, ana: Profile, jpeg_url: str) -> None:
    container = ana.container(image_url=jpeg_url)
    ana.faults({"operation": "publish", "fault": "error-after-effect", "status": 502, "body": "html"})

    answer = ana.publish(container)

    assert (answer.status, answer.body[:6]) == (502, b"<html>")
    assert world(sim)[0]["published"] is True


@pytest.mark.parametrize(
    ("kind", "hidden"), [("", (True, True)), (":page", (True, False)), (":user", (False, True)), (":instagram", (False, False))]
)
def test_a_container_cannot_be_read_for_a_while(sim: Sim, fay: Profile, jpeg_url: str, kind: str, hidden: tuple[bool, bool]) -> None:
    fay.faults({"operation": "container.create", "fault": f"container-unreadable:60s{kind}"})
    container, user = fay.container(image_url=jpeg_url), fay.credentials["user_token"]

    answers = (fay.get(container), fay.get(container, user))
    assert tuple(answer.status == 400 for answer in answers) == hidden
    assert all(error(answer) == (400, 100, 33) for answer in answers if answer.status == 400)
    sim.advance(60)
    assert fay.code(container) == "FINISHED"


def test_a_container_unreadable_after_publishing(sim: Sim, ana: Profile, jpeg_url: str) -> None:
    container = ana.container(image_url=jpeg_url)
    ana.faults({"operation": "publish", "fault": "container-unreadable:30s"})
    ana.published(container)

    assert error(ana.get(container)) == (400, 100, 33)
    sim.advance(30)
    assert ana.code(container) == "PUBLISHED"


def test_a_container_fails_as_scripted(ana: Profile, jpeg_url: str, clip_url: str) -> None:
    ana.settings(video_processing_s=20.0)
    ana.faults({"operation": "container.create", "fault": "fail:2207053"})
    reel = ana.reel(clip_url)
    assert ana.code(reel) == "IN_PROGRESS"
    ana.sim.advance(20)
    assert ana.status(reel)["status"].endswith("2207053")

    image = ana.container(image_url=jpeg_url)
    ana.faults({"operation": "container.status", "fault": "fail:2207082"})
    assert ana.status(image)["status"].endswith("2207082")


def test_a_container_stays_in_progress_until_it_is_let_go(sim: Sim, ana: Profile, jpeg_url: str) -> None:
    ana.faults({"operation": "container.create", "fault": "stuck"})
    container = ana.container(image_url=jpeg_url)
    sim.advance(3600)
    assert ana.code(container) == "IN_PROGRESS"

    sim.control("POST", f"/instagram/posts/{container}/unstick")

    assert ana.code(container) == "FINISHED"


def test_a_stuck_container_expires(sim: Sim, ana: Profile, jpeg_url: str) -> None:
    ana.faults({"operation": "container.create", "fault": "stuck"})
    container = ana.container(image_url=jpeg_url)
    sim.advance(86_400)

    assert ana.code(container) == "EXPIRED"


def test_processing_can_take_longer(sim: Sim, fay: Profile, clip: bytes, jpeg_url: str) -> None:
    _, uri = fay.resumable()
    fay.faults({"operation": "upload", "fault": "processing-300s"}, {"operation": "container.create", "fault": "processing-300s"})
    fay.send(uri, clip)
    image = fay.container(image_url=jpeg_url)

    assert [post["status_code"] for post in world(sim)] == ["IN_PROGRESS", "IN_PROGRESS"]
    sim.advance(300)
    assert [post["status_code"] for post in world(sim)] == ["FINISHED", "FINISHED"]
    fay.published(image)


def test_a_container_can_be_past_its_day(ana: Profile, jpeg_url: str) -> None:
    container = ana.container(image_url=jpeg_url)
    ana.faults({"operation": "publish", "fault": "expire-container"})

    assert error(ana.publish(container)) == (400, 24, 2207008)
    assert ana.code(container) == "EXPIRED"


@pytest.mark.parametrize(("fault", "subcode"), [("expire-token", 463), ("revoke-token", 458)])
def test_a_token_ends_first(sim: Sim, ana: Profile, jpeg_url: str, fault: str, subcode: int) -> None:
    container = ana.container(image_url=jpeg_url)
    ana.faults({"operation": "publish", "fault": fault})

    assert error(ana.publish(container)) == (400, 190, subcode)
    assert world(sim)[0]["published"] is False


def test_a_token_ends_before_an_upload(fay: Profile, clip: bytes) -> None:
    _, uri = fay.resumable()
    fay.faults({"operation": "upload", "fault": "revoke-token"})

    assert "unauthorized user request" in fay.send(uri, clip).json["debug_info"]["message"]


@pytest.mark.parametrize(
    ("status", "kind", "retriable"),
    [(500, "InternalError", True), (503, "InternalError", True), (401, "NotAuthorizedError", False), (400, "ProcessingFailedError", False)],
)
def test_the_upload_host_fails_in_the_third_shape(fay: Profile, clip: bytes, status: int, kind: str, retriable: Any) -> None:
    container, uri = fay.resumable()
    fay.faults({"operation": "upload", "fault": str(status)})

    told = fay.send(uri, clip).json["debug_info"]

    assert (told["type"], told["retriable"]) == (kind, retriable)
    assert fay.status(container)["video_status"]["uploading_phase"] == {"status": "not_started", "bytes_transferred": 0}


def test_a_failure_in_mid_upload_keeps_what_arrived(fay: Profile) -> None:
    body = bytes(1_000_000)
    container, uri = fay.resumable()
    fay.faults({"operation": "upload", "fault": "503-after-256K"}, {"operation": "upload", "fault": "reset-after-64K"})

    assert fay.send(uri, body).status == 503
    assert fay.status(container)["video_status"]["uploading_phase"]["bytes_transferred"] == 262_144
    with pytest.raises(urllib3.exceptions.HTTPError):
        fay.send(uri, body[262_144:], offset=262_144, size=len(body))
    assert fay.status(container)["video_status"]["uploading_phase"]["bytes_transferred"] == 262_144 + 65_536
    assert fay.send(uri, body[327_680:], offset=327_680, size=len(body)).status == 200


def test_a_lost_answer_to_the_last_byte(fay: Profile, clip: bytes) -> None:
    container, uri = fay.resumable()
    fay.faults({"operation": "upload", "fault": "accept-then-drop-answer"})

    with pytest.raises(urllib3.exceptions.ProtocolError):
        fay.send(uri, clip)

    assert fay.code(container) == "FINISHED"


def test_the_code_exchange_fails_in_the_second_shape(sim: Sim, ana: Profile) -> None:
    ana.faults({"operation": "oauth.code", "fault": "500"})

    told = sim.form("/instagram/oauth/access_token", {})

    assert (told.status, told.json["error_type"]) == (500, "OAuthException")


@pytest.mark.parametrize(
    ("shape", "start"),
    [("object", b'{"error":{"message"'), ("string", b'{"error":"Serv'), ("text", b"Service"), ("html", b"<html>"), ("empty", b"")],
)
def test_an_error_comes_in_the_shape_that_was_asked_for(ana: Profile, shape: str, start: bytes) -> None:
    ana.faults({"operation": "user", "fault": "500", "body": shape})

    answer = ana.get("me")

    assert answer.status == 500
    assert answer.body.startswith(start)
    assert bool(answer.body) == bool(start)


def test_a_fault_can_be_meant_for_one_account(ana: Profile, fay: Profile) -> None:
    ana.faults({"operation": "user", "fault": "503", "username": "fay"})

    assert (ana.get("me").status, fay.get("me").status, fay.get("me").status) == (200, 503, 200)


@pytest.mark.parametrize(
    ("operation", "fault"),
    [
        ("publish", "code:99"),
        ("publish", "code:4/1"),
        ("publish", "fail:2207053"),
        ("publish", "publish-live-but-error:soon"),
        ("container.create", "publish-live-but-error:4/2207051"),
        ("container.create", "fail:1"),
        ("container.create", "fail:boom"),
        ("container.create", "processing-long"),
        ("container.status", "container-unreadable"),
        ("container.status", "container-unreadable:60s:robot"),
        ("upload", "code:2"),
        ("limit", "stuck"),
        ("limit", "no-such-fault"),
        ("no-such-operation", "503"),
    ],
)
def test_unknown_instructions_are_refused(sim: Sim, operation: str, fault: str) -> None:
    order = {"platform": "instagram", "operation": operation, "fault": fault}

    assert sim.try_control("POST", "/faults", [order]).status == 400
    assert pending(sim) == 0


def test_chance_never_doubles_or_loses_a_post(sim: Sim, ana: Profile, jpeg_url: str) -> None:
    """Half of all requests fail, and every failure says truly that nothing was done."""
    sim.settings(failure_rate=0.5)
    published = 0
    for _ in range(40):
        answer = ana.create(image_url=jpeg_url)
        if answer.status == 200 and ana.publish(answer.json["id"]).status == 200:
            published += 1

    sim.settings(failure_rate=quiet().failure_rate)
    assert 0 < published < 40
    assert sum(post["published"] for post in world(sim)) == published


def test_processing_is_spread_by_chance(sim: Sim, ana: Profile, jpeg_url: str) -> None:
    ana.settings(image_processing_s=100.0, processing_spread=0.5)
    containers = [ana.container(image_url=jpeg_url) for _ in range(24)]

    sim.advance(100)

    codes = {ana.code(container) for container in containers}
    assert codes == {"IN_PROGRESS", "FINISHED"}
    sim.advance(50)
    assert {ana.code(container) for container in containers} == {"FINISHED"}
