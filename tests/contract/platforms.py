"""What the suite has to know about a platform. A new platform adds one `PlatformUnderTest`; every shared case then runs for it too."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from clipcast.publications.states import State

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Flow:
    """One way to publish.

    `requests` are the simulator's names of the requests that it takes, in order. `decisive` is the one after whose first answer, or loss
    of it, the post may become visible; `failing` the one whose answer can carry the platform's word that the post failed, where that is
    another. `can_find_out`: whether the protocol can tell afterwards what became of a lost decisive answer; where it cannot, a person has
    to look. `shows_caption`: whether the world sees the caption. `like` names a flow that takes the same path: the longest tests try only
    one of them.
    """

    name: str
    clips: tuple[str, ...]
    requests: tuple[str, ...]
    decisive: str
    failing: str = ""
    outcome: State = State.PUBLISHED
    can_find_out: bool = True
    shows_caption: bool = True
    metadata: Mapping[str, Any] = field(default_factory=dict)
    cover: str = ""
    like: str = ""

    @property
    def operations(self) -> tuple[str, ...]:
        """The kinds of its requests, each once."""
        return tuple(dict.fromkeys(self.requests))

    @property
    def calls(self) -> Mapping[str, int]:
        """How many requests of each kind it takes."""
        return Counter(self.requests)

    @property
    def is_set(self) -> bool:
        """Whether it publishes several files at once."""
        return len(self.clips) > 1

    def with_clips(self, *clips: str) -> Self:
        """The same with other clips."""
        return replace(self, clips=clips)


@dataclass(frozen=True, slots=True)
class Seen:
    """A post as the world sees it: the SHA-256 of its files in their order and of its cover, its text, and its public id if it has one."""

    sha256s: tuple[str, ...]
    caption: str
    post_id: str | None
    cover: str | None = None


@dataclass(frozen=True, slots=True)
class PlatformUnderTest:
    """A platform: its flows, where its simulator answers, and its words for what can be scripted.

    `addresses` are our settings and what follows the simulator's URL in each. `account` and `app` are what the control resource is asked
    for, so that no limit of the platform is met by chance. `seen` reads a post of the world's view. `unauthorized` are the operations that
    carry no access token. `refresh_operation` renews a token before its end, where there is such a thing; `revives`: whether it does so
    after that too. `revoking_ends_posts`: whether posts that are under way die when their owner disconnects us.
    `retried_reasons` and `final_reasons` are what the platform says of a post that failed, by whether a new try is ours or a person's.
    """

    name: str
    addresses: Mapping[str, str]
    flows: tuple[Flow, ...]
    seen: Callable[[Json], Seen]
    refresh_operation: str
    retried_reasons: tuple[str, ...]
    final_reasons: tuple[str, ...]
    account: Mapping[str, Any] = field(default_factory=dict)
    app: Mapping[str, Any] = field(default_factory=dict)
    unauthorized: frozenset[str] = frozenset()
    revives: bool = True
    revoking_ends_posts: bool = False
    variant: str = ""

    @property
    def title(self) -> str:
        """Its name, and which account of it where there are several kinds."""
        return f"{self.name} {self.variant}".strip()

    def flow(self, name: str) -> Flow:
        """The flow of that name."""
        return next(flow for flow in self.flows if flow.name == name)

    def settings(self, simulator_url: str) -> dict[str, str]:
        """Our settings that lead to the simulator there."""
        return {name: f"{simulator_url}{path}" for name, path in self.addresses.items()}


def _tiktok_seen(post: Json) -> Seen:
    files = [image["sha256"] for image in post["images"]] or [post["sha256"]]
    return Seen(tuple(files), post["caption"], post["post_id"] if post["privacy_level"] == "PUBLIC_TO_EVERYONE" else None)


def _instagram_seen(post: Json) -> Seen:
    files = [child["sha256"] for child in post["children"]] or [post["sha256"]]
    return Seen(tuple(files), post["caption"], post["id"])


def _youtube_seen(post: Json) -> Seen:
    return Seen((post["sha256"],), post["description"], post["video_id"], post["thumbnail_sha256"])


_PRIVATE: Final = {"privacy": "private"}

TIKTOK: Final = PlatformUnderTest(
    name="tiktok",
    addresses={"tiktok_api_url": "/tiktok"},
    account={"daily_post_cap": 1000, "pending_share_cap": 1000},
    seen=_tiktok_seen,
    flows=(
        Flow("direct", ("video",), ("creator_info", "video.init", "upload.chunk", "status"), "upload.chunk"),
        Flow(
            "inbox",
            ("video",),
            ("inbox.init", "upload.chunk", "status"),
            "upload.chunk",
            outcome=State.IN_INBOX,
            metadata={"mode": "inbox"},
            like="direct",
        ),
        Flow("pull", ("video",), ("creator_info", "video.init", "status"), "video.init", metadata={"transfer": "pull"}, like="photos"),
        Flow("photos", ("photo-1", "photo-2"), ("creator_info", "content.init", "status"), "content.init"),
        Flow(
            "private photos",
            ("photo-1", "photo-2"),
            ("creator_info", "content.init", "status"),
            "content.init",
            can_find_out=False,
            metadata=_PRIVATE,
            like="photos",
        ),
        Flow(
            "photo draft",
            ("photo-1",),
            ("content.init", "status"),
            "content.init",
            outcome=State.IN_INBOX,
            can_find_out=False,
            metadata={"mode": "inbox"},
            like="photos",
        ),
    ),
    unauthorized=frozenset({"upload.chunk"}),
    revoking_ends_posts=True,
    refresh_operation="oauth.token",
    retried_reasons=("internal", "video_pull_failed", "photo_pull_failed"),
    final_reasons=(
        "auth_removed",
        "duration_check_failed",
        "file_format_check_failed",
        "frame_rate_check_failed",
        "picture_size_check_failed",
        "publish_cancelled",
        "spam_risk",
        "spam_risk_text",
        "spam_risk_user_banned_from_posting",
    ),
)

_INSTAGRAM_ADDRESSES: Final = {
    "instagram_graph_url": "/instagram",
    "instagram_upload_url": "/instagram/rupload",
    "instagram_token_url": "/instagram",
}
_PUBLISHED: Final = ("container.status", "limit", "publish", "media")
_STORY: Final = {"mode": "story"}

INSTAGRAM: Final = PlatformUnderTest(
    name="instagram",
    addresses=_INSTAGRAM_ADDRESSES,
    account={"login": "instagram", "quota_total": 1000},
    seen=_instagram_seen,
    flows=(
        Flow("reel by URL", ("video",), ("container.create", *_PUBLISHED), "publish", failing="container.create"),
        Flow("photo", ("photo-1",), ("container.create", *_PUBLISHED), "publish", failing="container.create", like="reel by URL"),
        Flow(
            "carousel",
            ("photo-1", "video"),
            ("container.create", "container.status") * 2 + ("container.create", *_PUBLISHED),
            "publish",
            failing="container.create",
        ),
        Flow(
            "story",
            ("video",),
            ("container.create", *_PUBLISHED),
            "publish",
            failing="container.create",
            shows_caption=False,
            metadata=_STORY,
            like="reel by URL",
        ),
    ),
    refresh_operation="oauth.refresh",
    revives=False,
    retried_reasons=("2207053",),
    final_reasons=("2207026",),
)

INSTAGRAM_BY_FACEBOOK: Final = replace(
    INSTAGRAM,
    variant="by Facebook",
    account={**INSTAGRAM.account, "login": "facebook"},
    refresh_operation="",
    flows=(
        Flow("reel", ("video",), ("container.create", "upload", *_PUBLISHED), "publish", failing="upload"),
        Flow(
            "story by upload",
            ("video",),
            ("container.create", "upload", *_PUBLISHED),
            "publish",
            failing="upload",
            shows_caption=False,
            metadata=_STORY,
            like="reel",
        ),
    ),
)

YOUTUBE: Final = PlatformUnderTest(
    name="youtube",
    addresses={"youtube_api_url": "/youtube", "youtube_upload_url": "/youtube", "youtube_token_url": "/youtube/token"},
    account={"upload_cap": 1000, "thumbnail_cap": 1000},
    app={"upload_quota": 10_000, "unit_quota": 1_000_000},
    seen=_youtube_seen,
    flows=(
        Flow(
            "video",
            ("wide",),
            ("channels.list", "session.start", "upload.chunk", "videos.list"),
            "upload.chunk",
            metadata={"title": "The sea"},
            like="short with a cover",
        ),
        Flow(
            "short with a cover",
            ("video",),
            ("channels.list", "session.start", "upload.chunk", "videos.list", "thumbnails.set"),
            "upload.chunk",
            metadata={"title": "The sea", "privacy": "unlisted"},
            cover="photo-1",
        ),
    ),
    refresh_operation="oauth.token",
    retried_reasons=(),
    final_reasons=("copyright",),
)

PLATFORMS: Final = (TIKTOK, INSTAGRAM, INSTAGRAM_BY_FACEBOOK, YOUTUBE)
