"""The control resource's Instagram part, the journal, and the page that documents them."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from clipcast_simulator.instagram import scripted
from clipcast_simulator.settings import InstagramKnobs
from simulator.instagram.client import Profile, profile, world
from simulator.wire import Sim

OPERATIONS = scripted.GRAPH | scripted.OPEN | scripted.PAGES | scripted.UPLOAD | {"oauth.code"}


@pytest.mark.parametrize("names", [scripted._WHERE, OPERATIONS, InstagramKnobs.model_fields])
def test_the_page_names_every_fault_operation_and_knob(names: Iterable[str]) -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "simulator.md").read_text(encoding="utf-8")
    section = page[page.index("## Instagram") : page.index("## YouTube")]

    assert [name for name in names if f"`{name}" not in section] == []


def test_every_operation_is_one_that_is_served(sim: Sim) -> None:
    told = sim.try_control("POST", "/faults", [{"platform": "instagram", "operation": "?", "fault": "503"}]).json["error"]

    assert all(f"'{name}'" in told for name in OPERATIONS)


def test_the_first_page_says_what_is_not_imitated(sim: Sim) -> None:
    page = sim.send("GET", "/").body.decode()

    assert "/_simulator/instagram/posts" in page
    assert "http is accepted for loopback hosts only" in page
    assert "Instagram: comments, insights" in page


def test_the_journal_has_no_secrets(sim: Sim, fay: Profile, clip: bytes, jpeg_url: str) -> None:
    _, uri = fay.resumable()
    fay.send(uri, clip)
    fay.get("me", access_token=fay.token)
    fay.container(image_url=f"{jpeg_url}?signature=s3cret")

    told = str(sim.requests())

    assert fay.token not in told
    assert "s3cret" not in told
    assert [entry["operation"] for entry in sim.requests()] == ["container.create", "upload", "user", "container.create"]
    assert {entry["username"] for entry in sim.requests()} == {"fay"}


def test_the_world_can_be_seen_by_account(sim: Sim, ana: Profile, jpeg_url: str) -> None:
    ana.container(image_url=jpeg_url, caption="Hers")
    profile(sim, "bo").container(image_url=jpeg_url, caption="His")

    assert [post["caption"] for post in world(sim)] == ["Hers", "His"]
    assert [post["caption"] for post in sim.control("GET", "/instagram/posts?username=bo")["posts"]] == ["His"]
    assert sim.try_control("GET", "/instagram/posts?user=bo").status == 400


def test_unused_children_are_shown_by_themselves(sim: Sim, ana: Profile, jpeg_url: str) -> None:
    used = [ana.container(image_url=jpeg_url, is_carousel_item=True) for _ in range(2)]
    unused = ana.container(image_url=jpeg_url, is_carousel_item=True)
    parent = ana.container(media_type="CAROUSEL", children=used)

    assert [(post["container_id"], post["published"]) for post in world(sim)] == [(unused, False), (parent, False)]


def test_wrong_methods_and_paths(sim: Sim, ana: Profile) -> None:
    assert sim.send("PUT", f"/instagram/v26.0/{ana.id}/media").status == 405
    assert sim.send("GET", "/instagram/nowhere").status == 404
    assert sim.try_control("POST", "/instagram/posts/17900000000000000/unstick").status == 404
    assert sim.try_control("POST", "/instagram/accounts/nobody/revoke").status == 404
