"""Posts read back, one by one and in lists; what may still be done to them."""

from typing import Any

import pytest

from simulator.instagram.client import Profile, error, profile, world
from simulator.wire import Sim


@pytest.fixture
def five(sim: Sim, ana: Profile, jpeg_url: str) -> list[str]:
    """Five posts, oldest first, ten seconds apart."""
    made = []
    for number in range(5):
        made.append(ana.published(ana.container(image_url=jpeg_url, caption=f"Number {number}")))
        sim.advance(10)
    return made


def ids(page: Any) -> list[str]:
    return [item["id"] for item in page["data"]]


def test_a_list_is_newest_first_and_ends_without_next(sim: Sim, ana: Profile, five: list[str]) -> None:
    first = ana.get(f"{ana.id}/media", fields="id,caption", limit=2).json
    second = sim.send("GET", first["paging"]["next"], headers={"Authorization": f"Bearer {ana.token}"}).json
    third = ana.get(f"{ana.id}/media", limit=2, after=second["paging"]["cursors"]["after"]).json

    assert ids(first) + ids(second) + ids(third) == five[::-1]
    assert first["data"][0]["caption"] == "Number 4"
    assert "next" not in third["paging"]


def test_a_list_can_be_walked_back(ana: Profile, five: list[str]) -> None:
    last = ana.get(f"{ana.id}/media", limit=2, after=ana.get(f"{ana.id}/media", limit=3).json["paging"]["cursors"]["after"]).json

    assert ids(last) == five[1::-1]
    assert ids(ana.get(f"{ana.id}/media", limit=2, before=last["paging"]["cursors"]["before"]).json) == [five[3], five[2]]


def test_a_list_can_be_bounded_in_time(ana: Profile, five: list[str]) -> None:
    noon = 1_793_534_400

    assert ids(ana.get(f"{ana.id}/media", since=noon + 10, until=noon + 20).json) == [five[2], five[1]]


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 101}, {"after": "nonsense"}, {"order": "asc"}, {"fields": "id,sha256"}])
def test_lists_are_strict(ana: Profile, query: dict[str, Any]) -> None:
    assert error(ana.get(f"{ana.id}/media", **query)) == (400, 100, None)


@pytest.mark.parametrize("fields", ["id,,caption", "id{", "owner{id", "id}", "id caption"])
def test_malformed_fields(ana: Profile, five: list[str], fields: str) -> None:
    assert error(ana.get(five[0], fields=fields)) == (400, 2500, None)


def test_only_the_id_comes_when_nothing_is_asked(ana: Profile, five: list[str]) -> None:
    assert ana.get(five[0]).json == {"id": five[0]}
    assert ana.get(f"{five[0]}/").json == {"id": five[0]}


def test_foreign_and_unknown_posts_are_not_there(sim: Sim, five: list[str]) -> None:
    bo = profile(sim, "bo")

    assert error(bo.get(five[0])) == (400, 100, 33)
    assert error(bo.get("18000000000000000")) == (400, 100, 33)
    assert error(bo.get("123")) == (400, 100, 33)


def test_a_caption_may_lose_its_mentions(ana: Profile, jpeg_url: str) -> None:
    media = ana.published(ana.container(image_url=jpeg_url, caption="by @bo"))
    ana.settings(caption_mentions="stripped")

    assert ana.get(media, fields="caption").json["caption"] == "by bo"


def test_me_is_another_name_of_the_account(ana: Profile, five: list[str]) -> None:
    assert ids(ana.get("me/media").json) == five[::-1]


def test_facebook_login_deletes_posts(sim: Sim, fay: Profile, jpeg_url: str) -> None:
    media = fay.published(fay.container(image_url=jpeg_url))

    answer = sim.send("DELETE", f"/instagram/v26.0/{media}", headers={"Authorization": f"Bearer {fay.token}"})

    assert answer.json == {"success": True, "deleted_id": media}
    assert error(fay.get(media)) == (400, 100, 33)
    assert fay.get(f"{fay.id}/media").json == {"data": []}
    assert [(post["published"], post["deleted"]) for post in world(sim)] == [(False, True)]


def test_instagram_login_does_not(sim: Sim, ana: Profile, five: list[str]) -> None:
    answer = sim.send("DELETE", f"/instagram/v26.0/{five[0]}", headers={"Authorization": f"Bearer {ana.token}"})

    assert error(answer) == (400, 100, 33)
    assert ana.get(five[0]).status == 200


def test_comments_can_be_switched_off(sim: Sim, ana: Profile, five: list[str]) -> None:
    assert error(ana.post(five[0])) == (400, 100, None)
    assert ana.post(five[0], comment_enabled=False).json == {"success": True}
    assert ana.get(five[0], fields="is_comment_enabled").json["is_comment_enabled"] is False
    assert world(sim)[0]["comment_enabled"] is False
