"""From the last byte to the end: statuses, fail reasons, moderation, drafts, cancelling."""

from collections.abc import Callable
from fractions import Fraction

import pytest

from simulator import media_samples
from simulator.wire import Creator, Sim, file_source, one_chunk, put


def test_a_public_post_gets_its_id_after_moderation_as_a_number(sim: Sim, ana: Creator, video: bytes) -> None:
    sim.settings(moderation_s=60.0)
    publish_id = ana.upload(video, privacy_level="PUBLIC_TO_EVERYONE", title="hello")
    assert ana.status(publish_id).data == {"status": "PUBLISH_COMPLETE", "uploaded_bytes": len(video)}

    sim.advance(60)
    (post_id,) = ana.status(publish_id).data["publicaly_available_post_id"]

    assert (type(post_id), len(str(post_id))) == (int, 19)
    post = sim.post(publish_id)
    assert (post["post_id"], post["published"], post["caption"]) == (str(post_id), True, "hello")
    assert post["share_url"] == f"https://www.tiktok.com/@ana/video/{post_id}"


@pytest.mark.parametrize("level", ["SELF_ONLY", "MUTUAL_FOLLOW_FRIENDS"])
def test_a_post_for_fewer_eyes_never_gets_an_id(sim: Sim, ana: Creator, video: bytes, level: str) -> None:
    publish_id = ana.upload(video, privacy_level=level)
    sim.advance(3600)

    assert "publicaly_available_post_id" not in ana.status(publish_id).data


def test_processing_takes_its_simulated_time(sim: Sim, ana: Creator, video: bytes) -> None:
    sim.settings(processing_s=3600.0)
    publish_id = ana.upload(video)

    sim.advance(3599)
    assert ana.status(publish_id).data["status"] == "PROCESSING_UPLOAD"
    assert sim.post(publish_id)["published"] is False
    sim.advance(1)
    assert ana.status(publish_id).data["status"] == "PUBLISH_COMPLETE"


BAD_VIDEOS: dict[str, tuple[Callable[[], bytes], str]] = {
    "text renamed": (lambda: b"hello " * 1000, "file_format_check_failed"),
    "truncated": (lambda: media_samples.video(seconds=2)[:50_000], "file_format_check_failed"),
    "ffconcat": (lambda: b"ffconcat version 1.0\nfile '/etc/hostname'\n", "file_format_check_failed"),
    "a picture": (media_samples.image, "file_format_check_failed"),
    "codec": (lambda: media_samples.video(codec="mpeg4"), "file_format_check_failed"),
    "slow frames": (lambda: media_samples.video(rate=20), "frame_rate_check_failed"),
    "fast frames": (lambda: media_samples.video(rate=Fraction(6003, 100), seconds=2), "frame_rate_check_failed"),
    "small picture": (lambda: media_samples.video(width=320, height=320), "picture_size_check_failed"),
    "too short": (lambda: media_samples.video(seconds=0.5), "duration_check_failed"),
    "too long": (lambda: media_samples.video(seconds=4), "duration_check_failed"),
}


@pytest.mark.parametrize("name", BAD_VIDEOS)
def test_a_video_against_the_rules_fails_with_the_documented_reason(sim: Sim, name: str) -> None:
    make, reason = BAD_VIDEOS[name]
    creator = sim.account("bo", max_video_post_duration_sec=3)
    publish_id = creator.upload(make())

    assert creator.status(publish_id).data == {"status": "FAILED", "fail_reason": reason}
    assert sim.post(publish_id)["published"] is False


@pytest.mark.parametrize(("codec", "container"), [("libx264", "mp4"), ("libx264", "mov"), ("libvpx", "webm"), ("libvpx-vp9", "webm")])
def test_the_documented_formats_pass(ana: Creator, codec: str, container: str) -> None:
    publish_id = ana.upload(media_samples.video(codec=codec, container=container))

    assert ana.status(publish_id).data["status"] == "PUBLISH_COMPLETE"


