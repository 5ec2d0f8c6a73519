"""A video that YouTube has. Its cover is set now, and what is still to come (processing, going public) is looked at later."""

from dataclasses import replace
from datetime import datetime
from typing import Final, Literal, assert_never

from clipcast.errors import IllegalTransition, PlatformError, ReconnectRequired, Rejected, Throttled, TokenExpired
from clipcast.platforms.base import Answer, Done, Send, Step
from clipcast.platforms.youtube import answers, limits
from clipcast.platforms.youtube.endpoints import Endpoints
from clipcast.platforms.youtube.errors import refusal
from clipcast.platforms.youtube.fate import failed_because, has_failed
from clipcast.platforms.youtube.posting import Insertion, external_url, insertion
from clipcast.platforms.youtube.states import Finished, Processing, seconds

_STILL_PROCESSING: Final = "YouTube has the whole video and is still processing it; it can be watched once that is done."
_UNKNOWN: Final = "YouTube never answered"


def published(state: Processing, video: answers.Video, now: datetime) -> Finished:
    """The state once YouTube has processed the video."""
    over = Finished(
        post=state.post, video_id=state.video_id, since=state.since, cover="due" if state.post.order.cover else "", cover_at=now
    )
    return _seen(over, video, now)


def still_processing(state: Processing, video: answers.Video | None, now: datetime) -> Finished:
    """The state when we stop waiting: the video is there, and its cover comes once it is processed. Without `video` we could not ask."""
    cover: Literal["", "due"] = "due" if state.post.order.cover else ""
    over = Finished(post=state.post, video_id=state.video_id, since=state.since, processed=False, cover=cover)
    if video is not None:
        return _seen(over, video, now)
    notes = [_STILL_PROCESSING, *_visibility(insertion(state.post.order), state.privacy, kept_time=True, now=now), state.trouble]
    return _looking_again(replace(over, about=" ".join(notes).strip()), now)


def next_step(state: Finished, now: datetime, endpoints: Endpoints) -> Step:
    """Set the cover, or look once more, when it is time to; else done.

    The first try at the cover comes before the success is told, so that whoever waits for it leaves with everything done.
    """
    cover, cover_at = state.post.order.cover, _cover_due_at(state)
    if cover is not None and cover_at and now >= cover_at:
        retry_at = now + seconds(limits.COVER_RETRY_S)
        meanwhile = replace(state, asking="cover", cover_tries=state.cover_tries + 1, cover_at=retry_at)
        return Send(endpoints.cover(state.video_id, cover), "thumbnails.set", meanwhile)
    if state.look_again_at and now >= state.look_again_at:
        return Send(endpoints.status(state.video_id), "videos.list", replace(state, asking="video"))
    later = [moment for moment in (cover_at, state.look_again_at) if moment]
    url = external_url(state.post.order, state.video_id)
    note = " ".join(part for part in (state.about, _cover_note(state)) if part)
    return Done("published", state.video_id, url, note, min(later, default=None))


def received(state: Finished, answer: Answer, now: datetime) -> Finished:
    """The state after setting the cover or looking once more. It is done either way: nothing said now turns success into failure.

    Raises:
        TokenExpired: the access token has to be renewed first.
    """
    settled = replace(state, asking="")
    match state.asking:
        case "cover":
            return _cover_answered(settled, answer, now)
        case "video":
            return _looked(settled, answer, now)
        case "":
            raise IllegalTransition("An answer came although nothing was asked (YouTube flow, finished).")
        case _:
            assert_never(state.asking)


def hurried(state: Finished, now: datetime) -> Finished:
    """Look now, if there is anything left to learn."""
    return state if state.look_again_at is None else replace(state, look_again_at=now)


def again(state: Finished, now: datetime) -> Finished:
    """For a person who asks for another try although the video is there: done without the cover, if that is what stood in the way."""
    given_up = replace(state, cover="given up", cover_trouble=state.cover_trouble or _UNKNOWN) if state.cover == "due" else state
    return hurried(given_up, now)


def _seen(before: Finished, video: answers.Video, now: datetime) -> Finished:
    """What YouTube tells now: notes for people, the next look, and the cover once the video is processed."""
    new, status = insertion(before.post.order), video.status
    state = replace(before, processed=before.processed or status.upload_status == "processed")
    notes = [] if state.processed else [_STILL_PROCESSING]
    notes += _visibility(new, status.privacy, kept_time=status.publish_at is not None, now=now)
    if status.made_for_kids and not new.made_for_kids:
        notes.append("YouTube treats the video as made for kids although it was declared not to be.")
    cover_at = now if state.processed and not before.processed else state.cover_at
    return replace(state, about=" ".join(notes), look_again_at=_next_look(state, new, status.privacy, now), cover_at=cover_at)


