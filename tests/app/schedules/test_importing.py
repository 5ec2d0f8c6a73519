"""Tables of posts: every bad row at once, all or nothing, and nothing twice."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.api.calling import Api, new_account, written
from clipcast.system import Clipcast
from conftest import MovableClock

HEAD = "clip,to,when,caption"


@pytest.fixture
def clip(idle_api: Api, video: Path) -> str:
    return idle_api.upload(video)


def imported(api: Api, table: str | bytes, query: str = "") -> Any:
    content = table.encode() if isinstance(table, str) else table
    return api("POST", f"/schedules/import{query}", content, Content_Type="text/csv")


def test_a_table_becomes_posts_once(idle_api: Api, clip: str, clipcast: Clipcast) -> None:
    account = new_account(idle_api, "lena")
    cells = 'tiktok:lena,2026-05-01 09:00,"Hello, ""world""\nagain",Europe/Berlin,sea #sun,private,"{""allow_duet"": false}",skip'
    table = f"{HEAD},timezone,hashtags,privacy,options,if_missed\r\n{clip},{cells}\r\n{clip},tiktok:@lena,now,Now,,,,,\r\n"

    first, second = imported(idle_api, table).json, imported(idle_api, table).json

    assert (first["rows"], len(first["posts"]), first["already_imported"]) == (2, 2, 0)
    assert (len(second["posts"]), second["already_imported"]) == (0, 2)
    assert written(clipcast) == 2
    post = idle_api("GET", f"/posts/{first['posts'][0]}").json
    (publication,) = post["publications"]
    assert (post["caption"], post["scheduled_at"], post["hashtags"]) == ('Hello, "world"\nagain', "2026-05-01T07:00:00Z", ["sea", "#sun"])
    assert (publication["social_account_id"], publication["if_missed"]) == (account, "skip")
    assert (publication["metadata"]["privacy"], publication["metadata"]["allow_duet"]) == ("private", False)


@pytest.mark.parametrize(
    ("encode", "separator"),
    [
        (lambda text: b"\xef\xbb\xbf" + text.encode(), ";"),
        (lambda text: text.encode("utf-16"), "\t"),
        (lambda text: text.replace("\n", "\r\n").encode() + b"\r\n\r\n;;;\r\n", ";"),
    ],
    ids=["mark and semicolons", "Unicode text", "trailing empty rows"],
)
def test_what_spreadsheets_write_is_read(idle_api: Api, clip: str, encode: Any, separator: str) -> None:
    table = f"Clip,To,When,Caption\n{clip},tiktok,2026-05-01 09:00,Süß\n".replace(",", separator)

    report = imported(idle_api, encode(table)).json

    assert idle_api("GET", f"/posts/{report['posts'][0]}").json["caption"] == "Süß"


def test_a_dry_run_tells_every_bad_row_and_writes_nothing(idle_api: Api, clip: str, clipcast: Clipcast) -> None:
    rows = [
        f"{clip},tiktok,2026-05-01 09:00,Fine",
        "gone,tiktok,2026-05-01 09:00,No clip",
        f"{clip},myspace,2026-05-01 09:00,No platform",
        f"{clip},tiktok:nobody,2026-05-01 09:00,No account",
        f"{clip},tiktok,tomorrow,No time",
        f"{clip},tiktok,2026-05-01,No hour",
        f"{clip},tiktok,next_slot,No slots",
        f"{clip},tiktok,,Empty",
        f"{clip},tiktok,now,A comma, too many",
        f"{clip},tiktok,2026-05-01 09:00,Fine",
        f"{clip},tiktok,now,{'x' * 2300}",
    ]  # fmt: skip
    table = "\n".join([HEAD, *rows])

    report = imported(idle_api, table, "?dry_run=true").json
    refused = imported(idle_api, table)

    found = [(problem["row"], problem["column"]) for problem in report["problems"]]
    assert found == [(3, "clip"), (4, "to"), (5, "to"), (6, "when"), (7, "when"), (8, ""), (9, "when"), (10, ""), (11, "key"), (12, "")]
    assert all(problem["sentence"].endswith((".", "?")) for problem in report["problems"])
    assert (refused.status, refused.code) == (400, "unusable_rows")
    assert len(refused.json["errors"]) == len(found)
    assert "10 rows cannot be used, so nothing was imported. Row 3, clip:" in refused.json["detail"]
    assert written(clipcast) == 0


def test_a_key_names_a_row_for_good(idle_api: Api, clip: str, clipcast: Clipcast) -> None:
    def row(caption: str) -> str:
        return f"{HEAD},key\n{clip},tiktok,2026-05-01 09:00,{caption},spring-1\n"

    assert len(imported(idle_api, row("One")).json["posts"]) == 1
    changed = imported(idle_api, row("Two"))

    assert changed.code == "unusable_rows"
    assert "imported under this key before" in changed.json["detail"]
    assert written(clipcast) == 1


def test_rows_take_slots_one_after_the_other(idle_api: Api, clip: str) -> None:
    account = new_account(idle_api, "lena")
    idle_api("PUT", f"/accounts/{account}/slots", {"slots": [{"days": ["daily"], "times": ["18:00"]}]})

    report = imported(idle_api, f"{HEAD}\n{clip},tiktok:lena,next_slot,One\n{clip},tiktok:lena,next_slot,Two\n").json

    times = [idle_api("GET", f"/posts/{post}").json["scheduled_at"] for post in report["posts"]]
    assert times == ["2026-03-01T18:00:00Z", "2026-03-02T18:00:00Z"]


def test_a_dry_run_counts_the_slots_that_earlier_rows_take(idle_api: Api, clip: str, clipcast: Clipcast) -> None:
    """53 Mondays lie in the year ahead; a row that names the time of one takes it too."""
    account = new_account(idle_api, "lena")
    idle_api("PUT", f"/accounts/{account}/slots", {"slots": [{"days": ["mon"], "times": ["18:00"]}]})
    rooms = idle_api("GET", f"/accounts/{account}/slots").json["next_free"]
    named = f"{clip},tiktok:lena,{rooms[1]},Named"
    rows = [named, *(f"{clip},tiktok:lena,next_slot,{number}" for number in range(54))]
    table = "\n".join([HEAD, *rows])

    report = imported(idle_api, table, "?dry_run=true").json
    refused = imported(idle_api, table)

    assert [problem["row"] for problem in report["problems"]] == [55, 56]
    assert "taken for a year" in report["problems"][0]["sentence"]
    assert len(refused.json["errors"]) == 2
    assert len(imported(idle_api, "\n".join([HEAD, *rows[:53]])).json["posts"]) == 53
    assert written(clipcast) == 53


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("[]", "must be a JSON object"),
        ('{"extra": ', "is not JSON"),
        (r'{"extra": {"a": "\u0000"}}', "NUL character"),
        (r'{"extra": {"a": "\ud800"}}', "surrogate"),
        ('{"extra": {"a": NaN}}', "not finite"),
        ('{"extra": {"a": 1e999}}', "not finite"),
        (f'{{"extra": {{"a": {"[" * 400}{"]" * 400}}}}}', "nested too deeply"),
        (f'{{"extra": {{"a": {"[" * 9000}{"]" * 9000}}}}}', "nested too deeply"),
    ],
    ids=lambda value: value[:30],
)
def test_options_that_no_database_keeps_are_a_bad_row(idle_api: Api, clip: str, clipcast: Clipcast, *, options: str, words: str) -> None:
    quoted = options.replace('"', '""')
    table = f'{HEAD},options\n{clip},tiktok,now,Hi,"{quoted}"\n'

    (problem,) = imported(idle_api, table, "?dry_run=true").json["problems"]

    assert (problem["row"], problem["column"]) == (2, "options")
    assert words in problem["sentence"]
    assert imported(idle_api, table).code == "unusable_rows"
    assert written(clipcast) == 0


@pytest.mark.parametrize(
    "when",
    [
        "9999-12-31T12:00:00Z,Pacific/Auckland,skip",
        "9999-12-31T12:00:00Z,UTC,",
        "9999-12-31T23:59:59,America/New_York,",
        "2036-03-02T12:00:00Z,UTC,",
        "0001-01-01T00:00:00Z,America/New_York,skip",
        "0001-01-01T00:00:00,Pacific/Auckland,",
    ],
)
def test_a_time_that_nobody_means_is_a_bad_row(idle_api: Api, clip: str, clipcast: Clipcast, when: str) -> None:
    """Sums with such times leave the calendar, and a page that shows one of them would show nothing."""
    table = f"clip,to,when,timezone,if_missed\n{clip},tiktok,{when}\n"

    (problem,) = imported(idle_api, table, "?dry_run=true").json["problems"]

    assert (problem["row"], problem["column"]) == (2, "when")
    assert imported(idle_api, table).code == "unusable_rows"
    assert written(clipcast) == 0


def test_a_row_whose_time_has_passed_is_bad_unless_it_went_out(idle_api: Api, clip: str, clipcast: Clipcast, clock: MovableClock) -> None:
    """A wrong year would put the whole table out at once. A moment ago is no mistake, and what was imported in time stays imported."""
    table = f"{HEAD}\n{clip},tiktok,2026-03-01 12:30,Soon\n"
    assert len(imported(idle_api, table).json["posts"]) == 1
    clock.now += timedelta(days=1)
    late = (
        f"{table}{clip},tiktok,2025-03-02 12:30,A year ago\n{clip},tiktok,2026-03-02 11:57:59,Late\n{clip},tiktok,2026-03-02 11:58:01,Now\n"
    )

    report = imported(idle_api, late, "?dry_run=true").json

    assert report["already_imported"] == 1
    assert [(each["row"], each["column"]) for each in report["problems"]] == [(3, "when"), (4, "when")]
    assert report["problems"][0]["sentence"] == "It has passed: 2025-03-02 12:30 UTC. Write now to post at once, or a time to come."
    assert imported(idle_api, late).code == "unusable_rows"
    assert written(clipcast) == 1


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (b"", "lacks clip, to, when"),
        (b"clip,to,when\n", "no row below"),
        (b"clip,to,when,colour\na,b,c,d\n", "no column 'colour'"),
        (b"clip,to,when,to\na,b,c,d\n", "column to is there twice"),
        (b"clip,to,when\n\xff,b,c\n", "line 2 has other bytes"),
        ("clip,to,when\nSüß,b,c\n".encode("latin-1"), "save it as"),
        (b"clip,to,when\na\x00,b,c\n", "NUL character in line 2"),
        (b'clip,to,when\n"a,b,c\n', "quotation marks"),
        (b"clip,to,when\n" + b"a,b,now\n" * 1001, "more than 1,000 rows"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not UTF-8"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_is_no_table_says_what_to_change(idle_api: Api, table: bytes, words: str) -> None:
    answer = imported(idle_api, table or b"\n")

    assert (answer.status, answer.code) == (400, "invalid_request")
    assert words in answer.json["detail"]


def test_ten_thousand_rows_are_refused_in_a_moment(idle_api: Api) -> None:
    assert imported(idle_api, b"clip,to,when\n" + b"a,b,now\n" * 10_000).code == "invalid_request"
    assert imported(idle_api, b"clip,to,when\n" + b"a,b,now,xxxxxxxx\n" * 100_000).code == "too_large"
