"""The Display API: fields by scope, public posts only, captions cut."""

from typing import Any

import pytest

from simulator.wire import Answer, Creator, Sim


def listing(creator: Creator, fields: str = "id,title,create_time", **body: Any) -> Answer:
    return creator.call(f"/tiktok/v2/video/list/?fields={fields}", body)


def user_info(creator: Creator, fields: str) -> Answer:
    headers = {"Authorization": f"Bearer {creator.token}"}
    return creator.sim.send("GET", f"/tiktok/v2/user/info/?fields={fields}", headers=headers)


def test_user_info_tells_the_fields_of_the_granted_scopes(sim: Sim, ana: Creator) -> None:
    user = user_info(ana, "open_id,username,video_count").data["user"]
    assert user == {"open_id": ana.credentials["open_id"], "username": "ana", "video_count": 0}

    basic = sim.account("bo", scopes=["user.info.basic"])
    assert user_info(basic, "open_id,display_name").code == "ok"
    refused = user_info(basic, "open_id,username")
    assert (refused.status, refused.code) == (401, "scope_not_authorized")


@pytest.mark.parametrize("query", ["", "?fields=", "?fields=open_id,shoe_size", "?fields=open_id&x=1"])
def test_fields_are_required_and_known(ana: Creator, query: str) -> None:
    answer = ana.sim.send("GET", f"/tiktok/v2/user/info/{query}", headers={"Authorization": f"Bearer {ana.token}"})

    assert (answer.status, answer.code) == (400, "invalid_params")


def test_public_posts_are_listed_newest_first_and_paged_by_cursor(sim: Sim, ana: Creator, video: bytes) -> None:
    for number in range(3):
        publish_id = ana.upload(video, privacy_level="PUBLIC_TO_EVERYONE", title=f"post {number}")
        ana.status(publish_id)
        sim.advance(100)
    ana.status(ana.upload(video, title="only me"))

    first = listing(ana, max_count=2).data
    second = listing(ana, max_count=2, cursor=first["cursor"]).data

    assert [post["title"] for post in first["videos"]] == ["post 2", "post 1"]
    assert (first["has_more"], second["has_more"]) == (True, False)
    assert [post["title"] for post in second["videos"]] == ["post 0"]
    assert type(first["videos"][0]["create_time"]) is int


def test_a_video_object_has_its_facts_and_a_cut_caption(sim: Sim, ana: Creator, video: bytes) -> None:
    publish_id = ana.upload(video, privacy_level="PUBLIC_TO_EVERYONE", title="x" * 200, is_aigc=True)
    ana.status(publish_id)

    (post,) = listing(ana, "id,video_description,duration,width,height,share_url,view_count,is_aigc").data["videos"]

    assert len(post["video_description"]) == 150
    assert (post["duration"], post["width"], post["height"], post["view_count"], post["is_aigc"]) == (1, 360, 640, 0, True)
    assert post["id"] == sim.post(publish_id)["post_id"]


def test_a_query_gives_only_ones_own_visible_posts(sim: Sim, ana: Creator, video: bytes) -> None:
    keys = {}
    for creator, level in ((ana, "PUBLIC_TO_EVERYONE"), (ana, "SELF_ONLY"), (sim.account("bo"), "PUBLIC_TO_EVERYONE")):
        publish_id = creator.upload(video, privacy_level=level)
        creator.status(publish_id)
        keys[publish_id] = sim.post(publish_id)["post_id"]
    wanted = [*keys.values(), "1"]

    found = ana.call("/tiktok/v2/video/query/?fields=id", {"filters": {"video_ids": wanted}}).data["videos"]

    assert found == [{"id": wanted[0]}]


@pytest.mark.parametrize("body", [{"max_count": 21}, {"max_count": 0}, {"max_count": "5"}, {"count": 5}])
def test_a_list_has_its_bounds(ana: Creator, body: dict[str, Any]) -> None:
    assert listing(ana, **body).code == "invalid_params"
