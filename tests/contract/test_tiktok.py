"""What only TikTok can do to us: chunks, upload URLs that die, caps, reasons of its own, late and lost public ids."""

from datetime import timedelta
from typing import Any

import pytest

from clipcast.publications.retry import GIVE_UP_CAPS_AFTER
from clipcast.publications.states import State
from contract.bench import USERNAME, Bench
from contract.conftest import MakeBench, PublicAddress
from contract.platforms import TIKTOK, PlatformUnderTest
from contract.world import World

DIRECT, INBOX, PULL, PHOTOS = (TIKTOK.flow(name) for name in ("direct", "inbox", "pull", "photos"))
LARGE = TIKTOK.flow("direct").with_clips("large")
CHUNKS = 6
"""The large clip's, at 10 MB each."""


@pytest.fixture
def platform() -> PlatformUnderTest:
    return TIKTOK


@pytest.mark.parametrize(
    ("fault", "chunk", "puts"),
    [
        ("accept-then-drop-answer", 0, CHUNKS),
        ("accept-then-drop-answer", 3, CHUNKS),
        ("accept-then-drop-answer", 5, CHUNKS),
        ("error-after-effect", 5, CHUNKS),
        ("reset-after-2048K", 2, CHUNKS + 1),
        ("reset-after-2048K", 5, CHUNKS + 1),
        ("503-after-256K", 2, CHUNKS + 1),
        ("500", 5, CHUNKS + 1),
        ("502", 0, CHUNKS + 1),
        ("429", 4, CHUNKS + 1),
        ("416-with-header", 3, CHUNKS + 1),
        ("416-without-header", 3, CHUNKS + 1),
        ("416-without-header", 5, CHUNKS + 1),
    ],
)
def test_resumes_at_the_chunk_that_tiktok_lacks(bench: Bench, fault: str, chunk: int, puts: int) -> None:
    """A broken chunk costs at most that chunk: one init, and every other chunk is sent once."""
    bench.script("upload.chunk", fault, chunk=chunk)
    publication_id = bench.publish(LARGE)

    bench.carry(publication_id)

    bench.check_published_once(publication_id, LARGE)
    assert (bench.calls("video.init"), bench.calls("upload.chunk")) == (1, puts)


@pytest.mark.parametrize(
    "knobs",
    [
        {"content_range_reply": "index"},
        {"content_range_reply": "absent"},
        {"put_success": "200", "content_range_reply": "absent"},
        {"stored_range_again": "accept"},
        {"unknown_publish_id": "code"},
    ],
    ids=str,
)
def test_understands_every_reading_of_the_documentation(bench: Bench, knobs: dict[str, Any]) -> None:
    """Where the documentation is silent, both readings of it end in one post, also after a lost chunk and a lost last answer."""
    bench.script("upload.chunk", "reset-after-2048K", chunk=1)
    bench.script("upload.chunk", "accept-then-drop-answer", chunk=5)
    publication_id = bench.publish(LARGE)

    with bench.world.settings(tiktok=knobs, early_invalid_s=5.0):
        bench.carry(publication_id)

    bench.check_published_once(publication_id, LARGE)
    assert bench.calls("video.init") == 1


@pytest.mark.parametrize("chunk", [0, 3, 5])
def test_begins_again_when_the_upload_url_dies(bench: Bench, chunk: int) -> None:
    """403 on the way: nothing of the first upload can become a post, so a second one is begun from the first byte."""
    bench.script("upload.chunk", "expire-upload-url", chunk=chunk)
    publication_id = bench.publish(LARGE)

    bench.carry(publication_id)

    bench.check_published_once(publication_id, LARGE)
    assert (bench.calls("video.init"), bench.calls("upload.chunk")) == (2, chunk + 1 + CHUNKS)


def test_begins_again_before_an_old_upload_url_dies(bench: Bench) -> None:
    """After an hour's outage in mid-upload the old URL is not tried any more."""
    bench.script("upload.chunk", "reset-after-256K", chunk=3)
    publication_id = bench.publish(LARGE)
    bench.step(publication_id)
    bench.advance(3600)

    bench.carry(publication_id)

    bench.check_published_once(publication_id, LARGE)
    assert bench.calls("video.init") == 2
    assert [post["published"] for post in bench.posts()] == [False, True]


