"""`clipcast ledger`: what happened, for ever, and whether it is still as it was written."""

from typing import Annotated

import typer

from clipcast.cli.opening import opened
from clipcast.cli.output import Before, Json, Limit, say, show_json, show_table

nouns = typer.Typer(
    name="ledger", help="List the ledger's events, or verify that nothing was altered.", invoke_without_command=True, rich_markup_mode=None
)

Clip = Annotated[str | None, typer.Option("--clip", metavar="ID", help="Only events of this clip.")]
PublicationId = Annotated[str | None, typer.Option("--publication", metavar="ID", help="Only events of this publication.")]


def _known(event: str | None) -> str | None:
    from difflib import get_close_matches

    from clipcast.ledger import EVENTS

    if event is None or event in EVENTS:
        return event
    near = get_close_matches(event.strip().lower().replace("-", "_"), EVENTS, n=1, cutoff=0.5)
    advice = f"did you mean {near[0]}? There are" if near else "there are"
    raise typer.BadParameter(f"there is no event {event[:60]!r}; {advice}: {', '.join(EVENTS)}.")


Event = Annotated[str | None, typer.Option("--event", help="Only events of this kind, for example publish_failed.", callback=_known)]


@nouns.callback()
def ledger(
    ctx: typer.Context,
    *,
    clip: Clip = None,
    publication: PublicationId = None,
    event: Event = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List the ledger's events, or verify that nothing was altered; without a command: list."""
    if ctx.invoked_subcommand is None:
        list_events(clip=clip, publication=publication, event=event, limit=limit, as_json=as_json)


@nouns.command("list")
def list_events(
    *,
    clip: Clip = None,
    publication: PublicationId = None,
    event: Event = None,
    limit: Limit = 50,
    before: Before = None,
    as_json: Json = False,
) -> None:
    """List events, newest first."""
    from clipcast import ledger as domain
    from clipcast.cli.views import event_view, what_happened
    from clipcast.clips.store import get_clip
    from clipcast.publications import store

    stream = f"publication:{publication}" if publication else None
    with opened() as clipcast, clipcast.db.reading() as session:
        if clip is not None:
            get_clip(session, clip)
        if publication is not None:
            store.get(session, publication)
        found = domain.events(session, stream=stream, entity_id=clip, event=event, before=before, limit=limit)
    if as_json:
        show_json({"events": [event_view(one) for one in found]})
        return
    rows = [(one.occurred_at, one.event, one.details.get("platform"), one.entity_id, what_happened(one)) for one in found]
    show_table(("AT", "EVENT", "PLATFORM", "CLIP", "WHAT"), rows, empty="Nothing has happened yet.")


@nouns.command()
def verify(as_json: Json = False) -> None:
    """Prove that no event was altered, removed or inserted since it was written; exit code 1 if one was."""
    from clipcast import ledger as domain
    from clipcast.publications.schemas import LedgerVerification

    with opened() as clipcast, clipcast.db.reading() as session:
        broken = domain.verify(session)
    if as_json:
        show_json(LedgerVerification.of(broken).model_dump(mode="json"))
    elif not broken:
        say("The ledger is whole: every event is as it was written.")
    else:
        for one in broken:
            say(one.sentence)
    if broken:
        raise typer.Exit(1)
