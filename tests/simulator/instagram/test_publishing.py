"""From a container to a post, for every kind of post and both logins."""

import hashlib

import pytest

from simulator.instagram.client import Profile, error, profile, world
from simulator.web import Web
from simulator.wire import Sim


def test_an_image_is_fetched_published_and_seen(sim: Sim, ana: Profile, jpeg: bytes, jpeg_url: str) -> None:
    container = ana.container(image_url=jpeg_url, caption="Hello #world @bo")

    media = ana.published(container)

    assert media != container
    (post,) = world(sim)
    assert (post["kind"], post["username"], post["published"], post["id"]) == ("image", "ana", True, media)
    assert (post["caption"], post["sha256"]) == ("Hello #world @bo", hashlib.sha256(jpeg).hexdigest())
    read = ana.get(media, fields="id,permalink,shortcode,media_type,media_product_type,timestamp,username,caption,owner{username}").json
    assert read == {
        "id": media,
        "permalink": f"https://www.instagram.com/p/{read['shortcode']}/",
        "shortcode": read["shortcode"],
        "media_type": "IMAGE",
        "media_product_type": "FEED",
        "timestamp": "2026-11-01T12:00:00+0000",
        "username": "ana",
        "caption": "Hello #world @bo",
        "owner": {"username": "ana", "id": ana.id},
    }


def test_a_reel_is_fetched_after_the_answer(sim: Sim, ana: Profile, web: Web, clip: bytes, clip_url: str) -> None:
    web.gate.clear()
    container = ana.container(media_type="REELS", video_url=clip_url, caption="Reel", share_to_feed=True)
    assert ana.status(container)["status_code"] == "IN_PROGRESS"
    assert world(sim)[0]["published"] is False

    web.gate.set()
    sim.settle()
    media = ana.published(container)

    assert world(sim)[0]["sha256"] == hashlib.sha256(clip).hexdigest()
    told = ana.get(media, fields="media_type,media_product_type,permalink").json
    assert (told["media_type"], told["media_product_type"]) == ("VIDEO", "REELS")
    assert told["permalink"].startswith("https://www.instagram.com/reel/")
    assert ana.code(container) == "PUBLISHED"


def test_bytes_go_to_the_upload_host(sim: Sim, fay: Profile, clip: bytes) -> None:
    container, uri = fay.resumable(caption="Bytes")
    assert uri == f"{sim.url}/instagram/rupload/ig-api-upload/v26.0/{container}"

    answer = fay.send(uri, clip)

    assert (answer.status, answer.json) == (200, {"success": True, "message": "Upload successful."})
    assert fay.code(container) == "FINISHED"
    fay.published(container)
    assert world(sim)[0]["sha256"] == hashlib.sha256(clip).hexdigest()


@pytest.mark.parametrize("login", ["instagram", "facebook"])
def test_a_carousel_mixes_images_and_videos(sim: Sim, web: Web, login: str, jpeg: bytes, clip: bytes) -> None:
    who, jpeg_url, clip_url = profile(sim, login=login), web.put("/i.jpg", jpeg), web.put("/v.mp4", clip, "video/mp4")
    first = who.container(image_url=jpeg_url, is_carousel_item=True, alt_text="A square")
    second = who.container(media_type="VIDEO", video_url=clip_url, is_carousel_item=True)
    sim.settle()

    parent = who.container(media_type="CAROUSEL", children=f"{first},{second}", caption="Both")
    media = who.published(parent)

    (post,) = world(sim)
    assert (post["kind"], post["published"], post["container_id"]) == ("carousel", True, parent)
    assert [child["sha256"] for child in post["children"]] == [hashlib.sha256(body).hexdigest() for body in (jpeg, clip)]
    told = who.get(media, fields="media_type,children").json
    assert (told["media_type"], len(told["children"]["data"])) == ("CAROUSEL_ALBUM", 2)


def test_publishing_at_once_needs_no_question_before(sim: Sim, fay: Profile, clip: bytes, jpeg_url: str) -> None:
    """Without processing time a container is ready when its last byte is there, whether or not anyone asked."""
    single, uri = fay.resumable()
    fay.send(uri, clip)
    fay.published(single)

    child, uri = fay.resumable(media_type="VIDEO", is_carousel_item=True)
    parent = fay.container(media_type="CAROUSEL", children=[child, fay.container(image_url=jpeg_url, is_carousel_item=True)])
    fay.send(uri, clip)
    fay.published(parent)

    assert [post["published"] for post in world(sim)] == [True, True]


