import os
import resource
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from threading import Barrier

import pytest
from PIL import Image
from sqlalchemy import func, select

from app.clips.conftest import Web
from clipcast.clips.ingest import Library, open_library
from clipcast.clips.media import locate, media_of
from clipcast.clips.models import Clip, Rendition
from clipcast.clips.sample import make_sample_image, make_sample_video
from clipcast.clips.storage import LocalStorage
from clipcast.clips.store import get_clip, list_clips, renditions_of
from clipcast.clips.stores import open_storage
from clipcast.clock import Clock
from clipcast.db.engine import Database
from clipcast.errors import Busy, ClipcastError, ConfigurationError, InvalidRequest, NotFound, RefusedUrl, TooLarge, UnusableMedia
from clipcast.settings import load_settings

Files = Callable[[], list[str]]
TIKTOK_IMAGES = ("image/jpeg", "image/webp")


def count(db: Database, table: type[Clip | Rendition]) -> int:
    with db.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_video_from_a_path(library: Library, storage: LocalStorage, clock: Clock, video: Path) -> None:
    clip = library.add_file(video)

    content = video.read_bytes()
    assert (clip.kind, clip.file_name, clip.content_type) == ("video", "video.mp4", "video/mp4")
    assert (clip.size_bytes, clip.sha256) == (len(content), sha256(content).hexdigest())
    assert (clip.width, clip.height, clip.duration_s, clip.frame_rate) == (270, 480, 1.0, 30.0)
    assert (clip.video_codec, clip.audio_codec, clip.created_at) == ("h264", "aac", clock())
    assert storage.path(clip.storage_key).read_bytes() == content
    assert video.exists()


def test_its_thumbnail_is_a_small_jpeg(library: Library, storage: LocalStorage, video: Path) -> None:
    key = library.add_file(video).thumbnail_key
    assert key is not None

    with Image.open(storage.path(key)) as small:
        assert (small.format, small.size) == ("JPEG", (270, 480))


def test_a_stored_clip_reads_back_as_it_was_returned(library: Library, db: Database, video: Path) -> None:
    clip = library.add_file(video)

    with db.reading() as session:
        again = get_clip(session, clip.id)
    names = [column.name for column in Clip.__table__.columns]
    assert {name: getattr(again, name) for name in names} == {name: getattr(clip, name) for name in names}


def test_the_same_bytes_under_another_name_are_the_same_clip(library: Library, db: Database, video: Path, stored_files: Files) -> None:
    first = library.add_file(video)
    before = stored_files()
    second = library.add_stream([video.read_bytes()], "another name.mov")

    assert (second.id, second.file_name) == (first.id, "video.mp4")
    assert (count(db, Clip), stored_files()) == (1, before)


def test_many_at_once_end_as_one_row_and_one_file(library: Library, db: Database, drawing: Path, stored_files: Files) -> None:
    together = Barrier(8)

    def add(_: int) -> str:
        together.wait()
        return library.add_file(drawing).id

    with ThreadPoolExecutor(8) as threads:
        ids = set(threads.map(add, range(8)))

    assert len(ids) == 1
    assert (count(db, Clip), count(db, Rendition)) == (1, 1)
    assert sorted(Path(name).suffix for name in stored_files()) == [".jpg", ".jpg", ".png"]


def test_a_lost_file_comes_back_when_its_bytes_do(library: Library, storage: LocalStorage, video: Path) -> None:
    clip = library.add_file(video)
    storage.path(clip.storage_key).unlink()

    library.add_file(video)

    assert storage.path(clip.storage_key).read_bytes() == video.read_bytes()


def test_a_png_gets_a_jpeg_for_the_platforms_that_refuse_it(library: Library, db: Database, storage: LocalStorage, drawing: Path) -> None:
    clip = library.add_file(drawing)

    with db.reading() as session:
        renditions = renditions_of(session, clip.id)
        media = media_of(clip, renditions, TIKTOK_IMAGES)
        found = locate(session, media.media_id)
    assert (media.media_id, media.content_type, media.width, media.height) == (f"{clip.id}:jpeg", "image/jpeg", 320, 240)
    assert (found.content_type, found.size_bytes) == ("image/jpeg", media.size_bytes)
    assert sha256(storage.path(found.storage_key).read_bytes()).hexdigest() == found.sha256
    with Image.open(storage.path(found.storage_key)) as jpeg:
        assert (jpeg.format, jpeg.size, jpeg.info.get("progressive")) == ("JPEG", (320, 240), None)


def test_the_original_is_sent_wherever_it_is_accepted(library: Library, db: Database, drawing: Path) -> None:
    clip = library.add_file(drawing)

    with db.reading() as session:
        media = media_of(clip, renditions_of(session, clip.id), ("image/png",))
        assert locate(session, media.media_id).storage_key == clip.storage_key
    assert (media.media_id, media.content_type) == (clip.id, "image/png")


