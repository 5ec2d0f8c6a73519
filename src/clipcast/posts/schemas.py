"""Posts as the HTTP interface speaks of them."""

from datetime import UTC, datetime
from typing import Annotated, Any, Self, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, model_validator

from clipcast.posts.models import Post
from clipcast.publications.models import Publication
from clipcast.publications.schemas import PlatformName, ProblemOut, PublicationOut

Id: TypeAlias = Annotated[str, Field(max_length=100)]
Caption: TypeAlias = Annotated[str, Field(max_length=100_000)]
Options: TypeAlias = Annotated[dict[str, Any], Field(description="By the names of `metadata`, or the platform's own.")]


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("it is not the name of a time zone such as Europe/Berlin") from None
    return name


Zone: TypeAlias = Annotated[str, Field(max_length=64), AfterValidator(_known_zone)]


class TargetIn(BaseModel):
    """One account that the post goes to, or a platform's main account (the simulator, where there is none)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account_id: Id | None = None
    platform: PlatformName | None = Field(default=None, description="Instead of `account_id`: the platform's main account.")
    with_satellites: StrictBool = Field(default=False, description="Also to the active satellites of this main account.")
    caption: Caption | None = Field(default=None, description="Instead of the post's caption.")
    options: Options = Field(default_factory=dict)

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.account_id is None) == (self.platform is None):
            raise ValueError("a target names either account_id or platform")
        return self


class PostIn(BaseModel):
    """One post to many accounts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    clip_ids: list[Id] = Field(min_length=1, max_length=100)
    caption: Caption = ""
    title: str = Field(default="", max_length=10_000)
    hashtags: list[Annotated[str, Field(max_length=200)]] = Field(default_factory=list, max_length=200)
    scheduled_at: datetime | None = Field(
        default=None, description="When to publish; without an offset it is local time in `timezone`. Default: now."
    )
    timezone: Zone = "UTC"
    options: dict[PlatformName, Options] = Field(default_factory=dict, description="Options of all targets on a platform.")
    targets: list[TargetIn] = Field(min_length=1, max_length=100)
    auto_fit: StrictBool = Field(default=False, description="Post converted copies of files whose form a platform does not take.")
    allow_duplicate: StrictBool = Field(default=False, description="Post although the same went to the same account within a day.")

    def due_at(self) -> datetime | None:
        """The moment to publish at, in UTC; None for now."""
        return moment(self.scheduled_at, self.timezone)


class PostChange(BaseModel):
    """What to change of a post that has not begun; the rest stays."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    caption: Caption | None = Field(default=None, description="For every target that has no caption of its own.")
    hashtags: list[Annotated[str, Field(max_length=200)]] | None = Field(default=None, max_length=200)
    title: str | None = Field(default=None, max_length=10_000)
    scheduled_at: datetime | None = Field(default=None, description="Without an offset it is local time in `timezone`.")
    timezone: Zone | None = None


class PostOut(BaseModel):
    """A post and what became of it on each of its targets."""

    id: str
    clip_ids: list[str]
    caption: str
    title: str
    hashtags: list[str]
    scheduled_at: datetime | None
    timezone: str
    created_at: datetime
    updated_at: datetime
    publications: list[PublicationOut]

    @classmethod
    def of(cls, post: Post, clip_ids: list[str], publications: list[Publication]) -> Self:
        """The row with its media and targets."""
        names = ("id", "caption", "title", "hashtags", "scheduled_at", "timezone", "created_at", "updated_at")
        plain = {name: getattr(post, name) for name in names}
        return cls(**plain, clip_ids=clip_ids, publications=[PublicationOut.of(each) for each in publications])


class PostPage(BaseModel):
    """Some posts, newest first."""

    posts: list[PostOut]
    next: str | None = Field(description="Pass as `before` for the page after this one; null on the last page.")


class PostCancellation(BaseModel):
    """What became of a post that was to be withdrawn."""

    post: PostOut
    refusals: dict[str, str] = Field(description="By publication id: why it could not be withdrawn.")


class TargetProblems(BaseModel):
    """What stands between the post and one of its targets."""

    platform: PlatformName
    account_id: str | None
    username: str | None
    ok: bool = Field(description="Nothing blocks it.")
    problems: list[ProblemOut]


class PostPreflight(BaseModel):
    """What posting would run into, target by target."""

    ok: bool = Field(description="Nothing blocks any target.")
    targets: list[TargetProblems]


def moment(at: datetime | None, zone: str) -> datetime | None:
    """That time in UTC. A local time that a change of clocks skips is the same distance after the change; of two equal ones, the first.

    >>> moment(datetime(2026, 3, 29, 2, 30), "Europe/Berlin").isoformat()
    '2026-03-29T01:30:00+00:00'
    """
    if at is None:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
