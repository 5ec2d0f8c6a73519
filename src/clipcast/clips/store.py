"""Every query about clips and their renditions."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from clipcast.clips.models import Clip, Rendition
from clipcast.errors import NotFound


def get_clip(session: Session, clip_id: str) -> Clip:
    """The clip with that id; raises `NotFound`."""
    clip = session.get(Clip, clip_id)
    if clip is None:
        raise NotFound(f"There is no clip {clip_id[:40]}.")
    return clip


def get_clips(session: Session, clip_ids: Sequence[str]) -> list[Clip]:
    """The clips with those ids, in that order; raises `NotFound` for the first that does not exist."""
    found = {clip.id: clip for clip in session.scalars(select(Clip).where(Clip.id.in_(clip_ids)))}
    for clip_id in clip_ids:
        if clip_id not in found:
            raise NotFound(f"There is no clip {clip_id[:40]}.")
    return [found[clip_id] for clip_id in clip_ids]


def find_by_content(session: Session, sha256: str) -> Clip | None:
    """The clip with exactly these bytes, if there is one."""
    return session.scalar(select(Clip).where(Clip.sha256 == sha256))


def list_clips(session: Session, *, limit: int, before: str | None = None) -> list[Clip]:
    """At most `limit` clips, newest first; `before` is the last id of the page before (ids sort by age)."""
    query = select(Clip).order_by(Clip.id.desc()).limit(limit)
    return list(session.scalars(query if before is None else query.where(Clip.id < before)))


def renditions_of(session: Session, clip_id: str) -> list[Rendition]:
    """The clip's other forms."""
    return list(session.scalars(select(Rendition).where(Rendition.clip_id == clip_id).order_by(Rendition.purpose)))


def find_rendition(session: Session, clip_id: str, purpose: str) -> Rendition | None:
    """The clip's form for that purpose, if it was made."""
    return session.scalar(select(Rendition).where(Rendition.clip_id == clip_id, Rendition.purpose == purpose))
