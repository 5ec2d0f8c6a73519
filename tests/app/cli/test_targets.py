"""One command, one post, many targets on several platforms."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app.cli.running import Run, answer, only
from clipcast.clips.sample import make_sample_video
from clipcast.platforms.simulated import NAMELESS
from contract.world import World


@pytest.fixture(scope="session")
def reel(media: Path) -> Path:
    """Long enough for Instagram."""
    return make_sample_video(media / "reel.mp4", seconds=3.2)


def test_several_platforms_are_one_post(run: Run, world: World, reel: Path) -> None:
    result = run(
        "publish", reel, "--to", "tiktok", "--to", "instagram", "--to", "youtube", "--title", "Harbour", "--caption", "Sunset", "--json"
    )
    assert result.exit_code == 0, result.stderr
    publications = answer(result)["publications"]
    assert [(one["platform"], one["state"]) for one in publications] == [(name, "published") for name in ("tiktok", "instagram", "youtube")]
    assert len({one["post_id"] for one in publications}) == 1
    assert {only(world.posts(name, NAMELESS))["sha256"] for name in ("tiktok", "instagram", "youtube")} == {
        answer(run("clips", "--json"))["clips"][0]["sha256"]
    }


def test_a_platforms_own_options_reach_it_alone(run: Run, world: World, reel: Path) -> None:
    """As JSON where they are JSON, else as text; names that every platform knows are changed for the one named."""
    own = ('youtube.tags=["sea", "sun"]', "YouTube.privacy=unlisted", "tiktok.allow_comments=false")
    options = [word for text in own for word in ("--option", text)]
    result = run("publish", reel, "--to", "tiktok", "--to", "youtube", "--title", "Harbour", *options)
    assert result.exit_code == 0, result.stderr
    video = only(world.posts("youtube", NAMELESS))
    assert (video["tags"], video["privacy"]) == (["sea", "sun"], "unlisted")
    post = only(world.posts("tiktok", NAMELESS))
    assert post["options"]["disable_comment"] is True
    assert post["privacy_level"] == "PUBLIC_TO_EVERYONE"


def test_an_unlisted_video(run: Run, world: World, reel: Path) -> None:
    assert run("publish", reel, "--to", "youtube", "--title", "Harbour", "--privacy", "unlisted").exit_code == 0
    assert only(world.posts("youtube", NAMELESS))["privacy"] == "unlisted"


@pytest.mark.parametrize("text", ["location_id", "=1", "youtube.=1", ""])
def test_an_option_without_name_or_value_is_wrong_use(run: Run, reel: Path, text: str) -> None:
    result = run("publish", reel, "--to", "instagram", "--option", text)
    assert result.exit_code == 2
    assert "NAME=VALUE" in result.stderr


def test_an_option_that_the_platform_does_not_have(run: Run, world: World, reel: Path) -> None:
    result = run("preflight", reel, "--to", "instagram", "--option", "sparkle=much", "--json")
    assert result.exit_code == 1
    assert "unknown_option" in {problem["code"] for problem in only(answer(result)["targets"])["problems"]}
    refused = run("publish", reel, "--to", "instagram", "--option", "sparkle=much")
    assert (refused.exit_code, world.posts("instagram", NAMELESS)) == (1, [])
    assert "sparkle" in refused.stderr


def test_an_option_for_a_platform_that_is_none(run: Run, reel: Path) -> None:
    result = run("publish", reel, "--to", "tiktok", "--option", "myspace.x=1")
    assert result.exit_code == 1
    assert "does not publish to 'myspace'" in result.stderr


def test_the_same_again_within_a_day_has_to_be_meant(run: Run, world: World, video: Path) -> None:
    assert run("publish", video, "--to", "tiktok").exit_code == 0
    again = run("publish", video, "--to", "tiktok")
    assert again.exit_code == 1
    assert again.stderr.strip().endswith("To post it again, add --allow-duplicate.")
    assert len(world.posts("tiktok", NAMELESS)) == 1
    assert run("publish", video, "--to", "tiktok", "--allow-duplicate").exit_code == 0
    assert len(world.posts("tiktok", NAMELESS)) == 2


def test_satellites_follow_their_main_account(run: Run, world: World, video: Path) -> None:
    run("accounts", "add", "tiktok", "lena")
    added = answer(run("accounts", "add", "youtube", "lena.more", "--main", "lena", "--json"))
    main = next(one for one in answer(run("accounts", "--json"))["accounts"] if one["username"] == "lena")
    assert (added["kind"], added["main_account_id"]) == ("satellite", main["id"])
    checked = run("preflight", video, "--to", "tiktok", "--satellites", "--title", "Harbour")
    ready = [line for line in checked.stdout.splitlines() if "warning" not in line]
    assert ready == ["tiktok:lena: ready to publish.", "youtube:lena.more: ready to publish."]
    assert run("publish", video, "--to", "tiktok", "--satellites", "--title", "Harbour").exit_code == 0
    assert only(world.posts("tiktok", "lena"))["published"]
    assert only(world.posts("youtube", "lena.more"))["published"]


@pytest.mark.parametrize("platform", ["tiktok", "instagram", "youtube"])
def test_the_credentials_of_every_platform_are_taken(run: Run, world: World, tmp_path: Path, platform: str) -> None:
    """What the simulator hands out for an account is what its platform needs: the account is live with it."""
    granted = world.ask("PUT", f"{platform}/accounts/lena", {})
    named = {name: value for name, value in granted.items() if name not in {"scope", "username"}}
    (tmp_path / "credentials.json").write_text(json.dumps(named))
    result = run("accounts", "add", platform, "lena", "--credentials", tmp_path / "credentials.json", "--json")
    assert result.exit_code == 0, result.stderr
    added = answer(result)
    assert (added["live"], added["missing_credentials"]) == (True, [])
    assert granted["access_token"] not in result.stdout


def test_a_quota_by_id_or_name(run: Run, reel: Path) -> None:
    added = answer(run("accounts", "add", "youtube", "lena", "--json"))
    run("publish", reel, "--to", "youtube:lena", "--title", "Harbour")
    shown = answer(run("accounts", "quota", "youtube:lena", "--json"))
    assert shown == answer(run("accounts", "quota", added["id"], "--json")) == answer(run("accounts", "quota", "@lena", "--json"))
    assert any(limit["used"] == 1 for limit in shown["limits"])
    assert shown["simulated"]
    table = run("accounts", "quota", "lena")
    assert len(table.stdout.splitlines()) == len(shown["limits"]) + 1
    assert "24 h" in table.stdout


def test_a_name_on_two_platforms_has_to_be_told_apart(run: Run) -> None:
    for platform in ("tiktok", "youtube"):
        run("accounts", "add", platform, "lena")
    result = run("accounts", "quota", "lena")
    assert result.exit_code == 2
    assert "tiktok:lena" in result.stderr
    missing = run("accounts", "quota", "nobody")
    assert (missing.exit_code, missing.stdout) == (1, "")
    assert "no account 'nobody'" in missing.stderr


def test_a_name_is_found_in_whatever_case_it_is_written(run: Run, world: World, video: Path) -> None:
    run("accounts", "add", "tiktok", "lena")
    assert run("publish", video, "--to", "tiktok:LENA").exit_code == 0
    assert only(world.posts("tiktok", "lena"))["published"]
    assert run("accounts", "quota", "Lena").exit_code == 0
    twice = run("accounts", "add", "tiktok", "Lena")
    assert twice.exit_code == 1
    assert "There is already an account @lena on tiktok" in twice.stderr


@pytest.mark.parametrize("to", ["tiktok:", "tiktok: ", "tiktok:@"])
def test_an_empty_name_after_the_colon_is_not_the_main_account(run: Run, world: World, video: Path, to: str) -> None:
    """It is what an empty variable of a script leaves."""
    run("accounts", "add", "tiktok", "lena")
    for command in (("publish", video, "--to", to), ("preflight", video, "--to", to), ("schedule", "slots", to)):
        result = run(*command)
        assert result.exit_code == 2
        assert "names no account after the colon" in " ".join(result.stderr.replace("│", " ").split())
    assert world.posts("tiktok", "lena") == []


def test_an_expired_main_account_is_not_replaced(run: Run, world: World, video: Path, data_dir: Path) -> None:
    for name in ("bob", "carl"):
        run("accounts", "add", "tiktok", name)
    run("accounts", "disconnect", "bob")
    refused = run("publish", video, "--to", "tiktok")
    assert refused.exit_code == 1
    assert "@bob is revoked" in refused.stderr
    assert [world.posts("tiktok", name) for name in ("bob", "carl", NAMELESS)] == [[], [], []]
    with closing(sqlite3.connect(data_dir / "clipcast.sqlite3")) as connection, connection:
        connection.execute("DELETE FROM social_accounts WHERE username = 'carl'")
    assert run("publish", video, "--to", "tiktok").exit_code == 1
    assert world.posts("tiktok", NAMELESS) == []
