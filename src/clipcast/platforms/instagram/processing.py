"""Asking Instagram how a container is doing until it is ready, failed or expired. Nothing of it is visible yet."""

from dataclasses import replace
from datetime import datetime

from clipcast.errors import PlatformError, Throttled
from clipcast.platforms.base import Answer, Send, Step, Wait
from clipcast.platforms.instagram import answers, finished, limits
from clipcast.platforms.instagram.endpoints import Endpoints
from clipcast.platforms.instagram.errors import is_for_the_owner, says_gone
from clipcast.platforms.instagram.posting import is_last, is_parent
from clipcast.platforms.instagram.renewing import failed
from clipcast.platforms.instagram.states import Creating, InstagramState, Item, Processing, Ready, seconds, started_over


def next_step(state: Processing, now: datetime, endpoints: Endpoints) -> Step:
    """Ask for the status when its time has come."""
    if now < state.next_at:
        return Wait(state.next_at, state.trouble or "Instagram is processing the media")
    return Send(endpoints.container(state.post.order, state.container_id), "container.status", state)


def received(state: Processing, answer: Answer, now: datetime) -> InstagramState:
    """The state after the answer; raises a `PlatformError` when the media failed for good or the account cannot be asked."""
    try:
        said = answers.accepted(answer, answers.Container)
    except PlatformError as error:
        if is_for_the_owner(error):
            raise
        return _asked_in_vain(state, error, answer, now)
    match said.status_code:
        case "FINISHED":
            return _ready(state)
        case "ERROR":
            return failed(state.post, state.container_id, _items_kept(state), status=said.status, answer=answer, now=now)
        case "EXPIRED":
            return started_over(state.post, state.container_id, _items_kept(state))
        case "PUBLISHED" if is_last(state.post.order, state.items):  # not by us; but what is live must never be published again
            return finished.published(state.post, state.container_id, now, sent_at=state.created_at)
        case _:
            return _later(replace(state, unread=0), now, trouble="")


def _ready(state: Processing) -> Creating | Ready:
    """On to the carousel's next container, or to publishing."""
    if is_last(state.post.order, state.items):
        return Ready(post=state.post, container_id=state.container_id, created_at=state.created_at)
    item = Item(container_id=state.container_id, created_at=state.created_at)
    return Creating(post=replace(state.post, forgiving=False), items=(*state.items, item))


def _items_kept(state: Processing) -> tuple[Item, ...]:
    """A child that failed is made anew alone; after a failed carousel nobody knows what became of its children."""
    return () if is_parent(state.post.order, state.items) else state.items


def _asked_in_vain(state: Processing, error: PlatformError, answer: Answer, now: datetime) -> Processing | Creating:
    """Ask again later. A container that stays unknown (right after its creation this happens) is replaced."""
    unread = state.unread + 1 if says_gone(answer) else state.unread
    if unread >= limits.UNREADABLE_LOOKS:
        return started_over(state.post, state.container_id, _items_kept(state))
    asked = _later(replace(state, unread=unread), now, trouble=error.sentence)
    if isinstance(asked, Processing) and isinstance(error, Throttled):
        return replace(asked, next_at=max(asked.next_at, now + seconds(error.retry_after_s)))
    return asked


def _later(state: Processing, now: datetime, *, trouble: str) -> Processing | Creating:
    """Ask again after the next pause, until the container's life is over: taking long is no failure."""
    if now - state.created_at >= limits.PROCESSING_PATIENCE:
        return started_over(state.post, state.container_id, _items_kept(state))
    pause_s = limits.POLL_SLOW_S if now - state.since >= limits.PROCESSING_USUAL else _pause_s(state.polls + 1)
    return replace(state, polls=state.polls + 1, next_at=now + seconds(pause_s), trouble=trouble)


def _pause_s(polls: int) -> int:
    return limits.POLL_STEPS_S[polls] if polls < len(limits.POLL_STEPS_S) else limits.POLL_STEADY_S
