"""Asking how a post is doing, the end of it, and what comes after the end."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from clipcast.errors import PlatformError, ReconnectRequired, Rejected, Throttled, TokenExpired
from clipcast.platforms.base import Answer, Done, Order, Send, Stage, Step, Undecidable
from clipcast.platforms.tiktok import TikTokState
from clipcast.platforms.tiktok.errors import FAIL_REASONS
from clipcast.platforms.tiktok.states import Finished, Processing, Starting
from pure.tiktok.orders import (
    NOW,
    TIKTOK,
    after,
    answer,
    at,
    creator_info,
    direct,
    inbox,
    ok,
    photos,
    processing,
    refused,
    send,
    status,
    stored,
    video,
    wait,
)

HOUR = 3600
BUSY = status("PROCESSING_UPLOAD", uploaded_bytes=5_000_000)
SMALL = direct(media=(video(size_bytes=5_000_000),))


def asked(state: TikTokState, reply: Answer) -> TikTokState:
    """The state after the next poll, made when it is due."""
    assert isinstance(state, Processing)
    return after(state, reply, now=state.next_at)


def due(state: TikTokState) -> float:
    assert isinstance(state, Processing)
    return (state.next_at - NOW).total_seconds()


def done(state: TikTokState, seconds: float = 0) -> Done:
    step: Step = TIKTOK.next_step(state, at(seconds))
    assert isinstance(step, Done), step
    return step


def over(order: Order, *, ids: list[int] | None = None) -> TikTokState:
    return after(processing(order), status("PUBLISH_COMPLETE", publicaly_available_post_id=ids), now=at(3))


def test_polls_come_gently() -> None:
    state, moments = processing(), [3.0]
    for _ in range(12):
        state = asked(state, BUSY)
        moments.append(due(state))
    assert [later - sooner for sooner, later in pairwise(moments)] == [5, 10, *[20] * 6, *[30] * 4]
    assert wait(state, at(moments[-1] - 1)).why == "TikTok is processing the post"


def test_a_long_absence_and_trouble_with_asking_do_not_end_it_at_once() -> None:
    """One 503 after two days away is TikTok's trouble, not a verdict; eight in a row are enough."""
    state, now = processing(), at(48 * HOUR)
    for _ in range(8):
        assert isinstance(state, Processing)
        assert state.verdict == ""
        state = after(state, refused(503, "internal_error"), now=now)
        now += timedelta(minutes=15)
    assert isinstance(TIKTOK.next_step(state, now), Undecidable)
    assert isinstance(after(TIKTOK.hurried(state, now), status("PUBLISH_COMPLETE"), now=now), Finished)


def test_a_day_without_any_answer_ends_too() -> None:
    state: TikTokState = processing()
    for _ in range(300):
        step = TIKTOK.next_step(state, NOW)
        if isinstance(step, Undecidable):
            break
        state = asked(state, refused(503, "internal_error"))
    assert isinstance(TIKTOK.next_step(state, NOW), Undecidable)


@pytest.mark.parametrize("word", ["PROCESSING_UPLOAD", "PROCESSING_DOWNLOAD", "PROCESSING", "PUBLISHED", "", "SOMETHING_NEW"])
def test_an_unknown_status_counts_as_still_processing(word: str) -> None:
    assert isinstance(asked(processing(), status(word)), Processing)


def test_after_an_hour_it_is_uncertain_and_polls_are_slow() -> None:
    state = after(processing(), BUSY, now=at(HOUR))
    assert TIKTOK.stage(state) is Stage.UNCERTAIN
    assert due(state) == HOUR + 900


def test_after_a_day_a_person_must_look() -> None:
    state = after(processing(), BUSY, now=at(24 * HOUR))
    step = TIKTOK.next_step(state, at(24 * HOUR))
    assert isinstance(step, Undecidable)
    assert "24 hours ago" in step.why
    assert "v_pub_file~v2-1.1" in step.why


def test_a_long_absence_ends_with_one_more_question_not_with_a_guess() -> None:
    assert send(processing(), at(72 * HOUR)).label == "status"
    assert isinstance(after(processing(), status("PUBLISH_COMPLETE"), now=at(72 * HOUR)), Finished)


@pytest.mark.parametrize(
    "reply",
    [
        refused(500, "internal_error"),
        answer(502, b"<html>Bad gateway</html>"),
        answer(200, b""),
        answer(403, b"<html>Forbidden</html>"),
        refused(400, "invalid_params", "something"),
        answer(200, {"data": {"status": ["PUBLISH_COMPLETE"]}, "error": {"code": "ok"}}),
        answer(200, {"data": {"status": "FAILED"}}),
    ],
)
def test_trouble_with_asking_never_means_that_the_post_failed(reply: Answer) -> None:
    state = asked(processing(), reply)
    assert isinstance(state, Processing)
    assert due(state) == 8
    assert wait(state, at(4)).why == state.trouble != ""