@pytest.mark.parametrize("media_id", ["nothing", "nothing:jpeg", "", ":"])
def test_an_unknown_media_id_is_not_found(db: Database, media_id: str) -> None:
    with db.reading() as session, pytest.raises(NotFound):
        locate(session, media_id)


def picture(path: Path, mode: str, colour: object) -> Path:
    Image.new(mode, (40, 30), colour).save(path)  # type: ignore[arg-type]  # each mode has its own kind of colour
    return path


def jpeg_of(library: Library, path: Path) -> Image.Image:
    clip = library.add_file(path)
    with library.db.reading() as session:
        found = locate(session, f"{clip.id}:jpeg")
    with library.storage.open(found.storage_key) as file, Image.open(file) as jpeg:
        return jpeg.convert("RGB")


@pytest.mark.parametrize(
    ("mode", "colour", "seen"),
    [
        ("RGB", (200, 30, 40), (200, 30, 40)),
        ("RGBA", (200, 30, 40, 0), (255, 255, 255)),
        ("RGBA", (0, 0, 0, 128), (127, 127, 127)),
        ("LA", (0, 0), (255, 255, 255)),
        ("L", 90, (90, 90, 90)),
        ("1", 1, (255, 255, 255)),
        ("I;16", 90 * 257, (90, 90, 90)),
    ],
)
def test_every_kind_of_png_looks_the_same_as_a_jpeg(
    library: Library, tmp_path: Path, mode: str, colour: object, seen: tuple[int, int, int]
) -> None:
    got = jpeg_of(library, picture(tmp_path / "a.png", mode, colour)).getpixel((20, 15))

    assert isinstance(got, tuple)
    assert max(abs(one - other) for one, other in zip(got, seen, strict=True)) <= 3


def test_a_palette_with_a_transparent_colour_turns_white(library: Library, tmp_path: Path) -> None:
    paletted = Image.new("RGB", (40, 30), (10, 20, 200)).convert("P", palette=Image.Palette.ADAPTIVE)
    paletted.save(tmp_path / "a.png", transparency=paletted.getpixel((0, 0)))

    assert jpeg_of(library, tmp_path / "a.png").getpixel((20, 15)) == (255, 255, 255)


def test_a_turned_png_is_stored_upright_and_says_nothing_about_where_it_was_taken(library: Library, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 8
    exif[0x010F] = "a camera"
    Image.new("RGB", (40, 30)).save(tmp_path / "a.png", exif=exif)
    jpeg = jpeg_of(library, tmp_path / "a.png")

    assert jpeg.size == (30, 40)
    assert not jpeg.getexif()


def test_a_video_by_url(library: Library, web: Web, video: Path) -> None:
    clip = library.add_url(web.serve("/clips/Sommer%20am%20See.mp4?token=hunter2", video.read_bytes()))

    assert (clip.file_name, clip.sha256) == ("Sommer am See.mp4", sha256(video.read_bytes()).hexdigest())


@pytest.mark.parametrize(
    "place", ["http://127.0.0.1:{port}/clip.mp4", "http://inner.test:{port}/clip.mp4", "http://nas.test:{port}/redirect"]
)
def test_a_url_into_our_own_network_changes_nothing(
    library: Library, db: Database, web: Web, video: Path, stored_files: Files, *, place: str
) -> None:
    web.hosts["inner.test"] = ["127.0.0.1"]
    web.serve("/clip.mp4", video.read_bytes())
    web.redirect("/redirect", f"http://127.0.0.1:{web.port}/clip.mp4")

    with pytest.raises(RefusedUrl, match="not public"):
        library.add_url(place.format(port=web.port))

    assert (count(db, Clip), stored_files()) == (0, [])


def bad_files(tmp_path: Path, video: Path) -> Iterator[tuple[Path, type[ClipcastError]]]:
    for name, content in {
        "empty.mp4": b"",
        "text.mp4": b"hello",
        "truncated.mp4": video.read_bytes()[:-1000],
        "list.mp4": b"ffconcat version 1.0\nfile video.mp4\n",
    }.items():
        (tmp_path / name).write_bytes(content)
        yield tmp_path / name, UnusableMedia
    (tmp_path / "large.mp4").write_bytes(bytes(20_000_001))
    yield tmp_path / "large.mp4", TooLarge
    yield tmp_path / "missing.mp4", NotFound
    yield tmp_path, InvalidRequest
    yield Path(os.devnull), InvalidRequest


def test_a_file_that_cannot_be_used_changes_nothing(
    library: Library, db: Database, tmp_path: Path, video: Path, stored_files: Files
) -> None:
    for path, error in bad_files(tmp_path, video):
        with pytest.raises(error) as caught:
            library.add_file(path)
        assert str(caught.value).endswith(".")

    assert (count(db, Clip), stored_files()) == (0, [])


def test_an_upload_that_breaks_off_leaves_nothing(library: Library, db: Database, stored_files: Files) -> None:
    def broken() -> Iterator[bytes]:
        yield b"\0" * 100_000
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        library.add_stream(broken(), "clip.mp4")

    assert (count(db, Clip), stored_files()) == (0, [])


def test_a_full_disk_changes_nothing(library: Library, db: Database, tmp_path: Path, stored_files: Files) -> None:
    large = make_sample_video(tmp_path / "large.mp4", seconds=0.2, width=64, height=96, min_bytes=3 << 20)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 << 20, before[1]))
    try:
        with pytest.raises(Busy, match=r"is full\. Nothing was stored"):
            library.add_file(large)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert (count(db, Clip), stored_files()) == (0, [])
    assert library.add_file(large).size_bytes == 3 << 20


