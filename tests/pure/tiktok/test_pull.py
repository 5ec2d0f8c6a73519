"""Posts that TikTok fetches by URL: checked first, asked for once, and looked for when the answer got lost."""

from typing import Any

import pytest

from clipcast.errors import ConfigurationError, ReconnectRequired, Rejected, Throttled, TokenExpired, Unavailable
from clipcast.platforms.base import Answer, Json, MediaUrl, Order, Stage, Undecidable
from clipcast.platforms.tiktok import TikTokState
from clipcast.platforms.tiktok.states import Finished, Processing, Requested
from pure.tiktok.orders import (
    IMAGE,
    NOW,
    TIKTOK,
    VIDEO,
    after,
    answer,
    asked_to_pull,
    at,
    direct,
    inbox,
    ok,
    photos,
    processing,
    refused,
    send,
    served,
    status,
    stored,
    wait,
)

PULL = direct(transfer="pull")


def lost(order: Order = PULL) -> TikTokState:
    """Init left and its answer never came."""
    return stored(send(asked_to_pull(order)).meanwhile)


def listed(**changes: Any) -> dict[str, Any]:
    known = {
        "id": "7301",
        "create_time": int(NOW.timestamp()) + 60,
        "video_description": "A day at sea #boat",
        "title": "",
        "share_url": "https://www.tiktok.com/@skipper/video/7301?from=api",
    }
    return {**known, **changes}


def found(*videos: dict[str, Any]) -> Answer:
    return ok({"videos": list(videos), "cursor": 1, "has_more": False})


def looked(state: TikTokState, *answers: Answer) -> TikTokState:
    """The state after looking at these lists, each as soon as it is due."""
    for each in answers:
        assert isinstance(state, Requested)
        state = after(state, each, now=state.next_at)
    return state


def test_each_url_is_asked_for_without_a_token_before_anything_else() -> None:
    state = TIKTOK.begin(photos(3))
    for number in range(3):
        step = send(state)
        assert (step.label, step.request.method, step.request.authorized) == ("url.check", "HEAD", False)
        assert step.request.url == MediaUrl(f"image-{number}")
        state = after(state, served(IMAGE))
    assert send(state).label == "creator_info"


def test_a_content_type_may_carry_parameters() -> None:
    assert send(after(TIKTOK.begin(PULL), served(VIDEO, **{"content-type": "video/mp4; codecs=avc1"}))).label == "creator_info"


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (answer(302, b"", location="https://elsewhere.example/"), "follows no redirects"),
        (answer(404), "answered HTTP 404"),
        (answer(206, b"", content_type="video/mp4"), "answered HTTP 206"),
        (served(VIDEO, **{"content-type": "text/html"}), "serves text/html instead of video/mp4"),
        (served(VIDEO, **{"content-type": ""}), "serves no content type"),
        (served(VIDEO, **{"content-length": "100"}), "announces 100 bytes instead of 100000123"),
        (served(VIDEO, **{"content-length": ""}), "announces no bytes"),
    ],
)
def test_a_url_that_tiktok_could_not_fetch_is_refused_before_the_post(reply: Answer, words: str) -> None:
    with pytest.raises(Rejected, match=words) as caught:
        after(TIKTOK.begin(PULL), reply)
    assert "PUBLIC_URL" in str(caught.value)


def test_our_own_gateway_may_be_starting_up() -> None:
    with pytest.raises(Unavailable, match="HTTP 502"):
        after(TIKTOK.begin(PULL), answer(502))


def test_a_pulled_video_is_asked_for_by_url() -> None:
    step = send(asked_to_pull(PULL))
    assert (step.label, step.irreversible) == ("video.init", True)
    assert isinstance(step.request.body, Json)
    assert step.request.body.content["source_info"] == {"source": "PULL_FROM_URL", "video_url": MediaUrl("clip-1")}