@pytest.mark.parametrize(("headers", "pause_s"), [({}, 60), ({"retry_after": "300"}, 300), ({"retry_after": "1"}, 5)])
def test_too_many_questions_are_followed_by_a_pause(headers: dict[str, str], pause_s: int) -> None:
    reply = answer(429, {"error": {"code": "rate_limit_exceeded"}}, **headers)
    assert due(asked(processing(), reply)) == 3 + pause_s


@pytest.mark.parametrize(
    "reply",
    [refused(400, "invalid_publish_id"), refused(400, "invalid_params", "invalid_publish_id"), refused(400, "invalid_publish_id", "x")],
)
def test_right_after_init_the_id_may_be_unknown(reply: Answer) -> None:
    early = asked(processing(), reply)
    assert (due(early), TIKTOK.stage(early)) == (8, Stage.PROCESSING)
    late = after(processing(), reply, now=at(31))
    assert (due(late), TIKTOK.stage(late)) == (31 + 900, Stage.UNCERTAIN)


def test_an_id_that_stays_unknown_is_left_to_a_person() -> None:
    state = after(processing(), refused(400, "invalid_publish_id"), now=at(24 * HOUR))
    assert isinstance(TIKTOK.next_step(state, at(24 * HOUR)), Undecidable)


@pytest.mark.parametrize(
    ("http_status", "code", "kind"),
    [
        (401, "access_token_invalid", TokenExpired),
        (401, "scope_not_authorized", ReconnectRequired),
        (400, "token_not_authorized_for_specified_publish_id", ReconnectRequired),
    ],
)
def test_what_only_the_account_can_solve_is_raised(http_status: int, code: str, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        asked(processing(), refused(http_status, code))


STOP = [
    ("file_format_check_failed", Rejected),
    ("duration_check_failed", Rejected),
    ("frame_rate_check_failed", Rejected),
    ("picture_size_check_failed", Rejected),
    ("publish_cancelled", Rejected),
    ("auth_removed", ReconnectRequired),
    ("spam_risk_user_banned_from_posting", Rejected),
    ("spam_risk_text", Rejected),
    ("spam_risk", Rejected),
    ("a_reason_of_tomorrow", Rejected),
    ("", Rejected),
]
START_OVER = ["internal", "video_pull_failed", "photo_pull_failed"]


@pytest.mark.parametrize(("reason", "kind"), STOP)
def test_each_reason_that_ends_a_post(reason: str, kind: type[PlatformError]) -> None:
    with pytest.raises(kind) as caught:
        asked(processing(), status("FAILED", fail_reason=reason))
    error = caught.value
    assert (error.platform_code, error.post_failed, error.http_status, error.log_id) == (reason or "failed", True, 200, "20261001")
    assert reason not in FAIL_REASONS or error.sentence == FAIL_REASONS[reason].sentence


def test_the_tables_of_these_tests_know_every_reason() -> None:
    assert {reason for reason, _ in STOP} | {*START_OVER, "spam_risk_too_many_posts"} >= set(FAIL_REASONS)


@pytest.mark.parametrize("reason", START_OVER)
def test_tiktoks_own_trouble_starts_over_three_times(reason: str) -> None:
    """TikTok said FAILED, so the old publish_id can never become a post and a new init is safe."""
    state: TikTokState = processing()
    for pause_s in (60, 120, 240):
        state = asked(state, status("FAILED", fail_reason=reason))
        assert isinstance(state, Starting)
        assert wait(state, at(3)).until == at(3 + pause_s)
        assert TIKTOK.stage(state) is Stage.UPLOADING
        polling = processing()
        assert isinstance(polling, Processing)
        state = Processing(post=state.post, publish_id=polling.publish_id, since=NOW, next_at=at(3))
    with pytest.raises(Rejected) as caught:
        asked(state, status("FAILED", fail_reason=reason))
    assert (caught.value.platform_code, caught.value.post_failed) == (reason, True)


def test_a_full_daily_cap_is_waited_out_and_then_begun_anew() -> None:
    state = asked(processing(SMALL), status("FAILED", fail_reason="spam_risk_too_many_posts"))
    waiting = wait(state, at(HOUR))
    assert (waiting.until, "daily number" in waiting.why) == (at(HOUR + 3), True)
    assert send(state, at(HOUR + 3)).label == "creator_info"
    assert send(after(state, creator_info(), now=at(HOUR + 3)), at(HOUR + 3)).label == "video.init"


def test_a_cap_that_stays_full_for_two_days_ends_the_post() -> None:
    state: TikTokState = processing()
    for _ in range(48):
        state = asked(state, status("FAILED", fail_reason="spam_risk_too_many_posts"))
        state = Processing(post=state.post, publish_id="again", since=NOW, next_at=at(3))
    with pytest.raises(Rejected) as caught:
        asked(state, status("FAILED", fail_reason="spam_risk_too_many_posts"))
    assert not isinstance(caught.value, Throttled)


def test_a_post_that_failed_may_be_tried_again_by_hand() -> None:
    """The state still points at the failed publish_id: it is asked about once, and TikTok's FAILED starts afresh."""
    again = TIKTOK.again(processing(), at(100))
    assert send(again, at(100)).label == "status"
    state = after(again, status("FAILED", fail_reason="duration_check_failed"), now=at(100))
    assert isinstance(state, Starting)
    assert (state.post.superseded, state.post.forgiving) == (("v_pub_file~v2-1.1",), False)


def test_a_post_that_timed_out_and_is_live_after_all_is_not_posted_twice() -> None:
    timed_out = after(processing(), BUSY, now=at(24 * HOUR))
    again = TIKTOK.again(timed_out, at(30 * HOUR))
    state = after(again, status("PUBLISH_COMPLETE", publicaly_available_post_id=[5]), now=at(30 * HOUR))
    assert done(state, 30 * HOUR).external_id == "5"


def test_hurrying_asks_at_once_even_after_giving_up() -> None:
    assert send(TIKTOK.hurried(processing(), NOW), NOW).label == "status"
    given_up = after(processing(), BUSY, now=at(24 * HOUR))
    assert send(TIKTOK.hurried(given_up, at(25 * HOUR)), at(25 * HOUR)).label == "status"


def test_hurrying_does_not_shorten_a_full_cap() -> None:
    state = asked(processing(), status("FAILED", fail_reason="spam_risk_too_many_posts"))
    assert TIKTOK.hurried(state, at(60)) == state


@pytest.mark.parametrize(
    ("order", "link"),
    [
        (SMALL, "https://www.tiktok.com/@skipper/video/7301234567890123456"),
        (photos(), "https://www.tiktok.com/@skipper/photo/7301234567890123456"),
        (inbox(media=(video(size_bytes=5_000_000),), username="@skipper"), "https://www.tiktok.com/@skipper/video/7301234567890123456"),
        (inbox(media=(video(size_bytes=5_000_000),), username=""), None),
    ],
)
def test_the_link_needs_the_creators_name(order: Order, link: str | None) -> None:
    step = done(over(order, ids=[7301234567890123456]))
    assert (step.external_id, step.external_url, step.look_again_at) == ("7301234567890123456", link, None)


def test_one_draft_may_become_several_posts() -> None:
    step = done(over(inbox(media=(video(size_bytes=5_000_000),)), ids=[11, 12]))
    assert (step.outcome, step.external_id) == ("published", "11")
    assert "2 posts" in step.note


@pytest.mark.parametrize("ids", [None, []])
def test_published_without_a_link_looks_again_for_a_day(ids: list[int] | None) -> None:
    """Every three minutes for an hour, then hourly to a day, then not any more."""
    state, gaps, now = over(SMALL, ids=ids), [], at(3)
    while (moment := done(state, (now - NOW).total_seconds()).look_again_at) is not None:
        gaps.append((moment - now).total_seconds())
        now = moment
        state = after(state, status("PUBLISH_COMPLETE", publicaly_available_post_id=[]), now=now)
    assert gaps == [180] * 20 + [3600] * 23
    assert "has not given a link" in done(state, 25 * HOUR).note


def test_the_link_is_folded_in_when_it_comes() -> None:
    state = over(SMALL)
    first = done(state)
    assert (first.external_id, first.external_url, first.outcome) == (None, None, "published")
    assert "moderation" in first.note
    state = after(state, status("PUBLISH_COMPLETE", publicaly_available_post_id=[8]), now=at(200))
    assert done(state, 200) == Done("published", "8", "https://www.tiktok.com/@skipper/video/8")


@pytest.mark.parametrize("privacy", ["private", "friends", "followers"])
def test_a_post_that_not_everyone_sees_has_no_link_to_wait_for(privacy: str) -> None:
    levels = ["SELF_ONLY", "MUTUAL_FOLLOW_FRIENDS", "FOLLOWER_OF_CREATOR"]
    order = direct(media=(video(size_bytes=5_000_000),), privacy=privacy)
    state = after(TIKTOK.begin(order), creator_info(privacy_level_options=levels))
    state = after(state, ok({"publish_id": "p", "upload_url": "https://open-upload.tiktokapis.com/upload"}), answer(201))
    step = done(after(state, status("PUBLISH_COMPLETE"), now=at(3)))
    assert (step.outcome, step.external_id, step.look_again_at) == ("published", None, None)
    assert "no link" in step.note


def test_a_hint_that_a_private_post_became_public_is_followed() -> None:
    state = over(direct(media=(video(size_bytes=5_000_000),), extra={"post_info": {"privacy_level": "SELF_ONLY"}}))
    assert done(state).look_again_at is None
    hinted = TIKTOK.hurried(state, at(99))
    assert done(after(hinted, status("PUBLISH_COMPLETE", publicaly_available_post_id=[9]), now=at(99))).external_id == "9"
    assert done(after(hinted, status("PUBLISH_COMPLETE"), now=at(99))).look_again_at is None


def test_a_draft_is_done_when_it_is_in_the_inbox() -> None:
    state = after(processing(inbox(media=(video(size_bytes=5_000_000),))), status("SEND_TO_USER_INBOX"), now=at(3))
    step = done(state, 3)
    assert (step.outcome, step.external_id, step.look_again_at) == ("inbox", None, at(3 + HOUR))
    assert "inbox" in step.note


def test_a_draft_that_its_creator_posts_becomes_published() -> None:
    state = after(processing(inbox(media=(video(size_bytes=5_000_000),))), status("SEND_TO_USER_INBOX"), now=at(3))
    state = after(state, status("SEND_TO_USER_INBOX"), now=at(3 + HOUR))
    assert done(state, 3 + HOUR).look_again_at == at(3 + 2 * HOUR)
    state = after(state, status("PUBLISH_COMPLETE"), now=at(3 + 2 * HOUR))
    assert (done(state, 3 + 2 * HOUR).outcome, done(state, 3 + 2 * HOUR).look_again_at) == ("published", at(3 + 2 * HOUR + 180))


def test_a_draft_that_is_never_posted_stays_delivered() -> None:
    state, now = after(processing(inbox(media=(video(size_bytes=5_000_000),))), status("SEND_TO_USER_INBOX"), now=at(3)), at(3)
    for _ in range(24):
        now += timedelta(hours=1)
        state = after(state, status("SEND_TO_USER_INBOX"), now=now)
    assert (done(state, 30 * HOUR).outcome, done(state, 30 * HOUR).look_again_at) == ("inbox", None)


@pytest.mark.parametrize(
    "reply",
    [
        refused(500, "internal_error"),
        refused(401, "scope_not_authorized"),
        refused(400, "invalid_publish_id"),
        answer(200, b"<html>"),
        status("PROCESSING_UPLOAD"),
        status("SEND_TO_USER_INBOX"),
    ],
)
def test_nothing_that_is_heard_later_undoes_success(reply: Answer) -> None:
    state = after(over(SMALL), reply, now=at(200))
    assert (done(state, 200).outcome, done(state, 200).look_again_at) == ("published", at(380))


def test_a_late_failure_is_told_and_ends_the_looking() -> None:
    state = after(over(SMALL), status("FAILED", fail_reason="spam_risk"), now=at(200))
    assert (done(state, 200).outcome, done(state, 200).look_again_at) == ("published", None)
    assert "FAILED spam_risk." in done(state, 200).note


def test_an_expired_token_is_renewed_before_looking_again() -> None:
    with pytest.raises(TokenExpired):
        after(over(SMALL), refused(401, "access_token_invalid"), now=at(200))


def test_another_try_of_something_done_only_looks() -> None:
    state = over(SMALL)
    assert isinstance(TIKTOK.next_step(TIKTOK.again(state, at(10)), at(10)), Send)
    linked = over(SMALL, ids=[3])
    assert TIKTOK.again(linked, at(10)) == linked


@pytest.mark.parametrize(
    "value", [{"status": None}, {"status": "PROCESSING_UPLOAD", "uploaded_bytes": None}, {}, {"status": "X", "new": [1]}]
)
def test_missing_and_unknown_fields_are_no_trouble(value: dict[str, Any]) -> None:
    state = asked(processing(), ok(value))
    assert isinstance(state, Processing)
    assert state.trouble == ""


def test_the_stage_of_something_done_is_never_uncertain() -> None:
    assert TIKTOK.stage(stored(over(SMALL))) is Stage.PROCESSING
    assert TIKTOK.progress(over(SMALL)) == (5_000_000, 5_000_000)
