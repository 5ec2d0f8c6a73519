"""Recurring posts: shown ahead, changed one by one, and made into posts exactly once."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from app.api.calling import Api, new_account, until, written
from clipcast import ledger
from clipcast.posts.models import Post
from clipcast.schedules import recurring
from clipcast.schedules.models import Occurrence, Recurrence
from clipcast.system import Clipcast
from conftest import MovableClock, execute

DAILY = {"rule": "FREQ=DAILY;BYHOUR=9;BYMINUTE=0", "starts_at": "2026-03-01T09:00:00", "timezone": "Europe/Berlin"}


@pytest.fixture
def clip(idle_api: Api, video: Path) -> str:
    return idle_api.upload(video)


def recurrent(api: Api, clip_id: str, **fields: Any) -> Any:
    post = {"clip_ids": [clip_id], "caption": "Good morning", "targets": [{"platform": "tiktok"}], **fields.pop("post", {})}
    answer = api("POST", "/recurrences", {**DAILY, "post": post, **fields})
    assert answer.status == 201, answer.json
    return answer.json


def posts(clipcast: Clipcast) -> list[datetime]:
    with clipcast.db.reading() as session:
        return [at for at in session.scalars(select(Post.scheduled_at).order_by(Post.scheduled_at)) if at]


def made(clipcast: Clipcast, clock: MovableClock, days: float) -> int:
    clock.now += timedelta(days=days)
    return recurring.materialise_due(clipcast.db, clipcast.platforms, clock())


def test_the_next_ten_are_shown_and_those_of_a_week_are_posts(idle_api: Api, clip: str, clipcast: Clipcast) -> None:
    """Noon UTC on 1 March has passed in Berlin, so it begins on the second."""
    recurrence = recurrent(idle_api, clip)

    shown = recurrence["next"]
    assert [each["local_time"] for each in shown] == [f"2026-03-{day:02}T09:00:00" for day in range(2, 12)]
    assert [each["state"] for each in shown] == ["made"] * 7 + ["planned"] * 3
    assert len(posts(clipcast)) == 7
    page = idle_api("GET", f"/recurrences/{recurrence['id']}/occurrences?limit=2&after=2026-03-10T09:00:00").json
    assert [each["local_time"] for each in page["occurrences"]] == ["2026-03-11T09:00:00", "2026-03-12T09:00:00"]
    assert page["next"] == "2026-03-12T09:00:00"
    assert idle_api("GET", "/recurrences").json["recurrences"][0]["id"] == recurrence["id"]


def test_nine_o_clock_stays_nine_o_clock(idle_api: Api, clip: str) -> None:
    """Berlin goes to summer time on 29 March 2026."""
    recurrence = recurrent(idle_api, clip, starts_at="2026-03-28T09:00:00")

    assert [each["scheduled_at"] for each in recurrence["next"][:3]] == [
        "2026-03-28T08:00:00Z",
        "2026-03-29T07:00:00Z",
        "2026-03-30T07:00:00Z",
    ]


def test_an_hour_that_clocks_skip_comes_once(idle_api: Api, clip: str) -> None:
    recurrence = recurrent(idle_api, clip, rule="FREQ=DAILY;BYHOUR=2,3;BYMINUTE=30", starts_at="2026-03-29T00:00:00")

    assert [each["scheduled_at"] for each in recurrence["next"][:2]] == ["2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"]
    assert "does not exist" in idle_api("GET", f"/recurrences/{recurrence['id']}").json["next"][0]["time_note"]


def test_until_may_be_a_moment(idle_api: Api, clip: str, clipcast: Clipcast, clock: MovableClock) -> None:
    """The form that RFC 5545 asks for where a start has a zone: the last one is at 7:00 UTC on 29 March."""
    recurrent(idle_api, clip, rule="FREQ=DAILY;UNTIL=20260329T070000Z")

    assert made(clipcast, clock, 60) == 28 - 7
    assert max(posts(clipcast)).isoformat() == "2026-03-29T07:00:00+00:00"


@pytest.mark.parametrize(
    ("now", "clock_time", "first"),
    [
        ("2026-10-25T01:10:00+00:00", "02:45", "2026-10-26T01:45:00Z"),  # 2:10 for the second time, and 2:45 has been
        ("2026-03-29T01:10:00+00:00", "02:30", "2026-03-29T01:30:00Z"),  # 3:10, and 2:30 means 3:30
    ],
)
def test_it_begins_with_what_is_ahead_while_clocks_are_changed(
    idle_api: Api, clip: str, clipcast: Clipcast, clock: MovableClock, *, now: str, clock_time: str, first: str
) -> None:
    clock.now = datetime.fromisoformat(now)

    recurrence = recurrent(idle_api, clip, rule="FREQ=DAILY", starts_at=f"2026-03-01T{clock_time}:00")

    assert posts(clipcast)[0].isoformat().replace("+00:00", "Z") == first
    assert recurrence["next"][0]["scheduled_at"] == first


def test_each_occurrence_is_made_once_by_however_many(idle_api: Api, clip: str, clipcast: Clipcast, clock: MovableClock) -> None:
    recurrent(idle_api, clip, rule="FREQ=DAILY;BYHOUR=8,12,16,20")
    clock.now += timedelta(days=5)

    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(lambda _: recurring.materialise_due(clipcast.db, clipcast.platforms, clock()), range(8)))

    times = posts(clipcast)
    assert len(times) == len(set(times)) == 4 * 12
    assert sum(counts) == 4 * 5
    assert made(clipcast, clock, 0) == 0


def test_one_occurrence_is_moved_rewritten_or_left_out(idle_api: Api, clip: str, clipcast: Clipcast, clock: MovableClock) -> None:
    """Of those that are posts already, and of those that are only planned."""
    path = f"/recurrences/{recurrent(idle_api, clip)['id']}/occurrences"
    for day in ("03", "20"):
        moved = idle_api("PATCH", f"{path}/2026-03-{day}T09:00:00", {"move_to": f"2026-03-{day}T18:00:00", "caption": "Good evening"}).json
        assert (moved["scheduled_at"], moved["caption"], moved["state"]) == (f"2026-03-{day}T17:00:00Z", "Good evening", "made")
    for day in ("04", "21"):
        assert idle_api("PATCH", f"{path}/2026-03-{day}T09:00:00", {"skip": True}).json["state"] == "skipped"
        assert idle_api("PATCH", f"{path}/2026-03-{day}T09:00:00", {"caption": "Back"}).code == "conflict"

    made(clipcast, clock, 18)

    days = [at.day for at in posts(clipcast) if at.month == 3]
    assert sorted(days) == [day for day in range(2, 27) if day != 21]  # the fourth is there, withdrawn
    assert idle_api("PATCH", f"{path}/2026-03-03T09:00:00", {"caption": "Late"}).status == 200
    assert idle_api("PATCH", f"{path}/2026-03-03T10:00:00", {"skip": True}).code == "not_found"


@pytest.mark.parametrize("day", ["03", "20"], ids=["made", "planned"])
def test_one_occurrence_is_not_moved_to_the_past(idle_api: Api, clip: str, clipcast: Clipcast, clock: MovableClock, day: str) -> None:
    """It would go out at once, for one mistyped digit."""
    path = f"/recurrences/{recurrent(idle_api, clip)['id']}/occurrences/2026-03-{day}T09:00:00"
    before = written(clipcast)

    refused = idle_api("PATCH", path, {"move_to": "2020-12-06T18:00:00"})

    assert (refused.status, refused.code, written(clipcast)) == (400, "invalid_request", before)
    assert "The time to move it to has passed: 2020-12-06 17:00 UTC." in refused.json["detail"]
    assert idle_api("PATCH", path, {"move_to": "2026-03-01T12:59:00"}).json["scheduled_at"] == "2026-03-01T11:59:00Z"
    clock.now += timedelta(days=30)
    assert idle_api("PATCH", path.replace(f"-{day}T", "-25T"), {"caption": "Late"}).status == 200


def test_this_and_all_that_follow_are_withdrawn(idle_api: Api, clip: str, clipcast: Clipcast, clock: MovableClock) -> None:
    recurrence = recurrent(idle_api, clip)

    ended = idle_api("POST", f"/recurrences/{recurrence['id']}/cancellation", {"from_local": "2026-03-05T00:00:00"}).json

    assert ended["refusals"] == {}
    assert [each["local_time"][:10] for each in ended["recurrence"]["next"]] == ["2026-03-02", "2026-03-03", "2026-03-04"]
    assert made(clipcast, clock, 30) == 0
    page = idle_api("GET", "/posts").json["posts"]
    states = {post["scheduled_at"][:10]: post["publications"][0]["state"] for post in page}
    assert states == {f"2026-03-{day:02}": "scheduled" if day < 5 else "cancelled" for day in range(2, 9)}


def cancelled(api: Api, recurrence: Any, **fields: str) -> Any:
    answer = api("POST", f"/recurrences/{recurrence['id']}/cancellation", fields)
    assert (answer.status, answer.json["refusals"]) == (200, {}), answer.json
    return answer.json["recurrence"]


def waiting(api: Api) -> list[str]:
    """When those go out that still will, in UTC."""
    page = api("GET", "/posts?limit=200").json["posts"]
    return sorted(each["scheduled_at"][:16] for post in page for each in post["publications"] if each["state"] == "scheduled")


def test_one_that_was_moved_ends_with_its_recurrence(idle_api: Api, clip: str, clipcast: Clipcast, clock: MovableClock) -> None:
    """It belongs to a day that is over, and goes out on one that is not."""
    recurrence = recurrent(idle_api, clip)
    idle_api("PATCH", f"/recurrences/{recurrence['id']}/occurrences/2026-03-03T09:00:00", {"move_to": "2026-04-20T09:00:00"})
    made(clipcast, clock, 3)

    assert cancelled(idle_api, recurrence)["next"] == []

    assert waiting(idle_api) == []
    assert made(clipcast, clock, 60) == 0


def test_one_that_is_late_ends_with_its_recurrence(idle_api: Api, clip: str, clipcast: Clipcast, clock: MovableClock) -> None:
    """Nothing ran at 9:00, so at 9:30 it has not begun; what has begun goes on."""
    recurrence = recurrent(idle_api, clip)
    execute(clipcast.db, "UPDATE publications SET state = 'uploading' WHERE scheduled_at < '2026-03-03'")
    clock.now = datetime.fromisoformat("2026-03-05T08:30:00+00:00")
    assert waiting(idle_api)[0] == "2026-03-03T08:00"

    cancelled(idle_api, recurrence)

    assert waiting(idle_api) == []
    assert idle_api("GET", "/posts").json["posts"][-1]["publications"][0]["state"] == "uploading"


def test_one_in_trouble_ends_with_its_recurrence(idle_api: Api, clip: str, clipcast: Clipcast, clock: MovableClock) -> None:
    account = new_account(idle_api, "sleepy")
    recurrence = recurrent(idle_api, clip, starts_at="2026-03-20T09:00:00", post={"targets": [{"account_id": account}]})
    idle_api("PATCH", f"/accounts/{account}", {"status": "disabled"})
    clock.now = datetime.fromisoformat("2026-03-20T10:00:00+00:00")
    assert made(clipcast, clock, 0) == 0

    assert cancelled(idle_api, recurrence)["ends_before"] == "2026-03-20T09:00:00"

    idle_api("PATCH", f"/accounts/{account}", {"status": "active"})
    assert made(clipcast, clock, 0.1) == 0
    assert posts(clipcast) == []


@pytest.mark.parametrize(
    ("now", "before"),
    [
        ("2026-03-29T01:10:00+00:00", "2026-03-29T01:30"),  # clocks show 3:10, and 2:30 means 3:30
        ("2026-10-25T00:10:00+00:00", "2026-10-25T00:30"),
        ("2026-10-25T01:10:00+00:00", "2026-10-26T01:30"),
    ],
)
def test_it_ends_while_clocks_are_changed(
    idle_api: Api, clip: str, clipcast: Clipcast, clock: MovableClock, *, now: str, before: str
) -> None:
    clock.now = datetime.fromisoformat(now) - timedelta(days=3)
    recurrence = recurrent(idle_api, clip, rule="FREQ=DAILY;BYHOUR=2;BYMINUTE=30", starts_at="2026-03-01T00:00:00")
    made(clipcast, clock, 3)
    execute(clipcast.db, f"UPDATE publications SET state = 'published' WHERE scheduled_at < '{now[:19].replace('T', ' ')}'")
    assert waiting(idle_api)[0] == before

    cancelled(idle_api, recurrence)

    assert waiting(idle_api) == []
    assert made(clipcast, clock, 30) == 0


def test_what_cannot_be_made_says_why_and_is_given_up_when_its_time_is_over(
    idle_api: Api, clip: str, clipcast: Clipcast, clock: MovableClock
) -> None:
    account = new_account(idle_api, "sleepy")
    post = {"targets": [{"account_id": account}], "if_missed": "skip"}
    recurrence = recurrent(idle_api, clip, starts_at="2026-03-20T09:00:00", post=post)
    idle_api("PATCH", f"/accounts/{account}", {"status": "disabled"})

    made(clipcast, clock, 13)

    trouble = idle_api("GET", f"/recurrences/{recurrence['id']}").json["next"][0]
    assert (trouble["state"], "disabled" in trouble["trouble"]) == ("in_trouble", True)
    made(clipcast, clock, 6.5)
    with clipcast.db.reading() as session:
        (missed,) = ledger.events(session, event=ledger.OCCURRENCE_MISSED)
    assert missed.details["local_time"] == "2026-03-20T09:00:00"
    idle_api("PATCH", f"/accounts/{account}", {"status": "active"})
    assert made(clipcast, clock, 0.01) == 7
    assert min(posts(clipcast)).day == 21


def test_what_was_due_while_nothing_ran_is_late_and_treated_as_missed(
    idle_api: Api, clip: str, clipcast: Clipcast, clock: MovableClock
) -> None:
    """Made three weeks late, an occurrence does not count as asked for now."""
    recurrent(idle_api, clip, rule="FREQ=DAILY;COUNT=9", post={"if_missed": "skip"}, starts_at="2026-03-10T09:00:00")
    made(clipcast, clock, 30)

    publications = [each for post in idle_api("GET", "/posts").json["posts"] for each in post["publications"]]

    assert len(publications) == 9
    assert all(each["start_by"] < "2026-03-19" for each in publications)


def test_the_same_again_is_refused_while_it_goes_on(idle_api: Api, clip: str) -> None:
    """Whoever lost the answer and asks again would have every post twice. Another caption is another one, and so is one after the end."""
    first = recurrent(idle_api, clip)

    again = idle_api("POST", "/recurrences", {**DAILY, "post": first["post"]})
    assert again.status == 409
    assert first["id"] in again.json["detail"]

    recurrent(idle_api, clip, post={"caption": "Good evening"})
    assert idle_api("POST", f"/recurrences/{first['id']}/cancellation", {}).status == 200
    assert recurrent(idle_api, clip)["id"] != first["id"]


def test_one_that_brings_out_a_bug_holds_up_no_other(idle_api: Api, clip: str, clipcast: Clipcast, clock: MovableClock) -> None:
    """Nor is it heard of by who makes another: they would ask again, and have two. It is tried again itself."""
    recurrent(idle_api, clip)
    execute(clipcast.db, "UPDATE recurrences SET template = '{}'")
    clock.now += timedelta(days=1)

    second = recurrent(idle_api, clip)

    assert [each["state"] for each in second["next"][:2]] == ["made", "made"]
    assert made(clipcast, clock, 0.02) == 0
    with clipcast.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Recurrence)) == 2


def test_the_servers_own_worker_makes_them(api: Api, video: Path, clipcast: Clipcast, clock: MovableClock) -> None:
    """At its start, and each minute."""
    recurrence = recurrent(api, api.upload(video))
    assert until(api, f"/recurrences/{recurrence['id']}", lambda each: each["next"][6]["state"] == "made")
    assert clock.now <= clipcast.clock()


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"rule": "FREQ=SECONDLY"}, 400, "FREQ=DAILY with BYHOUR"),
        ({"rule": "FREQ=DAILY;INTERVAL=0"}, 400, "INTERVAL"),
        ({"rule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}, 400, "does not come even once"),
        ({"rule": "FREQ=DAILY;COUNT=3", "starts_at": "1971-01-01T09:00:00"}, 400, "does not come even once"),
        ({"starts_at": "0001-01-01T00:00:00"}, 400, "must lie between 1970"),
        ({"starts_at": "9999-12-31T23:59:59"}, 400, "must lie between 1970"),
        ({"starts_at": "2026-03-01T09:00:00Z"}, 422, "no offset"),
        ({"timezone": "Europe/Berln"}, 422, "did you mean Europe/Berlin"),
        ({"post": {"clip_ids": ["gone"], "targets": [{"platform": "tiktok"}]}}, 404, "gone"),
    ],
    ids=str,
)
def test_a_recurrence_that_cannot_be_says_why_at_once(
    idle_api: Api, clip: str, clipcast: Clipcast, *, fields: dict[str, Any], status: int, words: str
) -> None:
    body = {**DAILY, "post": {"clip_ids": [clip], "targets": [{"platform": "tiktok"}]}, **fields}
    began_s = time.monotonic()

    answer = idle_api("POST", "/recurrences", body)

    assert (answer.status, bool(answer.code)) == (status, True)
    assert words in answer.body.decode()
    assert time.monotonic() - began_s < 10
    with clipcast.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Occurrence)) == 0


FAR = ["0001-01-01T00:00:00", "1969-12-31T23:59:59", "2047-01-01T00:00:00", "9999-12-31T23:59:59.999999"]
IN_UTC = ["2026-03-20T09:00:00Z", "2026-03-20T09:00:00+01:00"]


@pytest.mark.parametrize(
    ("at", "status", "words"), [(at, 400, "must lie between 1970 and 2046") for at in FAR] + [(at, 422, "no offset") for at in IN_UTC]
)
def test_every_local_time_is_held_to_the_same_bounds(idle_api: Api, clip: str, *, at: str, status: int, words: str) -> None:
    path = f"/recurrences/{recurrent(idle_api, clip, timezone='Pacific/Auckland')['id']}"
    planned = "/occurrences/2026-03-20T09:00:00"

    answers = {
        "after": idle_api("GET", f"{path}/occurrences?after={at.replace('+', '%2B')}"),
        "local_time": idle_api("PATCH", f"{path}/occurrences/{at}", {"skip": True}),
        "move_to": idle_api("PATCH", path + planned, {"move_to": at}),
        "from_local": idle_api("POST", f"{path}/cancellation", {"from_local": at}),
    }

    assert {name: answer.status for name, answer in answers.items()} == dict.fromkeys(answers, status)
    assert all(name in answer.body.decode() and words in answer.body.decode() for name, answer in answers.items())
    assert idle_api("PATCH", path + planned, {"move_to": "2046-01-01T00:00:00"}).code == "invalid_request"
    assert idle_api("GET", f"{path}{planned[:12]}?after=2046-12-31T00:00:00").json["occurrences"]
