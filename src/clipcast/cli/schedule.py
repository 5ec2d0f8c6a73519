"""`clipcast schedule`: what goes out when, slots, recurring posts, tables of posts, and calendar feeds."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clipcast.cli.opening import opened
from clipcast.cli.output import Json, Limit, say, show_json, show_table, tell

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from clipcast.accounts.models import SocialAccount
    from clipcast.schedules.importing import Resolve
    from clipcast.schedules.schemas import ImportReport
    from clipcast.system import Clipcast

nouns = typer.Typer(name="schedule", help="What goes out when; slots, recurring posts, tables, calendars.", rich_markup_mode=None)

Account = Annotated[str, typer.Argument(metavar="PLATFORM[:USERNAME]", help="The platform's main account, or the one named.")]
Zone = Annotated[str, typer.Option("--timezone", metavar="ZONE", help="An IANA zone, such as Europe/Berlin.")]


@nouns.command("list")
def list_scheduled(limit: Limit = 50, as_json: Json = False) -> None:
    """List what waits for its time, earliest first, by the clocks of each post's zone."""
    from clipcast.cli.publish import names_of
    from clipcast.cli.views import publication_view
    from clipcast.schedules import store
    from clipcast.timetable.zones import local_time

    with opened() as clipcast:
        with clipcast.db.reading() as session:
            found = store.upcoming(session, limit=limit)
        names = names_of(clipcast, [publication for _, publication in found])
    if as_json:
        show_json({"publications": [publication_view(publication) for _, publication in found]})
        return
    rows = [
        (
            f"{local_time(publication.scheduled_at, post.timezone):%Y-%m-%d %H:%M}",
            post.timezone,
            names[publication.id],
            publication.id,
            publication.note or post.caption[:40],
        )
        for post, publication in found
    ]
    show_table(
        ("AT", "ZONE", "TO", "ID", "WHAT"), rows, empty="Nothing is scheduled. Do so with: clipcast publish FILE --to tiktok --at TIME"
    )


