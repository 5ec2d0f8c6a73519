"""`clipcast posts release`: a draft goes out."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from clipcast.cli import drafts, options
from clipcast.cli.opening import opened
from clipcast.cli.output import Json

if TYPE_CHECKING:
    from clipcast.posts.schemas import PostChange
    from clipcast.publications.models import Publication
    from clipcast.system import Clipcast


def release(
    post_id: Annotated[str, typer.Argument(metavar="DRAFT_ID")],
    *,
    at: options.At = None,
    timezone: options.Timezone = None,
    fold: options.Fold = 0,
    next_slot: options.NextSlot = False,
    allow_duplicate: options.AllowDuplicate = False,
    wait: options.Wait = True,
    as_json: Json = False,
) -> None:
    """Release a draft: publish it now, at a time, or at the next free slots. What was released before is left as it is."""
    from clipcast.cli.progress import progress
    from clipcast.cli.publish import carried, names_of, show_outcome, time_note_of

    times = options.times_of({"at": at, "timezone": timezone, "fold": fold, "next_slot": next_slot})
    wanted = _change(times if at or next_slot else {**times, "when": "now"}, allow_duplicate=allow_duplicate)
    with progress() as board, opened(observer=board) as clipcast:
        publications = _released(clipcast, post_id, wanted)
        if wait and wanted.when == "now":
            publications = carried(clipcast, board, publications)
        names, note = names_of(clipcast, publications), time_note_of(clipcast, post_id)
    show_outcome(publications, names, as_json=as_json, time_note=note)


def _change(given: dict[str, Any], *, allow_duplicate: bool) -> "PostChange":
    from pydantic import ValidationError

    from clipcast.posts.schemas import PostChange

    try:
        return PostChange.model_validate({**given, "allow_duplicate": allow_duplicate})
    except ValidationError as error:
        raise options.wrong_use(error) from None


def _released(clipcast: "Clipcast", post_id: str, wanted: "PostChange") -> "list[Publication]":
    from clipcast.posts import compose, store

    with drafts.meant_by_option(), clipcast.db.writing() as session:
        if store.get(session, post_id, lock=True).stage != "released":
            compose.change(session, post_id, wanted, clipcast.platforms, clipcast.clock())
        return store.publications_of(session, post_id)
