"""YouTube's part of the control resource."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from clipcast_simulator.settings import YouTubeKnobs
from clipcast_simulator.youtube import scripted
from simulator.wire import Sim
from simulator.youtube.channel import RESOURCE, Channel, app, channel, posts, reason


def test_an_account_answers_the_same_tokens_while_they_work(sim: Sim) -> None:
    first, again = channel(sim).credentials, channel(sim).credentials

    assert first == again
    assert first["client_key"] == first["client_id"]
    assert first["channel_id"].startswith("UC")
    assert first["expires_at"] == "2026-11-01T12:59:59.000Z"
    assert first["scope"].split() == [f"https://www.googleapis.com/auth/youtube.{name}" for name in ("readonly", "upload")]


def test_other_scopes_mean_other_tokens(sim: Sim) -> None:
    first = channel(sim).credentials

    second = channel(sim, scopes=["https://www.googleapis.com/auth/youtube"]).credentials

    assert second["access_token"] != first["access_token"]
    assert second["scope"] == "https://www.googleapis.com/auth/youtube"
    assert channel(sim).credentials == second


def test_an_expired_token_is_replaced_when_asked(sim: Sim, eva: Channel) -> None:
    sim.control("POST", "/youtube/accounts/eva/expire-token")
    assert reason(eva.start()) == (401, "authError")

    fresh = channel(sim, "eva")

    assert fresh.start().status == 200
    form = {name: eva.credentials[name] for name in ("client_id", "client_secret", "refresh_token")}
    assert sim.form("/youtube/token", {"grant_type": "refresh_token", **form}).status == 200


def test_a_user_may_disconnect_every_app(sim: Sim, eva: Channel) -> None:
    sim.control("POST", "/youtube/accounts/eva/revoke")

    form = {name: eva.credentials[name] for name in ("client_id", "client_secret", "refresh_token")}
    answer = sim.form("/youtube/token", {"grant_type": "refresh_token", **form})
    assert (answer.status, answer.json["error"]) == (400, "invalid_grant")
    assert reason(eva.start()) == (401, "authError")


def test_prefixes_are_taken_as_other_platforms_take_them(sim: Sim, eva: Channel) -> None:
    answer = sim.control("POST", f"/youtube/apps/{eva.credentials['client_key']}/prefixes", {"prefix": "https://cdn.example.com/"})

    assert answer["client_id"] == eva.credentials["client_id"]


def test_apps_and_accounts_are_listed(sim: Sim) -> None:
    app(sim, {"client_id": "mine"}, upload_quota=6)
    channel(sim, "ana", title="Ana's channel")

    assert [one["client_id"] for one in sim.control("GET", "/youtube/apps")["apps"]][1:] == ["mine"]
    (ana,) = sim.control("GET", "/youtube/accounts")["accounts"]
    assert (ana["username"], ana["title"]) == ("ana", "Ana's channel")


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("PUT", "/accounts/ana", {"scopes": ["video.publish"]}, 400),
        ("PUT", "/accounts/ana", {"nickname": "x"}, 400),
        ("PUT", "/accounts/ana", {"long_uploads": "yes"}, 400),
        ("PUT", "/accounts/ana", {"client_id": "unknown"}, 404),
        ("PUT", "/apps/x", {"kind": "tv"}, 400),
        ("PUT", "/apps/x", {"project_number": "abc"}, 400),
        ("POST", "/apps/unknown/prefixes", {"prefix": "https://x/"}, 404),
        ("POST", "/accounts/unknown/revoke", None, 404),
        ("POST", "/posts/unknown/unstick", None, 404),
        ("GET", "/posts?video=x", None, 400),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(sim: Sim, method: str, path: str, content: object, status: int) -> None:
    answer = sim.try_control(method, f"/youtube{path}", content)

    assert answer.status == status
    assert set(answer.json) == {"error"}
    assert sim.control("GET", "/youtube/accounts") == {"accounts": []}


def test_the_worlds_view_tells_of_videos_and_of_uploads_that_made_none(sim: Sim, eva: Channel, video: bytes) -> None:
    status = {"privacyStatus": "unlisted"}
    made = eva.upload(video, {"snippet": {"title": "T", "description": "D", "tags": ["a"]}, "status": status})
    sim.advance(1)
    eva.session(1000, RESOURCE)

    finished, begun = posts(sim)

    assert {name: finished[name] for name in ("video_id", "username", "title", "description", "tags", "privacy", "published")} == {
        "video_id": made["id"],
        "username": "eva",
        "title": "T",
        "description": "D",
        "tags": ["a"],
        "privacy": "unlisted",
        "published": True,
    }
    assert (finished["upload_status"], finished["created_at"]) == ("processed", "2026-11-01T12:00:00.000Z")
    assert (begun["video_id"], begun["published"], begun["upload_status"], begun["bytes"]) == (None, False, None, 0)
    assert sim.control("GET", "/youtube/posts?username=nobody") == {"posts": []}


def test_a_reset_forgets_everything_but_the_default_app(sim: Sim, eva: Channel) -> None:
    eva.upload(b"bytes")

    sim.control("POST", "/reset")

    assert posts(sim) == []
    assert sim.control("GET", "/youtube/accounts") == {"accounts": []}
    assert len(sim.control("GET", "/youtube/apps")["apps"]) == 1


def test_no_secret_reaches_the_journal(sim: Sim, eva: Channel) -> None:
    uri = eva.session(5)
    eva.put(uri, b"bytes", 0, 5)

    told = str(sim.requests())

    assert "upload_id" not in told
    assert eva.token not in told
    assert [entry["username"] for entry in sim.requests()] == ["eva", "eva"]


@pytest.mark.parametrize("names", [scripted._WHERE, scripted.DATA | scripted.OAUTH | scripted.PAGES, YouTubeKnobs.model_fields])
def test_the_page_names_every_fault_operation_and_knob(names: Iterable[str]) -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "simulator.md").read_text(encoding="utf-8")
    section = page[page.index("## YouTube") :]

    assert [name for name in names if f"`{name}" not in section] == []
