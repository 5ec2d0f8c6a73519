from typing import Any

import pytest

from clipcast.platforms.base import Answer, Order
from clipcast.platforms.youtube.limits import MAX_COVER_BYTES, MAX_VIDEO_BYTES
from pure.youtube.orders import COVER, VIDEO, YOUTUBE, answer, channel, cover, listed, order, refused, video

EMOJI = "🎬"
TOMORROW = "2026-11-21T12:00:00Z"


def codes(chosen: Order, reply: Answer | None = None) -> dict[str, bool]:
    """The codes of the order's problems, and whether each one blocks."""
    return {problem.code: problem.blocking for problem in YOUTUBE.problems(chosen, reply)}


@pytest.mark.parametrize(
    "chosen",
    [
        order(),
        order(title="", caption="Only a caption"),
        order(title="x" * 100),
        order(title=EMOJI * 50),
        order(title="", caption="x" * 5000),
        order(caption="é" * 2500),
        order(caption=""),
        order(privacy="unlisted"),
        order(privacy="private", options={"publish_at": TOMORROW}),
        order(options={"tags": ["x" * 500]}),
        order(options={"tags": ["Foo Baz", "y" * 490]}),
        order(options={"category_id": 22, "license": "creativeCommon", "default_language": "zh-Hant"}),
        order(options={"default_language": "en", "localizations": {"de": {"title": "Auf See"}}}),
        order(ai_generated=True),
        order(cover=COVER),
        order(cover=cover(content_type="image/png", size_bytes=MAX_COVER_BYTES)),
        order(media=(video(size_bytes=MAX_VIDEO_BYTES, duration_s=900.0),)),
        order(media=(video(content_type="video/quicktime", video_codec="prores", frame_rate=120.0),)),
        order(media=(video(duration_s=None, frame_rate=None, video_codec=None, audio_codec=None),)),
        order(media=(video(width=1080, height=1920, duration_s=179.0),)),
        order(extra={"snippet": {"categoryId": "10"}, "brandPartner": {"channelHandle": "@x"}}),
    ],
)
def test_what_youtube_takes_has_no_problems(chosen: Order) -> None:
    assert codes(chosen) == {}
    assert codes(chosen, channel()) == {}


@pytest.mark.parametrize(
    ("chosen", "code"),
    [
        (Order(media=()), "no_media"),
        (order(media=(COVER,)), "images_not_taken"),
        (order(media=(VIDEO, COVER)), "images_not_taken"),
        (order(media=(VIDEO, VIDEO)), "too_many_videos"),
        (order(media=(video(size_bytes=0),)), "video_size_out_of_range"),
        (order(media=(video(size_bytes=MAX_VIDEO_BYTES + 1),)), "video_size_out_of_range"),
        (order(media=(video(content_type="application/pdf"),)), "container_not_taken"),
        (order(media=(video(duration_s=43_201.0),)), "video_too_long"),
        (order(mode="reel"), "unknown_mode"),
        (order(transfer="pull"), "unknown_transfer"),
        (order(privacy="friends"), "unknown_privacy"),
        (order(extra={"status": {"privacyStatus": None}}), "unknown_privacy"),
        (order(options={"publish_at": TOMORROW}), "publish_at_not_private"),
        (order(privacy="private", extra={"status": {"publishAt": "tomorrow"}}), "publish_at_unreadable"),
        (order(title="", caption=""), "no_title"),
        (order(title="a < b"), "title_with_brackets"),
        (order(title="x" * 101), "title_too_long"),
        (order(title=EMOJI * 51), "title_too_long"),
        (order(caption="a > b"), "caption_with_brackets"),
        (order(caption="é" * 2501), "caption_too_long"),
        (order(options={"tags": ["x" * 501]}), "tags_too_long"),
        (order(options={"tags": ["Foo Baz", "y" * 491]}), "tags_too_long"),
        (order(options={"tags": ["<x>"]}), "tag_with_brackets"),
        (order(options={"localizations": {"de": {"title": "Auf See"}}}), "default_language_missing"),
        (order(options={"default_language": "en", "localizations": {"de": {"title": "<"}}}), "bad_localization"),
        (order(options={"default_language": "en", "localizations": {"de": {"title": " "}}}), "bad_localization"),
        (order(options={"default_language": "en", "localizations": {"de": {"title": "x", "description": "é" * 2501}}}), "bad_localization"),
        (order(cover=cover(content_type="image/webp")), "cover_type_not_taken"),
        (order(cover=cover(size_bytes=MAX_COVER_BYTES + 1)), "cover_size_out_of_range"),
        (order(extra={"shorts": {}}), "unknown_extra"),
        (order(extra={"snippet": "none"}), "extra_not_an_object"),
    ],
)
def test_what_youtube_does_not_take_blocks(chosen: Order, code: str) -> None:
    found = codes(chosen)
    assert found[code] is True
    assert set(found) - {code} <= {"no_title", "unknown_privacy"}


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        ({"colour": "red"}, {"options.colour"}),
        ({"tags": "a,b", "embeddable": "yes"}, {"options.tags", "options.embeddable"}),
        ({"category_id": "music"}, {"options.category_id"}),
        ({"category_id": True}, {"options.category_id"}),
        ({"publish_at": "2026-12-01T15:00:00"}, {"options.publish_at"}),
        ({"license": "mit"}, {"options.license"}),
        ({"default_language": "English!"}, {"options.default_language"}),
        ({"localizations": {"de": {"colour": "red"}}}, {"options.localizations.de.title", "options.localizations.de.colour"}),
        ({"made_for_kids": 1, "notify_subscribers": "true"}, {"options.made_for_kids", "options.notify_subscribers"}),
    ],
)
def test_each_unusable_option_is_named(options: dict[str, Any], fields: set[str]) -> None:
    found = YOUTUBE.problems(order(options=options), None)
    assert {problem.field for problem in found} == fields
    assert {(problem.code, problem.blocking) for problem in found} == {("bad_option", True)}
    assert all(problem.sentence.endswith(".") for problem in found)


