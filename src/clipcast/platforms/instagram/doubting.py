"""After `media_publish`: was it published? A yes says so; whatever else came, or did not come, the container is looked at.

PUBLISHED is certain, ERROR and EXPIRED are certainly not. FINISHED counts as "not published" when it is read twice, 30 s apart, and then
the same container is published again: a container cannot become two posts. What cannot be read is looked for among the account's posts.
"""

from dataclasses import replace
from datetime import datetime
from typing import Literal, assert_never

from clipcast.errors import IllegalTransition, PlatformError, Rejected, Throttled
from clipcast.platforms.base import Answer, Send, Stage, Step, Undecidable, Wait
from clipcast.platforms.instagram import answers, daily, finished, limits
from clipcast.platforms.instagram.endpoints import Endpoints
from clipcast.platforms.instagram.errors import is_for_the_owner, is_yes, meaning_of, refusal, unreadable, words
from clipcast.platforms.instagram.finished import matches
from clipcast.platforms.instagram.posting import as_listed, caption_of
from clipcast.platforms.instagram.renewing import failed, renewed
from clipcast.platforms.instagram.states import (
    Attempts,
    Creating,
    Finished,
    InDoubt,
    InstagramState,
    Post,
    Ready,
    Refusal,
    seconds,
    started_over,
)


def next_step(state: InDoubt, now: datetime, endpoints: Endpoints) -> Step:
    """Look at the container; every other time, while it cannot be read, at the account's posts."""
    if state.verdict:
        return Undecidable(state.verdict)
    if state.asking == "publish":  # its answer got lost
        state = replace(state, attempts=replace(state.attempts, lost_at=state.attempts.latest_at))
    if now < state.next_at:
        return Wait(state.next_at, _why(state))
    if state.attempts.count and state.looks % 2:
        return Send(endpoints.newest(state.post.order), "media.list", replace(state, asking="list"))
    return Send(endpoints.container(state.post.order, state.container_id), "container.check", replace(state, asking="container"))


def received(state: InDoubt, answer: Answer, now: datetime) -> InstagramState:
    """The state after the answer to `media_publish`, or after a look at the container or the account's posts.

    Raises:
        PlatformError: it is certain that nothing is visible and trying again does not help; or the account's owner has to act.
    """
    match state.asking:
        case "publish":
            return _publish_answered(state, answer, now)
        case "container":
            return _container_read(state, answer, now)
        case "list":
            return _posts_read(state, answer, now)
        case "":
            raise IllegalTransition("An answer came although nothing was asked (Instagram flow, in doubt).")
        case _:
            assert_never(state.asking)


def stage(state: InDoubt) -> Stage:
    """Uncertain while a post may be live unknown to us; not while its first answer may still come, nor once it was seen unpublished."""
    looking = state.asking != "publish" and state.attempts.count and state.unpublished_since is None
    return Stage.UNCERTAIN if looking or state.verdict else Stage.PROCESSING


def again(state: InDoubt, post: Post, now: datetime) -> InDoubt:
    """Another try that a person asked for: look first, with all patience anew."""
    lost_at = state.attempts.latest_at if state.asking == "publish" else state.attempts.lost_at
    attempts = replace(state.attempts, count=min(state.attempts.count, 1), lost_at=lost_at)
    return InDoubt(post=post, container_id=state.container_id, created_at=state.created_at, since=now, next_at=now, attempts=attempts)


# After media_publish


def _publish_answered(state: InDoubt, answer: Answer, now: datetime) -> Finished | InDoubt:
    """Published, or not the answer we wanted: then it is only hearsay (posts went live behind refusals), and we look.

    Only what is about the access itself is believed: it is checked before anything happens.
    """
    error = _trouble(answer)
    if error is None:
        created = answers.accepted(answer, answers.Created)
        return finished.published(state.post, state.container_id, now, sent_at=_asked_at(state), external_id=created.id)
    if is_for_the_owner(error):
        raise error
    # Without Instagram's own code nobody knows whether Instagram has seen the request yet.
    lost_at = state.attempts.latest_at if words(answer).code is None else state.attempts.lost_at
    heard = Refusal(
        kind=_kind(error),
        sentence=error.sentence,
        code=error.platform_code,
        message=error.platform_message,
        http_status=error.http_status,
        log_id=error.log_id,
        retry_after_s=error.retry_after_s if isinstance(error, Throttled) else 0,
        renewable=meaning_of(answer).renewals > 0,
    )
    return replace(state, asking="", refusal=heard, attempts=replace(state.attempts, lost_at=lost_at), next_at=now)


def _kind(error: PlatformError) -> Literal["rejected", "throttled", "passing"]:
    match error:
        case Rejected():
            return "rejected"
        case Throttled():
            return "throttled"
        case _:
            return "passing"


def _trouble(answer: Answer) -> PlatformError | None:
    """What is wrong with the answer; None for a yes with an id."""
    if not is_yes(answer):
        return refusal(answer)
    try:
        answers.accepted(answer, answers.Created)
    except PlatformError:
        return unreadable(answer)
    return None


# Looking at the container


def _container_read(state: InDoubt, answer: Answer, now: datetime) -> InstagramState:
    try:
        said = answers.accepted(answer, answers.Container)
    except PlatformError as error:
        if is_for_the_owner(error):
            raise
        return _told_nothing(state, now, error)
    match said.status_code:
        case "PUBLISHED":
            return finished.published(state.post, state.container_id, now, sent_at=_asked_at(state))
        case "FINISHED":
            return _seen_unpublished(state, now)
        case "ERROR":
            return failed(state.post, state.container_id, (), status=said.status, answer=answer, now=now)
        case "EXPIRED":
            return started_over(state.post, state.container_id)
        case _:
            return _told_nothing(replace(state, unpublished_since=None), now, None)


