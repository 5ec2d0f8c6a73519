"""From nothing to an upload session: ask which channel this is, then hand over the metadata."""

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from clipcast.errors import IllegalTransition, ProtocolError, ReconnectRequired, Rejected, Throttled
from clipcast.platforms.base import Answer, Order, Send, Step
from clipcast.platforms.youtube import answers, errors, preflight
from clipcast.platforms.youtube.endpoints import Endpoints
from clipcast.platforms.youtube.limits import LONG_WAIT_S, PUBLISH_MARGIN
from clipcast.platforms.youtube.posting import Insertion, as_sent, insertion
from clipcast.platforms.youtube.reasons import Meaning
from clipcast.platforms.youtube.states import Channel, Starting, Uploading, session_name


def next_step(state: Starting, now: datetime, endpoints: Endpoints) -> Step:
    """The next of: asking about the channel, opening a session.

    A session without bytes is nothing, so a lost answer simply asks again.

    Raises:
        Rejected: the options are not usable, or the time to go public is too close or has passed.
    """
    if not state.asked:
        return Send(endpoints.channel(), "channels.list", replace(state, asking="channel"))
    new = insertion(state.post.order)
    _must_be_early_enough(new, now)
    return Send(endpoints.session(state.post.order.media[0], new), "videos.insert", replace(state, asking="session"))


def received(state: Starting, answer: Answer, now: datetime, endpoints: Endpoints, chunk_bytes: int) -> Starting | Uploading:
    """The state after the answer to what was asked; raises a `PlatformError` where it is not a yes."""
    match state.asking:
        case "channel":
            return _knowing_channel(state, answer, now)
        case "session":
            return _session_opened(state, answer, now, endpoints, chunk_bytes)
        case "":
            raise IllegalTransition("An answer came although nothing was asked (YouTube flow, starting).")
        case _:
            assert_never(state.asking)


def _knowing_channel(state: Starting, answer: Answer, now: datetime) -> Starting:
    """The state with the channel known. A day's full quota for questions is no reason not to publish: uploads have one of their own."""
    try:
        channel = answers.channel(answer, now)
    except Throttled as error:
        if error.retry_after_s <= LONG_WAIT_S:
            raise
        return replace(state, asking="", asked=True)
    if channel is None:
        raise errors.error(Meaning(Rejected, preflight.NO_CHANNEL), answer, "no_channel", now)
    _must_suit(state.post.order, channel, answer, now)
    return replace(state, post=replace(state.post, channel=channel), asking="", asked=True)


def _must_suit(order: Order, channel: Channel, answer: Answer, now: datetime) -> None:
    """Stop here what would land on another channel than the account's, and what the channel's own limits rule out."""
    blocking = [problem for problem in preflight.channel_problems(order, channel) if problem.blocking]
    if not blocking:
        return
    kind = ReconnectRequired if any(problem.code == preflight.OTHER_CHANNEL for problem in blocking) else Rejected
    raise errors.error(Meaning(kind, " ".join(problem.sentence for problem in blocking)), answer, blocking[0].code, now)


def _must_be_early_enough(new: Insertion, now: datetime) -> None:
    if new.publish_at is not None and new.publish_at < now + PUBLISH_MARGIN:
        raise Rejected(
            sentence=f"The video was to go public at {as_sent(new.publish_at)}, which is less than five minutes ahead or past by now; "
            "choose a later publish_at, or publish without it.",
            platform="youtube",
            platform_code="publish_at_too_early",
        )


def _session_opened(state: Starting, answer: Answer, now: datetime, endpoints: Endpoints, chunk_bytes: int) -> Uploading:
    """Source: https://developers.google.com/youtube/v3/guides/using_resumable_upload_protocol (mirror, read 2026-11-20)."""
    if answer.status not in (200, 201):
        raise errors.refusal(answer, now)
    uri = endpoints.session_uri(answer.headers.get("location", ""), endpoints.upload_url)
    if uri is None:
        meaning = Meaning(
            ProtocolError, "YouTube's answer names no upload address on one of Google's own hosts, so nothing was sent there."
        )
        raise errors.error(meaning, answer, "session_uri_refused", now)
    return Uploading(post=state.post, session=session_name(uri), session_uri=uri, since=now, chunk_bytes=chunk_bytes)
