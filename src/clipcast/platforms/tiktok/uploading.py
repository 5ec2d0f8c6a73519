"""Sending a video in chunks. TikTok's word, never our own count, says how far we are; after a lost answer we ask before we send."""

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from clipcast.errors import IllegalTransition, Rejected
from clipcast.platforms.base import Answer, Send, Stage, Step, Wait
from clipcast.platforms.tiktok import answers, polling, starting
from clipcast.platforms.tiktok.chunks import ChunkPlan, plan_chunks
from clipcast.platforms.tiktok.endpoints import Endpoints
from clipcast.platforms.tiktok.errors import upload_refusal
from clipcast.platforms.tiktok.limits import MAX_RESYNCS, POLL_STEPS_S, UPLOAD_URL_DEAD, UPLOAD_URL_USABLE
from clipcast.platforms.tiktok.states import Finished, Processing, Starting, TikTokState, Uploading, seconds, started_over

_LONGEST_PAUSE_S = 60
_RECEIVED = (200, 201, 206)
_URL_REFUSED = (401, 403, 404)


def next_step(state: Uploading, now: datetime, endpoints: Endpoints, chunk_bytes: int) -> Step:
    """Ask about what is in doubt, else send the next chunk, unless its URL may die on the way and nothing is lost by a new init.

    Raises:
        Rejected: the upload had to start over too often.
    """
    if state.asking:
        return Send(endpoints.status(state.publish_id), "status", replace(state, asking="status"))
    if not state.last_in_doubt and now > state.issued_at + UPLOAD_URL_USABLE:
        return starting.next_step(started_over(state.post, state.publish_id), now, endpoints, chunk_bytes)
    if state.resume_at and now < state.resume_at:
        return Wait(state.resume_at, "the last chunk did not get through; it is sent again")
    plan = plan_of(state)
    is_last = state.stored_chunks == plan.count - 1
    request = endpoints.chunk(state.upload_url, state.post.order.media[0], plan.part(state.stored_chunks))
    meanwhile = replace(state, asking="chunk", last_in_doubt=state.last_in_doubt + is_last)
    return Send(request, "upload.chunk", meanwhile, irreversible=is_last)


def received(state: Uploading, answer: Answer, now: datetime) -> TikTokState:
    """The state after the upload host's answer to a chunk, or TikTok's to the question how far it is."""
    match state.asking:
        case "chunk":
            return _chunk_answered(state, answer, now)
        case "status":
            return _status_answered(state, answer, now)
        case "":
            raise IllegalTransition("An answer came although nothing was asked (TikTok flow, uploading).")
        case _:
            assert_never(state.asking)


def stage(state: Uploading) -> Stage:
    """Uploading, until we have to ask whether the last byte arrived."""
    return Stage.UNCERTAIN if state.asking == "status" and state.last_in_doubt else Stage.UPLOADING


def stored_bytes(state: Uploading) -> int:
    """How many bytes TikTok has confirmed."""
    return plan_of(state).part(state.stored_chunks).start


def plan_of(state: Uploading) -> ChunkPlan:
    """How this upload is cut."""
    return plan_chunks(state.post.order.media[0].size_bytes, state.chunk_bytes)


def _chunk_answered(state: Uploading, answer: Answer, now: datetime) -> TikTokState:
    """Source: https://developers.tiktok.com/doc/content-posting-api-media-transfer-guide (read 2026-09-11), but for 200 and 401."""
    plan = plan_of(state)
    named = plan.chunks_named(answer.headers.get("content-range"))
    if answer.status in _RECEIVED:
        return _stored(state, answer.status, named, now)
    if answer.status not in (*_URL_REFUSED, 416):
        raise upload_refusal(answer)
    # This sending was refused, so it is no longer in doubt; an earlier one may still be.
    refused = replace(state, last_in_doubt=state.last_in_doubt - (state.stored_chunks == plan.count - 1), resyncs=state.resyncs + 1)
    if answer.status == 416:
        return replace(refused, asking="status") if named is None else _resumed(refused, named, now)
    if refused.last_in_doubt:
        return replace(refused, asking="status")
    return started_over(state.post, state.publish_id)


def _stored(state: Uploading, http_status: int, named: int | None, now: datetime) -> TikTokState:
    """After 2xx: where the reply says we are; without a word, one chunk further."""
    plan = plan_of(state)
    chunks = state.stored_chunks + 1 if named is None else named
    if http_status == 206 and named is None and chunks == plan.count:
        return replace(state, asking="status")  # "more expected" after the last byte: ask what is missing
    if chunks > state.stored_chunks:
        return _resumed(state, chunks, now)
    return _resumed(replace(state, resyncs=state.resyncs + 1), chunks, now)


def _status_answered(state: Uploading, answer: Answer, now: datetime) -> TikTokState:
    """After asking how far TikTok is: go on there, however the post has fared meanwhile.

    Without an answer that names bytes the same chunk is sent again, which is harmless: it is the same upload.
    """
    try:
        said = answers.accepted(answer, answers.Status)
    except Rejected as error:
        if error.platform_code != "invalid_publish_id":  # too early, or too late: the upload host will say which
            raise
        return _resumed(state, state.stored_chunks, now)
    settled = polling.settled(state.post, state.publish_id, said, answer, now)
    if isinstance(settled, Starting | Finished):
        return settled
    if said.uploaded_bytes is None:
        return _resumed(state, state.stored_chunks, now)
    missing = said.uploaded_bytes < plan_of(state).size_bytes
    if missing and state.last_in_doubt and now > state.issued_at + UPLOAD_URL_DEAD:
        return started_over(state.post, state.publish_id)
    return _resumed(state, plan_of(state).whole_chunks(said.uploaded_bytes), now)


def _resumed(state: Uploading, chunks: int, now: datetime) -> TikTokState:
    """Go on after `chunks` stored chunks: to processing when that is all, with growing pauses when it is no progress."""
    if chunks >= plan_of(state).count:
        return _handed_over(state, now, proven=True)
    if chunks > state.stored_chunks:
        return replace(state, asking="", stored_chunks=chunks, setbacks=0, resyncs=0, resume_at=None)
    if state.resyncs > MAX_RESYNCS or (state.last_in_doubt and now > state.issued_at + UPLOAD_URL_DEAD):
        return _handed_over(state, now, proven=False) if state.last_in_doubt else started_over(state.post, state.publish_id)
    pause_s = min(2**state.setbacks - 1, _LONGEST_PAUSE_S)
    return replace(state, asking="", stored_chunks=chunks, setbacks=state.setbacks + 1, resume_at=now + seconds(pause_s))


def _handed_over(state: Uploading, now: datetime, *, proven: bool) -> Processing:
    """TikTok has every byte, or may have: from here on we only ask."""
    return Processing(
        post=state.post,
        publish_id=state.publish_id,
        since=now,
        next_at=now + seconds(POLL_STEPS_S[0]),
        unproven_until=None if proven else state.issued_at + UPLOAD_URL_DEAD,
    )
