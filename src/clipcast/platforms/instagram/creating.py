"""Making containers: one for a single post, one per item and then one for the whole of a carousel. Unpublished ones are invisible."""

from dataclasses import replace
from datetime import datetime

from clipcast.errors import ProtocolError
from clipcast.platforms.base import Answer, Send, Step, Wait
from clipcast.platforms.instagram import answers
from clipcast.platforms.instagram.codes import Meaning
from clipcast.platforms.instagram.endpoints import Endpoints
from clipcast.platforms.instagram.errors import error, final, is_yes, meaning_of, refusal
from clipcast.platforms.instagram.limits import CONTAINER_USABLE, POLL_STEPS_S
from clipcast.platforms.instagram.posting import container_body, is_parent, is_uploaded, next_media
from clipcast.platforms.instagram.renewing import renewed
from clipcast.platforms.instagram.states import Creating, Processing, Uploading, seconds, started_over


def next_step(state: Creating, now: datetime, endpoints: Endpoints) -> Step:
    """Create the next container; if the answer gets lost, once more: what nobody publishes, nobody sees.

    Raises:
        Rejected: the options are wrong, or the carousel's children expired too often.
    """
    if state.hold_until and now < state.hold_until:
        return Wait(state.hold_until, state.hold_reason)
    if state.items and now - state.items[0].created_at >= CONTAINER_USABLE:
        state = started_over(state.post, state.items[0].container_id)
    order = state.post.order
    return Send(endpoints.create(order, container_body(order, state.items)), "container.create", replace(state, asking="create"))


def received(state: Creating, answer: Answer, now: datetime, endpoints: Endpoints) -> Creating | Uploading | Processing:
    """The state after the answer; raises a `PlatformError` where it is not a yes and a new try needs somebody else."""
    if not is_yes(answer):
        return _refused(state, answer, now)
    created = answers.accepted(answer, answers.Created)
    media = next_media(state.post.order, state.items)
    if media is None or not is_uploaded(state.post.order, media):
        return _processing(state, created.id, now)
    uri = endpoints.upload_address(created.uri, created.id)
    if not endpoints.may_upload_to(uri):
        meaning = Meaning(
            ProtocolError, "Instagram's answer names an upload address that is not on Meta's hosts, so nothing was sent there."
        )
        raise error(meaning, answer)
    return Uploading(post=state.post, items=state.items, container_id=created.id, created_at=now, uri=uri)


def _processing(state: Creating, container_id: str, now: datetime) -> Processing:
    first_look = now + seconds(POLL_STEPS_S[0])
    return Processing(post=state.post, items=state.items, container_id=container_id, created_at=now, since=now, next_at=first_look)


def _refused(state: Creating, answer: Answer, now: datetime) -> Creating:
    """Where Meta's table says "try again", a few tries; a carousel that misses its children gets new ones."""
    post, meaning = state.post, meaning_of(answer)
    if not meaning.renewals:
        raise refusal(answer)
    if post.failures >= meaning.renewals and not post.forgiving:
        raise final(meaning, answer)
    return renewed(post, "", () if is_parent(post.order, state.items) else state.items, meaning.sentence, now)
