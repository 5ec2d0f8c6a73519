"""A post that Instagram has published; its id may have to be found, and its link may come later, or never."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from clipcast.errors import PlatformError
from clipcast.platforms.base import Answer, Done, Order, Send, Step
from clipcast.platforms.instagram import answers, limits
from clipcast.platforms.instagram.endpoints import Endpoints
from clipcast.platforms.instagram.posting import as_listed, caption_of, kind_of, listed_types
from clipcast.platforms.instagram.states import Finished, Post, seconds

_PENDING: Final = "Published. Instagram's link to the post is still being looked up."
_NO_LINK: Final = "Published, but Instagram has not given a link; the account's profile shows the post."
_AMBIGUOUS: Final = "Published, but several of the account's posts look the same, so which one it is cannot be told; the profile shows it."


def published(
    post: Post, container_id: str, now: datetime, *, sent_at: datetime, external_id: str | None = None, external_url: str | None = None
) -> Finished:
    """It is live. What is not known yet, the id or the link, is asked for at once."""
    look = None if external_id and external_url else now
    return Finished(
        post=post,
        container_id=container_id,
        since=now,
        sent_at=sent_at,
        external_id=external_id,
        external_url=external_url,
        look_again_at=look,
        note=_PENDING if look else "",
    )


def matches(posts: answers.MediaList, order: Order, sent_at: datetime) -> list[answers.Media]:
    """Those of the account's posts that can only be this one: not older than the request, with its kind and exactly its caption.

    The newest post is not good enough: it may be another one. A field that Instagram does not show counts against a match, but for
    `media_product_type`, which only some logins show.
    """
    earliest, caption = (sent_at - limits.MATCH_SLACK).replace(microsecond=0), as_listed(caption_of(order))
    media_types, product_type = listed_types(order)
    return [
        media
        for media in posts.data
        if media.id
        and media.timestamp is not None
        and media.timestamp >= earliest
        and media.media_type in media_types
        and media.media_product_type in ("", product_type)
        and (kind_of(order) == "story" or as_listed(media.caption) == caption)
    ]


def next_step(state: Finished, now: datetime, endpoints: Endpoints) -> Step:
    """Look for what is missing when it is time to, else done.

    The first look is part of publishing and must not hold it up: where the network does not even let it leave, it comes later.
    """
    done = Done("published", state.external_id, state.external_url, state.note, state.look_again_at)
    if state.look_again_at is None or now < state.look_again_at:
        return done
    late = seconds(limits.LINK_STEPS_S[-1])
    if not state.looks and limits.LINK_FIRST < now - state.since < late:
        return replace(done, look_again_at=state.since + late)
    looking = _looking(state, now)
    if state.external_id is None:
        return Send(endpoints.newest(state.post.order), "media.list", looking)
    return Send(endpoints.media(state.post.order, state.external_id), "permalink", looking)


def received(state: Finished, answer: Answer, now: datetime) -> Finished:
    """The state after a look. It is published either way: nothing Instagram says now, or fails to say, changes that."""
    del now
    if state.external_id is None:
        return _listed(state, answer)
    try:
        url = answers.accepted(answer, answers.Media).permalink
    except PlatformError:
        return state
    return replace(state, external_url=url, note="", look_again_at=None) if url else state


def hurried(state: Finished, now: datetime) -> Finished:
    """Look now, if there is anything left to learn."""
    return state if state.external_url else replace(state, look_again_at=now)


def _listed(state: Finished, answer: Answer) -> Finished:
    try:
        found = matches(answers.accepted(answer, answers.MediaList), state.post.order, state.sent_at)
    except PlatformError:
        return state
    if len(found) > 1:
        return replace(state, note=_AMBIGUOUS, look_again_at=None)
    if not found:
        return state
    known = replace(state, external_id=found[0].id, external_url=found[0].permalink or None)
    return replace(known, note="", look_again_at=None) if known.external_url else known


def _looking(state: Finished, now: datetime) -> Finished:
    """What is saved before a look, so that a lost answer costs a link for some time and nothing else."""
    looks = state.looks + 1
    if now - state.since >= limits.LINK_PATIENCE:
        return replace(state, looks=looks, look_again_at=None, note=_NO_LINK)
    pause_s = limits.LINK_STEPS_S[looks - 1] if looks <= len(limits.LINK_STEPS_S) else limits.LINK_SLOW_S
    return replace(state, looks=looks, look_again_at=now + seconds(pause_s))
