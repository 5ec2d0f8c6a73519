"""Plans of conversions: what is made fits, keeps its shape, and changes no more than it must."""

import math
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipcast.clips.fitting import MAX_ENCODED_PIXELS, ImagePlan, Pictures, VideoPlan, expected, fits, plan_for
from clipcast.platforms.base import AnyPlatform, Media, MediaKind, Order
from clipcast.platforms.forms import ImageForm, MediaForm, VideoForm, purpose_of
from clipcast.platforms.instagram import Instagram, forms
from clipcast.platforms.tiktok import TikTok
from clipcast.platforms.tiktok import forms as tiktok
from clipcast.platforms.youtube import YouTube
from clipcast.platforms.youtube import forms as youtube

VIDEO = Media("v", MediaKind.VIDEO, "video/mp4", 5_000_000, 1080, 1920, 10.0, 30.0, "h264", "aac")
IMAGE = Media("i", MediaKind.IMAGE, "image/jpeg", 900_000, 1080, 1080)
VIDEO_FORMS = (tiktok.VIDEO, youtube.VIDEO, forms.REEL, forms.STORY_VIDEO, forms.CAROUSEL_VIDEO)
IMAGE_FORMS = (tiktok.IMAGE, youtube.COVER, forms.IMAGE, forms.STORY_IMAGE, forms.COVER)

