"""What becomes of a post that could not begin around its hour, because nothing ran or something stood in the way.

The promise is written down with the publication: until when it may still begin (`start_by`), and what happens afterwards. It is looked at
before the first step alone: what has begun is carried to its end, however late that is.
"""

from datetime import datetime, timedelta
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Otherwise: TypeAlias = Literal["skip", "ask"]

A_MOMENT_S: Final = 300
"""How late "skip" and "ask" alone allow: a restart or a busy minute is no missed hour."""


class IfMissed(BaseModel):
    """Publish late within a while, and otherwise skip the post or ask a person."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    publish_late_within_s: int = Field(
        default=24 * 3600, ge=60, le=366 * 24 * 3600, description="How long after its time it may still begin, in seconds."
    )
    otherwise: Otherwise = Field(default="ask", description="After that: `skip` cancels it, `ask` leaves it to a person.")

    def start_by(self, due_at: datetime) -> datetime:
        """The last moment at which what is due then may begin."""
        return due_at + timedelta(seconds=self.publish_late_within_s)


def sentence(due_at: datetime, otherwise: str | None) -> str:
    """What a person should know of a publication whose hour went by."""
    missed = f"Its time, {due_at:%Y-%m-%d %H:%M} UTC, went by before it could begin"
    if otherwise == "skip":
        return f"{missed}, so it was skipped, as the post wanted."
    return f"{missed}. Publish it now (try it again by hand), give it a new time, or cancel it."


def _in_full(given: object) -> object:
    return {"publish_late_within_s": A_MOMENT_S, "otherwise": given} if isinstance(given, str) else given


Policy: TypeAlias = Annotated[
    IfMissed,
    BeforeValidator(_in_full, json_schema_input_type=IfMissed | Otherwise),
    Field(
        description=f"If it could not begin at its time; `skip` or `ask` alone allow {A_MOMENT_S // 60} minutes. Default: a day, then ask."
    ),
]

DEFAULT: Final = IfMissed()
"""A day late is often still right, a week late rarely: a person should say."""
