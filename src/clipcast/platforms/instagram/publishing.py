"""The container is ready: see that the daily limit has room, that nothing is in doubt, then publish."""

from dataclasses import replace
from datetime import datetime

from clipcast.errors import PlatformError, Throttled, Unavailable
from clipcast.platforms.base import Answer, Send, Step, Wait
from clipcast.platforms.instagram import answers, daily, doubting, limits
from clipcast.platforms.instagram.endpoints import Endpoints
from clipcast.platforms.instagram.errors import is_for_the_owner
from clipcast.platforms.instagram.states import InDoubt, Ready, seconds


def next_step(state: Ready, now: datetime, endpoints: Endpoints) -> Step:
    """The next of: waiting for a free place, asking for one, looking at a container that may be published or old, `media_publish`."""
    if state.hold_until and now < state.hold_until:
        return Wait(state.hold_until, state.hold_reason)
    order = state.post.order
    if not state.room_seen_at or now - state.room_seen_at > limits.LIMIT_FRESH:
        return Send(endpoints.limit(order), "limit", replace(state, asking="limit", hold_until=None))
    if _needs_proof(state, now):
        return doubting.next_step(_in_doubt(state, now), now, endpoints)
    return Send(endpoints.publish(order, state.container_id), "media.publish", _publishing(state, now), irreversible=True)


def received(state: Ready, answer: Answer, now: datetime) -> Ready:
    """The state after the answer about the daily limit. An answer that tells nothing is no reason to wait: Instagram enforces it itself.

    Raises:
        PlatformError: the account cannot be asked (now), or the limit has been full for two days.
    """
    try:
        said = answers.accepted(answer, answers.Limits)
    except PlatformError as error:
        if is_for_the_owner(error) or isinstance(error, Unavailable | Throttled):
            raise
        return replace(state, asking="", room_seen_at=now)
    total = limits.ASSUMED_POSTS_PER_DAY if said.total is None else said.total
    if said.used is None or said.used < total:
        return replace(state, asking="", room_seen_at=now)
    why = f"this Instagram account has used {said.used} of its {total} posts of the last 24 hours; it waits for the window to free"
    return replace(state, post=daily.waiting(state.post, now), asking="", hold_until=now + seconds(limits.LIMIT_WAIT_S), hold_reason=why)


def _needs_proof(state: Ready, now: datetime) -> bool:
    """Whether the container has to be looked at first: it was asked to be published before, or may have expired."""
    if state.proven_at and now - state.proven_at <= limits.PROOF_FRESH:
        return False
    return state.attempts.count > 0 or now - state.created_at >= limits.CONTAINER_USABLE


def _publishing(state: Ready, now: datetime) -> InDoubt:
    """What is saved before the request leaves: from here on only looking tells whether the post is live."""
    attempts = replace(state.attempts, count=state.attempts.count + 1, first_at=state.attempts.first_at or now, latest_at=now)
    return replace(_in_doubt(state, now), asking="publish", attempts=attempts)


def _in_doubt(state: Ready, now: datetime) -> InDoubt:
    return InDoubt(
        post=state.post, container_id=state.container_id, created_at=state.created_at, since=now, next_at=now, attempts=state.attempts
    )
