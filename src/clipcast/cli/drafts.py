"""Drafts on the command line: what the commands of posts show of them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from clipcast.cli.output import say, show_json

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from clipcast.posts.models import Post
    from clipcast.posts.schemas import TargetIn
    from clipcast.system import Clipcast

_SUMMARY: Final = 60


@contextmanager
def meant_by_option() -> Iterator[None]:
    """Tell of the option with which a double is posted all the same, instead of the field of the HTTP interface."""
    from clipcast.errors import PossibleDuplicate

    try:
        yield
    except PossibleDuplicate as error:
        raise PossibleDuplicate(by_option(str(error))) from error


def by_option(sentence: str) -> str:
    """What was said of a double, as the command line says it."""
    return sentence.replace("send allow_duplicate: true", "add --allow-duplicate")


def listed(session: "Session", *, platform: str | None, limit: int) -> "list[Post]":
    """The drafts, newest first; of one platform when given."""
    from clipcast.posts import store

    found = store.listed(session, limit=limit, stage="draft")
    return [post for post in found if platform is None or platform in {place for place, _ in _places(session, post)}]


def row_of(session: "Session", post: "Post") -> tuple[object, ...]:
    """A draft as a line beside those of publications: id, where to, state, when, what."""
    where = ", ".join(f"{platform} @{username}" if username else platform for platform, username in _places(session, post))
    return (post.id, where, post.stage, None, (post.caption or post.title)[:_SUMMARY])


def found(session: "Session", post_id: str) -> "Post | None":
    """The draft of that id, or what was one and is thrown away; None where there is no such post, or it was released."""
    from clipcast.posts.models import Post

    post = session.get(Post, post_id)
    return post if post is not None and post.stage != "released" else None


def thrown_away(clipcast: "Clipcast", post_id: str) -> "Post | None":
    """The draft of that id, thrown away; None where there is none."""
    from clipcast.posts import compose

    with clipcast.db.writing() as session:
        post = found(session, post_id)
        if post is not None:
            compose.cancel(session, post_id, clipcast.platforms, clipcast.clock())
        return post


def view(session: "Session", post: "Post") -> dict[str, Any]:
    """A draft for JSON, as the HTTP interface shows it."""
    from clipcast.posts import store
    from clipcast.posts.schemas import PostOut

    return PostOut.of(post, store.clips_of(session, post.id), []).model_dump(mode="json")


def show_kept(clipcast: "Clipcast", post: "Post", *, as_json: bool) -> None:
    """That a post was kept as a draft, and how it goes on."""
    if not as_json:
        say(f"Kept as the draft {post.id}: nobody sends it. Release it: clipcast posts release {post.id}")
        return
    with clipcast.db.reading() as session:
        show_json({"publications": [], "draft": view(session, post)})


def _places(session: "Session", post: "Post") -> list[tuple[str, str]]:
    """The platforms of a draft's targets, each with the account's name, if there is one."""
    from clipcast.posts.schemas import PostIn

    targets: Sequence[TargetIn] = PostIn.model_validate(post.draft).targets
    return [_place(session, target) for target in targets]


def _place(session: "Session", target: "TargetIn") -> tuple[str, str]:
    from clipcast.accounts import store as accounts

    account = accounts.any_of(session, target.account_id) if target.account_id else None
    return (account.platform, account.username) if account else (str(target.platform), "")
