"""Posts: one composition, many targets, each succeeding or failing by itself."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from app.api.calling import Api, World, new_account, until, written
from clipcast.system import Clipcast


@pytest.fixture
def clip_id(api: Api, video: Path) -> str:
    return api.upload(video)


@pytest.fixture
def idle_clip_id(idle_api: Api, video: Path) -> str:
    return idle_api.upload(video)


def composed(api: Api, clip_id: str, targets: list[dict[str, Any]], **fields: Any) -> Any:
    """The post that was created."""
    answer = api("POST", "/posts", {"clip_ids": [clip_id], "caption": "Sunset", "targets": targets, **fields})
    assert answer.status == 201, answer.json
    return answer.json


def finished(post: Any) -> bool:
    return all(each["status"] in {"success", "failed"} for each in post["publications"])


def test_one_target_fails_alone(api: Api, clip_id: str, world: World) -> None:
    good, bad = new_account(api, world.username), new_account(api, f"{world.username}_bad")
    world.script("video.init", "code:spam_risk_user_banned_from_posting")
    other = World(world.url, f"{world.username}_bad")

    post = composed(api, clip_id, [{"account_id": good}, {"account_id": bad}])
    post = until(api, f"/posts/{post['id']}", finished)

    states = {each["social_account_id"]: each["state"] for each in post["publications"]}
    assert states == {good: "failed", bad: "published"}
    assert [seen["published"] for seen in other.posts()] == [True]
    other.close()


def test_a_target_has_its_own_words_and_options_over_the_common_ones(idle_api: Api, idle_clip_id: str) -> None:
    first, second = new_account(idle_api, "first"), new_account(idle_api, "second")

    post = composed(
        idle_api,
        idle_clip_id,
        [{"account_id": first}, {"account_id": second, "caption": "Mine", "options": {"privacy": "private"}}],
        hashtags=["sea"],
        options={"tiktok": {"privacy": "friends", "allow_duet": False}},
    )

    common, own = (each["metadata"] for each in post["publications"])
    assert (common["caption"], common["privacy"], common["allow_duet"]) == ("Sunset", "friends", False)
    assert (own["caption"], own["privacy"], own["allow_duet"], own["hashtags"]) == ("Mine", "private", False, ["sea"])


def test_a_main_account_takes_its_satellites_along(idle_api: Api, idle_clip_id: str) -> None:
    main = new_account(idle_api, "main")
    body = {"platform": "tiktok", "username": "moon", "kind": "satellite", "main_account_id": main}
    moon = idle_api("POST", "/accounts", body).json["id"]
    idle_api("POST", "/accounts", {**body, "username": "off"})
    off = idle_api("GET", "/accounts").json[2]["id"]
    assert idle_api("PATCH", f"/accounts/{off}", {"status": "disabled"}).status == 200

    post = composed(idle_api, idle_clip_id, [{"account_id": main, "with_satellites": True}])

    assert [each["social_account_id"] for each in post["publications"]] == [main, moon]


def test_only_satellites_follow_and_only_main_accounts_are_followed(idle_api: Api) -> None:
    main = new_account(idle_api, "main")
    body = {"platform": "tiktok", "username": "moon", "main_account_id": main}

    assert idle_api("POST", "/accounts", body).code == "invalid_request"
    moon = idle_api("POST", "/accounts", {**body, "kind": "satellite"}).json["id"]
    follower = {"platform": "tiktok", "username": "dust", "kind": "satellite", "main_account_id": moon}
    assert idle_api("POST", "/accounts", follower).code == "invalid_request"


def test_the_same_to_the_same_account_within_a_day_has_to_be_meant(idle_api: Api, idle_clip_id: str, clipcast: Clipcast) -> None:
    account = new_account(idle_api, "once")
    body = {"clip_ids": [idle_clip_id], "caption": "Sunset", "targets": [{"account_id": account}]}
    first = idle_api("POST", "/posts", body)

    second = idle_api("POST", "/posts", body)

    assert (second.status, second.code) == (409, "possible_duplicate")
    assert first.json["publications"][0]["id"] in second.json["detail"]
    assert written(clipcast) == 1
    assert idle_api("POST", "/posts", body | {"caption": "Another sunset"}).status == 201
    assert idle_api("POST", "/posts", body | {"allow_duplicate": True}).status == 201


def test_the_same_to_another_platform_is_no_duplicate(idle_api: Api, idle_clip_id: str) -> None:
    """Also where neither has an account yet, as on a first day."""
    answers = [
        idle_api("POST", "/posts", {"clip_ids": [idle_clip_id], "caption": "Sunset", "targets": [{"platform": platform}]})
        for platform in ("tiktok", "youtube", "tiktok")
    ]

    assert [answer.status for answer in answers] == [201, 201, 409]


def test_what_was_cancelled_may_be_posted_again(idle_api: Api, idle_clip_id: str) -> None:
    account = new_account(idle_api, "twice")
    post = composed(idle_api, idle_clip_id, [{"account_id": account}])
    assert idle_api("POST", f"/posts/{post['id']}/cancellation").json["refusals"] == {}

    again = composed(idle_api, idle_clip_id, [{"account_id": account}])

    assert again["publications"][0]["state"] == "scheduled"


def test_a_post_is_changed_and_moved_until_it_begins(idle_api: Api, idle_clip_id: str) -> None:
    accounts = [{"account_id": new_account(idle_api, "a")}, {"account_id": new_account(idle_api, "b"), "caption": "Own"}]
    post = composed(idle_api, idle_clip_id, accounts, scheduled_at="2030-06-01T09:00:00", timezone="Europe/Berlin")
    assert post["scheduled_at"] == "2030-06-01T07:00:00Z"

    changed = idle_api("PATCH", f"/posts/{post['id']}", {"caption": "Sunrise", "scheduled_at": "2030-06-02T05:00:00"}).json

    assert changed["scheduled_at"] == "2030-06-02T03:00:00Z"
    assert [each["metadata"]["caption"] for each in changed["publications"]] == ["Sunrise", "Own"]
    assert {each["scheduled_at"] for each in changed["publications"]} == {"2030-06-02T03:00:00Z"}
    assert {each["next_action_at"] for each in changed["publications"]} == {"2030-06-02T03:00:00Z"}


def test_what_has_begun_is_not_changed(api: Api, clip_id: str, world: World) -> None:
    post = composed(api, clip_id, [{"account_id": new_account(api, world.username)}])
    until(api, f"/posts/{post['id']}", finished)

    refused = api("PATCH", f"/posts/{post['id']}", {"caption": "Too late"})

    assert (refused.status, refused.code) == (409, "conflict")
    assert "published" in refused.json["detail"]
    cancelled = api("POST", f"/posts/{post['id']}/cancellation").json
    assert list(cancelled["refusals"]) == [post["publications"][0]["id"]]


def test_one_key_makes_one_post(idle_api: Api, idle_clip_id: str, clipcast: Clipcast) -> None:
    body = {"clip_ids": [idle_clip_id], "targets": [{"account_id": new_account(idle_api, "a")}]}

    first, second = (idle_api("POST", "/posts", body, Idempotency_Key="k") for _ in range(2))

    assert first.json == second.json
    assert written(clipcast) == 1
    assert idle_api("POST", "/posts", body | {"caption": "else"}, Idempotency_Key="k").code == "idempotency_key_reused"


def test_requests_with_one_key_at_the_same_time_make_one_post(idle_api: Api, idle_clip_id: str, clipcast: Clipcast) -> None:
    body = {"clip_ids": [idle_clip_id], "targets": [{"platform": "tiktok"}]}

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: idle_api("POST", "/posts", body, Idempotency_Key="k"), range(8)))

    assert {answer.status for answer in answers} == {201}
    assert len({answer.json["id"] for answer in answers}) == 1
    assert written(clipcast) == 1


def test_the_same_post_asked_for_many_times_at_once_is_one(idle_api: Api, idle_clip_id: str, clipcast: Clipcast) -> None:
    """An impatient click, without a key."""
    body = {"clip_ids": [idle_clip_id], "targets": [{"platform": "tiktok"}]}

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: idle_api("POST", "/posts", body), range(8)))

    assert sorted(answer.status for answer in answers) == [201, *[409] * 7]
    assert written(clipcast) == 1


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"targets": []}, 422, "targets"),
        ({"targets": [{}]}, 422, "account_id or platform"),
        ({"timezone": "Mars/Olympus"}, 422, "time zone"),
        ({"clip_ids": []}, 422, "clip_ids"),
        ({"clip_ids": ["nowhere"]}, 404, "nowhere"),
        ({"targets": [{"account_id": "nobody"}]}, 404, "nobody"),
        ({"targets": [{"platform": "tiktok"}, {"platform": "tiktok"}]}, 400, "twice"),
        ({"options": {"tiktok": {"privacy": "secret"}}}, 400, "privacy"),
        ({"options": {"tiktok": {"sparkle": True}}}, 400, "sparkle"),
        ({"caption": "x" * 2201}, 400, "2200"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_bad_post_changes_nothing_and_says_why(
    idle_api: Api, idle_clip_id: str, clipcast: Clipcast, *, fields: dict[str, Any], status: int, words: str
) -> None:
    answer = idle_api("POST", "/posts", {"clip_ids": [idle_clip_id], "targets": [{"platform": "tiktok"}], **fields})

    assert answer.status == status
    assert words in answer.body.decode()
    assert answer.code
    assert written(clipcast) == 0


def test_preflight_answers_target_by_target(idle_api: Api, idle_clip_id: str, clipcast: Clipcast, world: World) -> None:
    good, closed = new_account(idle_api, world.username), new_account(idle_api, "closed")
    idle_api("PATCH", f"/accounts/{closed}", {"status": "disabled"})
    body = {"clip_ids": [idle_clip_id], "targets": [{"account_id": good}, {"account_id": closed}]}

    answer = idle_api("POST", "/posts/preflight", body).json

    assert answer["ok"] is False
    assert [(each["account_id"], each["ok"]) for each in answer["targets"]] == [(good, True), (closed, False)]
    assert "disabled" in answer["targets"][1]["problems"][0]["sentence"]
    assert written(clipcast) == 0


def test_posts_are_listed_newest_first_in_pages(idle_api: Api, idle_clip_id: str) -> None:
    made = [composed(idle_api, idle_clip_id, [{"platform": "tiktok"}], caption=str(number))["id"] for number in range(3)]

    first = idle_api("GET", "/posts?limit=2").json
    rest = idle_api("GET", f"/posts?limit=2&before={first['next']}").json

    assert [post["id"] for page in (first, rest) for post in page["posts"]] == made[::-1]
    assert rest["next"] is None
    assert idle_api("GET", "/posts/none").code == "not_found"
