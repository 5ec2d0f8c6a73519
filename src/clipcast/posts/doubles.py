"""The same to the same account within a day of each other: probably a mistake, unless the request says that it is meant.

Compared is when posts go out, not when somebody asked for them. A draft goes out at no time, so it counts from its release on.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from clipcast.clips import store as clips
from clipcast.db.turns import take_turn
from clipcast.errors import PossibleDuplicate
from clipcast.posts import store
from clipcast.publications.models import Publication
from clipcast.publications.publishing import PublishRequest
from clipcast.publications.states import SUCCESS


@dataclass(frozen=True, slots=True)
class Going:
    """What is to go out: where to, what, and when; without an account, to the simulator of that platform."""

    platform: str
    account_id: str | None
    username: str
    content_sha256: str
    at: datetime


def content_sha256(session: Session, request: PublishRequest) -> str:
    """What makes two posts the same in the eyes of those who see them: the media's bytes and the caption."""
    media = [clips.get_clip(session, clip_id).sha256 for clip_id in request.metadata.clip_ids or [request.clip_id]]
    return hashlib.sha256(json.dumps([media, request.metadata.caption, sorted(request.metadata.hashtags)]).encode()).hexdigest()


def take_turns(session: Session, contents: Iterable[str]) -> None:
    """Keep others with the same content waiting, or neither of two requests at once would see what the other writes.

    To be called before accounts are locked: whoever has its turn writes rows that need them.
    """
    for content in sorted(set(contents)):
        take_turn(session, f"post {content}")


def sentence(session: Session, going: Going, now: datetime, *, besides: str | None = None) -> str | None:
    """What is the same there within a day, and how to say that it is meant; None where there is nothing. `besides`: a post left out."""
    double = store.double_of(session, going.platform, going.account_id, going.content_sha256, at=going.at, now=now, besides=besides)
    if double is None:
        return None
    return (
        f"A post of the same media and caption to {going.platform} {going.username or 'without an account'} {_when(double, now)}, within a "
        f"day of this one (publication {double.id}). To post it again, send allow_duplicate: true."
    )


def refuse(session: Session, all_going: Sequence[Going], now: datetime, *, besides: str | None = None) -> None:
    """Raises PossibleDuplicate for the first of them that has a double."""
    for going in all_going:
        if (found := sentence(session, going, now, besides=besides)) is not None:
            raise PossibleDuplicate(found)


def _when(double: Publication, now: datetime) -> str:
    if double.state in SUCCESS:
        return f"was published at {double.published_at or double.scheduled_at:%Y-%m-%d %H:%M} UTC"
    if double.scheduled_at > now:
        return f"is scheduled for {double.scheduled_at:%Y-%m-%d %H:%M} UTC"
    return f"is on its way since {double.scheduled_at:%Y-%m-%d %H:%M} UTC"
