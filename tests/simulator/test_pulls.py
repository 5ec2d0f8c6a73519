"""Photos and videos that TikTok fetches itself: really fetched, judged, and resumed after a restart."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from clipcast_simulator.server import SimulatorServer
from clipcast_simulator.settings import quiet
from simulator import media_samples
from simulator.web import Page, Web
from simulator.wire import Creator, Sim


def pull(url: str) -> dict[str, Any]:
    return {"source": "PULL_FROM_URL", "video_url": url}


def outcome(sim: Sim, creator: Creator, publish_id: str) -> dict[str, Any]:
    sim.settle()
    told: dict[str, Any] = creator.status(publish_id).data
    return told


def test_a_carousel_is_fetched_and_its_bytes_are_known(sim: Sim, ana: Creator, gallery: Web) -> None:
    images = [media_samples.image(), media_samples.image("WEBP"), media_samples.image(width=1080, height=1920)]
    urls = [gallery.put(f"/{n}.jpg?signature=s{n}", image) for n, image in enumerate(images)]
    publish_id = ana.photo_init(urls, title="three", description="pictures", privacy_level="PUBLIC_TO_EVERYONE").data["publish_id"]

    told = outcome(sim, ana, publish_id)

    assert (told["status"], told["downloaded_bytes"]) == ("PUBLISH_COMPLETE", sum(map(len, images)))
    post = sim.post(publish_id)
    assert post["images"] == [
        {"url_without_query": f"{gallery.url}/{n}.jpg", "sha256": hashlib.sha256(image).hexdigest(), "bytes": len(image)}
        for n, image in enumerate(images)
    ]
    assert (post["kind"], post["caption"]) == ("photo", "pictures")
    assert "/photo/" in post["share_url"]


def test_a_draft_of_photos_lands_in_the_inbox(sim: Sim, ana: Creator, gallery: Web) -> None:
    url = gallery.put("/1.jpg", media_samples.image())
    publish_id = ana.photo_init([url], mode="MEDIA_UPLOAD", title="kept").data["publish_id"]

    assert outcome(sim, ana, publish_id)["status"] == "SEND_TO_USER_INBOX"
    assert sim.post(publish_id)["title"] == "kept"


def test_while_it_is_fetched_a_video_is_downloading_and_can_be_cancelled(sim: Sim, ana: Creator, gallery: Web, video: bytes) -> None:
    gallery.gate.clear()
    publish_id = ana.video_init(pull(gallery.put("/v.mp4", video, "video/mp4"))).data["publish_id"]
    assert ana.status(publish_id).data == {"status": "PROCESSING_DOWNLOAD"}

    assert ana.cancel(publish_id).code == "ok"
    gallery.gate.set()

    assert outcome(sim, ana, publish_id) == {"status": "FAILED", "fail_reason": "publish_cancelled"}


def test_a_pulled_video_is_published(sim: Sim, ana: Creator, gallery: Web, video: bytes) -> None:
    publish_id = ana.video_init(pull(gallery.put("/v.mp4", video, "video/mp4"))).data["publish_id"]

    assert outcome(sim, ana, publish_id) == {"status": "PUBLISH_COMPLETE", "downloaded_bytes": len(video)}
    assert sim.post(publish_id)["sha256"] == hashlib.sha256(video).hexdigest()


BAD_PAGES = {
    "missing": (Page(status=404), "photo_pull_failed"),
    "redirect": (Page(status=302, headers={"Location": "/good.jpg"}), "photo_pull_failed"),
    "login wall": (Page(b"<html>", "text/html"), "photo_pull_failed"),
    "png": (Page(media_samples.image("PNG")), "file_format_check_failed"),
    "not an image": (Page(b"hello"), "file_format_check_failed"),
    "truncated": (Page(media_samples.image()[:2000]), "file_format_check_failed"),
    "too large a picture": (Page(media_samples.image(width=1086, height=1448)), "picture_size_check_failed"),
}


@pytest.mark.parametrize("name", BAD_PAGES)
def test_one_bad_image_fails_the_whole_carousel(sim: Sim, ana: Creator, gallery: Web, name: str) -> None:
    good = gallery.put("/good.jpg", media_samples.image())
    gallery.pages["/bad.jpg"], reason = BAD_PAGES[name]
    publish_id = ana.photo_init([good, f"{gallery.url}/bad.jpg"]).data["publish_id"]

    assert outcome(sim, ana, publish_id) == {"status": "FAILED", "fail_reason": reason}


def test_a_video_that_cannot_be_fetched_fails(sim: Sim, ana: Creator, gallery: Web) -> None:
    publish_id = ana.video_init(pull(f"{gallery.url}/nothing.mp4")).data["publish_id"]

    assert outcome(sim, ana, publish_id) == {"status": "FAILED", "fail_reason": "video_pull_failed"}


def test_a_pull_is_taken_up_again_after_a_restart(state_dir: Path, web: Web) -> None:
    web.gate.clear()
    with SimulatorServer(state_dir, quiet()) as server:
        sim = Sim(server.url)
        sim.control("POST", "/tiktok/apps/awclipcastsimulator/prefixes", {"prefix": f"{web.url}/"})
        ana = sim.account("ana")
        publish_id = ana.photo_init([web.put("/1.jpg", media_samples.image())]).data["publish_id"]
        web.gate.set()

    with SimulatorServer(state_dir) as server:
        sim = Sim(server.url)
        assert outcome(sim, sim.account("ana"), publish_id)["status"] == "PUBLISH_COMPLETE"
