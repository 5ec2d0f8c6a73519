"""Whatever comes in: a clear answer, and nothing was written."""

import json
import re
import shutil
import socket
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from app.api.calling import Api, new_account, order, served, until, written
from clipcast.api.app import create_app
from clipcast.api.bodies import MAX_BODY_BYTES
from clipcast.db.engine import Database
from clipcast.db.storable import MAX_DEPTH
from clipcast.settings import load_settings
from clipcast.system import Clipcast
from keys import bearer

PUBLISH = "/publishing/publish"
SECRET = "act.f00dcafe-marker"


@pytest.fixture
def api(idle_api: Api) -> Api:
    """Nothing here gets as far as a worker."""
    return idle_api


@pytest.fixture
def clip_id(api: Api, video: Path) -> str:
    return api.upload(video)


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[Clipcast]:
    """One installation for all that is refused before any database is asked: nothing is ever written to it."""
    with on_sqlite(tmp_path_factory.mktemp("behind"), migrated_sqlite) as clipcast:
        yield clipcast


def on_sqlite(data_dir: Path, migrated_sqlite: Path) -> Clipcast:
    shutil.copyfile(migrated_sqlite, data_dir / "clipcast.sqlite3")
    return Clipcast.open(load_settings(data_dir=data_dir))


@pytest.fixture(scope="module")
def door(behind: Clipcast) -> Iterator[Api]:
    with served(create_app(behind, with_worker=False)) as api:
        yield api


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"{", "body"),
        (b"", "body"),
        (b"not json", "body"),
        (b'"a string"', "body"),
        (b"[]", "body"),
        (b"null", "body"),
        (b'{"clip_id": "\xff"}', "body"),
        (b'{"clip_id": "x", "platform": "tiktok\\u0000"}', "body"),
        (b'{"clip_id": "x", "platform": "\\ud800"}', "body"),
        (b'{"clip_id": "x", "platform": "tiktok", "metadata": {"extra": {"a": NaN}}}', "body"),
        (b'{"clip_id": "x", "platform": "tiktok", "metadata": {"extra": {"a": 1e999}}}', "body"),
        (b'{"clip_id": "x", "platform": "tiktok", "metadata": {"extra": {"a": 1' + b"0" * 5000 + b"}}}", "body"),
        (b"[" * 100_000, "body"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "body"),
        (b"{}", "body.clip_id"),
        (b'{"clip_id": 7, "platform": "tiktok"}', "body.clip_id"),
        (b'{"clip_id": "x", "platform": null}', "body.platform"),
        (b'{"clip_id": "x", "platform": "tiktok", "metadata": []}', "body.metadata"),
        (b'{"clip_id": "x", "platform": "tiktok", "metadata": {"caption": 5}}', "body.metadata.caption"),
        (b'{"clip_id": "x", "platform": "tiktok", "metadata": {"hashtags": "travel"}}', "body.metadata.hashtags"),
        (b'{"clip_id": "x", "platform": "tiktok", "metadata": {"privacy": "secret"}}', "body.metadata.privacy"),
        (b'{"clip_id": "x", "platform": "tiktok", "metadata": {"colour": "red"}}', "body.metadata.colour"),
        (b'{"clip_id": "x", "platform": "tiktok", "surprise": 1}', "body.surprise"),
        (b'{"clip_id": "x", "platform": "tiktok", "wait_s": 301}', "body.wait_s"),
        (b'{"clip_id": "x", "platform": "tiktok", "wait_s": -1}', "body.wait_s"),
        (b'{"clip_id": "x", "platform": "tiktok", "scheduled_at": "soon"}', "body.scheduled_at"),
        (b'{"clip_id": "x", "platform": "tiktok", "scheduled_at": "9999-12-31T23:59:59-14:00"}', "body.scheduled_at"),
    ],
)
def test_a_malformed_body_is_told_where(door: Api, behind: Clipcast, body: bytes, where: str) -> None:
    answer = door("POST", PUBLISH, body)

    assert (answer.status, answer.code) == (422, "malformed")
    assert where in [fault["location"] for fault in answer.json["errors"]]
    assert all(fault["message"].endswith(".") for fault in answer.json["errors"])
    assert where in answer.json["detail"]
    assert written(behind) == 0


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded"])
def test_who_forgets_the_content_type_is_told(door: Api, content_type: str) -> None:
    """As `curl -d` does when nobody says otherwise."""
    answer = door("POST", PUBLISH, order("unknown"), Content_Type=content_type)

    assert (answer.status, answer.code) == (422, "malformed")
    assert "Content-Type: application/json" in answer.json["detail"]