def _seen_unpublished(state: InDoubt, now: datetime) -> InstagramState:
    """The first such reading may be too early; the second, half a minute later, settles it."""
    first = state.unpublished_since or now
    seen = replace(state, asking="", looks=0, trouble="", unpublished_since=first)
    if now - first < limits.PROOF_MIN:
        return replace(seen, next_at=now + seconds(max(limits.PROOF_S, _pause_s(state))))
    return _settled(seen, now)


def _pause_s(state: InDoubt) -> float:
    """How long to wait before the container may be published again."""
    if state.refusal is not None and state.refusal.kind == "throttled":
        return state.refusal.retry_after_s
    if state.refusal is None and not _is_last_lost(state.attempts):
        return limits.PROOF_S  # only a look before the first try, or after a full limit
    return limits.PUBLISH_PAUSES_S[min(max(state.attempts.count, 1), len(limits.PUBLISH_PAUSES_S)) - 1]


def _is_last_lost(attempts: Attempts) -> bool:
    return attempts.lost_at is not None and attempts.lost_at == attempts.latest_at


def _settled(state: InDoubt, now: datetime) -> InDoubt | Ready | Creating:
    """It is not published: publish it again, make a new container, or say why neither helps.

    For the last two, a request that was lost must be too old to still arrive; a person who reads "failed" would publish it again.
    """
    hopeless = state.refusal is not None and state.refusal.kind == "rejected"
    if state.refusal is not None and state.refusal.kind == "throttled":
        return _ready(replace(state, post=daily.waiting(state.post, now)), now)
    if not hopeless and not _is_renewal_due(state) and state.attempts.count < limits.MAX_PUBLISH_TRIES:
        return _ready(state, now)
    lost_at = state.attempts.lost_at
    if lost_at is not None and now - lost_at < limits.LATE_ARRIVAL:
        return replace(state, next_at=lost_at + limits.LATE_ARRIVAL)
    if not hopeless and _is_renewal_due(state) and state.refusal is not None:
        return renewed(state.post, state.container_id, (), state.refusal.sentence, now)
    raise _given_up(state)


def _is_renewal_due(state: InDoubt) -> bool:
    """Instagram shows the container as ready and calls it unknown when asked to publish it: another one may do better, once."""
    renewable = state.refusal is not None and state.refusal.renewable and state.post.failures == 0
    return renewable and state.attempts.count >= limits.RENEW_AFTER_TRIES


def _ready(state: InDoubt, now: datetime) -> Ready:
    return Ready(post=state.post, container_id=state.container_id, created_at=state.created_at, attempts=state.attempts, proven_at=now)


def _given_up(state: InDoubt) -> Rejected:
    heard = state.refusal or Refusal(kind="passing", sentence="Instagram did not answer the request to publish", code="never_answered")
    tries = f" Clipcast asked {state.attempts.count} times, and each time nothing was published." if heard.kind == "passing" else ""
    return Rejected(
        sentence=f"{heard.sentence.rstrip('.')}.{tries}",
        platform="instagram",
        platform_code=heard.code,
        platform_message=heard.message,
        http_status=heard.http_status,
        log_id=heard.log_id,
        post_failed=True,
    )


# Looking at the account's posts


def _posts_read(state: InDoubt, answer: Answer, now: datetime) -> InstagramState:
    try:
        posts = answers.accepted(answer, answers.MediaList)
    except PlatformError as error:
        if is_for_the_owner(error):
            raise
        return _told_nothing(state, now, error)
    found = matches(posts, state.post.order, _asked_at(state))
    if len(found) != 1:
        return _told_nothing(state, now, None)
    sent_at = _asked_at(state)
    return finished.published(
        state.post, state.container_id, now, sent_at=sent_at, external_id=found[0].id, external_url=found[0].permalink or None
    )


# When nothing was learned


def _told_nothing(state: InDoubt, now: datetime, error: PlatformError | None) -> InDoubt | Creating:
    """Look again, for a day, or for some looks if we were away that long; a container nobody asked to publish is simply replaced."""
    looks = state.looks + 1
    if not state.attempts.count and looks >= limits.UNREADABLE_LOOKS:
        return started_over(state.post, state.container_id)
    trouble = error.sentence if error is not None else ""
    looked = replace(state, asking="", looks=looks, trouble=trouble)
    if now - state.since >= limits.DOUBT_PATIENCE and looks >= limits.UNANSWERED_LAST_LOOKS:
        return replace(looked, verdict=_verdict(state, trouble))
    pause_s: float = limits.DOUBT_STEPS_S[min(looks, len(limits.DOUBT_STEPS_S)) - 1]
    if isinstance(error, Throttled):
        pause_s = max(pause_s, error.retry_after_s)
    return replace(looked, next_at=now + seconds(pause_s))


def _asked_at(state: InDoubt) -> datetime:
    return state.attempts.first_at or state.created_at


def _why(state: InDoubt) -> str:
    if state.trouble:
        return state.trouble
    if state.refusal is not None:
        return state.refusal.sentence
    return (
        "Instagram's answer got lost; the post is looked up" if state.attempts.count else "the prepared post is looked up before it is used"
    )


def _verdict(state: InDoubt, trouble: str) -> str:
    caption = as_listed(caption_of(state.post.order))
    named = f"with the caption “{caption[:60]}”" if caption else "without a caption"
    asked_at = _asked_at(state)
    said = f" ({trouble.rstrip('.')})" if trouble else ""
    return (
        f"Instagram was asked at {asked_at:%Y-%m-%d %H:%M} UTC to publish this (container {state.container_id}) and has not said for "
        f"a day whether it did{said}. Look at the account for a post {named} of that time: if it is there, mark it as published; if it is "
        "not, publish it again."
    )
