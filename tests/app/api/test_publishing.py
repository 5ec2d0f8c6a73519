"""Publishing with one call, over real HTTP, from the request to what the world sees."""

import hashlib
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from app.api.calling import Answer, Api, World, new_account, order, until, written
from clipcast.api import publishing
from clipcast.db.engine import Database
from clipcast.publications.models import Publication
from clipcast.system import Clipcast

ANSWER_FIELDS = {
    "success",
    "external_post_id",
    "external_url",
    "error_message",
    "platform",
    "clip_id",
    "social_account_id",
    "status",
    "publish_log_id",
    "simulated",
    "note",
}
LOG_FIELDS = {
    "id",
    "clip_id",
    "platform",
    "social_account_id",
    "status",
    "external_post_id",
    "external_url",
    "error_message",
    "requested_at",
    "published_at",
    "created_at",
    "updated_at",
}


@pytest.fixture
def clip_id(api: Api, video: Path) -> str:
    return api.upload(video)


def test_one_call_publishes_and_the_log_tells(api: Api, account_id: str, clip_id: str, world: World, video: Path) -> None:
    """The first example of the documentation, word for word."""
    answer = api(
        "POST",
        "/publishing/publish",
        {
            "clip_id": clip_id,
            "platform": "tiktok",
            "social_account_id": account_id,
            "metadata": {"caption": "Sunset over the bay", "hashtags": ["travel", "sunset"]},
        },
    )

    assert answer.status == 200
    assert answer.json.keys() == ANSWER_FIELDS
    assert (answer.json["success"], answer.json["status"], answer.json["simulated"]) == (True, "success", True)
    [post] = world.posts()
    assert answer.json["external_url"].endswith(f"/@{world.username}/video/{answer.json['external_post_id']}")
    assert hashlib.sha256(video.read_bytes()).hexdigest() in json.dumps(post)
    assert "Sunset over the bay #travel #sunset" in json.dumps(post)

    [log] = api("GET", f"/publishing/logs/{clip_id}").json
    assert log.keys() == LOG_FIELDS | {"simulated", "state", "note"}
    assert log["id"] == answer.json["publish_log_id"]
    assert {name: log[name] for name in LOG_FIELDS & ANSWER_FIELDS} == {name: answer.json[name] for name in LOG_FIELDS & ANSWER_FIELDS}
    for name in ("requested_at", "published_at", "created_at", "updated_at"):
        assert log[name].endswith("Z")
        assert datetime.fromisoformat(log[name]).utcoffset() is not None


def test_the_newest_publication_leads_the_log(api: Api, clip_id: str, account_id: str) -> None:
    published = [api("POST", "/publishing/publish", order(clip_id, account_id, caption=word)).json for word in ("one", "two")]

    logs = api("GET", f"/publishing/logs/{clip_id}").json

    assert [log["id"] for log in logs] == [answer["publish_log_id"] for answer in reversed(published)]


def test_a_draft_goes_to_the_inbox(api: Api, clip_id: str, account_id: str) -> None:
    answer = api("POST", "/publishing/publish", order(clip_id, account_id, mode="inbox"))

    assert (answer.status, answer.json["success"], answer.json["external_post_id"]) == (200, True, None)
    assert api("GET", f"/publications/{answer.json['publish_log_id']}").json["state"] == "in_inbox"


def test_a_refusal_by_the_platform_is_an_answer_not_an_error(api: Api, clip_id: str, account_id: str, world: World) -> None:
    world.script("video.init", "fail:duration_check_failed")

    answer = api("POST", "/publishing/publish", order(clip_id, account_id))

    assert (answer.status, answer.json["success"], answer.json["status"]) == (200, False, "failed")
    assert answer.json["error_message"].endswith(".")
    assert world.posts()[0]["state"] != "published"


def test_a_failed_publication_can_be_tried_again(api: Api, clip_id: str, account_id: str, world: World) -> None:
    world.script("video.init", "fail:duration_check_failed")
    publication = api("POST", "/publishing/publish", order(clip_id, account_id)).json["publish_log_id"]

    again = api("POST", f"/publications/{publication}/attempts")

    assert (again.status, again.json["attempt"], again.json["error_message"]) == (202, 2, None)
    assert until(api, f"/publications/{publication}", lambda row: row["status"] == "success")["external_post_id"]


@pytest.mark.parametrize("where", ["body", "query"])
def test_nobody_has_to_wait(api: Api, clip_id: str, account_id: str, where: str) -> None:
    body = order(clip_id, account_id) | ({"wait_s": 0} if where == "body" else {"wait_s": 200})

    answer = api("POST", "/publishing/publish" + ("?wait_s=0" if where == "query" else ""), body)

    assert (answer.status, answer.json["success"], answer.json["status"]) == (202, None, "pending")
    row = until(api, answer.headers["location"], lambda row: row["status"] == "success")
    assert row["id"] == answer.json["publish_log_id"]


def test_waiting_ends_with_the_patience(idle_api: Api, video: Path) -> None:
    answer = idle_api("POST", "/publishing/publish?wait_s=0.1", order(idle_api.upload(video)))

    assert (answer.status, answer.json["status"]) == (202, "pending")


def test_a_scheduled_post_is_not_waited_for(api: Api, clip_id: str, account_id: str, world: World) -> None:
    """Also with all the patience there is, the answer comes at once."""
    body = order(clip_id, account_id) | {"scheduled_at": "2026-03-02T09:00:00+02:00", "wait_s": 300}

    answer = api("POST", "/publishing/publish", body)

    assert (answer.status, answer.json["status"], answer.json["simulated"]) == (202, "pending", None)
    assert api("GET", answer.headers["location"]).json["scheduled_at"] == "2026-03-02T07:00:00Z"
    assert world.posts() == []


