"""From order to the last byte, answer by answer: what is asked, what an answer teaches."""

from dataclasses import replace
from typing import Any

import pytest

from clipcast.errors import (
    IllegalTransition,
    PlatformError,
    ProtocolError,
    ReconnectRequired,
    Rejected,
    Throttled,
    TokenExpired,
    Unavailable,
)
from clipcast.platforms.base import Answer, Done, FileRange, Json, Order, Platform, Stage
from clipcast.platforms.youtube import YouTube, YouTubeState
from clipcast.platforms.youtube.limits import MAX_REFUSALS, MAX_RESTARTS, MAX_SETBACKS
from clipcast.platforms.youtube.states import Processing, Searching, Starting, Uploading
from pure.youtube.orders import (
    CHUNK,
    NOW,
    SESSION_URI,
    SIZE,
    VIDEO_ID,
    YOUTUBE,
    after,
    answer,
    at,
    before_the_last_chunk,
    channel,
    created,
    doing,
    labels,
    listed,
    lost,
    opened,
    order,
    refused,
    send,
    stored,
    stored_until,
    uploading,
    video,
    wait,
)

REDIRECTED = SESSION_URI.replace("SECRET", "MOVED")


def body(chosen: Order) -> dict[str, Any]:
    content = send(after(YOUTUBE.begin(chosen), channel())).request.body
    assert isinstance(content, Json)
    return dict(content.content)


def sent_range(state: YouTubeState, seconds: float = 0) -> str:
    return send(state, at(seconds)).request.headers["Content-Range"]


def upload(state: YouTubeState) -> Uploading:
    assert isinstance(state, Uploading)
    return state


def test_the_type_checker_accepts_it_as_a_platform() -> None:
    platform: Platform[YouTubeState] = YouTube()
    assert (platform.name, platform.account_facts) == ("youtube", ("channel_id",))


def test_from_order_to_done() -> None:
    """The whole happy path: channel, session, four chunks, one question, and the link."""
    path = [channel(), opened(), *(stored_until(count * CHUNK) for count in (1, 2, 3)), created()]
    assert labels(YOUTUBE.begin(order()), path) == ["channels.list", "videos.insert", *["upload.chunk"] * 4]
    state = after(YOUTUBE.begin(order()), *path)
    assert wait(state).until == at(10)
    state = after(state, doing("processed", "succeeded"), now=at(10))
    assert YOUTUBE.next_step(state, at(10)) == Done("published", VIDEO_ID, f"https://www.youtube.com/watch?v={VIDEO_ID}")


# The session


def test_the_session_is_asked_for_with_everything_about_the_video() -> None:
    request = send(after(YOUTUBE.begin(order()), channel())).request
    assert (request.method, request.authorized) == ("POST", True)
    assert request.url == (
        "https://www.googleapis.com/upload/youtube/v3/videos?uploadType=resumable&part=snippet,status&notifySubscribers=true"
    )
    assert request.headers == {"X-Upload-Content-Length": str(SIZE), "X-Upload-Content-Type": "video/mp4"}
    assert body(order()) == {
        "snippet": {"title": "At sea", "description": "A day at sea #boat"},
        "status": {
            "privacyStatus": "public",
            "selfDeclaredMadeForKids": False,
            "containsSyntheticMedia": False,
            "license": "youtube",
            "embeddable": True,
            "publicStatsViewable": True,
        },
    }


def test_every_option_has_its_place() -> None:
    options = {
        "tags": ["boat", "high sea"],
        "category_id": 22,
        "publish_at": "2026-12-01T16:00:00+01:00",
        "notify_subscribers": False,
        "made_for_kids": True,
        "license": "creativeCommon",
        "embeddable": False,
        "public_stats_viewable": False,
        "default_language": "en",
        "default_audio_language": "pt-BR",
        "recording_date": "2026-11-01T00:00:00Z",
        "localizations": {"de": {"title": "Auf See", "description": "Ein Tag"}},
    }
    chosen = order(privacy="private", ai_generated=True, brand_content=True, options=options)
    url = str(send(after(YOUTUBE.begin(chosen), channel())).request.url)
    assert "part=snippet,status,recordingDetails,localizations,paidProductPlacementDetails&notifySubscribers=false" in url
    assert body(chosen) == {
        "snippet": {
            "title": "At sea",
            "description": "A day at sea #boat",
            "tags": ["boat", "high sea"],
            "categoryId": "22",
            "defaultLanguage": "en",
            "defaultAudioLanguage": "pt-BR",
        },
        "status": {
            "privacyStatus": "private",
            "publishAt": "2026-12-01T15:00:00Z",
            "selfDeclaredMadeForKids": True,
            "containsSyntheticMedia": True,
            "license": "creativeCommon",
            "embeddable": False,
            "publicStatsViewable": False,
        },
        "recordingDetails": {"recordingDate": "2026-11-01T00:00:00Z"},
        "localizations": {"de": {"title": "Auf See", "description": "Ein Tag"}},
        "paidProductPlacementDetails": {"hasPaidProductPlacement": True},
    }