def test_never_begins_again_while_the_last_chunk_may_have_arrived(bench: Bench) -> None:
    """The last answer is lost, and then TikTok cannot be asked for two hours: no second upload, and one post."""
    bench.script("upload.chunk", "accept-then-drop-answer", chunk=5)
    bench.script("status", "503", times=3)
    publication_id = bench.publish(LARGE)
    bench.step(publication_id)
    bench.advance(7200)

    bench.carry(publication_id)

    bench.check_published_once(publication_id, LARGE)
    assert bench.calls("video.init") == 1


def test_refreshes_a_token_that_expires_in_mid_upload(bench_on_both: Bench) -> None:
    """The PUT needs no token; the question after a broken chunk does: one refresh, then on with the chunk that is missing."""
    bench_on_both.script("upload.chunk", "expire-token", chunk=2)
    bench_on_both.script("upload.chunk", "reset-after-256K", chunk=3)
    publication_id = bench_on_both.publish(LARGE)

    bench_on_both.carry(publication_id)

    bench_on_both.check_published_once(publication_id, LARGE)
    assert (bench_on_both.calls("oauth.token"), bench_on_both.calls("video.init")) == (1, 1)
    assert bench_on_both.calls("upload.chunk") == CHUNKS + 1


def test_refreshes_before_a_token_runs_out(bench: Bench) -> None:
    """A post scheduled for after the token's end refreshes first, once."""
    publication_id = bench.publish(DIRECT, at=bench.clock.now + timedelta(hours=30))

    bench.carry(publication_id)

    bench.check_published_once(publication_id, DIRECT)
    assert [request["status"] for request in bench.world.requests("creator_info")] == [200]
    assert bench.calls("oauth.token") == 1


def test_an_early_unknown_publish_id_is_no_failure(bench: Bench) -> None:
    """Right after init TikTok may not know its own publish id."""
    bench.script("status", "early-invalid-publish-id", times=3)
    publication_id = bench.publish(DIRECT)

    bench.carry(publication_id)

    bench.check_published_once(publication_id, DIRECT)
    assert bench.calls("status") == 4


def test_waits_while_tiktok_processes_for_an_hour(bench: Bench) -> None:
    """An hour of processing is asked about gently, and ends in one post."""
    bench.script("video.init", "processing-3600s")
    publication_id = bench.publish(DIRECT)

    bench.carry(publication_id)

    bench.check_published_once(publication_id, DIRECT)
    assert 20 < bench.calls("status") < 150


@pytest.mark.parametrize("flow", [DIRECT, PULL, PHOTOS], ids=lambda flow: flow.name)
def test_asks_a_person_about_a_post_that_is_stuck(bench: Bench, flow: Any) -> None:
    """After a day without a verdict nobody guesses. When TikTok moves again, another look finds the post; nothing is sent twice."""
    bench.script(flow.decisive, "stuck")
    publication_id = bench.publish(flow)
    bench.step(publication_id)
    bench.world.settle()
    bench.advance(24 * 3600)
    row = bench.carry(publication_id)
    assert (row.state, row.next_action_at) == (State.UNCERTAIN, None)
    assert "24 hours" in (row.error_message or "")

    bench.world.ask("POST", f"tiktok/posts/{row.reference}/unstick", {})
    bench.try_again(publication_id)
    bench.carry(publication_id)

    bench.check_published_once(publication_id, flow)
    assert bench.calls(flow.decisive) == 1


@pytest.mark.parametrize("reason", TIKTOK.final_reasons)
@pytest.mark.parametrize("flow", [DIRECT, PHOTOS], ids=lambda flow: flow.name)
def test_tells_why_a_post_failed(bench: Bench, flow: Any, reason: str) -> None:
    """FAILED for a reason that time does not heal: said once, in a sentence, and never tried again by itself."""
    bench.script(flow.decisive, f"fail:{reason}")
    publication_id = bench.publish(flow)

    row = bench.carry(publication_id)

    assert (row.state, row.error_code) == (State.FAILED, reason)
    assert len(row.error_message or "") > 30
    bench.check_never_published()
    assert bench.calls(flow.decisive) == 1
    assert bench.events(publication_id)[-1].event == "publish_failed"


