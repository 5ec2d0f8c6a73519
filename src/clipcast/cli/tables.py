"""`clipcast schedule import`: many posts at once, from a table on this machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clipcast.cli import options
from clipcast.cli.opening import opened
from clipcast.cli.output import Json, say, show_json

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from clipcast.clips.models import Clip
    from clipcast.schedules.importing import Resolve
    from clipcast.schedules.schemas import ImportReport
    from clipcast.system import Clipcast


def import_table(
    table: Annotated[Path, typer.Argument(metavar="FILE.csv", help="A table with the columns clip, to and when; more are in the guide.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only look: report every bad row, write nothing.")] = False,
    timezone: options.Zone = "UTC",
    as_json: Json = False,
) -> None:
    """Schedule every row of a CSV table, or none; exit code 1 if there is a bad row. Importing it again posts nothing twice."""
    from clipcast.schedules import importing
    from clipcast.schedules.schemas import known_zone

    content = _read(table)
    with opened() as clipcast:
        report = importing.import_posts(
            clipcast.db,
            clipcast.platforms,
            content,
            now=clipcast.clock(),
            timezone=known_zone(timezone),
            dry_run=dry_run,
            resolve=(_looking if dry_run else _taking_in)(clipcast, table.parent),
        )
    if as_json:
        show_json(report.model_dump(mode="json"))
    else:
        _tell_report(report)
    if report.problems:
        raise typer.Exit(1)


def _read(table: Path) -> bytes:
    from clipcast.errors import InvalidRequest

    try:
        return table.read_bytes()
    except OSError as error:
        raise InvalidRequest(f"{table} cannot be read: {error.strerror}.") from None


def _looking(clipcast: "Clipcast", directory: Path) -> "Resolve":
    """Clips as a dry run sees them: files are read where they lie, URLs are not fetched."""
    from clipcast.cli.media import holds
    from clipcast.clips import foreseen
    from clipcast.clips.store import get_clip
    from clipcast.errors import NotFound

    seen: dict[str, Clip] = {}

    def resolve(session: "Session", name: str) -> "Clip | None":
        if name.startswith(("http://", "https://")):
            return None
        if name not in seen and holds((directory / name).is_file):
            limit = clipcast.library.max_bytes
            seen[name] = foreseen.of_file(session, directory / name, max_bytes=limit, now=clipcast.clock())
        try:
            return seen.get(name) or get_clip(session, name)
        except NotFound:
            raise NotFound(f"There is no file {name[:100]} beside the table, and no clip with that id.") from None

    return resolve


def _taking_in(clipcast: "Clipcast", directory: Path) -> "Resolve":
    """Clips as they are posted: files and URLs are taken into the library, each once."""
    from clipcast.cli.media import clip_of, holds
    from clipcast.clips.store import get_clip

    taken: dict[str, str] = {}

    def resolve(session: "Session", name: str) -> "Clip":
        is_file = holds((directory / name).is_file)
        if not is_file and not name.startswith(("http://", "https://")):
            return get_clip(session, name)
        if name not in taken:
            taken[name] = clip_of(clipcast, str(directory / name) if is_file else name).id
            session.rollback()  # on with a view that has the new clip
        return get_clip(session, taken[name])

    return resolve


def _tell_report(report: "ImportReport") -> None:
    for problem in report.problems:
        say(f"row {problem.row}{f', {problem.column}' if problem.column else ''}: {problem.sentence}")
    known = f", {report.already_imported} imported before" if report.already_imported else ""
    if report.dry_run or report.problems:
        bad = len({problem.row for problem in report.problems})
        say(f"{report.rows} rows, {bad} of them bad{known}. Nothing was {'written' if report.dry_run else 'imported'}.")
    else:
        say(f"{len(report.posts)} posts scheduled{known}.")
