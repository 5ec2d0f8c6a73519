"""How a video looks in answers, part by part. Numbers that may be large are strings; what is not known yet is left out."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final

from clipcast_simulator.clock import iso
from clipcast_simulator.exchange import Context
from clipcast_simulator.youtube import videos, world
from clipcast_simulator.youtube.videos import Thumbnail, Video
from clipcast_simulator.youtube.world import Account

OWNER_ONLY: Final = frozenset({"fileDetails", "processingDetails", "suggestions"})

#: Name, width, height and the least width of a picture that gets it.
_SIZES: Final = (
    ("default", 120, 90, 0),
    ("medium", 320, 180, 0),
    ("high", 480, 360, 0),
    ("standard", 640, 480, 640),
    ("maxres", 1280, 720, 1280),
    ("fhd", 1920, 1080, 1920),
    ("qhd", 2560, 1440, 2560),
    ("uhd", 3840, 2160, 3840),
)
_FAILURE_OF_PROCESSING: Final = {
    "conversion": "transcodeFailed",
    "codec": "transcodeFailed",
    "uploadAborted": "uploadFailed",
    "emptyFile": "uploadFailed",
    "tooSmall": "uploadFailed",
}
_PARTS_TOTAL: Final = 1000


@dataclass(frozen=True, slots=True)
class View:
    """A video as someone sees it now."""

    video: Video
    channel: Account
    now: float
    is_owner: bool
    thumbnail: Thumbnail | None
    unprocessed_duration: str

    @property
    def is_processed(self) -> bool:
        """Whether the video can be watched."""
        return self.video.is_processed(self.now)


def view(context: Context, video: Video, viewer: str) -> View:
    """Look at a video as a user."""
    channel = world.account(context.connection, video.username)
    assert channel is not None
    picture = videos.thumbnail(context.connection, video)
    return View(video, channel, context.now, video.username == viewer, picture, context.settings.youtube.unprocessed_duration)


def video_resource(seen: View, parts: Collection[str]) -> dict[str, Any]:
    """Write a video with the parts that were asked for."""
    shown = {part: _WRITERS[part](seen) for part in parts if part in _WRITERS}
    content = {name: section for name, section in shown.items() if section is not None}
    return {"kind": "youtube#video", "etag": videos.etag(content), "id": seen.video.video_id, **content}


def thumbnail_sizes(video_id: str, width: int) -> dict[str, Any]:
    """Write the sizes that a picture of this width comes in."""
    names = {name: (w, h) for name, w, h, least in _SIZES if width >= least}
    return {name: {"url": f"https://i.ytimg.com/vi/{video_id}/{name}.jpg", "width": w, "height": h} for name, (w, h) in names.items()}


def thumbnails_of(seen: View) -> dict[str, Any]:
    """Write a video's thumbnails; a Short has one of its own shape once it is processed."""
    streams = seen.video.facts.get("videoStreams", [{}])
    width = seen.thumbnail.width if seen.thumbnail else (streams[0].get("widthPixels", 0) if seen.is_processed and streams else 0)
    sizes = thumbnail_sizes(seen.video.video_id, width)
    if seen.is_processed and seen.video.is_short:
        url = f"https://i.ytimg.com/vi/{seen.video.video_id}/oardefault.jpg"
        sizes["shortsAspectRatio"] = {"url": url, "width": 1080, "height": 1920}
    return sizes


def iso_duration(seconds: float) -> str:
    """Write a duration as ISO 8601 in whole seconds.

    >>> iso_duration(3725.2)
    'PT1H2M5S'
    """
    minutes, left = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return "PT" + "".join(f"{count}{unit}" for count, unit in ((hours, "H"), (minutes, "M"), (left, "S")) if count or unit == "S")


def second(at: float) -> str:
    """Write an instant as the API does, in whole seconds."""
    text = iso(float(int(at)))
    assert text is not None
    return text.replace(".000Z", "Z")


def _snippet(seen: View) -> dict[str, Any]:
    given = seen.video.resource["snippet"]
    texts = {"title": given["title"], "description": given.get("description", "")}
    optional = {name: given[name] for name in ("tags", "defaultLanguage", "defaultAudioLanguage") if name in given}
    return {
        "publishedAt": second(seen.video.published_at(seen.now)),
        "channelId": seen.channel.channel_id,
        **texts,
        "thumbnails": thumbnails_of(seen),
        "channelTitle": seen.channel.title,
        "categoryId": given["categoryId"],
        "liveBroadcastContent": "none",
        "localized": texts,
        **optional,
    }


