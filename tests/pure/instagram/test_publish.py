"""From a ready container to a post: the daily limit, the one request that makes it visible, and what is believed when it goes wrong."""

import json
from datetime import datetime
from typing import Any

import pytest

from clipcast.errors import ConfigurationError, IllegalTransition, PlatformError, ReconnectRequired, Rejected, TokenExpired, Unavailable
from clipcast.platforms.base import Answer, Done, Json, Order, Stage, Undecidable, Wait
from clipcast.platforms.instagram import InstagramState
from clipcast.platforms.instagram.states import Creating, Finished, InDoubt, Ready
from pure.instagram.orders import (
    ACCOUNT_ID,
    GRAPH_IG,
    INSTAGRAM,
    NOW,
    after,
    answer,
    at,
    carousel,
    container,
    created,
    entry,
    link,
    listed,
    lost,
    ok,
    photo,
    posted,
    processing,
    ready,
    reel,
    refused,
    room,
    send,
    stored,
    story,
    wait,
)

AMBIGUOUS = [
    refused(1),
    refused(2, status=500),
    refused(4),
    refused(4, 2207051),
    refused(-1, 2207001),
    refused(24, 2207008),
    refused(24, 2207006),
    refused(9007, 2207027),
    refused(-1, 2207085),
    refused(9, 2207042),
    refused(368),
    refused(100),
    answer(502, b"<html>"),
    answer(503),
    answer(200, b"<html>"),
    ok({"success": True}),
    answer(302),
]


def doubtful(order: Order | None = None) -> InstagramState:
    """Just after `media_publish` left and no answer came."""
    return lost(ready(order))


def unpublished(state: InstagramState, now: datetime) -> InstagramState:
    """The state after two readings, 45 s or more apart, that say FINISHED."""
    state = after(state, container("FINISHED"), now=now)
    return after(state, container("FINISHED"), now=wait(state, now).until)


# The daily limit


def test_the_limit_is_asked_for_right_before_publishing() -> None:
    state = after(processing(), container("FINISHED"))
    step = send(state)
    assert (step.label, step.irreversible) == ("limit", False)
    assert step.request.url == f"{GRAPH_IG}/{ACCOUNT_ID}/content_publishing_limit?fields=quota_usage,config"


def test_with_room_the_container_is_published() -> None:
    step = send(ready())
    assert (step.label, step.irreversible, step.request.url) == ("media.publish", True, f"{GRAPH_IG}/{ACCOUNT_ID}/media_publish")
    assert isinstance(step.request.body, Json)
    assert step.request.body.content == {"creation_id": "17900000000000001"}
    assert isinstance(step.meanwhile, InDoubt)


@pytest.mark.parametrize("full", [room(50, 50), room(100, 100), room(51, 50), ok({"data": [{"quota_usage": 50}]})])
def test_a_full_day_waits_and_asks_again(full: Answer) -> None:
    state = after(processing(), container("FINISHED"), full)
    later = wait(state)
    assert later.until == at(3 + 1800)
    assert "posts of the last 24 hours" in later.why
    assert send(state, later.until).label == "limit"
    assert send(after(state, room(), now=later.until), later.until).label == "media.publish"
    assert INSTAGRAM.stage(state) is Stage.PROCESSING


@pytest.mark.parametrize("told", [room(49, 50), room(50, 100), ok({"data": []}), ok({}), ok({"data": None}), refused(100), refused(3)])
def test_a_limit_that_is_not_full_or_not_told_is_no_reason_to_wait(told: Answer) -> None:
    assert send(after(processing(), container("FINISHED"), told)).label == "media.publish"


@pytest.mark.parametrize(("reply", "kind"), [(refused(190), TokenExpired), (refused(10), ReconnectRequired), (answer(500), Unavailable)])
def test_an_account_that_cannot_be_asked_is_not_published_to(reply: Answer, kind: type[PlatformError]) -> None:
    with pytest.raises(kind):
        after(processing(), container("FINISHED"), reply)


