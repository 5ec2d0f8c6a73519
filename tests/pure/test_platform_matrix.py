"""The feature matrix (`docs/platforms.csv`) says what the code says, for every platform."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from clipcast.platforms.base import Rate
from clipcast.platforms.forms import VideoForm
from clipcast.platforms.instagram import limits as instagram_limits
from clipcast.platforms.instagram import oauth as instagram_oauth
from clipcast.platforms.instagram import options as instagram_options
from clipcast.platforms.instagram import posting as instagram_posting
from clipcast.platforms.instagram.forms import CAROUSEL_VIDEO, IMAGE, REEL, STORY_VIDEO
from clipcast.platforms.registry import live_platforms
from clipcast.platforms.tiktok import forms as tiktok_forms
from clipcast.platforms.tiktok import limits as tiktok_limits
from clipcast.platforms.tiktok import oauth as tiktok_oauth
from clipcast.platforms.tiktok import posting as tiktok_posting
from clipcast.platforms.youtube import forms as youtube_forms
from clipcast.platforms.youtube import limits as youtube_limits
from clipcast.platforms.youtube import oauth as youtube_oauth
from clipcast.platforms.youtube.options import Options
from clipcast.settings import load_settings

MATRIX: Final = Path(__file__).parents[2] / "docs" / "platforms.csv"


def column(platform: str) -> dict[str, str]:
    with MATRIX.open() as file:
        return {row["feature"]: row[platform] for row in csv.DictReader(file)}


def of_video(form: VideoForm) -> dict[str, str]:
    """The rows that a platform's form of videos answers alone."""
    return {
        "video types": " ".join(form.content_types),
        "video codecs": " ".join(form.video_codecs),
        "audio codecs": " ".join(form.audio_codecs or ["any"]),
        "largest video (bytes)": str(form.max_bytes),
        "frames per second": f"{form.min_frame_rate}-{form.max_frame_rate}" if form.min_frame_rate else "any",
        "video bits per second": str(form.max_bits_per_s).replace("inf", "any"),
    }


def per_day(rates: Sequence[Rate], *, enforced: bool) -> str:
    return ", ".join(f"{rate.count} {rate.name}" for rate in rates if rate.name and rate.enforced is enforced)


def test_every_platform_has_a_column_and_every_cell_is_filled() -> None:
    with MATRIX.open() as file:
        headings, *rows = csv.reader(file)

    assert sorted(headings[1:]) == sorted(live_platforms(load_settings()))
    assert [row for row in rows if len(row) != len(headings) or not all(row)] == []


def test_tiktok_s_column_tells_the_code_s_limits() -> None:
    limits = tiktok_limits

    assert_says(
        "tiktok",
        of_video(tiktok_forms.VIDEO)
        | {
            "modes": " ".join(tiktok_posting.MODES),
            "images per post": f"1-{limits.MAX_IMAGES}",
            "privacy": " ".join(limits.PRIVACY_LEVELS),
            "longest draft (s)": str(limits.MAX_INBOX_DURATION_S),
            "video side (px)": f"{limits.MIN_SIDE_PX}-{limits.MAX_SIDE_PX}",
            "image types": f"{' '.join(limits.IMAGE_TYPES)} (PNG is converted)",
            "largest image (bytes)": str(limits.MAX_IMAGE_BYTES),
            "image's shorter side (px)": f"at most {limits.MAX_IMAGE_SHORT_SIDE_PX}",
            "caption": f"{limits.MAX_CAPTION_UNITS} UTF-16 units",
            "title": f"{limits.MAX_PHOTO_TITLE_UNITS} UTF-16 units (photos)",
            "photo caption": f"{limits.MAX_PHOTO_DESCRIPTION_UNITS} UTF-16 units",
            "limits we show and the platform enforces": per_day(limits.RATES, enforced=False),
            "live with": " ".join(tiktok_oauth.REQUIRED),
        },
    )


def test_instagram_s_column_tells_the_code_s_limits() -> None:
    limits, story = instagram_limits, instagram_limits.STORY_VIDEO

    assert_says(
        "instagram",
        of_video(REEL)
        | {
            "modes": " ".join(instagram_posting.MODES),
            "images per post": f"1-{limits.MAX_CAROUSEL_ITEMS} (videos among them)",
            "largest video in a story or carousel (bytes)": str(STORY_VIDEO.max_bytes),
            "video length (s)": f"{limits.REEL.min_duration_s}-{limits.REEL.max_duration_s}",
            "video length in a story or carousel (s)": f"{story.min_duration_s}-{story.max_duration_s}",
            "video side (px)": f"at most {limits.MAX_VIDEO_WIDTH_PX} wide",
            "image types": f"{' '.join(limits.IMAGE_TYPES)} (PNG is converted)",
            "largest image (bytes)": str(limits.MAX_IMAGE_BYTES),
            "image's width : height": f"{IMAGE.min_aspect:.2f}-{IMAGE.max_aspect:.2f} (stories: any)",
            "caption": f"{limits.MAX_CAPTION_CHARS} characters, {limits.MAX_HASHTAGS} hashtags, {limits.MAX_MENTIONS} mentions",
            "options of its own": " ".join(instagram_options.NAMES),
            "limits we keep to": per_day(limits.RATES, enforced=True),
            "live with": " ".join(instagram_oauth.REQUIRED),
        },
    )
    assert (CAROUSEL_VIDEO.max_bytes, limits.CAROUSEL_VIDEO.max_duration_s) == (STORY_VIDEO.max_bytes, story.max_duration_s)


def test_youtube_s_column_tells_the_code_s_limits() -> None:
    limits = youtube_limits

    assert_says(
        "youtube",
        of_video(youtube_forms.VIDEO)
        | {
            "privacy": " ".join(limits.PRIVACY_STATUSES),
            "video length (s)": f"up to {limits.MAX_DURATION_S} ({limits.MAX_UNVERIFIED_DURATION_S} without a verified phone number)",
            "longest Short (s)": str(limits.MAX_SHORT_S),
            "cover": f"an image of up to {limits.MAX_COVER_BYTES} bytes",
            "caption": f"{limits.MAX_DESCRIPTION_BYTES} bytes",
            "title": f"{limits.MAX_TITLE_UNITS} UTF-16 units",
            "options of its own": " ".join(Options.model_fields),
            "limits we show and the platform enforces": f"{per_day(limits.RATES, enforced=False)} (of the app)",
            "live with": " ".join(youtube_oauth.REQUIRED),
        },
    )


def assert_says(platform: str, said: Mapping[str, str]) -> None:
    written = column(platform)
    assert {feature: written.get(feature) for feature in said} == said
