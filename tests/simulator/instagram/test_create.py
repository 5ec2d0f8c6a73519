"""What a container may be asked to be, and the exact error of everything else."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from simulator.instagram.client import GRAPH, Profile, bearer, error, profile
from simulator.wire import Sim

URL = "https://example.com/v.mp4"
REEL = {"media_type": "REELS", "video_url": URL}
IMAGE = {"image_url": "https://example.invalid/a.jpg"}
CHILD = {"is_carousel_item": True}
HUNDRED = (400, 100, None)


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({}, HUNDRED),
        ({"media_type": "REELS"}, HUNDRED),
        ({"media_type": "STORIES"}, HUNDRED),
        ({"media_type": "VIDEO", **CHILD}, HUNDRED),
        ({"media_type": "CAROUSEL"}, HUNDRED),
        ({"media_type": "reels", "video_url": URL}, (400, 100, 2207023)),
        ({"media_type": "VIDEO", "video_url": URL}, (400, 100, 2207067)),
        ({**REEL, **CHILD}, HUNDRED),
        ({"media_type": "STORIES", "video_url": URL, **CHILD}, HUNDRED),
        ({**REEL, "image_url": URL}, HUNDRED),
        ({**IMAGE, "video_url": URL}, HUNDRED),
        ({**REEL, "upload_type": "resumable"}, HUNDRED),
        ({"media_type": "REELS", "upload_type": "RESUMABLE"}, HUNDRED),
        ({"media_type": "STORIES", "video_url": URL, "image_url": URL}, HUNDRED),
        ({**REEL, "alt_text": "no"}, HUNDRED),
        ({"media_type": "STORIES", "video_url": URL, "collaborators": ["bo"]}, HUNDRED),
        ({"media_type": "STORIES", "video_url": URL, "alt_text": "no"}, HUNDRED),
        ({**IMAGE, **CHILD, "caption": "no"}, HUNDRED),
        ({**IMAGE, **CHILD, "collaborators": ["bo"]}, HUNDRED),
        ({**IMAGE, **CHILD, "location_id": "1"}, HUNDRED),
        ({**IMAGE, **CHILD, "is_ai_generated": False}, HUNDRED),
        ({"media_type": "VIDEO", "video_url": URL, **CHILD, "is_ai_generated": True}, HUNDRED),
        ({"media_type": "CAROUSEL", "children": "1,2", "image_url": URL}, HUNDRED),
        ({**IMAGE, "thumb_offset": 1}, HUNDRED),
        ({**REEL, "scheduled_publish_time": 1}, HUNDRED),
        ({**REEL, "Caption": "x"}, HUNDRED),
        ({**REEL, "share_to_feed": "yes"}, HUNDRED),
        ({**REEL, "share_to_feed": "True"}, HUNDRED),
        ({**REEL, "thumb_offset": "1.5"}, HUNDRED),
        ({**REEL, "thumb_offset": -1}, (400, 1, 2207057)),
        ({**REEL, "location_id": "Paris"}, HUNDRED),
        ({**REEL, "collaborators": "bo"}, HUNDRED),
        ({**REEL, "collaborators": ["a", "b", "c", "d"]}, HUNDRED),
        ({**REEL, "collaborators": ["not a name"]}, HUNDRED),
        ({**REEL, "user_tags": [{"username": "a"}] * 21}, (400, 100, 2207040)),
        ({**REEL, "user_tags": [{"name": "a"}]}, HUNDRED),
        ({**IMAGE, "user_tags": [{"username": "a"}]}, HUNDRED),
        ({**IMAGE, "user_tags": [{"username": "a", "x": 0.5, "y": 1.01}]}, HUNDRED),
        ({**IMAGE, "alt_text": "x" * 1001}, HUNDRED),
        ({**REEL, "trial_params": {"graduation_strategy": "LATER"}}, HUNDRED),
        ({**REEL, "trial_params": "MANUAL"}, HUNDRED),
        ({**REEL, "product_tags": [{"product_id": "1"}]}, HUNDRED),
        ({**REEL, "is_paid_partnership": True}, HUNDRED),
        ({**REEL, "audio_configuration": {"audio_id": "1"}}, HUNDRED),
    ],
)
def test_refused_with_instagram_login(ana: Profile, fields: dict[str, Any], wanted: Any) -> None:
    assert error(ana.create(**fields)) == wanted


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({**REEL, "product_tags": [{"product_id": "1", "x": 0.1, "y": 0.1}]}, (400, 100, 2207035)),
        ({**IMAGE, "product_tags": [{"product_id": "1"}]}, (400, 100, 2207036)),
        ({**REEL, "product_tags": [{"product_id": "shoe"}]}, (400, 100, 2207037)),
        ({**REEL, "product_tags": [{"product_id": "1"}] * 6}, HUNDRED),
        ({**REEL, "branded_content_sponsor_ids": ["1", "2", "3"]}, HUNDRED),
        ({**REEL, "audio_configuration": {"audio_volume": 5}}, HUNDRED),
    ],
)
def test_refused_with_facebook_login(fay: Profile, fields: dict[str, Any], wanted: Any) -> None:
    assert error(fay.create(**fields)) == wanted


@pytest.mark.parametrize(
    "fields",
    [
        {**REEL, "share_to_feed": True, "thumb_offset": 0, "audio_name": "My sound", "location_id": "110843418940484"},
        {**REEL, "collaborators": ["bo", "cy", "di"], "user_tags": [{"username": "bo"}], "is_ai_generated": True},
        {**REEL, "trial_params": {"graduation_strategy": "SS_PERFORMANCE"}, "is_carousel_item": False},
        {"media_type": "STORIES", "video_url": URL, "caption": "has no effect", "user_tags": [{"username": "bo", "x": 0.5, "y": 0}]},
        {"media_type": "VIDEO", "video_url": URL, "is_carousel_item": True, "thumb_offset": 10},
    ],
)
def test_every_documented_parameter_is_taken(ana: Profile, fields: dict[str, Any]) -> None:
    assert ana.create(**fields).status == 200


def test_what_only_facebook_login_takes(fay: Profile) -> None:
    sponsored = {"branded_content_sponsor_ids": ["17841400000000000"], "product_tags": [{"product_id": "1"}]}

    assert fay.create(**REEL, **sponsored).status == 200


@pytest.mark.parametrize(
    ("text", "is_taken"),
    [
        ("x" * 2200, True),
        ("x" * 2201, False),
        ("\U0001f600" * 2200, True),
        ("#a " * 30, True),
        ("#a " * 31, False),
        ("@a " * 20, True),
        ("@a " * 21, False),
    ],
)
def test_a_caption_is_counted(ana: Profile, text: str, *, is_taken: bool) -> None:
    answer = ana.create(**REEL, caption=text)

    assert answer.status == 200 if is_taken else error(answer) == (400, 36004, 2207010)


def test_an_error_has_every_field_of_the_first_shape(ana: Profile) -> None:
    told = ana.create(**REEL, caption="x" * 2201).json["error"]

    assert told.keys() == {"message", "type", "code", "error_subcode", "is_transient", "error_user_title", "error_user_msg", "fbtrace_id"}
    assert (told["type"], told["is_transient"]) == ("OAuthException", False)


@pytest.mark.parametrize(("login", "kind"), [("instagram", "IGApiException"), ("facebook", "GraphMethodException")])
def test_code_100_has_the_type_of_its_host(sim: Sim, login: str, kind: str) -> None:
    told = profile(sim, login=login).create().json["error"]

    assert (told["code"], told["type"], told["message"]) == (100, kind, "The parameter image_url is required")


def test_the_owner_may_read_another_language(ana: Profile) -> None:
    ana.settings(error_locale="random")
    told = ana.create(**REEL, caption="x" * 2201).json["error"]

    assert (told["code"], told["message"]) == (36004, "The caption is too long")
    assert told["error_user_title"] != "Caption too long"


def test_resumable_upload_belongs_to_facebook_login(ana: Profile, fay: Profile) -> None:
    resumable = {"media_type": "REELS", "upload_type": "resumable"}
    answer = ana.create(**resumable)

    assert error(answer) == HUNDRED
    assert answer.json["error"]["message"] == "The parameter video_url is required"
    assert fay.create(**resumable).json.keys() == {"id", "uri"}
    ana.settings(ig_resumable="allow")
    assert ana.create(**resumable).json.keys() == {"id", "uri"}


def test_parameters_may_stand_in_query_form_multipart_or_json(sim: Sim, ana: Profile) -> None:
    path, fields = f"{GRAPH}/{ana.id}/media", {**REEL, "caption": "100 % #ok & more", "user_tags": '[{"username":"bo"}]'}
    parts = "".join(f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items())
    typed = {**fields, "user_tags": [{"username": "bo"}], "share_to_feed": True}
    bodies = [
        (b"", None, f"?{urlencode(fields)}"),
        (urlencode(fields).encode(), "application/x-www-form-urlencoded", ""),
        (f"{parts}--b--\r\n".encode(), "multipart/form-data; boundary=b", ""),
        (json.dumps(typed).encode(), "application/json", ""),
        (urlencode(fields | {"access_token": ana.token}).encode(), "application/x-www-form-urlencoded", ""),
    ]
    for body, kind, query in bodies:
        head = ({} if b"access_token" in body else bearer(ana.token)) | ({} if kind is None else {"Content-Type": kind})
        assert sim.send("POST", path + query, body=body, headers=head).status == 200, body

    captions = [post["caption"] for post in sim.control("GET", "/instagram/posts")["posts"]]
    assert captions == [fields["caption"]] * 5


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"media_type=REELS&media_type=STORIES&video_url=https://example.com/", "application/x-www-form-urlencoded"),
        (b"{not json", "application/json"),
        (b"[]", "application/json"),
        (b"media_type=REELS", "text/plain"),
        (b"no parts", "multipart/form-data; boundary=b"),
    ],
)
def test_malformed_bodies(sim: Sim, ana: Profile, body: bytes, kind: str) -> None:
    answer = sim.send("POST", f"{GRAPH}/{ana.id}/media", body=body, headers=bearer(ana.token) | {"Content-Type": kind})

    assert error(answer) == HUNDRED


def test_a_parameter_may_not_stand_in_two_places(sim: Sim, ana: Profile) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    path = f"{GRAPH}/{ana.id}/media?media_type=REELS"
    body = urlencode(REEL).encode()

    assert error(sim.send("POST", path, body=body, headers=bearer(ana.token) | form)) == HUNDRED


@pytest.mark.parametrize(
    ("version", "wanted"), [("v99.0", (400, 2500, None)), ("26.0", (400, 2500, None)), ("v19.0", (400, 2635, None)), ("v20.0", None)]
)
def test_versions(sim: Sim, ana: Profile, version: str, wanted: Any) -> None:
    answer = sim.send("GET", f"/instagram/{version}/me", headers=bearer(ana.token))

    assert answer.status == 200 if wanted is None else error(answer) == wanted


class TestCarousel:
    def test_needs_two_to_ten_children(self, ana: Profile, jpeg_url: str) -> None:
        ids = [ana.container(image_url=jpeg_url, is_carousel_item=True) for _ in range(11)]

        assert error(ana.create(media_type="CAROUSEL", children=ids[:1])) == (400, 100, 2207028)
        assert error(ana.create(media_type="CAROUSEL", children=ids)) == (400, 100, 2207028)
        assert error(ana.create(media_type="CAROUSEL", children=ids[:1] * 2)) == HUNDRED
        assert ana.create(media_type="CAROUSEL", children=ids[:10]).status == 200
        assert ana.create(media_type="CAROUSEL", children=",".join(ids[:2])).status == 200

    def test_refuses_children_of_another_kind_account_or_day(self, sim: Sim, ana: Profile, jpeg_url: str) -> None:
        old = [ana.container(image_url=jpeg_url, is_carousel_item=True) for _ in range(2)]
        sim.advance(86_400)
        fresh = ana.container(image_url=jpeg_url, is_carousel_item=True)
        single = ana.container(image_url=jpeg_url)
        foreign = profile(sim, "bo").container(image_url=jpeg_url, is_carousel_item=True)

        for bad in (old[0], single, foreign, "17900000000000000"):
            assert error(ana.create(media_type="CAROUSEL", children=[fresh, bad])) == (400, 24, 2207006)

    def test_waits_for_its_children(self, sim: Sim, ana: Profile, jpeg_url: str, clip_url: str) -> None:
        ana.settings(video_processing_s=20.0)
        image = ana.container(image_url=jpeg_url, is_carousel_item=True)
        video = ana.container(media_type="VIDEO", video_url=clip_url, is_carousel_item=True)
        parent = ana.container(media_type="CAROUSEL", children=[image, video])
        sim.settle()

        assert ana.code(parent) == "IN_PROGRESS"
        sim.advance(20)
        assert ana.code(parent) == "FINISHED"

    def test_a_knob_wants_finished_children(self, sim: Sim, ana: Profile, jpeg_url: str, clip_url: str) -> None:
        ana.settings(carousel_children="finished", video_processing_s=20.0)
        image = ana.container(image_url=jpeg_url, is_carousel_item=True)
        video = ana.container(media_type="VIDEO", video_url=clip_url, is_carousel_item=True)
        sim.settle()

        assert error(ana.create(media_type="CAROUSEL", children=[image, video])) == (400, 9007, 2207027)
        sim.advance(20)
        assert ana.create(media_type="CAROUSEL", children=[image, video]).status == 200
