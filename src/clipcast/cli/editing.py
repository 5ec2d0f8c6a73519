"""`clipcast posts edit`: another text or another time for a post that has not begun."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from clipcast.cli import drafts, options
from clipcast.cli.opening import opened
from clipcast.cli.output import Json, say, show_json

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from clipcast.posts.schemas import PostOut


def edit(
    post_id: Annotated[str, typer.Argument(metavar="ID", help="A post's id, or that of one of its publications.")],
    *,
    caption: Annotated[str | None, typer.Option("--caption", help="For every target that has no caption of its own.")] = None,
    title: Annotated[str | None, typer.Option("--title", help="A title, where the platform has one.")] = None,
    hashtag: Annotated[
        list[str] | None, typer.Option("--hashtag", metavar="TAG", help="Instead of those it has; '' for none. Repeat for more.")
    ] = None,
    at: Annotated[str | None, typer.Option("--at", metavar="TIME", help="Another time, as `publish --at` takes it.")] = None,
    timezone: options.Timezone = None,
    fold: options.Fold = 0,
    now: Annotated[bool, typer.Option("--now", help="At once, instead of --at.")] = False,
    next_slot: options.NextSlot = False,
    if_missed: options.IfMissed = None,
    allow_duplicate: options.AllowDuplicate = False,
    as_json: Json = False,
) -> None:
    """Change or move a post that has not begun, with all its publications; what is not named stays. A time releases a draft."""
    from pydantic import ValidationError

    from clipcast.posts import compose
    from clipcast.posts.schemas import PostChange

    times: dict[str, Any] = options.times_of({"at": at, "timezone": timezone, "fold": fold, "next_slot": next_slot, "if_missed": if_missed})
    if now and next_slot:
        raise typer.BadParameter("goes without --next-slot.", param_hint="--now")
    fields = {"caption": caption, "title": title, "hashtags": hashtag, "when": "now" if now else None}
    meant = {"allow_duplicate": True} if allow_duplicate else {}
    given = times | {name: value for name, value in fields.items() if value is not None}
    if not given:
        raise typer.BadParameter("say what to change: --caption, --title, --hashtag, --at, --now, --next-slot, --timezone or --if-missed.")
    try:
        wanted = PostChange.model_validate(given | meant)
    except ValidationError as error:
        raise options.wrong_use(error) from None
    with opened() as clipcast, drafts.meant_by_option(), clipcast.db.writing() as session:
        post = compose.change(session, _meant(session, post_id), wanted, clipcast.platforms, clipcast.clock())
        shown = _shown(session, post.id)
    if as_json:
        show_json(shown.model_dump(mode="json"))
        return
    _tell(shown)


def _meant(session: "Session", given: str) -> str:
    """The post of that id, or of the publication of that id."""
    from clipcast.posts import store
    from clipcast.publications.models import Publication

    publication = session.get(Publication, given)
    return publication.post_id if publication is not None else store.get(session, given).id


def _shown(session: "Session", post_id: str) -> "PostOut":
    from clipcast.posts import store
    from clipcast.posts.schemas import PostOut

    return PostOut.of(store.get(session, post_id), store.clips_of(session, post_id), store.publications_of(session, post_id))


def _tell(post: "PostOut") -> None:
    from clipcast.cli.output import moment

    if post.stage == "draft":
        say(f"The draft {post.id} is changed. Release it: clipcast posts release {post.id}")
        return
    when = f"goes out at {post.local_time:%Y-%m-%d %H:%M} {post.timezone}" if post.local_time else "goes out at once"
    say(f"The post {post.id} is changed, and {when} ({moment(post.scheduled_at)}).")
    if post.time_note:
        say(post.time_note.replace("send fold: ", "with --fold "))
