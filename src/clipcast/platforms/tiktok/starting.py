"""From nothing to init: check the URLs that TikTok will fetch, ask what the creator may do, then create the post."""

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from clipcast.errors import IllegalTransition, PlatformError, ProtocolError, Rejected, Unavailable
from clipcast.platforms.base import Answer, Media, Order, Send, Step, Wait
from clipcast.platforms.tiktok import answers, preflight
from clipcast.platforms.tiktok.endpoints import Endpoints, init_label
from clipcast.platforms.tiktok.errors import Meaning, error
from clipcast.platforms.tiktok.limits import CREATOR_INFO_FRESH, POLL_STEPS_S, SEARCH_STEPS_S
from clipcast.platforms.tiktok.posting import init_body, is_inbox, is_pull
from clipcast.platforms.tiktok.states import Creator, Processing, Requested, Starting, Uploading, seconds


def next_step(state: Starting, now: datetime, endpoints: Endpoints, chunk_bytes: int) -> Step:
    """The next of: waiting out a full cap, checking a URL, asking about the creator, init.

    By URL, init is the point of no return: what is saved meanwhile only ever looks for the post. With our own bytes it is harmless, so a
    lost answer simply asks again: without bytes the first publish_id can never become a post.
    """
    order = state.post.order
    if state.hold_until and now < state.hold_until:
        return Wait(state.hold_until, state.hold_reason)
    if is_pull(order) and state.checked_urls < len(order.media):
        return Send(endpoints.media_url(order.media[state.checked_urls]), "url.check", replace(state, asking="url"))
    if not is_inbox(order) and not _is_fresh(state.creator, now):
        return Send(endpoints.creator_info(), "creator_info", replace(state, asking="creator"))
    request = endpoints.init(order, init_body(order, state.creator, chunk_bytes))
    if is_pull(order):
        meanwhile = Requested(post=state.post, sent_at=now, next_at=now + seconds(SEARCH_STEPS_S[0]))
        return Send(request, init_label(order), meanwhile, irreversible=True)
    return Send(request, init_label(order), replace(state, asking="init"))


def received(state: Starting, answer: Answer, now: datetime, endpoints: Endpoints, chunk_bytes: int) -> Starting | Uploading:
    """The state after the answer to what was asked; raises a `PlatformError` where it is not a yes."""
    match state.asking:
        case "url":
            _must_be_reachable(answer, state.post.order.media[state.checked_urls])
            return replace(state, asking="", checked_urls=state.checked_urls + 1)
        case "creator":
            return _knowing_creator(state, answer, now)
        case "init":
            return _upload_created(state, answer, now, endpoints, chunk_bytes)
        case "":
            raise IllegalTransition("An answer came although nothing was asked (TikTok flow, starting).")
        case _:
            assert_never(state.asking)


def created_by_url(state: Requested, answer: Answer, now: datetime) -> Processing:
    """The state after TikTok accepted to fetch and post."""
    created = answers.accepted(answer, answers.Created)
    return Processing(post=state.post, publish_id=created.publish_id, since=now, next_at=now + seconds(POLL_STEPS_S[0]))


def _is_fresh(creator: Creator | None, now: datetime) -> bool:
    return creator is not None and now - creator.asked_at <= CREATOR_INFO_FRESH


def _knowing_creator(state: Starting, answer: Answer, now: datetime) -> Starting:
    creator = answers.creator(answer, now)
    _must_suit(state.post.order, creator, answer)
    post = replace(state.post, username=creator.username or state.post.username)
    return replace(state, post=post, asking="", creator=creator)


def _must_suit(order: Order, creator: Creator, answer: Answer) -> None:
    """Stop here, with every sentence at once, what the creator's own limits rule out."""
    blocking = [problem for problem in preflight.creator_problems(order, creator) if problem.blocking]
    if blocking:
        sentences = " ".join(problem.sentence for problem in blocking)
        raise error(Meaning(Rejected, sentences), answer, blocking[0].code)


def _upload_created(state: Starting, answer: Answer, now: datetime, endpoints: Endpoints, chunk_bytes: int) -> Uploading:
    created = answers.accepted(answer, answers.Created)
    if not endpoints.may_upload_to(created.upload_url):
        meaning = Meaning(ProtocolError, "TikTok's answer names no upload address on one of its own hosts, so nothing was sent there.")
        raise error(meaning, answer, "upload_url_refused")
    return Uploading(
        post=state.post,
        publish_id=created.publish_id,
        upload_url=created.upload_url,
        issued_at=now,
        chunk_bytes=chunk_bytes,
    )


def _must_be_reachable(answer: Answer, media: Media) -> None:
    """Our own public URL must serve the media as TikTok wants it: 200, no redirect, the right type and size.

    Source: https://developers.tiktok.com/doc/content-posting-api-media-transfer-guide (read 2026-09-11)
    """
    wrong = _unreachable(answer, media)
    if wrong:
        kind: type[PlatformError] = Unavailable if answer.status >= 500 else Rejected
        sentence = (
            f"The public address of this clip {wrong}; check that PUBLIC_URL leads to this Clipcast from the internet, directly and "
            "over https."
        )
        raise error(Meaning(kind, sentence), answer, "media_url_unreachable")


def _unreachable(answer: Answer, media: Media) -> str:
    """What is wrong with the answer of our own URL, as the rest of a sentence; empty when nothing is."""
    content_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    size = answer.headers.get("content-length", "").strip()
    if 300 <= answer.status < 400:
        return f"redirects (HTTP {answer.status}), and TikTok follows no redirects"
    if answer.status != 200:
        return f"answered HTTP {answer.status} instead of the file"
    if content_type != media.content_type:
        return f"serves {content_type or 'no content type'} instead of {media.content_type}"
    if size != str(media.size_bytes):
        return f"announces {size or 'no'} bytes instead of {media.size_bytes}"
    return ""
