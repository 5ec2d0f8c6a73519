"""Sending the video in chunks. YouTube's word, never our own count, says how far we are; after a lost answer we ask before we send."""

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from clipcast.errors import IllegalTransition, ProtocolError, Throttled
from clipcast.platforms.base import Answer, Send, Stage, Step, Wait
from clipcast.platforms.youtube import answers, errors, limits, polling, searching
from clipcast.platforms.youtube.chunks import next_part, persisted_bytes
from clipcast.platforms.youtube.endpoints import Endpoints
from clipcast.platforms.youtube.reasons import Meaning
from clipcast.platforms.youtube.states import Processing, Searching, Starting, Uploading, seconds, started_over

_GONE = (404, 410)
_TROUBLE = (408, 500, 502, 503, 504)


def next_step(state: Uploading, now: datetime, endpoints: Endpoints) -> Step:
    """Ask about what is in doubt, else send the next chunk. The one with the last byte creates the video."""
    if state.resume_at and now < state.resume_at:
        return Wait(state.resume_at, "YouTube wants a pause in the upload")
    video = state.post.order.media[0]
    if state.asking or state.stored_bytes >= video.size_bytes:
        return Send(endpoints.offset(state.session_uri, video.size_bytes), "upload.offset", replace(state, asking="offset", resume_at=None))
    part = next_part(state.stored_bytes, video.size_bytes, state.chunk_bytes)
    is_last = part.stop == video.size_bytes
    meanwhile = replace(state, asking="chunk", last_sent=state.last_sent or is_last, resume_at=None)
    return Send(endpoints.chunk(state.session_uri, video, part), "upload.chunk", meanwhile, irreversible=is_last)


def received(state: Uploading, answer: Answer, now: datetime, endpoints: Endpoints) -> Uploading | Processing | Searching | Starting:
    """The state after the answer to a chunk, or to the question how far the session is."""
    if not state.asking:
        raise IllegalTransition("An answer came although nothing was asked (YouTube flow, uploading).")
    match answer.status:
        case 200 | 201:
            return _complete(state, answer, now)
        case 308:
            return _incomplete(state, answer, now, endpoints)
        case status if status in _GONE:
            return _gone(state, now)
    match state.asking:
        case "chunk":
            return _chunk_unanswered(state, answer, now)
        case "offset":
            raise errors.refusal(answer, now)
        case _:
            assert_never(state.asking)


def stage(state: Uploading) -> Stage:
    """Uploading, until we have to ask whether the last byte arrived."""
    return Stage.UNCERTAIN if state.asking == "offset" and state.last_sent else Stage.UPLOADING


def _complete(state: Uploading, answer: Answer, now: datetime) -> Uploading | Processing | Searching | Starting:
    """YouTube has the whole video. An answer without its id is asked for again: the session repeats its last one."""
    video = answers.created_video(answer)
    if video is None:
        return _set_back(replace(state, asking="offset", last_sent=True), now)
    return polling.begun(state.post, video, now)


def _incomplete(state: Uploading, answer: Answer, now: datetime, endpoints: Endpoints) -> Uploading | Searching | Starting:
    """Go on after what YouTube has stored; under the new URI where it names one.

    A chunk's answer without `Range` would mean that nothing at all is stored: that is asked for before everything is sent again.
    """
    moved, pause_s = _moved(state, answer, now, endpoints), errors.retry_after_s(answer) or 0.0
    stored_bytes = persisted_bytes(answer.headers.get("range"))
    if stored_bytes is None and state.asking == "chunk":
        return replace(moved, asking="offset", resume_at=now + seconds(pause_s) if pause_s else None)
    stored_bytes = stored_bytes or 0
    if stored_bytes > state.post.size_bytes:
        raise errors.unreadable(answer, now)
    complete = stored_bytes == state.post.size_bytes
    # With every byte there and no last answer yet, the video may exist: all that is left is to ask for that answer.
    placed = replace(moved, asking="offset" if complete else "", stored_bytes=stored_bytes, last_sent=moved.last_sent or complete)
    if stored_bytes <= state.furthest_bytes:
        return _set_back(placed, now, pause_s)
    pause_s = max(pause_s, 1.0) if complete else pause_s
    resume_at = now + seconds(pause_s) if pause_s else None
    return replace(placed, furthest_bytes=stored_bytes, setbacks=0, refusals=0, resume_at=resume_at)


def _moved(state: Uploading, answer: Answer, now: datetime, endpoints: Endpoints) -> Uploading:
    location = answer.headers.get("location")
    if location is None:
        return state
    uri = endpoints.session_uri(location, state.session_uri)
    if uri is None:
        meaning = Meaning(ProtocolError, "YouTube moved the upload to an address that is not one of Google's own; nothing was sent there.")
        raise errors.error(meaning, answer, "session_uri_refused", now)
    return replace(state, session_uri=uri)


def _chunk_unanswered(state: Uploading, answer: Answer, now: datetime) -> Uploading | Searching | Starting:
    """Anything else after a chunk says nothing certain about its bytes, so the next thing is to ask; also with a token that has expired.

    Source: https://developers.google.com/youtube/v3/guides/using_resumable_upload_protocol (mirror, read 2026-11-20); the status after
    overlapping or missing bytes is not documented.
    """
    error, pause_s = errors.refusal(answer, now), errors.retry_after_s(answer)
    asking = replace(state, asking="offset")
    if answer.status in _TROUBLE and pause_s:
        return _set_back(asking, now, pause_s)
    if answer.status in _TROUBLE:
        raise errors.trouble(answer, now)
    if isinstance(error, Throttled):
        return _set_back(asking, now, error.retry_after_s)
    if state.refusals >= limits.MAX_REFUSALS:
        raise errors.upload_refusal(answer, now)
    return replace(asking, refusals=state.refusals + 1)


def _set_back(state: Uploading, now: datetime, pause_s: float = 0.0) -> Uploading | Searching | Starting:
    """Another answer without progress: a longer pause, and in the end another session."""
    if state.setbacks >= limits.MAX_SETBACKS:
        return _gone(state, now)
    growing_s = min(2**state.setbacks - 1, limits.LONGEST_PAUSE_S)
    return replace(state, setbacks=state.setbacks + 1, resume_at=now + seconds(max(growing_s, pause_s)))


def _gone(state: Uploading, now: datetime) -> Searching | Starting:
    """The session is over. Once the last byte has left us it may have ended in a video: then we look, and do not begin again."""
    if not state.last_sent:
        return started_over(state.post)
    return searching.begun(state, now)
