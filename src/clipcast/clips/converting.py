"""From a clip and a form to a rendition: plan, convert, look at the result, keep it."""

import structlog
from sqlalchemy.exc import IntegrityError

from clipcast.clips.conversions import Heard
from clipcast.clips.fitting import ImagePlan, Plan, VideoPlan, fits, plan_for
from clipcast.clips.ingest import Library
from clipcast.clips.media import media_of_original, media_of_rendition
from clipcast.clips.models import Clip, Rendition
from clipcast.clips.probe import Facts, probe
from clipcast.clips.renditions import fitted_picture
from clipcast.clips.storage import IncomingFile
from clipcast.clips.store import find_rendition, get_clip
from clipcast.clips.transcode import Source, transcode
from clipcast.errors import UnusableMedia
from clipcast.platforms.forms import MediaForm, purpose_of

log = structlog.get_logger()


def convert(library: Library, clip_id: str, form: MediaForm, heard: Heard) -> None:
    """Make the form of that clip, unless it is there. The original is only read.

    Raises:
        NotFound: there is no such clip.
        UnusableMedia: the clip cannot be converted to that form.
        Busy: the disk, the store or the database cannot take it now.
    """
    with library.db.reading() as session:
        clip = get_clip(session, clip_id)
        if find_rendition(session, clip_id, purpose_of(form)) is not None:
            return
    plan = plan_for(media_of_original(clip), form)
    if plan is None:
        raise UnusableMedia("No conversion can make this clip fit: its shape is too extreme. Export it in another one.")
    with library.storage.incoming() as file:
        facts = _converted(library, clip, plan, file, heard)
        rendition = _rendition(library, clip, form, file, facts)
        if not fits(media_of_rendition(clip, rendition), form):
            raise UnusableMedia(f"Converting this clip gave {plan} in {file.size_bytes / 1e6:.1f} MB, which is still not taken.")
        library.storage.adopt(file, facts.extension)
    _insert(library, rendition)
    log.info("conversion.done", clip=clip_id, purpose=rendition.purpose, size_bytes=rendition.size_bytes)


def _converted(library: Library, clip: Clip, plan: Plan, file: IncomingFile, heard: Heard) -> Facts:
    """Write the converted clip into `file`, and look at it as at any stranger's."""
    with library.storage.on_disk(clip.storage_key) as path:
        match plan:
            case VideoPlan():
                assert clip.duration_s is not None  # the probe takes no video without one
                transcode(Source(path, clip.content_type, clip.duration_s), plan, file.path, heard)
                file.reread()
            case ImagePlan():
                heard(0.0)
                file.write(fitted_picture(path, plan).encoded)
    file.seal()
    return probe(file.path)


def _rendition(library: Library, clip: Clip, form: MediaForm, file: IncomingFile, facts: Facts) -> Rendition:
    return Rendition(
        clip_id=clip.id,
        purpose=purpose_of(form),
        storage_key=file.key(facts.extension),
        sha256=file.sha256,
        size_bytes=file.size_bytes,
        content_type=facts.content_type,
        width=facts.width,
        height=facts.height,
        duration_s=facts.duration_s,
        frame_rate=facts.frame_rate,
        video_codec=facts.video_codec,
        audio_codec=facts.audio_codec,
        created_at=library.clock(),
    )


def _insert(library: Library, rendition: Rendition) -> None:
    """Remember it, unless another process made the same meanwhile: then theirs counts, and uploads may be reading it already."""
    try:
        with library.db.writing() as session:
            if find_rendition(session, rendition.clip_id, rendition.purpose) is None:
                session.add(rendition)
    except IntegrityError:
        with library.db.reading() as session:
            if find_rendition(session, rendition.clip_id, rendition.purpose) is None:
                raise
