"""Success, and what is still to do or to say: the cover, the privacy, the hour of going public."""

from typing import Any

import pytest

from clipcast.errors import IllegalTransition, TokenExpired
from clipcast.platforms.base import Answer, Done, FileRange, Order, Stage
from clipcast.platforms.youtube import YouTubeState
from clipcast.platforms.youtube.limits import LATE_PATIENCE, MAX_COVER_TRIES, PROCESSING_PATIENCE
from pure.youtube.orders import (
    VIDEO_ID,
    YOUTUBE,
    after,
    answer,
    at,
    cover,
    doing,
    finished,
    listed,
    lost,
    order,
    processing,
    refused,
    send,
    video,
)

HOUR = 3600
PATIENCE_S = PROCESSING_PATIENCE.total_seconds()
SET = answer(200, {"kind": "youtube#thumbnailSetResponse", "items": [{"default": {"url": "https://i.ytimg.com/1"}}]})
TO_COME = order(privacy="private", options={"publish_at": at(HOUR).isoformat()})
WHEN = "2026-11-20 13:00 UTC"


def done(state: YouTubeState, seconds: float = 10) -> Done:
    step = YOUTUBE.next_step(state, at(seconds))
    assert isinstance(step, Done), step
    return step


def seen(chosen: Order, reply: Answer, seconds: float = 10) -> Done:
    return done(after(processing(chosen), reply, now=at(seconds)), seconds)


def covered(**changes: Any) -> YouTubeState:
    return finished(order(cover=cover(**changes)))


# The address


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"width": 1080, "height": 1920}, "shorts/"),
        ({"width": 1080, "height": 1080, "duration_s": 180.0}, "shorts/"),
        ({"width": 1080, "height": 1920, "duration_s": 180.1}, "watch?v="),
        ({"width": 1080, "height": 1920, "duration_s": None}, "watch?v="),
        ({"width": 1920, "height": 1080}, "watch?v="),
    ],
)
def test_short_vertical_videos_have_the_address_of_a_short(changes: dict[str, Any], path: str) -> None:
    assert done(finished(order(media=(video(**changes),)))).external_url == f"https://www.youtube.com/{path}{VIDEO_ID}"


# Who can see it


@pytest.mark.parametrize("privacy", ["public", "unlisted", "private"])
def test_the_privacy_that_was_asked_for_needs_no_words(privacy: str) -> None:
    assert seen(order(privacy=privacy), doing("processed", privacyStatus=privacy)).note == ""


@pytest.mark.parametrize(("asked", "got"), [("public", "private"), ("private", "public"), ("unlisted", "public")])
def test_another_privacy_than_asked_for_is_never_silent(asked: str, got: str) -> None:
    assert seen(order(privacy=asked), doing("processed", privacyStatus=got)).note == (
        f"YouTube set the privacy to {got} instead of {asked}; change it in YouTube Studio."
    )


def test_a_privacy_that_youtube_does_not_tell_is_said() -> None:
    assert "has not said" in seen(order(), doing("processed", privacyStatus="")).note


def test_the_audience_that_youtube_decides_on_is_said() -> None:
    assert "made for kids" in seen(order(), doing("processed", madeForKids=True)).note
    assert seen(order(options={"made_for_kids": True}), doing("processed", madeForKids=True)).note == ""


@pytest.mark.parametrize(
    ("seconds", "status", "note", "look_s"),
    [
        (
            10,
            {"privacyStatus": "private", "publishAt": at(HOUR).isoformat()},
            f"Private until {WHEN}; YouTube makes it public then.",
            HOUR + 600,
        ),
        (10, {"privacyStatus": "private"}, f"YouTube has not taken over the time {WHEN} to go public", HOUR + 600),
        (10, {"privacyStatus": "public"}, "YouTube made the video public already", None),
        (10, {"privacyStatus": "unlisted"}, "YouTube set the privacy to unlisted", None),
        (HOUR + 60, {"privacyStatus": "private"}, f"Private until {WHEN}", HOUR + 600),
        (HOUR + 60, {"privacyStatus": "public"}, "", None),
        (HOUR + 600, {"privacyStatus": "private"}, f"YouTube was to make the video public at {WHEN} and has not", 2 * HOUR + 600),
        (4 * HOUR, {"privacyStatus": "private"}, f"YouTube was to make the video public at {WHEN} and has not", None),
    ],
)
def test_a_video_that_goes_public_by_itself(seconds: float, status: dict[str, str], note: str, look_s: float | None) -> None:
    found = seen(TO_COME, doing("processed", **status), seconds)
    assert found.note.startswith(note)
    assert bool(found.note) == bool(note)
    assert found.look_again_at == (at(look_s) if look_s else None)


def test_after_its_hour_the_note_is_gone() -> None:
    waiting = finished(TO_COME, privacyStatus="private", publishAt=at(HOUR).isoformat())
    assert send(waiting, at(HOUR + 600)).label == "videos.list"
    public = after(waiting, doing("processed", privacyStatus="public"), now=at(HOUR + 600))
    assert (done(public, HOUR + 600).note, done(public, HOUR + 600).look_again_at) == ("", None)


# Later looks


def unprocessed(chosen: Order | None = None) -> YouTubeState:
    return after(processing(chosen), doing("uploaded", "processing"), now=at(PATIENCE_S))


