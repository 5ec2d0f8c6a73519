"""`clipcast schedule recur` and what follows: posts that come again and again, changed one by one, and ended."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from clipcast.cli import composing, options
from clipcast.cli.opening import opened
from clipcast.cli.output import Json, Limit, say, show_json, show_table

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from clipcast.schedules.models import Recurrence
    from clipcast.schedules.schemas import OccurrenceEdit, OccurrenceOut, RecurrenceOut
    from clipcast.system import Clipcast

RecurrenceId = Annotated[str, typer.Argument(metavar="ID", help="As `clipcast schedule recurring` shows it.")]
Occurrence = Annotated[
    str, typer.Argument(metavar="TIME", help="The local time that the rule gives it, such as 2026-12-06T10:30, wherever it was moved to.")
]
SHOWN = 10
"""How many of the next times are shown."""


def recurring_posts(limit: Limit = 20, as_json: Json = False) -> None:
    """List recurring posts with the next time that each comes, and why one cannot be made."""
    from clipcast.schedules import store

    with opened() as clipcast, clipcast.db.reading() as session:
        found = store.listed(session, limit=limit, before=None)
        shown = [_shown(session, row, clipcast.clock()) for row in found]
        troubles = [_trouble(session, row) for row in found]
    if as_json:
        show_json({"recurrences": [each.model_dump(mode="json") for each in shown]})
        return
    following = [_clock(each.next[0].local_time) if each.next else "over" for each in shown]
    rows = [
        (each.id, each.rule, each.timezone, at, each.post.caption[:40], trouble)
        for each, at, trouble in zip(shown, following, troubles, strict=True)
    ]
    columns = ("ID", "RULE", "ZONE", "NEXT", "WHAT", "TROUBLE")
    show_table(columns, rows, empty="There are no recurring posts. Make one: clipcast schedule recur")


def recur(
    rule: Annotated[str, typer.Argument(metavar="RRULE", help="For example FREQ=WEEKLY;BYDAY=MO,FR.")],
    media: options.MediaArgument,
    *,
    to: options.To,
    start: Annotated[str, typer.Option("--start", metavar="TIME", help="The first local time, such as 2026-05-01T09:00.")],
    timezone: options.Zone = "UTC",
    if_missed: options.IfMissed = None,
    caption: options.Caption = "",
    title: options.Title = "",
    hashtag: options.Hashtags = None,
    privacy: options.PrivacyOption = options.Privacy.PUBLIC,
    mode: options.Mode = "",
    comments: options.Comments = True,
    duet: options.Duet = True,
    stitch: options.Stitch = True,
    brand_content: options.BrandContent = False,
    brand_organic: options.BrandOrganic = False,
    ai_generated: options.AiGenerated = False,
    auto_music: options.AutoMusic = False,
    cover_ms: options.CoverMs = None,
    cover_index: options.CoverIndex = 0,
    pull: options.Pull = False,
    auto_fit: options.AutoFit = False,
    option: options.Own = None,
    extra: options.Extra = None,
    satellites: options.Satellites = False,
    as_json: Json = False,
) -> None:
    """Post again and again by a rule of RFC 5545. Each time becomes a post of its own a week ahead, made by a worker or server."""
    from pydantic import ValidationError

    from clipcast.schedules import recurring
    from clipcast.schedules.schemas import RecurrenceIn, known_zone

    given, zone = locals(), known_zone(timezone)
    with opened() as clipcast:
        now, post = clipcast.clock(), composing.content_of(clipcast, media, to, given)
        try:
            post |= {} if if_missed is None else {"if_missed": if_missed}
            wanted = RecurrenceIn.model_validate({"rule": rule, "starts_at": start, "timezone": zone, "post": post})
        except ValidationError as error:
            raise options.wrong_use(error) from None
        with clipcast.db.writing() as session:
            shown = _shown(session, recurring.create(session, wanted, clipcast.platforms, now), now)
    if as_json:
        show_json(shown.model_dump(mode="json"))
        return
    say(f"{shown.id} comes next at:")
    for each in shown.next:
        say(f"  {_clock(each.local_time)} {shown.timezone}{f' ({each.time_note})' if each.time_note else ''}")


def cancel(
    recurrence_id: RecurrenceId,
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="The first local time that no longer comes. Default: all that has not begun."),
    ] = None,
    as_json: Json = False,
) -> None:
    """End a recurring post, and withdraw the posts made of it; exit code 1 if one can no longer be withdrawn."""
    from clipcast.schedules import recurring
    from clipcast.schedules.schemas import RecurrenceCancellation

    begin = None if start is None else _local(start, "--from")
    with opened() as clipcast, clipcast.db.writing() as session:
        now = clipcast.clock()
        row, refusals = recurring.end(session, recurrence_id, begin, clipcast.platforms, now)
        answer = RecurrenceCancellation(recurrence=_shown(session, row, now), refusals=refusals)
    if as_json:
        show_json(answer.model_dump(mode="json"))
    else:
        say(f"{row.id} {'is over' if begin is None else f'comes no more from {_clock(begin)} {row.timezone} on'}.")
        for publication_id, why in refusals.items():
            say(f"{publication_id} was not withdrawn: {why}")
    if refusals:
        raise typer.Exit(1)


def skip(recurrence_id: RecurrenceId, occurrence: Occurrence, as_json: Json = False) -> None:
    """Leave one time of a recurring post out; the others stay. Once said, it stays out."""
    from clipcast.schedules.schemas import OccurrenceEdit

    with opened() as clipcast:
        shown = _edited(clipcast, recurrence_id, _local(occurrence, "TIME"), OccurrenceEdit(skip=True))
    if as_json:
        show_json(shown.model_dump(mode="json"))
    else:
        say(f"{_clock(shown.local_time)} is left out.")


def move(
    recurrence_id: RecurrenceId,
    occurrence: Occurrence,
    new_time: Annotated[str, typer.Argument(metavar="NEW_TIME", help="Local time in the recurrence's zone, such as 2026-12-06T18:00.")],
    *,
    caption: Annotated[str | None, typer.Option("--caption", help="Another text for this time alone.")] = None,
    as_json: Json = False,
) -> None:
    """Move one time of a recurring post; the others stay."""
    from clipcast.cli.publish import time_note_of
    from clipcast.schedules.schemas import OccurrenceEdit

    wanted = OccurrenceEdit(move_to=_local(new_time, "NEW_TIME"), caption=caption)
    with opened() as clipcast:
        shown = _edited(clipcast, recurrence_id, _local(occurrence, "TIME"), wanted)
        assert shown.post_id is not None
        note = time_note_of(clipcast, shown.post_id)
    if as_json:
        show_json(shown.model_dump(mode="json") | {"time_note": note})
        return
    say(f"{_clock(shown.local_time)} goes out at {shown.scheduled_at:%Y-%m-%d %H:%M} UTC as the post {shown.post_id}.")
    if note:
        say(note)


def _edited(clipcast: "Clipcast", recurrence_id: str, local: datetime, wanted: "OccurrenceEdit") -> "OccurrenceOut":
    from clipcast.schedules import recurring

    with clipcast.db.writing() as session:
        return recurring.edit(session, recurrence_id, local, wanted, clipcast.platforms, now=clipcast.clock())


def _shown(session: "Session", row: "Recurrence", now: datetime) -> "RecurrenceOut":
    from clipcast.schedules import recurring
    from clipcast.schedules.schemas import RecurrenceOut

    return RecurrenceOut.of(row, recurring.coming(session, row, now, SHOWN))


def _trouble(session: "Session", row: "Recurrence") -> str:
    """Why its earliest occurrence that is still tried cannot be made."""
    from clipcast.schedules import store

    known = store.occurrences_after(session, row.id, row.made_until) if row.look_again_at is not None else {}
    return next((f"{_clock(local)}: {found.trouble}" for local, found in sorted(known.items()) if found.trouble), "")


def _local(text: str, name: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is not None or len(text) <= len("2026-05-01"):
        sentence = f"{text[:40]!r} is no local time such as 2026-05-01T09:00, without an offset: it is meant in the recurrence's zone."
        raise typer.BadParameter(sentence, param_hint=name)
    return at


def _clock(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
