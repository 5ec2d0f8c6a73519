"""From clips to the facts that an order carries, and from an order's `media_id` back to the bytes."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from clipcast.clips.fitting import fits, plan_for
from clipcast.clips.models import JPEG, Clip, Rendition
from clipcast.clips.store import find_rendition, get_clip, renditions_of
from clipcast.errors import InvalidRequest, NotFound
from clipcast.platforms.base import AnyPlatform, Media, MediaKind, Order
from clipcast.platforms.forms import MediaForm, purpose_of


@dataclass(frozen=True, slots=True)
class Located:
    """Where the bytes of one `media_id` are."""

    storage_key: str
    content_type: str
    size_bytes: int
    sha256: str


def media_of(clip: Clip, renditions: Iterable[Rendition], accepted: Collection[str]) -> Media:
    """The form of a clip to send where only the `accepted` content types are taken.

    The original wherever it is accepted, else its JPEG if there is one; where neither is, the original, whose refusal then says why.
    The `media_id` is `<clip id>` or `<clip id>:<purpose>`.
    """
    if clip.content_type not in accepted:
        for rendition in renditions:
            if rendition.purpose == JPEG and rendition.content_type in accepted:
                return media_of_rendition(clip, rendition)
    return media_of_original(clip)


def media_of_original(clip: Clip) -> Media:
    """The clip as it came in."""
    return Media(
        media_id=clip.id,
        kind=MediaKind(clip.kind),
        content_type=clip.content_type,
        size_bytes=clip.size_bytes,
        width=clip.width,
        height=clip.height,
        duration_s=clip.duration_s,
        frame_rate=clip.frame_rate,
        video_codec=clip.video_codec,
        audio_codec=clip.audio_codec,
    )


def media_of_rendition(clip: Clip, rendition: Rendition) -> Media:
    """The clip in that other form."""
    return Media(
        media_id=f"{clip.id}:{rendition.purpose}",
        kind=MediaKind(clip.kind),
        content_type=rendition.content_type,
        size_bytes=rendition.size_bytes,
        width=rendition.width,
        height=rendition.height,
        duration_s=rendition.duration_s,
        frame_rate=rendition.frame_rate,
        video_codec=rendition.video_codec,
        audio_codec=rendition.audio_codec,
    )


def fitting(session: Session, clip: Clip, platform: AnyPlatform, mode: str) -> Clip | Rendition | MediaForm:
    """What of a clip the platform takes in a post of that mode, or the form that the clip has to be converted to first.

    Raises:
        InvalidRequest: it takes nothing of the kind, or no conversion can help.
    """
    renditions = renditions_of(session, clip.id)
    media = media_of(clip, renditions, platform.accepted_images)
    form = platform.form(Order(media=(media,), mode=mode), media)
    if form is None:
        kind = "images" if clip.kind == MediaKind.IMAGE else "videos"
        raise InvalidRequest(f"{platform.name} takes no {kind}, whatever their form.")
    if fits(media, form):
        return next((each for each in renditions if media.media_id == f"{clip.id}:{each.purpose}"), clip)
    if plan_for(media_of_original(clip), form) is None:
        raise InvalidRequest(f"No conversion can make this clip fit for {platform.name}: its shape is too extreme, or it is too long.")
    return find_rendition(session, clip.id, purpose_of(form)) or form


def locate(session: Session, media_id: str) -> Located:
    """Where the bytes of that `media_id` are; raises `NotFound`."""
    clip_id, _, purpose = media_id.partition(":")
    found = find_rendition(session, clip_id, purpose) if purpose else get_clip(session, clip_id)
    if found is None:
        raise NotFound(f"There is no such form of the clip {clip_id[:40]}.")
    return Located(found.storage_key, found.content_type, found.size_bytes, found.sha256)
