"""What is said before anything is sent: the media table row by row, texts, options, and what the account has left."""

from typing import Any

import pytest

from clipcast.platforms.base import Answer, Order
from pure.instagram.orders import (
    GRAPH_IG,
    INSTAGRAM,
    answer,
    carousel,
    image,
    photo,
    reel,
    refused,
    room,
    story,
    video,
)

PUBLIC_URL = {"needs_public_url": False}


def codes(order: Order, reply: Answer | None = None) -> dict[str, bool]:
    """What was found, but for the reminder of the public URL, and whether it blocks."""
    return {problem.code: problem.blocking for problem in INSTAGRAM.problems(order, reply) if problem.code != "needs_public_url"}


@pytest.mark.parametrize(
    "order",
    [
        reel(),
        reel("facebook"),
        reel(mode="reel"),
        photo(mode="feed"),
        carousel(mode="feed"),
        story(),
        story(media=(image(width=1080, height=1920),)),
        reel(media=(video(content_type="video/quicktime", video_codec="hevc", frame_rate=23.976, duration_s=900, audio_codec=None),)),
        reel(media=(video(duration_s=3, size_bytes=300_000_000 // 100),)),
        reel(cover_ms=29_999, cover=None),
        photo(media=(image(width=1910, height=1000),)),
        reel("facebook", brand_content=True),
        reel(brand_content=True, account={}),
        reel(caption="#a " * 30 + "@b " * 20),
    ],
)
def test_what_instagram_takes_passes(order: Order) -> None:
    assert codes(order) == {}


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (reel(media=()), "no_media"),
        (photo(mode="reel"), "not_a_reel"),
        (carousel(mode="reel"), "not_a_reel"),
        (reel(mode="feed"), "video_is_a_reel"),
        (carousel(mode="story", caption=""), "story_of_many"),
        (reel(mode="igtv"), "unknown_mode"),
        (carousel(media=(image(),) * 11), "too_many_items"),
        (reel(privacy="private"), "privacy_not_offered"),
        (reel(privacy="followers"), "privacy_not_offered"),
        (reel(transfer="carrier_pigeon"), "unknown_transfer"),
        (reel(brand_content=True), "brand_content_not_supported"),
        (reel(caption="x" * 2201), "caption_too_long"),
        (reel(caption="#a " * 31), "too_many_hashtags"),
        (reel(caption="@b " * 21), "too_many_mentions"),
        (reel(extra={"caption": "x" * 2201}), "caption_too_long"),
        (reel(extra={"media_type": "VIDEO"}), "extra_not_allowed"),
        (reel(extra={"access_token": "x"}), "extra_not_allowed"),
        (reel(media=(video(content_type="video/webm"),)), "container_not_taken"),
        (reel(media=(video(video_codec="vp9"),)), "codec_not_taken"),
        (reel(media=(video(audio_codec="opus"),)), "audio_codec_not_taken"),
        (reel(media=(video(frame_rate=22.9),)), "frame_rate_out_of_range"),
        (reel(media=(video(frame_rate=60.1),)), "frame_rate_out_of_range"),
        (reel(media=(video(width=1921, height=1080),)), "video_too_wide"),
        (reel(media=(video(width=1900, height=180),)), "video_aspect_out_of_range"),
        (story(media=(video(width=100, height=1920),)), "video_aspect_out_of_range"),
        (reel(media=(video(size_bytes=300_000_001, duration_s=600),)), "video_size_out_of_range"),
        (reel(media=(video(size_bytes=0),)), "video_size_out_of_range"),
        (story(media=(video(size_bytes=100_000_001, duration_s=59),)), "video_size_out_of_range"),
        (reel(media=(video(duration_s=2.9, size_bytes=1_000_000),)), "video_too_short"),
        (reel(media=(video(duration_s=900.1),)), "video_too_long"),
        (story(media=(video(duration_s=60.1),)), "video_too_long"),
        (carousel(media=(image(), video(duration_s=61))), "video_too_long"),
        (photo(media=(image(content_type="image/png"),)), "image_type_not_taken"),
        (photo(media=(image(content_type="image/webp"),)), "image_type_not_taken"),
        (photo(media=(image(size_bytes=8_388_609),)), "image_size_out_of_range"),
        (photo(media=(image(width=1080, height=1351),)), "image_aspect_out_of_range"),
        (photo(media=(image(width=1911, height=1000),)), "image_aspect_out_of_range"),
        (reel(cover_ms=30_000), "cover_outside_video"),
        (reel(cover_ms=-1), "cover_outside_video"),
        (reel(cover=image(content_type="image/png")), "cover_not_jpeg"),
        (reel(cover=image(size_bytes=9_000_000)), "image_size_out_of_range"),
        (photo(options={"user_tags": [{"username": "anna"}]}), "tag_without_position"),
        (photo(options={"user_tags": [{"username": "anna", "x": 0, "y": 0, "item": 1}]}), "no_such_item"),
        (photo(options={"alt_texts": ["a", "b"]}), "too_many_alt_texts"),
    ],
)
def test_what_instagram_does_not_take_blocks(order: Order, code: str) -> None:
    assert codes(order) == {code: True}


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (reel(caption="🎬" * 1101), "caption_may_be_too_long"),
        (reel(extra={"of_tomorrow": 1}), "unknown_extra"),
        (photo(media=(image(size_bytes=8_100_000),)), "image_size_large"),
        (reel(media=(video(size_bytes=100_000_000, duration_s=30),)), "video_bitrate_high"),
    ],
)
def test_what_instagram_may_refuse_warns(order: Order, code: str) -> None:
    assert codes(order) == {code: False}


