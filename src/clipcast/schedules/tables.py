"""A table of posts, from a spreadsheet or a script, read as kindly as it can be understood without guessing.

Commas, semicolons or tabs between the cells; UTF-8, with or without its mark, or UTF-16 with its own. Every row that cannot be used is
told at once, by the row and column that the spreadsheet shows.
"""

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from clipcast.db.storable import json_fault
from clipcast.errors import InvalidRequest

COLUMNS: Final[Mapping[str, str]] = {
    "clip": "Ids of clips, several with `|` between them; on the command line also files and URLs.",
    "to": "Targets, separated by spaces: `tiktok:lena`, or `tiktok` for the platform's main account.",
    "when": "Local time such as `2026-05-01 09:00`, a time with an offset, `now`, or `next_slot`.",
    "timezone": "In which `when` is meant, such as Europe/Berlin. Empty: the import's own.",
    "caption": "The post's text.",
    "title": "A title, where the platform has one.",
    "hashtags": "Separated by spaces, with or without #.",
    "privacy": "`public`, `unlisted`, `friends`, `followers` or `private`.",
    "mode": "As `mode` of `metadata`.",
    "if_missed": "`skip` or `ask`.",
    "options": "Further options as a JSON object, by the names of `metadata` or the platform's own.",
    "key": "Your own name of the row: the same key is never imported twice. Empty: the row's content is its key.",
}
REQUIRED: Final = ("clip", "to", "when")
MAX_ROWS: Final = 1_000
"""They are written in one transaction, and SQLite lets nobody else write meanwhile."""
MAX_CELL: Final = 20_000
_NAMED_OPTIONS: Final = ("privacy", "mode")


@dataclass(frozen=True, slots=True)
class Row:
    """One row, by the names of its columns; `number` as a spreadsheet counts, where the names are row 1."""

    number: int
    cells: Mapping[str, str]
    #: It has cells beyond the last column.
    spills: bool = False

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "").strip()


class BadCell(Exception):
    """One cell cannot be used; says which and why."""

    def __init__(self, column: str, sentence: str) -> None:
        super().__init__(sentence)
        self.column, self.sentence = column, sentence


def rows_of(content: bytes) -> list[Row]:
    """The rows of a table; those without any content are left out.

    Raises:
        InvalidRequest: it is no such table at all; says what to change.
    """
    text = _text(content)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    found: list[Row] = []
    try:
        names = _names(next(reader, []))
        for number, cells in enumerate(reader, 2):
            if any(cell.strip() for cell in cells):
                found.append(_row(number, names, cells))
            if len(found) > MAX_ROWS:
                raise InvalidRequest(f"The table has more than {MAX_ROWS:,} rows. Split it, and import the parts one after the other.")
    except csv.Error as error:
        raise InvalidRequest(f"The table cannot be read near line {reader.line_num}: {error}. Check the quotation marks there.") from None
    if not found:
        raise InvalidRequest("The table has no row below the names of its columns.")
    return found


def _text(content: bytes) -> str:
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InvalidRequest(f"The table is not UTF-8: line {line} has other bytes. In Excel, save it as “CSV UTF-8”.") from None
    if "\x00" in text:
        raise InvalidRequest(f"The table holds a NUL character in line {text[: text.index(chr(0))].count(chr(10)) + 1}. Remove it.")
    return text


def _delimiter(text: str) -> str:
    """What stands between the names of the columns most often."""
    first = text.lstrip("\r\n").partition("\n")[0]
    return max(",;\t", key=first.count)


def _names(cells: list[str]) -> list[str]:
    names = [cell.strip().lower().replace(" ", "_") for cell in cells]
    unknown = [name for name in names if name and name not in COLUMNS]
    if unknown:
        raise InvalidRequest(f"There is no column {unknown[0][:40]!r}. There are: {', '.join(COLUMNS)}.")
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise InvalidRequest(f"The first row must name the columns; it lacks {', '.join(missing)}. There are: {', '.join(COLUMNS)}.")
    twice = [name for name in names if name and names.count(name) > 1]
    if twice:
        raise InvalidRequest(f"The column {twice[0]} is there twice.")
    return names


def _row(number: int, names: list[str], cells: list[str]) -> Row:
    return Row(number, dict(zip(names, cells, strict=False)), spills=any(cell.strip() for cell in cells[len(names) :]))


def check_shape(row: Row) -> None:
    """Raises BadCell for what is wrong with the row whatever it says."""
    if row.spills:
        raise BadCell("", "It has more cells than there are columns: a comma in a text needs quotation marks around the text.")
    for column in row.cells:
        if len(row[column]) > MAX_CELL:
            raise BadCell(column, f"It is longer than {MAX_CELL:,} characters.")
    for column in REQUIRED:
        if not row[column]:
            raise BadCell(column, "It is empty.")


def options_of(row: Row) -> dict[str, Any]:
    """The options that a row names.

    Raises:
        BadCell: `options` is no JSON object, or holds what no database keeps.
    """
    given = {name: row[name] for name in _NAMED_OPTIONS if row[name]}
    if not row["options"]:
        return given
    fault = json_fault(row["options"])
    if fault is not None:
        raise BadCell("options", fault)
    own = json.loads(row["options"])
    if not isinstance(own, dict):
        raise BadCell("options", 'It must be a JSON object such as {"allow_comments": false}.')
    return own | given
