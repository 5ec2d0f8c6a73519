"""The control resource: identity, clock, settings, apps, accounts, requests; and that it is strict as well."""

from typing import Any

import pytest

from simulator.wire import Creator, Sim


def test_it_says_what_it_is(sim: Sim) -> None:
    told = sim.control("GET", "/")

    assert told["simulator"] == "clipcast"
    assert told["now"] == "2026-11-01T12:00:00.000Z"
    assert told["platforms"] == ["instagram", "tiktok", "youtube"]


def test_a_reset_makes_another_world_but_keeps_the_settings(sim: Sim, ana: Creator) -> None:
    before = sim.control("GET", "/")["state_id"]
    ana.upload(b"bytes")
    sim.settings(processing_s=9.0)

    after = sim.control("POST", "/reset")["state_id"]

    assert before != after
    assert (sim.posts(), sim.requests(), sim.control("GET", "/tiktok/accounts")["accounts"]) == ([], [], [])
    assert sim.control("GET", "/settings")["processing_s"] == 9.0
    assert sim.control("GET", "/clock")["follows"] is True
    assert ana.info().code == "access_token_invalid"


def test_the_clock_stands_moves_and_follows(sim: Sim) -> None:
    sim.advance(90.5)
    assert sim.control("GET", "/clock") == {"now": "2026-11-01T12:01:30.500Z", "follows": False, "offset_s": 0.0}

    running = sim.control("PUT", "/clock", {"follow": True})
    assert running["follows"] is True
    assert running["now"] >= "2026-11-01T12:01:30.500Z"
    ahead = sim.control("PUT", "/clock", {"follow": True, "offset_s": 3600})
    assert ahead["offset_s"] == 3600
    assert sim.control("PUT", "/clock", {"advance_s": 60})["offset_s"] == 3660


@pytest.mark.parametrize(
    "order", [{}, {"advance_s": -1}, {"advance_s": 1, "follow": True}, {"now": "tomorrow"}, {"follow": False}, {"offset_s": 5}, {"jump": 1}]
)
def test_the_clock_takes_one_clear_instruction(sim: Sim, order: dict[str, Any]) -> None:
    answer = sim.try_control("PUT", "/clock", order)

    assert answer.status == 400
    assert answer.json["error"]


def test_settings_change_in_part(sim: Sim) -> None:
    sim.settings(moderation_s=7.0, tiktok={"size_unit": "MiB"})
    sim.settings(tiktok={"content_range_reply": "index"})

    told = sim.control("GET", "/settings")
    assert (told["moderation_s"], told["tiktok"]["size_unit"], told["tiktok"]["content_range_reply"]) == (7.0, "MiB", "index")


@pytest.mark.parametrize(
    "change",
    [{"failure_rate": 2.0}, {"delay_min_s": 0.5}, {"speed": 1}, {"tiktok": {"size_unit": "GB"}}, {"tiktok": {"x": 1}}, {"seed": "a"}],
)
def test_a_setting_that_makes_no_sense_is_refused(sim: Sim, change: dict[str, Any]) -> None:
    before = sim.control("GET", "/settings")

    assert sim.try_control("PUT", "/settings", change).status == 400
    assert sim.control("GET", "/settings") == before


def test_an_account_keeps_its_token_until_it_dies(sim: Sim) -> None:
    first = sim.account("bo", private=True)
    assert sim.account("bo").credentials == first.credentials

    sim.control("POST", "/tiktok/accounts/bo/expire-token")
    second = sim.account("bo")
    assert second.token != first.token
    assert (first.info().code, second.info().code) == ("access_token_invalid", "ok")
    assert second.credentials["open_id"] == first.credentials["open_id"]
    assert second.info().data["privacy_level_options"][0] == "FOLLOWER_OF_CREATOR"


def test_other_scopes_need_another_token(sim: Sim) -> None:
    everything = sim.account("bo")
    less = sim.account("bo", scopes=["video.upload"])

    assert less.credentials["scope"] == "video.upload"
    assert (less.info().code, everything.info().code) == ("scope_not_authorized", "ok")
    assert sim.account("bo").credentials == less.credentials


