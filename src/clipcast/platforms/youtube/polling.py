"""Asking YouTube how a video is doing, until it is processed, failed, or has taken so long that we stop waiting, not the video."""

from dataclasses import replace
from datetime import datetime

from clipcast.errors import PlatformError, ReconnectRequired, Throttled, TokenExpired
from clipcast.platforms.base import Answer, Send, Step, Undecidable, Wait
from clipcast.platforms.youtube import answers, errors, finished, limits, reasons
from clipcast.platforms.youtube.endpoints import Endpoints
from clipcast.platforms.youtube.fate import failed_because, has_failed
from clipcast.platforms.youtube.states import Finished, Post, Processing, Starting, seconds, started_over


def begun(post: Post, video: answers.Video, now: datetime) -> Processing:
    """The state once YouTube has the whole video: its id is what must not be lost any more."""
    next_at = now + seconds(limits.FIRST_POLL_S)
    return Processing(post=post, video_id=video.id, since=now, next_at=next_at, privacy=video.status.privacy)


def next_step(state: Processing, now: datetime, endpoints: Endpoints) -> Step:
    """Ask when the time has come."""
    if state.verdict:
        return Undecidable(state.verdict)
    if now < state.next_at:
        return Wait(state.next_at, state.trouble or "YouTube is processing the video")
    return Send(endpoints.status(state.video_id), "videos.list", state)


def received(state: Processing, answer: Answer, now: datetime) -> Processing | Starting | Finished:
    """The state after the answer.

    Raises:
        PlatformError: the video failed, or the account cannot be asked. Trouble with asking never means that the video failed.
    """
    try:
        video = answers.videos(answer, now).get(state.video_id)
    except (TokenExpired, ReconnectRequired):
        raise
    except PlatformError as error:
        return _asked_in_vain(state, error, now)
    if video is None:
        return _not_listed(state, now)
    if has_failed(video):
        return _failed(state, video, answer, now)
    told = replace(state, privacy=video.status.privacy, trouble="")
    if _is_ready(state, video, now):
        return finished.published(told, video, now)
    return _still_processing(told, video, now)


def _is_ready(state: Processing, video: answers.Video, now: datetime) -> bool:
    """Processed; and with a cover to set also through with it, as far as YouTube says, because a Short's cover may be lost otherwise."""
    if video.status.upload_status != "processed":
        return False
    waits_for_cover = state.post.order.cover is not None and video.processing.status == "processing"
    return not waits_for_cover or now - state.since >= limits.PROCESSING_PATIENCE


def _failed(state: Processing, video: answers.Video, answer: Answer, now: datetime) -> Starting:
    """A new session where that can help: after a broken transfer, or because a person asked for another try."""
    code, sentence = failed_because(video)
    if state.post.forgiving or (code == "uploadAborted" and state.post.restarts < limits.MAX_RESTARTS):
        return started_over(state.post, superseded=state.video_id)
    raise errors.failure(code, sentence, answer, now)


def _still_processing(state: Processing, video: answers.Video, now: datetime) -> Processing | Finished:
    age = now - state.since
    if video.processing.status != "failed":
        return finished.still_processing(state, video, now) if age >= limits.PROCESSING_PATIENCE else _later(state, now)
    why = reasons.PROCESSING_FAILURES.get(video.processing.failure_reason, reasons.PROCESSING_FAILURES["other"])
    trouble = f"YouTube's processing of the video failed ({why})"
    if age < limits.FAILING_PATIENCE:  # its own status will say so in a moment, with a better reason
        return _later(state, now, trouble=trouble)
    return replace(
        state, trouble=trouble, verdict=f"{trouble}, but YouTube has not given the video up. {_look(state, 'if it does not play there')}"
    )


def _not_listed(state: Processing, now: datetime) -> Processing:
    """Normal for some minutes after the upload; later the video was deleted, or something is wrong."""
    if now - state.since < limits.UNLISTED_PATIENCE:
        return _later(state, now)
    gone = f"YouTube took the video as {state.video_id} and does not list it: it was deleted, or is not shown yet."
    return replace(state, verdict=f"{gone} {_look(state, 'if it is not there')}")


def _asked_in_vain(state: Processing, error: PlatformError, now: datetime) -> Processing | Finished:
    """YouTube's trouble with our question says nothing about the video, whose upload is complete."""
    if now - state.since >= limits.PROCESSING_PATIENCE:
        return finished.still_processing(replace(state, trouble=error.sentence), None, now)
    asked = _later(state, now, trouble=error.sentence)
    if isinstance(error, Throttled):
        return replace(asked, next_at=max(asked.next_at, now + seconds(error.retry_after_s)))
    return asked


def _later(state: Processing, now: datetime, *, trouble: str = "") -> Processing:
    pause_s = min(limits.FIRST_POLL_S * 2 ** min(state.polls + 1, 10), limits.LONGEST_POLL_S)
    return replace(state, polls=state.polls + 1, next_at=now + seconds(pause_s), trouble=trouble)


def _look(state: Processing, otherwise: str) -> str:
    return f"Look for {state.video_id} in YouTube Studio: if it is fine, mark it as published; {otherwise}, publish it again."
