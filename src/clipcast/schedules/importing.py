"""Many posts at once from a table: all of them or none, and none of them twice."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

from pydantic import ValidationError
from sqlalchemy.orm import Session

from clipcast.accounts import store as accounts
from clipcast.accounts.models import SocialAccount
from clipcast.clips import foreseen
from clipcast.clips import store as clips
from clipcast.clips.models import Clip
from clipcast.db.engine import Database
from clipcast.errors import Conflict, IdempotencyConflict, InvalidRequest, NotFound, UnusableRows
from clipcast.posts import compose
from clipcast.posts.schemas import PostIn
from clipcast.publications import store as publications
from clipcast.publications.publishing import TOO_FAR, Platforms, Target, has_passed, is_too_far
from clipcast.schedules.schemas import ImportReport, RowProblem
from clipcast.schedules.tables import MAX_ROWS, BadCell, Row, check_shape, options_of, rows_of
from clipcast.timetable import store as timetable

Resolve: TypeAlias = Callable[[Session, str], Clip | None]
"""From what a row names to a clip; None for what can be brought in from elsewhere but is not yet, so that a dry run looks no further."""

_OTHER_ROW: Final = "Another row was imported under this key before. Give this one a new key."
_SAME_ROW: Final = (
    "This row was imported before, and what it names has changed since: the file, or the account. Take it out; if it is to be posted once "
    "more as it is now, give it a key of its own."
)

_COLUMN_OF: Final[Mapping[str, str]] = {"clip_ids": "clip", "scheduled_at": "when", "targets": "to"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """One usable row: the key under which it is posted once, and the post. `is_ready`: what its clips hold is known."""

    row: Row
    key: str
    post: PostIn
    is_ready: bool


class _BadRow(Exception):
    """A row cannot be posted after all."""

    def __init__(self, problem: RowProblem) -> None:
        super().__init__(problem.sentence)
        self.problem = problem


def import_posts(
    db: Database,
    platforms: Platforms,
    content: bytes,
    *,
    now: datetime,
    timezone: str = "UTC",
    dry_run: bool = False,
    resolve: Resolve = clips.get_clip,
) -> ImportReport:
    """Post every row of a table, in one transaction; with `dry_run`, only look.

    The report has every row that cannot be used; where there is one, nothing was written. A row that an earlier import has posted is
    counted and left alone: `key`, or else the row's content, tells.

    Raises:
        InvalidRequest: it is no table that can be read.
    """
    rows = rows_of(content)
    with db.reading() as session:
        checked = _Check(session, platforms, now, timezone, resolve)
        for row in rows:
            checked.look_at(row)
    posts: list[str] = []
    if not dry_run and not checked.problems:
        try:
            posts = compose.written(db, lambda session: _posted(session, checked.new, platforms, now))
        except _BadRow as bad:
            checked.problems.append(bad.problem)
    return ImportReport(rows=len(rows), posts=posts, already_imported=checked.already_imported, dry_run=dry_run, problems=checked.problems)


def _posted(session: Session, new: Sequence[Wanted], platforms: Platforms, now: datetime) -> list[str]:
    posts = []
    for wanted in new:
        try:
            posts.append(compose.create(session, wanted.post, platforms, now, key=wanted.key).id)
        except (InvalidRequest, NotFound, Conflict) as error:  # true a moment ago, and no longer
            raise _BadRow(RowProblem(row=wanted.row.number, column="", sentence=str(error))) from error
    return posts


def unusable(problems: Sequence[RowProblem]) -> UnusableRows:
    """The error that names all of these."""
    count = len({problem.row for problem in problems})
    first = f"Row {problems[0].row}{f', {problems[0].column}' if problems[0].column else ''}: {problems[0].sentence}"
    sentence = f"{count} row{'s' if count > 1 else ''} cannot be used, so nothing was imported. {first}"
    return UnusableRows(sentence, [(f"row {each.row}{f', {each.column}' if each.column else ''}", each.sentence) for each in problems])


class _Queues:
    """The slots of accounts as row after row takes them, before any is written."""

    def __init__(self, session: Session, now: datetime) -> None:
        self._session, self._now = session, now
        self._free: dict[str, Iterator[datetime]] = {}
        self._taken: defaultdict[str, set[datetime]] = defaultdict(set)

    def line_up(self, post: PostIn, targets: Sequence[Target]) -> None:
        """Take the times of this post; raises InvalidRequest where it wants a slot and finds none."""
        if post.when is not None:
            compose.check_slots(self._session, targets)
        for account in [target.account for target in targets if target.account is not None]:
            at = self._next_free(account) if post.when is not None else post.due_at()
            if at is not None:
                self._taken[account.id].add(at)

    def _next_free(self, account: SocialAccount) -> datetime:
        if account.id not in self._free:
            plan = timetable.with_slots(self._session, account)
            self._free[account.id] = iter(timetable.free(self._session, plan, self._now, MAX_ROWS))
        for at in self._free[account.id]:
            if at not in self._taken[account.id]:
                return at
        raise InvalidRequest(
            f"With the rows above, the slots of the {account.platform} account {account.username} are taken for a year. Add some slots, or "
            "name a time."
        )


class _Check:
    """Looks at rows one by one, and remembers what it found."""

    def __init__(self, session: Session, platforms: Platforms, now: datetime, timezone: str, resolve: Resolve) -> None:
        self._session, self._platforms, self._now = session, platforms, now
        self._timezone, self._resolve = timezone, resolve
        self._row_of_key: dict[str, int] = {}
        self._foreseen: dict[str, Clip] = {}
        self._queues = _Queues(session, now)
        self.new: list[Wanted] = []
        self.problems: list[RowProblem] = []
        self.already_imported = 0

    def look_at(self, row: Row) -> None:
        """Take this row, or note what is wrong with it."""
        try:
            check_shape(row)
            self._take(self._wanted(row))
        except BadCell as bad:
            self.problems.append(RowProblem(row=row.number, column=bad.column, sentence=bad.sentence))
        except (InvalidRequest, NotFound, Conflict) as error:
            self.problems.append(RowProblem(row=row.number, column="", sentence=str(error)))

    def _take(self, wanted: Wanted) -> None:
        earlier_row = self._row_of_key.setdefault(wanted.key, wanted.row.number)
        if earlier_row != wanted.row.number:
            same = "has the same key as" if wanted.row["key"] else "says the same as"
            raise BadCell("key", f"It {same} row {earlier_row}. If both are meant, give each a key of its own.")
        if self._was_imported(wanted):
            self.already_imported += 1
            return
        self._check_time(wanted)
        _, targets = compose.checked(self._session, wanted.post, self._platforms, self._now)
        self._queues.line_up(wanted.post, targets)
        self.new.append(wanted)

    def _check_time(self, wanted: Wanted) -> None:
        due_at = wanted.post.due_at()
        if due_at is not None and is_too_far(due_at, self._now):
            raise BadCell("when", f"{TOO_FAR[0].upper()}{TOO_FAR[1:]}.")
        if due_at is not None and has_passed(due_at, self._now):
            raise BadCell("when", f"It has passed: {due_at:%Y-%m-%d %H:%M} UTC. Write now to post at once, or a time to come.")

    def _was_imported(self, wanted: Wanted) -> bool:
        """Raises BadCell for a row that was imported as something else."""
        if not wanted.is_ready:  # what its files hold is not known here, so that only its key can tell
            return publications.keyed(self._session, wanted.key) is not None
        try:
            return compose.earlier_of(self._session, wanted.key, wanted.post) is not None
        except IdempotencyConflict:
            raise BadCell("key", _OTHER_ROW if wanted.row["key"] else _SAME_ROW) from None

    def _wanted(self, row: Row) -> Wanted:
        named = [name.strip() for name in row["clip"].split("|")]
        found = [self._clip(name) for name in named]
        fields: dict[str, Any] = {
            "clip_ids": [(clip or self._fetched_later(name)).id for name, clip in zip(named, found, strict=True)],
            "caption": row["caption"],
            "title": row["title"],
            "hashtags": row["hashtags"].split(),
            "targets": [self._target(name, options_of(row)) for name in row["to"].split()],
            "allow_duplicate": True,  # the same clip on two days of a plan is meant; its key keeps a row from being posted twice
            **_time_of(row),
        }
        if row["timezone"] or "when" not in fields:  # a slot comes with a zone of its own
            fields["timezone"] = row["timezone"] or self._timezone
        if row["if_missed"]:
            fields["if_missed"] = row["if_missed"]
        return Wanted(row, _key(row, self._timezone), _post(fields), is_ready=None not in found)

    def _clip(self, name: str) -> Clip | None:
        try:
            return self._resolve(self._session, name)
        except (InvalidRequest, NotFound) as error:
            raise BadCell("clip", str(error)) from None

    def _fetched_later(self, url: str) -> Clip:
        """In its place a clip that every platform takes, so that the rest of the row is held against their rules."""
        if url not in self._foreseen:  # the session itself keeps what it knows no longer than somebody else does
            self._foreseen[url] = foreseen.of_url(self._session, url, now=self._now)
        return self._foreseen[url]

    def _target(self, name: str, options: dict[str, Any]) -> dict[str, Any]:
        platform, colon, username = name.partition(":")
        platform, username = platform.lower(), username.removeprefix("@")
        if colon and not username:
            raise BadCell("to", f"{name[:40]!r} names no account after the colon; the platform alone is its main account.")
        if platform not in self._platforms:
            raise BadCell("to", f"There is no platform {platform[:30]!r}; there are {', '.join(sorted(self._platforms))}.")
        if not username:
            return {"platform": platform, "options": options}
        try:
            account = accounts.by_username(self._session, platform, username)
        except InvalidRequest as error:
            raise BadCell("to", str(error)) from None
        if account is None:
            raise BadCell("to", f"There is no {platform} account {username[:120]}.")
        return {"account_id": account.id, "options": options}


def _time_of(row: Row) -> dict[str, Any]:
    text = row["when"]
    if text.lower() in {"now", "next_slot"}:
        return {"when": "next_slot"} if text.lower() == "next_slot" else {}
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or len(text) <= len("2026-05-01"):
        raise BadCell("when", f"{text[:40]!r} is no time such as 2026-05-01 09:00 or 2026-05-01T09:00+02:00, and not now or next_slot.")
    return {"scheduled_at": at}


def _post(fields: dict[str, Any]) -> PostIn:
    try:
        return PostIn.model_validate(fields)
    except ValidationError as error:
        problem = error.errors()[0]
        name = str(problem["loc"][0]) if problem["loc"] else "when"
        message = problem["msg"].removeprefix("Value error, ")
        raise BadCell(_COLUMN_OF.get(name, name), f"{message[0].upper()}{message[1:]}.") from None


def _key(row: Row, timezone: str) -> str:
    """Under which name a row is posted once."""
    if row["key"]:
        return f"import:key:{hashlib.sha256(row['key'].encode()).hexdigest()}"
    said = {name: row[name] for name in row.cells if row[name]} | {"timezone": row["timezone"] or timezone}
    return f"import:row:{hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()}"
