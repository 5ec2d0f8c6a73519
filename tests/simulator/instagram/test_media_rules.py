"""What Instagram says to media: images at once, videos as a container's error."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clipcast_simulator.instagram.inspection import limits
from clipcast_simulator.settings import InstagramKnobs
from simulator import media_samples
from simulator.instagram.client import Profile, error, profile
from simulator.instagram.samples import encoded, heavy_jpeg
from simulator.web import Page, Web
from simulator.wire import Sim

MIB8 = 8 << 20
FAILED = "Error: Media upload has failed with error code"


def verdict(who: Profile, web: Web, video: bytes, **fields: Any) -> str:
    """Let a video be fetched and return the container's status text."""
    web.put("/v.mp4", video, "video/mp4")
    container = who.container(**{"media_type": "REELS", "video_url": f"{web.url}/v.mp4"} | fields)
    who.sim.settle()
    return str(who.status(container)["status"])


@pytest.mark.parametrize(
    ("body", "media_type", "wanted"),
    [
        (media_samples.image("PNG", 400, 400), "image/png", (400, 36001, 2207005)),
        (media_samples.image("WEBP", 400, 400), "image/webp", (400, 36001, 2207005)),
        (b"not an image at all", "image/jpeg", (400, 36001, 2207005)),
        (media_samples.image(width=400, height=400)[:-300], "image/jpeg", (400, 36001, 2207005)),
        (heavy_jpeg(MIB8 + 1), "image/jpeg", (400, 36000, 2207004)),
        (media_samples.image(width=399, height=500), "image/jpeg", (400, 36003, 2207009)),
        (media_samples.image(width=1000, height=523), "image/jpeg", (400, 36003, 2207009)),
        (media_samples.image(width=400, height=400), "text/html", (400, 9004, 2207052)),
        (media_samples.image(width=400, height=400), "application/octet-stream", (400, 9004, 2207052)),
    ],
)
def test_a_bad_image_fails_the_request_itself(ana: Profile, web: Web, body: bytes, media_type: str, wanted: Any) -> None:
    assert error(ana.create(image_url=web.put("/i", body, media_type))) == wanted


@pytest.mark.parametrize(("width", "height"), [(400, 500), (1000, 524), (4000, 4000), (100, 100)])
def test_images_at_the_edge_are_taken(ana: Profile, web: Web, width: int, height: int) -> None:
    assert ana.create(image_url=web.put("/i.jpg", media_samples.image(width=width, height=height))).status == 200


def test_an_image_of_exactly_8_mib_is_taken(ana: Profile, web: Web) -> None:
    assert ana.create(image_url=web.put("/i.jpg", heavy_jpeg(MIB8))).status == 200


def test_a_story_image_may_have_any_ratio(ana: Profile, web: Web) -> None:
    url = web.put("/i.jpg", media_samples.image(width=200, height=900))

    assert ana.create(media_type="STORIES", image_url=url).status == 200
    assert error(ana.create(image_url=url)) == (400, 36003, 2207009)


@pytest.mark.parametrize(
    "url", ["http://example.com/a.jpg", "ftp://127.0.0.1/a.jpg", "http://127.0.0.1:1/ä.jpg", "nowhere", "http://u:p@127.0.0.1/a"]
)
def test_an_address_that_cannot_be_asked(ana: Profile, url: str) -> None:
    assert error(ana.create(image_url=url)) == (400, 9004, 2207052)


def test_redirects_and_errors_are_not_followed(ana: Profile, web: Web, jpeg_url: str) -> None:
    web.pages["/moved.jpg"] = Page(status=302, headers={"Location": jpeg_url})

    assert error(ana.create(image_url=f"{web.url}/moved.jpg")) == (400, 9004, 2207052)
    assert error(ana.create(image_url=f"{web.url}/absent.jpg")) == (400, 9004, 2207052)
    assert error(ana.create(image_url="http://127.0.0.1:1/closed.jpg")) == (400, 9004, 2207052)


@pytest.mark.parametrize("path", ["/absent.mp4", "/v.bin", "/v.html"])
def test_a_video_that_cannot_be_fetched_ends_the_container(ana: Profile, web: Web, clip: bytes, path: str) -> None:
    web.put("/v.bin", clip, "application/octet-stream")
    web.put("/v.html", clip, "text/html")
    container = ana.reel(f"{web.url}{path}")

    assert ana.status(container)["status"] == f"{FAILED} 2207052"
    assert ana.code(container) == "ERROR"
    assert error(ana.publish(container)) == (400, -1, 2207085)


BAD_VIDEOS: dict[str, Callable[[Path], bytes]] = {
    "too short": lambda path: encoded(path, seconds=2.5),
    "too slow": lambda path: encoded(path, rate=20),
    "too fast": lambda path: encoded(path, rate=65),
    "too wide": lambda path: encoded(path, width=1922, height=200),
    "4:4:4": lambda path: encoded(path, pixel_format="yuv444p"),
    "too many bits": lambda path: encoded(path, width=320, height=320, lossless=True),
    "mp3 sound": lambda path: encoded(path, audio="libmp3lame"),
    "96 kHz": lambda path: encoded(path, audio="aac", sample_rate=96_000),
    "six channels": lambda path: encoded(path, audio="aac", layout="5.1"),
    "webm": lambda _: media_samples.video(seconds=3, rate=24, width=64, height=112, codec="libvpx", container="webm"),
    "vp9": lambda _: media_samples.video(seconds=3, rate=24, width=64, height=112, codec="libvpx-vp9"),
    "truncated": lambda path: encoded(path)[:-2000],
    "no video": lambda _: b"not a video at all",
}


