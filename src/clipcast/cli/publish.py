"""`clipcast publish`: from files to posts, without any server."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from clipcast.cli import composing, drafts, options
from clipcast.cli.opening import opened
from clipcast.cli.output import Json, say, show_json, tell

if TYPE_CHECKING:
    from clipcast.cli.progress import Board
    from clipcast.posts.models import Post
    from clipcast.posts.schemas import PostIn
    from clipcast.publications.models import Publication
    from clipcast.system import Clipcast


def publish(
    media: options.MediaArgument,
    *,
    to: options.To,
    caption: options.Caption = "",
    title: options.Title = "",
    hashtag: options.Hashtags = None,
    privacy: options.PrivacyOption = options.Privacy.PUBLIC,
    mode: options.Mode = "",
    at: options.At = None,
    timezone: options.Timezone = None,
    fold: options.Fold = 0,
    next_slot: options.NextSlot = False,
    draft: options.Draft = False,
    if_missed: options.IfMissed = None,
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
    allow_duplicate: options.AllowDuplicate = False,
    key: Annotated[
        str | None,
        typer.Option("--key", help="Makes repeating this very command harmless: the same key answers with the first post."),
    ] = None,
    wait: options.Wait = True,
    as_json: Json = False,
) -> None:
    """Publish a video, an image, or several images as one set, to one or many accounts: one post, each account a publication of its own.

    No server has to run: this command carries its publications to the end. If it is killed, the next `clipcast worker` or `clipcast serve`
    finishes them; nothing is posted twice.
    """
    from clipcast.cli.progress import progress

    given = locals()
    with progress() as board, opened(observer=board) as clipcast:
        wanted = composing.post_of(clipcast, media, to, given)
        post, publications = _created(clipcast, wanted, key)
        if post.stage != "released":
            drafts.show_kept(clipcast, post, as_json=as_json)
            return
        if wait and wanted.scheduled_at is None and wanted.when is None:
            publications = carried(clipcast, board, publications)
        names, note = names_of(clipcast, publications), time_note_of(clipcast, post.id)
    show_outcome(publications, names, as_json=as_json, time_note=note)


def time_note_of(clipcast: "Clipcast", post_id: str) -> str | None:
    """What to know about the post's time where clocks are changed; None where it is plain."""
    from clipcast.posts import store
    from clipcast.posts.schemas import PostOut

    with clipcast.db.reading() as session:
        note = PostOut.of(store.get(session, post_id), [], []).time_note
    return None if note is None else note.replace("send fold: ", "with --fold ")


def _created(clipcast: "Clipcast", wanted: "PostIn", key: str | None) -> "tuple[Post, list[Publication]]":
    """All of them or none: what cannot be published is said before anything is. A draft has none."""
    from clipcast.posts import compose, store

    now = clipcast.clock()
    with drafts.meant_by_option(), clipcast.db.writing() as session:
        post = compose.create(session, wanted, clipcast.platforms, now, key=key)
        return post, store.publications_of(session, post.id)


def carried(clipcast: "Clipcast", board: "Board", publications: "Sequence[Publication]") -> "list[Publication]":
    """These publications after they were carried to their ends, watched on `board`; an interruption says how to go on."""
    from clipcast.publications import store
    from clipcast.publishing import carry

    ids = [publication.id for publication in publications]
    for publication_id, name in names_of(clipcast, publications).items():
        board.expect(publication_id, name)
    try:
        carry(clipcast, ids, watch=board.watch)
    except KeyboardInterrupt:
        tell("Interrupted. What was begun is kept. Go on with: clipcast worker (or clipcast serve).")
        tell(f"Look at it with: clipcast posts show {ids[0]}")
        raise typer.Exit(1) from None
    with clipcast.db.reading() as session:
        return store.by_ids(session, ids)


def names_of(clipcast: "Clipcast", publications: "Sequence[Publication]") -> dict[str, str]:
    """How people know these publications: the platform and the account, by id."""
    from clipcast.accounts import store as accounts

    names = {}
    with clipcast.db.reading() as session:
        for publication in publications:
            account = accounts.any_of(session, publication.social_account_id) if publication.social_account_id else None
            names[publication.id] = f"{publication.platform} @{account.username}" if account else publication.platform
    return names


def show_outcome(
    publications: "Sequence[Publication]",
    names: dict[str, str],
    *,
    as_json: bool,
    unwanted: Collection[str] = ("failed", "uncertain", "cancelled"),
    time_note: str | None = None,
) -> None:
    """What became of these publications, and what to know about their time; exit code 1 if one is in an `unwanted` state."""
    from clipcast.cli.views import publication_view

    if as_json:
        show_json({"publications": [publication_view(publication) for publication in publications], "time_note": time_note})
    else:
        for publication in publications:
            say(f"{names[publication.id]}: {_outcome(publication)}")
        if time_note:
            say(time_note)
    if any(publication.state in unwanted for publication in publications):
        raise typer.Exit(1)


def _outcome(publication: "Publication") -> str:
    from clipcast.cli.output import moment
    from clipcast.cli.views import SIMULATED_NOTE, what_of

    if publication.state == "scheduled":
        when = f" for {moment(publication.scheduled_at)}" if publication.scheduled_at > publication.requested_at else ""
        return f"scheduled{when} as {publication.id}; clipcast worker or clipcast serve has to run then"
    simulated = f" [{SIMULATED_NOTE}]" if publication.simulated else ""
    what = what_of(publication)
    return f"{publication.state.replace('_', ' ')} as {publication.id}{f': {what}' if what else ''}{simulated}"
