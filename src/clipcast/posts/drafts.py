"""Drafts: posts that hold back all that they ask for until somebody releases them.

A draft has no publications, so there is nothing that a worker, a limit, a calendar or a count could mistake for work.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError
from sqlalchemy import delete
from sqlalchemy.orm import Session

from clipcast.clips import store as clips
from clipcast.errors import InvalidRequest
from clipcast.posts import store
from clipcast.posts.models import Post
from clipcast.posts.schemas import PostChange, PostIn, TargetIn
from clipcast.publications import missed
from clipcast.publications.models import DraftTarget

_REPLACED: Final = ("clip_ids", "caption", "title", "hashtags", "auto_fit", "timezone", "if_missed", "targets")
_TIMELESS: Final = {"when": "draft", "scheduled_at": None, "fold": 0}


def hold(session: Session, post: Post, wanted: PostIn, now: datetime) -> None:
    """Keep what the draft asks for now; its targets must be pinned to accounts, where there are any.

    Raises:
        NotFound: one of its clips is unknown.
    """
    clips.get_clips(session, wanted.clip_ids)
    post.caption, post.title, post.hashtags = wanted.caption, wanted.title, list(wanted.hashtags)
    post.options = {platform: dict(options) for platform, options in wanted.options.items()}
    post.timezone, post.updated_at = wanted.timezone, now
    post.if_missed = (wanted.if_missed or missed.DEFAULT).model_dump()
    post.draft = wanted.model_dump(mode="json", exclude_unset=True) | _TIMELESS
    store.add(session, post, wanted.clip_ids)
    _forget_accounts(session, post)
    accounts = {target.account_id for target in wanted.targets if target.account_id is not None}
    session.add_all(DraftTarget(post_id=post.id, account_id=account_id) for account_id in sorted(accounts))
    session.flush()


def held(post: Post) -> PostIn:
    """What the draft asks for."""
    return PostIn.model_validate(post.draft)


def changed(asked: PostIn, change: PostChange, platforms: Sequence[str]) -> PostIn:
    """What the draft asks for after this change; `platforms` are those of its targets, in their order.

    New options of a platform win over those that its targets have, unless new targets come with them.

    Raises:
        InvalidRequest: the parts do not fit together.
    """
    fields: dict[str, Any] = {name: getattr(change, name) for name in _REPLACED if getattr(change, name) is not None}
    options = dict(asked.options)
    for platform, own in (change.options or {}).items():
        options[platform] = options.get(platform, {}) | own
    if change.targets is None and change.options:
        fields["targets"] = [_overlaid(target, change, platform) for target, platform in zip(asked.targets, platforms, strict=True)]
    return _validated(asked.model_copy(update={**fields, "options": options}))


def released(asked: PostIn, change: PostChange) -> PostIn:
    """What the draft becomes when it goes out at the time of this change.

    Raises:
        InvalidRequest: that time cannot be used.
    """
    when = "next_slot" if change.when == "next_slot" else None
    times = {"when": when, "scheduled_at": change.scheduled_at, "fold": change.fold}
    return _validated(asked.model_copy(update={**times, "allow_duplicate": asked.allow_duplicate or change.allow_duplicate}))


def let_go(session: Session, post: Post) -> None:
    """The draft was released: its publications say from now on what it asks for."""
    post.draft = None
    _forget_accounts(session, post)


def discard(session: Session, post: Post, now: datetime) -> None:
    """Throw the draft away; what it asked for can still be read, and nothing of it is ever published."""
    post.cancelled_at = post.updated_at = now
    _forget_accounts(session, post)


def _overlaid(target: TargetIn, change: PostChange, platform: str) -> TargetIn:
    own = (change.options or {}).get(platform)  # type: ignore[call-overload]  # a name outside the literal has no options
    return target.model_copy(update={"options": target.options | own}) if own else target


def _validated(wanted: PostIn) -> PostIn:
    """Copies are not looked at by themselves."""
    try:
        return PostIn.model_validate({name: getattr(wanted, name) for name in wanted.model_fields_set})
    except ValidationError as error:
        raise InvalidRequest(" ".join(f"{problem['msg'].removeprefix('Value error, ')}." for problem in error.errors())) from None


def _forget_accounts(session: Session, post: Post) -> None:
    session.execute(delete(DraftTarget).where(DraftTarget.post_id == post.id))
