"""Times as people say them: local ones that clocks skip or repeat, slots, and what becomes of a missed hour."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.api.calling import Api, World, new_account, until, written
from clipcast import ledger
from clipcast.publications import claims
from clipcast.system import Clipcast
from conftest import MovableClock

WEEKDAYS = {"timezone": "Europe/Berlin", "slots": [{"days": ["weekdays"], "times": ["9:00", "17:30"]}]}


@pytest.fixture
def clip(idle_api: Api, video: Path) -> str:
    return idle_api.upload(video)


def composed(api: Api, clip_id: str, **fields: Any) -> Any:
    body = {"clip_ids": [clip_id], "targets": [{"platform": "tiktok"}], "allow_duplicate": True, **fields}
    answer = api("POST", "/posts", body)
    assert answer.status == 201, answer.json
    return answer.json


def drive_once(clipcast: Clipcast) -> None:
    """What is due now is claimed and driven, as a worker would."""
    with clipcast.db.writing() as session:
        leases = claims.claim(session, clipcast.clock(), 10, owner="test")
    for lease in leases:
        clipcast.driver.drive(lease)


@pytest.mark.parametrize(
    ("asked", "fold", "moment", "note"),
    [
        ("2027-03-28T02:30:00", 0, "2027-03-28T01:30:00Z", "does not exist"),
        ("2027-03-28T02:30:00", 1, "2027-03-28T01:30:00Z", "does not exist"),
        ("2027-10-31T02:30:00", 0, "2027-10-31T00:30:00Z", "comes twice"),
        ("2027-10-31T02:30:00", 1, "2027-10-31T01:30:00Z", "comes twice"),
        ("2027-06-01T09:00:00", 0, "2027-06-01T07:00:00Z", None),
        ("2027-10-31T02:30:00+01:00", 0, "2027-10-31T01:30:00Z", None),
    ],
)
def test_a_local_time_is_decided_and_told(idle_api: Api, clip: str, *, asked: str, fold: int, moment: str, note: str | None) -> None:
    post = composed(idle_api, clip, scheduled_at=asked, timezone="Europe/Berlin", fold=fold)

    assert (post["scheduled_at"], post["timezone"]) == (moment, "Europe/Berlin")
    assert (note or "") in (post["time_note"] or "")
    assert (post["time_note"] is None) == (note is None)


def test_an_unknown_zone_is_met_with_a_suggestion(idle_api: Api, clip: str) -> None:
    body = {"clip_ids": [clip], "targets": [{"platform": "tiktok"}], "timezone": "europe/Berlin"}

    answer = idle_api("POST", "/posts", body)

    assert answer.status == 422
    assert "did you mean Europe/Berlin?" in answer.json["detail"]
    far = idle_api("POST", "/posts", body | {"timezone": "UTC", "scheduled_at": "9999-12-31T23:59:59-12:00"})
    assert (far.status, far.code) == (422, "malformed")


@pytest.mark.parametrize(
    ("at", "zone"),
    [
        ("9999-12-31T12:00:00Z", "Pacific/Auckland"),
        ("9999-12-31T12:00:00Z", "UTC"),
        ("2036-03-02T12:00:00Z", "UTC"),
        ("2016-02-28T12:00:00Z", "UTC"),
        ("0001-01-01T00:00:00Z", "America/New_York"),
    ],
)
def test_a_time_more_than_ten_years_away_is_refused(idle_api: Api, clip: str, clipcast: Clipcast, *, at: str, zone: str) -> None:
    """The clock stands at noon UTC on 1 March 2026."""
    body = {"clip_ids": [clip], "targets": [{"platform": "tiktok"}], "timezone": zone, "if_missed": "skip"}

    refused = idle_api("POST", "/posts", body | {"scheduled_at": at})

    assert (refused.status, refused.code, written(clipcast)) == (400, "invalid_request", 0)
    assert "more than ten years away; check its year." in refused.json["detail"]
    (target,) = idle_api("POST", "/posts/preflight", body | {"scheduled_at": at}).json["targets"]
    assert "scheduled_at_too_far" in [problem["code"] for problem in target["problems"]]
    assert idle_api("POST", "/publishing/publish", {"clip_id": clip, "platform": "tiktok", "scheduled_at": at}).status == 400
    post = composed(idle_api, clip, scheduled_at="2036-02-20T12:00:00Z", timezone=zone)
    assert idle_api("PATCH", f"/posts/{post['id']}", {"scheduled_at": at}).status == 400
    assert idle_api("GET", "/posts").json["posts"][0]["scheduled_at"] == "2036-02-20T12:00:00Z"


def test_the_next_slot_is_each_accounts_own(idle_api: Api, clip: str) -> None:
    """The clock stands at noon UTC on Sunday, 1 March 2026."""
    first, second = new_account(idle_api, "first"), new_account(idle_api, "second")
    assert idle_api("PUT", f"/accounts/{first}/slots", WEEKDAYS).json["next_free"][0] == "2026-03-02T08:00:00Z"
    idle_api("PUT", f"/accounts/{second}/slots", {"timezone": "UTC", "slots": [{"days": ["sun"], "times": ["18:00"]}]})
    targets = [{"account_id": first}, {"account_id": second}]

    posts = [composed(idle_api, clip, when="next_slot", targets=targets) for _ in range(2)]

    times = [[each["scheduled_at"] for each in post["publications"]] for post in posts]
    assert times == [["2026-03-02T08:00:00Z", "2026-03-01T18:00:00Z"], ["2026-03-02T16:30:00Z", "2026-03-08T18:00:00Z"]]
    assert [each["slot_at"] for each in posts[0]["publications"]] == times[0]
    assert posts[0]["scheduled_at"] == "2026-03-01T18:00:00Z"


def test_a_slot_is_free_again_when_its_post_is_cancelled_or_moved(idle_api: Api, clip: str) -> None:
    account = new_account(idle_api, "first")
    idle_api("PUT", f"/accounts/{account}/slots", WEEKDAYS)
    queued = {"when": "next_slot", "targets": [{"account_id": account}]}
    first, second = composed(idle_api, clip, **queued), composed(idle_api, clip, **queued)
    composed(idle_api, clip, scheduled_at="2026-03-03T09:00", timezone="Europe/Berlin", targets=[{"account_id": account}])
    idle_api("POST", f"/posts/{first['id']}/cancellation")
    idle_api("PATCH", f"/posts/{second['id']}", {"scheduled_at": "2026-04-01T12:00:00Z"})

    taken = [composed(idle_api, clip, **queued)["scheduled_at"] for _ in range(3)]

    assert taken == ["2026-03-02T08:00:00Z", "2026-03-02T16:30:00Z", "2026-03-03T16:30:00Z"]


def test_another_caption_leaves_each_target_in_its_slot(idle_api: Api, clip: str) -> None:
    first, second = new_account(idle_api, "first"), new_account(idle_api, "second")
    for account, hour in ((first, "9:00"), (second, "11:00")):
        idle_api("PUT", f"/accounts/{account}/slots", {"slots": [{"days": ["daily"], "times": [hour]}]})
    post = composed(idle_api, clip, when="next_slot", targets=[{"account_id": first}, {"account_id": second}])

    changed = idle_api("PATCH", f"/posts/{post['id']}", {"caption": "Sunrise"}).json

    assert [each["slot_at"] for each in changed["publications"]] == ["2026-03-02T09:00:00Z", "2026-03-02T11:00:00Z"]
    assert [each["scheduled_at"] for each in changed["publications"]] == ["2026-03-02T09:00:00Z", "2026-03-02T11:00:00Z"]


@pytest.mark.usefixtures("many_connections")
@pytest.mark.timeout(600)  # it may have to wait for another with many connections
def test_fifty_at_once_never_get_the_same_slot(idle_api: Api, clip: str) -> None:
    account = new_account(idle_api, "busy")
    idle_api("PUT", f"/accounts/{account}/slots", WEEKDAYS)
    queued = {"when": "next_slot", "targets": [{"account_id": account}]}

    with ThreadPoolExecutor(50) as pool:
        posts = list(pool.map(lambda _: composed(idle_api, clip, **queued), range(50)))

    times = sorted(post["scheduled_at"] for post in posts)
    assert Counter(times).most_common(1)[0][1] == 1
    assert (
        times[-1] == "2026-04-03T15:30:00Z"
    )  # 25 weekdays with two slots each: none was left out either; Berlin is on summer time by then


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"when": "next_slot"}, 400, "has no account yet"),
        ({"when": "next_slot", "scheduled_at": "2027-01-01T00:00:00Z"}, 422, "not both"),
        ({"when": "sometime"}, 422, "next_slot"),
        ({"if_missed": "shrug"}, 422, "if_missed"),
        ({"if_missed": {"publish_late_within_s": 1}}, 422, "60"),
        ({"scheduled_at": "2027-01-01T00:00:00", "fold": 2}, 422, "fold"),
    ],
    ids=str,
)
def test_a_time_that_makes_no_sense_says_why(idle_api: Api, clip: str, *, fields: dict[str, Any], status: int, words: str) -> None:
    answer = idle_api("POST", "/posts", {"clip_ids": [clip], "targets": [{"platform": "tiktok"}], **fields})

    assert answer.status == status
    assert answer.code
    assert words in answer.body.decode()


@pytest.mark.parametrize(
    ("slots", "words"),
    [
        ([{"days": ["noday"], "times": ["9:00"]}], "is no day"),
        ([{"days": ["mon"], "times": ["25:00"]}], "is no time of a day"),
        ([{"days": ["mon"], "times": []}], "times"),
    ],
    ids=str,
)
def test_slots_that_are_none_say_why(idle_api: Api, *, slots: Any, words: str) -> None:
    account = new_account(idle_api, "first")

    answer = idle_api("PUT", f"/accounts/{account}/slots", {"slots": slots})

    assert (answer.status, answer.code) == (422, "malformed")
    assert words in answer.json["detail"]
    assert idle_api("GET", f"/accounts/{account}/slots").json["slots"] == []
    assert idle_api("GET", "/accounts/nobody/slots").code == "not_found"


# Missed hours


def later(clipcast: Clipcast, clock: MovableClock, hours: float) -> None:
    clock.now += timedelta(hours=hours)
    drive_once(clipcast)


def test_a_missed_hour_is_skipped_where_that_was_wanted(idle_api: Api, clip: str, clipcast: Clipcast, clock: MovableClock) -> None:
    post = composed(idle_api, clip, scheduled_at="2026-03-01T13:00:00Z", if_missed="skip")

    later(clipcast, clock, 2)

    (publication,) = idle_api("GET", f"/posts/{post['id']}").json["publications"]
    assert publication["state"] == "cancelled"
    assert "went by before it could begin, so it was skipped" in publication["note"]
    with clipcast.db.reading() as session:
        events = [event.event for event in ledger.events(session, stream=f"publication:{publication['id']}")]
    assert events == ["publish_cancelled", "publish_missed", "publish_started"]


@pytest.mark.parametrize("policy", [None, "skip", {"publish_late_within_s": 7 * 86_400}], ids=str)
@pytest.mark.parametrize("at", ["2026-03-01T11:57:59Z", "2025-12-01T18:30:00", "2017-03-01T12:00:00Z"])
def test_a_time_that_has_passed_is_refused(idle_api: Api, clip: str, clipcast: Clipcast, *, at: str, policy: Any) -> None:
    """It is noon on 1 March 2026. A mistyped year must not put a post out at once."""
    body = {"clip_ids": [clip], "targets": [{"platform": "tiktok"}], "if_missed": policy}

    refused = idle_api("POST", "/posts", body | {"scheduled_at": at})
    (target,) = idle_api("POST", "/posts/preflight", body | {"scheduled_at": at}).json["targets"]

    assert (refused.status, refused.code, written(clipcast)) == (400, "invalid_request", 0)
    assert f"Its time has passed: {at[:10]}" in refused.json["detail"]
    assert "Leave the time out to publish now" in refused.json["detail"]
    assert "scheduled_at_passed" in [problem["code"] for problem in target["problems"]]
    assert composed(idle_api, clip, **body)["publications"][0]["scheduled_at"].startswith("2026-03-01T12:00:00")


def test_one_publication_too_is_not_asked_for_in_the_past(idle_api: Api, clip: str, clipcast: Clipcast) -> None:
    body = {"clip_id": clip, "platform": "tiktok", "scheduled_at": "2026-03-01T13:57:59+02:00"}

    refused = idle_api("POST", "/publishing/publish", body)

    assert (refused.status, refused.code, written(clipcast)) == (400, "invalid_request", 0)
    assert "Its time has passed: 2026-03-01 11:57 UTC." in refused.json["detail"]


def test_a_moment_ago_is_no_mistake(idle_api: Api, clip: str) -> None:
    """Clocks differ, and people take their time; late is counted from now, or from the post's time where a policy was named."""
    for policy, start_by in ((None, "2026-03-02T12:00:00.123456Z"), ("skip", "2026-03-01T12:03:01Z")):
        post = composed(idle_api, clip, scheduled_at="2026-03-01T11:58:01Z", if_missed=policy)
        assert post["publications"][0]["start_by"] == start_by