def test_two_full_days_end_it() -> None:
    state = after(processing(), container("FINISHED"), room(50, 50))
    with pytest.raises(Rejected) as caught:
        after(state, room(50, 50), now=at(48 * 3600 + 10))
    assert (caught.value.platform_code, caught.value.post_failed) == ("limit_full_too_long", True)


def test_room_seen_too_long_ago_is_asked_for_again() -> None:
    assert send(ready(), at(299)).label == "media.publish"
    assert send(ready(), at(310)).label == "limit"


def test_a_container_near_its_end_is_looked_at_before_it_is_published() -> None:
    state = after(processing(), container("FINISHED"))
    old = after(state, room(), now=at(23 * 3600 + 60))
    step = send(old, at(23 * 3600 + 60))
    assert (step.label, step.irreversible, INSTAGRAM.stage(step.meanwhile)) == ("container.check", False, Stage.PROCESSING)
    assert isinstance(after(old, container("EXPIRED"), now=at(23 * 3600 + 60)), Creating)
    assert isinstance(unpublished(old, at(23 * 3600 + 60)), Ready)


def test_an_old_container_that_nobody_asked_to_publish_and_nobody_can_read_is_replaced() -> None:
    state, now = after(after(processing(), container("FINISHED")), room(), now=at(90_000)), at(90_000)
    for _ in range(8):
        assert send(state, now).label == "container.check"
        state = after(state, refused(100, 33), now=now)
        now = wait(state, now).until if isinstance(state, InDoubt) else now
    assert isinstance(state, Creating)


# media_publish answered


def test_a_yes_leads_to_the_link() -> None:
    state = after(ready(), posted())
    step = send(state)
    assert (step.label, step.request.url) == ("permalink", f"{GRAPH_IG}/18000000000000001?fields=id,permalink")
    assert INSTAGRAM.next_step(after(state, link()), NOW) == Done("published", "18000000000000001", "https://www.instagram.com/reel/Cabc/")


@pytest.mark.parametrize("reply", AMBIGUOUS)
def test_whatever_else_comes_is_hearsay_and_looked_up(reply: Answer) -> None:
    """Seen: publish answered code 4 / 2207051, and the post was live."""
    state = after(ready(), reply)
    assert isinstance(state, InDoubt)
    assert (send(state).label, INSTAGRAM.stage(state)) == ("container.check", Stage.UNCERTAIN)
    found = after(state, container("PUBLISHED", "Published: Media has been successfully published."))
    assert isinstance(found, Finished)


@pytest.mark.parametrize(
    ("reply", "kind"), [(refused(190), TokenExpired), (refused(190, 460), ReconnectRequired), (refused(200, status=403), ReconnectRequired)]
)
def test_a_refused_token_published_nothing(reply: Answer, kind: type[PlatformError]) -> None:
    with pytest.raises(kind) as caught:
        after(ready(), reply)
    assert caught.value.refused


def test_a_lost_answer_is_looked_up() -> None:
    state = doubtful()
    assert (send(state).label, send(state).irreversible) == ("container.check", False)
    assert INSTAGRAM.stage(state) is Stage.PROCESSING
    assert INSTAGRAM.stage(send(state).meanwhile) is Stage.UNCERTAIN


# The container says


def test_not_published_needs_two_readings_and_publishes_the_same_container_again() -> None:
    once = after(doubtful(), container("FINISHED"), now=at(5))
    assert wait(once, at(5)).until == at(50)
    assert INSTAGRAM.stage(once) is Stage.PROCESSING
    twice = after(once, container("FINISHED"), now=at(50))
    assert isinstance(twice, Ready)
    step = send(after(twice, room(), now=at(51)), at(52))
    assert (step.label, step.irreversible) == ("media.publish", True)
    assert isinstance(step.request.body, Json)
    assert step.request.body.content == {"creation_id": "17900000000000001"}


def test_a_hurried_second_reading_still_keeps_its_distance() -> None:
    once = after(doubtful(), container("FINISHED"), now=at(5))
    soon = after(INSTAGRAM.hurried(once, at(20)), container("FINISHED"), now=at(20))
    assert isinstance(soon, InDoubt)
    assert isinstance(after(INSTAGRAM.hurried(once, at(36)), container("FINISHED"), now=at(36)), Ready)