@pytest.mark.parametrize("name", BAD_VIDEOS)
def test_a_bad_video_ends_the_container(ana: Profile, web: Web, tmp_path: Path, name: str) -> None:
    assert verdict(ana, web, BAD_VIDEOS[name](tmp_path / "v.mp4")) == f"{FAILED} 2207026"


def test_good_videos_pass(ana: Profile, web: Web, tmp_path: Path) -> None:
    with_sound = encoded(tmp_path / "a.mp4", audio="aac", sample_rate=44_100, layout="mono")
    narrow = encoded(tmp_path / "b.mp4", width=64, height=1000)

    assert verdict(ana, web, with_sound).startswith("Finished:")
    assert verdict(ana, web, narrow).startswith("Finished:")
    assert verdict(ana, web, narrow, media_type="STORIES") == f"{FAILED} 2207026"


def test_a_story_may_last_a_minute_and_a_reel_a_quarter_of_an_hour(ana: Profile, web: Web, tmp_path: Path) -> None:
    long = encoded(tmp_path / "v.mp4", seconds=61, rate=23)

    assert verdict(ana, web, long).startswith("Finished:")
    assert verdict(ana, web, long, media_type="STORIES") == f"{FAILED} 2207026"
    knobs = InstagramKnobs()
    assert [limits(kind, knobs).longest_s for kind in ("reel", "story", "video")] == [900, 60, 60]
    assert [limits(kind, knobs).most_bytes for kind in ("reel", "story", "video")] == [300_000_000, 100_000_000, 100_000_000]


def test_a_video_may_not_be_larger_than_its_limit(ana: Profile, web: Web, clip: bytes) -> None:
    ana.settings(reel_bytes=len(clip) - 1)
    assert verdict(ana, web, clip) == f"{FAILED} 2207026"
    ana.settings(reel_bytes=len(clip))
    assert verdict(ana, web, clip).startswith("Finished:")


def test_the_layout_is_judged_when_a_knob_says_so(ana: Profile, web: Web, tmp_path: Path) -> None:
    plain = encoded(tmp_path / "a.mp4", options={"movflags": "faststart", "use_editlist": "0"})
    late_index = encoded(tmp_path / "b.mp4", options={"use_editlist": "0"})
    edited = encoded(tmp_path / "c.mp4", options={"movflags": "faststart", "use_editlist": "1"})
    assert [verdict(ana, web, video).split()[0] for video in (plain, late_index, edited)] == ["Finished:"] * 3

    ana.settings(container_layout="enforce")

    assert [verdict(ana, web, video).split()[0] for video in (plain, late_index, edited)] == ["Finished:", "Error:", "Error:"]


def test_the_thumbnail_must_be_within_the_video(ana: Profile, web: Web, clip: bytes) -> None:
    assert verdict(ana, web, clip, thumb_offset=2999).startswith("Finished:")
    assert verdict(ana, web, clip, thumb_offset=3000) == f"{FAILED} 2207057"


def test_music_over_a_silent_video_needs_its_volume_at_zero(fay: Profile, web: Web, tmp_path: Path, clip: bytes) -> None:
    sound = encoded(tmp_path / "a.mp4", audio="aac")

    assert verdict(fay, web, clip, audio_configuration={"audio_id": "1", "video_volume": 50}) == f"{FAILED} 2207082"
    assert verdict(fay, web, clip, audio_configuration={"audio_id": "1", "video_volume": 0}).startswith("Finished:")
    assert verdict(fay, web, sound, audio_configuration={"audio_id": "1"}).startswith("Finished:")


def test_a_cover_is_fetched_with_its_reel(ana: Profile, web: Web, clip: bytes, jpeg_url: str) -> None:
    png = web.put("/cover.png", media_samples.image("PNG"), "image/png")

    assert verdict(ana, web, clip, cover_url=jpeg_url).startswith("Finished:")
    assert verdict(ana, web, clip, cover_url=png) == f"{FAILED} 2207005"
    assert verdict(ana, web, clip, cover_url=f"{web.url}/absent.jpg") == f"{FAILED} 2207052"


def test_an_account_that_may_make_no_trial_reels(sim: Sim, web: Web, clip: bytes) -> None:
    trial = {"graduation_strategy": "MANUAL"}

    assert verdict(profile(sim, "bo"), web, clip, trial_params=trial).startswith("Finished:")
    assert verdict(profile(sim, "cy", trial_reels=False), web, clip, trial_params=trial) == f"{FAILED} 2207081"


def test_a_knob_makes_the_status_a_bare_number(ana: Profile, web: Web) -> None:
    ana.settings(error_status="number")

    assert verdict(ana, web, b"no video") == "2207026"


def test_a_bad_child_spoils_its_carousel(ana: Profile, web: Web, jpeg_url: str) -> None:
    good = ana.container(image_url=jpeg_url, is_carousel_item=True)
    bad = ana.container(media_type="VIDEO", video_url=web.put("/v.mp4", b"no video", "video/mp4"), is_carousel_item=True)
    parent = ana.container(media_type="CAROUSEL", children=[good, bad])
    ana.sim.settle()

    assert ana.status(parent)["status"] == f"{FAILED} 2207026"


def test_the_fetcher_names_itself(ana: Profile, web: Web, jpeg_url: str) -> None:
    ana.container(image_url=jpeg_url)

    assert web.seen[-1]["User-Agent"] == "facebookexternalhit/1.1"
