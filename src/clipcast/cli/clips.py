"""`clipcast clips`: the media of this installation."""

from typing import TYPE_CHECKING, Annotated

import typer

from clipcast.cli.opening import opened
from clipcast.cli.output import Before, Json, Limit, megabytes, say, show_facts, show_json, show_table

if TYPE_CHECKING:
    from clipcast.clips.models import Clip

nouns = typer.Typer(name="clips", help="List, add and show clips (videos and images).", invoke_without_command=True, rich_markup_mode=None)


@nouns.callback()
def clips(ctx: typer.Context, as_json: Json = False, limit: Limit = 50) -> None:
    """List, add and show clips (videos and images); without a command: list."""
    if ctx.invoked_subcommand is None:
        list_clips(as_json=as_json, limit=limit)


@nouns.command("list")
def list_clips(as_json: Json = False, limit: Limit = 50, before: Before = None) -> None:
    """List clips, newest first."""
    from clipcast.clips import store
    from clipcast.clips.schemas import ClipOut

    with opened() as clipcast, clipcast.db.reading() as session:
        found = store.list_clips(session, limit=limit, before=before)
    if as_json:
        show_json({"clips": [ClipOut.model_validate(clip).model_dump(mode="json") for clip in found]})
        return
    rows = [(clip.id, clip.kind, clip.file_name, megabytes(clip.size_bytes), _shape(clip), clip.created_at) for clip in found]
    show_table(("ID", "KIND", "NAME", "SIZE", "SHAPE", "ADDED"), rows, empty="There are no clips yet. Add one: clipcast clips add FILE")


@nouns.command("add")
def add_clips(
    media: Annotated[list[str], typer.Argument(metavar="FILE_OR_URL...", help="Files, or http and https URLs.")],
    as_json: Json = False,
) -> None:
    """Take files into the library. The same bytes are one clip, however often they are added."""
    from clipcast.cli.media import clip_of
    from clipcast.clips.schemas import ClipOut

    with opened() as clipcast:
        added = [clip_of(clipcast, source) for source in media]
    if as_json:
        show_json({"clips": [ClipOut.model_validate(clip).model_dump(mode="json") for clip in added]})
        return
    for clip in added:
        say(f"{clip.id}  {clip.file_name} ({clip.kind}, {megabytes(clip.size_bytes)}, {_shape(clip)})")


@nouns.command("show")
def show_clip(clip_id: Annotated[str, typer.Argument(metavar="CLIP_ID")], as_json: Json = False) -> None:
    """Show everything that is known about one clip."""
    from clipcast.clips import store
    from clipcast.clips.schemas import ClipOut

    with opened() as clipcast, clipcast.db.reading() as session:
        shown = ClipOut.model_validate(store.get_clip(session, clip_id)).model_dump(mode="json")
    if as_json:
        show_json(shown)
    else:
        show_facts(shown)


@nouns.command("fit")
def fit_clip(
    clip_id: Annotated[str, typer.Argument(metavar="CLIP_ID")],
    to: Annotated[str, typer.Option("--to", metavar="PLATFORM", help="What to make it fit for.")],
    mode: Annotated[str, typer.Option("--mode", help="The kind of post, where the limits depend on it: story.")] = "",
    as_json: Json = False,
) -> None:
    """Convert a clip into what a platform takes, if it is not that already; the original stays as it is.

    `clipcast publish --auto-fit` does the same on the way to a post.
    """
    from clipcast.cli.progress import conversion
    from clipcast.clips.media import fitting
    from clipcast.clips.models import Clip, Rendition
    from clipcast.clips.schemas import RenditionOut
    from clipcast.clips.store import get_clip

    with opened() as clipcast:
        if to not in clipcast.platforms:
            raise typer.BadParameter(f"there is no platform {to!r}; there are: {', '.join(sorted(clipcast.platforms))}.", param_hint="--to")
        with clipcast.db.reading() as session:
            found = fitting(session, get_clip(session, clip_id), clipcast.platforms[to], mode)
        if not isinstance(found, Clip | Rendition):
            with conversion(to) as heard:
                clipcast.convert(clip_id, found, heard)
            with clipcast.db.reading() as session:
                found = fitting(session, get_clip(session, clip_id), clipcast.platforms[to], mode)
    assert isinstance(found, Clip | Rendition)
    shown = RenditionOut.of(found)
    if as_json:
        show_json(shown.model_dump(mode="json"))
    elif isinstance(found, Clip):
        say(f"{to} takes the clip as it is.")
    else:
        show_facts(shown.model_dump(mode="json", exclude={"state", "progress", "error_message"}))


def _shape(clip: "Clip") -> str:
    size = f"{clip.width}x{clip.height}"
    return f"{size}, {clip.duration_s:.1f} s" if clip.duration_s is not None else size