def test_stories_are_listed_apart_for_a_day(sim: Sim, ana: Profile, jpeg_url: str, clip_url: str) -> None:
    image = ana.published(ana.container(media_type="STORIES", image_url=jpeg_url))
    moving = ana.container(media_type="STORIES", video_url=clip_url)
    sim.settle()
    video = ana.published(moving)

    assert [item["id"] for item in ana.get(f"{ana.id}/stories").json["data"]] == [video, image]
    assert ana.get(f"{ana.id}/media").json == {"data": []}
    assert ana.get(video, fields="media_product_type").json["media_product_type"] == "STORY"
    sim.advance(86_400)
    assert ana.get(f"{ana.id}/stories").json == {"data": []}


def test_processing_takes_its_time_on_the_simulated_clock(sim: Sim, ana: Profile, jpeg_url: str, clip_url: str) -> None:
    ana.settings(image_processing_s=2.0, video_processing_s=20.0)
    image = ana.container(image_url=jpeg_url)
    reel = ana.reel(clip_url)

    assert (ana.code(image), ana.code(reel)) == ("IN_PROGRESS", "IN_PROGRESS")
    assert error(ana.publish(image)) == (400, 9007, 2207027)
    sim.advance(2)
    assert (ana.code(image), ana.code(reel)) == ("FINISHED", "IN_PROGRESS")
    sim.advance(18)
    assert ana.code(reel) == "FINISHED"


def test_processing_follows_the_general_setting(sim: Sim, ana: Profile, jpeg_url: str, clip_url: str) -> None:
    sim.settings(processing_s=1.0)
    image, reel = ana.container(image_url=jpeg_url), ana.reel(clip_url)
    sim.advance(2)

    assert (ana.code(image), ana.code(reel)) == ("FINISHED", "IN_PROGRESS")
    sim.advance(18)
    assert ana.code(reel) == "FINISHED"


def test_a_container_expires_after_a_day(sim: Sim, ana: Profile, jpeg_url: str) -> None:
    container = ana.container(image_url=jpeg_url)
    sim.advance(86_399)
    assert ana.code(container) == "FINISHED"

    sim.advance(1)

    assert ana.code(container) == "EXPIRED"
    assert error(ana.publish(container)) == (400, 24, 2207008)


@pytest.mark.parametrize(
    ("knob", "wanted"),
    [("24/2207008", (400, 24, 2207008)), ("9007/2207027", (400, 9007, 2207027))],
)
def test_a_published_container_makes_no_second_post(sim: Sim, ana: Profile, jpeg_url: str, knob: str, wanted: tuple[int, int, int]) -> None:
    ana.settings(republish=knob)
    container = ana.container(image_url=jpeg_url)
    ana.published(container)

    assert error(ana.publish(container)) == wanted
    assert [post["published"] for post in world(sim)] == [True]


def test_a_knob_repeats_the_first_answer(sim: Sim, ana: Profile, jpeg_url: str) -> None:
    ana.settings(republish="same-id")
    container = ana.container(image_url=jpeg_url)

    assert ana.published(container) == ana.published(container)
    assert len(world(sim)) == 1


def test_only_the_owner_may_publish_or_see_a_container(sim: Sim, ana: Profile, jpeg_url: str) -> None:
    container = ana.container(image_url=jpeg_url)
    bo = profile(sim, "bo")

    assert error(bo.publish(container)) == (400, 24, 2207008)
    assert error(bo.get(container)) == (400, 100, 33)
    assert error(bo.post(f"{ana.id}/media_publish", creation_id=container)) == (400, 100, 33)
    bo.settings(foreign_container=2207006)
    assert error(bo.publish(container)) == (400, 24, 2207006)
    assert error(ana.publish("17900000000000000")) == (400, 24, 2207006)


def test_a_child_is_no_post(ana: Profile, jpeg_url: str) -> None:
    assert error(ana.publish(ana.container(image_url=jpeg_url, is_carousel_item=True))) == (400, 24, 2207006)