def test_a_direct_photo_post_carries_everything() -> None:
    step = send(asked_to_pull(photos(2, cover_index=1, auto_add_music=True, ai_generated=True, allow_comments=False)))
    assert (step.label, step.irreversible) == ("photo.init", True)
    assert str(step.request.url).endswith("/v2/post/publish/content/init/")
    assert isinstance(step.request.body, Json)
    assert step.request.body.content == {
        "media_type": "PHOTO",
        "post_mode": "DIRECT_POST",
        "post_info": {
            "title": "At sea",
            "description": "A day at sea #boat",
            "privacy_level": "PUBLIC_TO_EVERYONE",
            "disable_comment": True,
            "brand_content_toggle": False,
            "brand_organic_toggle": False,
            "auto_add_music": True,
        },
        "source_info": {
            "source": "PULL_FROM_URL",
            "photo_images": [MediaUrl("image-0"), MediaUrl("image-1")],
            "photo_cover_index": 1,
        },
        "is_aigc": True,
    }


def test_a_photo_draft_carries_its_texts_only() -> None:
    step = send(asked_to_pull(photos(1, mode="inbox", auto_add_music=True)))
    assert isinstance(step.request.body, Json)
    content = step.request.body.content
    assert (content["post_mode"], content["post_info"]) == ("MEDIA_UPLOAD", {"title": "At sea", "description": "A day at sea #boat"})
    assert "is_aigc" not in content


@pytest.mark.parametrize("order", [PULL, inbox(transfer="pull"), photos(1), photos(35), photos(2, mode="inbox")])
def test_an_accepted_pull_is_polled(order: Order) -> None:
    state = processing(order)
    assert isinstance(state, Processing)
    assert (TIKTOK.reference(state), TIKTOK.progress(state), TIKTOK.stage(state)) == ("v_pub_url~v2.1", (0, 0), Stage.PROCESSING)


@pytest.mark.parametrize(
    ("http_status", "code", "kind"),
    [
        (403, "url_ownership_unverified", Rejected),
        (403, "spam_risk_too_many_pending_share", Throttled),
        (401, "access_token_invalid", TokenExpired),
        (401, "scope_not_authorized", ReconnectRequired),
        (429, "rate_limit_exceeded", Throttled),
    ],
)
def test_a_refused_pull_proves_that_nothing_was_posted(http_status: int, code: str, kind: type[Exception]) -> None:
    with pytest.raises(kind) as caught:
        after(asked_to_pull(PULL), refused(http_status, code))
    assert getattr(caught.value, "refused", None) is True


@pytest.mark.parametrize("reply", [refused(500, "internal_error"), answer(502, b"<html>"), ok({}), answer(200, b"<html>")])
def test_an_answer_that_proves_nothing_leaves_the_pull_in_doubt(reply: Answer) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011  # which of the two kinds is not the point here
        after(asked_to_pull(PULL), reply)
    assert getattr(caught.value, "refused", None) is False


def test_impatience_does_not_end_the_looking() -> None:
    """However often somebody asks in the first half hour, the post may still show up."""
    state = lost()
    for second in range(60):
        state = after(TIKTOK.hurried(state, at(second)), found(), now=at(second))
    assert isinstance(looked(state, found(listed())), Finished)


def test_after_a_lost_answer_init_is_never_sent_again() -> None:
    """However long we wait and whatever the profile shows, the only question left is the list of posts."""
    state, labels = lost(), set()
    for minute in range(0, 6000, 60):
        hurried = TIKTOK.hurried(state, at(60 * minute))
        labels.add(send(hurried, at(60 * minute)).label)
        state = after(hurried, found(), now=at(60 * minute))
    assert labels == {"video.list"}


def test_looking_is_uncertain_and_takes_its_time() -> None:
    state = lost()
    assert TIKTOK.stage(state) is Stage.UPLOADING  # the answer may still be on its way
    assert wait(state).until == at(30)
    assert TIKTOK.stage(send(state, at(30)).meanwhile) is Stage.UNCERTAIN


def test_a_post_that_shows_up_is_ours() -> None:
    state = looked(lost(), found(), found(listed(create_time=int(NOW.timestamp()) - 3600), listed()))
    assert isinstance(state, Finished)
    assert (state.external_id, state.external_url) == ("7301", "https://www.tiktok.com/@skipper/video/7301?from=api")
    assert state.look_again_at is None


