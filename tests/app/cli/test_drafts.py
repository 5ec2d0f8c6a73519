"""Drafts from the command line: kept, listed, released, thrown away."""

from pathlib import Path
from typing import Any

import pytest

from app.cli.running import Run, answer, only


@pytest.fixture
def draft(run: Run, video: Path) -> str:
    result = run("publish", video, "--to", "tiktok", "--caption", "Sunset", "--draft", "--json")
    assert result.exit_code == 0
    kept: dict[str, Any] = answer(result)
    assert (kept["publications"], kept["draft"]["stage"]) == ([], "draft")
    return str(kept["draft"]["id"])


def drafts_of(run: Run, *options: str) -> list[dict[str, Any]]:
    return list(answer(run("posts", "list", "--state", "draft", "--json", *options))["drafts"])


def test_a_draft_waits_to_be_released(run: Run, draft: str) -> None:
    assert [each["id"] for each in drafts_of(run)] == [draft]
    line = next(line for line in run("posts").stdout.splitlines() if draft in line)
    assert line.split() == [draft, "tiktok", "draft", "Sunset"]
    assert drafts_of(run, "--platform", "youtube") == answer(run("posts", "--json"))["publications"] == []
    assert answer(run("posts", "show", draft, "--json"))["caption"] == "Sunset"

    released = run("posts", "release", draft, "--json")

    assert (released.exit_code, only(answer(released)["publications"])["state"]) == (0, "published")
    assert answer(run("posts", "release", draft, "--json")) == answer(released)
    assert drafts_of(run) == []


def test_a_draft_is_released_for_a_time(run: Run, draft: str) -> None:
    result = run("posts", "release", draft, "--at", "2030-06-01T09:00", "--timezone", "Europe/Berlin", "--json")

    assert only(answer(result)["publications"])["scheduled_at"] == "2030-06-01T07:00:00Z"


def test_a_draft_is_edited_and_stays_one(run: Run, draft: str) -> None:
    assert f"clipcast posts release {draft}" in run("posts", "edit", draft, "--caption", "Sunrise").stdout

    assert [(each["caption"], each["stage"]) for each in drafts_of(run)] == [("Sunrise", "draft")]


def test_a_draft_is_thrown_away(run: Run, draft: str) -> None:
    assert "thrown away" in run("posts", "cancel", draft).stdout

    refused = run("posts", "release", draft)

    assert (refused.exit_code, "was cancelled" in refused.stderr) == (1, True)
    assert drafts_of(run) == []


def test_a_draft_has_no_time(run: Run, video: Path) -> None:
    refused = run("publish", video, "--to", "tiktok", "--draft", "--at", "2030-06-01T09:00")

    assert (refused.exit_code, "when it is released" in refused.stderr.replace("\n", " ")) == (2, True)


def test_a_double_is_told_before_and_meant_by_an_option(run: Run, video: Path, draft: str) -> None:
    assert run("publish", video, "--to", "tiktok", "--caption", "Sunset").exit_code == 0

    for command in (("preflight", video, "--to", "tiktok", "--caption", "Sunset"), ("posts", "release", draft)):
        result = run(*command)
        assert (result.exit_code, "add --allow-duplicate" in result.output) == (1, True)

    assert run("posts", "release", draft, "--allow-duplicate").exit_code == 0
