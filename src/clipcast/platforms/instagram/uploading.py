"""Sending a video's bytes. Instagram's word, never our own count, says how far we are; after a lost answer we ask before we send."""

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from clipcast.errors import IllegalTransition, PlatformError
from clipcast.platforms.base import Answer, Media, Send, Step, Wait
from clipcast.platforms.instagram import answers, creating
from clipcast.platforms.instagram.endpoints import Endpoints
from clipcast.platforms.instagram.errors import error, final, is_for_the_owner, upload_meaning
from clipcast.platforms.instagram.limits import CONTAINER_USABLE, LONGEST_UPLOAD_PAUSE_S, MAX_SETBACKS, POLL_STEPS_S
from clipcast.platforms.instagram.renewing import failed, renewed
from clipcast.platforms.instagram.states import Creating, InstagramState, Processing, Uploading, seconds, started_over

_COMPLETE = ("complete", "completed")


def next_step(state: Uploading, now: datetime, endpoints: Endpoints) -> Step:
    """Ask how far the upload is where that is in doubt, else send what is missing; not to a container that is about to expire.

    Raises:
        Rejected: containers expired too often.
    """
    if now - state.created_at >= CONTAINER_USABLE:
        return creating.next_step(started_over(state.post, state.container_id, state.items), now, endpoints)
    if state.resume_at and now < state.resume_at:
        return Wait(state.resume_at, "the upload to Instagram did not get through; it goes on where Instagram stands")
    if state.asking:
        request = endpoints.container(state.post.order, state.container_id, with_bytes=True)
        return Send(request, "upload.offset", replace(state, asking="offset", resume_at=None))
    request = endpoints.upload(state.uri, video_of(state), state.confirmed_bytes)
    return Send(request, "upload.bytes", replace(state, asking="bytes", resume_at=None))


def received(state: Uploading, answer: Answer, now: datetime) -> InstagramState:
    """The state after the upload host's answer, or after the answer to the question how far it is."""
    match state.asking:
        case "bytes":
            return _bytes_answered(state, answer, now)
        case "offset":
            return _offset_answered(state, answer, now)
        case "":
            raise IllegalTransition("An answer came although nothing was asked (Instagram flow, uploading).")
        case _:
            assert_never(state.asking)


def video_of(state: Uploading) -> Media:
    """The file that is being sent."""
    return state.post.order.media[len(state.items)]


def _bytes_answered(state: Uploading, answer: Answer, now: datetime) -> InstagramState:
    """All there, or go on where Instagram stands, or another container: only `retriable` trouble is worth the same one.

    Source: .../content-publishing/resumable-uploads (page of 2026-03-15)
    """
    body = answer.json()
    if answer.status == 200 and isinstance(body, dict) and body.get("success") is True:
        return _handed_over(state, now)
    meaning = upload_meaning(answer)
    if meaning is None:
        return replace(state, asking="offset")
    if not meaning.renewals:
        raise error(meaning, answer)
    if state.post.failures >= meaning.renewals and not state.post.forgiving:
        raise final(meaning, answer)
    return renewed(state.post, state.container_id, state.items, meaning.sentence, now)


def _offset_answered(state: Uploading, answer: Answer, now: datetime) -> InstagramState:
    """After asking how far Instagram is: go on there. Only `video_status` is trusted; the rest of the page's sample contradicts itself."""
    try:
        said = answers.accepted(answer, answers.Container)
    except PlatformError as trouble:
        if is_for_the_owner(trouble):
            raise
        return _stalled(state, now)
    phase, size = said.video_status.uploading_phase, video_of(state).size_bytes
    if said.status_code == "ERROR" or phase.status == "error":
        return failed(state.post, state.container_id, state.items, status=said.status, answer=answer, now=now)
    if said.status_code == "EXPIRED":
        return started_over(state.post, state.container_id, state.items)
    stored = state.confirmed_bytes if phase.bytes_transferred is None else phase.bytes_transferred
    if phase.status in _COMPLETE or stored >= size or (not phase.status and said.status_code == "FINISHED"):
        return _handed_over(state, now)
    if stored > state.confirmed_bytes:
        return replace(state, asking="", confirmed_bytes=stored, setbacks=0)
    return _stalled(replace(state, asking="", confirmed_bytes=max(stored, 0)), now)


def _stalled(state: Uploading, now: datetime) -> Uploading | Creating:
    """No progress: after a growing pause once more, and after hours of that with another container."""
    if state.setbacks >= MAX_SETBACKS:
        return started_over(state.post, state.container_id, state.items)
    pause_s = min(2**state.setbacks, LONGEST_UPLOAD_PAUSE_S)
    return replace(state, setbacks=state.setbacks + 1, resume_at=now + seconds(pause_s))


def _handed_over(state: Uploading, now: datetime) -> Processing:
    """Instagram has every byte: from here on we only ask."""
    return Processing(
        post=state.post,
        items=state.items,
        container_id=state.container_id,
        created_at=state.created_at,
        since=now,
        next_at=now + seconds(POLL_STEPS_S[0]),
    )