def test_a_post_is_not_moved_to_the_past(idle_api: Api, clip: str) -> None:
    post = composed(idle_api, clip, scheduled_at="2027-01-02T00:00", timezone="Europe/Berlin")

    refused = idle_api("PATCH", f"/posts/{post['id']}", {"scheduled_at": "2025-01-02T00:00", "caption": "Happy new year"})

    assert (refused.status, refused.code) == (400, "invalid_request")
    assert refused.json["detail"].startswith("The time to move it to has passed: 2025-01-01 23:00 UTC. Name one to come, or the present")
    kept = idle_api("GET", f"/posts/{post['id']}").json
    assert (kept["scheduled_at"], kept["caption"]) == ("2027-01-01T23:00:00Z", "")
    assert kept["publications"][0]["next_action_at"] == "2027-01-01T23:00:00Z"
    assert idle_api("PATCH", f"/posts/{post['id']}", {"scheduled_at": "2026-03-01T11:59:00Z"}).status == 200


def test_an_overdue_post_may_be_sent_back_as_it_is(idle_api: Api, clip: str, clock: MovableClock) -> None:
    """Programs read it, change a word, and send all of it."""
    post = composed(idle_api, clip, scheduled_at="2026-03-01T13:00:00Z")
    clock.now += timedelta(hours=5)

    changed = idle_api("PATCH", f"/posts/{post['id']}", {"scheduled_at": post["scheduled_at"], "caption": "Dusk"})

    assert (changed.status, changed.json["scheduled_at"], changed.json["caption"]) == (200, "2026-03-01T13:00:00Z", "Dusk")
    assert changed.json["publications"][0]["start_by"] == post["publications"][0]["start_by"]