def test_processing_in_between_starts_the_proof_anew() -> None:
    state = after(doubtful(), container("FINISHED"), container("IN_PROGRESS"), now=at(5))
    assert isinstance(state, InDoubt)
    assert state.unpublished_since is None


def test_old_proof_is_no_proof() -> None:
    proven = unpublished(doubtful(), at(5))
    much_later = after(proven, room(), now=at(1000))
    assert send(much_later, at(1000)).label == "container.check"


@pytest.mark.parametrize("reply", [container("EXPIRED"), container("ERROR", "2207085")])
def test_a_container_that_cannot_become_a_post_is_replaced(reply: Answer) -> None:
    state = after(doubtful(), reply)
    assert isinstance(state, Creating)
    assert INSTAGRAM.reference(state) is None
    assert state.post.superseded == ("17900000000000001",)


def test_a_failed_container_ends_it_where_no_new_one_helps() -> None:
    with pytest.raises(Rejected) as caught:
        after(doubtful(), container("ERROR", "2207026"))
    assert caught.value.post_failed


def test_a_post_that_went_live_all_the_same_is_found() -> None:
    state = after(doubtful(), container("PUBLISHED"))
    assert send(state).label == "media.list"
    done = INSTAGRAM.next_step(after(state, listed(entry())), NOW)
    assert done == Done("published", "18000000000000001", "https://www.instagram.com/reel/Cabc/")


# What a refusal means once it is proven that nothing is live


@pytest.mark.parametrize("reply", [refused(4, 2207051), refused(368), refused(100), refused(25, 2207050)])
def test_a_proven_refusal_is_final_and_says_that_nothing_is_live(reply: Answer) -> None:
    state = after(ready(), reply)
    once = after(state, container("FINISHED"))
    with pytest.raises(Rejected) as caught:
        after(once, container("FINISHED"), now=wait(once).until)
    assert caught.value.post_failed
    assert caught.value.http_status == 400
    assert caught.value.log_id == "Atrace"


def test_no_refusal_is_final_while_a_lost_request_may_still_arrive() -> None:
    again = unpublished(doubtful(), at(5))
    refused_now = after(after(again, room(), now=at(60)), refused(4, 2207051), now=at(60))
    held = unpublished(refused_now, at(61))
    assert isinstance(held, InDoubt)
    assert wait(held, at(200)).until == at(600)
    with pytest.raises(Rejected):
        after(held, container("FINISHED"), now=at(610))


@pytest.mark.parametrize(
    ("reply", "pause_s"), [(refused(9, 2207042), 1800), (refused(80002), 300), (refused(4), 300), (refused(9, 2207069), 1800)]
)
def test_a_full_limit_is_waited_out(reply: Answer, pause_s: float) -> None:
    state = after(after(ready(), reply, now=at(4)), container("FINISHED"), now=at(4))
    assert wait(state, at(4)).until == at(4 + pause_s)
    assert INSTAGRAM.stage(state) is Stage.PROCESSING
    again = after(state, container("FINISHED"), now=at(4 + pause_s))
    assert send(again, at(5 + pause_s)).label == "limit"


def test_the_minutes_of_the_usage_header_are_waited_out() -> None:
    header = '{"17841": [{"type": "instagram", "call_count": 100, "estimated_time_to_regain_access": 19}]}'
    reply = answer(400, {"error": {"code": 80002, "message": "too many calls"}}, x_business_use_case_usage=header)
    state = after(after(ready(), reply, now=at(4)), container("FINISHED"), now=at(4))
    assert wait(state, at(4)).until == at(4 + 19 * 60)


def refused_until_the_end(reply: Answer) -> tuple[PlatformError, list[float]]:
    """How it ends when every request to publish is answered with this and the container stays ready; and the pauses before each."""
    state, now, pauses = ready(), NOW, list[float]()
    while True:
        state = after(after(state, reply, now=now), container("FINISHED"), now=now)
        pauses.append((wait(state, now).until - now).total_seconds())
        now = wait(state, now).until
        try:
            state = after(after(state, container("FINISHED"), now=now), room(), now=now)
        except PlatformError as error:
            return error, pauses


