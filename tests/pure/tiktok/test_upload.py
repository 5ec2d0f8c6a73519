"""A video sent in chunks, table by table: what is asked, what an answer teaches."""

from dataclasses import replace

import pytest

from clipcast.errors import IllegalTransition, ProtocolError, Rejected, Throttled, TokenExpired, Unavailable
from clipcast.platforms.base import Done, FileRange, Json, Platform, Stage
from clipcast.platforms.tiktok import TikTok, TikTokState
from clipcast.platforms.tiktok.states import Finished, Processing, Starting, Uploading
from pure.tiktok.orders import (
    NOW,
    TIKTOK,
    UPLOAD_URL,
    VIDEO,
    after,
    answer,
    at,
    created,
    creator_info,
    direct,
    inbox,
    ok,
    refused,
    send,
    status,
    stored,
    uploading,
    video,
    wait,
)

MINUTE = 60


def body(state: TikTokState) -> dict[str, object]:
    content = send(state).request.body
    assert isinstance(content, Json)
    return dict(content.content)


def sent_range(state: TikTokState, seconds: float = 0) -> str:
    return send(state, at(seconds)).request.headers["Content-Range"]


def in_doubt(state: TikTokState, seconds: float = 0) -> TikTokState:
    """The state after a chunk left and no answer came."""
    return stored(send(state, at(seconds)).meanwhile)


def last_chunk_next(order_size: int = 20_000_000) -> TikTokState:
    """A video of one chunk, not sent yet: its only chunk is the last one."""
    return uploading(direct(media=(video(size_bytes=order_size),)))


def test_the_type_checker_accepts_it_as_a_platform() -> None:
    platform: Platform[TikTokState] = TikTok()
    assert platform.name == "tiktok"
    assert {label for rate in platform.rates for label in rate.labels} >= {"video.init", "status", "creator_info"}


def test_from_order_to_done() -> None:
    """The whole happy path: creator, init, ten chunks, one more question, and the link."""
    state = TIKTOK.begin(direct())
    labels = []
    ten = [*[answer(206, b"null")] * 9, answer(201, b"null")]
    for each in [creator_info(), created(), *ten]:
        labels.append(send(state).label)
        state = after(state, each)
    assert labels == ["creator_info", "video.init", *["upload.chunk"] * 10]
    assert wait(state).until == at(3)
    state = after(state, status("PUBLISH_COMPLETE", publicaly_available_post_id=[7301234567890123456]), now=at(3))
    assert TIKTOK.next_step(state, at(3)) == Done(
        "published", "7301234567890123456", "https://www.tiktok.com/@skipper/video/7301234567890123456"
    )


def test_init_carries_the_plan_and_every_choice() -> None:
    order = direct(privacy="friends", allow_duet=False, brand_organic=True, ai_generated=True, cover_ms=1500)
    assert body(after(TIKTOK.begin(order), creator_info())) == {
        "post_info": {
            "privacy_level": "MUTUAL_FOLLOW_FRIENDS",
            "title": "A day at sea #boat",
            "disable_comment": False,
            "disable_duet": True,
            "disable_stitch": False,
            "brand_content_toggle": False,
            "brand_organic_toggle": True,
            "is_aigc": True,
            "video_cover_timestamp_ms": 1500,
        },
        "source_info": {"source": "FILE_UPLOAD", "video_size": 100_000_123, "chunk_size": 10_000_000, "total_chunk_count": 10},
    }


@pytest.mark.parametrize(
    ("privacy", "level"), [("public", "PUBLIC_TO_EVERYONE"), ("followers", "FOLLOWER_OF_CREATOR"), ("private", "SELF_ONLY")]
)
def test_each_privacy_has_tiktoks_word(privacy: str, level: str) -> None:
    everything = creator_info(privacy_level_options=[level])
    post_info = body(after(TIKTOK.begin(direct(privacy=privacy)), everything))["post_info"]
    assert isinstance(post_info, dict)
    assert post_info["privacy_level"] == level


def test_what_the_creator_switched_off_is_sent_as_off() -> None:
    info = creator_info(comment_disabled=True, duet_disabled=True, stitch_disabled=True)
    post_info = body(after(TIKTOK.begin(direct()), info))["post_info"]
    assert isinstance(post_info, dict)
    assert (post_info["disable_comment"], post_info["disable_duet"], post_info["disable_stitch"]) == (True, True, True)