def test_extra_is_merged_last_and_deeply() -> None:
    merged = body(order(extra={"snippet": {"title": "Another"}, "brandPartner": {"channelHandle": "@x"}}))
    assert (merged["snippet"]["title"], merged["snippet"]["description"]) == ("Another", "A day at sea #boat")
    assert merged["brandPartner"] == {"channelHandle": "@x"}


@pytest.mark.parametrize(
    ("caption", "title"),
    [
        ("Sunset\nat sea", "Sunset"),
        ("\n\n  Sunset  ", "Sunset"),
        ("I <3 boats", "I 3 boats"),
        ("x" * 100, "x" * 100),
        ("x" * 101, "x" * 99 + "…"),
        ("word " * 30, ("word " * 19).rstrip() + "…"),
        ("🎬" * 51, "🎬" * 49 + "…"),
        ("", ""),
    ],
)
def test_without_a_title_the_captions_first_line_becomes_one(caption: str, title: str) -> None:
    assert body(order(title="", caption=caption))["snippet"]["title"] == title


def test_a_lost_session_is_simply_asked_for_again() -> None:
    """Without bytes nothing can become a video."""
    state = after(YOUTUBE.begin(order()), channel())
    assert send(lost(state)).label == "videos.insert"
    assert YOUTUBE.reference(lost(state)) is None


@pytest.mark.parametrize("status", [200, 201])
def test_a_session_is_opened(status: int) -> None:
    state = after(YOUTUBE.begin(order()), channel(), answer(status, location=SESSION_URI))
    assert upload(state).session_uri == SESSION_URI


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (refused(400, "invalidTitle"), Rejected),
        (refused(400, "uploadLimitExceeded"), Throttled),
        (refused(403, "quotaExceeded"), Throttled),
        (refused(401, "authError"), TokenExpired),
        (refused(409, "alreadyExists"), Unavailable),
        (refused(503, "backendError"), Unavailable),
        (answer(200), ProtocolError),
    ],
)
def test_a_session_is_refused(reply: Answer, kind: type[PlatformError]) -> None:
    with pytest.raises(kind):
        after(YOUTUBE.begin(order()), channel(), reply)


@pytest.mark.parametrize(
    ("uri", "allowed"),
    [
        (SESSION_URI, True),
        ("https://youtube.googleapis.com/upload?upload_id=1", True),
        ("https://uploads.google.com:443/upload?upload_id=1", True),
        ("/upload/youtube/v3/videos?upload_id=1", True),
        ("http://www.googleapis.com/upload", False),
        ("https://www.googleapis.com:8443/upload", False),
        ("https://googleapis.com.evil.example/upload", False),
        ("https://evilgoogleapis.com/upload", False),
        ("https://www.googleapis.com@evil.example/upload", False),
        ("https://evil.example\\.googleapis.com/upload", False),
        ("https://x.googleapis.com:99999/upload", False),
        ("//evil.example/upload", False),
        ("file:///etc/passwd", False),
        ("", False),
    ],
)
def test_bytes_and_tokens_go_only_to_googles_own_hosts(uri: str, *, allowed: bool) -> None:
    state = after(YOUTUBE.begin(order()), channel())
    if allowed:
        assert isinstance(after(state, opened(uri)), Uploading)
    else:
        with pytest.raises(ProtocolError):
            after(state, opened(uri))
        with pytest.raises(ProtocolError):
            after(uploading(), stored_until(CHUNK, location=uri)) if uri else after(state, opened(uri))