@pytest.mark.parametrize(
    ("before", "after", "start_by", "otherwise"),
    [
        (None, "ask", "2026-03-01T15:05:00Z", "ask"),
        ("skip", {"publish_late_within_s": 3600, "otherwise": "skip"}, "2026-03-01T16:00:00Z", "skip"),
        ("ask", "skip", "2026-03-01T15:05:00Z", "skip"),
        ("skip", {}, "2026-03-02T15:00:00Z", "ask"),
        ("skip", None, "2026-03-01T15:05:00Z", "skip"),
    ],
)
@pytest.mark.parametrize("at", ["13:00", "15:00"], ids=["moved", "as it was"])
def test_another_policy_counts_from_then_on(
    idle_api: Api, clip: str, *, at: str, before: Any, after: Any, start_by: str, otherwise: str
) -> None:
    post = composed(idle_api, clip, scheduled_at=f"2026-03-01T{at}:00Z", if_missed=before)
    change = {"if_missed": after, "caption": "Sunrise"} | ({"scheduled_at": "2026-03-01T15:00:00Z"} if at == "13:00" else {})

    (publication,) = idle_api("PATCH", f"/posts/{post['id']}", change).json["publications"]

    assert (publication["start_by"], publication["if_missed"]) == (start_by, otherwise)