def test_extra_is_merged_last_and_deeply() -> None:
    order = direct(extra={"post_info": {"title": "Another", "new_field": 1}, "top": True})
    merged = body(after(TIKTOK.begin(order), creator_info()))
    assert merged["top"] is True
    assert isinstance(merged["post_info"], dict)
    assert (merged["post_info"]["title"], merged["post_info"]["new_field"], merged["post_info"]["is_aigc"]) == ("Another", 1, False)


def test_a_draft_asks_nothing_about_the_creator_and_sends_only_the_source() -> None:
    step = send(TIKTOK.begin(inbox()))
    assert (step.label, step.irreversible) == ("inbox.init", False)
    assert str(step.request.url).endswith("/v2/post/publish/inbox/video/init/")
    assert list(body(TIKTOK.begin(inbox()))) == ["source_info"]


@pytest.mark.parametrize(
    ("info", "code"),
    [
        ({"privacy_level_options": ["SELF_ONLY"]}, "privacy_not_offered"),
        ({"max_video_post_duration_sec": 20}, "video_too_long"),
    ],
)
def test_the_creators_own_limits_stop_a_post_before_init(info: dict[str, object], code: str) -> None:
    with pytest.raises(Rejected) as caught:
        after(TIKTOK.begin(direct()), creator_info(**info))
    assert caught.value.platform_code == code


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("spam_risk_too_many_posts", Throttled),
        ("reached_active_user_cap", Throttled),
        ("spam_risk_user_banned_from_posting", Rejected),
    ],
)
def test_creator_info_refuses_with_http_200(code: str, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        after(TIKTOK.begin(direct()), refused(200, code))


def test_creator_info_is_asked_again_when_init_had_to_wait() -> None:
    state = after(TIKTOK.begin(direct()), creator_info())
    assert send(state, at(4 * MINUTE)).label == "video.init"
    assert send(state, at(6 * MINUTE)).label == "creator_info"


def test_a_lost_init_is_simply_repeated() -> None:
    """Without bytes nothing can be published: the first publish_id just dies."""
    state = after(TIKTOK.begin(direct()), creator_info())
    assert send(in_doubt(state)).label == "video.init"


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        (UPLOAD_URL, True),
        ("https://upload.us.tiktokapis.com:443/video/?upload_id=1", True),
        ("https://open.tiktokapis.com/upload", True),
        ("http://open-upload.tiktokapis.com/upload", False),
        ("https://open-upload.tiktokapis.com:8443/upload", False),
        ("https://tiktokapis.com.evil.example/upload", False),
        ("https://eviltiktokapis.com/upload", False),
        ("https://open-upload.tiktokapis.com@evil.example/upload", False),
        ("https://evil.example\\.tiktokapis.com/upload", False),
        ("https://x.tiktokapis.com:99999/upload", False),
        ("file:///etc/passwd", False),
        ("", False),
    ],
)
def test_bytes_go_only_to_tiktoks_own_hosts(url: str, *, allowed: bool) -> None:
    state = after(TIKTOK.begin(direct()), creator_info())
    if allowed:
        assert isinstance(after(state, created(upload_url=url)), Uploading)
    else:
        with pytest.raises(ProtocolError):
            after(state, created(upload_url=url))


def test_a_simulator_may_be_uploaded_to_on_its_own_host_and_port() -> None:
    simulated = TikTok(api_url="http://127.0.0.1:8080/tiktok")
    step = send(simulated.begin(inbox()), tiktok=simulated)
    assert step.request.url == "http://127.0.0.1:8080/tiktok/v2/post/publish/inbox/video/init/"
    url = "http://127.0.0.1:8080/tiktok/upload?upload_id=1"
    assert isinstance(simulated.received(step.meanwhile, created(upload_url=url), NOW), Uploading)
    with pytest.raises(ProtocolError):
        simulated.received(step.meanwhile, created(upload_url="http://127.0.0.1:8081/tiktok/upload"), NOW)