def test_a_simulator_may_be_uploaded_to_on_its_own_host_and_port() -> None:
    base = "http://127.0.0.1:8080/youtube"
    simulated = YouTube(base, base, f"{base}/token")
    meanwhile = replace(send(simulated.begin(order()), youtube=simulated).meanwhile)
    step = send(simulated.received(meanwhile, channel(), NOW), youtube=simulated)
    assert str(step.request.url).startswith(f"{base}/upload/youtube/v3/videos?")
    assert isinstance(simulated.received(step.meanwhile, opened(f"{base}/upload?upload_id=1"), NOW), Uploading)
    with pytest.raises(ProtocolError):
        simulated.received(step.meanwhile, opened("http://127.0.0.1:8081/youtube/upload"), NOW)


def test_the_session_uri_is_shown_nowhere() -> None:
    state = uploading()
    shown = f"{state!r} {send(state)!r} {YOUTUBE.reference(state)}"
    assert "SECRET" not in shown
    assert str(YOUTUBE.reference(state)).startswith("session ")


# The channel


def test_a_token_of_another_channel_publishes_nothing() -> None:
    with pytest.raises(ReconnectRequired) as caught:
        after(YOUTUBE.begin(order(account={"channel_id": "UCother"})), channel())
    assert caught.value.platform_code == "other_channel"


def test_an_account_without_a_channel_publishes_nothing() -> None:
    with pytest.raises(Rejected) as caught:
        after(YOUTUBE.begin(order()), listed())
    assert caught.value.platform_code == "no_channel"


def test_a_channel_that_may_not_upload_long_videos_is_told_before_the_upload() -> None:
    long = order(media=(video(duration_s=1000.0),))
    with pytest.raises(Rejected, match=r"youtube\.com/verify"):
        after(YOUTUBE.begin(long), channel(status={"longUploadsStatus": "eligible"}))


def test_questions_have_a_quota_of_their_own_and_uploads_go_on_without_it() -> None:
    assert send(after(YOUTUBE.begin(order()), refused(403, "quotaExceeded"))).label == "videos.insert"


def test_a_busy_moment_is_waited_out() -> None:
    with pytest.raises(Throttled):
        after(YOUTUBE.begin(order()), refused(403, "userRateLimitExceeded"))


@pytest.mark.parametrize("seconds_ahead", [-3600, 0, 299])
def test_a_publish_time_that_is_too_close_opens_no_session(seconds_ahead: int) -> None:
    chosen = order(privacy="private", options={"publish_at": at(seconds_ahead).isoformat()})
    with pytest.raises(Rejected) as caught:
        send(after(YOUTUBE.begin(chosen), channel()))
    assert caught.value.platform_code == "publish_at_too_early"


def test_unusable_options_are_a_refusal_and_no_crash() -> None:
    with pytest.raises(Rejected, match="no option 'colour'"):
        send(after(YOUTUBE.begin(order(options={"colour": "red"})), channel()))


# Chunks


def test_a_chunk_says_where_it_belongs() -> None:
    step = send(uploading())
    assert step.request.url == SESSION_URI
    assert (step.request.method, step.request.authorized, step.irreversible) == ("PUT", True, False)
    assert step.request.headers == {"Content-Type": "video/mp4", "Content-Range": f"bytes 0-{CHUNK - 1}/{SIZE}"}
    assert step.request.body == FileRange("clip-1", 0, CHUNK)


def test_only_the_chunk_with_the_last_byte_is_irreversible() -> None:
    step = send(before_the_last_chunk())
    assert (step.request.body, step.irreversible) == (FileRange("clip-1", 3 * CHUNK, SIZE), True)
    assert send(uploading(order(media=(video(size_bytes=CHUNK),)))).irreversible