def _status(seen: View) -> dict[str, Any]:
    video, given = seen.video, seen.video.resource["status"]
    state, privacy = video.upload_status(seen.now), video.privacy(seen.now)
    for_kids = given.get("selfDeclaredMadeForKids")
    shown = {
        "uploadStatus": state,
        "failureReason": video.outcome if state == "failed" else None,
        "rejectionReason": video.outcome if state == "rejected" else None,
        "privacyStatus": privacy,
        "publishAt": _scheduled(seen, privacy),
        "license": given["license"],
        "embeddable": given["embeddable"],
        "publicStatsViewable": given["publicStatsViewable"],
        "madeForKids": bool(for_kids),
        "selfDeclaredMadeForKids": for_kids if seen.is_owner else None,
        "containsSyntheticMedia": given.get("containsSyntheticMedia"),
    }
    return {name: value for name, value in shown.items() if value is not None}


def _scheduled(seen: View, privacy: str) -> str | None:
    due = seen.video.publish_at()
    return second(due) if due is not None and privacy == "private" and seen.is_owner and not seen.video.locked else None


def _content_details(seen: View) -> dict[str, Any]:
    facts = seen.video.facts if seen.is_processed else {}
    lines = min((facts.get("videoStreams") or [{}])[0].get(side, 0) for side in ("heightPixels", "widthPixels"))
    shown: dict[str, Any] = {
        "duration": iso_duration(int(facts["durationMs"]) / 1000) if "durationMs" in facts else seen.unprocessed_duration,
        "dimension": "2d",
        "definition": "hd" if lines >= 720 else "sd",
        "caption": "false",
        "licensedContent": False,
        "contentRating": {},
        "projection": "rectangular",
    }
    return shown | ({"hasCustomThumbnail": seen.thumbnail is not None} if seen.is_owner else {})


def _file_details(seen: View) -> dict[str, Any]:
    """Write what is known of the file; nothing before `fileDetailsAvailability` says so."""
    if not seen.video.is_done(seen.now):
        return {}
    named = {"fileName": seen.video.file_name or "unknown", "fileSize": str(seen.video.size)}
    return named | {name: value for name, value in seen.video.facts.items() if name not in ("processingErrors", "processingWarnings")}


def _processing_details(seen: View) -> dict[str, Any]:
    video, state = seen.video, seen.video.upload_status(seen.now)
    available = "available" if video.is_done(seen.now) else "inProgress"
    names = ("fileDetails", "processingIssues", "tagSuggestions", "editorSuggestions", "thumbnails")
    shown: dict[str, Any] = {f"{name}Availability": available for name in names}
    if state == "uploaded":
        return {"processingStatus": "processing", "processingProgress": _progress(seen), **shown}
    if state == "failed":
        return {"processingStatus": "failed", "processingFailureReason": _FAILURE_OF_PROCESSING.get(video.outcome or "", "other"), **shown}
    return {"processingStatus": "succeeded" if state == "processed" else "terminated", **shown}


def _progress(seen: View) -> dict[str, str]:
    video = seen.video
    length = max(video.ready_at - video.created_at, 1.0)
    share = min(max((seen.now - video.created_at) / length, 0.0), 0.99)
    left_ms = max(0, round((video.ready_at - seen.now) * 1000))
    return {"partsTotal": str(_PARTS_TOTAL), "partsProcessed": str(int(share * _PARTS_TOTAL)), "timeLeftMs": str(left_ms)}


def _suggestions(seen: View) -> dict[str, Any]:
    """Write what the inspection found; it knows before processing has failed."""
    names = ("processingErrors", "processingWarnings")
    return {name: seen.video.facts[name] for name in names if seen.video.facts.get(name)}


def _statistics(_: View) -> dict[str, Any]:
    return {"viewCount": "0", "likeCount": "0", "favoriteCount": "0", "commentCount": "0"}


def _player(seen: View) -> dict[str, Any]:
    source = f"//www.youtube.com/embed/{seen.video.video_id}"
    return {"embedHtml": f'<iframe width="480" height="270" src="{source}" frameborder="0" allowfullscreen></iframe>'}


def _stored(part: str) -> Callable[[View], dict[str, Any] | None]:
    return lambda seen: seen.video.resource.get(part)


_WRITERS: Final[dict[str, Callable[[View], dict[str, Any] | None]]] = {
    "snippet": _snippet,
    "status": _status,
    "contentDetails": _content_details,
    "fileDetails": _file_details,
    "processingDetails": _processing_details,
    "suggestions": _suggestions,
    "statistics": _statistics,
    "player": _player,
    "topicDetails": lambda _: {},
    "recordingDetails": lambda seen: seen.video.resource.get("recordingDetails", {}),
    "localizations": _stored("localizations"),
    "brandPartner": _stored("brandPartner"),
    "paidProductPlacementDetails": _stored("paidProductPlacementDetails"),
}