def test_a_chunk_says_where_it_belongs_and_carries_no_token() -> None:
    step = send(uploading())
    assert (step.request.method, step.request.url, step.request.authorized) == ("PUT", UPLOAD_URL, False)
    assert step.request.headers == {"Content-Type": "video/mp4", "Content-Range": "bytes 0-9999999/100000123"}
    assert step.request.body == FileRange("clip-1", 0, 10_000_000)
    assert not step.irreversible


def test_only_the_last_chunk_is_irreversible() -> None:
    state = after(uploading(), *[answer(206)] * 9)
    assert send(state).irreversible
    assert sent_range(state) == "bytes 90000000-100000122/100000123"
    assert send(last_chunk_next()).irreversible


@pytest.mark.parametrize("http_status", [200, 201, 206])
@pytest.mark.parametrize("header", [None, "bytes 0-10000000/100000123", "bytes 0-9999999/100000123", "nonsense"])
def test_each_kind_of_yes_moves_one_chunk_on(http_status: int, header: str | None) -> None:
    headers = {} if header is None else {"content_range": header}
    assert sent_range(after(uploading(), answer(http_status, b"null", **headers))).startswith("bytes 10000000-")


def test_the_server_says_how_far_we_are() -> None:
    """A reply that names another chunk's end wins over our own count, forwards and backwards."""
    further = after(uploading(), answer(206, content_range="bytes 0-30000000/100000123"))
    assert sent_range(further).startswith("bytes 30000000-")
    back = after(further, answer(206, content_range="bytes 0-20000000/100000123"))
    assert sent_range(back).startswith("bytes 20000000-")


@pytest.mark.parametrize("http_status", [200, 201])
def test_the_last_yes_leads_to_asking(http_status: int) -> None:
    state = after(last_chunk_next(), answer(http_status, b"null"))
    assert isinstance(state, Processing)
    assert (TIKTOK.stage(state), TIKTOK.progress(state)) == (Stage.PROCESSING, (20_000_000, 20_000_000))


def test_more_expected_after_the_last_byte_is_asked_about() -> None:
    assert send(after(last_chunk_next(), answer(206))).label == "status"


def test_a_lost_answer_is_asked_about_before_anything_is_sent() -> None:
    state = in_doubt(uploading())
    step = send(state)
    assert step.label == "status"
    assert body(state) == {"publish_id": "v_pub_file~v2-1.1"}


@pytest.mark.parametrize(
    ("uploaded_bytes", "next_range"),
    [
        (10_000_000, "bytes 10000000-19999999/100000123"),
        (9_999_999, "bytes 0-9999999/100000123"),
        (0, "bytes 0-9999999/100000123"),
        (None, "bytes 0-9999999/100000123"),
        (90_000_000, "bytes 90000000-100000122/100000123"),
    ],
)
def test_after_a_lost_answer_we_go_on_where_tiktok_is(uploaded_bytes: int | None, next_range: str) -> None:
    state = after(in_doubt(uploading()), status("PROCESSING_UPLOAD", uploaded_bytes=uploaded_bytes))
    assert sent_range(state) == next_range


def test_a_lost_last_answer_with_every_byte_there_only_polls() -> None:
    state = after(in_doubt(last_chunk_next()), status("PROCESSING_UPLOAD", uploaded_bytes=20_000_000))
    assert isinstance(state, Processing)
    assert state.unproven_until is None


def test_a_lost_last_answer_may_already_be_a_post() -> None:
    state = after(in_doubt(last_chunk_next()), status("PUBLISH_COMPLETE", publicaly_available_post_id=[12]))
    assert isinstance(state, Finished)
    assert state.external_id == "12"


def test_while_the_last_byte_is_in_doubt_the_stage_is_uncertain() -> None:
    lost = in_doubt(last_chunk_next())
    assert TIKTOK.stage(lost) is Stage.UPLOADING  # the answer may still come
    assert TIKTOK.stage(send(lost).meanwhile) is Stage.UNCERTAIN
    assert TIKTOK.stage(send(in_doubt(uploading())).meanwhile) is Stage.UPLOADING


def test_an_unknown_publish_id_while_in_doubt_sends_the_same_chunk_again() -> None:
    state = after(in_doubt(uploading()), refused(400, "invalid_params", "invalid_publish_id"))
    assert sent_range(state) == "bytes 0-9999999/100000123"


