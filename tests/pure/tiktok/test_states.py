"""What is stored: every state comes back as it was, and none of them holds a secret that opens an account."""

import json

import pytest

from clipcast.platforms.tiktok import TikTok, TikTokState
from pure.tiktok.orders import (
    NOW,
    TIKTOK,
    VIDEO,
    after,
    answer,
    asked_to_pull,
    at,
    creator_info,
    direct,
    image,
    inbox,
    ok,
    photos,
    processing,
    send,
    served,
    status,
    stored,
    uploading,
)

PULL = direct(transfer="pull", extra={"post_info": {"nested": [1, {"a": None}]}}, cover=image(), options={"x": 1.5})
STATES: dict[str, TikTokState] = {
    "begun": TIKTOK.begin(PULL),
    "checking a URL": send(TIKTOK.begin(PULL)).meanwhile,
    "asking about the creator": send(TIKTOK.begin(direct())).meanwhile,
    "knowing the creator": after(TIKTOK.begin(direct()), creator_info(comment_disabled=True, max_video_post_duration_sec=None)),
    "asking for init": send(after(TIKTOK.begin(direct()), creator_info())).meanwhile,
    "uploading": uploading(),
    "chunk in flight": send(uploading()).meanwhile,
    "asking how far": send(send(uploading()).meanwhile).meanwhile,
    "pausing": after(send(uploading()).meanwhile, status("PROCESSING_UPLOAD", uploaded_bytes=0)),
    "begun anew": after(uploading(), answer(403)),
    "asked to pull": send(asked_to_pull(photos())).meanwhile,
    "looking": send(send(asked_to_pull(photos())).meanwhile, at(30)).meanwhile,
    "processing": processing(),
    "cancelling": TIKTOK.cancelling(processing(PULL)) or TIKTOK.begin(PULL),
    "given up": after(processing(), status("PROCESSING_UPLOAD"), now=at(90_000)),
    "waiting for a cap": after(processing(), status("FAILED", fail_reason="spam_risk_too_many_posts"), now=at(3)),
    "tried again": TIKTOK.again(processing(), NOW),
    "published": after(processing(), status("PUBLISH_COMPLETE", publicaly_available_post_id=[1]), now=at(3)),
    "in the inbox": after(processing(photos(mode="inbox")), status("SEND_TO_USER_INBOX"), now=at(3)),
}


@pytest.mark.parametrize("name", STATES)
def test_each_state_comes_back_as_it_was(name: str) -> None:
    assert stored(STATES[name]) == STATES[name]
    written = TIKTOK.dump(STATES[name])
    assert (written["version"], written["kind"]) == (1, type(STATES[name]).__name__.lower())


@pytest.mark.parametrize("name", STATES)
def test_no_state_holds_a_token_and_none_shows_the_upload_url(name: str) -> None:
    """The upload URL with its token must be stored, or a killed upload could not go on; it is never printed."""
    written = json.dumps(TIKTOK.dump(STATES[name])).replace("upload_token", "")
    assert "access_token" not in written
    assert "client_secret" not in written
    assert "Bearer" not in written
    assert "secret-upload-token" not in repr(STATES[name])


def test_a_step_that_uploads_does_not_show_its_url() -> None:
    step = send(uploading())
    assert "secret-upload-token" not in f"{step!r} {step}"


def test_the_stored_chunk_size_outlives_a_change_of_the_setting() -> None:
    """A new version may cut differently; an upload that was declared with the old cut goes on with it."""
    begun = after(uploading(), answer(206))
    assert (
        send(stored(begun), tiktok=TikTok(chunk_bytes=32_000_000)).request.headers["Content-Range"] == "bytes 10000000-19999999/100000123"
    )


def test_an_accepted_url_check_is_not_repeated_after_a_restart() -> None:
    state = stored(after(TIKTOK.begin(PULL), served(VIDEO)))
    assert send(state).label == "creator_info"


def test_a_draft_goes_from_url_check_to_init() -> None:
    state = after(TIKTOK.begin(inbox(transfer="pull")), served(VIDEO))
    assert send(state).label == "inbox.init"
    assert TIKTOK.reference(after(state, ok({"publish_id": "v_inbox_url~v2.1"}))) == "v_inbox_url~v2.1"