@pytest.mark.parametrize(
    "address",
    [
        f"{PUBLISH}?wait_s=nan",
        f"{PUBLISH}?wait_s=301",
        f"{PUBLISH}?wait_s=soon",
    ],
)
def test_an_unusable_patience_is_refused(door: Api, behind: Clipcast, address: str) -> None:
    answer = door("POST", address, order("unknown"))

    assert (answer.status, answer.json["errors"][0]["location"]) == (422, "query.wait_s")
    assert written(behind) == 0


@pytest.mark.parametrize("key", ["", "with space", "x" * 256, "caf\xe9"])
def test_an_unusable_idempotency_key_is_refused(door: Api, behind: Clipcast, key: str) -> None:
    answer = door("POST", PUBLISH, order("unknown"), Idempotency_Key=key)

    assert (answer.status, answer.json["errors"][0]["location"]) == (422, "header.Idempotency-Key")
    assert written(behind) == 0


@pytest.mark.parametrize(
    "address",
    [
        "/publications?limit=0",
        "/publications?limit=many",
        "/publications?state=lost",
        "/publications?platform=myspace",
        "/publications?clip_id=%00",
        "/publications/%00",
        "/publishing/logs/a%00b",
        "/ledger?event=publish_forgotten",
        "/ledger?before=" + "x" * 37,
        "/clips?before=%00",
    ],
)
def test_a_malformed_address_is_refused(door: Api, address: str) -> None:
    answer = door("GET", address)

    assert (answer.status, answer.code) == (422, "malformed")


def test_ten_megabytes_of_json_are_refused(door: Api, behind: Clipcast) -> None:
    answer = door("POST", PUBLISH, b'{"clip_id": "' + b"x" * 10_000_000 + b'"}')

    assert (answer.status, answer.code) == (413, "too_large")
    assert "POST /clips" in answer.json["detail"]
    assert written(behind) == 0


def test_ten_megabytes_without_an_announced_length_are_refused(api: Api) -> None:
    connection = HTTPConnection(urlsplit(api.url).netloc, timeout=30)
    pieces = (b"x" * 65_536 for _ in range(160))

    connection.request("POST", PUBLISH, body=pieces, headers=bearer(api.key) | {"Content-Type": "application/json"}, encode_chunked=True)

    assert connection.getresponse().status == 413
    connection.close()


def test_half_a_request_is_none(api: Api, clipcast: Clipcast, clip_id: str) -> None:
    """What came before the line broke can be read as a whole request; what was still to come nobody knows."""
    body = json.dumps(order(clip_id)).encode()
    address = urlsplit(api.url)
    head = f"POST {PUBLISH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.key}\r\nContent-Type: application/json\r\n"
    length = f"Content-Length: {len(body) + 1}\r\n\r\n"

    with socket.create_connection((address.hostname or "", address.port or 0)) as connection:
        connection.sendall((head + length).encode() + body)

    until(api, "/metrics", lambda numbers: re.search(r'method="POST",route="[^"]*",status="0"', numbers) is not None)
    assert written(clipcast) == 0


def test_a_body_just_within_the_limit_is_read(api: Api, clip_id: str) -> None:
    """It is the caption that is too long then, and not the body."""
    shell = len(json.dumps(order(clip_id, caption="")).encode())

    answer = api("POST", PUBLISH, order(clip_id, caption="x" * (MAX_BODY_BYTES - shell)))

    assert (answer.status, answer.json["errors"][0]["location"]) == (422, "body.metadata.caption")


