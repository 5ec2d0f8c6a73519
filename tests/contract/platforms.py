"""What the suite has to know about a platform. A new platform adds one `PlatformUnderTest`; every shared case then runs for it too."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from clipcast.publications.states import State


@dataclass(frozen=True, slots=True)
class Flow:
    """One way to publish.

    `operations` are the simulator's names of the requests that it takes, in order. `decisive` is the one after whose first answer, or loss
    of it, the post may become visible. `can_find_out`: whether the protocol can tell afterwards what became of a lost decisive answer;
    where it cannot, a person has to look. `like` names a flow that takes the same path: the longest tests try only one of them.
    """

    name: str
    clips: tuple[str, ...]
    operations: tuple[str, ...]
    decisive: str
    outcome: State = State.PUBLISHED
    can_find_out: bool = True
    metadata: Mapping[str, Any] = field(default_factory=dict)
    like: str = ""

    @property
    def is_set(self) -> bool:
        """Whether it publishes several images at once."""
        return len(self.clips) > 1

    def with_clips(self, *clips: str) -> Self:
        """The same with other clips."""
        return replace(self, clips=clips)


@dataclass(frozen=True, slots=True)
class PlatformUnderTest:
    """A platform: its flows, the setting that names its address, and its words for what can be scripted.

    `unauthorized` are the operations that carry no access token. `retried_reasons` and `final_reasons` are what the platform says of a post
    that failed, by whether a new try is ours or a person's.
    """

    name: str
    url_setting: str
    flows: tuple[Flow, ...]
    unauthorized: frozenset[str]
    refresh_operation: str
    retried_reasons: tuple[str, ...]
    final_reasons: tuple[str, ...]

    def flow(self, name: str) -> Flow:
        """The flow of that name."""
        return next(flow for flow in self.flows if flow.name == name)


_PRIVATE: Final = {"privacy": "private"}

TIKTOK: Final = PlatformUnderTest(
    name="tiktok",
    url_setting="tiktok_api_url",
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

PLATFORMS: Final = (TIKTOK,)