LONG = "word " * 60


@pytest.mark.parametrize(
    ("order", "post", "ours"),
    [
        (PULL, listed(video_description="A  day\nat sea   #boat "), True),
        (PULL, listed(video_description="", title="A day at sea #boat"), True),
        (PULL, listed(video_description="A day at sea"), False),
        (PULL, listed(video_description="A day at sea #boat again"), False),
        (PULL, listed(create_time=int(NOW.timestamp()) - 59), True),
        (PULL, listed(create_time=int(NOW.timestamp()) - 61), False),
        (direct(transfer="pull", caption=LONG), listed(video_description=LONG[:150]), True),
        (direct(transfer="pull", caption=LONG), listed(video_description=LONG[:149] + "…"), True),
        (direct(transfer="pull", caption=LONG), listed(video_description=LONG[:100]), False),
        (direct(transfer="pull", caption="🎬" * 200), listed(video_description="🎬" * 150), True),
        (direct(transfer="pull", caption="🎬" * 200), listed(video_description="🎬" * 75), True),
        (direct(transfer="pull", caption=""), listed(video_description=""), True),
        (direct(transfer="pull", caption=""), listed(video_description="something"), False),
        (photos(1), listed(video_description="At sea"), True),
        (photos(1), listed(video_description="A day at sea #boat"), True),
        (photos(1), listed(video_description="At sea A day at sea #boat"), True),
        (direct(transfer="pull", extra={"post_info": {"title": "Renamed"}}), listed(video_description="Renamed"), True),
        (direct(transfer="pull", extra={"post_info": {"title": "Renamed"}}), listed(), False),
    ],
)
def test_a_post_is_recognised_by_its_caption_and_hour(order: Order, post: dict[str, Any], *, ours: bool) -> None:
    assert isinstance(looked(lost(order), found(post)), Finished) is ours


def test_several_candidates_are_left_to_a_person() -> None:
    step = TIKTOK.next_step(looked(lost(), found(listed(), listed(id="7302"))), at(60))
    assert isinstance(step, Undecidable)
    assert "2 posts with this caption" in step.why


def test_what_never_shows_up_is_left_to_a_person() -> None:
    """Six looks over half an hour, then a sentence that says where to look and what to do."""
    state = looked(lost(), *[found()] * 6)
    assert isinstance(state, Requested)
    step = TIKTOK.next_step(state, state.next_at)
    assert isinstance(step, Undecidable)
    assert "@skipper" in step.why
    assert "A day at sea #boat" in step.why
    assert TIKTOK.stage(state) is Stage.UNCERTAIN


@pytest.mark.parametrize(
    "reply",
    [refused(401, "scope_not_authorized"), refused(403, "something_new"), refused(400, "scope_permission_missed"), answer(403, b"")],
)
def test_a_missing_permission_to_list_is_no_reason_to_fail_the_account(reply: Answer) -> None:
    step = TIKTOK.next_step(looked(lost(), reply), at(60))
    assert isinstance(step, Undecidable)


def test_an_expired_token_is_renewed_before_looking() -> None:
    with pytest.raises(TokenExpired):
        looked(lost(), refused(401, "access_token_invalid"))


def test_trouble_with_listing_costs_time_but_no_look() -> None:
    state = looked(lost(), refused(500, "internal_error"), refused(429, "rate_limit_exceeded"), answer(200, b"<html>"))
    assert isinstance(state, Requested)
    assert (state.looks, state.verdict) == (0, "")
    assert state.next_at == at(30 + 30 + 60 + 30)


def test_trouble_with_listing_ends_after_a_day_but_not_at_the_first_question() -> None:
    """We may have been away for that day ourselves."""
    state = lost()
    for _ in range(8):
        assert isinstance(state, Requested)
        assert state.verdict == ""
        state = after(state, refused(500, "internal_error"), now=max(at(24 * 3600), state.next_at))
    assert isinstance(TIKTOK.next_step(state, at(48 * 3600)), Undecidable)


