"""Posts as the HTTP interface speaks of them."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, model_validator

from clipcast.posts.models import Post, Stage
from clipcast.publications.missed import IfMissed, Policy
from clipcast.publications.models import Publication
from clipcast.publications.schemas import PlatformName, ProblemOut, PublicationOut
from clipcast.timetable import zones
from clipcast.timetable.zones import Fold, Meant

Id: TypeAlias = Annotated[str, Field(max_length=100)]
Caption: TypeAlias = Annotated[str, Field(max_length=100_000)]
Options: TypeAlias = Annotated[dict[str, Any], Field(description="By the names of `metadata`, or the platform's own.")]


Zone: TypeAlias = Annotated[
    str, Field(max_length=64, description="A zone of the IANA database, such as Europe/Berlin."), AfterValidator(zones.known)
]
LocalOrNot: TypeAlias = Annotated[
    datetime,
    Field(description="When to publish. Without an offset it is local time in `timezone`; with one, that very moment. Default: now."),
]
Twice: TypeAlias = Annotated[
    Fold, Field(description="Where `scheduled_at` comes twice because clocks go back: 0 for the first of the two, 1 for the second.")
]
Repeatable: TypeAlias = Annotated[
    StrictBool, Field(description="Post although the same goes to the same account within a day before or after.")
]


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
    scheduled_at: LocalOrNot | None = None
    timezone: Zone = "UTC"
    fold: Twice = 0
    when: Literal["next_slot", "draft"] | None = Field(
        default=None,
        description="Instead of `scheduled_at`: `next_slot`, on each account at the next free one of its slots; `draft`, not before it is "
        "released.",
    )
    if_missed: Policy | None = None
    options: dict[PlatformName, Options] = Field(default_factory=dict, description="Options of all targets on a platform.")
    targets: list[TargetIn] = Field(min_length=1, max_length=100)
    auto_fit: StrictBool = Field(default=False, description="Post converted copies of files whose form a platform does not take.")
    allow_duplicate: Repeatable = False

    @model_validator(mode="after")
    def _has_one_time(self) -> Self:
        if self.when == "draft" and self.scheduled_at is not None:
            raise ValueError("a draft has no time; it gets one when it is released")
        if self.when is not None and self.scheduled_at is not None:
            raise ValueError("a post goes out at scheduled_at or in the next slot, not both")
        meant_by(self.scheduled_at, self.timezone, self.fold)
        return self

    def due_at(self) -> datetime | None:
        """The moment to publish at, in UTC; None for now, for a draft, or where slots decide."""
        found = meant_by(self.scheduled_at, self.timezone, self.fold)
        return found.at if found else None


class PostChange(BaseModel):
    """What to change of a post that has not begun; the rest stays. A time releases a draft, and moves any other post."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    caption: Caption | None = Field(default=None, description="For every target that has no caption of its own.")
    hashtags: list[Annotated[str, Field(max_length=200)]] | None = Field(default=None, max_length=200)
    title: str | None = Field(default=None, max_length=10_000)
    options: dict[PlatformName, Options] | None = Field(
        default=None, description="Over those that the targets on a platform have: privacy, mode and so on. Others stay."
    )
    auto_fit: StrictBool | None = Field(default=None, description="Post converted copies of files whose form a platform does not take.")
    clip_ids: list[Id] | None = Field(default=None, min_length=1, max_length=100, description="Of a draft alone.")
    targets: list[TargetIn] | None = Field(
        default=None, min_length=1, max_length=100, description="Of a draft alone; instead of all it had."
    )
    scheduled_at: LocalOrNot | None = None
    timezone: Zone | None = Field(default=None, description="Of `scheduled_at` without an offset; alone it changes no moment.")
    fold: Twice = 0
    when: Literal["now", "next_slot"] | None = Field(
        default=None, description="Instead of `scheduled_at`. A target that has a slot already keeps it."
    )
    if_missed: Policy | None = None
    allow_duplicate: Repeatable = False

    @model_validator(mode="after")
    def _has_one_time(self) -> Self:
        if self.when is not None and self.scheduled_at is not None:
            raise ValueError(f"a post goes out at scheduled_at or {self.when.replace('_', ' ')}, not both")
        return self

    @property
    def has_time(self) -> bool:
        """Whether it says when the post goes out, which releases a draft."""
        return self.when is not None or self.scheduled_at is not None


class PostOut(BaseModel):
    """A post and what became of it on each of its targets."""

    id: str
    clip_ids: list[str]
    caption: str
    title: str
    hashtags: list[str]
    options: dict[PlatformName, Options]
    stage: Stage = Field(
        description="`draft`: nobody sends it. `cancelled`: a draft that was thrown away. `released`: `publications` say the rest."
    )
    targets: list[TargetIn] = Field(description="Of a draft: where it is to go. Afterwards `publications` say it.")
    scheduled_at: datetime | None = Field(description="The moment; of slots, the earliest. Null: at once, or a draft.")
    timezone: str
    local_time: datetime | None = Field(description="What the clocks in `timezone` show at that moment.")
    time_note: str | None = Field(
        description="What to know about it: the local time asked for does not exist, comes twice, or the zone's rules have changed."
    )
    if_missed: IfMissed | None
    created_at: datetime
    updated_at: datetime
    publications: list[PublicationOut]

    @classmethod
    def of(cls, post: Post, clip_ids: list[str], publications: list[Publication]) -> Self:
        """The row with its media and targets."""
        names = ("id", "caption", "title", "hashtags", "options", "stage", "scheduled_at", "timezone", "created_at", "updated_at")
        plain = {name: getattr(post, name) for name in names}
        at, asked_for = post.scheduled_at, post.asked_for
        return cls(
            **plain,
            clip_ids=clip_ids,
            targets=PostIn.model_validate(post.draft).targets if post.draft else [],
            local_time=zones.local_time(at, post.timezone) if at else None,
            time_note=(zones.remark_on(at, asked_for, post.timezone) or None) if at and asked_for else None,
            if_missed=IfMissed.model_validate(post.if_missed) if post.if_missed else None,
            publications=[PublicationOut.of(each) for each in publications],
        )


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


def meant_by(at: datetime | None, zone: str, fold: Fold = 0) -> Meant | None:
    """The moment that was asked for: aware as it is, or local time in that zone; None for none.

    Raises:
        ValueError: it lies outside of the calendar.
    """
    if at is None:
        return None
    if at.tzinfo is None:
        return zones.meant(at, zone, fold)
    try:
        return Meant(at.astimezone(UTC), "")
    except OverflowError:
        raise ValueError("scheduled_at lies outside of the calendar") from None