LATER_S = PATIENCE_S + HOUR


def test_late_processing_clears_the_note() -> None:
    state = after(unprocessed(), doing("processed"), now=at(LATER_S))
    assert (done(state, LATER_S).note, done(state, LATER_S).look_again_at) == ("", None)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (doing("failed", failureReason="codec"), "By now: YouTube does not support the video's codec"),
        (doing("rejected", rejectionReason="copyright"), "By now: YouTube rejected the video for infringing a copyright"),
        (doing("deleted"), "By now: The video was deleted"),
        (listed(), "does not list the video any more"),
    ],
)
def test_a_late_failure_is_told_and_stays_a_success(reply: Answer, words: str) -> None:
    found = done(after(unprocessed(order(cover=cover())), reply, now=at(LATER_S)), LATER_S)
    assert words in found.note
    assert (found.outcome, found.look_again_at) == ("published", None)


def test_a_late_look_in_vain_is_repeated_for_two_days() -> None:
    state = after(unprocessed(), answer(503), now=at(LATER_S))
    assert done(state, LATER_S).look_again_at == at(LATER_S + HOUR)
    end_s = LATE_PATIENCE.total_seconds()
    state = after(state, answer(503), now=at(end_s))
    assert done(state, end_s).look_again_at is None
    assert "still processing" in done(state, end_s).note


def test_a_late_look_needs_a_token() -> None:
    with pytest.raises(TokenExpired):
        after(unprocessed(), refused(401, "authError"), now=at(LATER_S))


def test_hurrying_looks_only_where_there_is_something_to_learn() -> None:
    assert send(YOUTUBE.hurried(unprocessed(), at(PATIENCE_S + 1)), at(PATIENCE_S + 1)).label == "videos.list"
    assert YOUTUBE.hurried(finished(), at(20)) == finished()


# The cover


def test_the_cover_is_set_before_the_success_is_told() -> None:
    state = covered()
    step = send(state, at(10))
    assert (step.label, step.irreversible, YOUTUBE.stage(state)) == ("thumbnails.set", False, Stage.PROCESSING)
    assert step.request.url == f"https://www.googleapis.com/upload/youtube/v3/thumbnails/set?videoId={VIDEO_ID}&uploadType=media"
    assert (step.request.headers, step.request.body) == ({"Content-Type": "image/jpeg"}, FileRange("cover-1", 0, 400_000))
    found = done(after(state, SET, now=at(10)))
    assert (found.note, found.look_again_at) == ("", None)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (refused(403, "forbidden", domain="youtube.thumbnail"), "phone number"),
        (refused(400, "invalidImage"), "use a JPEG or PNG"),
        (refused(400, "mediaBodyRequired"), "no content"),
        (refused(400, "failedPrecondition"), "too large"),
        (refused(403, "insufficientPermissions"), "permission"),
    ],
)
def test_a_refused_cover_is_a_note(reply: Answer, words: str) -> None:
    found = done(after(covered(), reply, now=at(10)))
    assert words in found.note
    assert "set it in YouTube Studio" in found.note
    assert (found.outcome, found.look_again_at) == ("published", None)


@pytest.mark.parametrize(
    ("reply", "later_s"),
    [
        (refused(429, "uploadRateLimitExceeded"), 24 * HOUR),
        (refused(503, "backendError"), 300),
        (refused(404, "videoNotFound"), 300),
        (refused(401, "authError"), 300),
        (answer(308), 300),
    ],
)
def test_a_cover_that_may_be_set_later_is_tried_again_after_the_success(reply: Answer, later_s: float) -> None:
    state = after(covered(), reply, now=at(10))
    found = done(state)
    assert "not set yet" in found.note
    assert found.look_again_at == at(10 + later_s)
    assert done(after(state, SET, now=at(10 + later_s)), 10 + later_s).note == ""


def test_a_lost_answer_does_not_hold_up_the_success() -> None:
    assert "not set yet" in done(lost(covered(), at(10))).note


def test_the_cover_is_given_up_after_some_tries() -> None:
    state, now_s = covered(), 10.0
    for _ in range(MAX_COVER_TRIES):
        state = after(state, answer(503), now=at(now_s))
        now_s += 300
    found = done(state, now_s)
    assert "could not be set" in found.note
    assert found.look_again_at is None


def test_a_later_try_needs_a_token() -> None:
    state = after(covered(), answer(503), now=at(10))
    with pytest.raises(TokenExpired):
        after(state, refused(401, "authError"), now=at(310))


def test_a_video_that_is_still_processing_gets_its_cover_later() -> None:
    state = unprocessed(order(cover=cover()))
    assert "not set yet" in done(state, PATIENCE_S).note
    state = after(state, doing("processed", "succeeded"), now=at(LATER_S))
    assert send(state, at(LATER_S)).label == "thumbnails.set"


def test_a_person_can_do_without_the_cover() -> None:
    """When its file is gone, for example."""
    found = done(YOUTUBE.again(covered(), at(20)), 20)
    assert "could not be set" in found.note
    assert found.external_id == VIDEO_ID
    assert YOUTUBE.again(finished(), at(20)) == finished()


def test_an_unasked_answer_is_a_bug() -> None:
    with pytest.raises(IllegalTransition):
        YOUTUBE.received(finished(), SET, at(10))
