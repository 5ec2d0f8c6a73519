"""Conversions: each made once, shown while it is made, and leaving nothing behind when it is cut off."""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from clipcast.clips.conversions import MAX_WAITING, Conversions, Heard
from clipcast.clips.converting import convert
from clipcast.clips.fitting import fits
from clipcast.clips.ingest import Library
from clipcast.clips.media import locate, media_of_rendition
from clipcast.clips.models import Clip, Rendition
from clipcast.clips.sample import make_sample_image
from clipcast.clips.store import get_clip, renditions_of
from clipcast.errors import Busy, NotFound, UnusableMedia
from clipcast.platforms.forms import ImageForm, MediaForm, VideoForm, purpose_of
from clipcast.platforms.instagram import forms as instagram
from clipcast.platforms.tiktok import forms as tiktok
from odd_media import Sound, make_video

REEL = instagram.REEL


def quietly(_: float) -> None:
    """Hears and says nothing."""


@pytest.fixture(scope="session")
def webm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("odd") / "a.webm", codec="libvpx-vp9", sound=Sound("libopus", 48_000))


def made(library: Library, clip: Clip) -> Rendition:
    """The one conversion of this clip."""
    with library.db.reading() as session:
        [rendition] = [each for each in renditions_of(session, clip.id) if each.purpose.startswith("fit-")]
        return rendition


def bytes_of(library: Library, key: str) -> bytes:
    with library.storage.open(key) as file:
        return file.read()


def converted_picture(library: Library, clip: Clip, form: MediaForm) -> Image.Image:
    """What is made of the picture, which then fits."""
    convert(library, clip.id, form, quietly)
    rendition = made(library, clip)
    assert fits(media_of_rendition(clip, rendition), form)
    assert rendition.content_type == "image/jpeg"
    with library.storage.open(rendition.storage_key) as file:
        picture = Image.open(file)
        picture.load()
    assert picture.size == (rendition.width, rendition.height)
    return picture


def test_a_conversion_is_kept_with_its_facts_and_the_original_stays(library: Library, webm: Path) -> None:
    clip = library.add_file(webm)

    convert(library, clip.id, REEL, quietly)

    rendition = made(library, clip)
    assert (rendition.purpose, rendition.content_type, rendition.video_codec) == (purpose_of(REEL), "video/mp4", "h264")
    assert (rendition.audio_codec, rendition.frame_rate, rendition.duration_s) == ("aac", 30.0, 1.0)
    assert rendition.size_bytes == len(bytes_of(library, rendition.storage_key))
    assert bytes_of(library, clip.storage_key) == webm.read_bytes()
    with library.db.reading() as session:
        assert locate(session, f"{clip.id}:{rendition.purpose}").sha256 == rendition.sha256
        assert get_clip(session, clip.id).sha256 == clip.sha256


def test_a_second_time_nothing_is_done(library: Library, webm: Path) -> None:
    clip = library.add_file(webm)
    convert(library, clip.id, REEL, quietly)
    heard: list[float] = []

    convert(library, clip.id, REEL, heard.append)

    assert heard == []


def test_two_that_convert_the_same_at_once_end_with_one(library: Library, webm: Path) -> None:
    """As two processes would: both look before either writes."""
    clip, both = library.add_file(webm), threading.Barrier(2)

    def meet(fraction: float) -> None:
        if fraction == 1.0:
            both.wait(20)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: convert(library, clip.id, REEL, meet), range(2)))

    assert made(library, clip).purpose == purpose_of(REEL)


def test_a_conversion_that_is_cut_off_leaves_nothing(library: Library, webm: Path, stored_files: Callable[[], list[str]]) -> None:
    clip = library.add_file(webm)
    before = stored_files()

    def leave(fraction: float) -> None:
        if fraction > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(library, clip.id, REEL, leave)
    assert stored_files() == before

    convert(library, clip.id, REEL, quietly)
    assert made(library, clip).video_codec == "h264"


def test_a_transparent_png_lies_on_white(library: Library, tmp_path: Path) -> None:
    """Instagram takes JPEG, and nothing narrower than 4:5."""
    picture = Image.new("RGBA", (900, 1600), (255, 0, 0, 0))
    picture.paste((0, 0, 255, 255), (0, 0, 900, 800))
    picture.save(tmp_path / "a.png")

    shown = converted_picture(library, library.add_file(tmp_path / "a.png"), instagram.IMAGE)

    assert shown.size == (1280, 1600)
    assert shown.getpixel((10, 10)) == (255, 255, 255)  # the ground
    assert shown.getpixel((640, 1400)) == (255, 255, 255)  # what was transparent
    blue = shown.getpixel((640, 200))
    assert isinstance(blue, tuple)
    assert blue[2] > 200
    assert blue[0] < 60


