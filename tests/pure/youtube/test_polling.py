"""The video is with YouTube: how often we ask, what each answer means, when we stop."""

from datetime import timedelta

import pytest

from clipcast.errors import PlatformError, ReconnectRequired, Rejected, TokenExpired
from clipcast.platforms.base import Answer, Done, Undecidable
from clipcast.platforms.youtube import YouTubeState
from clipcast.platforms.youtube.limits import PROCESSING_PATIENCE
from clipcast.platforms.youtube.reasons import FAILURES, PROCESSING_FAILURES, REJECTIONS
from clipcast.platforms.youtube.states import Finished, Processing, Starting
from pure.youtube.orders import (
    NOW,
    VIDEO_ID,
    YOUTUBE,
    after,
    answer,
    at,
    before_the_last_chunk,
    cover,
    created,
    doing,
    listed,
    order,
    processing,
    refused,
    send,
    wait,
)

PATIENCE_S = PROCESSING_PATIENCE.total_seconds()


def polled(state: YouTubeState, reply: Answer, *, seconds: float = 10) -> YouTubeState:
    return after(state, reply, now=at(seconds))


def test_it_asks_for_status_and_processing() -> None:
    step = send(processing(), at(10))
    assert (step.label, step.irreversible) == ("videos.list", False)
    assert step.request.url == f"https://www.googleapis.com/youtube/v3/videos?part=status,processingDetails&id={VIDEO_ID}"


def test_it_asks_less_and_less_often() -> None:
    state, moments = processing(), []
    for _ in range(8):
        assert isinstance(state, Processing)
        moments.append(state.next_at)
        state = after(state, doing("uploaded", "processing"), now=state.next_at)
    pauses = [(later - earlier).total_seconds() for earlier, later in zip([NOW, *moments], moments, strict=False)]
    assert pauses == [10, 20, 40, 80, 160, 300, 300, 300]


@pytest.mark.parametrize("processing_status", ["", "processing", "succeeded", "terminated"])
def test_processed_is_published(processing_status: str) -> None:
    state = polled(processing(), doing("processed", processing_status))
    assert YOUTUBE.next_step(state, at(10)) == Done("published", VIDEO_ID, f"https://www.youtube.com/watch?v={VIDEO_ID}")


@pytest.mark.parametrize(
    "reply",
    [
        doing("uploaded"),
        doing("uploaded", "terminated"),
        doing("something new"),
        listed(),
        listed({"id": "another"}),
        answer(503),
        answer(200, b"<html>"),
        refused(403, "accessNotConfigured"),
        refused(403, "forbidden"),
    ],
)
def test_everything_else_is_asked_again(reply: Answer) -> None:
    assert wait(polled(processing(), reply), at(10)).until == at(30)


def test_a_full_quota_is_waited_out() -> None:
    state = polled(processing(), refused(403, "quotaExceeded"))
    assert wait(state, at(10)).until.isoformat() == "2026-11-21T08:01:00+00:00"


@pytest.mark.parametrize(
    ("reply", "kind"), [(refused(401, "authError"), TokenExpired), (refused(403, "insufficientPermissions"), ReconnectRequired)]
)
def test_what_the_owner_must_mend_is_said(reply: Answer, kind: type[PlatformError]) -> None:
    with pytest.raises(kind):
        polled(processing(), reply)


@pytest.mark.parametrize(
    ("reply", "code", "sentence"),
    [
        *((doing("failed", failureReason=code), code, sentence) for code, sentence in FAILURES.items() if code != "uploadAborted"),
        *((doing("rejected", rejectionReason=code), code, sentence) for code, sentence in REJECTIONS.items()),
        (
            doing("failed", failureReason="novelty"),
            "novelty",
            "YouTube could not process the video (novelty); YouTube Studio may say more.",
        ),
        (doing("rejected"), "rejected", "YouTube rejected the video and gave no reason; YouTube Studio may say more."),
        (doing("deleted"), "deleted", "The video was deleted on YouTube before it was processed."),
    ],
)
def test_each_failure_is_final_and_has_its_sentence(reply: Answer, code: str, sentence: str) -> None:
    with pytest.raises(Rejected) as caught:
        polled(processing(), reply)
    assert (caught.value.platform_code, caught.value.sentence, caught.value.post_failed) == (code, sentence, True)


