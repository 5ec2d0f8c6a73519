"""The same to the same account: what counts is when posts go out, not when they were asked for."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.api.calling import Answer, Api, World, new_account, until, written
from clipcast.system import Clipcast
from conftest import MovableClock


@pytest.fixture
def body(idle_api: Api, video: Path) -> dict[str, Any]:
    """A post for 24 March; the clock stands at noon UTC on 1 March 2026."""
    targets = [{"account_id": new_account(idle_api, "lena")}]
    return {"clip_ids": [idle_api.upload(video)], "caption": "Sunset", "targets": targets, "scheduled_at": "2026-03-24T10:00:00Z"}


def is_double(answer: Answer) -> bool:
    assert answer.status in {200, 201, 409}, answer.json
    return answer.status == 409 and answer.code == "possible_duplicate"


@pytest.mark.parametrize(
    ("at", "refused"),
    [
        ("2026-03-23T10:00:00Z", False),
        ("2026-03-23T10:00:01Z", True),
        ("2026-03-24T10:00:00Z", True),
        ("2026-03-25T09:59:59Z", True),
        ("2026-03-25T10:00:00Z", False),
        ("2026-04-05T10:00:00Z", False),
        (None, False),
    ],
)
def test_posts_within_a_day_of_each_other_are_doubles(idle_api: Api, body: dict[str, Any], *, at: str | None, refused: bool) -> None:
    first = idle_api("POST", "/posts", body).json["publications"][0]["id"]

    preflight = idle_api("POST", "/posts/preflight", body | {"scheduled_at": at}).json
    answer = idle_api("POST", "/posts", body | {"scheduled_at": at})

    assert is_double(answer) is refused
    codes = [problem["code"] for problem in preflight["targets"][0]["problems"] if problem["blocking"]]
    assert (codes, preflight["ok"]) == (["possible_duplicate"] if refused else [], not refused)
    if refused:
        assert f"is scheduled for 2026-03-24 10:00 UTC, within a day of this one (publication {first})" in answer.json["detail"]
        assert idle_api("POST", "/posts/preflight", body | {"allow_duplicate": True}).json["ok"] is True
        assert idle_api("POST", "/posts", body | {"scheduled_at": at, "allow_duplicate": True}).status == 201


def test_days_between_two_requests_make_no_difference(idle_api: Api, body: dict[str, Any], clock: MovableClock) -> None:
    idle_api("POST", "/posts", body)
    clock.advance(timedelta(days=9).total_seconds())

    assert is_double(idle_api("POST", "/posts", body))


def test_what_went_out_is_told_with_its_time(api: Api, video: Path, world: World, clock: MovableClock) -> None:
    body = {"clip_ids": [api.upload(video)], "targets": [{"account_id": new_account(api, world.username)}]}
    post = api("POST", "/posts", body).json["id"]
    done = until(api, f"/posts/{post}", lambda post: post["publications"][0]["state"] == "published")

    refused = api("POST", "/posts", body)

    at = done["publications"][0]["published_at"]
    assert f"was published at {at[:10]} {at[11:16]} UTC" in refused.json["detail"]
    clock.advance(timedelta(days=1).total_seconds())
    assert api("POST", "/posts", body).status == 201


def test_a_late_post_is_a_double_of_one_that_goes_out_now(idle_api: Api, body: dict[str, Any], clock: MovableClock) -> None:
    """Nothing ran for three days; it still waits to be published."""
    idle_api("POST", "/posts", body | {"scheduled_at": "2026-03-01T13:00:00Z"})
    clock.advance(timedelta(days=3).total_seconds())

    refused = idle_api("POST", "/posts", body | {"scheduled_at": None})

    assert is_double(refused)
    assert "is on its way since 2026-03-01 13:00 UTC" in refused.json["detail"]


def test_a_move_into_a_double_has_to_be_meant(idle_api: Api, body: dict[str, Any]) -> None:
    idle_api("POST", "/posts", body)
    second = idle_api("POST", "/posts", body | {"scheduled_at": "2026-04-05T10:00:00Z"}).json["id"]
    move = {"scheduled_at": "2026-03-24T18:00:00Z"}

    refused = idle_api("PATCH", f"/posts/{second}", move)

    assert is_double(refused)
    assert idle_api("GET", f"/posts/{second}").json["scheduled_at"] == "2026-04-05T10:00:00Z"
    assert idle_api("PATCH", f"/posts/{second}", {"scheduled_at": "2026-04-05T12:00:00Z"}).status == 200  # beside itself it may be
    assert idle_api("PATCH", f"/posts/{second}", move | {"allow_duplicate": True}).json["scheduled_at"] == "2026-03-24T18:00:00Z"
    assert idle_api("PATCH", f"/posts/{second}", {"options": {"tiktok": {"privacy": "private"}}}).status == 200  # meant before


def test_an_edit_that_makes_a_double_has_to_be_meant(idle_api: Api, body: dict[str, Any]) -> None:
    idle_api("POST", "/posts", body)
    second = idle_api("POST", "/posts", body | {"caption": "Another"}).json["id"]

    assert is_double(idle_api("PATCH", f"/posts/{second}", {"caption": "Sunset"}))
    assert idle_api("GET", f"/posts/{second}").json["caption"] == "Another"
    assert idle_api("PATCH", f"/posts/{second}", {"caption": "Sunset", "allow_duplicate": True}).status == 200


def test_drafts_count_when_they_are_released(idle_api: Api, body: dict[str, Any]) -> None:
    draft = body | {"when": "draft", "scheduled_at": None}
    first, second, meant = (idle_api("POST", "/posts", draft | {"allow_duplicate": number == 2}) for number in range(3))
    release = {"scheduled_at": "2026-03-24T10:00:00Z"}

    assert idle_api("POST", "/posts/preflight", body).json["ok"] is True
    assert idle_api("PATCH", f"/posts/{first.json['id']}", release).status == 200
    assert is_double(idle_api("PATCH", f"/posts/{second.json['id']}", release))
    assert idle_api("GET", f"/posts/{second.json['id']}").json["stage"] == "draft"
    assert idle_api("PATCH", f"/posts/{meant.json['id']}", release).status == 200
    assert idle_api("PATCH", f"/posts/{second.json['id']}", {"scheduled_at": "2026-03-26T10:00:00Z"}).status == 200


def test_doubles_released_at_the_same_moment_are_one(idle_api: Api, body: dict[str, Any], clipcast: Clipcast) -> None:
    draft = body | {"when": "draft", "scheduled_at": None}
    drafts = [idle_api("POST", "/posts", draft).json["id"] for _ in range(6)]

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda post: idle_api("PATCH", f"/posts/{post}", {"when": "now"}), drafts))

    assert sorted(answer.status for answer in answers) == [200, *[409] * 5]
    assert written(clipcast) == 1


def test_one_call_publishes_always_and_counts_for_posts(idle_api: Api, body: dict[str, Any], clipcast: Clipcast) -> None:
    """`/publishing/publish` promises to publish; a post that repeats it has to be meant."""
    account_id = body["targets"][0]["account_id"]
    request = {"clip_id": body["clip_ids"][0], "platform": "tiktok", "social_account_id": account_id, "metadata": {"caption": "Sunset"}}
    for _ in range(2):
        assert idle_api("POST", "/publishing/publish", request | {"wait_s": 0}).status in {200, 202}

    assert written(clipcast) == 2
    assert is_double(idle_api("POST", "/posts", body | {"scheduled_at": None}))


def test_slots_are_compared_by_their_times(idle_api: Api, body: dict[str, Any]) -> None:
    account_id = body["targets"][0]["account_id"]
    idle_api("PUT", f"/accounts/{account_id}/slots", {"slots": [{"days": ["daily"], "times": ["10:00", "16:00"]}]})
    queued = {name: value for name, value in body.items() if name != "scheduled_at"} | {"when": "next_slot"}
    assert idle_api("POST", "/posts", queued).json["scheduled_at"] == "2026-03-01T16:00:00Z"

    preflight = idle_api("POST", "/posts/preflight", queued).json

    assert preflight["ok"] is False
    assert is_double(idle_api("POST", "/posts", queued))
