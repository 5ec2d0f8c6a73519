"""How clips come in: from a local file, from an upload, from a URL. The same bytes are one clip, however often they come."""

import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from clipcast.clips.fetch import Fetcher
from clipcast.clips.models import JPEG, Clip, Rendition
from clipcast.clips.probe import Facts, probe
from clipcast.clips.renditions import Picture, jpeg_for_platforms
from clipcast.clips.storage import BLOCK_BYTES, IncomingFile, Storage
from clipcast.clips.store import find_by_content, get_clip, get_clips
from clipcast.clips.thumbnail import thumbnail
from clipcast.clock import Clock
from clipcast.db.base import new_id
from clipcast.db.engine import Database
from clipcast.errors import InvalidRequest, NotFound
from clipcast.platforms.base import MediaKind
from clipcast.settings import Settings

MAX_NAME: Final = 255


@dataclass(frozen=True)
class Library:
    """The clips of this installation: their bytes in `storage`, their facts in `db`.

    All work on files happens before the database transaction begins. A crash in between leaves a stored file without a row, which the
    next arrival of the same bytes puts to use.
    """

    storage: Storage
    db: Database
    clock: Clock
    fetcher: Fetcher
    max_bytes: int

    def add_file(self, path: Path, *, slideshow_of: Sequence[str] = ()) -> Clip:
        """Copy a local file into the library.

        Raises:
            NotFound: there is no such file.
            InvalidRequest: not a regular, readable file; or for the media's own faults, `UnusableMedia` and `TooLarge`.
            Busy: the disk is full.
        """
        return self.add_stream(blocks_of(path), path.name, slideshow_of=slideshow_of)

    def add_url(self, url: str, *, slideshow_of: Sequence[str] = ()) -> Clip:
        """Fetch a file by its URL, guarded (see `fetch.py`).

        Raises:
            RefusedUrl: the URL may not be fetched.
            UnusableMedia: what came back is no media, or did not come back whole.
            TooLarge: it is larger than the cap.
        """
        with self.receive() as file:
            with self.fetcher.fetch(url, max_bytes=self.max_bytes) as blocks:
                _fill(file, blocks)
            return self.take(file, unquote(urlsplit(url).path), slideshow_of=slideshow_of)

    def add_stream(self, blocks: Iterable[bytes], file_name: str, *, slideshow_of: Sequence[str] = ()) -> Clip:
        """Take in bytes from anywhere; `file_name` is only remembered, what the file is its content decides."""
        with self.receive() as file:
            _fill(file, blocks)
            return self.take(file, file_name, slideshow_of=slideshow_of)

    def receive(self) -> IncomingFile:
        """A file to write an upload into, block by block; `take` makes a clip of it, leaving its `with` deletes it."""
        return self.storage.incoming(self.max_bytes)

    def take(self, file: IncomingFile, file_name: str, *, slideshow_of: Sequence[str] = ()) -> Clip:
        """Make a clip of a received file: probe it, store it, and remember it once.

        `slideshow_of` names the images that this video shows one after the other; they are then not published on their own.
        """
        file.seal()
        with self.db.reading() as session:
            _refuse_unless_images(get_clips(session, slideshow_of))
            known = find_by_content(session, file.sha256)
        clip, renditions = (known, []) if known is not None else self._prepare(file, file_name, slideshow_of)
        # Also for a clip that is known: should its file have been lost, this brings it back.
        self.storage.adopt(file, clip.storage_key.rpartition(".")[2])
        return self._remember(clip, renditions, slideshow_of)

    def _prepare(self, file: IncomingFile, file_name: str, slideshow_of: Sequence[str]) -> tuple[Clip, list[Rendition]]:
        """The rows of a new clip; nothing is stored before everything about the file is known to be right."""
        facts = probe(file.path)
        _refuse_unless_video(facts.kind, slideshow_of)
        small = thumbnail(file.path, facts)
        jpeg = jpeg_for_platforms(file.path) if facts.content_type == "image/png" else None
        clip = self._clip(file, facts, clean_name(file_name, facts.extension), self._store(small))
        return clip, [] if jpeg is None else [self._rendition(clip, jpeg)]

    def _clip(self, file: IncomingFile, facts: Facts, file_name: str, thumbnail_key: str) -> Clip:
        return Clip(
            id=new_id(),
            kind=facts.kind.value,
            file_name=file_name,
            sha256=file.sha256,
            storage_key=file.key(facts.extension),
            size_bytes=file.size_bytes,
            content_type=facts.content_type,
            width=facts.width,
            height=facts.height,
            duration_s=facts.duration_s,
            frame_rate=facts.frame_rate,
            video_codec=facts.video_codec,
            audio_codec=facts.audio_codec,
            thumbnail_key=thumbnail_key,
            created_at=self.clock(),
        )

    def _rendition(self, clip: Clip, picture: Picture) -> Rendition:
        key = self._store(picture.encoded)
        return Rendition(
            clip_id=clip.id,
            purpose=JPEG,
            storage_key=key,
            sha256=key.rpartition("/")[2].partition(".")[0],
            size_bytes=len(picture.encoded),
            content_type=picture.content_type,
            width=picture.width,
            height=picture.height,
            created_at=self.clock(),
        )

    def _store(self, jpeg: bytes) -> str:
        with self.storage.incoming() as file:
            file.write(jpeg)
            return self.storage.adopt(file, "jpg")

    def _remember(self, clip: Clip, renditions: list[Rendition], slideshow_of: Sequence[str]) -> Clip:
        """Insert the row, or find the one that another arrival of the same bytes has inserted meanwhile."""
        try:
            return self._insert(clip, renditions, slideshow_of)
        except IntegrityError:  # PostgreSQL: both looked before either inserted; the second look finds the other's row
            return self._insert(clip, renditions, slideshow_of)

    def _insert(self, clip: Clip, renditions: list[Rendition], slideshow_of: Sequence[str]) -> Clip:
        with self.db.writing() as session:
            known = find_by_content(session, clip.sha256)
            if known is None:
                session.add(clip)
                session.flush()
                session.add_all(renditions)
            if slideshow_of:
                _mark(session, known or clip, slideshow_of)
            return known or clip

    def mark_slideshow_sources(self, video_id: str, image_ids: Sequence[str]) -> None:
        """Remember that a video shows these images; from now on they are not published on their own.

        Raises:
            NotFound: no such clip.
            InvalidRequest: the slideshow is no video, or one of its sources is no image.
        """
        with self.db.writing() as session:
            _mark(session, get_clip(session, video_id), image_ids)