@pytest.mark.parametrize("http_status", [500, 502, 503, 504])
def test_trouble_on_a_chunk_leaves_it_in_doubt(http_status: int) -> None:
    with pytest.raises(Unavailable) as caught:
        after(uploading(), answer(http_status, b"<html>Bad gateway</html>"))
    assert not caught.value.refused


@pytest.mark.parametrize(("http_status", "kind"), [(429, Throttled), (400, Rejected), (302, Rejected), (408, Unavailable)])
def test_other_answers_to_a_chunk(http_status: int, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        after(uploading(), answer(http_status, b"null"))


def test_pauses_grow_while_a_chunk_does_not_get_through() -> None:
    """Each failure costs one question and then a longer pause, up to a minute."""
    state, now, pauses = uploading(), 0.0, []
    for _ in range(8):
        state = after(in_doubt(state, now), status("PROCESSING_UPLOAD", uploaded_bytes=0), now=at(now))
        assert isinstance(state, Uploading)
        assert state.resume_at is not None
        pauses.append((state.resume_at - at(now)).total_seconds())
        now += pauses[-1]
    assert pauses == [0, 1, 3, 7, 15, 31, 60, 60]
    moved = after(state, answer(206), now=at(now))
    assert isinstance(moved, Uploading)
    assert moved.setbacks == 0


@pytest.mark.parametrize("http_status", [401, 403, 404])
def test_a_dead_url_starts_over_under_a_new_publish_id(http_status: int) -> None:
    state = after(uploading(), answer(206), answer(http_status, b"null"))
    assert isinstance(state, Starting)
    assert state.post.superseded == ("v_pub_file~v2-1.1",)
    assert TIKTOK.reference(state) is None
    again = after(state, creator_info(), created("v_pub_file~v2-1.2"))
    assert (TIKTOK.reference(again), sent_range(again)) == ("v_pub_file~v2-1.2", "bytes 0-9999999/100000123")


@pytest.mark.parametrize("http_status", [401, 403, 404])
def test_a_refused_last_chunk_that_never_left_before_starts_over(http_status: int) -> None:
    assert isinstance(after(last_chunk_next(), answer(http_status)), Starting)


@pytest.mark.parametrize("http_status", [401, 403, 404])
def test_after_a_lost_last_chunk_a_dead_url_is_no_reason_to_start_over(http_status: int) -> None:
    """Only TikTok saying that bytes are missing, after nothing can be on its way any more, proves that no post can come of it."""
    state = after(in_doubt(last_chunk_next()), status("PROCESSING_UPLOAD", uploaded_bytes=0), answer(http_status))
    for _ in range(10):
        if isinstance(state, Processing):
            break
        paused = state.resume_at if isinstance(state, Uploading) and state.resume_at else NOW
        step = send(state, paused)
        reply = answer(http_status) if step.label == "upload.chunk" else status("PROCESSING_UPLOAD", uploaded_bytes=0)
        state = stored(TIKTOK.received(step.meanwhile, reply, paused))
    assert isinstance(state, Processing)
    assert TIKTOK.stage(state) is Stage.UNCERTAIN
    early = after(state, status("PROCESSING_UPLOAD", uploaded_bytes=0), now=at(10 * MINUTE))
    assert isinstance(early, Processing)
    late = after(early, status("PROCESSING_UPLOAD", uploaded_bytes=0), now=at(66 * MINUTE))
    assert isinstance(late, Starting)
    assert late.post.superseded == ("v_pub_file~v2-1.1",)


def test_bytes_that_turn_up_after_all_settle_the_doubt() -> None:
    done = after(last_chunk_next(), answer(201))
    assert isinstance(done, Processing)
    state = replace(done, unproven_until=at(65 * MINUTE))
    proven = after(state, status("PROCESSING_UPLOAD", uploaded_bytes=20_000_000), now=at(3))
    assert isinstance(proven, Processing)
    assert (proven.unproven_until, TIKTOK.stage(proven)) == (None, Stage.PROCESSING)


def test_a_silent_status_after_the_url_died_proves_nothing() -> None:
    state = after(in_doubt(last_chunk_next()), status("PROCESSING_UPLOAD"), now=at(70 * MINUTE))
    assert isinstance(state, Processing)
    assert TIKTOK.stage(state) is Stage.UNCERTAIN


def test_missing_bytes_after_the_url_died_start_over() -> None:
    state = after(in_doubt(last_chunk_next()), status("PROCESSING_UPLOAD", uploaded_bytes=19_999_999), now=at(66 * MINUTE))
    assert isinstance(state, Starting)


def test_no_chunk_is_begun_on_a_url_that_may_die_on_the_way() -> None:
    state = after(uploading(), answer(206))
    assert send(state, at(55 * MINUTE)).label == "upload.chunk"
    assert send(state, at(55 * MINUTE + 1)).label == "creator_info"


def test_a_last_chunk_in_doubt_is_sent_again_even_on_an_old_url() -> None:
    state = after(in_doubt(last_chunk_next()), status("PROCESSING_UPLOAD", uploaded_bytes=0), now=at(57 * MINUTE))
    assert send(state, at(57 * MINUTE)).label == "upload.chunk"


def test_416_with_a_position_goes_on_there() -> None:
    state = after(uploading(), answer(416, content_range="bytes 0-20000000/100000123"))
    assert sent_range(state).startswith("bytes 20000000-")


def test_416_without_a_position_asks_for_it() -> None:
    state = after(uploading(), answer(416, b"null"))
    assert send(state).label == "status"
    assert sent_range(after(state, status("PROCESSING_UPLOAD", uploaded_bytes=40_000_000))).startswith("bytes 40000000-")


def test_416_on_the_last_chunk_that_is_there_leads_to_polling() -> None:
    state = after(
        in_doubt(last_chunk_next()), status("PROCESSING_UPLOAD"), answer(416), status("PROCESSING_UPLOAD", uploaded_bytes=20_000_000)
    )
    assert isinstance(state, Processing)
    assert state.unproven_until is None


def test_an_upload_that_never_fits_starts_over() -> None:
    state, now, rounds = uploading(), 0, 0
    while isinstance(state, Uploading):
        state = after(state, answer(416), status("PROCESSING_UPLOAD", uploaded_bytes=0), now=at(now))
        now, rounds = now + 61, rounds + 1
    assert isinstance(state, Starting)
    assert rounds == 4


def test_starting_over_has_an_end() -> None:
    state = TIKTOK.begin(direct())
    for _ in range(5):
        state = after(state, creator_info(), created(), answer(403))
    with pytest.raises(Rejected, match="start over 5 times") as caught:
        after(state, creator_info(), created(), answer(403))
    assert caught.value.post_failed


def test_a_token_that_dies_in_mid_upload_costs_nothing() -> None:
    with pytest.raises(TokenExpired):
        after(in_doubt(uploading()), refused(401, "access_token_invalid"))


def test_progress_is_what_tiktok_confirmed() -> None:
    state = after(uploading(), answer(206), answer(206))
    assert TIKTOK.progress(state) == (20_000_000, 100_000_123)
    assert TIKTOK.progress(in_doubt(state)) == (20_000_000, 100_000_123)
    assert TIKTOK.progress(TIKTOK.begin(direct())) == (0, 100_000_123)


def test_an_upload_cannot_be_cancelled_at_tiktok() -> None:
    assert TIKTOK.cancelling(uploading()) is None
    assert TIKTOK.cancelling(after(last_chunk_next(), answer(201))) is None


@pytest.mark.parametrize("state", [TIKTOK.begin(direct()), uploading()])
def test_an_answer_to_nothing_is_a_bug(state: TikTokState) -> None:
    with pytest.raises(IllegalTransition):
        TIKTOK.received(state, ok(), NOW)


def test_the_content_type_is_the_videos_own() -> None:
    state = uploading(direct(media=(replace(VIDEO, content_type="video/webm"),)))
    assert send(state).request.headers["Content-Type"] == "video/webm"


@pytest.mark.parametrize("lost", [False, True])
def test_another_try_by_hand_goes_on_with_the_upload_it_has(lost: bool) -> None:  # noqa: FBT001  # pytest names it
    state = in_doubt(uploading()) if lost else uploading()
    again = TIKTOK.again(state, at(5))
    assert TIKTOK.reference(again) == "v_pub_file~v2-1.1"
    assert send(again, at(5)).label == ("status" if lost else "upload.chunk")