def test_a_limit_that_stays_full_for_two_days_ends_it() -> None:
    error, pauses = refused_until_the_end(refused(9, 2207042))
    assert (error.platform_code, error.post_failed) == ("limit_full_too_long", True)
    assert 48 * 3600 <= sum(pauses) < 49 * 3600


def test_trouble_is_tried_again_ever_more_slowly_and_not_for_ever() -> None:
    error, pauses = refused_until_the_end(refused(2))
    assert pauses == [45, 45, 120, 300, 600, 1200, 1800, 1800]
    assert (type(error), error.post_failed) == (Rejected, True)
    assert "asked 8 times, and each time nothing was published" in error.sentence


@pytest.mark.parametrize("reply", [refused(24, 2207008), refused(24, 2207006), refused(-2, 2207020), refused(-1, 2207085)])
def test_a_container_that_instagram_disowns_is_replaced_after_a_second_try(reply: Answer) -> None:
    state, now = ready(), at(4)
    for _ in range(2):
        assert isinstance(state, Ready)
        state = after(after(state, reply, now=now), container("FINISHED"), now=now)
        now = wait(state, now).until
        state = after(state, container("FINISHED"), now=now)
        state = after(state, room(), now=now) if isinstance(state, Ready) else state
    assert isinstance(state, Creating)


# The container cannot be read


@pytest.mark.parametrize("reply", [refused(100, 33), refused(24, 2207006), answer(503), answer(200, b"<html>"), refused(80002)])
def test_what_cannot_be_read_is_looked_for_among_the_posts(reply: Answer) -> None:
    state = after(doubtful(), reply, now=at(5))
    now = wait(state, at(5)).until
    step = send(state, now)
    assert step.label == "media.list"
    fields = "id,caption,media_type,media_product_type,permalink,timestamp"
    assert step.request.url == f"{GRAPH_IG}/{ACCOUNT_ID}/media?fields={fields}&limit=50"
    found = after(state, listed(entry()), now=now)
    assert INSTAGRAM.next_step(found, now) == Done("published", "18000000000000001", "https://www.instagram.com/reel/Cabc/")


@pytest.mark.parametrize("reply", [listed(), listed(entry(), entry(id="2")), listed(entry(caption="Another")), refused(100), answer(500)])
def test_no_match_or_several_prove_nothing(reply: Answer) -> None:
    state = after(doubtful(), refused(100, 33), now=at(5))
    state = after(state, reply, now=at(10))
    assert isinstance(state, InDoubt)
    assert send(state, wait(state, at(10)).until).label == "container.check"


def test_after_a_day_of_looking_a_person_decides() -> None:
    state, now = doubtful(), at(5)
    for number in range(1000):
        step = INSTAGRAM.next_step(state, now)
        if isinstance(step, Undecidable):
            break
        now = step.until if isinstance(step, Wait) else now
        state = after(state, refused(100, 33) if number % 2 else listed(), now=now)
    assert isinstance(step, Undecidable)
    assert "A day at sea" in step.why
    assert 24 * 3600 < (now - NOW).total_seconds() < 26 * 3600
    assert INSTAGRAM.stage(state) is Stage.UNCERTAIN
    asked_again = INSTAGRAM.hurried(state, now)
    assert send(asked_again, now).label == "container.check"


def test_after_a_long_absence_there_are_still_some_looks() -> None:
    state = after(doubtful(), refused(100, 33), now=at(90_000))
    assert isinstance(INSTAGRAM.next_step(state, at(90_000)), Wait)


def test_the_owners_trouble_is_said_and_looking_goes_on_afterwards() -> None:
    for kind, reply in ((TokenExpired, refused(190)), (ReconnectRequired, refused(190, 458))):
        with pytest.raises(kind):
            after(doubtful(), reply)


