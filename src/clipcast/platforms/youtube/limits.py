"""What YouTube allows, as data; every fact names the page it comes from and when that page was read.

`Ours` marks what the documentation leaves open and we chose; NOTES.md says why.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from clipcast.platforms.base import Privacy, Rate

# https://developers.google.com/youtube/v3/guides/using_resumable_upload_protocol (mirror, read 2026-11-20)
#: Every chunk but the last is a multiple of this.
CHUNK_UNIT_BYTES: Final = 262_144
#: Ours: two saves and a round trip per chunk weigh little at this size, and an interrupted chunk keeps what arrived of it.
DEFAULT_CHUNK_BYTES: Final = 33_554_432

# https://developers.google.com/youtube/v3/docs/videos and the discovery document of revision 20261104 (read 2026-11-20)
MAX_VIDEO_BYTES: Final = 274_877_906_944
MAX_DURATION_S: Final = 43_200
MAX_TITLE_UNITS: Final = 100  # the unit of "character" is not documented; UTF-16 units are the strictest reading
MAX_DESCRIPTION_BYTES: Final = 5000
MAX_TAGS_CHARS: Final = 500
PRIVACY_STATUSES: Final[tuple[Privacy, ...]] = ("public", "unlisted", "private")
PARTS: Final = frozenset(
    {
        "brandPartner",
        "contentDetails",
        "fileDetails",
        "id",
        "liveStreamingDetails",
        "localizations",
        "paidProductPlacementDetails",
        "player",
        "processingDetails",
        "recordingDetails",
        "snippet",
        "statistics",
        "status",
        "suggestions",
        "topicDetails",
    }
)

# https://support.google.com/youtube/answer/71673 (read 2026-11-20): accounts without a verified phone number.
MAX_UNVERIFIED_DURATION_S: Final = 900

# https://support.google.com/youtube/answer/1722171 and the list of formats beside it (partly confirmed, read 2026-11-20)
VIDEO_TYPES: Final = (
    "video/mp4",
    "video/quicktime",
    "video/webm",
    "video/mpeg",
    "video/x-msvideo",
    "video/x-ms-wmv",
    "video/x-flv",
    "video/3gpp",
)
VIDEO_CODECS: Final = ("h264", "hevc", "h265", "vp8", "vp9", "av1", "mpeg4", "mpeg2video", "mpeg1video", "prores", "dnxhd", "cfhd", "wmv3")

# https://support.google.com/youtube/answer/15424877 (read 2026-11-20)
MAX_SHORT_S: Final = 180
#: Ours: from here on container rounding decides whether it is still a Short.
SAFE_SHORT_S: Final = 179

# https://developers.google.com/youtube/data/reference/rest/v3/thumbnails/set (read 2026-11-20); 2 MB until 2026-09-14
IMAGE_TYPES: Final = ("image/jpeg", "image/png")
MAX_COVER_BYTES: Final = 52_428_800

#: Ours: YouTube takes a publish time in the past differently from day to day, so it has to lie this far ahead when the upload begins.
PUBLISH_MARGIN: Final = timedelta(minutes=5)

# https://developers.google.com/youtube/data/determine_quota_cost (read 2026-11-20): quotas are per project and end at midnight Pacific.
QUOTA_ZONE: Final = "America/Los_Angeles"
#: Ours: counters are not reset on the second.
QUOTA_SLACK_S: Final = 60.0
#: A channel's own cap is a rolling day.
CHANNEL_CAP_WAIT_S: Final = 86_400.0
RETRY_AFTER_S: Final = 60.0
LONGEST_RETRY_AFTER_S: Final = 86_400.0
#: A wait for a quota, not for a busy moment.
LONG_WAIT_S: Final = 3600.0
#: What a call takes from the project's pool of units; chunks take nothing, and uploads have a bucket of their own.
UNITS: Final = (("channels.list", 1), ("videos.list", 1), ("playlistItems.list", 1), ("thumbnails.set", 50))
#: A project's real quotas may have been raised or cut, which only Google knows: they are shown here and enforced there.
RATES: Final[Sequence[Rate]] = (
    Rate(("videos.insert",), 100, per="app", day_in=QUOTA_ZONE, name="uploads per day", enforced=False),
    Rate(tuple(label for label, _ in UNITS), 10_000, per="app", day_in=QUOTA_ZONE, costs=UNITS, name="units per day", enforced=False),
)

# Ours, all of the following: the documentation says "back off" and "finite", without numbers.
#: How often an upload may begin again because its session was gone, before the publication fails.
MAX_RESTARTS: Final = 5
#: Answers in a row without progress: with growing pauses, about four and a half hours.
MAX_SETBACKS: Final = 60
LONGEST_PAUSE_S: Final = 300
#: Refusals of a chunk in a row, each followed by the question where the upload stands.
MAX_REFUSALS: Final = 3

#: Looking for a video whose session is gone: seconds before the first look, and between looks.
FIRST_LOOK_S: Final = 60
NEXT_LOOK_S: Final = 300
#: So many looks without a trace, minutes apart, and the video was not created.
LOOKS_TO_BE_SURE: Final = 2
LOOK_SLACK: Final = timedelta(seconds=60)
LOOK_PATIENCE: Final = timedelta(hours=2)
#: https://developers.google.com/youtube/v3/docs/playlistItems/list (read 2026-11-20)
LISTED_VIDEOS: Final = 50

#: Processing: pauses double from the first to the last.
FIRST_POLL_S: Final = 10
LONGEST_POLL_S: Final = 300
PROCESSING_PATIENCE: Final = timedelta(hours=6)
#: An id that the upload gave and that is not listed: normal for some minutes.
UNLISTED_PATIENCE: Final = timedelta(minutes=30)
#: `processingStatus: failed` while `uploadStatus` still says `uploaded`.
FAILING_PATIENCE: Final = timedelta(minutes=30)

#: After success: when to look at what is still processing, or was to go public by itself.
LATE_LOOK_S: Final = 3600
LATE_PATIENCE: Final = timedelta(hours=48)
PUBLISH_GRACE: Final = timedelta(minutes=10)
PUBLISH_PATIENCE: Final = timedelta(hours=3)

COVER_RETRY_S: Final = 300
MAX_COVER_TRIES: Final = 4
