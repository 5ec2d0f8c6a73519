"""The session vanished after the last byte: what is looked for, how often, and what follows."""

from datetime import timedelta

import pytest

from clipcast.errors import IllegalTransition, Rejected, TokenExpired, Unavailable
from clipcast.platforms.base import Answer, Send, Stage, Undecidable, Wait
from clipcast.platforms.youtube import YouTubeState
from clipcast.platforms.youtube.limits import MAX_RESTARTS
from clipcast.platforms.youtube.states import Channel, Processing, Searching, Starting, Uploading
from pure.youtube.orders import (
    NOW,
    SIZE,
    UPLOADS,
    VIDEO_ID,
    YOUTUBE,
    after,
    answer,
    at,
    channel,
    listed,
    order,
    refused,
    searching,
    send,
    stored_until,
    upload_of,
    uploading,
    uploads,
    wait,
)

OURS = uploads((VIDEO_ID, NOW))
NONE = uploads()


def looked(state: YouTubeState, *answers: Answer) -> YouTubeState:
    """The state after these answers, each as soon as its question is due."""
    now = NOW
    for each in answers:
        step = YOUTUBE.next_step(state, now)
        if isinstance(step, Wait):
            now = step.until
        state = after(state, each, now=now)
    return state


def verdict(state: YouTubeState, now_s: float = 0) -> str:
    step = YOUTUBE.next_step(state, at(now_s))
    assert isinstance(step, Undecidable)
    return step.why


def test_nothing_is_sent_again_before_we_looked() -> None:
    state = searching()
    assert (YOUTUBE.stage(state), YOUTUBE.reference(state)) == (Stage.UNCERTAIN, YOUTUBE.reference(uploading()))
    assert wait(state).until == at(60)


def test_a_look_reads_the_uploads_and_then_their_details() -> None:
    state = searching()
    listing = send(state, at(60))
    assert listing.label == "playlistItems.list"
    assert f"playlistId={UPLOADS}" in str(listing.request.url)
    details = send(after(state, OURS, now=at(60)), at(60))
    assert details.label == "videos.list"
    assert str(details.request.url).endswith(f"part=snippet,status,fileDetails,processingDetails&id={VIDEO_ID}")


def test_the_one_that_is_ours_to_the_byte_is_adopted() -> None:
    others = [upload_of("other-size", size=SIZE + 1), upload_of(VIDEO_ID, title="At  sea ")]
    state = looked(searching(), uploads(("other-size", NOW), (VIDEO_ID, NOW)), listed(*others))
    assert isinstance(state, Processing)
    assert state.video_id == VIDEO_ID


def test_two_looks_without_a_trace_minutes_apart_begin_a_new_session() -> None:
    first = looked(searching(), NONE)
    assert wait(first, at(60)).until == at(360)
    second = after(first, NONE, now=at(360))
    assert isinstance(second, Starting)
    assert send(second, at(360)).label == "videos.insert"


@pytest.mark.parametrize(
    "page",
    [
        refused(404, "playlistNotFound"),
        uploads(("older", NOW - timedelta(minutes=5))),
        uploads(("older", NOW - timedelta(minutes=5)), nextPageToken="more"),
    ],
)
def test_what_counts_as_no_trace(page: Answer) -> None:
    assert isinstance(looked(searching(), page, page), Starting)


@pytest.mark.parametrize(
    "item",
    [
        upload_of(VIDEO_ID, size=SIZE - 1),
        upload_of(VIDEO_ID, published_at=NOW - timedelta(hours=1)),
    ],
)
def test_a_video_that_is_another_one_is_no_trace(item: dict[str, object]) -> None:
    assert isinstance(looked(searching(), OURS, listed(item), OURS, listed(item)), Starting)


@pytest.mark.parametrize(
    "items",
    [
        [],
        [upload_of(VIDEO_ID, size=None)],
        [upload_of(VIDEO_ID, size=None, title="Other")],
        [upload_of(VIDEO_ID, title="Renamed by its owner")],
    ],
)
def test_what_may_be_ours_is_looked_at_again_and_never_uploaded_again(items: list[dict[str, object]]) -> None:
    state, looks = searching(), 0
    while isinstance(YOUTUBE.next_step(state, NOW), Wait):
        assert isinstance(state, Searching)
        state, looks = after(state, OURS, listed(*items), now=state.next_at), looks + 1
    assert "may be it" in verdict(state)
    assert looks == 25