@pytest.mark.parametrize(
    ("order", "fields"),
    [
        (reel(allow_comments=False, brand_organic=True, title="T"), {"allow_comments", "brand_organic", "title"}),
        (
            reel(allow_duet=False, allow_stitch=False, cover_index=1, auto_add_music=True),
            {"allow_duet", "allow_stitch", "cover_index", "auto_add_music"},
        ),
        (photo(cover_ms=1, cover=image()), {"cover_ms", "cover"}),
        (reel(cover_ms=1, cover=image()), {"cover_ms"}),
        (story(caption="unseen"), {"caption"}),
        (
            photo(options={"share_to_feed": False, "audio_name": "x", "trial_params": {"graduation_strategy": "MANUAL"}}),
            {"options.share_to_feed", "options.audio_name", "options.trial_params"},
        ),
        (story(options={"collaborators": ["a"], "location_id": "1"}), {"options.collaborators", "options.location_id"}),
        (reel(options={"alt_texts": ["A boat"]}), {"options.alt_texts", "options.alt_texts.0"}),
        (carousel(options={"alt_texts": ["", "A boat"]}), {"options.alt_texts.1"}),
    ],
)
def test_what_instagram_would_drop_without_a_word_is_said(order: Order, fields: set[str]) -> None:
    found = [problem for problem in INSTAGRAM.problems(order, None) if problem.code != "needs_public_url"]
    assert {problem.field for problem in found} == fields
    assert {(problem.code, problem.blocking) for problem in found} == {("ignored_by_instagram", False)}


@pytest.mark.parametrize(
    ("options", "field", "code"),
    [
        ({"share_to_fed": True}, "options.share_to_fed", "unknown_option"),
        ({"thumb_offset": 5}, "options.thumb_offset", "unknown_option"),
        ({"collaborators": ["a", "b", "c", "d"]}, "options.collaborators", "option_not_valid"),
        ({"collaborators": ["not a name"]}, "options.collaborators.0", "option_not_valid"),
        ({"location_id": "Berlin"}, "options.location_id", "option_not_valid"),
        ({"alt_texts": ["x" * 1001]}, "options.alt_texts.0", "option_not_valid"),
        ({"user_tags": [{"username": "a", "x": 1.1, "y": 0}]}, "options.user_tags.0.x", "option_not_valid"),
        ({"user_tags": [{"username": "a"}] * 21}, "options.user_tags", "option_not_valid"),
        ({"user_tags": [{"username": "a", "z": 1}]}, "options.user_tags.0.z", "option_not_valid"),
        ({"trial_params": {"graduation_strategy": "SOMEDAY"}}, "options.trial_params.graduation_strategy", "option_not_valid"),
    ],
)
def test_an_option_that_instagram_does_not_have_is_named(options: dict[str, Any], field: str, code: str) -> None:
    found = [problem for problem in INSTAGRAM.problems(reel(options=options), None) if problem.code != "needs_public_url"]
    assert [(problem.field, problem.code, problem.blocking) for problem in found] == [(field, code, True)]


@pytest.mark.parametrize(
    ("order", "reminded"),
    [
        (reel(), True),
        (reel("facebook"), False),
        (reel("facebook", transfer="pull"), True),
        (photo(account={"login": "facebook"}), True),
        (reel("facebook", cover=image()), True),
        (carousel("facebook"), True),
    ],
)
def test_what_is_fetched_needs_a_public_address(order: Order, *, reminded: bool) -> None:
    found = {problem.code: problem.blocking for problem in INSTAGRAM.problems(order, None)}
    assert found == (PUBLIC_URL if reminded else {})


@pytest.mark.parametrize(
    ("order", "reply", "expected"),
    [
        (reel(), room(49, 50), {}),
        (reel(), room(50, 50), {"daily_limit_full": False}),
        (reel("facebook"), room(50, 50), {"daily_limit_full": False}),
        (reel(), refused(190), {"190": False}),
        (reel(), refused(190, 458), {"190/458": True}),
        (reel(), refused(25, 2207050), {"25/2207050": True}),
        (reel(), refused(100), {"100": False}),
        (reel(), answer(502, b"<html>"), {"http_502": False}),
        (reel("facebook"), refused(190), {}),
    ],
)
def test_what_the_account_has_left(order: Order, reply: Answer, expected: dict[str, bool]) -> None:
    """A full day only delays the post; a restricted account stops it."""
    assert codes(order, reply) == expected


def test_all_problems_come_at_once_each_at_its_place() -> None:
    order = carousel(
        media=(image(content_type="image/png"), video(duration_s=1, size_bytes=1_000_000), image()),
        caption="x" * 2201,
        privacy="private",
        mode="reel",
    )
    found = [problem for problem in INSTAGRAM.problems(order, room(50, 50)) if problem.code != "needs_public_url"]
    assert [problem.field for problem in found] == ["mode", "privacy", "caption", "media[0]", "media[1]", "account"]
    assert all(problem.sentence.endswith(".") for problem in found)


@pytest.mark.parametrize(
    ("account", "address"),
    [
        pytest.param({}, f"{GRAPH_IG}/me", id="whoever the token belongs to"),
        pytest.param({"instagram_account_id": "1784", "login": "instagram"}, f"{GRAPH_IG}/1784", id="Instagram's own login"),
        pytest.param(
            {"instagram_account_id": "1784", "login": "facebook"},
            GRAPH_IG.replace("instagram.com", "facebook.com") + "/1784",
            id="Facebook's login",
        ),
    ],
)
def test_the_question_about_the_account_goes_to_the_host_of_its_login(account: dict[str, str], address: str) -> None:
    request = INSTAGRAM.account_request(account)
    assert request is not None
    assert (request.method, request.authorized) == ("GET", True)
    assert request.url == f"{address}/content_publishing_limit?fields=quota_usage,config"