@pytest.mark.parametrize(
    ("reply", "next_range"),
    [
        (stored_until(CHUNK), f"bytes {CHUNK}-{2 * CHUNK - 1}/{SIZE}"),
        (answer(308, range=f"0-{CHUNK - 1}"), f"bytes {CHUNK}-{2 * CHUNK - 1}/{SIZE}"),
        (stored_until(262_144), f"bytes 262144-{262_144 + CHUNK - 1}/{SIZE}"),
        (stored_until(None), f"bytes */{SIZE}"),
        (answer(308, range="bytes=5-9"), f"bytes */{SIZE}"),
        (refused(401, "authError"), f"bytes */{SIZE}"),
        (refused(400, "invalid"), f"bytes */{SIZE}"),
        (refused(416, "requestedRangeNotSatisfiable"), f"bytes */{SIZE}"),
        (refused(403, "forbidden"), f"bytes */{SIZE}"),
        (answer(501, b"no"), f"bytes */{SIZE}"),
        (answer(200, b"{}"), f"bytes */{SIZE}"),
    ],
)
def test_what_a_chunks_answer_teaches(reply: Answer, next_range: str) -> None:
    assert sent_range(after(uploading(), reply)) == next_range


def test_after_a_lost_answer_it_asks_before_it_sends() -> None:
    step = send(lost(uploading()))
    assert (step.label, step.request.body, step.request.headers["Content-Length"]) == ("upload.offset", None, "0")
    assert sent_range(after(lost(uploading()), stored_until(None))) == f"bytes 0-{CHUNK - 1}/{SIZE}"
    assert sent_range(after(lost(uploading()), stored_until(262_144))) == f"bytes 262144-{262_144 + CHUNK - 1}/{SIZE}"


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
def test_trouble_with_a_chunk_leaves_it_in_doubt(status: int) -> None:
    """The driver stays at what was saved before the chunk left: the question how far the upload is."""
    with pytest.raises(Unavailable) as caught:
        after(uploading(), refused(status, "quotaExceeded"))
    assert not caught.value.refused


@pytest.mark.parametrize(
    ("reply", "pause_s"),
    [
        (refused(429, "rateLimitExceeded"), 60),
        (answer(429, retry_after="7"), 7),
        (answer(503, retry_after="120"), 120),
        (refused(403, "userRateLimitExceeded"), 60),
    ],
)
def test_a_chunk_that_came_too_fast_is_asked_about_later(reply: Answer, pause_s: int) -> None:
    state = after(uploading(), reply)
    assert wait(state).until == at(pause_s)
    assert send(state, at(pause_s)).label == "upload.offset"


def test_a_pause_that_youtube_asks_for_is_kept() -> None:
    state = after(uploading(), stored_until(CHUNK, retry_after="30"))
    assert wait(state).until == at(30)
    assert sent_range(state, 30) == f"bytes {CHUNK}-{2 * CHUNK - 1}/{SIZE}"


def test_the_upload_goes_on_at_a_new_address() -> None:
    state = after(uploading(), stored_until(CHUNK, location=REDIRECTED))
    assert send(state).request.url == REDIRECTED
    assert YOUTUBE.reference(state) == YOUTUBE.reference(uploading())


@pytest.mark.parametrize("status", [200, 201])
def test_the_video_is_known_as_soon_as_it_exists(status: int) -> None:
    state = after(before_the_last_chunk(), created(status))
    assert isinstance(state, Processing)
    assert (YOUTUBE.reference(state), YOUTUBE.stage(state), YOUTUBE.progress(state)) == (VIDEO_ID, Stage.PROCESSING, (SIZE, SIZE))


def test_a_lost_last_answer_is_asked_for_again() -> None:
    state = lost(before_the_last_chunk())
    assert YOUTUBE.stage(lost(state)) is Stage.UNCERTAIN
    assert isinstance(after(state, created(200)), Processing)


def test_odd_fields_do_not_cost_the_id() -> None:
    state = after(before_the_last_chunk(), answer(200, {"id": VIDEO_ID, "status": "fine", "snippet": [1]}))
    assert YOUTUBE.reference(state) == VIDEO_ID


def test_every_byte_there_and_no_last_answer_means_asking() -> None:
    state = after(before_the_last_chunk(), stored_until(SIZE))
    assert wait(state).until == at(1)
    assert send(state, at(1)).label == "upload.offset"
    assert YOUTUBE.stage(state) is Stage.UNCERTAIN


def test_more_bytes_than_there_are_cannot_be_understood() -> None:
    with pytest.raises(ProtocolError):
        after(before_the_last_chunk(), stored_until(SIZE + 1))


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (refused(401, "authError"), TokenExpired),
        (refused(503, "backendError"), Unavailable),
        (refused(429, "rateLimitExceeded"), Throttled),
        (refused(400, "badContent"), Rejected),
        (refused(403, "insufficientPermissions"), ReconnectRequired),
    ],
)
def test_when_the_question_itself_fails_it_is_due_again(reply: Answer, kind: type[PlatformError]) -> None:
    state = lost(uploading())
    with pytest.raises(kind):
        after(state, reply)
    assert send(state).label == "upload.offset"