@pytest.mark.parametrize(
    ("chosen", "code"),
    [
        (order(media=(video(content_type="video/x-matroska"),)), "container_uncertain"),
        (order(media=(video(video_codec="theora"),)), "codec_uncertain"),
        (order(media=(video(width=1080, height=1920, duration_s=179.5),)), "short_uncertain"),
        (order(media=(video(duration_s=900.5),)), "video_long"),
        (order(brand_content=True), "brand_content_uncertain"),
    ],
)
def test_what_youtube_may_refuse_warns(chosen: Order, code: str) -> None:
    assert codes(chosen) == {code: False}


def test_what_youtube_would_drop_without_a_word_is_said() -> None:
    dropped: dict[str, Any] = {
        "allow_comments": False,
        "allow_duet": False,
        "allow_stitch": False,
        "auto_add_music": True,
        "brand_organic": True,
        "cover_index": 1,
        "cover_ms": 1500,
    }
    found = YOUTUBE.problems(order(**dropped), None)
    assert {problem.field for problem in found} == set(dropped)
    assert {(problem.code, problem.blocking) for problem in found} == {("ignored_by_youtube", False)}


@pytest.mark.parametrize(
    ("chosen", "reply", "expected"),
    [
        (order(media=(video(duration_s=901.0),)), channel(), {}),
        (order(media=(video(duration_s=901.0),)), channel(status={"longUploadsStatus": "eligible"}), {"video_too_long_for_channel": True}),
        (
            order(media=(video(duration_s=901.0),)),
            channel(status={"longUploadsStatus": "disallowed"}),
            {"video_too_long_for_channel": True},
        ),
        (order(media=(video(duration_s=900.0),)), channel(status={"longUploadsStatus": "disallowed"}), {}),
        (order(media=(video(duration_s=901.0),)), channel(status=None), {}),
        (order(account={"channel_id": "UC1234567890123456789012"}), channel(), {}),
        (order(account={"channel_id": "UCother"}), channel(), {"other_channel": True}),
        (order(), listed(), {"no_channel": True}),
        (order(), answer(200, {}), {"no_channel": True}),
        (order(), refused(403, "insufficientPermissions"), {"insufficientPermissions": True}),
        (order(), refused(403, "channelClosed"), {"channelClosed": True}),
        (order(), refused(403, "quotaExceeded"), {"quotaExceeded": False}),
        (order(), answer(502, b"<html>"), {"unavailable": False}),
        (order(), answer(200, b"<html>"), {"unreadable_answer": False}),
    ],
)
def test_what_the_channel_may_do(chosen: Order, reply: Answer, expected: dict[str, bool]) -> None:
    """A full quota only delays the post; a missing permission stops it."""
    assert codes(chosen, reply) == expected


def test_all_problems_come_at_once_each_at_its_place() -> None:
    chosen = order(title="x" * 101, caption="<", privacy="followers", transfer="pull", media=(video(size_bytes=0), VIDEO), cover_ms=5)
    found = YOUTUBE.problems(chosen, listed())
    assert [problem.field for problem in found] == ["media", "media[0]", "transfer", "title", "caption", "privacy", "cover_ms", "account"]
    assert all(problem.sentence.endswith(".") for problem in found)


def test_the_question_about_the_account() -> None:
    request = YOUTUBE.account_request({})
    assert request is not None
    assert (request.method, request.authorized) == ("GET", True)
    assert request.url == "https://www.googleapis.com/youtube/v3/channels?part=id,contentDetails,status&mine=true"