def test_an_upload_may_be_larger_than_any_json(api: Api, tmp_path: Path, video: Path) -> None:
    big = tmp_path / "big.mp4"
    padding = 4_000_000
    big.write_bytes(video.read_bytes() + (padding + 8).to_bytes(4, "big") + b"free" + bytes(padding))

    assert api("GET", f"/clips/{api.upload(big)}").json["size_bytes"] > 4 * MAX_BODY_BYTES


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"clip_id": "nothing"}, (404, "not_found")),
        ({"social_account_id": "nobody"}, (404, "not_found")),
        ({"metadata": {"clip_ids": ["nothing"]}}, (404, "not_found")),
        ({"platform": "myspace"}, (400, "unsupported_platform")),
        ({"platform": "TikTok"}, (400, "unsupported_platform")),
        ({"scheduled_at": "2030-01-01T00:00:00"}, (400, "invalid_request")),
        ({"metadata": {"mode": "shout"}}, (400, "invalid_request")),
        ({"metadata": {"extra": {"source_info": {}}}}, (400, "invalid_request")),
        ({"metadata": {"brand_content": True, "privacy": "private"}}, (400, "invalid_request")),
        ({"metadata": {"caption": "x" * 2201}}, (400, "invalid_request")),
        ({"metadata": {"caption": "\U0001f3ac" * 1101}}, (400, "invalid_request")),
        ({"metadata": {"caption": "x" * 2198, "hashtags": ["sea"]}}, (400, "invalid_request")),
    ],
)
def test_what_breaks_a_rule_is_refused(
    api: Api, clipcast: Clipcast, clip_id: str, change: dict[str, Any], refusal: tuple[int, str]
) -> None:
    answer = api("POST", PUBLISH, order(clip_id) | change)

    assert (answer.status, answer.code) == refusal
    assert written(clipcast) == 0


def test_a_caption_of_exactly_the_limit_passes(api: Api, clip_id: str) -> None:
    assert api("POST", f"{PUBLISH}?wait_s=0", order(clip_id, caption="\U0001f3ac" * 1100)).status == 202


def test_36_images_are_one_too_many(api: Api, clipcast: Clipcast, image: Path) -> None:
    clip_id = api.upload(image)

    refused = api("POST", PUBLISH, order(clip_id, clip_ids=[clip_id] * 36))
    accepted = api("POST", f"{PUBLISH}?wait_s=0", order(clip_id, clip_ids=[clip_id] * 35))

    assert (refused.status, refused.code) == (400, "invalid_request")
    assert "35" in refused.json["detail"]
    assert accepted.status == 202
    assert written(clipcast) == 1


def test_every_broken_rule_is_told_at_once(api: Api, clip_id: str) -> None:
    answer = api("POST", PUBLISH, order(clip_id, caption="x" * 2201, mode="shout"))

    assert answer.status == 400
    assert all(word in answer.json["detail"] for word in ("2201", "shout"))


def test_an_account_must_fit(api: Api, clipcast: Clipcast, clip_id: str) -> None:
    elsewhere, resting = new_account(api, "somebody", "instagram"), new_account(api, "resting")
    api("PATCH", f"/accounts/{resting}", {"status": "disabled"})

    mismatch, disabled = (api("POST", PUBLISH, order(clip_id, account_id)) for account_id in (elsewhere, resting))

    assert (mismatch.status, mismatch.code) == (400, "platform_mismatch")
    assert (disabled.status, "disabled" in disabled.json["detail"]) == (400, True)
    assert written(clipcast) == 0


@pytest.mark.parametrize(
    ("method", "address", "body"),
    [
        ("GET", "/publications/unknown", None),
        ("GET", "/publishing/logs/unknown", None),
        ("POST", "/publications/unknown/cancellation", None),
        ("POST", "/publications/unknown/attempts", None),
        ("POST", "/publications/unknown/checks", None),
        ("POST", "/publications/unknown/decision", {"is_live": True}),
        ("POST", "/publications/preflight", {"clip_id": "unknown", "platform": "tiktok"}),
    ],
)
def test_what_does_not_exist_is_not_found(api: Api, method: str, address: str, body: object) -> None:
    answer = api(method, address, body)

    assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.parametrize(
    "body", [{}, {"is_live": "yes"}, {"is_live": True, "external_url": "javascript:alert(1)"}, {"is_live": True, "more": 1}]
)
def test_a_decision_must_be_clear(door: Api, body: object) -> None:
    assert door("POST", "/publications/unknown/decision", body).status == 422


