"""Recurring posts, imports and feeds as the HTTP interface speaks of them."""

from datetime import datetime
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, model_validator

from clipcast.errors import InvalidRequest
from clipcast.log import redact
from clipcast.posts.schemas import Caption, Id, Options, PostIn, TargetIn, Zone
from clipcast.publications.missed import Policy
from clipcast.publications.schemas import PlatformName
from clipcast.schedules.models import CalendarFeed, Recurrence
from clipcast.timetable import zones

Hashtag: TypeAlias = Annotated[str, Field(max_length=200)]


def _without_offset(at: datetime) -> datetime:
    if at.tzinfo is not None:
        raise ValueError("local time in the recurrence's zone has no offset; send it as 2026-05-01T09:00:00")
    return at


Local: TypeAlias = Annotated[
    datetime, Field(description="Local time in the recurrence's zone, without an offset."), AfterValidator(_without_offset)
]


class PostTemplate(BaseModel):
    """A post without its time."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    clip_ids: list[Id] = Field(min_length=1, max_length=100)
    caption: Caption = ""
    title: str = Field(default="", max_length=10_000)
    hashtags: list[Hashtag] = Field(default_factory=list, max_length=200)
    options: dict[PlatformName, Options] = Field(default_factory=dict, description="Options of all targets on a platform.")
    targets: list[TargetIn] = Field(min_length=1, max_length=100)
    auto_fit: StrictBool = False
    if_missed: Policy | None = None

    def at(self, local: datetime, zone: str, caption: str | None = None) -> PostIn:
        """The post of this moment: coming again is meant, so it is no duplicate."""
        fields = self.model_dump() | {"scheduled_at": local, "timezone": zone, "allow_duplicate": True}
        return PostIn.model_validate(fields if caption is None else fields | {"caption": caption})


class RecurrenceIn(BaseModel):
    """A post that comes again and again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rule: str = Field(max_length=500, description="An RRULE of RFC 5545, such as FREQ=WEEKLY;BYDAY=MO,FR;COUNT=20.")
    starts_at: Local
    timezone: Zone
    post: PostTemplate

    @model_validator(mode="after")
    def _starts_at_a_second(self) -> Self:
        if self.starts_at.microsecond:
            raise ValueError("starts_at has no fractions of a second")
        return self


class OccurrenceEdit(BaseModel):
    """What to change of one occurrence alone; the rest stays."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    move_to: Local | None = None
    caption: Caption | None = Field(default=None, description="For every target that has no caption of its own.")
    skip: StrictBool = Field(default=False, description="Leave it out; once said, it stays out.")


class RecurrenceEnd(BaseModel):
    """From when on a recurrence comes no more."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    from_local: Local | None = Field(
        default=None,
        description="The first occurrence that no longer comes. Default: nothing that has not begun goes out, however late or moved.",
    )


class OccurrenceOut(BaseModel):
    """One time that a recurrence comes."""

    local_time: datetime = Field(description="Its name: the local time that the rule gives it.")
    scheduled_at: datetime = Field(description="The moment at which it goes out.")
    time_note: str | None = Field(description="What to know about it where clocks are changed.")
    state: Literal["planned", "skipped", "made", "in_trouble"] = Field(description="`made`: it is the post `post_id` by now.")
    caption: str
    post_id: str | None
    trouble: str | None = Field(description="Why it could not be made into a post; tried again until its time and a while after.")


class RecurrenceOut(BaseModel):
    """A recurring post and the next times that it comes."""

    id: str
    rule: str
    starts_at: datetime
    timezone: str
    post: PostTemplate
    ends_before: datetime | None = Field(description="Cancelled from this local time on.")
    next: list[OccurrenceOut] = Field(description="The next ten occurrences.")
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: Recurrence, following: list[OccurrenceOut]) -> Self:
        """The row, and what comes of it."""
        names = ("id", "rule", "starts_at", "timezone", "ends_before", "created_at", "updated_at")
        plain = {name: getattr(row, name) for name in names}
        return cls(**plain, post=PostTemplate.model_validate(row.template), next=following)


class RecurrencePage(BaseModel):
    """Some recurrences, newest first."""

    recurrences: list[RecurrenceOut]
    next: str | None = Field(description="Pass as `before` for the page after this one; null on the last page.")


class OccurrencePage(BaseModel):
    """Some occurrences, earliest first."""

    occurrences: list[OccurrenceOut]
    next: datetime | None = Field(description="Pass as `after` for the page after this one; null on the last page.")


class RecurrenceCancellation(BaseModel):
    """What became of a recurrence that was to end."""

    recurrence: RecurrenceOut
    refusals: dict[str, str] = Field(description="By publication id: why it could not be withdrawn.")


class RowProblem(BaseModel):
    """What is wrong with one row of a table."""

    row: int = Field(description="As a spreadsheet counts: the line of names is row 1.")
    column: str
    sentence: Annotated[str, AfterValidator(redact)]  # it quotes the cell, where a token may have been pasted by mistake


class ImportReport(BaseModel):
    """What a table holds, and what became of it."""

    rows: int
    posts: list[str] = Field(description="Ids of the posts, row by row; empty for a dry run.")
    already_imported: int = Field(description="Rows that an earlier import has posted; they are not posted again.")
    dry_run: bool
    problems: list[RowProblem] = Field(description="Every bad row. Where there is one, nothing is imported.")


class FeedIn(BaseModel):
    """A calendar feed to make."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(default="calendar", min_length=1, max_length=120, description="To tell your feeds apart.")


class FeedOut(BaseModel):
    """A calendar feed, without the token that opens it."""

    id: str
    name: str
    created_at: datetime
    revoked_at: datetime | None

    @classmethod
    def of(cls, feed: CalendarFeed) -> Self:
        """The row as the interface shows it."""
        return cls(id=feed.id, name=feed.name, created_at=feed.created_at, revoked_at=feed.revoked_at)


class FeedMade(FeedOut):
    """A new feed, and the one time that its address is told."""

    url: str = Field(description="Give it to your calendar program. Whoever has it sees the posts; revoke it when it got lost.")


class FeedList(BaseModel):
    """Calendar feeds, newest first."""

    feeds: list[FeedOut]


def known_zone(name: str) -> str:
    """That zone.

    Raises:
        InvalidRequest: there is none of that name.
    """
    try:
        return zones.known(name)
    except ValueError as error:
        raise InvalidRequest(f"{str(error)[0].upper()}{str(error)[1:]}.".replace("?.", "?")) from None
