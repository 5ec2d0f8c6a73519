"""Scheduling at the command line: in a zone, in slots, by rules, and from a table."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from app.cli.running import Run, answer, only


@pytest.fixture
def lena(run: Run) -> str:
    assert run("accounts", "add", "tiktok", "lena").exit_code == 0
    return "tiktok:lena"


def test_a_time_is_meant_in_the_zone_named(run: Run, video: Path, lena: str) -> None:
    made = run("publish", video, "--to", lena, "--at", "2032-06-01T09:00", "--timezone", "Europe/Berlin", "--if-missed", "skip", "--json")

    publication = only(answer(made)["publications"])
    assert (publication["scheduled_at"], publication["if_missed"]) == ("2032-06-01T07:00:00Z", "skip")
    listed = run("schedule", "list").stdout
    assert "2032-06-01 09:00  Europe/Berlin  tiktok @lena" in listed


def test_an_unknown_zone_is_wrong_use(run: Run, video: Path, lena: str) -> None:
    refused = run("publish", video, "--to", lena, "--at", "2032-06-01T09:00", "--timezone", "Europe/Berln")

    assert refused.exit_code == 2
    assert "did you mean Europe/Berlin?" in " ".join(refused.output.split())


def test_a_post_takes_the_next_slot(run: Run, video: Path, lena: str) -> None:
    assert "no slots" in run("schedule", "slots", lena).stdout
    set_now = answer(run("schedule", "slots", lena, "--set", "daily 9:00 and 17:30", "--timezone", "Europe/Berlin", "--json"))

    made = answer(run("publish", video, "--to", lena, "--next-slot", "--json"))

    assert set_now["slots"] == [{"days": ["daily"], "times": ["09:00", "17:30"]}]
    assert only(made["publications"])["slot_at"][:16] == set_now["next_free"][0][:16]
    assert run("schedule", "slots", lena, "--set", "someday 9:00").exit_code == 1


def test_a_table_is_looked_at_and_imported_once(run: Run, video: Path, lena: str) -> None:
    table = video.parent / "plan.csv"
    table.write_text(f"clip,to,when,caption\n{video.name},{lena},2032-06-01 09:00,One\n{video.name},{lena},never,Two\n")

    bad = run("schedule", "import", table, "--dry-run")
    assert (bad.exit_code, "row 3, when: 'never' is no time" in bad.stdout) == (1, True)

    table.write_text(table.read_text().replace("never", "2032-06-02 09:00"))
    assert "2 rows, 0 of them bad" in run("schedule", "import", table, "--dry-run").stdout
    assert answer(run("posts", "list", "--json"))["publications"] == []
    assert run("schedule", "import", table).stdout == "2 posts scheduled.\n"
    assert run("schedule", "import", table).stdout == "0 posts scheduled, 2 imported before.\n"


def test_every_bad_row_is_told_whatever_its_clip_is(run: Run, video: Path, images: list[Path], tmp_path: Path) -> None:
    """Files are read where they lie, and nothing is written; what a URL holds is not known, but the rest of its row is."""
    (tmp_path / "text.mp4").write_text("no video")
    (tmp_path / "empty.mp4").write_bytes(b"")
    cells = [
        "text.mp4,tiktok,Text,",
        f"{video},tiktok,{'x' * 2300},",
        f"{images[0]},youtube,Photo,",
        f"{video},tiktok,Whose,sekret",
        "empty.mp4,tiktok,Empty,",
        f"{video},tiktok,Fine,",
    ]
    far = [f"https://example.com/a.mp4,tiktok,{'x' * 2300},", "https://example.com/a.jpg,instagram,Fine,"]
    local, mixed = tmp_path / "plan.csv", tmp_path / "mixed.csv"
    for table, rows in ((local, cells), (mixed, cells + far)):
        table.write_text("clip,to,caption,privacy,when\n" + "".join(f"{row},2032-06-01 09:00\n" for row in rows))

    looked = answer(run("schedule", "import", mixed, "--dry-run", "--json"))
    assert answer(run("clips", "--json"))["clips"] == []
    refused = run("schedule", "import", local, "--json")
    told = run("schedule", "import", local)

    assert [problem["row"] for problem in looked["problems"]] == [2, 3, 4, 5, 6, 8]
    assert (refused.exit_code, answer(refused)["posts"], answer(refused)["dry_run"]) == (1, [], False)
    assert answer(refused)["problems"] == looked["problems"][:5]
    assert told.exit_code == 1
    assert all(f"row {row}" in told.stdout for row in range(2, 7))
    assert told.stdout.endswith("6 rows, 5 of them bad. Nothing was imported.\n")
    assert answer(run("posts", "list", "--json"))["publications"] == []


def test_a_dry_run_knows_files_that_were_imported_before(run: Run, video: Path, lena: str) -> None:
    table = video.parent / "imported.csv"
    rows = f"{video.name},{lena},2032-06-03 09:00,Three,\n{video.name},{lena},2032-06-04 09:00,Four,own\n"
    table.write_text(f"clip,to,when,caption,key\n{rows}")
    assert run("schedule", "import", table).stdout == "2 posts scheduled.\n"

    again = run("schedule", "import", table, "--dry-run")

    assert (again.exit_code, again.stdout) == (0, "2 rows, 0 of them bad, 2 imported before. Nothing was written.\n")


@pytest.mark.parametrize("name", ["x" * 256, "x" * 15_000, "no/such/file", "/" + "x" * 300])
def test_a_clip_that_can_be_no_file_is_one_bad_row_of_many(run: Run, video: Path, tmp_path: Path, lena: str, name: str) -> None:
    table = tmp_path / "plan.csv"
    table.write_text(f"clip,to,when\n{name},{lena},2032-06-06 09:00\n{video},{lena},never\n")

    for options in (["--dry-run"], []):
        told = run("schedule", "import", table, *options, "--json")
        assert told.exit_code == 1
    looked = answer(run("schedule", "import", table, "--dry-run", "--json"))

    assert [(each["row"], each["column"]) for each in looked["problems"]] == [(2, "clip"), (3, "when")]
    assert len(looked["problems"][0]["sentence"]) < 250


def test_a_dry_run_counts_slots_for_files_too(run: Run, video: Path, tmp_path: Path, lena: str) -> None:
    run("schedule", "slots", lena, "--set", "mon 9:00")
    rows = [f"{video},{lena},next_slot,{number}\n" for number in range(60)]
    table = tmp_path / "plan.csv"
    table.write_text(f"clip,to,when,caption\n{''.join(rows)}{video},tiktok,next_slot,Main\n")

    looked = answer(run("schedule", "import", table, "--dry-run", "--json"))

    assert {each["row"] for each in looked["problems"]} >= set(range(56, 62))
    assert all("taken for a year" in each["sentence"] for each in looked["problems"])


def test_a_row_whose_file_has_changed_is_told_so(run: Run, media: Path, tmp_path: Path, lena: str) -> None:
    """A new key is not what it lacks: with one, what went out already would go out again."""
    table, file = tmp_path / "plan.csv", tmp_path / "sunset.mp4"
    file.write_bytes((media / "video.mp4").read_bytes())
    table.write_text(f"clip,to,when\n{file.name},{lena},2032-06-05 09:00\n")
    assert run("schedule", "import", table).stdout == "1 posts scheduled.\n"
    file.write_bytes(file.read_bytes() + (8).to_bytes(4, "big") + b"free")

    again, looked = run("schedule", "import", table), run("schedule", "import", table, "--dry-run")

    assert (again.exit_code, looked.exit_code) == (1, 1)
    assert "This row was imported before, and what it names has changed since" in " ".join(again.output.split())
    assert looked.stdout.splitlines()[0] == again.stdout.splitlines()[0]


def test_a_rule_shows_when_it_comes(run: Run, video: Path, lena: str) -> None:
    made = run("schedule", "recur", "FREQ=WEEKLY", video, "--to", lena, "--start", "2030-03-31T02:30:00", "--timezone", "Europe/Berlin")

    assert "2030-03-31 02:30 Europe/Berlin (2030-03-31 02:30 does not exist in Europe/Berlin" in made.stdout
    assert "FREQ=WEEKLY" in run("schedule", "recurring").stdout
    assert run("schedule", "recur", "FREQ=HOURLY", video, "--to", lena, "--start", "2030-03-31T02:30:00").exit_code == 1


def test_a_recurring_post_says_all_that_publish_does(run: Run, video: Path, lena: str) -> None:
    given = ["--caption", "Hi", "--title", "T", "--hashtag", "sea", "--privacy", "private", "--mode", "inbox", "--auto-fit"]
    start = ["--start", "2032-01-05T09:00", "--if-missed", "skip"]

    made = answer(run("schedule", "recur", "FREQ=DAILY", video, "--to", lena, *given, *start, "--json"))

    post = made["post"]
    assert (post["caption"], post["title"], post["hashtags"], post["auto_fit"]) == ("Hi", "T", ["sea"], True)
    assert post["targets"][0]["options"] == {"privacy": "private", "mode": "inbox"}
    assert post["if_missed"]["otherwise"] == "skip"


def test_a_start_with_an_offset_is_wrong_use(run: Run, video: Path, lena: str) -> None:
    refused = run("schedule", "recur", "FREQ=DAILY", video, "--to", lena, "--start", "2032-12-29T10:30Z")

    assert refused.exit_code == 2
    assert "local time in the recurrence's zone has no offset" in " ".join(refused.output.split())


def test_one_time_is_moved_or_left_out_and_all_are_ended(run: Run, video: Path, lena: str) -> None:
    rule = ["recur", "FREQ=DAILY", video, "--to", lena, "--start", "2032-03-27T02:30", "--timezone", "Europe/Berlin"]
    name = answer(run("schedule", *rule, "--json"))["id"]

    assert "is left out" in run("schedule", "skip", name, "2032-03-27T02:30").stdout
    assert run("schedule", "skip", name, "2032-03-27T02:30").exit_code == 1
    moved = run("schedule", "move", name, "2032-03-29T02:30", "2032-03-28T02:30", "--caption", "Two")
    assert "2032-03-28 02:30 does not exist in Europe/Berlin" in moved.stdout
    assert "03:30  Europe/Berlin  tiktok @lena" in run("schedule", "list").stdout
    assert "has passed" in run("schedule", "move", name, "2032-04-02T02:30", "2020-04-02T02:30").output
    assert run("schedule", "move", name, "2032-04-02T02:30", "2032-04-02T02:30Z").exit_code == 2
    assert "no more from 2032-04-01" in run("schedule", "cancel", name, "--from", "2032-04-01T00:00").stdout
    assert answer(run("posts", "--state", "scheduled", "--json"))["publications"]
    ended = answer(run("schedule", "cancel", name, "--json"))
    assert (ended["recurrence"]["next"], ended["refusals"]) == ([], {})
    assert answer(run("posts", "--state", "scheduled", "--json"))["publications"] == []
    assert run("schedule", "cancel", "nothing").exit_code == 1


def test_trouble_is_shown_where_recurring_posts_are_listed(run: Run, video: Path, lena: str, data_dir: Path) -> None:
    made = answer(run("schedule", "recur", "FREQ=DAILY", video, "--to", lena, "--start", "2032-01-05T09:00", "--json"))
    with closing(sqlite3.connect(data_dir / "clipcast.sqlite3")) as database, database:
        values = (made["id"], "2032-01-05 09:00:00.000000", "The account lena is disabled.", "2026-01-01 00:00:00.000000")
        database.execute("INSERT INTO occurrences (recurrence_id, local_time, skipped, trouble, updated_at) VALUES (?, ?, 0, ?, ?)", values)

    assert "2032-01-05 09:00: The account lena is disabled." in run("schedule", "recurring").stdout


def test_a_time_in_the_past_is_refused(run: Run, video: Path) -> None:
    refused = run("publish", video, "--to", "tiktok", "--at", "2025-11-01T00:00", "--timezone", "UTC")

    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "Its time has passed: 2025-11-01 00:00 UTC. Leave the time out to publish now" in refused.stderr
    assert answer(run("posts", "--json"))["publications"] == []


def test_what_is_unusual_about_a_time_is_told_and_the_second_can_be_had(run: Run, video: Path, lena: str) -> None:
    zone = ["--timezone", "Europe/Berlin", "--allow-duplicate"]
    gap = run("publish", video, "--to", lena, "--at", "2032-03-28T02:30", *zone)
    first, second = (
        answer(run("publish", video, "--to", lena, "--at", "2032-10-31T02:30", "--fold", fold, *zone, "--json")) for fold in "01"
    )

    assert "2032-03-28 02:30 does not exist in Europe/Berlin" in gap.stdout
    assert [only(each["publications"])["scheduled_at"] for each in (first, second)] == ["2032-10-31T00:30:00Z", "2032-10-31T01:30:00Z"]
    assert first["time_note"].endswith("it is the first, with --fold 1 for the second.")
    assert second["time_note"].endswith("it is the second, with --fold 0 for the first.")


def test_this_machines_clocks_are_decided_and_told_too(run: Run, video: Path, lena: str, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        gap = run("publish", video, "--to", lena, "--at", "2032-03-28T02:30", "--fold", "1", "--json")
        twice = run("publish", video, "--to", lena, "--at", "2032-10-31T02:30", "--fold", "1", "--allow-duplicate", "--json")
    finally:
        environment.undo()
        time.tzset()

    times = [only(answer(each)["publications"])["scheduled_at"] for each in (gap, twice)]
    assert times == ["2032-03-28T01:30:00Z", "2032-10-31T01:30:00Z"]
    assert "does not exist on this machine" in gap.stderr
    assert "comes twice on this machine, where clocks go back; it is the second" in twice.stderr


def test_a_zone_without_slots_to_set_is_wrong_use(run: Run, lena: str) -> None:
    refused = run("schedule", "slots", lena, "--timezone", "Europe/Berlin")

    assert refused.exit_code == 2
    assert "goes with --set only" in " ".join(refused.output.split())


def test_a_post_is_edited_by_its_own_or_its_publications_id(run: Run, video: Path, lena: str) -> None:
    publication = only(answer(run("publish", video, "--to", lena, "--at", "2032-06-01T09:00:00Z", "--json"))["publications"])

    moved = run("posts", "edit", publication["id"], "--at", "2032-10-31T02:30", "--timezone", "Europe/Berlin", "--fold", "1")
    changed = answer(run("posts", "edit", publication["post_id"], "--caption", "New", "--hashtag", "sea", "--if-missed", "skip", "--json"))

    assert "goes out at 2032-10-31 02:30 Europe/Berlin (2032-10-31T01:30:00Z)" in moved.stdout
    assert "it is the second" in moved.stdout
    assert (changed["caption"], changed["hashtags"], changed["scheduled_at"]) == ("New", ["sea"], "2032-10-31T01:30:00Z")
    assert only(changed["publications"])["metadata"]["caption"] == "New"
    assert run("posts", "edit", publication["id"]).exit_code == 2
    assert run("posts", "edit", publication["id"], "--at", "2020-01-01T00:00:00Z").exit_code == 1
    assert run("posts", "edit", "nothing", "--caption", "Lost").exit_code == 1
    now = answer(run("posts", "edit", publication["id"], "--now", "--json"))
    assert now["scheduled_at"] < "2032"


def test_a_feed_is_told_once_and_closed(run: Run, lena: str) -> None:
    assert lena
    made = answer(run("schedule", "feed", "--json"))

    assert "/calendar.ics?token=" in made["url"]
    assert answer(run("schedule", "feed", "--revoke", made["id"], "--json")) == {"closed": made["id"]}
    assert run("schedule", "feed", "--revoke", "nothing").exit_code == 1