def test_another_policy_of_an_overdue_post_counts_from_its_time(idle_api: Api, clip: str, clock: MovableClock) -> None:
    post = composed(idle_api, clip, scheduled_at="2026-03-01T13:00:00Z", if_missed="ask")
    clock.now += timedelta(hours=5)

    (publication,) = idle_api("PATCH", f"/posts/{post['id']}", {"if_missed": {}}).json["publications"]

    assert publication["start_by"] == "2026-03-02T13:00:00Z"


def test_a_missed_hour_waits_for_a_person_who_publishes_it(api: Api, video: Path, world: World, clock: MovableClock) -> None:
    """The default: late within a day is fine, after that somebody has to say."""
    account = new_account(api, world.username)
    post = composed(api, api.upload(video), scheduled_at=(clock.now + timedelta(hours=1)).isoformat(), targets=[{"account_id": account}])
    path = f"/publications/{post['publications'][0]['id']}"
    clock.now += timedelta(hours=26)

    asked = until(api, path, lambda each: each["next_action_at"] is None)

    assert asked["state"] == "scheduled"
    assert "Publish it now" in asked["note"]
    assert api("POST", f"{path}/attempts").status == 202
    begun = until(api, path, lambda each: each["irreversible_at"] is not None)
    assert begun["start_by"] is None
    assert begun["state"] != "scheduled"