# Which post is ours


@pytest.mark.parametrize(
    ("order", "mine", "is_ours"),
    [
        (reel(), entry(), True),
        (reel(), entry(0), True),
        (reel(), entry(-5), True),
        (reel(), entry(-6), False),
        (reel(), entry(-60), False),
        (reel(), entry(caption="A day at sea"), False),
        (reel(), entry(caption=None), False),
        (reel(), entry(caption="A day  at sea\n#boat "), True),
        (reel(caption="with @anna"), entry(caption="with anna"), True),
        (reel(caption=""), entry(caption=None), True),
        (reel(extra={"caption": "Other"}), entry(caption="Other"), True),
        (reel(), entry(media_type="IMAGE"), False),
        (reel(), entry(media_product_type="FEED"), False),
        (reel(), entry(media_product_type=None), True),
        (reel(), entry(timestamp="yesterday"), False),
        (reel(), entry(timestamp=None), False),
        (reel(), entry(id=None), False),
        (photo(), entry(media_type="IMAGE", media_product_type="FEED"), True),
        (photo(), entry(), False),
        (carousel(), entry(media_type="CAROUSEL_ALBUM", media_product_type="FEED"), True),
        (story(), entry(caption="whatever", media_product_type="STORY"), True),
        (story(), entry(media_product_type="REELS"), False),
    ],
)
def test_only_an_exact_match_is_ours(order: Order, mine: dict[str, Any], *, is_ours: bool) -> None:
    state = after(lost(published_order(order)), container("PUBLISHED"), listed(mine))
    done = INSTAGRAM.next_step(state, NOW)
    assert isinstance(done, Done)
    assert (done.external_id == "18000000000000001") is is_ours


def published_order(order: Order) -> InstagramState:
    """Just before `media_publish`, for any order."""
    if len(order.media) == 1:
        return ready(order)
    return after(INSTAGRAM.begin(order), *[created("17900000000000001"), container("FINISHED")] * 4, room())


def test_stories_have_a_list_of_their_own() -> None:
    assert "/stories?" in str(send(after(lost(ready(story())), container("PUBLISHED"))).request.url)


# Published: the id and the link


@pytest.mark.parametrize("reply", [answer(500), refused(100, 33), refused(190), refused(190, 458), ok({"id": "1"}), answer(200, b"<html>")])
def test_a_link_that_is_not_given_never_undoes_a_post(reply: Answer) -> None:
    """Seen: clients marked live posts as failed."""
    done = INSTAGRAM.next_step(after(ready(), posted(), reply), at(5))
    assert isinstance(done, Done)
    assert (done.outcome, done.external_id, done.external_url) == ("published", "18000000000000001", None)
    assert done.look_again_at == at(30)
    assert done.note


def test_a_lost_look_for_the_link_does_not_hold_up_the_news() -> None:
    state = lost(after(ready(), posted()))
    assert isinstance(INSTAGRAM.next_step(state, at(4)), Done)
    assert send(state, at(40)).label == "permalink"


def test_without_a_network_the_link_comes_later() -> None:
    """The look never left, so nothing was saved; the post is published all the same."""
    state = after(ready(), posted())
    done = INSTAGRAM.next_step(state, at(90))
    assert isinstance(done, Done)
    assert done.look_again_at == at(600)
    assert send(state, at(604)).label == "permalink"


def test_the_link_is_looked_for_for_a_day() -> None:
    state, looks = after(ready(), posted(), ok({"id": "1"})), [0.0]
    while (done := INSTAGRAM.next_step(state, NOW)) and isinstance(done, Done) and done.look_again_at:
        looks.append((done.look_again_at - NOW).total_seconds())
        state = after(state, ok({"id": "1"}), now=done.look_again_at)
    assert looks[:5] == [0, 30, 150, 750, 4350]
    assert 24 * 3600 < looks[-1] < 26 * 3600
    assert isinstance(done, Done)
    assert "has not given a link" in done.note
    assert send(INSTAGRAM.hurried(state, at(200_000)), at(200_000)).label == "permalink"


