"""An account's secrets, as every platform sees them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Self

from clipcast.concealed import Concealed

_SEPARATORS: Final = re.compile(r"[,\s]+")
_LONGEST_LIFE_S: Final = 1e9


@dataclass(frozen=True, slots=True)
class Credentials:
    """An account's secrets, by the names of the platform's own documentation; printing them shows `***` for each."""

    values: Mapping[str, str]
    expires_at: datetime | None = None
    refresh_expires_at: datetime | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", Concealed(self.values))

    def get(self, name: str) -> str:
        """The value of that name, or an empty string."""
        return self.values.get(name, "")

    def having(self, **values: str) -> Self:
        """The same with these values, of which an empty one says nothing.

        >>> sorted(Credentials({"scope": "video.publish"}).having(open_id="_000", scope="").values.items())
        [('open_id', '_000'), ('scope', 'video.publish')]
        """
        return replace(self, values={**self.values, **{name: value for name, value in values.items() if value}})

    def renewed(self, new: Self) -> Self:
        """The same with new tokens. A refresh token that was not sent again is kept, and its end; the access token's is told anew."""
        kept = {**self.values, **new.values}
        return replace(new, values=kept, refresh_expires_at=new.refresh_expires_at or self.refresh_expires_at)

    @property
    def scopes(self) -> frozenset[str]:
        """What the owner allowed, as far as the platform said: `scope`, separated by commas (TikTok, Instagram) or spaces (Google).

        >>> sorted(Credentials({"scope": "video.publish,video.upload"}).scopes)
        ['video.publish', 'video.upload']
        """
        return frozenset(filter(None, _SEPARATORS.split(self.get("scope"))))


def end_of(life_s: object, now: datetime) -> datetime | None:
    """When a token dies that lives for so many seconds; None when the platform did not say, or no life that a token may have."""
    return now + timedelta(seconds=life_s) if isinstance(life_s, int | float) and 0 < life_s < _LONGEST_LIFE_S else None