def test_creator_info_shows_the_accounts_own_settings(sim: Sim) -> None:
    data = sim.account("bo", comment_disabled=True, private=True, max_video_post_duration_sec=3600).info().data

    assert (data["comment_disabled"], data["duet_disabled"], data["stitch_disabled"]) == (True, True, True)
    assert (data["creator_username"], data["max_video_post_duration_sec"]) == ("bo", 3600)


@pytest.mark.parametrize(
    ("path", "body", "part"),
    [
        ("/tiktok/accounts/bo", {"verified": True}, "verified"),
        ("/tiktok/accounts/bo", {"private": "yes"}, "private"),
        ("/tiktok/accounts/bo", {"scopes": ["video.delete"]}, "unknown scope 'video.delete'"),
        ("/tiktok/accounts/bo", {"app_version": "new"}, "app_version"),
        ("/tiktok/apps/awx", {"redirect_uris": ["http://example.com/cb"]}, "not an https URL"),
        ("/tiktok/apps/awx", {"redirect_uris": ["https://example.com/cb?x=1"]}, "no query"),
        ("/tiktok/apps/awx", {"redirect_uris": ["https://example.com:*/cb"]}, "wildcard"),
        ("/tiktok/apps/awx", {"redirect_uris": [f"https://example.com/{n}" for n in range(11)]}, "at most 10"),
        ("/tiktok/apps/awx", {"verified_domains": ["https://example.com"]}, "domain name"),
        ("/tiktok/apps/awx", {"verified_prefixes": ["https://example.com/x"]}, "end in a slash"),
        ("/tiktok/apps/awx", {"verified_prefixes": ["https://93.184.216.34/x/"]}, "IP address"),
        ("/tiktok/apps/awx", {"webhook_url": "http://example.com/hook"}, "not an https URL"),
    ],
)
def test_what_the_portal_would_refuse_is_refused(sim: Sim, path: str, body: dict[str, Any], part: str) -> None:
    answer = sim.try_control("PUT", path, body)

    assert answer.status == 400
    assert part in answer.json["error"]


def test_prefixes_are_added_once_and_replaced_by_put(sim: Sim) -> None:
    path = "/tiktok/apps/awclipcastsimulator/prefixes"
    for _ in range(2):
        app = sim.control("POST", path, {"prefix": "https://cdn.example.com/u/"})
    assert app["verified_prefixes"] == ["https://cdn.example.com/u/"]

    assert sim.app(verified_prefixes=["http://127.0.0.1:9/x/"])["verified_prefixes"] == ["http://127.0.0.1:9/x/"]
    assert sim.app(audited=False)["verified_prefixes"] == ["http://127.0.0.1:9/x/"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/tiktok/accounts/bo/dance"),
        ("POST", "/tiktok/accounts/nobody/revoke"),
        ("POST", "/tiktok/posts/nothing/post-draft"),
        ("POST", "/tiktok/apps/nobody/prefixes"),
    ],
)
def test_what_does_not_exist_is_404(sim: Sim, method: str, path: str) -> None:
    body = {"prefix": "https://a.example/"} if path.endswith("prefixes") else None

    assert sim.try_control(method, path, body).status == 404


def test_the_journal_has_every_request_and_no_secret(sim: Sim, ana: Creator) -> None:
    ana.info()
    ana.call("/tiktok/v2/post/publish/nothing/", {})
    ana.upload(b"bytes")

    seen = sim.requests()

    assert [entry["operation"] for entry in seen] == ["creator_info", "unknown", "video.init", "upload.chunk"]
    assert [entry["status"] for entry in seen] == [200, 404, 200, 201]
    assert [entry["username"] for entry in seen] == ["ana", None, "ana", "ana"]
    assert seen[3]["bytes"] == 5
    assert seen[3]["path"] == "/tiktok/upload"
    assert sim.requests(since=str(seen[1]["id"])) == seen[2:]
    assert ana.token not in str(seen)


def test_the_first_page_says_what_is_not_imitated(sim: Sim) -> None:
    page = sim.send("GET", "/").body.decode()

    assert "What it does not imitate" in page
    assert "TLS" in page


def test_ten_megabytes_of_json_are_not_read(ana: Creator) -> None:
    answer = ana.sim.call("/tiktok/v2/post/publish/video/init/", b"[" * 10_000_000, token=ana.token)

    assert answer.status == 413