def test_a_broken_transfer_is_sent_again_and_its_video_forgotten() -> None:
    state = polled(processing(), doing("failed", failureReason="uploadAborted"))
    assert isinstance(state, Starting)
    assert (state.post.superseded, state.post.restarts) == ((VIDEO_ID,), 1)


def test_another_try_by_hand_asks_first_and_then_begins_afresh() -> None:
    state = YOUTUBE.again(processing(), at(100))
    assert send(state, at(100)).label == "videos.list"
    assert isinstance(after(state, doing("failed", failureReason="codec"), now=at(100)), Starting)
    assert isinstance(after(state, doing("processed"), now=at(100)), Finished)


@pytest.mark.parametrize(("why", "words"), [*PROCESSING_FAILURES.items(), ("novelty", PROCESSING_FAILURES["other"])])
def test_failed_processing_waits_for_youtubes_verdict_and_then_for_a_person(why: str, words: str) -> None:
    state = polled(processing(), doing("uploaded", "failed", why))
    assert words in wait(state, at(10)).why
    step = YOUTUBE.next_step(polled(state, doing("uploaded", "failed", why), seconds=1800), at(1800))
    assert isinstance(step, Undecidable)
    assert VIDEO_ID in step.why


def test_a_video_that_is_never_listed_is_left_to_a_person() -> None:
    state = polled(polled(processing(), listed()), listed(), seconds=1800)
    step = YOUTUBE.next_step(state, at(1800))
    assert isinstance(step, Undecidable)
    assert VIDEO_ID in step.why
    assert send(YOUTUBE.hurried(state, at(1801)), at(1801)).label == "videos.list"


@pytest.mark.parametrize("reply", [doing("uploaded", "processing"), answer(503), refused(403, "quotaExceeded")])
def test_after_hours_we_stop_waiting_but_the_video_is_there(reply: Answer) -> None:
    done = YOUTUBE.next_step(polled(processing(), reply, seconds=PATIENCE_S), at(PATIENCE_S))
    assert isinstance(done, Done)
    assert (done.external_id, done.look_again_at) == (VIDEO_ID, at(PATIENCE_S + 3600))
    assert "still processing" in done.note


def test_hurrying_asks_at_once() -> None:
    state = YOUTUBE.hurried(processing(), at(1))
    assert send(state, at(1)).label == "videos.list"
    assert YOUTUBE.hurried(state, at(2)) == state


def test_with_a_cover_to_set_processing_has_to_be_over() -> None:
    """A Short's cover is lost when it is set too early."""
    state = processing(order(cover=cover()))
    state = polled(state, doing("processed", "processing"))
    assert wait(state, at(10)).until == at(30)
    assert send(polled(state, doing("processed", "succeeded"), seconds=30), at(30)).label == "thumbnails.set"
    late = polled(state, doing("processed", "processing"), seconds=PATIENCE_S)
    assert send(late, at(PATIENCE_S)).label == "thumbnails.set"


def test_the_first_privacy_is_remembered_for_the_case_that_asking_never_works() -> None:
    state = after(before_the_last_chunk(), created(privacyStatus="private"))
    done = YOUTUBE.next_step(polled(state, answer(503), seconds=PATIENCE_S), at(PATIENCE_S))
    assert isinstance(done, Done)
    assert "private instead of public" in done.note


def test_patience_counts_from_the_last_byte() -> None:
    state = processing()
    assert isinstance(state, Processing)
    assert state.since == NOW
    early = at((PROCESSING_PATIENCE - timedelta(seconds=1)).total_seconds())
    assert isinstance(after(state, doing("uploaded"), now=early), Processing)
