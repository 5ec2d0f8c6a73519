"""Webhooks: what they say, how they are signed, and how long they are tried."""

import hashlib
import hmac
import json
from typing import Any

import pytest

from clipcast_simulator.tiktok.webhooks import signature
from simulator.web import Web
from simulator.wire import Creator, Sim, one_chunk, put

SECRET = "clipcast-simulator-secret"


@pytest.fixture
def hooked(sim: Sim, web: Web) -> Creator:
    sim.app(webhook_url=f"{web.url}/hook")
    return sim.account("ana")


def events(web: Web) -> list[str]:
    return [json.loads(posted.body)["event"] for posted in web.posted]


def times(web: Web) -> list[int]:
    return [int(posted.headers["TikTok-Signature"].partition(",")[0].removeprefix("t=")) for posted in web.posted]


def test_the_signature_is_the_documented_one() -> None:
    """The reference's test vector."""
    content = (
        r"{\"publish_id\":\"v_pub_file~v2-1.7602997070760331285\",\"publish_type\":\"DIRECT_PUBLISH\","
        r"\"post_id\":\"7602997517160123666\"}"
    )
    body = (
        '{"client_key":"awtestkey","event":"post.publish.publicly_available","create_time":1770210873,'
        f'"user_openid":"-000TESTopenid","content":"{content}"}}'
    ).encode()

    assert len(body) == 265
    assert signature("test_client_secret", 1770210874, body).endswith("s=dda011dfaaf5c55570b39c0469f79b27cbc6433c6019c9c2ab7f960215068efe")


def test_a_public_post_is_told_twice_and_signed(sim: Sim, hooked: Creator, web: Web, video: bytes) -> None:
    sim.settings(moderation_s=60.0)
    publish_id = hooked.upload(video, privacy_level="PUBLIC_TO_EVERYONE")
    sim.settle()
    assert events(web) == ["post.publish.complete"]

    sim.advance(60)
    sim.settle()

    assert events(web)[1:] == ["post.publish.publicly_available"]
    envelope: dict[str, Any] = json.loads(web.posted[1].body)
    assert set(envelope) == {"client_key", "event", "create_time", "user_openid", "content"}
    assert envelope["user_openid"] == hooked.credentials["open_id"]
    assert json.loads(envelope["content"]) == {
        "publish_id": publish_id,
        "publish_type": "DIRECT_PUBLISH",
        "post_id": sim.post(publish_id)["post_id"],
    }
    t, s = (part.partition("=")[2] for part in web.posted[1].headers["TikTok-Signature"].split(","))
    assert s == hmac.new(SECRET.encode(), t.encode() + b"." + web.posted[1].body, hashlib.sha256).hexdigest()


def test_a_failure_says_why(sim: Sim, hooked: Creator, web: Web) -> None:
    publish_id = hooked.upload(b"no video")
    sim.settle()

    (posted,) = web.posted
    content = json.loads(json.loads(posted.body)["content"])
    assert content == {"publish_id": publish_id, "publish_type": "DIRECT_PUBLISH", "reason": "file_format_check_failed"}


def test_a_drafts_life_is_told(sim: Sim, hooked: Creator, web: Web, video: bytes) -> None:
    begun = hooked.inbox_init(one_chunk(len(video))).data
    put(sim, begun["upload_url"], video, 0, len(video))
    sim.settle()
    sim.control("POST", f"/tiktok/posts/{begun['publish_id']}/post-draft")
    sim.settle()
    sim.control("POST", f"/tiktok/posts/{begun['publish_id']}/visibility", {"public": False})
    sim.settle()

    assert events(web) == [
        "post.publish.inbox_delivered",
        "post.publish.complete",
        "post.publish.publicly_available",
        "post.publish.no_longer_publicaly_available",
    ]
    assert json.loads(json.loads(web.posted[0].body)["content"])["publish_type"] == "INBOX_SHARE"


def test_a_disconnected_app_is_told_after_its_token_died(sim: Sim, hooked: Creator, web: Web) -> None:
    sim.control("POST", "/tiktok/accounts/ana/revoke")
    sim.settle()

    assert events(web) == ["authorization.removed"]
    assert json.loads(json.loads(web.posted[0].body)["content"]) == {"reason": 1}
    assert hooked.info().code == "access_token_invalid"


def test_anything_but_200_is_tried_again_with_a_growing_pause(sim: Sim, hooked: Creator, web: Web) -> None:
    web.answers = [500, 204, 302, 200]
    hooked.upload(b"no video")
    sim.settle()
    counts = [len(web.posted)]
    for pause in (14, 1, 29, 1, 60):
        sim.advance(pause)
        sim.settle()
        counts.append(len(web.posted))

    assert counts == [1, 1, 2, 2, 3, 4]
    assert len({posted.body for posted in web.posted}) == 1
    assert len(set(times(web))) == 4
    (delivery,) = sim.control("GET", "/tiktok/webhooks")["webhooks"]
    assert (delivery["outcome"], delivery["attempts"]) == ("delivered", 4)


def test_after_72_hours_it_is_dropped(sim: Sim, hooked: Creator, web: Web) -> None:
    web.answers = [500] * 100
    hooked.upload(b"no video")
    for _ in range(40):
        sim.settle()
        sim.advance(6 * 3600)

    (delivery,) = sim.control("GET", "/tiktok/webhooks")["webhooks"]
    assert delivery["outcome"] == "dropped"
    assert 10 < len(web.posted) < 30


def test_knobs_duplicate_reorder_and_keep_an_old_t(sim: Sim, hooked: Creator, web: Web, video: bytes) -> None:
    sim.settings(tiktok={"webhook_duplicate": True, "webhook_reorder": True, "webhook_stale_t": True})
    web.answers = [500]
    hooked.upload(video, privacy_level="PUBLIC_TO_EVERYONE")
    sim.settle()
    assert events(web) == ["post.publish.publicly_available"] * 2 + ["post.publish.complete"] * 2

    sim.advance(15)
    sim.settle()

    assert len(web.posted) == 5
    assert len(set(times(web))) == 1
