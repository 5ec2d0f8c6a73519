"""The day's posts, the day's containers, the call budget and its headers."""

import json
from typing import Any

from simulator.instagram.client import Profile, error, profile
from simulator.wire import Sim


def limit(who: Profile, **query: Any) -> Any:
    answer = who.get(f"{who.id}/content_publishing_limit", **query)
    assert answer.status == 200, answer.body
    return answer.json["data"]


def test_the_limit_tells_what_is_used(ana: Profile, jpeg_url: str) -> None:
    assert limit(ana) == [{"quota_usage": 0}]
    ana.published(ana.container(image_url=jpeg_url))
    ana.container(image_url=jpeg_url)

    assert limit(ana, fields="quota_usage,config") == [{"quota_usage": 1, "config": {"quota_total": 50, "quota_duration": 86400}}]


def test_the_post_after_the_last_is_refused_until_the_window_moves(sim: Sim, jpeg_url: str) -> None:
    ana = profile(sim, quota_total=2)
    first = ana.container(image_url=jpeg_url)
    ana.published(first)
    sim.advance(3600)
    ana.published(ana.container(image_url=jpeg_url))
    third = ana.container(image_url=jpeg_url)

    assert error(ana.publish(third)) == (400, 9, 2207042)
    sim.advance(86_399 - 3600)
    assert error(ana.publish(third)) == (400, 9, 2207042)
    sim.advance(1)
    ana.published(third)


def test_a_carousel_counts_once_and_stories_as_the_knob_says(ana: Profile, jpeg_url: str) -> None:
    children = [ana.container(image_url=jpeg_url, is_carousel_item=True) for _ in range(3)]
    ana.published(ana.container(media_type="CAROUSEL", children=children))
    ana.published(ana.container(media_type="STORIES", image_url=jpeg_url))

    assert limit(ana)[0]["quota_usage"] == 2
    ana.settings(quota_counts_stories=False)
    assert limit(ana)[0]["quota_usage"] == 1


def test_usage_can_be_asked_since_an_hour_of_the_last_day(sim: Sim, ana: Profile, jpeg_url: str) -> None:
    noon = 1_793_534_400
    ana.published(ana.container(image_url=jpeg_url))
    sim.advance(3600)
    ana.published(ana.container(image_url=jpeg_url))

    assert limit(ana, since=noon + 1)[0]["quota_usage"] == 1
    assert error(ana.get(f"{ana.id}/content_publishing_limit", since=noon - 90_000)) == (400, 100, None)
    assert error(ana.get(f"{ana.id}/content_publishing_limit", fields="rate_limit_settings")) == (400, 100, None)


def test_containers_are_capped_children_too(sim: Sim, ana: Profile, jpeg_url: str) -> None:
    ana.settings(container_cap=3)
    children = [ana.container(image_url=jpeg_url, is_carousel_item=True) for _ in range(2)]
    ana.container(media_type="CAROUSEL", children=children)

    assert error(ana.create(image_url=jpeg_url)) == (400, 9, 2207069)
    ana.settings(container_cap_subcode=2207042)
    assert error(ana.create(image_url=jpeg_url)) == (400, 9, 2207042)
    sim.advance(86_400)
    assert ana.create(image_url=jpeg_url).status == 200


def test_a_failed_request_makes_no_container(ana: Profile, jpeg_url: str) -> None:
    ana.settings(container_cap=1)
    ana.create(image_url="http://127.0.0.1:1/closed.jpg")

    assert ana.create(image_url=jpeg_url).status == 200


def test_every_answer_tells_the_usage(ana: Profile) -> None:
    ana.settings(call_budget=4)
    ana.get("me")

    good, bad = ana.get("me"), ana.get("18000000000000000")

    for answer, percent in ((good, 25), (bad, 50)):
        (case,) = json.loads(answer.headers["X-Business-Use-Case-Usage"])[ana.id]
        assert (case["type"], case["call_count"], case["estimated_time_to_regain_access"]) == ("instagram", percent, 0)
        assert json.loads(answer.headers["X-App-Usage"]).keys() == {"call_count", "total_time", "total_cputime"}
    assert good.headers["facebook-api-version"] == "v26.0"
    assert "x-fb-trace-id" in bad.headers


def test_a_spent_budget_blocks_until_the_calls_are_a_day_old(sim: Sim, ana: Profile) -> None:
    ana.settings(call_budget=2)
    assert [ana.get("me").status for _ in range(2)] == [200, 200]

    throttled = ana.get("me")

    assert error(throttled) == (400, 80002, None)
    (case,) = json.loads(throttled.headers["X-Business-Use-Case-Usage"])[ana.id]
    assert (case["call_count"], case["estimated_time_to_regain_access"]) == (100, 1440)
    assert profile(sim, "bo").get("me").status == 200
    sim.advance(86_400)
    assert ana.get("me").status == 200


def test_the_headers_can_be_off(ana: Profile) -> None:
    ana.settings(usage_headers="off")

    assert "X-App-Usage" not in ana.get("me").headers