def test_posts_that_look_the_same_are_published_without_an_id() -> None:
    done = INSTAGRAM.next_step(after(doubtful(), container("PUBLISHED"), listed(entry(), entry(id="2"))), at(5))
    assert isinstance(done, Done)
    assert (done.outcome, done.external_id, done.look_again_at) == ("published", None, None)
    assert "cannot be told" in done.note


def test_a_post_that_is_not_listed_yet_is_looked_for_again() -> None:
    state = after(doubtful(), container("PUBLISHED"), listed())
    done = INSTAGRAM.next_step(state, at(5))
    assert isinstance(done, Done)
    assert done.look_again_at is not None
    found = after(state, listed(entry(permalink=None)), now=done.look_again_at)
    assert INSTAGRAM.reference(found) == "17900000000000001"
    known = INSTAGRAM.next_step(found, done.look_again_at)
    assert isinstance(known, Done)
    assert known.external_id == "18000000000000001"


# By hand


def test_another_try_looks_first_and_then_publishes_the_same_container() -> None:
    refusal = after(ready(), refused(4, 2207051))
    state = stored(INSTAGRAM.again(refusal, at(3600)))
    assert send(state, at(3600)).label == "container.check"
    again = unpublished(state, at(3600))
    assert isinstance(again, Ready)
    published = after(after(again, room(), now=at(3700)), posted(), now=at(3700))
    assert isinstance(published, Finished)
    assert isinstance(after(state, container("PUBLISHED"), now=at(3600)), Finished)


def test_another_try_replaces_what_instagram_failed() -> None:
    state = INSTAGRAM.again(doubtful(), at(10))
    assert isinstance(after(state, container("ERROR", "2207026"), now=at(10)), Creating)


def test_another_try_remembers_a_request_whose_answer_is_still_out() -> None:
    state = INSTAGRAM.again(doubtful(), at(10))
    assert isinstance(state, InDoubt)
    assert state.attempts.lost_at == NOW


def test_another_try_of_what_was_never_published_asks_for_room() -> None:
    assert send(INSTAGRAM.again(ready(), at(10)), at(10)).label == "limit"
    done = after(ready(), posted(), link())
    assert INSTAGRAM.again(done, at(10)) == done


# Storage


STATES = {
    "creating": INSTAGRAM.begin(reel(options={"user_tags": [{"username": "a", "x": 0.5, "y": 0.5}]}, extra={"a": {"b": [1]}})),
    "uploading": after(INSTAGRAM.begin(reel("facebook")), created()),
    "processing": processing(carousel()),
    "ready": ready(),
    "in_doubt": after(ready(), refused(4, 2207051)),
    "finished": after(ready(), posted()),
}


@pytest.mark.parametrize("name", STATES)
def test_every_state_survives_storage(name: str) -> None:
    kept = INSTAGRAM.dump(STATES[name])
    assert (kept["version"], kept["kind"]) == (1, name.replace("_", ""))
    assert INSTAGRAM.load(json.loads(json.dumps(kept))) == STATES[name]


@pytest.mark.parametrize("spoiled", [{"version": 2}, {"version": None}, {"kind": "dreaming"}, {"post": None}, {"container_id": ["a"]}])
def test_what_another_version_wrote_is_not_guessed_at(spoiled: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError):
        INSTAGRAM.load({**INSTAGRAM.dump(STATES["ready"]), **spoiled})


@pytest.mark.parametrize("state", [STATES["uploading"], after(ready(), refused(4, 2207051))], ids=["uploading", "in doubt"])
def test_an_answer_to_nothing_is_a_bug(state: InstagramState) -> None:
    with pytest.raises(IllegalTransition):
        INSTAGRAM.received(state, ok(), NOW)


def test_no_token_is_stored_or_shown() -> None:
    leaking = answer(500, {"error": {"code": 1, "message": "access_token=IGAAsecretsecretsecretsecret is bad"}})
    state = after(ready(), leaking)
    assert "secretsecret" not in json.dumps(INSTAGRAM.dump(state)) + repr(state)
