"""Looking at what there is: for people as tables, for programs as JSON; a name without a verb lists."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app.cli.running import Run, answer, only


@pytest.fixture
def published(run: Run, video: Path) -> str:
    """The id of a publication that is out, to an account of its own."""
    run("accounts", "add", "tiktok", "lena")
    return str(only(answer(run("publish", video, "--to", "tiktok:lena", "--json"))["publications"])["id"])


NOUNS = ["clips", "accounts", "posts", "ledger"]


@pytest.mark.parametrize("noun", NOUNS)
def test_an_empty_installation_says_so(run: Run, noun: str) -> None:
    result = run(noun)
    assert result.exit_code == 0
    assert result.stdout.startswith(("There are no", "Nothing has happened"))
    (listed,) = answer(run(noun, "--json")).values()
    assert listed == []


def test_everything_can_be_listed_and_shown(run: Run, published: str, video: Path) -> None:
    for noun in NOUNS:
        (listed,) = answer(run(noun, "--json")).values()
        assert listed
        assert answer(run(noun, "list", "--json")) == answer(run(noun, "--json"))
        assert len(run(noun).stdout.splitlines()) == len(listed) + 1
    clip = only(answer(run("clips", "--json"))["clips"])
    assert (clip["file_name"], clip["size_bytes"]) == (video.name, video.stat().st_size)
    assert answer(run("clips", "show", clip["id"], "--json")) == clip
    assert clip["sha256"] in run("clips", "show", clip["id"]).stdout
    shown = answer(run("posts", "show", published, "--json"))
    assert shown["events"][0]["event"] == "publish_started"
    assert shown["events"][-1]["event"] == "publish_successful"
    assert shown["external_url"] in run("posts", "show", published).stdout
    log = only(answer(run("logs", clip["id"], "--json"))["logs"])
    assert (log["id"], log["status"], log["simulated"]) == (published, "success", True)
    assert "success (simulated)" in run("logs", clip["id"]).stdout


def test_the_ledger_says_why_it_came_to_that(run: Run, published: str) -> None:
    for shown in (run("posts", "show", published), run("ledger", "--event", "publish_provider_fallback")):
        assert "no_credentials" in shown.stdout


def test_what_the_ledger_does_not_know_is_refused(run: Run, published: str) -> None:
    assert published
    misspelled = run("ledger", "--event", "publish-faild")

    assert misspelled.exit_code == 2
    assert "did you mean publish_failed?" in " ".join(misspelled.output.split())
    for option in ("--clip", "--publication"):
        unknown = run("ledger", option, "nonsense")
        assert (unknown.exit_code, unknown.stdout) == (1, "")
        assert f"There is no {option[2:]} nonsense." in unknown.stderr


def test_the_same_bytes_are_one_clip(run: Run, video: Path, images: list[Path]) -> None:
    added = answer(run("clips", "add", video, images[0], video, "--json"))["clips"]
    assert added[0] == added[2]
    assert len(answer(run("clips", "--json"))["clips"]) == 2
    assert video.name in run("clips", "add", video).stdout


def test_a_clip_of_the_library_is_published_by_its_id(run: Run, video: Path) -> None:
    clip = only(answer(run("clips", "add", video, "--json"))["clips"])
    publication = only(answer(run("publish", clip["id"], "--to", "tiktok", "--no-wait", "--json"))["publications"])
    assert publication["clip_id"] == clip["id"]


def test_lists_are_read_page_by_page(run: Run, images: list[Path]) -> None:
    run("clips", "add", *images)
    first = only(answer(run("clips", "list", "--limit", 1, "--json"))["clips"])
    second = only(answer(run("clips", "list", "--before", first["id"], "--json"))["clips"])
    assert [second["file_name"], first["file_name"]] == [image.name for image in images]


def test_events_are_found_by_clip_publication_and_kind(run: Run, published: str) -> None:
    clip_id = only(answer(run("clips", "--json"))["clips"])["id"]
    of_the_clip = [event for event in answer(run("ledger", "--json"))["events"] if event["event"] != "account_added"]
    assert answer(run("ledger", "--clip", clip_id, "--publication", published, "--json"))["events"] == of_the_clip
    assert only(answer(run("ledger", "--event", "publish_successful", "--json"))["events"])["entity_id"] == clip_id


def test_a_state_that_there_is_not_is_wrong_use(run: Run) -> None:
    result = run("posts", "--state", "sleepy")
    assert result.exit_code == 2
    assert "uncertain" in result.stderr


def test_a_whole_ledger_is_verified_and_an_altered_one_is_caught(run: Run, published: str, data_dir: Path) -> None:
    assert run("ledger", "verify").exit_code == 0
    assert answer(run("ledger", "verify", "--json")) == {"ok": True, "broken": []}
    with closing(sqlite3.connect(data_dir / "clipcast.sqlite3")) as forger, forger:
        for (name,) in list(forger.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'ledger_events'")):
            forger.execute(f"DROP TRIGGER {name}")
        forger.execute("UPDATE ledger_events SET metadata = '{}' WHERE sequence = 2")
    result = run("ledger", "verify")
    assert result.exit_code == 1
    assert f"Event 2 (publish_provider_fallback) of publication:{published} was altered after it was written." in result.stdout
    assert not answer(run("ledger", "verify", "--json"))["ok"]


def test_the_database_is_migrated_once(run: Run) -> None:
    assert answer(run("db", "upgrade", "--json"))["changed"]
    assert not answer(run("db", "upgrade", "--json"))["changed"]
    assert "up to date" in run("db", "upgrade").stdout


@pytest.fixture
def credentials(tmp_path: Path) -> Path:
    path = tmp_path / "credentials.json"
    secrets = {
        "client_key": "aw-secret-1",
        "client_secret": "secret-2",
        "access_token": "act.secret-3",
        "expires_at": "2099-01-01T00:00:00Z",
    }
    path.write_text(json.dumps(secrets))
    return path


def test_credentials_come_from_a_file_and_never_come_out(run: Run, credentials: Path, data_dir: Path) -> None:
    result = run("accounts", "add", "tiktok", "lena", "--credentials", credentials, "--json")
    assert answer(result)["live"]
    outputs = [result.output, run("accounts").output, run("accounts", "--json").output, (data_dir / "clipcast.log").read_text()]
    assert not any("secret-" in output for output in outputs)
    assert b"secret-" not in b"".join(file.read_bytes() for file in data_dir.glob("clipcast.sqlite3*"))


def test_credentials_come_from_standard_input(run: Run, credentials: Path) -> None:
    result = run("accounts", "add", "tiktok", "lena", "--credentials", "-", "--json", stdin=credentials.read_text())
    assert answer(result)["live"]


def test_credentials_are_asked_for_without_an_echo(run: Run) -> None:
    """What is left empty is left out: an account may be completed later."""
    result = run("accounts", "add", "tiktok", "lena", "--ask", stdin="key-secret-1\nsecret-2\nact.secret-3\n\n")
    assert result.exit_code == 0
    assert "publishes live" in result.stdout
    assert "secret-" not in result.output


@pytest.mark.parametrize(("typed", "known"), [("2099-01-01T00:00:00Z", "2099-01-01T00:00:00Z"), ("", None)])
def test_where_the_access_token_itself_is_traded_in_its_end_is_asked_for(run: Run, typed: str, known: str | None) -> None:
    """Instagram has no refresh token; when its access token has ended, the connection has."""
    result = run("accounts", "add", "instagram", "lena", "--ask", stdin=f"IGAAsecret-1\n17841\n{typed}\n")
    assert result.exit_code == 0
    assert "secret-" not in result.output
    [added] = answer(run("accounts", "--json"))["accounts"]
    assert (added["live"], added["expires_at"]) == (True, known)


@pytest.mark.parametrize("content", ["no json", "[]", '{"access_token": {"deep": 1}}', '{"Bad Name": "x"}'])
def test_credentials_that_cannot_be_are_wrong_use_and_not_repeated(run: Run, tmp_path: Path, content: str) -> None:
    (tmp_path / "bad.json").write_text(content)
    result = run("accounts", "add", "tiktok", "lena", "--credentials", tmp_path / "bad.json")
    assert result.exit_code == 2
    assert "deep" not in result.output
    assert answer(run("accounts", "--json")) == {"accounts": []}


def test_a_life_in_seconds_is_no_end(run: Run, tmp_path: Path) -> None:
    (tmp_path / "life.json").write_text('{"access_token": "act.secret-1", "expires_at": 86400}')
    result = run("accounts", "add", "tiktok", "lena", "--credentials", tmp_path / "life.json")
    assert result.exit_code == 2
    assert "2026-05-01T09:00:00Z" in result.stderr
    assert "secret-" not in result.output


@pytest.mark.parametrize("arguments", [["myspace", "lena"], ["tiktok", "two words"], ["tiktok", "lena", "--kind", "odd"]])
def test_an_account_that_cannot_be_is_wrong_use(run: Run, arguments: list[str]) -> None:
    assert run("accounts", "add", *arguments).exit_code == 2


def test_an_account_is_added_once(run: Run) -> None:
    assert run("accounts", "add", "tiktok", "lena").exit_code == 0
    again = run("accounts", "add", "tiktok", "@lena")
    assert again.exit_code == 1
    assert "already an account @lena on tiktok" in again.stderr


def test_accounts_that_lost_their_connection_are_listed_with_the_reason(run: Run, credentials: Path, data_dir: Path) -> None:
    """The very command that the alert names."""
    run("accounts", "add", "tiktok", "gone", "--credentials", credentials)
    run("accounts", "add", "tiktok", "here")
    with closing(sqlite3.connect(data_dir / "clipcast.sqlite3")) as connection, connection:
        connection.execute("UPDATE social_accounts SET status = 'expired', last_error = 'TikTok said no.' WHERE username = 'gone'")
    for command in (("accounts", "list", "--status", "expired"), ("accounts", "--status", "expired"), ("tokens", "status")):
        result = run(*command)
        assert ("@gone" in result.stdout, "@here" in result.stdout) == (True, False)
        assert result.stderr.strip() == "tiktok @gone: TikTok said no."
    listed = run("accounts", "--status", "expired").stdout
    assert "not (expired)" in listed
    assert "live" not in listed
    assert [one["username"] for one in answer(run("accounts", "list", "--status", "active", "--json"))["accounts"]] == ["here"]
    assert run("accounts", "list", "--status", "revoked").stdout == "No account is revoked.\n"
    assert run("accounts", "--status", "gone").exit_code == 2
