"""What TikTok allows, as data; every fact names the page it comes from and when that page was read.

`Seen` marks what the live API was observed to do and its documentation does not say; NOTES.md tells where that was seen.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from clipcast.platforms.base import Privacy, Rate

# https://developers.tiktok.com/doc/content-posting-api-media-transfer-guide (read 2026-09-11)
# The page mixes MB and MiB; these values satisfy both readings.
MIN_CHUNK_BYTES: Final = 5_242_880
MAX_CHUNK_BYTES: Final = 64_000_000
MAX_CHUNKS: Final = 1000
MAX_VIDEO_BYTES: Final = 4_000_000_000
#: The largest chunk to plan with: up to here even the last chunk, remainder included, stays below `MAX_CHUNK_BYTES`.
MAX_PLANNED_CHUNK_BYTES: Final = 32_000_000
#: TikTok's own example, and the least to send again after a failure.
DEFAULT_CHUNK_BYTES: Final = 10_000_000
VIDEO_TYPES: Final = ("video/mp4", "video/quicktime", "video/webm")
VIDEO_CODECS: Final = ("h264", "hevc", "h265", "vp8", "vp9")
MIN_FRAME_RATE: Final = 23
MAX_FRAME_RATE: Final = 60
MIN_SIDE_PX: Final = 360
MAX_SIDE_PX: Final = 4096  # Seen: 5000 x 5000 passes
#: Undocumented; shorter videos are accepted at the sender's risk.
SHORT_VIDEO_S: Final = 1.0
IMAGE_TYPES: Final = ("image/jpeg", "image/webp")
MAX_IMAGE_BYTES: Final = 20_000_000
MAX_IMAGE_SHORT_SIDE_PX: Final = 1080  # Seen: 1080 x 1920 passes, 1086 x 1448 fails the whole set
MAX_IMAGES: Final = 35

# https://developers.tiktok.com/doc/content-posting-api-reference-direct-post (read 2026-09-11)
MAX_CAPTION_UNITS: Final = 2200
#: The URL for the bytes dies after an hour, and the upload must be finished by then.
UPLOAD_URL_LIFE: Final = timedelta(hours=1)
#: No new chunk is begun on a URL older than this; a new init is cheaper than a chunk that arrives too late.
UPLOAD_URL_USABLE: Final = timedelta(minutes=55)
#: From here on nothing that was sent to the URL can still be on its way.
UPLOAD_URL_DEAD: Final = timedelta(minutes=65)
PRIVACY_LEVELS: Final[dict[Privacy, str]] = {
    "public": "PUBLIC_TO_EVERYONE",
    "friends": "MUTUAL_FOLLOW_FRIENDS",
    "followers": "FOLLOWER_OF_CREATOR",
    "private": "SELF_ONLY",
}

# https://developers.tiktok.com/doc/content-posting-api-reference-upload-video (undated copy of 2024 or later)
MAX_INBOX_DURATION_S: Final = 600

# https://developers.tiktok.com/doc/content-posting-api-reference-photo-post (read 2026-09-11)
MAX_PHOTO_TITLE_UNITS: Final = 90  # Seen: more is `invalid_params`, in both modes
MAX_PHOTO_DESCRIPTION_UNITS: Final = 4000

# https://developers.tiktok.com/docs/en/tiktok-api-v2-video-object (page of 2026-08-24)
LISTED_CAPTION_CHARS: Final = 150
LISTED_POSTS: Final = 20

# https://developers.tiktok.com/doc/content-posting-api-reference-query-creator-info (undated copy): "just before posting".
CREATOR_INFO_FRESH: Final = timedelta(minutes=5)

# Polling: only "do not poll too often" is documented (30 a minute); the steps are ours.
# https://developers.tiktok.com/doc/content-posting-api-reference-get-video-status (undated copy; same values seen 2026-09-30)
POLL_STEPS_S: Final = (3, 5, 10, 20, 20, 20, 20, 20, 20)
POLL_STEADY_S: Final = 30
POLL_SLOW_S: Final = 900
POLL_AFTER_THROTTLE_S: Final = 60
#: Processing usually takes a minute or two; after an hour something is wrong, after a day a person must look.
PROCESSING_USUAL: Final = timedelta(hours=1)
PROCESSING_PATIENCE: Final = timedelta(hours=24)
#: Seen: right after init the status endpoint may not know the publish_id yet.
EARLY_UNKNOWN_ID: Final = timedelta(seconds=30)
EARLY_POLL_S: Final = 5

#: A published post without a public id yet: moderation takes a minute, sometimes hours.
LINK_FAST_S: Final = 180
LINK_FAST_FOR: Final = timedelta(hours=1)
LINK_SLOW_S: Final = 3600
LINK_PATIENCE: Final = timedelta(hours=24)

#: Once patience is over, how many questions in a row TikTok may leave unanswered before a person must look.
UNANSWERED_LAST_QUESTIONS: Final = 8

#: Looking for a post whose init answer was lost: seconds before each look. A pull and its moderation take minutes, so that a post which is
#: not listed after half an hour will hardly be listed later.
SEARCH_STEPS_S: Final = (30, 60, 120, 300, 600, 900)
SEARCH_USUAL: Final = timedelta(minutes=30)
SEARCH_SLACK: Final = timedelta(seconds=60)
SEARCH_PATIENCE: Final = timedelta(hours=24)

#: How often an upload may begin again because its URL died, and how often after TikTok itself said FAILED.
MAX_RESTARTS: Final = 5
MAX_RESTARTS_AFTER_FAILURE: Final = 3
#: How often in a row the same upload may be told that it stands elsewhere before its URL is given up.
MAX_RESYNCS: Final = 3
#: A full daily cap moves with a 24 h window: an hour is the earliest useful moment, two days the end of patience.
CAP_WAIT_S: Final = 3600
MAX_CAP_WAITS: Final = 48
RESTART_WAIT_S: Final = 60

# https://developers.tiktok.com/doc/content-posting-api-reference-direct-post and its siblings (read 2026-09-11)
RATES: Final[Sequence[Rate]] = (
    Rate(("video.init",), 6, 60),
    Rate(("inbox.init",), 6, 60),
    Rate(("photo.init",), 6, 60),
    Rate(("creator_info",), 20, 60),
    Rate(("status",), 30, 60),
    Rate(("video.list",), 600, 60),
    # "Around 15", shared with every other app that posts for this creator, and unfinished drafts: only TikTok knows how many there are.
    Rate(("video.init", "photo.init"), 15, name="posts per day", enforced=False),
    Rate(("inbox.init",), 5, name="unfinished drafts per day", enforced=False),
)
