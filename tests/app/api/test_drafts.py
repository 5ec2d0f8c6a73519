"""Drafts: nobody sends them, all of them can be changed, and a release publishes once however it is asked for."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from app.api.calling import Api, World, new_account, until, written
from clipcast.publications import claims, store
from clipcast.system import Clipcast
from conftest import MovableClock

SLOTS = {"timezone": "Europe/Berlin", "slots": [{"days": ["daily"], "times": ["9:00"]}]}
RELEASES = [{"when": "now"}, {"scheduled_at": "2026-03-04T09:00:00Z"}, {"when": "next_slot"}]


@pytest.fixture
def clip(idle_api: Api, video: Path) -> str:
    return idle_api.upload(video)


@pytest.fixture
def account(idle_api: Api) -> str:
    account_id = new_account(idle_api, "lena")
    assert idle_api("PUT", f"/accounts/{account_id}/slots", SLOTS).status == 200
    return account_id


def drafted(api: Api, clip_id: str, account_id: str, **fields: Any) -> Any:
    """A draft for that account."""
    body = {"clip_ids": [clip_id], "caption": "Sunset", "targets": [{"account_id": account_id}], "when": "draft", **fields}
    answer = api("POST", "/posts", body)
    assert answer.status == 201, answer.json
    return answer.json


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    with ThreadPoolExecutor(len(calls)) as pool:
        return [each.result() for each in [pool.submit(call) for call in calls]]


def calendar(api: Api) -> str:
    """What a calendar program reads."""
    feed = api("POST", "/calendar/feeds", {}).json["url"]
    return api("GET", f"/calendar.ics?{feed.partition('?')[2]}").body.decode()


def test_nobody_sends_a_draft(idle_api: Api, clip: str, account: str, clipcast: Clipcast, clock: MovableClock) -> None:
    draft = drafted(idle_api, clip, account, if_missed="skip", options={"tiktok": {"privacy": "private"}}, hashtags=["sea"])

    assert (draft["stage"], draft["publications"], draft["scheduled_at"]) == ("draft", [], None)
    assert draft["targets"][0]["account_id"] == account
    clock.advance(timedelta(days=30).total_seconds())
    with clipcast.db.reading() as session:
        assert not claims.is_anything_due(session, clock())
        assert set(store.count_by_state(session).values()) <= {0}
    assert idle_api("GET", f"/posts/{draft['id']}").json == draft
    assert idle_api("GET", f"/publishing/logs/{clip}").json == []
    assert idle_api("GET", "/publications").json["publications"] == []
    assert "BEGIN:VEVENT" not in calendar(idle_api)
    idle_api("PATCH", f"/posts/{draft['id']}", {"when": "now"})
    assert "BEGIN:VEVENT" in calendar(idle_api)


def test_posts_are_listed_by_stage(idle_api: Api, clip: str, account: str) -> None:
    draft, thrown_away = (drafted(idle_api, clip, account)["id"] for _ in range(2))
    idle_api("POST", f"/posts/{thrown_away}/cancellation")
    sent = idle_api("POST", "/posts", {"clip_ids": [clip], "targets": [{"account_id": account}]}).json["id"]

    found = {
        stage: [post["id"] for post in idle_api("GET", f"/posts?stage={stage}").json["posts"]]
        for stage in ("draft", "cancelled", "released")
    }

    assert found == {"draft": [draft], "cancelled": [thrown_away], "released": [sent]}
    assert [post["id"] for post in idle_api("GET", "/posts").json["posts"]] == [sent, thrown_away, draft]
    assert idle_api("GET", "/posts?stage=lost").status == 422


def test_everything_of_a_draft_can_be_changed(idle_api: Api, clip: str, account: str, image: Path) -> None:
    other_clip, other = idle_api.upload(image), new_account(idle_api, "mia")
    draft = drafted(idle_api, clip, account, options={"tiktok": {"privacy": "friends", "allow_duet": False}})
    change = {
        "caption": "Sunrise",
        "title": "Morning",
        "hashtags": ["sun"],
        "clip_ids": [other_clip],
        "options": {"tiktok": {"privacy": "private"}},
        "targets": [{"account_id": account}, {"account_id": other, "caption": "Own"}],
        "auto_fit": True,
        "timezone": "Europe/Berlin",
        "if_missed": "skip",
    }

    changed = idle_api("PATCH", f"/posts/{draft['id']}", change).json

    assert (changed["stage"], changed["publications"]) == ("draft", [])
    assert {name: changed[name] for name in ("caption", "title", "hashtags", "clip_ids", "timezone")} == {
        name: change[name] for name in ("caption", "title", "hashtags", "clip_ids", "timezone")
    }
    released = idle_api("PATCH", f"/posts/{draft['id']}", {"scheduled_at": "2026-03-04T09:00:00"}).json
    assert (released["stage"], released["scheduled_at"], released["targets"]) == ("released", "2026-03-04T08:00:00Z", [])
    first, second = released["publications"]
    assert (first["clip_id"], first["social_account_id"], second["social_account_id"]) == (other_clip, account, other)
    assert (first["metadata"]["caption"], second["metadata"]["caption"]) == ("Sunrise", "Own")
    assert (first["metadata"]["privacy"], first["metadata"]["allow_duet"], first["metadata"]["hashtags"]) == ("private", False, ["sun"])
    assert {(each["if_missed"], each["metadata"]["auto_fit"]) for each in released["publications"]} == {("skip", True)}


def test_a_drafts_new_options_win_over_those_of_its_targets(idle_api: Api, clip: str, account: str) -> None:
    draft = drafted(idle_api, clip, account, targets=[{"account_id": account, "options": {"privacy": "friends", "allow_stitch": False}}])

    released = idle_api("PATCH", f"/posts/{draft['id']}", {"options": {"tiktok": {"privacy": "private"}}, "when": "now"}).json

    metadata = released["publications"][0]["metadata"]
    assert (metadata["privacy"], metadata["allow_stitch"]) == ("private", False)


def test_what_waits_gets_other_options_too(idle_api: Api, clip: str, account: str) -> None:
    targets = [{"account_id": account, "options": {"privacy": "friends", "allow_stitch": False}}]
    body = {"clip_ids": [clip], "targets": targets, "scheduled_at": "2026-03-04T09:00:00Z"}
    post = idle_api("POST", "/posts", body).json

    changed = idle_api("PATCH", f"/posts/{post['id']}", {"options": {"tiktok": {"privacy": "private"}}, "auto_fit": True}).json

    metadata = changed["publications"][0]["metadata"]
    assert (metadata["privacy"], metadata["allow_stitch"], metadata["auto_fit"]) == ("private", False, True)
    assert changed["options"] == {"tiktok": {"privacy": "private"}}
    refused = idle_api("PATCH", f"/posts/{post['id']}", {"options": {"tiktok": {"privacy": "secret"}}})
    assert (refused.status, refused.code) == (400, "invalid_request")
    assert idle_api("PATCH", f"/posts/{post['id']}", {"clip_ids": [clip]}).status == 409


@pytest.mark.parametrize("release", RELEASES, ids=str)
def test_a_release_at_the_same_moment_publishes_once(
    idle_api: Api, clip: str, account: str, clipcast: Clipcast, release: dict[str, str]
) -> None:
    draft = drafted(idle_api, clip, account)

    answers = at_once(*[partial(idle_api, "PATCH", f"/posts/{draft['id']}", release)] * 8)

    assert {answer.status for answer in answers} == {200}
    assert len({answer.json["publications"][0]["id"] for answer in answers}) == 1
    assert len({answer.json["publications"][0]["scheduled_at"] for answer in answers}) == 1
    assert written(clipcast) == 1
    assert idle_api("GET", f"/posts/{draft['id']}").json["stage"] == "released"


def test_a_draft_is_released_or_cancelled_never_both(idle_api: Api, clip: str, account: str, clipcast: Clipcast) -> None:
    """Whoever comes first; a draft that was released before it was cancelled is withdrawn like any other post."""
    drafts = [drafted(idle_api, clip, account, caption=str(number))["id"] for number in range(12)]
    release = {"scheduled_at": "2026-03-04T09:00:00Z"}

    for draft in drafts:
        released, cancelled = at_once(
            partial(idle_api, "PATCH", f"/posts/{draft}", release), partial(idle_api, "POST", f"/posts/{draft}/cancellation")
        )
        post = idle_api("GET", f"/posts/{draft}").json
        assert (cancelled.status, cancelled.json["refusals"]) == (200, {})
        assert (released.status, post["stage"]) in {(200, "released"), (409, "cancelled")}
        assert [each["state"] for each in post["publications"]] == (["cancelled"] if released.status == 200 else [])
    with clipcast.db.reading() as session:
        assert claims.next_due_at(session, clipcast.clock()) is None


def test_an_edit_beside_a_release_is_in_what_goes_out_or_comes_after_it(idle_api: Api, clip: str, account: str) -> None:
    for number in range(8):
        draft = drafted(idle_api, clip, account, caption=f"before {number}")["id"]
        edit, release = {"caption": f"after {number}"}, {"scheduled_at": "2026-03-04T09:00:00Z"}

        answers = at_once(*(partial(idle_api, "PATCH", f"/posts/{draft}", change) for change in (edit, release)))

        assert {answer.status for answer in answers} == {200}
        post = idle_api("GET", f"/posts/{draft}").json
        assert (post["stage"], post["caption"]) == ("released", f"after {number}")
        assert [each["metadata"]["caption"] for each in post["publications"]] == [f"after {number}"]


def test_what_was_released_goes_out(api: Api, video: Path, world: World) -> None:
    account_id = new_account(api, world.username)
    draft = drafted(api, api.upload(video), account_id)

    assert api("PATCH", f"/posts/{draft['id']}", {"when": "now"}).status == 200

    until(api, f"/posts/{draft['id']}", lambda post: [each["state"] for each in post["publications"]] == ["published"])
    again = api("PATCH", f"/posts/{draft['id']}", {"when": "now"})
    assert (again.status, [each["state"] for each in again.json["publications"]]) == (200, ["published"])
    assert api("PATCH", f"/posts/{draft['id']}", {"caption": "Too late"}).status == 409
    assert len(world.posts()) == 1


def test_a_cancelled_draft_stays_cancelled(idle_api: Api, clip: str, account: str, clipcast: Clipcast) -> None:
    draft = drafted(idle_api, clip, account)

    answers = [idle_api("POST", f"/posts/{draft['id']}/cancellation") for _ in range(2)]

    assert [(answer.status, answer.json["post"]["stage"], answer.json["refusals"]) for answer in answers] == [(200, "cancelled", {})] * 2
    for change in (*RELEASES, {"caption": "Other"}):
        refused = idle_api("PATCH", f"/posts/{draft['id']}", change)
        assert (refused.status, refused.code) == (409, "conflict")
        assert "was cancelled" in refused.json["detail"]
    assert written(clipcast) == 0


def test_a_draft_may_break_rules_until_it_is_released(idle_api: Api, clip: str, account: str, clipcast: Clipcast) -> None:
    draft = drafted(idle_api, clip, account, caption="x" * 2201)

    refused = idle_api("PATCH", f"/posts/{draft['id']}", {"when": "now"})

    assert (refused.status, written(clipcast)) == (400, 0)
    assert "2200" in refused.json["detail"]
    assert idle_api("GET", f"/posts/{draft['id']}").json == draft
    body = {"clip_ids": [clip], "caption": "x" * 2201, "targets": [{"account_id": account}], "when": "draft"}
    assert idle_api("POST", "/posts/preflight", body).json["ok"] is False
    assert idle_api("PATCH", f"/posts/{draft['id']}", {"caption": "x", "when": "now"}).status == 200


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"clip_ids": ["nowhere"]}, 404, "nowhere"),
        ({"targets": [{"account_id": "nobody"}]}, 404, "nobody"),
        ({"targets": [{"platform": "tiktok"}, {"platform": "tiktok"}]}, 400, "twice"),
        ({"scheduled_at": "2026-03-04T09:00:00Z"}, 422, "a draft has no time"),
        ({"options": {"tiktok": {"privacy": "secret"}}}, 400, "privacy"),
        ({"options": {"tiktok": {"own": "\x00"}}}, 422, "NUL"),
    ],
    ids=str,
)
def test_a_draft_names_only_what_is_there(
    idle_api: Api, clip: str, account: str, *, fields: dict[str, Any], status: int, words: str
) -> None:
    body = {"clip_ids": [clip], "targets": [{"account_id": account}], "when": "draft"}

    refused = idle_api("POST", "/posts", body | fields)

    assert refused.status == status
    assert words in refused.body.decode()
    assert idle_api("GET", "/posts").json["posts"] == []
    if "scheduled_at" not in fields:
        draft = drafted(idle_api, clip, account)
        assert idle_api("PATCH", f"/posts/{draft['id']}", fields).status == status
        assert idle_api("GET", f"/posts/{draft['id']}").json == draft


def test_a_release_names_one_time(idle_api: Api, clip: str, account: str) -> None:
    draft = drafted(idle_api, clip, account)

    refused = idle_api("PATCH", f"/posts/{draft['id']}", {"when": "next_slot", "scheduled_at": "2026-03-04T09:00:00Z"})

    assert (refused.status, refused.code) == (422, "malformed")
    assert idle_api("PATCH", f"/posts/{draft['id']}", {"scheduled_at": "2025-03-04T09:00:00Z"}).status == 400
    assert idle_api("GET", f"/posts/{draft['id']}").json == draft


def test_a_draft_goes_where_it_was_meant_to_go(idle_api: Api, clip: str, account: str) -> None:
    """It names a platform, whose main account is another one by the time that it is released."""
    draft = drafted(idle_api, clip, account, targets=[{"platform": "tiktok"}])
    assert draft["targets"][0]["account_id"] == account

    idle_api("PATCH", f"/accounts/{account}", {"status": "disabled"})
    new_account(idle_api, "other")

    refused = idle_api("PATCH", f"/posts/{draft['id']}", {"when": "now"})
    assert (refused.status, "lena is disabled" in refused.json["detail"]) == (400, True)


def test_an_account_is_not_deleted_under_its_drafts(idle_api: Api, clip: str, account: str) -> None:
    draft = drafted(idle_api, clip, account)

    refused = idle_api("DELETE", f"/accounts/{account}")

    assert (refused.status, refused.code) == (409, "conflict")
    assert draft["id"] in refused.json["detail"]
    assert idle_api("PATCH", f"/posts/{draft['id']}", {"targets": [{"account_id": new_account(idle_api, "other")}]}).status == 200
    assert idle_api("DELETE", f"/accounts/{account}").status == 200


def test_one_key_makes_one_draft(idle_api: Api, clip: str, account: str) -> None:
    body = {"clip_ids": [clip], "targets": [{"account_id": account}], "when": "draft"}

    answers = at_once(*[partial(idle_api, "POST", "/posts", body, Idempotency_Key="k")] * 8)

    assert {answer.status for answer in answers} == {201}
    assert len({answer.json["id"] for answer in answers}) == 1
    released = idle_api("PATCH", f"/posts/{answers[0].json['id']}", {"when": "now"}).json
    assert idle_api("POST", "/posts", body, Idempotency_Key="k").json == released


def test_a_post_that_waits_is_moved_to_now_or_into_a_slot(idle_api: Api, clip: str, account: str) -> None:
    """The clock stands at noon UTC on Sunday, 1 March 2026."""
    body = {"clip_ids": [clip], "targets": [{"account_id": account}], "scheduled_at": "2026-03-04T09:00:00Z"}
    post = idle_api("POST", "/posts", body).json["id"]

    queued = [idle_api("PATCH", f"/posts/{post}", {"when": "next_slot"}).json for _ in range(2)]

    assert [each["publications"][0]["slot_at"] for each in queued] == ["2026-03-02T08:00:00Z"] * 2
    assert queued[1]["scheduled_at"] == "2026-03-02T08:00:00Z"
    now = idle_api("PATCH", f"/posts/{post}", {"when": "now"}).json
    assert now["publications"][0]["slot_at"] is None
    assert now["publications"][0]["scheduled_at"] == now["scheduled_at"] < "2026-03-01T12:00:01Z"
