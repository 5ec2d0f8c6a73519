"""Calendar feeds: a secret address that shows the posts, and nothing once it is revoked."""

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar
from sqlalchemy.event import listen

from app.api.calling import Api, new_account
from clipcast.people.tokens import digest
from clipcast.schedules import feeds, recurring
from clipcast.system import Clipcast
from conftest import MovableClock, execute
from keys import bearer, new_key


@pytest.fixture
def clip(idle_api: Api, video: Path) -> str:
    return idle_api.upload(video)


def subscribed(api: Api) -> str:
    """The path of a new feed."""
    made = api("POST", "/calendar/feeds", {"name": "phone"})
    assert made.status == 201
    return str(made.json["url"]).removeprefix(api.url)


def events(api: Api, path: str) -> list[Any]:
    answer = api("GET", path)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    return list(Calendar.from_ical(answer.body).walk("VEVENT"))


def test_each_post_is_an_event_with_its_accounts_and_states(idle_api: Api, clip: str) -> None:
    account = new_account(idle_api, "lena")
    caption = "Sun, sea; and\\or more\r\nBEGIN:VEVENT"
    body = {"clip_ids": [clip], "caption": caption, "scheduled_at": "2026-03-29T09:00", "timezone": "Europe/Berlin"}
    post = idle_api("POST", "/posts", body | {"targets": [{"account_id": account}, {"platform": "youtube"}]}).json

    (event,) = events(idle_api, subscribed(idle_api))

    assert event["uid"] == f"{post['id']}@clipcast"
    assert event["dtstart"].dt == datetime.fromisoformat("2026-03-29T07:00:00+00:00")
    assert event["summary"] == "Sun, sea; and\\or more "
    assert event["description"].splitlines() == ["tiktok @lena: scheduled", "youtube: scheduled", "2026-03-29 09:00 Europe/Berlin"]
    assert event["status"] == "CONFIRMED"


@pytest.mark.parametrize(
    ("simulated", "told"), [(True, ["tiktok: published (simulated)"]), (False, ["tiktok: published", "https://x.test/1"])]
)
def test_a_simulated_post_is_not_shown_as_a_real_one(
    idle_api: Api, clip: str, clipcast: Clipcast, *, simulated: bool, told: list[str]
) -> None:
    idle_api("POST", "/posts", {"clip_ids": [clip], "targets": [{"platform": "tiktok"}]})
    execute(clipcast.db, f"UPDATE publications SET state = 'published', simulated = {simulated}, external_url = 'https://x.test/1'")

    (event,) = events(idle_api, subscribed(idle_api))

    lines = event["description"].splitlines()
    assert [line for line in lines if not line.startswith("2026-")] == told


def test_a_moved_post_keeps_its_name_and_a_cancelled_one_says_so(idle_api: Api, clip: str, clock: MovableClock) -> None:
    body = {"clip_ids": [clip], "scheduled_at": "2026-03-29T09:00:00Z", "targets": [{"platform": "tiktok"}]}
    post, path = idle_api("POST", "/posts", body).json, subscribed(idle_api)
    (before,) = events(idle_api, path)
    idle_api("PATCH", f"/posts/{post['id']}", {"scheduled_at": "2026-04-01T09:00:00Z"})
    idle_api("POST", f"/posts/{post['id']}/cancellation")

    (after,) = events(idle_api, path)

    assert (after["uid"], after["status"]) == (before["uid"], "CANCELLED")
    assert after["dtstart"].dt - before["dtstart"].dt == timedelta(days=3)
    clock.now += timedelta(days=70)
    assert events(idle_api, path) == []


def test_occurrences_are_there_before_they_are_posts_under_the_same_name(idle_api: Api, clip: str) -> None:
    post = {"clip_ids": [clip], "caption": "Weekly", "targets": [{"platform": "tiktok"}]}
    body = {"rule": "FREQ=WEEKLY", "starts_at": "2026-03-02T09:00:00", "timezone": "UTC", "post": post}
    recurrence = idle_api("POST", "/recurrences", body).json

    found = events(idle_api, subscribed(idle_api))

    assert [event["status"] for event in found] == ["CONFIRMED"] + ["TENTATIVE"] * 12
    assert {event["uid"].split(".")[0] for event in found} == {recurrence["id"]}


