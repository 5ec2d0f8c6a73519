"""What is used and left of the platforms' limits, as the interface tells it."""

from pathlib import Path

from app.api.calling import Api, World, order
from clipcast.db.base import new_id
from clipcast.publications.models import PacedRequest
from clipcast.system import Clipcast


def test_what_was_sent_is_counted_against_every_limit(api: Api, video: Path, account_id: str) -> None:
    api("POST", "/publishing/publish", order(api.upload(video), account_id))

    quota = api("GET", f"/accounts/{account_id}/quota").json

    limits = {limit["name"]: limit for limit in quota["limits"]}
    assert quota["simulated"] is True
    assert (limits["posts per day"]["used"], limits["posts per day"]["left"], limits["posts per day"]["source"]) == (1, 14, "our count")
    assert limits["posts per day"]["enforced"] is False
    assert limits["video.init per minute"]["used"] == 1
    assert limits["unfinished drafts per day"]["used"] == 0


def test_preflight_says_when_there_is_room_again(idle_api: Api, clipcast: Clipcast, video: Path, world: World) -> None:
    now = clipcast.clock()
    with clipcast.db.writing() as session:
        for _ in range(15):
            key = f"simulated:tiktok:{world.username}"
            session.add(PacedRequest(id=new_id(), pace_key=key, label="video.init", sent_at=now))
    account = idle_api("POST", "/accounts", {"platform": "tiktok", "username": world.username}).json["id"]

    answer = idle_api("POST", "/publications/preflight", order(idle_api.upload(video), account)).json

    said = [problem["sentence"] for problem in answer["problems"] if problem["field"] == "quota"]
    assert answer["ok"] is True
    assert said == [
        "By our count this would be number 16 of 15 posts per day; the platform may refuse it until about 12:00 UTC on 2026-03-02."
    ]


def test_a_platform_that_does_not_tell_is_said_so(idle_api: Api, world: World) -> None:
    account = idle_api("POST", "/accounts", {"platform": "tiktok", "username": world.username}).json["id"]
    world.script("creator_info", "503")

    quota = idle_api("GET", f"/accounts/{account}/quota").json

    assert quota["not_asked"] == "tiktok did not tell (HTTP 503); these are our own counts. Ask again later."
    assert quota["limits"]


def test_an_unknown_account_has_no_quota(idle_api: Api) -> None:
    answer = idle_api("GET", "/accounts/nobody/quota")

    assert (answer.status, answer.code) == (404, "not_found")