@pytest.mark.parametrize(
    ("order", "where"),
    [
        (direct(transfer="pull", privacy="private"), "profile"),
        (direct(transfer="pull", privacy="friends"), "profile"),
        (direct(transfer="pull", extra={"post_info": {"privacy_level": "SELF_ONLY"}}), "profile"),
        (inbox(transfer="pull"), "inbox"),
        (photos(2, mode="inbox"), "inbox"),
    ],
)
def test_what_cannot_be_listed_is_left_to_a_person_at_once(order: Order, where: str) -> None:
    step = TIKTOK.next_step(lost(order), NOW)
    assert isinstance(step, Undecidable)
    assert where in step.why


def test_another_try_by_hand_looks_first() -> None:
    given_up = looked(lost(), *[found()] * 6)
    again = TIKTOK.again(given_up, at(9000))
    assert send(again, at(9000)).label == "video.list"
    assert isinstance(after(again, found(listed()), now=at(9000)), Finished)


def test_a_pull_can_be_cancelled_while_tiktok_fetches() -> None:
    """Asked once, then only the status shows whether it worked."""
    state = TIKTOK.cancelling(processing(PULL))
    assert state is not None
    step = send(state)
    assert (step.label, str(step.request.url).endswith("/v2/post/publish/cancel/")) == ("cancel", True)
    assert send(after(state, ok())).label == "status"
    assert send(stored(step.meanwhile), at(5)).label == "status"  # the answer got lost: still asked only once


def test_a_cancellation_that_worked_ends_as_withdrawn() -> None:
    state = TIKTOK.cancelling(processing(photos()))
    assert state is not None
    with pytest.raises(Exception, match="cancelled") as caught:
        after(state, ok(), status("FAILED", fail_reason="publish_cancelled"))
    assert (type(caught.value).__name__, getattr(caught.value, "platform_code", "")) == ("Withdrawn", "publish_cancelled")


@pytest.mark.parametrize(
    "reply", [refused(400, "publish_not_cancellable"), refused(400, "invalid_publish_id"), refused(500, "internal_error")]
)
def test_a_cancellation_that_came_too_late_changes_nothing(reply: Answer) -> None:
    state = TIKTOK.cancelling(processing(PULL))
    assert state is not None
    assert isinstance(after(state, reply, status("PUBLISH_COMPLETE", publicaly_available_post_id=[1])), Finished)


@pytest.mark.parametrize(
    ("http_status", "code", "kind"), [(401, "access_token_invalid", TokenExpired), (429, "rate_limit_exceeded", Throttled)]
)
def test_a_cancellation_that_was_not_heard_is_due_again(http_status: int, code: str, kind: type[Exception]) -> None:
    state = TIKTOK.cancelling(processing(PULL))
    assert state is not None
    with pytest.raises(kind):
        after(state, refused(http_status, code))
    assert send(state).label == "cancel"  # a refusal takes the driver back to here


def test_nothing_to_cancel_before_there_is_a_post_or_after() -> None:
    assert TIKTOK.cancelling(lost()) is None
    assert TIKTOK.cancelling(TIKTOK.begin(PULL)) is None
    assert TIKTOK.cancelling(after(processing(PULL), status("PUBLISH_COMPLETE"), now=at(3))) is None


@pytest.mark.parametrize("change", [{"version": 2}, {"version": None}, {"kind": "dreaming"}, {"kind": None}, {"kind": ["starting"]}])
def test_a_state_of_another_version_is_a_clear_error(change: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match="another version of Clipcast"):
        TIKTOK.load({**TIKTOK.dump(lost()), **change})


def test_a_damaged_state_names_what_is_wrong() -> None:
    with pytest.raises(ConfigurationError, match=r"requested.*damaged: looks, sent_at"):
        TIKTOK.load({**TIKTOK.dump(lost()), "sent_at": "yesterday", "looks": "many"})


def test_a_field_that_a_newer_version_added_is_ignored() -> None:
    assert TIKTOK.load({**TIKTOK.dump(lost()), "added_later": 1}) == lost()
