"""Clips that are not there yet, as a dry run sees them: known to one session as if they were stored, and never written.

The session forgets a clip when nobody else holds it.
"""

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy.orm import Session, make_transient_to_detached

from clipcast.clips.ingest import blocks_of
from clipcast.clips.models import Clip
from clipcast.clips.probe import probe
from clipcast.clips.renditions import jpeg_for_platforms
from clipcast.clips.storage import too_large
from clipcast.clips.store import find_by_content
from clipcast.db.base import new_id
from clipcast.platforms.base import MediaKind

_IMAGES: Final = (".jpg", ".jpeg", ".png", ".webp")
_VIDEO: Final = {
    "kind": MediaKind.VIDEO,
    "content_type": "video/mp4",
    "size_bytes": 1_000_000,
    "width": 1080,
    "height": 1920,
    "duration_s": 15.0,
    "frame_rate": 30.0,
    "video_codec": "h264",
}
_IMAGE: Final = {"kind": MediaKind.IMAGE, "content_type": "image/jpeg", "size_bytes": 1_000_000, "width": 1080, "height": 1080}


def of_file(session: Session, path: Path, *, max_bytes: int, now: datetime) -> Clip:
    """The clip with the content of this file: the stored one, or else what `Library.add_file` would make of it. The file is only read.

    Raises:
        NotFound, InvalidRequest: as `Library.add_file`.
    """
    digest, size_bytes = hashlib.sha256(), 0
    for block in blocks_of(path):
        digest.update(block)
        size_bytes += len(block)
        if size_bytes > max_bytes:
            raise too_large(max_bytes)
    known = find_by_content(session, digest.hexdigest())
    if known is not None:
        return known
    facts = probe(path)
    found: dict[str, Any] = {name: getattr(facts, name) for name in facts.__dataclass_fields__}
    found |= {"sha256": digest.hexdigest(), "size_bytes": size_bytes}
    if facts.content_type == "image/png":  # what platforms are sent of it
        jpeg = jpeg_for_platforms(path)
        found |= {"content_type": jpeg.content_type, "size_bytes": len(jpeg.encoded), "width": jpeg.width, "height": jpeg.height}
    return _known_to(session, path.name, now, **found)


def of_url(session: Session, url: str, *, now: datetime) -> Clip:
    """A clip that every platform takes, in place of one that is fetched later: an image where the address ends like one's, else a video."""
    is_image = url.partition("?")[0].lower().endswith(_IMAGES)
    return _known_to(session, url, now, sha256=hashlib.sha256(url.encode()).hexdigest(), **(_IMAGE if is_image else _VIDEO))


def _known_to(session: Session, name: str, now: datetime, **facts: Any) -> Clip:
    """A clip that this session finds by its id; nothing is pending, so nothing can be written."""
    empty = dict.fromkeys(column.name for column in Clip.__table__.columns)
    clip = Clip(**{**empty, **facts, "id": new_id(), "kind": str(facts["kind"]), "file_name": name, "created_at": now})
    make_transient_to_detached(clip)
    session.add(clip)
    return clip