def _fill(file: IncomingFile, blocks: Iterable[bytes]) -> None:
    for block in blocks:
        file.write(block)


def _mark(session: Session, video: Clip, image_ids: Sequence[str]) -> None:
    _refuse_unless_video(video.kind, image_ids)
    images = get_clips(session, image_ids)
    _refuse_unless_images(images)
    for image in images:
        image.slideshow_clip_id = video.id


def _refuse_unless_video(kind: str, image_ids: Sequence[str]) -> None:
    if image_ids and kind != MediaKind.VIDEO:
        raise InvalidRequest("Only a video can be a slideshow of images; this file is an image.")


def _refuse_unless_images(clips: Iterable[Clip]) -> None:
    for clip in clips:
        if clip.kind != MediaKind.IMAGE:
            raise InvalidRequest(f"The clip {clip.id} is no image, so it cannot be a source of a slideshow.")


def open_library(settings: Settings, db: Database, clock: Clock, storage: Storage) -> Library:
    """The library of the clips in this storage."""
    fetcher = Fetcher(allow_hosts=settings.fetch_allow_hosts)
    return Library(storage=storage, db=db, clock=clock, fetcher=fetcher, max_bytes=settings.fetch_max_bytes)


def clean_name(name: str, extension: str) -> str:
    r"""The last part of a file's name, fit for a database and a terminal; at most 255 characters, its ending kept.

    >>> clean_name("../../etc/pass\x00wd\x1b[31m.mp4", "mp4")
    'passwd[31m.mp4'
    >>> clean_name("C:\\clips\\", "mov")
    'clip.mov'
    """
    last = re.split(r"[/\\]", name)[-1].encode("utf-8", "replace").decode()
    last = "".join(letter for letter in last if letter.isprintable()).strip()
    if not last.strip("."):
        return f"clip.{extension}"
    stem, dot, ending = last.rpartition(".")
    kept = f"{dot}{ending}" if stem and len(ending) <= 16 else ""
    return last[: MAX_NAME - len(kept)].removesuffix(kept) + kept if len(last) > MAX_NAME else last


def blocks_of(path: Path) -> Iterator[bytes]:
    """The content of a local file; what is wrong with it is told as `Library.add_file` says."""
    with _told_what_is_wrong_with(path):
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise InvalidRequest(f"{path} is not a file.")
        file = path.open("rb")
    with file:
        while True:
            with _told_what_is_wrong_with(path):
                block = file.read(BLOCK_BYTES)
            if not block:
                return
            yield block


@contextmanager
def _told_what_is_wrong_with(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {path}.") from error
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be read: {error.strerror}.") from error
