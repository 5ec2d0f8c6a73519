"""`clipcast schedule`: what goes out when, slots, recurring posts, tables of posts, and calendar feeds."""

from typing import TYPE_CHECKING, Annotated

import typer

from clipcast.cli.opening import opened
from clipcast.cli.output import Json, Limit, say, show_json, show_table, tell

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from clipcast.accounts.models import SocialAccount

nouns = typer.Typer(name="schedule", help="What goes out when; slots, recurring posts, tables, calendars.", rich_markup_mode=None)

Account = Annotated[str, typer.Argument(metavar="PLATFORM[:USERNAME]", help="The platform's main account, or the one named.")]


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
    timezone: Annotated[
        str | None, typer.Option("--timezone", metavar="ZONE", help="With --set: an IANA zone, such as Europe/Berlin. Default: UTC.")
    ] = None,
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
    if timezone is not None and not slot:
        raise typer.BadParameter("goes with --set only: it is the zone in which the slots are meant.", param_hint="--timezone")
    with opened() as clipcast:
        now = clipcast.clock()
        with clipcast.db.writing() as session:
            found = _account(session, account)
            if slot or clear:
                try:
                    lines = [split_line(text) for text in slot or ()]
                except ValueError as error:
                    raise InvalidRequest(f"The slots cannot be read: {error}.") from None
                store.replace(session, found.id, known_zone(timezone or "UTC"), lines, now)
            plan = store.plan_of(session, found.id)
            free = store.free(session, plan, now, 10) if plan else []
    if as_json:
        facts = {"timezone": plan.timezone if plan else "UTC", "slots": plan.slots if plan else []}
        show_json({"account_id": found.id, **facts, "next_free": free})
        return
    rows = [(f"{local_time(at, plan.timezone):%a %Y-%m-%d %H:%M}", plan.timezone, at) for at in free if plan]
    show_table(("NEXT FREE", "ZONE", "UTC"), rows, empty=f"{account} has no slots. Give it some: --set 'weekdays 9:00 17:30'")


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


def _account(session: "Session", name: str) -> "SocialAccount":
    from clipcast.accounts import store
    from clipcast.cli.options import targets_of
    from clipcast.errors import NotFound

    (where,) = targets_of([name])
    found = store.by_username(session, where.platform, where.username) if where.username else store.main_account(session, where.platform)
    if found is None:
        raise NotFound(f"There is no account {where}. clipcast accounts lists what there is.")
    return found
