from dataclasses import replace
from typing import Any

import pytest

from clipcast.platforms.base import Answer, Media, Order
from pure.tiktok.orders import IMAGE, TIKTOK, VIDEO, answer, creator_info, direct, image, inbox, photos, refused, video

EMOJI = "🎬"


def codes(order: Order, info: Answer | None = None) -> dict[str, bool]:
    """The codes of the order's problems, and whether each one blocks."""
    return {problem.code: problem.blocking for problem in TIKTOK.problems(order, info)}


@pytest.mark.parametrize(
    "order",
    [
        direct(),
        direct(caption="x" * 2200),
        direct(caption=EMOJI * 1100),
        direct(privacy="private", brand_organic=True),
        direct(media=(video(frame_rate=60.0, width=360, height=4096, size_bytes=4_000_000_000),)),
        direct(media=(video(content_type="video/quicktime", video_codec="hevc", frame_rate=23.0),)),
        direct(media=(video(duration_s=None, frame_rate=None, video_codec=None, audio_codec=None),)),
        direct(mode="", transfer="pull", cover_ms=29_000),
        Order(media=(VIDEO,), mode="inbox"),
        Order(media=(video(duration_s=600.0),), mode="inbox"),
        photos(1),
        photos(35, title="x" * 90, caption="x" * 4000, cover_index=34),
        photos(2, media=(image(content_type="image/webp", width=1920, height=1080), image(width=941, height=1672))),
        Order(media=(IMAGE,), title="t", caption="c", mode="inbox"),
        direct(extra={"post_info": {"title": "other"}, "is_aigc": True}),
    ],
)
def test_what_tiktok_takes_has_no_problems(order: Order) -> None:
    assert TIKTOK.problems(order, None) == []
    assert codes(order, creator_info()) == {}


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (Order(media=()), "no_media"),
        (direct(media=(VIDEO, IMAGE)), "mixed_media"),
        (direct(media=(VIDEO, VIDEO)), "too_many_videos"),
        (photos(36), "too_many_images"),
        (direct(mode="reel"), "unknown_mode"),
        (direct(privacy="unlisted"), "unknown_privacy"),
        (direct(options={"thumb_offset": 3}), "unknown_option"),
        (direct(transfer="carrier pigeon"), "unknown_transfer"),
        (direct(privacy="private", brand_content=True), "private_brand_content"),
        (direct(caption="x" * 2201), "caption_too_long"),
        (direct(caption=EMOJI * 1101), "caption_too_long"),
        (photos(1, title="x" * 91), "title_too_long"),
        (photos(1, title=EMOJI * 46, mode="inbox"), "title_too_long"),
        (photos(1, caption="x" * 4001), "description_too_long"),
        (photos(2, cover_index=2), "no_such_cover"),
        (photos(2, cover_index=-1), "no_such_cover"),
        (direct(media=(video(content_type="video/x-msvideo"),)), "container_not_taken"),
        (direct(media=(video(video_codec="av1"),)), "codec_not_taken"),
        (direct(media=(video(frame_rate=22.9),)), "frame_rate_out_of_range"),
        (direct(media=(video(frame_rate=60.02),)), "frame_rate_out_of_range"),
        (direct(media=(video(size_bytes=4_000_000_001),)), "video_size_out_of_range"),
        (direct(media=(video(size_bytes=0),)), "video_size_out_of_range"),
        (direct(media=(video(width=320, height=320),)), "video_too_small"),
        (inbox(caption="", media=(video(duration_s=600.1),)), "video_too_long"),
        (photos(1, media=(image(content_type="image/png"),)), "image_type_not_taken"),
        (photos(1, media=(image(width=1086, height=1448),)), "image_too_many_pixels"),
        (photos(1, media=(image(size_bytes=20_000_001),)), "image_size_out_of_range"),
        (direct(extra={"source_info": {"source": "PULL_FROM_URL"}}), "extra_not_allowed"),
        (photos(1, extra={"post_mode": "MEDIA_UPLOAD"}), "extra_not_allowed"),
        (direct(extra={"post_info": "none"}), "extra_not_an_object"),
    ],
)
def test_what_tiktok_does_not_take_blocks(order: Order, code: str) -> None:
    assert codes(order) == {code: True}


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (direct(media=(video(width=5000, height=5000),)), "video_dimensions_large"),
        (direct(media=(video(duration_s=0.5),)), "video_very_short"),
        (direct(cover_ms=30_001), "cover_outside_video"),
        (direct(cover_ms=-1), "cover_outside_video"),
        (direct(extra={"new_field": 1}), "unknown_extra"),
    ],
)
def test_what_tiktok_may_refuse_warns(order: Order, code: str) -> None:
    assert codes(order) == {code: False}


