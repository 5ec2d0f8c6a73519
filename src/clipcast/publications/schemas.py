"""Publications and the ledger as the HTTP interface speaks of them."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, Self, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool

from clipcast.errors import InvalidRequest
from clipcast.ledger import Broken, LedgerEvent
from clipcast.platforms.base import Problem
from clipcast.publications.models import Publication
from clipcast.publications.order import Metadata
from clipcast.publications.publishing import PublishRequest
from clipcast.publications.states import STATUS, State

PlatformName: TypeAlias = Literal["instagram", "tiktok", "youtube"]
Status: TypeAlias = Literal["pending", "processing", "uncertain", "success", "failed", "cancelled"]
WaitS: TypeAlias = Annotated[float, Field(ge=0, le=300, allow_inf_nan=False)]

DEFAULT_WAIT_S: Final = 30.0


def _in_utc(moment: datetime) -> datetime:
    """The same moment in UTC, one without a zone untouched: a rule of publishing refuses that, with a sentence of its own."""
    if moment.tzinfo is None:
        return moment
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("it lies outside of the calendar") from None


class PublishBody(PublishRequest):
    """One clip (or photo set) to one account, now or at `scheduled_at`."""

    scheduled_at: Annotated[datetime, AfterValidator(_in_utc)] | None = Field(
        default=None, description="When to publish, with a time zone; default: now."
    )

    def request(self) -> PublishRequest:
        """What is asked for, without what is said about the asking."""
        return PublishRequest(**{name: getattr(self, name) for name in PublishRequest.model_fields})


class PublishNow(PublishBody):
    """The body of a publish request."""

    wait_s: WaitS | None = Field(
        default=None, description=f"Seconds to wait for the outcome; 0 answers at once. Default: {DEFAULT_WAIT_S:.0f}."
    )


class PublicationOut(BaseModel):
    """One post going to one account."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    post_id: str
    clip_id: str
    platform: PlatformName
    social_account_id: str | None
    metadata: Metadata = Field(validation_alias="order")
    state: State
    status: Status = Field(description="The state in the words of the publish log.")
    simulated: bool | None = Field(description="Whether the simulator got it; null before it began.")
    external_post_id: str | None
    external_url: str | None
    error_code: str | None
    error_message: str | None
    note: str | None = Field(description="What to know although nothing is wrong, or why it waits.")
    attempt: int = Field(description="How often it was begun, from 1.")
    sent_bytes: int = Field(description="Bytes that the platform has confirmed.")
    total_bytes: int = Field(description="Bytes in all; 0 when the platform fetches them itself.")
    scheduled_at: datetime
    slot_at: datetime | None = Field(description="The slot of its account that it takes.")
    start_by: datetime | None = Field(description="Until when it may begin; afterwards it is skipped or asks, as `if_missed` says.")
    if_missed: Literal["skip", "ask"] | None
    requested_at: datetime
    started_at: datetime | None
    first_byte_at: datetime | None = Field(description="When the first byte of its media left for the platform.")
    accepted_at: datetime | None = Field(description="When the platform had all that it wanted.")
    published_at: datetime | None
    next_action_at: datetime | None = Field(description="When it is looked at next; null when it is final or waits for a person.")
    irreversible_at: datetime | None = Field(description="Since when it may become visible whatever is done; it can be cancelled before.")
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, publication: Publication) -> Self:
        """The row as the interface shows it."""
        plain = {name: getattr(publication, name) for name in cls.model_fields if name not in {"metadata", "status"}}
        return cls.model_validate({**plain, "order": publication.order, "status": STATUS[State(publication.state)]})


class PublicationPage(BaseModel):
    """Some publications, newest first."""

    publications: list[PublicationOut]
    next: str | None = Field(description="Pass as `before` for the page after this one; null on the last page.")


class ProblemOut(BaseModel):
    """Something that stands between a request and its publication."""

    model_config = ConfigDict(from_attributes=True)

    field: str
    code: str
    sentence: str
    blocking: bool = Field(description="False for a warning: it is published all the same.")
    fittable: bool = Field(description="It is the file's form alone, which `auto_fit` mends.")


class PreflightAnswer(BaseModel):
    """What publishing would run into."""

    ok: bool = Field(description="Nothing blocks it.")
    problems: list[ProblemOut]

    @classmethod
    def of(cls, problems: list[Problem]) -> Self:
        """The problems, and whether any of them blocks."""
        blocked = any(problem.blocking for problem in problems)
        return cls(ok=not blocked, problems=[ProblemOut.model_validate(problem) for problem in problems])

    @classmethod
    def blocked(cls, place: str, error: InvalidRequest) -> Self:
        """One problem that leaves nothing else to check."""
        return cls.of([Problem(place, error.code, str(error))])


class LimitOut(BaseModel):
    """One limit."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    per: Literal["account", "app"] = Field(description="Whose requests count together.")
    window_s: float
    total: int
    used: int
    left: int
    free_at: datetime | None = Field(description="When there is room again, if there is none now and we know it.")
    source: Literal["platform", "our count"]
    enforced: bool = Field(description="False: only the platform knows the real number, ours is an estimate and holds nothing back.")


class QuotaOut(BaseModel):
    """The limits of one account."""

    model_config = ConfigDict(from_attributes=True)

    limits: list[LimitOut]
    simulated: bool
    not_asked: str | None = Field(description="Why the platform's own numbers are missing.")


class DecisionIn(BaseModel):
    """What a person found when they looked for an uncertain post."""

    model_config = ConfigDict(extra="forbid")

    is_live: StrictBool = Field(description="True: it is published. False: it certainly is not, and starts over.")
    external_url: str | None = Field(default=None, max_length=500, pattern=r"^https?://\S+$", description="Where it is, if it is live.")


class LedgerEventOut(BaseModel):
    """Something that happened, for ever."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    stream: str = Field(description="The events of one stream form a chain: each hash covers the one before it.")
    sequence: int
    event: str
    entity_type: str
    entity_id: str
    occurred_at: datetime
    metadata: dict[str, Any] = Field(validation_alias="details")
    previous_hash: str
    hash: str

    @classmethod
    def of(cls, event: LedgerEvent) -> Self:
        """The row as the interface shows it."""
        return cls.model_validate(event)


class LedgerPage(BaseModel):
    """Some events, newest first."""

    events: list[LedgerEventOut]
    next: str | None = Field(description="Pass as `before` for the page after this one; null on the last page.")


class BrokenOut(BaseModel):
    """One thing in the ledger that is not as it was written."""

    model_config = ConfigDict(from_attributes=True)

    stream: str
    sequence: int
    sentence: str


class LedgerVerification(BaseModel):
    """Whether the ledger is as it was written."""

    ok: bool
    broken: list[BrokenOut]

    @classmethod
    def of(cls, broken: list[Broken]) -> Self:
        """The findings."""
        return cls(ok=not broken, broken=[BrokenOut.model_validate(each) for each in broken])
