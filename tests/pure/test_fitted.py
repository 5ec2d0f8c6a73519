"""What auto-fit says before anything is converted: which problems it mends, and what the copy will be."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipcast.platforms.base import AnyPlatform, Media, MediaKind, Order, Problem
from clipcast.platforms.instagram import Instagram
from clipcast.platforms.instagram import forms as instagram
from clipcast.platforms.tiktok import TikTok
from clipcast.platforms.youtube import YouTube
from clipcast.publications.fitted import conversions_of, problems_of

VIDEO = Media("v", MediaKind.VIDEO, "video/mp4", 5_000_000, 1080, 1920, 10.0, 30.0, "h264", "aac")
SLOW_MOTION = replace(VIDEO, frame_rate=120.0)
WEBP = Media("w", MediaKind.IMAGE, "image/webp", 900_000, 1080, 1080)
PLATFORMS: tuple[AnyPlatform, ...] = (TikTok(), Instagram(), YouTube())


def codes(problems: list[Problem], *, blocking: bool = True) -> list[str]:
    return [problem.code for problem in problems if problem.blocking is blocking]


def test_what_is_mended_is_marked_and_the_way_out_is_named() -> None:
    [problem] = problems_of(Order(media=(SLOW_MOTION,)), TikTok(), None, auto_fit=False)

    assert (problem.code, problem.blocking, problem.fittable) == ("frame_rate_out_of_range", True, True)
    assert "auto_fit" in problem.sentence


def test_with_auto_fit_it_says_what_the_copy_will_be() -> None:
    [note] = problems_of(Order(media=(SLOW_MOTION,)), TikTok(), None, auto_fit=True)

    assert (note.field, note.code, note.blocking, note.fittable) == ("media", "will_be_converted", False, True)
    assert note.sentence == (
        "The file is converted before it is posted: MP4 with H.264, 1080 x 1920 pixels, 60 frames per second. The original stays as it is."
    )


def test_what_is_no_matter_of_form_keeps_standing_in_the_way() -> None:
    order = Order(media=(replace(SLOW_MOTION, duration_s=1000.0),), caption="x" * 2201, mode="reel")

    left = problems_of(order, Instagram(), None, auto_fit=True)

    assert codes(left) == ["caption_too_long", "video_too_long"]
    assert not any(problem.fittable for problem in left if problem.blocking)


@pytest.mark.parametrize("auto_fit", [False, True])
def test_what_fits_is_not_spoken_of(auto_fit: bool) -> None:  # noqa: FBT001  # a case of the table
    for platform in PLATFORMS:
        order = Order(media=(VIDEO,), title="A day")
        assert problems_of(order, platform, None, auto_fit=auto_fit) == platform.problems(order, None)
        assert conversions_of(order, platform) == []


def test_each_file_of_a_set_is_spoken_of_at_its_place() -> None:
    good = replace(WEBP, media_id="g", content_type="image/jpeg")
    order = Order(media=(good, WEBP, replace(WEBP, media_id="t", width=500)))

    found = problems_of(order, Instagram(), None, auto_fit=True)

    assert [problem.field for problem in found if problem.code == "will_be_converted"] == ["media[1]", "media[2]"]
    assert "white ground" in found[-1].sentence
    assert conversions_of(order, Instagram()) == [("w", instagram.IMAGE), ("t", instagram.IMAGE)]


def test_a_cover_is_converted_too() -> None:
    order = Order(media=(VIDEO,), cover=replace(WEBP, width=900, height=1600))

    assert codes(problems_of(order, Instagram(), None, auto_fit=False)) == ["cover_not_jpeg"]
    assert codes(problems_of(order, Instagram(), None, auto_fit=True)) == []
    assert conversions_of(order, Instagram()) == [("w", instagram.COVER)]


def test_the_kind_of_post_decides_the_form() -> None:
    large = replace(VIDEO, size_bytes=150_000_000, duration_s=59.0)

    assert conversions_of(Order(media=(large,)), Instagram()) == []
    assert conversions_of(Order(media=(large,), mode="story"), Instagram()) == [("v", instagram.STORY_VIDEO)]
    assert conversions_of(Order(media=(large, VIDEO)), Instagram()) == [("v", instagram.CAROUSEL_VIDEO)]


def test_nothing_is_promised_where_a_platform_takes_nothing_of_the_kind() -> None:
    order = Order(media=(WEBP,), title="A day")

    assert problems_of(order, YouTube(), None, auto_fit=True) == YouTube().problems(order, None)


def test_a_png_s_jpeg_is_converted_from_the_original() -> None:
    """The media of a PNG is its JPEG rendition; the clip is what is named."""
    order = Order(media=(replace(WEBP, media_id="p:jpeg", content_type="image/jpeg", width=3000, height=2000),))

    [(clip_id, form)] = conversions_of(order, TikTok())

    assert (clip_id, form.name) == ("p", "tiktok")


@given(
    st.builds(
        replace,
        st.just(VIDEO),
        frame_rate=st.floats(1, 240),
        width=st.integers(100, 5000),
        height=st.integers(100, 5000),
        video_codec=st.sampled_from(["h264", "vp9", "prores"]),
        size_bytes=st.integers(1, 5_000_000_000),
    ),
    st.sampled_from(PLATFORMS),
)
def test_auto_fit_adds_no_obstacle_and_removes_only_what_it_can(video: Media, platform: AnyPlatform) -> None:
    order = Order(media=(video,), title="A day")

    before, without, with_it = (
        platform.problems(order, None),
        problems_of(order, platform, None, auto_fit=False),
        problems_of(order, platform, None, auto_fit=True),
    )

    assert codes(without) == codes(before)
    assert set(codes(with_it)) == {problem.code for problem in without if problem.blocking and not problem.fittable}