def test_a_large_photo_is_scaled_and_stands_upright(library: Library, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by 90 degrees
    picture = Image.new("RGB", (4000, 3000), "black")
    picture.paste((255, 255, 255), (0, 0, 4000, 1500))
    picture.save(tmp_path / "a.jpg", exif=exif)

    shown = converted_picture(library, library.add_file(tmp_path / "a.jpg"), tiktok.IMAGE)

    assert shown.size == (1080, 1440)
    assert shown.getpixel((1070, 700)) == (255, 255, 255)  # the top is now on the right
    assert shown.getpixel((10, 700)) == (0, 0, 0)
    assert not shown.getexif()


def test_a_heavy_photo_becomes_lighter(library: Library, tmp_path: Path) -> None:
    chance = random.Random(7)  # noise cannot be compressed
    Image.frombytes("RGB", (2000, 2000), chance.randbytes(12_000_000)).save(tmp_path / "a.jpg", quality=98, subsampling=0)
    clip = library.add_file(tmp_path / "a.jpg")
    assert clip.size_bytes > 8_000_000

    assert converted_picture(library, clip, instagram.IMAGE).width == 1440


def test_too_many_bytes_at_any_quality_is_told(library: Library, tmp_path: Path) -> None:
    clip = library.add_file(make_sample_image(tmp_path / "a.png", width=600, height=600))
    tiny = ImageForm("tiny", ("image/jpeg",), max_bytes=2000)

    with pytest.raises(UnusableMedia, match="fewer pixels"):
        convert(library, clip.id, tiny, quietly)


def test_a_shape_that_nothing_can_mend_is_told(library: Library, tmp_path: Path) -> None:
    clip = library.add_file(make_video(tmp_path / "a.mp4", width=2000, height=64, seconds=0.2))

    with pytest.raises(UnusableMedia, match="too extreme"):
        convert(library, clip.id, tiktok.VIDEO, quietly)


def test_an_unknown_clip_is_not_found(library: Library) -> None:
    with pytest.raises(NotFound):
        convert(library, "nothing", REEL, quietly)


# How a process does them


class Press:
    """Stands for a conversion that takes as long as a test wants."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Semaphore(0), threading.Semaphore(0)
        self.made: list[str] = []
        self.error: Exception | None = None

    def __call__(self, clip_id: str, form: MediaForm, heard: Heard) -> None:
        heard(0.25)
        self.begun.release()
        assert self.go_on.acquire(timeout=20)
        heard(0.75)
        if self.error is not None:
            raise self.error
        self.made.append(f"{clip_id} for {form.name}")


def settled(conversions: Conversions, clip_id: str) -> bool:
    """Wait until nothing of this clip waits or runs any more."""
    done = threading.Event()
    for _ in range(2000):
        if all(each.state == "failed" for each in conversions.of(clip_id)):
            return True
        done.wait(0.005)
    return False


def test_one_at_a_time_with_progress_and_each_once() -> None:
    press = Press()
    conversions = Conversions(press)

    conversions.begin("a", REEL)
    assert press.begun.acquire(timeout=20)
    assert conversions.begin("a", REEL).state == "running"
    conversions.begin("b", tiktok.VIDEO)

    [running], [waiting] = conversions.of("a"), conversions.of("b")
    assert (running.state, running.progress, waiting.state, waiting.progress) == ("running", 0.25, "waiting", 0.0)
    press.go_on.release(2)
    assert settled(conversions, "a")
    assert settled(conversions, "b")
    assert press.made == ["a for instagram", "b for tiktok"]
    conversions.stop()


def test_who_cannot_wait_is_told_that_another_is_running() -> None:
    press = Press()
    conversions = Conversions(press)
    conversions.begin("a", REEL)
    assert press.begun.acquire(timeout=20)

    assert conversions.make("b", REEL, quietly) is False

    press.go_on.release(2)
    assert settled(conversions, "a")
    assert conversions.make("b", REEL, quietly) is True
    assert conversions.of("b") == []
    conversions.stop()


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (UnusableMedia("Cut it."), "Cut it."),
        (ZeroDivisionError("secret"), "Clipcast stumbled over a bug of its own; the log has the details."),
    ],
)
def test_why_it_failed_is_told_until_it_is_asked_for_again(error: Exception, sentence: str) -> None:
    press = Press()
    press.error = error
    press.go_on.release()
    conversions = Conversions(press)

    conversions.begin("a", REEL)
    assert press.begun.acquire(timeout=20)
    assert settled(conversions, "a")

    [failed] = conversions.of("a")
    assert (failed.state, failed.error_message) == ("failed", sentence)
    press.error = None
    press.go_on.release()
    conversions.begin("a", REEL)
    assert settled(conversions, "a")
    assert conversions.of("a") == []
    conversions.stop()


def test_what_runs_ends_when_the_process_does() -> None:
    press = Press()
    conversions = Conversions(press)
    conversions.begin("a", REEL)
    assert press.begun.acquire(timeout=20)
    threading.Timer(0.05, press.go_on.release).start()

    conversions.stop(patience_s=20)

    assert press.made == []


def test_a_heap_of_requests_is_refused() -> None:
    press = Press()
    conversions = Conversions(press)
    conversions.begin("first", REEL)
    assert press.begun.acquire(timeout=20)
    for number in range(MAX_WAITING):
        conversions.begin(str(number), REEL)

    with pytest.raises(Busy, match="waiting already"):
        conversions.begin("one too many", REEL)

    press.go_on.release(1)
    conversions.stop(patience_s=20)


def test_only_the_last_failures_are_remembered() -> None:
    def fail(clip_id: str, form: MediaForm, heard: Heard) -> None:
        heard(0.0)
        raise UnusableMedia(f"{clip_id} cannot become {form.name}.")

    conversions = Conversions(fail)
    forms = [VideoForm(f"form{number}", (), (), 1) for number in range(MAX_WAITING + 20)]
    for form in forms:
        conversions.begin("a", form)
        assert settled(conversions, "a")

    assert [each.form for each in conversions.of("a")] == forms[20:]
    conversions.stop()
