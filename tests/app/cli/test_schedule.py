"""Scheduling at the command line: in a zone, in slots, by rules, and from a table."""

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

    again = run("schedule", "import", table)

    assert again.exit_code == 1
    assert "This row was imported before, and what it names has changed since" in " ".join(again.output.split())


def test_a_rule_shows_when_it_comes(run: Run, video: Path, lena: str) -> None:
    made = run("schedule", "recur", "FREQ=WEEKLY", video, "--to", lena, "--start", "2030-03-31T02:30:00", "--timezone", "Europe/Berlin")

    assert "2030-03-31 02:30 Europe/Berlin (2030-03-31 02:30 does not exist in Europe/Berlin" in made.stdout
    assert "FREQ=WEEKLY" in run("schedule", "recurring").stdout
    assert run("schedule", "recur", "FREQ=HOURLY", video, "--to", lena, "--start", "2030-03-31T02:30:00").exit_code == 1


def test_a_feed_is_told_once_and_closed(run: Run, lena: str) -> None:
    assert lena
    made = answer(run("schedule", "feed", "--json"))

    assert "/calendar.ics?token=" in made["url"]
    assert answer(run("schedule", "feed", "--revoke", made["id"], "--json")) == {"closed": made["id"]}
    assert run("schedule", "feed", "--revoke", "nothing").exit_code == 1