def test_who_is_asked_may_also_move_or_cancel(idle_api: Api, clip: str, clipcast: Clipcast, clock: MovableClock) -> None:
    moved, cancelled = (composed(idle_api, clip, scheduled_at="2026-03-01T13:00:00Z", if_missed="ask") for _ in range(2))
    later(clipcast, clock, 2)

    move = {"scheduled_at": "2026-03-01T15:00:00Z", "allow_duplicate": True}
    again = idle_api("PATCH", f"/posts/{moved['id']}", move).json["publications"][0]
    withdrawn = idle_api("POST", f"/posts/{cancelled['id']}/cancellation").json["post"]["publications"][0]

    assert (again["next_action_at"], again["start_by"]) == ("2026-03-01T15:00:00Z", "2026-03-01T15:05:00Z")
    assert withdrawn["state"] == "cancelled"


def test_a_little_late_is_published(api: Api, video: Path, world: World, clock: MovableClock) -> None:
    account = new_account(api, world.username)
    post = composed(
        api,
        api.upload(video),
        scheduled_at=(clock.now + timedelta(hours=1)).isoformat(),
        targets=[{"account_id": account}],
        if_missed={"publish_late_within_s": 3600, "otherwise": "skip"},
    )
    clock.now += timedelta(hours=1, minutes=59)

    until(api, f"/posts/{post['id']}", lambda each: each["publications"][0]["irreversible_at"] is not None)


def test_what_has_begun_is_never_missed(idle_api: Api, clip: str, clipcast: Clipcast, clock: MovableClock, world: World) -> None:
    """Its first request got lost for hours: it goes on, however late."""
    account = new_account(idle_api, world.username)
    world.script("video.init", "503")
    post = composed(idle_api, clip, targets=[{"account_id": account}], if_missed="skip")
    drive_once(clipcast)
    assert idle_api("GET", f"/posts/{post['id']}").json["publications"][0]["state"] == "uploading"

    later(clipcast, clock, 5)

    assert idle_api("GET", f"/posts/{post['id']}").json["publications"][0]["state"] not in {"cancelled", "scheduled"}
