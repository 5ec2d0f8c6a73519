"""TikTok's judgement of the media it received: the fail reason, or none (media rules of the documentation, and live)."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from clipcast_simulator.media import ImageFacts, Unreadable, VideoFacts, probe_image, probe_video

_CODECS: Final = frozenset({"h264", "hevc", "vp8", "vp9"})
_WEB_CODECS: Final = frozenset({"vp8", "vp9"})
_SLOWEST, _FASTEST = 23, 60
_SMALLEST, _LARGEST = 360, 4096
_SHORTEST_S: Final = 1.0  #: undocumented; "keep >= 1-3 s"
_SLACK_S: Final = 0.1  #: a video of 60 s is rarely 60.000 s
_INBOX_LONGEST_S: Final = 600
_IMAGE_SHORTER_SIDE: Final = 1080

MOST_IMAGE_BYTES: Final = 20_000_000


def judge_video(paths: Sequence[Path], longest_s: float) -> tuple[str | None, dict[str, Any]]:
    """Return the fail reason of a video, if any, and its facts."""
    try:
        facts = probe_video(paths)
    except Unreadable:
        return "file_format_check_failed", {}
    told = asdict(facts) | {"frame_rate": float(facts.frame_rate)}
    return video_complaint(facts, longest_s), told


def judge_images(paths: Sequence[Path]) -> tuple[str | None, dict[str, Any]]:
    """Return the fail reason of a photo set: one bad image fails all, and is not named."""
    found: list[ImageFacts] = []
    for path in paths:
        try:
            found.append(probe_image(path))
        except Unreadable:
            return "file_format_check_failed", {}
    complaints = (image_complaint(facts, path.stat().st_size) for facts, path in zip(found, paths, strict=True))
    verdict = next((complaint for complaint in complaints if complaint is not None), None)
    return verdict, {"images": [asdict(facts) for facts in found]}


def longest_s(mode: str, creator_maximum_s: int) -> float:
    """Return how long a video may be: the creator's own maximum, for drafts ten minutes."""
    return float(_INBOX_LONGEST_S if mode == "inbox" else creator_maximum_s)


def video_complaint(facts: VideoFacts, most_s: float) -> str | None:
    """Return the fail reason that a video's facts earn, in the order format, duration, frame rate, picture size."""
    is_matroska = "matroska" in facts.container
    if facts.codec not in _CODECS or (is_matroska and facts.codec not in _WEB_CODECS):
        return "file_format_check_failed"
    if not _SHORTEST_S - _SLACK_S <= facts.duration_s <= most_s + _SLACK_S:
        return "duration_check_failed"
    if not _SLOWEST <= facts.frame_rate <= _FASTEST:
        return "frame_rate_check_failed"
    if not all(_SMALLEST <= side <= _LARGEST for side in (facts.width, facts.height)):
        return "picture_size_check_failed"
    return None


def image_complaint(facts: ImageFacts, size_bytes: int) -> str | None:
    """Return the fail reason that an image earns."""
    if min(facts.width, facts.height) > _IMAGE_SHORTER_SIDE or size_bytes > MOST_IMAGE_BYTES:
        return "picture_size_check_failed"
    return None
