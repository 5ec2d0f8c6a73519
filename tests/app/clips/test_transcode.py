"""Odd videos in, videos that a platform takes out: judged by our own probe, and by looking at the pictures."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import pytest
from av.video.frame import VideoFrame

from clipcast.clips.fitting import Pictures, VideoPlan, plan_for
from clipcast.clips.probe import Facts, open_video, picture_stream, probe
from clipcast.clips.sample import make_sample_video
from clipcast.clips.transcode import Source, transcode
from clipcast.errors import UnusableMedia
from clipcast.platforms.base import AnyPlatform, Media, Order
from clipcast.platforms.forms import VideoForm
from clipcast.platforms.instagram import Instagram
from clipcast.platforms.instagram.forms import REEL
from clipcast.platforms.tiktok import TikTok
from clipcast.platforms.tiktok.forms import VIDEO as TIKTOK
from clipcast.platforms.youtube import YouTube
from clipcast.platforms.youtube.forms import VIDEO as YOUTUBE
from odd_media import Sound, make_video

PLATFORMS: dict[str, AnyPlatform] = {"tiktok": TikTok(), "instagram": Instagram(), "youtube": YouTube()}
ENOUGH = Pictures(Fraction(30), 8_000_000)


def source_of(path: Path) -> Source:
    facts = probe(path)
    return Source(path, facts.content_type, facts.duration_s or 0)


def media_of(path: Path, facts: Facts) -> Media:
    return Media(
        media_id="m",
        kind=facts.kind,
        content_type=facts.content_type,
        size_bytes=path.stat().st_size,
        width=facts.width,
        height=facts.height,
        duration_s=facts.duration_s,
        frame_rate=facts.frame_rate,
        video_codec=facts.video_codec,
        audio_codec=facts.audio_codec,
    )


def blocking(platform: AnyPlatform, media: Media) -> list[str]:
    """What the platform has against the file itself, its length apart."""
    problems = platform.problems(Order(media=(media,), title="A day"), None)
    return [problem.code for problem in problems if problem.blocking and problem.code != "video_too_short"]


def fitted(path: Path, form: VideoForm, target: Path) -> Facts:
    """The facts of what is made of the file for that form, which then has nothing against it."""
    original = media_of(path, probe(path))
    plan = plan_for(original, form)
    assert isinstance(plan, VideoPlan)
    transcode(source_of(path), plan, target, lambda _: None)
    facts = probe(target)
    assert blocking(PLATFORMS[form.name], media_of(target, facts)) == []
    return facts


def frames(path: Path) -> list[VideoFrame]:
    with open_video(path, "video/mp4") as container:
        return list(container.decode(picture_stream(container)))


def brightness(frame: VideoFrame, x: float, y: float) -> int:
    """Of the pixel at that part of the width and height."""
    plane = frame.planes[0]
    return bytes(plane)[round(y * (frame.height - 1)) * plane.line_size + round(x * (frame.width - 1))]


def sound_levels(path: Path, step_s: float = 0.1) -> list[float]:
    """How loud it is, in steps of a tenth of a second."""
    samples: list[float] = []
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            samples += memoryview(frame.planes[0]).cast("f")[: frame.samples]
    step = int(48_000 * step_s)
    return [max(map(abs, samples[start : start + step])) for start in range(0, len(samples) - step, step)]


def test_a_webm_becomes_what_instagram_takes(tmp_path: Path) -> None:
    webm = make_video(tmp_path / "a.webm", codec="libvpx-vp9", sound=Sound("libopus", 48_000, "stereo"))

    facts = fitted(webm, REEL, tmp_path / "out.mp4")

    assert (facts.content_type, facts.video_codec, facts.audio_codec) == ("video/mp4", "h264", "aac")
    assert (facts.width, facts.height, facts.frame_rate) == (320, 240, 30.0)


def test_a_slow_motion_film_becomes_smooth(tmp_path: Path) -> None:
    film = make_video(tmp_path / "a.mp4", width=360, height=640, rate=120, sound=Sound())

    facts = fitted(film, TIKTOK, tmp_path / "out.mp4")

    assert (facts.frame_rate, facts.duration_s) == (60.0, 1.0)
    stamps = [frame.time for frame in frames(tmp_path / "out.mp4")]
    assert stamps == pytest.approx([number / 60 for number in range(60)], abs=1e-4)


def test_too_many_pixels_become_fewer(tmp_path: Path) -> None:
    wide = make_video(tmp_path / "a.mp4", width=5000, height=1000, seconds=0.2)

    facts = fitted(wide, TIKTOK, tmp_path / "out.mp4")

    assert (facts.width, facts.height) == (4096, 818)


def test_odd_dimensions_and_ten_bits(tmp_path: Path) -> None:
    odd = make_video(tmp_path / "a.webm", codec="libvpx-vp9", width=401, height=361)
    deep = make_video(tmp_path / "b.mp4", codec="libx265", width=2002, height=480, pix_fmt="yuv420p10le", seconds=0.5)

    assert fitted(odd, REEL, tmp_path / "odd.mp4").width == 400
    assert fitted(deep, REEL, tmp_path / "deep.mp4").width == 1920
    assert {frame.format.name for frame in frames(tmp_path / "deep.mp4")} == {"yuv420p"}


@pytest.mark.parametrize(
    ("rotation", "size", "bright_at"),
    [(0, (640, 360), (0.1, 0.5)), (90, (360, 640), (0.5, 0.9)), (180, (640, 360), (0.9, 0.5)), (270, (360, 640), (0.5, 0.1))],
)
def test_a_turned_video_is_written_upright(tmp_path: Path, rotation: int, size: tuple[int, int], bright_at: tuple[float, float]) -> None:
    """The left half is bright as stored, and the file asks to be turned anticlockwise."""
    turned = make_video(tmp_path / "a.mp4", width=640, height=360, rate=120, seconds=0.25, rotation=rotation)

    facts = fitted(turned, TIKTOK, tmp_path / "out.mp4")

    picture = frames(tmp_path / "out.mp4")[3]
    assert (facts.width, facts.height) == (picture.width, picture.height) == size
    assert picture.rotation == 0
    assert brightness(picture, *bright_at) > 180
    assert brightness(picture, 1 - bright_at[0], 1 - bright_at[1]) < 60


def test_pixels_that_are_not_square_keep_their_shape(tmp_path: Path) -> None:
    anamorphic = make_video(tmp_path / "a.mp4", width=720, height=576, rate=120, seconds=0.25, square=Fraction(16, 15))

    fitted(anamorphic, TIKTOK, tmp_path / "out.mp4")

    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.streams.video[0].sample_aspect_ratio == Fraction(16, 15)


def test_the_sound_stays_where_it_was(tmp_path: Path) -> None:
    """It begins half a second late and stops for a second: both stay, and mono at 44.1 kHz becomes stereo at 48."""
    film = make_video(tmp_path / "a.mp4", width=360, height=640, rate=15, seconds=3, sound=Sound(starts_s=0.5, gap_s=1.0))

    fitted(film, TIKTOK, tmp_path / "out.mp4")

    with av.open(str(tmp_path / "out.mp4")) as container:
        [sound] = container.streams.audio
        assert (sound.rate, sound.layout.name) == (48_000, "stereo")
    loud = [level > 0.1 for level in sound_levels(tmp_path / "out.mp4")]
    assert loud[1:4] == [False] * 3
    assert loud[6:9] == [True] * 3
    assert loud[12:18] == [False] * 6
    assert loud[22:28] == [True] * 6


def test_where_only_the_sound_is_wrong_the_pictures_are_not_touched(tmp_path: Path) -> None:
    film = make_video(tmp_path / "a.mp4", sound=Sound("libmp3lame"), rotation=90)

    facts = fitted(film, REEL, tmp_path / "out.mp4")

    assert (facts.audio_codec, facts.width, facts.height) == ("aac", 240, 320)
    assert [packet_bytes(film)] == [packet_bytes(tmp_path / "out.mp4")]


def packet_bytes(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


def test_everything_can_be_copied_into_another_container(tmp_path: Path) -> None:
    film = make_video(tmp_path / "a.mov", sound=Sound())

    transcode(source_of(film), VideoPlan(320, 240, None, encode_audio=False), tmp_path / "out.mp4", lambda _: None)

    facts = probe(tmp_path / "out.mp4")
    assert (facts.content_type, facts.video_codec, facts.audio_codec) == ("video/mp4", "h264", "aac")
    assert packet_bytes(film) == packet_bytes(tmp_path / "out.mp4")


def test_the_table_of_contents_comes_first_and_there_is_no_edit_list(tmp_path: Path) -> None:
    film = make_video(tmp_path / "a.mp4", codec="mpeg4", rate=120, width=360, height=360, sound=Sound())

    fitted(film, TIKTOK, tmp_path / "out.mp4")

    content = (tmp_path / "out.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
    assert b"elst" not in content


def test_the_rate_stays_below_the_plan(tmp_path: Path) -> None:
    """Noise cannot be compressed: only rate control keeps it small."""
    noise = make_sample_video(tmp_path / "a.mp4", seconds=2, width=180, height=320, noise=True)
    plan = VideoPlan(180, 320, Pictures(Fraction(30), 300_000), encode_audio=True)

    transcode(source_of(noise), plan, tmp_path / "out.mp4", lambda _: None)

    assert (tmp_path / "out.mp4").stat().st_size < 2 * (300_000 + 128_000) / 8 * 1.2
    assert noise.stat().st_size > 1_000_000


def test_progress_goes_from_nothing_to_all(tmp_path: Path) -> None:
    heard: list[float] = []
    film = make_video(tmp_path / "a.mp4", sound=Sound())

    transcode(source_of(film), VideoPlan(320, 240, ENOUGH, encode_audio=True), tmp_path / "out.mp4", heard.append)

    assert len(heard) > 30
    assert heard[0] < 0.1
    assert heard[-1] == 1.0
    assert all(0 <= fraction <= 1 for fraction in heard)


def test_it_stops_at_once_when_asked(tmp_path: Path) -> None:
    class Enough(Exception):
        """The one who asked has gone."""

    heard: list[float] = []

    def stop(fraction: float) -> None:
        heard.append(fraction)
        if len(heard) == 5:
            raise Enough

    film = make_video(tmp_path / "a.mp4", sound=Sound())
    with pytest.raises(Enough):
        transcode(source_of(film), VideoPlan(320, 240, ENOUGH, encode_audio=True), tmp_path / "out.mp4", stop)

    assert len(heard) == 5


def test_a_video_damaged_in_the_middle_is_refused_with_a_sentence(tmp_path: Path) -> None:
    film = make_video(tmp_path / "a.mp4", codec="libx264", seconds=2, width=640, height=480)
    source = source_of(film)
    content = bytearray(film.read_bytes())
    start = content.index(b"mdat") + 2000
    content[start : start + 3000] = b"\xff" * 3000
    film.write_bytes(content)

    with pytest.raises(UnusableMedia, match="Export it again"):
        transcode(source, VideoPlan(640, 480, ENOUGH, encode_audio=False), tmp_path / "out.mp4", lambda _: None)


def test_nothing_is_written_past_the_length_that_was_probed(tmp_path: Path) -> None:
    """A file that claims a picture hours later would otherwise be filled up with copies of the one before."""
    liar = make_video(tmp_path / "a.mp4", seconds=4, sound=Sound())
    source = replace(source_of(liar), duration_s=1.0)

    transcode(source, VideoPlan(320, 240, ENOUGH, encode_audio=True), tmp_path / "out.mp4", lambda _: None)

    assert probe(tmp_path / "out.mp4").duration_s == pytest.approx(2.0, abs=0.1)


def test_a_film_that_begins_late_by_its_own_clock_begins_at_zero(tmp_path: Path) -> None:
    late = tmp_path / "late.mp4"
    with av.open(str(late), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for number in range(15):
            frame = av.VideoFrame(320, 240, "yuv420p")
            frame.pts, frame.time_base = 3000 + number, Fraction(1, 30)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())

    transcode(source_of(late), VideoPlan(320, 240, ENOUGH, encode_audio=False), tmp_path / "out.mp4", lambda _: None)

    assert frames(tmp_path / "out.mp4")[0].time == 0
    assert len(frames(tmp_path / "out.mp4")) == 15


def test_youtube_gets_safe_codecs(tmp_path: Path) -> None:
    camera = make_video(tmp_path / "a.mov", codec="mjpeg", pix_fmt="yuvj420p", sound=Sound("pcm_s16le"))

    facts = fitted(camera, YOUTUBE, tmp_path / "out.mp4")

    assert (facts.content_type, facts.video_codec, facts.audio_codec) == ("video/mp4", "h264", "aac")
    # 220 of 16 to 235 is stored as 237 of 0 to 255, and has to come back.
    assert brightness(frames(tmp_path / "out.mp4")[0], 0.1, 0.5) == pytest.approx(220, abs=4)