def test_an_occurrence_in_trouble_stays_and_says_why(idle_api: Api, clip: str, clipcast: Clipcast, clock: MovableClock) -> None:
    account = new_account(idle_api, "sleepy")
    post = {"clip_ids": [clip], "caption": "Weekly", "targets": [{"account_id": account}]}
    body = {"rule": "FREQ=WEEKLY;COUNT=2", "starts_at": "2026-03-10T09:00:00", "timezone": "UTC", "post": post}
    assert idle_api("POST", "/recurrences", body).status == 201
    path = subscribed(idle_api)
    before = events(idle_api, path)
    idle_api("PATCH", f"/accounts/{account}", {"status": "disabled"})
    clock.now += timedelta(days=3)
    recurring.materialise_due(clipcast.db, clipcast.platforms, clock())

    after = events(idle_api, path)

    assert [(event["uid"], event["status"]) for event in after] == [(event["uid"], "TENTATIVE") for event in before]
    assert ["disabled" in event["description"] for event in after] == [True, False]


def test_a_feed_of_very_much_is_cut_off_and_asks_little(idle_api: Api, clip: str, clipcast: Clipcast) -> None:
    """The earliest of all recurrences, and a few questions for each, however much comes of it."""
    rule = f"FREQ=DAILY;BYHOUR={','.join(map(str, range(24)))};BYMINUTE="
    post = {"clip_ids": [clip], "targets": [{"platform": "tiktok"}]}
    for minutes, start in (("0,30", "2026-03-10"), ("15,45", "2026-03-12")):
        body = {"rule": rule + minutes, "starts_at": f"{start}T00:00:00", "timezone": "UTC", "post": post}
        assert idle_api("POST", "/recurrences", body).status == 201
    path, asked = subscribed(idle_api), []
    listen(clipcast.db.engine, "before_cursor_execute", lambda *said: asked.append(said[2]))

    times = sorted(re.findall(r"DTSTART:(\w+)", idle_api("GET", path).body.decode()))

    assert (len(times), times[0], times[-1]) == (feeds.MOST, "20260310T000000Z", "20260502T014500Z")
    assert len(asked) < 20


def test_a_feed_ends_when_it_is_revoked(idle_api: Api) -> None:
    path = subscribed(idle_api)
    assert path not in idle_api("GET", "/calendar/feeds").body.decode()
    (feed,) = idle_api("GET", "/calendar/feeds").json["feeds"]
    assert events(idle_api, path) == []

    assert idle_api("DELETE", f"/calendar/feeds/{feed['id']}").json["revoked_at"]

    assert idle_api("GET", path).code == "not_found"
    assert idle_api("GET", "/calendar.ics?token=guess").code == "not_found"
    assert idle_api("GET", "/calendar.ics").code == "malformed"


def test_a_feed_ends_with_the_key_that_made_it(idle_api: Api, clipcast: Clipcast) -> None:
    text = new_key(clipcast.db, "viewer")
    path = idle_api("POST", "/calendar/feeds", {}, **bearer(text)).json["url"].removeprefix(idle_api.url)
    assert events(idle_api, path) == []

    execute(clipcast.db, f"UPDATE api_keys SET revoked_at = '2026-03-01' WHERE key_sha256 = '{digest(text)}'")

    assert idle_api("GET", path).code == "not_found"


def test_nobody_else_sees_or_revokes_my_feed(idle_api: Api, clipcast: Clipcast) -> None:
    subscribed(idle_api)
    (feed,) = idle_api("GET", "/calendar/feeds").json["feeds"]
    other = bearer(new_key(clipcast.db))

    assert idle_api("GET", "/calendar/feeds", **other).json["feeds"] == []
    assert idle_api("DELETE", f"/calendar/feeds/{feed['id']}", **other).code == "not_found"