@pytest.mark.parametrize("reason", TIKTOK.retried_reasons)
@pytest.mark.parametrize("flow", [DIRECT, PHOTOS], ids=lambda flow: flow.name)
def test_tries_again_what_failed_for_tiktoks_own_reasons(bench: Bench, flow: Any, reason: str) -> None:
    """FAILED for a reason that may pass: begun anew after a pause, and one post in the end."""
    bench.script(flow.decisive, f"fail:{reason}")
    publication_id = bench.publish(flow)

    bench.carry(publication_id)

    bench.check_published_once(publication_id, flow)
    assert bench.calls(flow.decisive) == 2


@pytest.mark.parametrize("flow", [DIRECT, PHOTOS], ids=lambda flow: flow.name)
def test_gives_up_what_keeps_failing(bench: Bench, flow: Any) -> None:
    """The fourth FAILED in a row ends it."""
    bench.script(flow.decisive, "fail:internal", times=4)
    publication_id = bench.publish(flow)

    row = bench.carry(publication_id)

    assert (row.state, row.error_code) == (State.FAILED, "internal")
    bench.check_never_published()


def test_a_cap_after_the_upload_waits(bench: Bench) -> None:
    """TikTok notices only while processing that the creator's day is full: an hour later it is tried anew."""
    bench.script("upload.chunk", "fail:spam_risk_too_many_posts")
    publication_id, began = bench.publish(DIRECT), bench.clock.now

    bench.carry(publication_id)

    bench.check_published_once(publication_id, DIRECT)
    assert bench.clock.now - began >= timedelta(hours=1)


@pytest.mark.parametrize("flow", TIKTOK.flows, ids=lambda flow: flow.name)
def test_waits_for_a_full_cap(bench: Bench, flow: Any) -> None:
    """The creator's day, or their pending drafts, are full: nothing is sent until there is room, then it goes out once."""
    bench.world.ask("PUT", f"tiktok/accounts/{USERNAME}", {"daily_post_cap": 0, "pending_share_cap": 0})
    publication_id = bench.publish(flow)
    for _ in range(5):
        bench.step(publication_id)
    row = bench.row(publication_id)
    assert (row.state, bench.posts()) == (State.UPLOADING, [])
    assert row.note

    bench.world.ask("PUT", f"tiktok/accounts/{USERNAME}", {"daily_post_cap": 15, "pending_share_cap": 5})
    bench.carry(publication_id)

    bench.check_published_once(publication_id, flow)


def test_gives_up_a_cap_that_stays_full(bench: Bench) -> None:
    """A cap that is never free again means that something else is wrong."""
    bench.world.ask("PUT", f"tiktok/accounts/{USERNAME}", {"daily_post_cap": 0})
    publication_id, began = bench.publish(DIRECT), bench.clock.now

    row = bench.carry(publication_id)

    assert row.state == State.FAILED
    assert GIVE_UP_CAPS_AFTER - timedelta(hours=2) < bench.clock.now - began <= GIVE_UP_CAPS_AFTER
    bench.check_never_published()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"banned": True}, "spam_risk_user_banned_from_posting"),
        ({"max_video_post_duration_sec": 1}, ""),
        ({"private": True}, ""),
    ],
    ids=str,
)
def test_refuses_before_uploading_what_the_creator_may_not_post(bench: Bench, changes: dict[str, Any], code: str) -> None:
    """A banned creator, a video that is too long for them, a public post on a private account: said before a byte is sent."""
    bench.world.ask("PUT", f"tiktok/accounts/{USERNAME}", changes)
    publication_id = bench.publish(DIRECT)

    row = bench.carry(publication_id)

    assert row.state == State.FAILED
    assert code in (row.error_code or "")
    bench.check_never_published()
    assert bench.calls("video.init") == 0


def test_refuses_to_post_publicly_for_an_unaudited_app(bench: Bench) -> None:
    """An unaudited app may only post to private accounts; the sentence says what to change."""
    app = bench.world.ask("GET", "tiktok/apps")["apps"][0]["client_key"]
    bench.world.ask("PUT", f"tiktok/apps/{app}", {"audited": False})
    publication_id = bench.publish(DIRECT)

    row = bench.carry(publication_id)

    bench.world.ask("PUT", f"tiktok/apps/{app}", {"audited": True})
    assert (row.state, row.error_code) == (State.FAILED, "unaudited_client_can_only_post_to_private_accounts")
    assert "private" in (row.error_message or "")
    bench.check_never_published()