def test_waiting_ends_when_the_client_is_gone(idle_api: Api, video: Path) -> None:
    body = json.dumps(order(idle_api.upload(video)) | {"wait_s": 300}).encode()
    host, port = urlsplit(idle_api.url).hostname, urlsplit(idle_api.url).port
    head = f"POST /publishing/publish HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {idle_api.key}\r\nContent-Type: application/json\r\n"
    length = f"Content-Length: {len(body)}\r\n\r\n"

    with socket.create_connection((host or "", port or 0)) as connection:
        connection.sendall((head + length).encode() + body)
        until(idle_api, "/publications", lambda page: page["publications"])

    # A request is counted when it ends: this one would have waited for five minutes.
    assert any(b'route="/publishing/publish"' in idle_api("GET", "/metrics").body for _ in range(500))

    ended = 'clipcast_http_request_duration_seconds_count{method="POST",route="/publishing/publish",status="202"} 1.0'
    until(idle_api, "/metrics", lambda numbers: ended in numbers)


def test_a_busy_database_only_makes_the_waiting_longer(clipcast: Clipcast, tmp_path: Path) -> None:
    """The publication is written: an error now would invite its repetition."""
    (tmp_path / "no-file").mkdir()
    broken = replace(clipcast, db=Database(f"sqlite:///{tmp_path / 'no-file'}"))
    last_seen = Publication(id="1")

    assert publishing._looked_at(broken, last_seen) is last_seen


def test_a_repeated_request_publishes_once(api: Api, clip_id: str, account_id: str, world: World, clipcast: Clipcast) -> None:
    first, second = (api("POST", "/publishing/publish", order(clip_id, account_id), Idempotency_Key="k-1") for _ in range(2))

    assert (first.status, first.json) == (second.status, second.json)
    assert len(world.posts()) == written(clipcast) == 1


def test_requests_in_flight_with_one_key_publish_once(api: Api, clip_id: str, account_id: str, world: World, clipcast: Clipcast) -> None:
    def ask(_: int) -> Answer:
        return api("POST", "/publishing/publish", order(clip_id, account_id), Idempotency_Key="k-1")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(8)))

    assert {answer.status for answer in answers} == {200}
    assert len({answer.json["external_post_id"] for answer in answers}) == 1
    assert len(world.posts()) == written(clipcast) == 1


def test_a_key_belongs_to_one_request(api: Api, clip_id: str, account_id: str, clipcast: Clipcast) -> None:
    api("POST", "/publishing/publish", order(clip_id, account_id), Idempotency_Key="k-1")

    other = api("POST", "/publishing/publish", order(clip_id, account_id, caption="another"), Idempotency_Key="k-1")

    assert (other.status, other.code) == (409, "idempotency_key_reused")
    assert written(clipcast) == 1


def test_patience_is_not_part_of_what_a_key_stands_for(api: Api, clip_id: str, account_id: str) -> None:
    """Asking again with more patience is how a client finds out what became of its request."""
    impatient = api("POST", "/publishing/publish?wait_s=0", order(clip_id, account_id), Idempotency_Key="k-1")

    patient = api("POST", "/publishing/publish", order(clip_id, account_id) | {"wait_s": 30}, Idempotency_Key="k-1")

    assert (impatient.status, patient.status) == (202, 200)
    assert impatient.json["publish_log_id"] == patient.json["publish_log_id"]


def test_an_answer_lost_for_good_is_left_to_a_person(api: Api, image: Path, account_id: str, world: World) -> None:
    """A private photo post is nowhere to be found: who looks into the app and sees it, says so."""
    world.script("content.init", "accept-then-drop-answer")

    answer = api("POST", "/publishing/publish", order(api.upload(image), account_id, privacy="private"))

    assert (answer.status, answer.json["success"], answer.json["status"]) == (202, None, "uncertain")
    assert answer.json["error_message"]
    found = {"is_live": True, "external_url": "https://www.tiktok.com/@me/photo/1"}
    decided = api("POST", f"{answer.headers['location']}/decision", found)
    assert (decided.status, decided.json["status"], decided.json["external_url"]) == (200, "success", found["external_url"])
    assert len(world.posts()) == 1


def test_who_looked_and_found_nothing_lets_it_start_over(api: Api, image: Path, account_id: str, world: World) -> None:
    world.script("content.init", "reset-after-1K")
    answer = api("POST", "/publishing/publish", order(api.upload(image), account_id, privacy="private"))
    assert answer.json["status"] == "uncertain"

    decided = api("POST", f"{answer.headers['location']}/decision", {"is_live": False})

    assert (decided.status, decided.json["attempt"]) == (200, 2)
    until(api, answer.headers["location"], lambda row: row["status"] == "success")
    assert len(world.posts()) == 1


def test_without_an_account_the_main_one_is_used(api: Api, clip_id: str, account_id: str) -> None:
    assert api("POST", "/publishing/publish", order(clip_id)).json["social_account_id"] == account_id


def test_an_account_of_another_platform_is_refused(api: Api, clip_id: str) -> None:
    other = new_account(api, "somebody", "youtube")

    answer = api("POST", "/publishing/publish", order(clip_id, other))

    assert (answer.status, answer.code) == (400, "platform_mismatch")
