"""A post that TikTok has published, or delivered to its creator's inbox; its public id may come later, or never."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from clipcast.errors import PlatformError, TokenExpired
from clipcast.platforms.base import Answer, Done, Send, Step
from clipcast.platforms.tiktok import answers, limits
from clipcast.platforms.tiktok.endpoints import Endpoints
from clipcast.platforms.tiktok.posting import is_inbox, is_photos, is_public
from clipcast.platforms.tiktok.states import Finished, Post, seconds

_PENDING = "Published. TikTok gives the link once its moderation is through, usually within a minute, sometimes after hours."
_NO_LINK = "Published. TikTok gives no link for posts that not everyone can see."
_NEVER = "Published, but TikTok has not given a link; the creator's profile shows the post."
_INBOX = "Delivered to the creator's TikTok inbox as a draft; the creator finishes and posts it in the TikTok app."


def published(post: Post, publish_id: str, ids: Sequence[str], now: datetime) -> Finished:
    """TikTok says that it is posted; `ids` holds the public ids it gives, none before moderation or for posts not everyone sees.

    Source: https://developers.tiktok.com/doc/content-posting-api-reference-get-video-status (undated copy)
    """
    over = Finished(post=post, publish_id=publish_id, outcome="published", since=now)
    if ids:
        note = f"The creator made {len(ids)} posts of this draft; this is the first." if len(ids) > 1 else ""
        return replace(over, external_id=ids[0], external_url=permalink(post, ids[0]), note=note)
    if is_public(post.order) or is_inbox(post.order):  # a draft's privacy is its creator's choice, unknown to us
        return _looking_again(replace(over, note=_PENDING), now)
    return replace(over, note=_NO_LINK)


def delivered(post: Post, publish_id: str, now: datetime) -> Finished:
    """TikTok says that the creator has the draft; they may still post it."""
    return _looking_again(Finished(post=post, publish_id=publish_id, outcome="inbox", since=now, note=_INBOX), now)


def permalink(post: Post, external_id: str) -> str | None:
    """The post's address, as far as the creator's name is known. A wrong one would answer 200 all the same, so none is guessed."""
    username = post.username.removeprefix("@")
    return f"https://www.tiktok.com/@{username}/{'photo' if is_photos(post.order) else 'video'}/{external_id}" if username else None


def next_step(state: Finished, now: datetime, endpoints: Endpoints) -> Step:
    """Ask once more when it is time to, else done."""
    if state.look_again_at and now >= state.look_again_at:
        return Send(endpoints.status(state.publish_id), "status", state)
    return Done(state.outcome, state.external_id, state.external_url, state.note, state.look_again_at)


def received(state: Finished, answer: Answer, now: datetime) -> Finished:
    """The state after asking once more. It is done either way: nothing TikTok says now turns success into failure.

    Raises:
        TokenExpired: the access token has to be renewed first.
    """
    try:
        said = answers.accepted(answer, answers.Status)
    except TokenExpired:
        raise
    except PlatformError:
        return _looking_again(state, now)
    if said.status == "PUBLISH_COMPLETE" and (said.publicaly_available_post_id or state.outcome == "inbox"):
        return published(state.post, state.publish_id, said.publicaly_available_post_id, now)
    if said.status == "FAILED":
        return replace(state, look_again_at=None, note=f"{state.note} TikTok says by now: FAILED {said.fail_reason}.".replace(" .", "."))
    return _looking_again(state, now)


def hurried(state: Finished, now: datetime) -> Finished:
    """Look now, if there is anything left to learn."""
    nothing_to_learn = state.external_id is not None or not state.publish_id
    return state if nothing_to_learn else replace(state, look_again_at=now)


def _looking_again(state: Finished, now: datetime) -> Finished:
    """A link soon, then hourly; a draft's fate hourly; neither after a day."""
    age = now - state.since
    if state.note == _NO_LINK:
        return replace(state, look_again_at=None)
    if age >= limits.LINK_PATIENCE:
        return replace(state, look_again_at=None, note=_NEVER if state.outcome == "published" else state.note)
    fast = state.outcome == "published" and age < limits.LINK_FAST_FOR
    return replace(state, look_again_at=now + seconds(limits.LINK_FAST_S if fast else limits.LINK_SLOW_S))