def _looked(state: Finished, answer: Answer, now: datetime) -> Finished:
    try:
        video = answers.videos(answer, now).get(state.video_id)
    except TokenExpired:
        raise
    except PlatformError:
        return _looking_again(state, now)
    if video is None:
        return _over(state, "YouTube does not list the video any more; it was probably deleted.")
    if has_failed(video):
        return _over(state, f"By now: {failed_because(video)[1]}")
    return _seen(state, video, now)


def _visibility(new: Insertion, privacy: str, *, kept_time: bool, now: datetime) -> list[str]:
    """What there is to say about who can see it: when it goes public, or that YouTube decided otherwise."""
    if not privacy:
        return ["YouTube has not said yet who can see the video."]
    if new.publish_at is not None:
        return _scheduled(new.publish_at, privacy, kept_time=kept_time, now=now)
    wrong = f"YouTube set the privacy to {privacy} instead of {new.privacy}; change it in YouTube Studio."
    return [wrong] if privacy != new.privacy else []


def _scheduled(publish_at: datetime, privacy: str, *, kept_time: bool, now: datetime) -> list[str]:
    when = f"{publish_at:%Y-%m-%d %H:%M} {publish_at.tzname()}"
    if privacy == "public":
        return [] if now >= publish_at else [f"YouTube made the video public already, although it was to go public at {when}."]
    if privacy != "private":
        return [f"YouTube set the privacy to {privacy}, although the video was to go public at {when}; change it in YouTube Studio."]
    if now >= publish_at + limits.PUBLISH_GRACE:
        return [f"YouTube was to make the video public at {when} and has not; change it in YouTube Studio."]
    if not kept_time and now < publish_at:
        return [f"YouTube has not taken over the time {when} to go public, so the video stays private; set it in YouTube Studio."]
    return [f"Private until {when}; YouTube makes it public then."]


def _next_look(state: Finished, new: Insertion, privacy: str, now: datetime) -> datetime | None:
    """While it is processing, and around the time at which it was to go public."""
    looks = []
    if not state.processed and now - state.since < limits.LATE_PATIENCE:
        looks.append(now + seconds(limits.LATE_LOOK_S))
    if new.publish_at and privacy == "private" and now < new.publish_at + limits.PUBLISH_PATIENCE:
        due_at = new.publish_at + limits.PUBLISH_GRACE
        looks.append(due_at if now < due_at else now + seconds(limits.LATE_LOOK_S))
    return min(looks, default=None)


def _looking_again(state: Finished, now: datetime) -> Finished:
    """After a look in vain: in an hour, as long as there is something left to learn."""
    publish_at = insertion(state.post.order).publish_at
    end = max(state.since + limits.LATE_PATIENCE, publish_at + limits.PUBLISH_PATIENCE if publish_at else state.since)
    return replace(state, look_again_at=now + seconds(limits.LATE_LOOK_S) if now < end else None)


def _over(state: Finished, about: str) -> Finished:
    """The video came to grief after all: that is told, and nothing more is asked or set."""
    return replace(state, about=about, look_again_at=None, cover="")


def _cover_due_at(state: Finished) -> datetime | None:
    """When to try the cover next; None when there is nothing to set, not yet, or no more."""
    return state.cover_at if state.cover == "due" and state.processed and state.cover_tries < limits.MAX_COVER_TRIES else None


def _cover_answered(state: Finished, answer: Answer, now: datetime) -> Finished:
    """Source: https://developers.google.com/youtube/data/reference/rest/v3/thumbnails/set (read 2026-11-20)."""
    if answer.status in (200, 201):
        return replace(state, cover="set", cover_trouble="")
    error = refusal(answer, now)
    told_already = state.cover_tries > 1
    if isinstance(error, TokenExpired) and told_already:
        raise error
    troubled = replace(state, cover_trouble=error.sentence)
    if isinstance(error, Rejected | ReconnectRequired) and answer.status != 404:
        return replace(troubled, cover="given up")
    if isinstance(error, Throttled):
        return replace(troubled, cover_at=now + seconds(error.retry_after_s))
    return troubled


def _cover_note(state: Finished) -> str:
    why = f" ({state.cover_trouble.rstrip('.')})" if state.cover_trouble else ""
    match state.cover:
        case "due" if not state.processed or state.cover_tries < limits.MAX_COVER_TRIES:
            return f"The cover image is not set yet{why}; that is tried again."
        case "due" | "given up":
            return f"The cover image could not be set{why}; set it in YouTube Studio."
        case _:
            return ""