def test_a_video_in_several_chunks_is_probed_as_one(sim: Sim, ana: Creator, video: bytes) -> None:
    size = 12_000_000
    whole = media_samples.padded(video, size)
    begun = ana.video_init(file_source(size, 5_000_000, 2)).data
    put(sim, begun["upload_url"], whole[:5_000_000], 0, size)
    put(sim, begun["upload_url"], whole[5_000_000:], 5_000_000, size)

    assert ana.status(begun["publish_id"]).data["status"] == "PUBLISH_COMPLETE"


def test_a_draft_waits_in_the_inbox_until_the_user_posts_it(sim: Sim, ana: Creator, video: bytes) -> None:
    begun = ana.inbox_init(one_chunk(len(video))).data
    put(sim, begun["upload_url"], video, 0, len(video))
    assert ana.status(begun["publish_id"]).data["status"] == "SEND_TO_USER_INBOX"
    assert sim.post(begun["publish_id"])["post_id"] is None

    sim.control("POST", f"/tiktok/posts/{begun['publish_id']}/post-draft", {"title": "done by hand"})

    data = ana.status(begun["publish_id"]).data
    assert (data["status"], len(data["publicaly_available_post_id"])) == ("PUBLISH_COMPLETE", 1)
    assert sim.post(begun["publish_id"])["caption"] == "done by hand"


def test_one_draft_can_become_several_posts(sim: Sim, ana: Creator, video: bytes) -> None:
    begun = ana.inbox_init(one_chunk(len(video))).data
    put(sim, begun["upload_url"], video, 0, len(video))
    for _ in range(2):
        sim.control("POST", f"/tiktok/posts/{begun['publish_id']}/post-draft")

    assert len(ana.status(begun["publish_id"]).data["publicaly_available_post_id"]) == 2


def test_a_post_made_public_later_gets_its_id(sim: Sim, ana: Creator, video: bytes) -> None:
    publish_id = ana.upload(video)
    ana.status(publish_id)
    sim.control("POST", f"/tiktok/posts/{publish_id}/visibility", {"public": True})

    assert len(ana.status(publish_id).data["publicaly_available_post_id"]) == 1


def test_a_fresh_publish_id_can_be_unknown_for_a_while(sim: Sim, ana: Creator) -> None:
    sim.settings(early_invalid_s=30.0)
    publish_id = ana.video_init(one_chunk(1000)).data["publish_id"]

    early = ana.status(publish_id)
    sim.advance(30)

    assert (early.status, early.code, early.message) == (400, "invalid_params", "invalid_publish_id")
    assert ana.status(publish_id).data == {"status": "PROCESSING_UPLOAD"}


def test_a_knob_puts_invalid_publish_id_into_the_code(sim: Sim, ana: Creator) -> None:
    sim.settings(tiktok={"unknown_publish_id": "code"})

    answer = ana.status("v_pub_file~v2-1.1")

    assert (answer.status, answer.code) == (400, "invalid_publish_id")


def test_another_accounts_publish_id_is_not_shown(sim: Sim, ana: Creator, video: bytes) -> None:
    publish_id = ana.upload(video)

    answer = sim.account("bo").status(publish_id)

    assert (answer.status, answer.code) == (400, "token_not_authorized_for_specified_publish_id")


def test_a_finished_or_file_upload_cannot_be_cancelled(sim: Sim, ana: Creator, video: bytes) -> None:
    done, receiving = ana.upload(video), ana.video_init(one_chunk(1000)).data["publish_id"]

    assert ana.cancel(done).code == "publish_not_cancellable"
    assert ana.cancel(receiving).code == "publish_not_cancellable"
    assert ana.cancel("nothing").message == "invalid_publish_id"

    sim.settings(tiktok={"cancel_file_upload": "accept"})
    answer = ana.cancel(receiving)
    assert (answer.code, "data" in answer.json) == ("ok", False)
    assert ana.status(receiving).data == {"status": "FAILED", "fail_reason": "publish_cancelled"}


def test_a_creator_who_disconnects_the_app_meanwhile_fails_the_post(sim: Sim, ana: Creator, video: bytes) -> None:
    sim.settings(processing_s=60.0)
    publish_id = ana.upload(video)

    sim.control("POST", "/tiktok/accounts/ana/revoke")

    assert ana.status(publish_id).code == "access_token_invalid"
    assert sim.account("ana").status(publish_id).data == {"status": "FAILED", "fail_reason": "auth_removed"}