def test_memory_stays_flat_while_a_large_file_comes_in(library: Library, tmp_path: Path) -> None:
    large = make_sample_video(tmp_path / "large.mp4", seconds=1, width=64, height=96, min_bytes=100_000_000)
    tracemalloc.start()
    try:
        replace(library, max_bytes=1 << 30).add_file(large)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak_bytes < 8_000_000


def test_the_images_of_a_slideshow_are_marked(library: Library, db: Database, video: Path, photo: Path, drawing: Path) -> None:
    images = [library.add_file(photo).id, library.add_file(drawing).id]
    show = library.add_file(video, slideshow_of=images)

    with db.reading() as session:
        assert {clip.id: clip.slideshow_clip_id for clip in list_clips(session, limit=10)} == {
            show.id: None,
            images[0]: show.id,
            images[1]: show.id,
        }


def test_images_can_be_marked_later(library: Library, db: Database, video: Path, photo: Path) -> None:
    image, show = library.add_file(photo), library.add_file(video)
    library.mark_slideshow_sources(show.id, [image.id])

    with db.reading() as session:
        assert get_clip(session, image.id).slideshow_clip_id == show.id


def test_a_slideshow_of_what_does_not_exist_stores_nothing(library: Library, db: Database, video: Path, stored_files: Files) -> None:
    with pytest.raises(NotFound, match="no clip unknown"):
        library.add_file(video, slideshow_of=["unknown"])

    assert (count(db, Clip), stored_files()) == (0, [])


def test_only_a_video_shows_images(library: Library, photo: Path, drawing: Path, stored_files: Files) -> None:
    image, before = library.add_file(photo).id, stored_files()
    with pytest.raises(InvalidRequest, match="Only a video can be a slideshow"):
        library.add_file(drawing, slideshow_of=[image])

    assert stored_files() == before


def test_only_images_are_shown(library: Library, video: Path, tmp_path: Path, stored_files: Files) -> None:
    film, before = library.add_file(video).id, stored_files()
    with pytest.raises(InvalidRequest, match="is no image"):
        library.mark_slideshow_sources(film, [film])
    with pytest.raises(InvalidRequest, match="is no image"):
        library.add_file(make_sample_video(tmp_path / "other.mp4", seconds=0.2, width=64, height=96), slideshow_of=[film])

    assert stored_files() == before


def test_pages_follow_each_other_without_gaps(library: Library, db: Database, tmp_path: Path) -> None:
    ids = [library.add_file(make_sample_image(tmp_path / f"{seed}.jpg", width=16, height=16, seed=seed)).id for seed in range(5)]
    seen: list[str] = []
    with db.reading() as session:
        while page := list_clips(session, limit=2, before=seen[-1] if seen else None):
            seen += [clip.id for clip in page]

    assert seen == ids[::-1]


def test_the_settings_say_where_the_bytes_live(tmp_path: Path, db: Database, clock: Clock, video: Path) -> None:
    by_default, by_url = (
        open_library(settings, db, clock, open_storage(settings))
        for settings in (load_settings(data_dir=tmp_path / "data"), load_settings(storage_url=f"{(tmp_path / 'else where').as_uri()}"))
    )

    key = by_default.add_file(video).storage_key
    by_url.add_file(video)

    assert (tmp_path / "data" / "media" / key).exists()
    assert (tmp_path / "else where" / key).exists()


@pytest.mark.parametrize("url", ["gs://bucket/clips", "http://nas/clips", "file://otherhost/clips", "/srv/clips"])
def test_a_store_of_an_unknown_kind_names_the_setting(url: str) -> None:
    with pytest.raises(ConfigurationError, match="CLIPCAST_STORAGE_URL"):
        open_storage(load_settings(storage_url=url))
