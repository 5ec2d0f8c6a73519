"""Asking TikTok how a post is doing, until it is published, failed, or has taken so long that a person must look."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from clipcast.errors import PlatformError, ReconnectRequired, Rejected, Throttled, TokenExpired, Unavailable, Withdrawn
from clipcast.platforms.base import Answer, Send, Stage, Step, Undecidable, Wait
from clipcast.platforms.tiktok import answers, finished, limits
from clipcast.platforms.tiktok.endpoints import Endpoints
from clipcast.platforms.tiktok.errors import FAIL_REASONS, Meaning, failure
from clipcast.platforms.tiktok.posting import is_pull, upload_bytes
from clipcast.platforms.tiktok.states import Finished, Post, Processing, Starting, seconds, started_over

_CANCELLED: Final = Meaning(Withdrawn, "TikTok confirms that this post was cancelled before it was published.")


def next_step(state: Processing, now: datetime, endpoints: Endpoints) -> Step:
    """Cancel if that was asked for, else ask for the status when its time has come."""
    if state.cancel == "due":
        return Send(endpoints.cancel(state.publish_id), "cancel", replace(state, cancel="sent"))
    if state.verdict:
        return Undecidable(state.verdict)
    if now < state.next_at:
        return Wait(state.next_at, state.trouble or "TikTok is processing the post")
    asking = replace(state, cancel="answered") if state.cancel else state
    return Send(endpoints.status(state.publish_id), "status", asking)


def received(state: Processing, answer: Answer, now: datetime) -> Processing | Starting | Finished:
    """The state after the answer to a cancellation or to the question for the status.

    Raises:
        PlatformError: the post failed, or the account cannot be asked. Trouble with asking never means that the post failed.
    """
    if state.cancel == "sent":
        return _cancellation_answered(state, answer, now)
    try:
        said = answers.accepted(answer, answers.Status)
    except (TokenExpired, ReconnectRequired):
        raise
    except PlatformError as error:
        return _asked_in_vain(state, error, now)
    over = settled(state.post, state.publish_id, said, answer, now, withdrawn=bool(state.cancel))
    return over or _still_processing(state, said, now)


def stage(state: Processing) -> Stage:
    """Processing, until it takes too long or it is in doubt whether the last byte arrived."""
    return Stage.UNCERTAIN if state.overdue or state.unproven_until else Stage.PROCESSING


def cancelling(state: Processing) -> Processing | None:
    """The state that asks TikTok not to publish: only a post that TikTok fetches itself can be stopped.

    Source: https://developers.tiktok.com/doc/content-posting-api-reference-get-video-status (undated copy): best effort, meant for
    slow downloads.
    """
    return replace(state, cancel="due") if is_pull(state.post.order) else None


def settled(
    post: Post, publish_id: str, said: answers.Status, answer: Answer, now: datetime, *, withdrawn: bool = False
) -> Starting | Finished | None:
    """What follows from a final status; None while TikTok is still at it (an unknown status counts as that).

    `withdrawn`: we asked TikTok to cancel this post.

    Raises:
        PlatformError: the post failed and no new init can help.
    """
    match said.status:
        case "FAILED":
            return _failed(post, publish_id, said.fail_reason, answer, now, withdrawn=withdrawn)
        case "PUBLISH_COMPLETE":
            return finished.published(post, publish_id, said.publicaly_available_post_id, now)
        case "SEND_TO_USER_INBOX":
            return finished.delivered(post, publish_id, now)
        case _:
            return None


def _failed(post: Post, publish_id: str, reason: str, answer: Answer, now: datetime, *, withdrawn: bool) -> Starting:
    """A new init where TikTok's reason lets one help: its word that this publish_id failed makes that safe."""
    if withdrawn and reason == "publish_cancelled":
        raise failure(reason, answer, _CANCELLED)
    error = failure(reason, answer)
    if post.forgiving:
        return started_over(post, publish_id)
    if isinstance(error, Throttled) and post.cap_waits < limits.MAX_CAP_WAITS:
        waiting = replace(post, cap_waits=post.cap_waits + 1, restarts=post.restarts - 1)  # a full cap is no fault of the upload
        return started_over(waiting, publish_id, wait_until=now + seconds(error.retry_after_s), why=error.sentence)
    if isinstance(error, Unavailable) and post.restarts < limits.MAX_RESTARTS_AFTER_FAILURE:
        pause = seconds(limits.RESTART_WAIT_S * 2**post.restarts)
        return started_over(post, publish_id, wait_until=now + pause, why=error.sentence)
    if isinstance(error, Throttled | Unavailable):  # tried often enough: what passes by itself has not passed
        raise failure(reason, answer, Meaning(Rejected, FAIL_REASONS[reason].sentence))
    raise error


