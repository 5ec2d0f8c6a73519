"""What became of an account's token when it was looked after."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeAlias

Result: TypeAlias = Literal[
    "refreshed",
    "not_needed",
    "someone_else",
    "retry_later",
    "misconfigured",
    "cannot_be_renewed",
    "scope_lost",
    "reconnect_needed",
]
"""`refreshed`: a new token is stored (in a dry run: it would be asked for). `not_needed`: it lives long enough. `someone_else`: another
thread, process or machine is at it. `retry_later`: trouble that passes; the account keeps its state. `misconfigured`: the platform does
not accept our app, or a key is missing; no account is to blame. `cannot_be_renewed`: it lives, and the platform has no renewal for it.
`scope_lost`: renewed, but not for everything that publishing needs. `reconnect_needed`: only its owner can bring it back.
"""

NEEDS_OWNER: Final[frozenset[Result]] = frozenset({"scope_lost", "reconnect_needed"})


SENTENCES: Final[Mapping[Result, str]] = {
    "refreshed": "A new token is stored.",
    "scope_lost": "A new token is stored, but not for all that publishing needs: connect the account again and allow it.",
    "not_needed": "Its token is good for long enough.",
    "someone_else": "Another worker is refreshing it right now.",
    "cannot_be_renewed": "The platform has no renewal for its token, which works until it ends.",
}
"""What to say where nothing more is known."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one account. `sentence` is for a person; `again_at` says when it is tried again, where that is known.

    `befalls_all`: the trouble is the platform's or our app's, so that every other account there would meet it too.
    """

    account_id: str
    platform: str
    username: str
    result: Result
    sentence: str
    expires_at: datetime | None = None
    again_at: datetime | None = None
    befalls_all: bool = False

    @property
    def needs_owner(self) -> bool:
        """Whether its owner has to connect it again."""
        return self.result in NEEDS_OWNER


@dataclass(frozen=True, slots=True)
class Report:
    """What became of all that were looked at. `left_alone`: platforms with so much trouble that the rest of their accounts waits."""

    outcomes: tuple[Outcome, ...]
    dry_run: bool = False
    left_alone: tuple[str, ...] = ()
    links_dropped: int = 0

    @property
    def counts(self) -> Mapping[str, int]:
        """How many of each result."""
        return Counter[str](outcome.result for outcome in self.outcomes)

    @property
    def needs_owner(self) -> bool:
        """Whether any account has to be connected again by its owner."""
        return any(outcome.needs_owner for outcome in self.outcomes)

    @property
    def again_at(self) -> datetime | None:
        """When the first of those that failed is due again."""
        return min((outcome.again_at for outcome in self.outcomes if outcome.again_at is not None), default=None)
