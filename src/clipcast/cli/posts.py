"""`clipcast posts`: publications, one line per post and account."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated

import typer

from clipcast.cli import drafts, options, releasing
from clipcast.cli.opening import opened
from clipcast.cli.output import Before, Json, Limit, say, show_facts, show_json, show_table

if TYPE_CHECKING:
    from clipcast.publications.models import Publication
    from clipcast.publications.states import State

nouns = typer.Typer(
    name="posts",
    help="List publications and drafts; show, release, cancel, retry, check or decide about one.",
    invoke_without_command=True,
    rich_markup_mode=None,
)

Id = Annotated[str, typer.Argument(metavar="PUBLICATION_ID")]
StateFilter = Annotated[str | None, typer.Option("--state", help="Only those in this state, for example failed, uncertain or draft.")]
PlatformFilter = Annotated[str | None, typer.Option("--platform", help="Only those on this platform.")]


@nouns.callback()
def posts(ctx: typer.Context, state: StateFilter = None, platform: PlatformFilter = None, limit: Limit = 50, as_json: Json = False) -> None:
    """List publications and drafts; show, release, cancel, retry, check or decide about one; without a command: list."""
    if ctx.invoked_subcommand is None:
        list_posts(state=state, platform=platform, limit=limit, as_json=as_json)


@nouns.command("list")
def list_posts(
    state: StateFilter = None, platform: PlatformFilter = None, limit: Limit = 50, before: Before = None, as_json: Json = False
) -> None:
    """List publications, newest first, and above them the drafts. As JSON, drafts are listed with --state draft."""
    from clipcast.cli.publish import names_of
    from clipcast.cli.views import publication_view, state_of, what_of
    from clipcast.publications import store

    is_draft = state == "draft"
    wanted = store.Filter(state=None if is_draft else _state(state), platform=platform, before=before)
    with opened() as clipcast:
        with clipcast.db.reading() as session:
            found = [] if is_draft else store.listed(session, wanted, limit=limit)
            kept = drafts.listed(session, platform=platform, limit=limit) if is_draft or (state is None and before is None) else []
            views, rows = [drafts.view(session, post) for post in kept], [drafts.row_of(session, post) for post in kept]
        names = names_of(clipcast, found)
    if as_json:
        show_json({"drafts": views} if is_draft else {"publications": [publication_view(one) for one in found]})
        return
    rows += [(one.id, names[one.id], state_of(one), one.scheduled_at, what_of(one)) for one in found]
    show_table(("ID", "TO", "STATE", "DUE", "WHAT"), rows, empty="There are no publications. Make one: clipcast publish FILE --to tiktok")


@nouns.command("show")
def show_post(publication_id: Id, as_json: Json = False) -> None:
    """Show one publication with everything that happened to it, or a draft."""
    from clipcast import ledger
    from clipcast.cli.views import event_view, publication_view, what_happened
    from clipcast.publications import store
    from clipcast.publications.order import Metadata

    with opened() as clipcast, clipcast.db.reading() as session:
        if (draft := drafts.found(session, publication_id)) is not None:
            (show_json if as_json else show_facts)(drafts.view(session, draft))
            return
        publication = store.get(session, publication_id)
        events = ledger.events(session, stream=f"publication:{publication_id}", limit=1000)[::-1]
    shown = publication_view(publication)
    if as_json:
        show_json(shown | {"events": [event_view(event) for event in events]})
        return
    show_facts(shown | {"metadata": Metadata.model_validate(publication.order).model_dump_json(exclude_defaults=True)})
    say("")
    rows = [(event.occurred_at, event.event, what_happened(event)) for event in events]
    show_table(("AT", "EVENT", "WHAT"), rows, empty="Nothing has happened yet.")


@nouns.command()
def cancel(publication_id: Id, as_json: Json = False) -> None:
    """Withdraw a publication, or throw a draft away.

    At once while nothing irreversible was sent, by asking the platform after that; refused once it is out.
    """
    from clipcast.publications import publishing
    from clipcast.publications.states import State
    from clipcast.publishing import carry, is_settled

    with opened() as clipcast:
        if (draft := drafts.thrown_away(clipcast, publication_id)) is not None:
            show_json({"publications": [], "draft": draft.id}) if as_json else say(f"The draft {draft.id} is thrown away.")
            return
        with clipcast.db.writing() as session:
            publication = publishing.cancel(session, publication_id, clipcast.platforms, clipcast.clock())
        if not is_settled(publication):
            carry(clipcast, [publication_id], wait_s=30)
    _show_now(publication_id, as_json=as_json, unwanted=set(State) - {State.CANCELLED})


nouns.command()(releasing.release)


@nouns.command()
def retry(publication_id: Id, wait: options.Wait = True, as_json: Json = False) -> None:
    """Try again by hand: a failed one starts over, an uncertain one is looked for first, a waiting one is looked at now."""
    from clipcast.cli.progress import progress
    from clipcast.cli.publish import carried
    from clipcast.publications import publishing

    with progress() as board, opened(observer=board) as clipcast:
        with clipcast.db.writing() as session:
            publication = publishing.try_again(session, publication_id, clipcast.platforms, clipcast.clock())
        if wait:
            carried(clipcast, board, [publication])
    _show_now(publication_id, as_json=as_json)


@nouns.command()
def check(publication_id: Id, as_json: Json = False) -> None:
    """Ask the platform now how a publication is doing."""
    from clipcast.publishing import check_publish_status

    with opened() as clipcast:
        check_publish_status(clipcast, publication_id)
    _show_now(publication_id, as_json=as_json)


@nouns.command()
def decide(
    publication_id: Id,
    live: Annotated[
        bool, typer.Option("--live/--not-live", help="What you saw on the account: the post is there, or it certainly is not.")
    ],
    url: Annotated[str | None, typer.Option("--url", help="With --live: the post's address.")] = None,
    as_json: Json = False,
) -> None:
    """Settle an uncertain publication: it is live after all, or it certainly is not and starts over."""
    from clipcast.publications import publishing

    if url and not live:
        raise typer.BadParameter("goes with --live only.", param_hint="--url")
    with opened() as clipcast, clipcast.db.writing() as session:
        publishing.decide(session, publication_id, is_live=live, external_url=url, now=clipcast.clock())
    _show_now(publication_id, as_json=as_json)


def _show_now(publication_id: str, *, as_json: bool, unwanted: Collection[str] = ("failed", "uncertain")) -> None:
    """The publication as it is now; exit code 1 when it is in an `unwanted` state."""
    from clipcast.cli.publish import names_of, show_outcome
    from clipcast.publications import store

    with opened() as clipcast:
        with clipcast.db.reading() as session:
            publication: Publication = store.get(session, publication_id)
        names = names_of(clipcast, [publication])
    show_outcome([publication], names, as_json=as_json, unwanted=unwanted)


def _state(name: str | None) -> "State | None":
    from clipcast.publications.states import State

    if name is None:
        return None
    try:
        return State(name)
    except ValueError:
        raise typer.BadParameter(f"there is no state {name!r}; there are draft, {', '.join(State)}.", param_hint="--state") from None