@pytest.mark.parametrize("status", [404, 410])
def test_a_session_that_is_gone_early_is_replaced(status: int) -> None:
    state = after(uploading(), stored_until(CHUNK), refused(status, "notFound"))
    assert isinstance(state, Starting)
    assert send(state).label == "videos.insert"


@pytest.mark.parametrize("status", [404, 410])
def test_a_session_that_is_gone_after_the_last_byte_is_looked_into(status: int) -> None:
    assert isinstance(after(before_the_last_chunk(), refused(status, "notFound")), Searching)
    assert isinstance(after(lost(before_the_last_chunk()), stored_until(CHUNK), refused(status, "notFound")), Searching)


def test_a_session_that_claimed_to_have_everything_is_looked_into_when_it_is_gone() -> None:
    """Whatever we think we sent: YouTube's word decides."""
    state = after(uploading(), stored_until(SIZE))
    assert isinstance(after(state, refused(404, "notFound"), now=at(1)), Searching)


def test_sessions_that_keep_vanishing_end_the_publication() -> None:
    state = uploading()
    for _ in range(MAX_RESTARTS):
        state = after(state, refused(404, "notFound"), opened())
    with pytest.raises(Rejected) as caught:
        after(state, refused(404, "notFound"))
    assert caught.value.post_failed


def test_a_chunk_that_is_refused_again_and_again_ends_the_publication() -> None:
    state = uploading()
    for _ in range(MAX_REFUSALS):
        state = after(state, refused(400, "invalid"), stored_until(None), now=upload(state).resume_at or NOW)
    with pytest.raises(Rejected, match="keeps refusing"):
        after(state, refused(400, "invalid"), now=upload(state).resume_at or NOW)


def test_an_upload_that_stands_still_waits_longer_and_longer_and_then_begins_anew() -> None:
    state, now = lost(uploading()), NOW
    pauses_s: list[float] = []
    while isinstance(state, Uploading):
        state = after(state, stored_until(None), now=now)
        if isinstance(state, Uploading):
            assert state.resume_at
            pauses_s.append((state.resume_at - now).total_seconds())
            now = state.resume_at
            state = lost(state, now)
    assert isinstance(state, Starting)
    assert pauses_s == [*(min(2**count - 1, 300) for count in range(MAX_SETBACKS))]


def test_progress_clears_what_went_wrong_before() -> None:
    state = after(lost(uploading()), stored_until(None), refused(400, "invalid"), stored_until(CHUNK))
    assert (upload(state).setbacks, upload(state).refusals, YOUTUBE.progress(state)) == (0, 0, (CHUNK, SIZE))


def test_an_upload_that_is_thrown_back_is_no_progress() -> None:
    """Otherwise a host that forgets and takes in turn would keep us for ever."""
    state = after(uploading(), stored_until(CHUNK), stored_until(2 * CHUNK), stored_until(None))
    state = after(state, stored_until(None))
    assert (upload(state).stored_bytes, upload(state).furthest_bytes, upload(state).setbacks) == (0, 2 * CHUNK, 1)
    assert upload(after(state, stored_until(CHUNK))).setbacks == 2


def test_an_answer_to_nothing_is_a_bug() -> None:
    with pytest.raises(IllegalTransition):
        YOUTUBE.received(uploading(), created(), NOW)
    with pytest.raises(IllegalTransition):
        YOUTUBE.received(YOUTUBE.begin(order()), channel(), NOW)


def test_another_try_asks_where_the_upload_stands() -> None:
    assert send(YOUTUBE.again(stored(before_the_last_chunk()), NOW)).label == "upload.offset"
    assert send(YOUTUBE.again(after(YOUTUBE.begin(order()), channel()), NOW)).label == "channels.list"


def test_an_upload_cannot_be_hurried_or_called_back() -> None:
    state = after(uploading(), answer(429))
    assert YOUTUBE.hurried(state, NOW) == state
    assert YOUTUBE.cancelling(state) is None
