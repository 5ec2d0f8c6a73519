"""Sliding windows per token, rolling days per creator and app, all by the moved clock."""

from collections.abc import Callable

import pytest

from simulator.wire import Answer, Creator, Sim, one_chunk, put

VIDEO = one_chunk(1000)


@pytest.mark.parametrize(("operation", "per_minute"), [("video.init", 6), ("inbox.init", 6), ("creator_info", 20), ("status", 30)])
def test_a_token_has_its_calls_per_sliding_minute(sim: Sim, operation: str, per_minute: int) -> None:
    creator = sim.account("bo", pending_share_cap=100)
    calls: dict[str, Callable[[], Answer]] = {
        "video.init": lambda: creator.video_init(VIDEO),
        "inbox.init": lambda: creator.inbox_init(VIDEO),
        "creator_info": creator.info,
        "status": lambda: creator.status("v_pub_file~v2-1.1"),
    }
    call = calls[operation]
    call()
    sim.advance(30)
    codes = [call().code for _ in range(per_minute)]
    assert codes.count("rate_limit_exceeded") == 1

    sim.advance(30)
    assert call().code != "rate_limit_exceeded"
    refused = call()
    assert (refused.status, refused.code) == (429, "rate_limit_exceeded")


def test_the_limit_is_per_token_and_per_endpoint(sim: Sim, ana: Creator) -> None:
    for _ in range(7):
        ana.video_init(VIDEO)

    assert ana.inbox_init(VIDEO).code == "ok"
    assert sim.account("bo").video_init(VIDEO).code == "ok"


def test_a_knob_switches_the_minute_limits_off(sim: Sim, ana: Creator) -> None:
    sim.settings(tiktok={"per_minute_limits": "off"})

    assert {ana.video_init(VIDEO).code for _ in range(8)} == {"ok"}


def test_a_creators_day_is_full_until_the_window_moves(sim: Sim, video: bytes) -> None:
    creator = sim.account("bo", daily_post_cap=2)
    creator.upload(video)
    sim.advance(3600)
    creator.upload(video)

    info, init = creator.info(), creator.video_init(VIDEO)
    assert (info.status, info.code) == (200, "spam_risk_too_many_posts")
    assert (init.status, init.code) == (403, "spam_risk_too_many_posts")
    assert "data" not in info.json

    sim.advance(86_400 - 3600)
    assert sim.account("bo").video_init(VIDEO).code == "ok"


def test_failed_and_abandoned_posts_leave_the_day_open(sim: Sim) -> None:
    creator = sim.account("bo", daily_post_cap=1)
    creator.status(creator.upload(b"no video"))
    creator.video_init(VIDEO)
    assert creator.video_init(VIDEO).code == "spam_risk_too_many_posts"

    sim.advance(3601)
    assert creator.video_init(VIDEO).code == "ok"


def test_five_unfinished_drafts_are_enough(sim: Sim, ana: Creator, video: bytes) -> None:
    drafts = [ana.inbox_init(one_chunk(len(video))).data for _ in range(5)]
    refused = ana.inbox_init(VIDEO)
    assert (refused.status, refused.code) == (403, "spam_risk_too_many_pending_share")

    put(sim, drafts[0]["upload_url"], video, 0, len(video))
    sim.control("POST", f"/tiktok/posts/{drafts[0]['publish_id']}/post-draft")
    sim.advance(60)
    assert ana.inbox_init(VIDEO).code == "ok"


def test_a_banned_creator_is_told_softly_then_hard(sim: Sim) -> None:
    creator = sim.account("bo", banned=True)

    answers = [creator.info(), creator.video_init(VIDEO), creator.inbox_init(VIDEO)]

    assert {answer.code for answer in answers} == {"spam_risk_user_banned_from_posting"}
    assert [answer.status for answer in answers] == [200, 403, 403]


def test_an_app_has_its_active_creators_per_day(sim: Sim) -> None:
    sim.app(active_user_cap=1)
    ana, bo = sim.account("ana"), sim.account("bo")
    ana.video_init(VIDEO)

    assert ana.video_init(VIDEO).code == "ok"
    assert (bo.info().status, bo.info().code) == (200, "reached_active_user_cap")
    assert (bo.video_init(VIDEO).status, bo.video_init(VIDEO).code) == (403, "reached_active_user_cap")
    assert bo.inbox_init(VIDEO).code == "ok"


def test_an_unaudited_app_has_five(sim: Sim) -> None:
    sim.app("awunaudited", audited=False)
    creators = [sim.account(f"user{n}", client_key="awunaudited", private=True) for n in range(6)]

    codes = [creator.video_init(VIDEO).code for creator in creators]

    assert codes == ["ok"] * 5 + ["reached_active_user_cap"]


def test_an_access_token_lives_a_day(sim: Sim, ana: Creator) -> None:
    sim.advance(86_399)
    assert ana.info().code == "ok"

    sim.advance(1)
    assert (ana.info().status, ana.info().code) == (401, "access_token_invalid")