def _still_processing(state: Processing, said: answers.Status, now: datetime) -> Processing | Starting:
    state = replace(state, unanswered=0)
    size, stored = upload_bytes(state.post.order), said.uploaded_bytes
    if state.unproven_until and stored is not None:
        if stored >= size:
            return _later(replace(state, unproven_until=None), now, trouble="")
        if now > state.unproven_until:
            return started_over(state.post, state.publish_id)
    return _later(state, now, trouble="")


def _asked_in_vain(state: Processing, error: PlatformError, now: datetime) -> Processing:
    """Ask again later. Just after init TikTok may not know the publish_id yet; if it forgets it later, something is wrong."""
    age = now - state.since
    if error.platform_code == "invalid_publish_id":
        if age <= limits.EARLY_UNKNOWN_ID:
            return replace(state, next_at=now + seconds(limits.EARLY_POLL_S))
        return _later(replace(state, overdue=True, unanswered=0), now, trouble=error.sentence)
    asked = _later(replace(state, unanswered=state.unanswered + 1), now, trouble=error.sentence)
    if isinstance(error, Throttled):
        return replace(asked, next_at=max(asked.next_at, now + seconds(error.retry_after_s)))
    return asked


def _later(state: Processing, now: datetime, *, trouble: str) -> Processing:
    """Ask again after the next pause; after a day, not any more, unless TikTok only failed to answer (we may have been away that long)."""
    age = now - state.since
    overdue = state.overdue or age >= limits.PROCESSING_USUAL
    answered = state.unanswered == 0
    if age >= limits.PROCESSING_PATIENCE and (answered or state.unanswered >= limits.UNANSWERED_LAST_QUESTIONS):
        return replace(state, overdue=True, trouble=trouble, verdict=_verdict(state, age, trouble))
    pause_s = limits.POLL_SLOW_S if overdue else _pause_s(state.polls + 1)
    return replace(state, polls=state.polls + 1, next_at=now + seconds(pause_s), overdue=overdue, trouble=trouble)


def _pause_s(polls: int) -> int:
    return limits.POLL_STEPS_S[polls] if polls < len(limits.POLL_STEPS_S) else limits.POLL_STEADY_S


def _verdict(state: Processing, age: timedelta, trouble: str) -> str:
    hours = age.total_seconds() / 3600
    return (
        f"TikTok took the post (publish_id {state.publish_id}) {hours:.0f} hours ago and has not said since whether it was published"
        f"{' (' + trouble.rstrip('.') + ')' if trouble else ''}. Look at the account in the TikTok app: if the post is there, mark it as "
        "published; if not, publish it again."
    )


def _cancellation_answered(state: Processing, answer: Answer, now: datetime) -> Processing:
    """Whatever TikTok says to a cancellation, only the status shows whether it worked; it may also come too late.

    Raises:
        PlatformError: it was not heard at all (token, rate limit), so it is due again.
    """
    asked = replace(state, cancel="answered", next_at=now, verdict="")
    try:
        answers.must_be_yes(answer)
    except (TokenExpired, ReconnectRequired, Throttled):
        raise
    except PlatformError as error:
        return replace(asked, trouble=error.sentence)
    return asked
