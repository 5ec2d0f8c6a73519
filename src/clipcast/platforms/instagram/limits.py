"""What Instagram allows, as data; every fact names the page it comes from and when that page was read.

`Seen` marks what production clients report and the documentation does not say; NOTES.md tells where.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from clipcast.platforms.base import Rate

# https://developers.facebook.com/docs/graph-api/changelog (v26.0 is the newest of 2026-11)
API_VERSION: Final = "v26.0"

# Media: https://developers.facebook.com/documentation/instagram-platform/instagram-graph-api/reference/ig-user/media (page of 2026-09,
# copy of 2026-09-11)


@dataclass(frozen=True, slots=True)
class VideoRules:
    """What a video must be for one kind of post; sizes in bytes, lengths in seconds, `aspect` is width / height."""

    name: str
    max_bytes: int
    min_duration_s: float
    max_duration_s: float
    min_aspect: float
    max_aspect: float


REEL: Final = VideoRules("reel", 300_000_000, 3, 900, 0.01, 10)
STORY_VIDEO: Final = VideoRules("story video", 100_000_000, 3, 60, 0.1, 10)
#: No page gives carousel videos a table of their own; these values satisfy the older ones.
CAROUSEL_VIDEO: Final = VideoRules("carousel video", 100_000_000, 3, 60, 0.01, 10)
VIDEO_TYPES: Final = ("video/mp4", "video/quicktime")
VIDEO_CODECS: Final = ("h264", "hevc", "h265")
AUDIO_CODECS: Final = ("aac",)
MIN_FRAME_RATE: Final = 23
MAX_FRAME_RATE: Final = 60
MAX_VIDEO_WIDTH_PX: Final = 1920
MAX_VIDEO_BITS_PER_S: Final = 25_000_000

IMAGE_TYPES: Final = ("image/jpeg",)
#: "8 MB" in the table, "8 MiB" in the error's text: what lies between may pass.
MAX_IMAGE_BYTES: Final = 8_388_608
SAFE_IMAGE_BYTES: Final = 8_000_000
#: Hard for the feed and carousels; stories are only advised to be 9:16.
MIN_IMAGE_ASPECT: Final = 4 / 5
MAX_IMAGE_ASPECT: Final = 1.91
#: Wider ones are taken and scaled down to this ("320 to 1440, scaled automatically").
USEFUL_IMAGE_WIDTH_PX: Final = 1440
MAX_CAROUSEL_ITEMS: Final = 10

# Texts and tags: the same page. How characters are counted is not documented: code points block, UTF-16 units warn.
MAX_CAPTION_CHARS: Final = 2200
MAX_HASHTAGS: Final = 30
MAX_MENTIONS: Final = 20
MAX_COLLABORATORS: Final = 3
MAX_USER_TAGS: Final = 20
MAX_ALT_TEXT_CHARS: Final = 1000

# https://developers.facebook.com/documentation/instagram-platform/instagram-graph-api/reference/ig-container
#: A container that is not published within 24 h expires; from this age on it is looked at before it is used.
CONTAINER_USABLE: Final = timedelta(hours=23)

# https://developers.facebook.com/documentation/instagram-platform/instagram-graph-api/reference/ig-user/content_publishing_limit
#: The pages say 25, 50 and 100; the live number is read before each publish, and this is what holds when it is not told.
ASSUMED_POSTS_PER_DAY: Final = 50
#: How long the answer that there is room counts.
LIMIT_FRESH: Final = timedelta(minutes=5)
#: A full limit moves with a 24 h window and nothing says when the next place gets free: look again after half an hour.
LIMIT_WAIT_S: Final = 1800
#: Two full days mean that something else is wrong.
LIMIT_PATIENCE: Final = timedelta(hours=48)

# Polling: Meta advises once a minute for five minutes; clients start faster, because images take seconds and reels 5 to 60 s (Seen).
POLL_STEPS_S: Final = (3, 5, 10, 20)
POLL_STEADY_S: Final = 60
POLL_SLOW_S: Final = 300
PROCESSING_USUAL: Final = timedelta(hours=1)
#: Past the container's own life its status is not worth waiting for.
PROCESSING_PATIENCE: Final = timedelta(hours=25)
#: How often in a row a container may be unreadable before a new one is made; only while none was asked to be published.
UNREADABLE_LOOKS: Final = 8

#: Between two readings that say "not published" after a publish request that was not answered with a yes, at least and usually.
PROOF_MIN: Final = timedelta(seconds=30)
PROOF_S: Final = 45
#: How long the two readings count.
PROOF_FRESH: Final = timedelta(minutes=5)
#: A request that was lost may still arrive this long after it was sent.
LATE_ARRIVAL: Final = timedelta(minutes=10)
#: Pauses before the second, third, ... publish request for the same container.
PUBLISH_PAUSES_S: Final = (PROOF_S, PROOF_S, 120, 300, 600, 1200, 1800)
MAX_PUBLISH_TRIES: Final = 8
#: A container that Instagram calls unknown while showing it as ready is replaced after this many publish requests.
RENEW_AFTER_TRIES: Final = 2

#: Looking for a post whose container cannot be read: seconds before each look, then a day of patience.
DOUBT_STEPS_S: Final = (5, 30, 60, 120, 300, 600)
DOUBT_PATIENCE: Final = timedelta(hours=24)
UNANSWERED_LAST_LOOKS: Final = 8
#: A post is ours from the second we asked for it; more slack could bind an older post with the same caption.
MATCH_SLACK: Final = timedelta(seconds=5)
LISTED_POSTS: Final = 50

#: The permalink is asked for at once, then after these pauses, then hourly for a day.
LINK_FIRST: Final = timedelta(seconds=60)
LINK_STEPS_S: Final = (30, 120, 600)
LINK_SLOW_S: Final = 3600
LINK_PATIENCE: Final = timedelta(hours=24)

#: How often containers may be made anew because they expired, got lost or stood still.
MAX_RESTARTS: Final = 5
#: The pause before a container that failed is replaced, doubled each time.
RENEW_PAUSE_S: Final = 20
#: How often in a row an upload may make no progress before its container is given up: two hours of pauses.
MAX_SETBACKS: Final = 30
LONGEST_UPLOAD_PAUSE_S: Final = 300

# https://developers.facebook.com/docs/graph-api/overview/rate-limiting: percent of the allowance, 100 is throttled.
USAGE_PAUSE_PERCENT: Final = 90
USAGE_PAUSE_S: Final = 60
THROTTLED_S: Final = 300

#: Containers are counted by nobody but us; the limit of posts is read from the platform right before each one.
RATES: Final[Sequence[Rate]] = (Rate(("container.create",), 400, name="containers per day"),)