def test_cancels_a_pull_that_is_under_way(bench_on_both: Bench, public: PublicAddress) -> None:
    """While TikTok still fetches, it can be asked to stop; our answer says so, and the end confirms it."""
    publication_id = bench_on_both.publish(PULL)
    with public.slow_downloads():
        bench_on_both.step(publication_id, settle=False)
        answered = bench_on_both.cancel_if_possible(publication_id)
        bench_on_both.step(publication_id, settle=False)

    assert answered is State.PROCESSING
    assert bench_on_both.row(publication_id).state == State.CANCELLED
    bench_on_both.check_never_published()
    assert bench_on_both.calls("cancel") == 1


def test_cancelling_a_pull_too_late_is_said(bench: Bench) -> None:
    """TikTok has already fetched: the post goes out, and says so."""
    publication_id = bench.publish(PULL)
    with bench.world.settings(processing_s=30.0):
        bench.step(publication_id)
        bench.world.settle()
        assert bench.cancel_if_possible(publication_id) is State.PROCESSING
        bench.carry(publication_id)

    bench.check_published_once(publication_id, PULL)
    assert bench.calls("cancel") == 1


def test_a_person_finds_nothing_and_posts_again(bench_on_both: Bench) -> None:
    """The request for private photos never arrived; a person looks, says so, and the post goes out once."""
    flow = TIKTOK.flow("private photos")
    bench_on_both.script("content.init", "reset")
    publication_id = bench_on_both.publish(flow)
    assert bench_on_both.carry(publication_id).state == State.UNCERTAIN

    bench_on_both.decide(publication_id, is_live=False)
    bench_on_both.carry(publication_id)

    bench_on_both.check_published_once(publication_id, flow)


@pytest.mark.in_process("its public address is one of its own, and the workers have theirs")
@pytest.mark.parametrize("flow", [PULL, PHOTOS], ids=lambda flow: flow.name)
def test_waits_for_our_own_address_to_answer(make_bench: MakeBench, sqlite_url: str, flow: Any) -> None:
    """CLIPCAST_PUBLIC_URL leads nowhere: TikTok is not even asked, and the note says why we wait."""
    bench = make_bench(TIKTOK, sqlite_url, public_url="http://127.0.0.1:9")
    publication_id = bench.publish(flow)

    row = bench.step(publication_id)

    assert "127.0.0.1:9" in (row.note or "")
    assert row.next_action_at is not None
    assert bench.world.requests() == []


@pytest.mark.in_process("its public address is one of its own, and the workers have theirs")
@pytest.mark.parametrize("flow", [PULL, PHOTOS], ids=lambda flow: flow.name)
def test_says_when_our_address_serves_something_else(make_bench: MakeBench, sqlite_url: str, world: World, flow: Any) -> None:
    """Somebody else's server answers under CLIPCAST_PUBLIC_URL: refused at once, with the setting to check."""
    bench = make_bench(TIKTOK, sqlite_url, public_url=world.url)
    publication_id = bench.publish(flow)

    row = bench.carry(publication_id)

    assert (row.state, row.error_code) == (State.FAILED, "media_url_unreachable")
    assert "PUBLIC_URL" in (row.error_message or "")
    bench.check_never_published()


@pytest.mark.parametrize("flow", [PULL, PHOTOS], ids=lambda flow: flow.name)
def test_says_when_the_address_is_not_verified(bench: Bench, flow: Any) -> None:
    """TikTok fetches only from addresses that the app's owner verified."""
    app = bench.world.ask("GET", "tiktok/apps")["apps"][0]["client_key"]
    bench.world.ask("PUT", f"tiktok/apps/{app}", {"verified_prefixes": []})
    publication_id = bench.publish(flow)

    row = bench.carry(publication_id)

    assert (row.state, row.error_code) == (State.FAILED, "url_ownership_unverified")
    bench.check_never_published()


def test_finds_the_link_after_moderation(bench_on_both: Bench) -> None:
    """TikTok publishes at once and gives the public id minutes later: success is told at once, the link when it is there."""
    publication_id = bench_on_both.publish(DIRECT)
    with bench_on_both.world.settings(moderation_s=400.0):
        row = bench_on_both.carry(publication_id)
        assert (row.state, row.external_url) == (State.PUBLISHED, None)
        while row.next_action_at is not None:
            row = bench_on_both.step(publication_id)

    post = bench_on_both.check_published_once(publication_id, DIRECT)
    assert (row.external_post_id, row.external_url) == (post["post_id"], post["share_url"])
    assert bench_on_both.events(publication_id)[-1].event == "publish_link_found"