sides = st.integers(16, 8192)
videos = st.builds(
    Media,
    media_id=st.just("v"),
    kind=st.just(MediaKind.VIDEO),
    content_type=st.sampled_from(["video/mp4", "video/quicktime", "video/webm"]),
    size_bytes=st.integers(1, 20_000_000_000),
    width=sides,
    height=sides,
    duration_s=st.floats(0.1, 3600),
    frame_rate=st.one_of(st.none(), st.floats(0.01, 1000)),
    video_codec=st.sampled_from(["h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "prores", "mjpeg"]),
    audio_codec=st.sampled_from([None, "aac", "opus", "mp3", "pcm_s16le"]),
)
images = st.builds(
    Media,
    media_id=st.just("i"),
    kind=st.just(MediaKind.IMAGE),
    content_type=st.sampled_from(["image/jpeg", "image/png", "image/webp"]),
    size_bytes=st.integers(1, 200_000_000),
    width=sides,
    height=sides,
)


def keeps_shape(media: Media, width: int, height: int) -> bool:
    """The same width for its height, but for the rounding to even pixels."""
    return abs(width - height * media.width / media.height) <= 2 + 2 * media.width / media.height


@given(videos, st.sampled_from(VIDEO_FORMS))
def test_a_video_that_is_converted_fits_and_keeps_its_shape(video: Media, form: VideoForm) -> None:
    plan = plan_for(video, form)
    if plan is None:
        return
    assert isinstance(plan, VideoPlan)
    made = expected(video, plan, form)
    assert fits(made, form)
    assert (made.duration_s, made.media_id) == (video.duration_s, video.media_id)
    if plan.pictures is None:
        assert (plan.width, plan.height) == (video.width, video.height)
        return
    assert keeps_shape(video, plan.width, plan.height)
    assert plan.width * plan.height <= MAX_ENCODED_PIXELS
    assert plan.width % 2 == plan.height % 2 == 0
    assert video.duration_s is not None
    assert plan.pictures.max_bits_per_s * video.duration_s / 8 < form.max_bytes


@given(images, st.sampled_from(IMAGE_FORMS))
def test_a_picture_that_is_converted_fits_and_is_not_cropped(image: Media, form: ImageForm) -> None:
    plan = plan_for(image, form)
    if plan is None:
        return
    assert isinstance(plan, ImagePlan)
    assert fits(expected(image, plan, form), form)
    assert keeps_shape(image, plan.width, plan.height)
    assert plan.width <= min(image.width, plan.ground_width)
    assert plan.height <= min(image.height, plan.ground_height)


@given(videos.filter(lambda video: video.size_bytes <= 100_000_000 and 0.2 < video.width / video.height < 5))
def test_videos_of_ordinary_shape_and_size_can_always_be_converted(video: Media) -> None:
    short = replace(video, duration_s=min(video.duration_s or 1, 60.0))
    assert all(plan_for(short, form) for form in VIDEO_FORMS)


PLATFORMS: tuple[AnyPlatform, ...] = (TikTok(), Instagram(), YouTube())


@given(st.one_of(videos, images), st.sampled_from(PLATFORMS), st.sampled_from(["", "story"]))
def test_what_fits_is_refused_for_no_reason_of_form(media: Media, platform: AnyPlatform, mode: str) -> None:
    """The forms and the rules of preflight are two readings of the same limits: they agree."""
    media = replace(media, duration_s=min(max(media.duration_s, 5.0), 59.0) if media.duration_s else None)
    order = Order(media=(media,), mode=mode)
    form = platform.form(order, media)
    if form is None:
        return
    plan = plan_for(media, form)
    made = media if fits(media, form) else expected(media, plan, form) if plan else None
    if made is not None:
        found = [problem.code for problem in platform.problems(replace(order, media=(made,)), None) if problem.field == "media"]
        assert set(found) <= {"needs_public_url", "short_uncertain", "video_aspect_out_of_range"}


@pytest.mark.parametrize(
    ("rate", "expected_rate"),
    [
        (120.0, Fraction(60)),
        (60.02, Fraction(30)),  # as screen recorders make it; half of it is the constant 30 that TikTok advises
        (144.0, Fraction(48)),
        (119.88, Fraction(60_000, 1001)),
        (29.97, Fraction(30_000, 1001)),
        (29.8, Fraction(30_000, 1001)),
        (15.0, Fraction(30)),
        (12.0, Fraction(24)),
        (1.0, Fraction(30)),
        (33.0, Fraction(33)),
    ],
)
def test_frame_rates_come_into_range_by_whole_steps(rate: float, expected_rate: Fraction) -> None:
    plan = plan_for(replace(VIDEO, video_codec="prores", frame_rate=rate), tiktok.VIDEO)

    assert isinstance(plan, VideoPlan)
    assert plan.pictures is not None
    assert plan.pictures.frame_rate == expected_rate


@pytest.mark.parametrize("form", VIDEO_FORMS)
def test_what_fits_is_left_alone(form: VideoForm) -> None:
    assert fits(VIDEO, form)


def test_where_only_the_sound_is_wrong_the_pictures_are_copied() -> None:
    plan = plan_for(replace(VIDEO, audio_codec="opus"), forms.REEL)

    assert plan == VideoPlan(1080, 1920, None, encode_audio=True)
    assert str(plan) == "MP4 with the same pictures and its sound as AAC"


def test_where_only_the_container_is_wrong_everything_is_copied() -> None:
    mp4_alone = replace(forms.REEL, content_types=("video/mp4",))

    assert plan_for(replace(VIDEO, content_type="video/quicktime"), mp4_alone) == VideoPlan(1080, 1920, None, encode_audio=False)


def test_a_silent_video_stays_silent() -> None:
    plan = plan_for(replace(VIDEO, video_codec="vp9", audio_codec=None), forms.REEL)

    assert plan == VideoPlan(1080, 1920, Pictures(Fraction(30), 22_872_000), encode_audio=False)


@pytest.mark.parametrize(
    ("size", "form", "scaled"),
    [
        ((5000, 2000), tiktok.VIDEO, (4096, 1638)),
        ((5000, 5000), tiktok.VIDEO, (3072, 3072)),  # what a decoder in a phone can still play
        ((3840, 2160), forms.REEL, (1920, 1080)),
        ((1081, 1921), forms.REEL, (1080, 1920)),
        ((320, 240), tiktok.VIDEO, (480, 360)),
    ],
)
def test_pixels(size: tuple[int, int], form: VideoForm, scaled: tuple[int, int]) -> None:
    plan = plan_for(replace(VIDEO, width=size[0], height=size[1], video_codec="prores"), form)

    assert isinstance(plan, VideoPlan)
    assert (plan.width, plan.height) == scaled


@pytest.mark.parametrize(
    ("size", "form", "picture", "ground"),
    [
        ((4000, 3000), tiktok.IMAGE, (1440, 1080), (1440, 1080)),
        ((4000, 3000), forms.IMAGE, (1440, 1080), (1440, 1080)),
        ((1080, 1920), forms.IMAGE, (1012, 1800), (1440, 1800)),
        ((1080, 1920), forms.STORY_IMAGE, (1080, 1920), (1080, 1920)),
        ((4000, 1000), forms.IMAGE, (1440, 360), (1440, 754)),
    ],
)
def test_pictures_are_scaled_and_never_cropped(
    size: tuple[int, int], form: ImageForm, picture: tuple[int, int], ground: tuple[int, int]
) -> None:
    plan = plan_for(
        replace(IMAGE, content_type="image/webp" if form is not tiktok.IMAGE else "image/png", width=size[0], height=size[1]), form
    )

    assert isinstance(plan, ImagePlan)
    assert (plan.width, plan.height) == picture
    assert (plan.ground_width, plan.ground_height) == ground
    assert ("white ground" in str(plan)) == (picture != ground)


def test_a_wide_photo_is_no_reason_to_convert_it() -> None:
    """Instagram itself scales to 1440 pixels."""
    assert fits(replace(IMAGE, width=4000, height=3000, size_bytes=3_000_000), forms.IMAGE)


def test_too_extreme_a_shape_cannot_be_converted() -> None:
    assert plan_for(replace(VIDEO, width=8000, height=100), tiktok.VIDEO) is None


def test_too_long_for_the_size_cannot_be_converted() -> None:
    assert plan_for(replace(VIDEO, size_bytes=400_000_000, duration_s=36_000), forms.REEL) is None


@pytest.mark.parametrize("form", [*VIDEO_FORMS, *IMAGE_FORMS])
def test_a_stricter_form_is_another_purpose(form: MediaForm) -> None:
    purpose = purpose_of(form)

    assert purpose != purpose_of(replace(form, max_bytes=form.max_bytes - 1))
    assert len(purpose) <= 40


def test_every_form_has_a_purpose_of_its_own() -> None:
    assert len({purpose_of(form) for form in (*VIDEO_FORMS, *IMAGE_FORMS)}) == len(VIDEO_FORMS) + len(IMAGE_FORMS)
    assert all(math.isfinite(form.max_bytes) for form in (*VIDEO_FORMS, *IMAGE_FORMS))
