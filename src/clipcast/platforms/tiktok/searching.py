"""After an init by URL whose answer got lost: TikTok may be fetching and will publish, so we only look for the post."""

from dataclasses import replace
from datetime import datetime

from clipcast.errors import PlatformError, ReconnectRequired, Rejected, Throttled, TokenExpired
from clipcast.platforms.base import Answer, Send, Stage, Step, Undecidable, Wait
from clipcast.platforms.tiktok import answers, limits, starting
from clipcast.platforms.tiktok.endpoints import Endpoints
from clipcast.platforms.tiktok.finished import permalink
from clipcast.platforms.tiktok.posting import as_listed, is_inbox, is_public, listed_captions
from clipcast.platforms.tiktok.states import Finished, Processing, Requested, seconds


def next_step(state: Requested, now: datetime, endpoints: Endpoints) -> Step:
    """Look among the creator's public posts, a few times; what cannot show up there only a person can find."""
    if not is_public(state.post.order):
        return Undecidable(_unlisted(state))
    if state.verdict:
        return Undecidable(state.verdict)
    if now < state.next_at:
        return Wait(state.next_at, "TikTok's answer got lost; the post is looked for on the creator's profile")
    return Send(endpoints.newest_posts(), "video.list", replace(state, asking="list"))


def received(state: Requested, answer: Answer, now: datetime) -> Requested | Processing | Finished:
    """The state after init's answer, or after a look at the creator's posts; raises a `PlatformError` where it is not a yes."""
    if state.asking == "init":
        return starting.created_by_url(state, answer, now)
    try:
        posts = answers.accepted(answer, answers.ListedPosts)
    except TokenExpired:
        raise
    except (ReconnectRequired, Rejected) as error:  # the permission to list is not needed to post: no reason to fail the account
        return replace(state, verdict=f"{_lost(state)} and its list of posts cannot be read ({error.platform_code}). {_look(state)}")
    except PlatformError as error:
        return _looked_in_vain(state, error, now)
    return _looked(state, [post for post in posts.videos if _matches(post, state)], now)


def stage(state: Requested) -> Stage:
    """Uploading while init's answer may still come, uncertain once we look."""
    return Stage.UNCERTAIN if state.asking == "list" or state.verdict else Stage.UPLOADING


def _matches(post: answers.ListedPost, state: Requested) -> bool:
    """Listed captions are cut at 150 characters; a post from before the request, but for clocks that differ, is another one."""
    caption = as_listed(post.video_description or post.title)
    earliest = (state.sent_at - limits.SEARCH_SLACK).timestamp()
    return post.create_time >= earliest and caption in listed_captions(state.post.order)


def _looked(state: Requested, found: list[answers.ListedPost], now: datetime) -> Requested | Finished:
    if len(found) == 1:
        url = found[0].share_url or permalink(state.post, found[0].id)
        return Finished(post=state.post, publish_id="", outcome="published", since=now, external_id=found[0].id, external_url=url)
    if found:
        return replace(
            state, verdict=f"{_lost(state)} and the profile shows {len(found)} posts with this caption since then. {_look(state)}"
        )
    looks = min(state.looks + 1, len(limits.SEARCH_STEPS_S) - 1)
    if now - state.sent_at >= limits.SEARCH_USUAL:
        return replace(
            state, looks=looks, unanswered=0, verdict=f"{_lost(state)} and the post has not shown up on the profile. {_look(state)}"
        )
    return replace(state, looks=looks, unanswered=0, next_at=now + seconds(limits.SEARCH_STEPS_S[looks]))


def _looked_in_vain(state: Requested, error: PlatformError, now: datetime) -> Requested:
    """TikTok's trouble with listing says nothing about the post: look again, for a day, or for some looks if we were away that long."""
    unanswered = state.unanswered + 1
    if now - state.sent_at >= limits.SEARCH_PATIENCE and unanswered >= limits.UNANSWERED_LAST_QUESTIONS:
        return replace(state, verdict=f"{_lost(state)} and its list of posts could not be read for a day. {_look(state)}")
    pause_s = error.retry_after_s if isinstance(error, Throttled) else limits.SEARCH_STEPS_S[state.looks]
    return replace(state, unanswered=unanswered, next_at=now + seconds(pause_s))


def _lost(state: Requested) -> str:
    return f"TikTok never answered the request of {state.sent_at:%Y-%m-%d %H:%M} UTC to publish this,"


def _look(state: Requested) -> str:
    caption = as_listed(state.post.order.caption or state.post.order.title)
    named = f"with the caption “{caption[:60]}”" if caption else "without a caption"
    whose = f"@{state.post.username.removeprefix('@')}'s" if state.post.username else "the creator's"
    return f"Look on {whose} profile for a post {named}: if it is there, mark it as published; if it is not, publish it again."


def _unlisted(state: Requested) -> str:
    if not is_inbox(state.post.order):
        return f"{_lost(state)} and posts that not everyone can see cannot be looked up. {_look(state)}"
    return (
        f"{_lost(state)} and drafts cannot be looked up. Look in the inbox of the creator's TikTok app for a notification of about that "
        "time: if it is there, mark it as delivered; if it is not, publish again."
    )