def test_an_unknown_address_and_a_wrong_method_are_told_apart(door: Api) -> None:
    unknown, wrong = door("GET", "/nowhere"), door("DELETE", "/publications")

    assert (unknown.status, unknown.code) == (404, "no_such_route")
    assert (wrong.status, wrong.code, wrong.headers["allow"]) == (405, "method_not_allowed", "GET")


@pytest.mark.parametrize(
    ("address", "without"),
    [("/accounts/", "/accounts"), ("/docs//", "/docs"), (f"/accounts/{SECRET}/", "without the slash"), ("//", "without the slash")],
)
def test_a_slash_too_many_sends_nobody_elsewhere(door: Api, address: str, without: str) -> None:
    """A redirect would lead to the name that the request came with, over plain HTTP, and clients would send body and key there again."""
    answers = [door(method, address, body, Host="elsewhere.test") for method, body in [("POST", {"access_token": SECRET}), ("GET", None)]]

    assert [(answer.status, answer.code) for answer in answers] == [(404, "no_such_route")] * 2
    assert all(without in answer.json["detail"] for answer in answers)
    assert "elsewhere.test" not in door.heard
    assert "marker" not in door.heard


@pytest.mark.parametrize(
    ("address", "body"),
    [
        (PUBLISH, {"clip_id": "x", "platform": "tiktok", "access_token": SECRET}),
        (PUBLISH, {"clip_id": "x", "platform": "tiktok", "metadata": SECRET}),
        (PUBLISH, {"clip_id": "x", "platform": "tiktok", "metadata": {"privacy": SECRET}}),
        (PUBLISH, {"clip_id": "x", "platform": "tiktok", "scheduled_at": SECRET}),
        (PUBLISH, {"clip_id": "x", "platform": "tiktok", SECRET: 1}),
        (PUBLISH, {"clip_id": "x", "platform": SECRET}),
        (PUBLISH, {"clip_id": SECRET, "platform": "tiktok"}),
        ("/accounts", {"platform": SECRET, "username": "maker"}),
        ("/accounts", {"platform": "tiktok", "username": f"{SECRET} /"}),
        ("/clips", {"url": f"http://user:{SECRET}@127.0.0.1/a.mp4?access_token={SECRET}"}),
        ("/clips", {"address": SECRET}),
        (PUBLISH, SECRET.encode()),
    ],
)
def test_a_secret_in_the_wrong_place_is_not_repeated(door: Api, address: str, body: object) -> None:
    answer = door("POST", address, body)

    assert answer.status in {400, 404, 422}
    assert "marker" not in door.heard


def test_a_locked_database_is_told_and_nothing_is_written(tmp_path: Path, migrated_sqlite: Path, video: Path) -> None:
    """Another program holds the SQLite file: the answer says so, and when to come again."""
    with on_sqlite(tmp_path, migrated_sqlite) as clipcast:
        impatient = Database(clipcast.settings.database, busy_timeout_s=0.05)
        with served(create_app(replace(clipcast, db=impatient), with_worker=False)) as api:
            clip_id = api.upload(video)
            lock = sqlite3.connect(tmp_path / "clipcast.sqlite3", isolation_level=None)
            lock.execute("BEGIN IMMEDIATE")

            refused = api("POST", PUBLISH, order(clip_id), Idempotency_Key="k-1")

            assert (refused.status, refused.code, refused.headers["retry-after"]) == (503, "busy", "1")
            assert "try again" in refused.json["detail"]
            assert written(clipcast) == 0
            lock.close()
            assert api("POST", f"{PUBLISH}?wait_s=0", order(clip_id), Idempotency_Key="k-1").status == 202
        impatient.close()