@pytest.mark.parametrize(
    ("order", "fields"),
    [
        (direct(title="A title"), {"title"}),
        (direct(cover=IMAGE), {"cover"}),
        (direct(cover_index=1, auto_add_music=True), {"cover_index", "auto_add_music"}),
        (photos(1, cover_ms=5, allow_duet=False, allow_stitch=False), {"cover_ms", "allow_duet", "allow_stitch"}),
        (
            inbox(privacy="friends", ai_generated=True, cover_ms=1, allow_comments=False, brand_content=True, brand_organic=True),
            {"caption", "privacy", "ai_generated", "cover_ms", "allow_comments", "brand_content", "brand_organic"},
        ),
        (photos(1, mode="inbox", privacy="private", auto_add_music=True), {"privacy", "auto_add_music"}),
    ],
)
def test_what_tiktok_would_drop_without_a_word_is_said(order: Order, fields: set[str]) -> None:
    found = TIKTOK.problems(order, None)
    assert {problem.field for problem in found} == fields
    assert {(problem.code, problem.blocking) for problem in found} == {("ignored_by_tiktok", False)}


@pytest.mark.parametrize(
    ("order", "info", "expected"),
    [
        (direct(), {"privacy_level_options": ["SELF_ONLY"]}, {"privacy_not_offered": True}),
        (direct(), {"privacy_level_options": []}, {}),
        (direct(privacy="unlisted"), {}, {"unknown_privacy": True, "privacy_not_offered": True}),
        (direct(), {"max_video_post_duration_sec": 29}, {"video_too_long": True}),
        (direct(), {"max_video_post_duration_sec": 30}, {}),
        (direct(), {"max_video_post_duration_sec": None}, {}),
        (photos(1), {"max_video_post_duration_sec": 1}, {}),
        (direct(), {"comment_disabled": True}, {"switched_off_by_creator": False}),
        (direct(allow_comments=False), {"comment_disabled": True}, {}),
        (photos(1), {"duet_disabled": True, "stitch_disabled": True}, {}),
        (inbox(caption=""), {"privacy_level_options": [], "max_video_post_duration_sec": 1}, {}),
    ],
)
def test_the_creators_own_settings(order: Order, info: dict[str, Any], expected: dict[str, bool]) -> None:
    assert codes(order, creator_info(**info)) == expected


def test_each_thing_switched_off_is_named() -> None:
    info = creator_info(comment_disabled=True, duet_disabled=True, stitch_disabled=True)
    assert [problem.field for problem in TIKTOK.problems(direct(), info)] == ["allow_comments", "allow_duet", "allow_stitch"]


@pytest.mark.parametrize(
    ("reply", "code", "blocking"),
    [
        (refused(200, "spam_risk_too_many_posts"), "spam_risk_too_many_posts", False),
        (refused(200, "reached_active_user_cap"), "reached_active_user_cap", False),
        (refused(200, "spam_risk_user_banned_from_posting"), "spam_risk_user_banned_from_posting", True),
        (refused(401, "scope_not_authorized"), "scope_not_authorized", True),
        (refused(429, "rate_limit_exceeded"), "rate_limit_exceeded", False),
        (answer(502, b"<html>"), "unavailable", False),
    ],
)
def test_what_the_account_cannot_do_now_is_a_problem(reply: Answer, code: str, *, blocking: bool) -> None:
    """A full cap only delays the post; a ban or a missing permission stops it."""
    assert codes(direct(), reply) == {code: blocking}


def test_a_draft_does_not_depend_on_creator_info() -> None:
    assert codes(inbox(caption=""), refused(401, "scope_not_authorized")) == {}


def test_all_problems_come_at_once_each_at_its_place() -> None:
    bad: tuple[Media, ...] = (IMAGE, image(content_type="image/png"), image(size_bytes=30_000_000))
    order = replace(photos(1), media=bad, title="x" * 91, cover_index=9, privacy="private", brand_content=True)
    found = TIKTOK.problems(order, creator_info(privacy_level_options=["PUBLIC_TO_EVERYONE"]))
    assert [problem.field for problem in found] == ["brand_content", "cover_index", "title", "media[1]", "media[2]", "privacy"]
    assert all(problem.sentence.endswith(".") for problem in found)


def test_the_question_about_the_account() -> None:
    request = TIKTOK.account_request({})
    assert request is not None
    assert (request.method, request.authorized) == ("POST", True)
    assert str(request.url) == "https://open.tiktokapis.com/v2/post/publish/creator_info/query/"