@nouns.command("slots")
def slots(
    account: Account,
    slot: Annotated[
        list[str] | None, typer.Option("--set", metavar="'DAYS TIMES'", help="For example 'weekdays 9:00 17:30'. Repeat for more.")
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Take all slots away.")] = False,
    timezone: Zone = "UTC",
    as_json: Json = False,
) -> None:
    """Show the slots of an account and which are free next; with --set, give it these instead."""
    from clipcast.errors import InvalidRequest
    from clipcast.schedules.schemas import known_zone
    from clipcast.timetable import store
    from clipcast.timetable.slots import split_line
    from clipcast.timetable.zones import local_time

    if slot and clear:
        raise typer.BadParameter("goes without --set.", param_hint="--clear")
    with opened() as clipcast:
        now = clipcast.clock()
        with clipcast.db.writing() as session:
            found = _account(session, account)
            if slot or clear:
                try:
                    lines = [split_line(text) for text in slot or ()]
                except ValueError as error:
                    raise InvalidRequest(f"The slots cannot be read: {error}.") from None
                store.replace(session, found.id, known_zone(timezone), lines, now)
            plan = store.plan_of(session, found.id)
            free = store.free(session, plan, now, 10) if plan else []
    if as_json:
        facts = {"timezone": plan.timezone if plan else "UTC", "slots": plan.slots if plan else []}
        show_json({"account_id": found.id, **facts, "next_free": free})
        return
    rows = [(f"{local_time(at, plan.timezone):%a %Y-%m-%d %H:%M}", plan.timezone, at) for at in free if plan]
    show_table(("NEXT FREE", "ZONE", "UTC"), rows, empty=f"{account} has no slots. Give it some: --set 'weekdays 9:00 17:30'")


@nouns.command("import")
def import_table(
    table: Annotated[Path, typer.Argument(metavar="FILE.csv", help="A table with the columns clip, to and when; more are in the guide.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only look: report every bad row, write nothing.")] = False,
    timezone: Zone = "UTC",
    as_json: Json = False,
) -> None:
    """Schedule every row of a CSV table, or none. Importing it again posts nothing twice."""
    from clipcast.schedules import importing
    from clipcast.schedules.schemas import known_zone

    content = _read(table)
    with opened() as clipcast:
        resolve = _looking(table.parent) if dry_run else _taking_in(clipcast, table.parent)
        report = importing.import_posts(
            clipcast.db,
            clipcast.platforms,
            content,
            now=clipcast.clock(),
            timezone=known_zone(timezone),
            dry_run=dry_run,
            resolve=resolve,
        )
    if as_json:
        show_json(report.model_dump(mode="json"))
    else:
        _tell_report(report)
    if report.problems:
        raise typer.Exit(1)


@nouns.command("feed")
def feed(
    name: Annotated[str, typer.Option("--name", help="To tell feeds apart.")] = "calendar",
    revoke: Annotated[str | None, typer.Option("--revoke", metavar="ID", help="Close this feed of the command line's for ever.")] = None,
    as_json: Json = False,
) -> None:
    """Make a secret address at which calendar programs read the posts from `clipcast serve`; or close one."""
    from clipcast.schedules import feeds

    with opened() as clipcast:
        now = clipcast.clock()
        with clipcast.db.writing() as session:
            if revoke is not None:
                closed = feeds.revoke(session, feeds.Owner(), revoke, now)
                show_json({"closed": closed.id}) if as_json else say(f"The feed {closed.id} is closed.")
                return
            made, token = feeds.create(session, feeds.Owner(), name, now)
        base = str(clipcast.settings.public_url or "http://localhost:8000").rstrip("/")
    url = f"{base}/calendar.ics?token={token}"
    if as_json:
        show_json({"id": made.id, "name": made.name, "url": url})
        return
    say(url)
    tell(f"Whoever has this address sees the posts, and it is not shown again. Close it with: clipcast schedule feed --revoke {made.id}")


@nouns.command("recurring")
def recurring_posts(limit: Limit = 20, as_json: Json = False) -> None:
    """List recurring posts with the next time that each comes."""
    from clipcast.schedules import recurring, store
    from clipcast.schedules.schemas import RecurrenceOut

    with opened() as clipcast, clipcast.db.reading() as session:
        shown = [
            RecurrenceOut.of(row, recurring.coming(session, row, clipcast.clock(), 10))
            for row in store.listed(session, limit=limit, before=None)
        ]
    if as_json:
        show_json({"recurrences": [each.model_dump(mode="json") for each in shown]})
        return
    following = [_clock(each.next[0].local_time) if each.next else "over" for each in shown]
    rows = [(each.id, each.rule, each.timezone, at, each.post.caption[:40]) for each, at in zip(shown, following, strict=True)]
    show_table(("ID", "RULE", "ZONE", "NEXT", "WHAT"), rows, empty="There are no recurring posts. Make one: clipcast schedule recur")


@nouns.command("recur")
def recur(
    rule: Annotated[str, typer.Argument(metavar="RRULE", help="For example FREQ=WEEKLY;BYDAY=MO,FR.")],
    media: Annotated[list[str], typer.Argument(metavar="FILE_OR_URL...", help="Files, http(s) URLs or clip ids.")],
    *,
    to: Annotated[list[str], typer.Option("--to", metavar="PLATFORM[:USERNAME]", help="Where to. Repeat for more.")],
    start: Annotated[datetime, typer.Option("--start", help="The first local time, such as 2026-05-01T09:00:00.")],
    timezone: Zone = "UTC",
    caption: Annotated[str, typer.Option("--caption", help="The posts' text.")] = "",
    as_json: Json = False,
) -> None:
    """Post again and again by a rule of RFC 5545. Each time becomes a post of its own a week ahead, made by a worker or server."""
    from clipcast.cli.media import clip_of
    from clipcast.schedules import recurring
    from clipcast.schedules.schemas import PostTemplate, RecurrenceIn, RecurrenceOut, known_zone

    with opened() as clipcast:
        now, clip_ids = clipcast.clock(), [clip_of(clipcast, source).id for source in media]
        with clipcast.db.writing() as session:
            targets = [{"account_id": _account(session, name).id} if ":" in name else {"platform": name} for name in to]
            post = PostTemplate.model_validate({"clip_ids": clip_ids, "caption": caption, "targets": targets})
            wanted = RecurrenceIn(rule=rule, starts_at=start, timezone=known_zone(timezone), post=post)
            row = recurring.create(session, wanted, clipcast.platforms, now)
            shown = RecurrenceOut.of(row, recurring.coming(session, row, now, 10))
    if as_json:
        show_json(shown.model_dump(mode="json"))
        return
    say(f"{shown.id} comes next at:")
    for each in shown.next:
        say(f"  {_clock(each.local_time)} {shown.timezone}{f' ({each.time_note})' if each.time_note else ''}")


def _clock(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def _account(session: "Session", name: str) -> "SocialAccount":
    from clipcast.accounts import store
    from clipcast.cli.options import targets_of
    from clipcast.errors import NotFound

    (where,) = targets_of([name])
    found = store.by_username(session, where.platform, where.username) if where.username else store.main_account(session, where.platform)
    if found is None:
        raise NotFound(f"There is no account {where}. clipcast accounts lists what there is.")
    return found


def _read(table: Path) -> bytes:
    from clipcast.errors import InvalidRequest

    try:
        return table.read_bytes()
    except OSError as error:
        raise InvalidRequest(f"{table} cannot be read: {error.strerror}.") from None


def _looking(directory: Path) -> "Resolve":
    """Clips as a dry run sees them: files that are there are fine, and looked at when they are taken in."""
    from clipcast.cli.media import holds
    from clipcast.errors import NotFound
    from clipcast.schedules.importing import known_clip

    def resolve(session: "Session", name: str) -> str | None:
        if name.startswith(("http://", "https://")) or holds((directory / name).is_file):
            return None
        try:
            return known_clip(session, name)
        except NotFound:
            raise NotFound(f"There is no file {name[:100]} beside the table, and no clip with that id.") from None

    return resolve


def _taking_in(clipcast: "Clipcast", directory: Path) -> "Resolve":
    """Clips as they are posted: files and URLs are taken into the library, each once."""
    from clipcast.cli.media import clip_of, holds
    from clipcast.schedules.importing import known_clip

    taken: dict[str, str] = {}

    def resolve(session: "Session", name: str) -> str:
        is_file = holds((directory / name).is_file)
        if not is_file and not name.startswith(("http://", "https://")):
            return known_clip(session, name)
        if name not in taken:
            taken[name] = clip_of(clipcast, str(directory / name) if is_file else name).id
            session.rollback()  # on with a view that has the new clip
        return taken[name]

    return resolve


def _tell_report(report: "ImportReport") -> None:
    for problem in report.problems:
        say(f"row {problem.row}{f', {problem.column}' if problem.column else ''}: {problem.sentence}")
    known = f", {report.already_imported} imported before" if report.already_imported else ""
    counts: dict[str, Any] = {"rows": report.rows, "bad": len({problem.row for problem in report.problems})}
    if report.dry_run:
        say(f"{counts['rows']} rows, {counts['bad']} of them bad{known}. Nothing was written.")
    else:
        say(f"{len(report.posts)} posts scheduled{known}.")