def test_ours_is_adopted_in_the_end_when_the_others_stay_unknown() -> None:
    page = uploads((VIDEO_ID, NOW), ("unknown", NOW))
    details = listed(upload_of(VIDEO_ID), upload_of("unknown", size=None))
    state = searching()
    while isinstance(state, Searching):
        state = after(state, page, details, now=state.next_at)
    assert isinstance(state, Processing)


def test_several_that_are_ours_are_left_to_a_person() -> None:
    page = uploads((VIDEO_ID, NOW), ("twin", NOW))
    state = looked(searching(), page, listed(upload_of(VIDEO_ID), upload_of("twin")))
    assert "2 videos that may be it" in verdict(state)
    assert "At sea" in verdict(state)


def test_a_full_first_page_may_hide_ours() -> None:
    page = uploads(*((f"other-{number}", NOW) for number in range(50)), nextPageToken="more")
    details = listed(*(upload_of(f"other-{number}", size=1) for number in range(50)))
    state = looked(searching(), page, details, page, details, page, details)
    assert isinstance(state, Searching)
    assert state.looks == 0


def test_videos_given_up_before_are_not_ours() -> None:
    state = searching()
    assert isinstance(state, Searching)
    state = YOUTUBE.load({**YOUTUBE.dump(state), "post": {**YOUTUBE.dump(state)["post"], "superseded": [VIDEO_ID]}})
    assert isinstance(looked(state, OURS, OURS), Starting)


def test_without_a_known_channel_it_is_asked_for_first() -> None:
    quota = refused(403, "quotaExceeded")
    state = after(YOUTUBE.begin(order()), quota, answer(200, location="/upload/x?upload_id=1"))
    for count in (1, 2, 3):
        state = after(state, stored_until(count * 1_048_576))
    state = after(state, refused(404, "notFound"))
    assert send(state, at(60)).label == "channels.list"
    known = after(state, channel(), now=at(60))
    assert send(known, at(60)).label == "playlistItems.list"
    assert "cannot be listed" in verdict(after(state, listed(), now=at(60)))


@pytest.mark.parametrize(
    ("reply", "kind"), [(refused(401, "authError"), TokenExpired), (answer(503), Unavailable), (answer(403), Rejected)]
)
def test_trouble_with_looking_is_no_look(reply: Answer, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        looked(searching(), reply)


def test_hurrying_does_not_bring_the_looks_together() -> None:
    state = looked(searching(), NONE)
    assert YOUTUBE.hurried(state, at(61)) == state


def test_a_person_who_asks_again_gets_two_new_looks() -> None:
    page = uploads((VIDEO_ID, NOW), ("twin", NOW))
    stuck = looked(searching(), page, listed(upload_of(VIDEO_ID), upload_of("twin")))
    for state in (YOUTUBE.again(stuck, at(5000)), YOUTUBE.hurried(stuck, at(5000))):
        first = after(state, NONE, now=at(5000))
        assert isinstance(first, Searching)
        assert first.looks == 1
        assert isinstance(YOUTUBE.next_step(first, at(5000)), Wait)


def test_after_too_many_sessions_a_person_decides() -> None:
    state = searching()
    assert isinstance(state, Searching)
    dumped = YOUTUBE.dump(state)
    worn = YOUTUBE.load({**dumped, "post": {**dumped["post"], "restarts": MAX_RESTARTS}})
    assert "no video has shown up" in verdict(looked(worn, NONE, NONE))


def test_a_lost_answer_asks_the_same_again() -> None:
    step = send(searching(), at(60))
    assert send(step.meanwhile, at(60)).request == step.request
    with pytest.raises(IllegalTransition):
        YOUTUBE.received(searching(), NONE, at(60))


def test_the_new_session_has_a_name_of_its_own() -> None:
    """The driver learns from it that nothing can be visible any more."""
    again = looked(searching(), NONE, NONE)
    assert isinstance(again, Starting)
    assert YOUTUBE.reference(again) is None
    assert again.post.channel == Channel("UC1234567890123456789012", UPLOADS, "allowed")
    assert isinstance(YOUTUBE.next_step(again, at(360)), Send)
    assert isinstance(after(again, answer(200, location="/upload/y?upload_id=2"), now=at(360)), Uploading)
