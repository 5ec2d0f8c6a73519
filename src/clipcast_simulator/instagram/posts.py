"""Media: what publishing made, one by one and in lists, newest first."""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import Connection, Select, select, update

from clipcast_simulator.exchange import Context
from clipcast_simulator.instagram import access, containers, world
from clipcast_simulator.instagram.access import COMMENTS, DELETE, READ
from clipcast_simulator.instagram.errors import Refusal
from clipcast_simulator.instagram.fields import check, parse, project
from clipcast_simulator.instagram.graph import Answer, Call
from clipcast_simulator.instagram.parameters import LISTS
from clipcast_simulator.instagram.tables import posts

STORY_LIFE_S: Final = 86_400.0
PAGE: Final = 25
_MOST: Final = 100

_PRODUCTS: Final = {"image": "FEED", "carousel": "FEED", "reel": "REELS", "story": "STORY"}
_TYPES: Final = {"image": "IMAGE", "video": "VIDEO", "carousel": "CAROUSEL_ALBUM"}

_FIELDS: Final = frozenset(
    {
        *("id", "permalink", "shortcode", "media_type", "media_product_type", "timestamp", "username", "caption", "media_url"),
        *("like_count", "comments_count", "is_comment_enabled", "is_shared_to_feed", "is_ai_generated", "alt_text", "thumbnail_url"),
        *("owner", "children", "ig_id"),
    }
)


@dataclass(frozen=True, slots=True)
class Post:
    """A published post, as stored."""

    id: int
    media_id: str
    container: int
    username: str
    kind: str
    medium: str
    caption: str
    shortcode: str
    parameters: dict[str, Any]
    published_at: float
    comment_enabled: bool
    deleted_at: float | None

    @property
    def permalink(self) -> str:
        """Where people see it."""
        if self.kind == "story":
            return f"https://www.instagram.com/stories/{self.username}/{self.media_id}/"
        return f"https://www.instagram.com/{'reel' if self.kind == 'reel' else 'p'}/{self.shortcode}/"

    @property
    def media_type(self) -> str:
        """IMAGE, VIDEO or CAROUSEL_ALBUM."""
        return _TYPES[self.medium]


def media(call: Call) -> Answer:
    """Answer the wanted fields of a post."""
    call.caller.require(READ)
    call.given.check(())
    return project(call.fields(), _node(call.context, _post(call)), _FIELDS, "IGMedia")


def update_media(call: Call) -> Answer:
    """Switch comments on or off: the only thing that can be changed after publishing."""
    call.caller.require(COMMENTS)
    call.given.check({"comment_enabled"})
    post, enabled = _post(call), call.given.flag("comment_enabled")
    if enabled is None:
        raise Refusal(100, message="The parameter comment_enabled is required")
    _change(call.context, post, comment_enabled=enabled)
    return {"success": True}


def delete_media(call: Call) -> Answer:
    """Delete a post; with Facebook Login alone."""
    call.given.check(())
    if call.caller.login == "instagram":
        raise access.unsupported(call.request.params["node"])
    call.caller.require(DELETE)
    post = _post(call)
    _change(call.context, post, deleted_at=call.context.now)
    return {"success": True, "deleted_id": post.media_id}


def media_list(call: Call) -> Answer:
    """List an account's posts, newest first; stories are not among them."""
    account = call.account(READ)
    call.given.check(LISTS | {"since", "until"})
    query = select(posts).where(posts.c.username == account.username, posts.c.kind != "story")
    for name, bound in (("since", posts.c.published_at.__ge__), ("until", posts.c.published_at.__le__)):
        if (at := call.given.number(name)) is not None:
            query = query.where(bound(at))
    return _page(call, query)


def stories(call: Call) -> Answer:
    """List an account's stories of the last 24 hours."""
    account = call.account(READ)
    call.given.check(LISTS)
    live = posts.c.published_at > call.context.now - STORY_LIFE_S
    return _page(call, select(posts).where(posts.c.username == account.username, posts.c.kind == "story", live))


def made_from(connection: Connection, container: int) -> Post | None:
    """Return the post that a container became, deleted or not."""
    row = connection.execute(select(posts).where(posts.c.container == container)).first()
    return None if row is None else Post(**row._asdict())


def listing(connection: Connection) -> dict[int, Post]:
    """Return every post by its container's key."""
    return {row.container: Post(**row._asdict()) for row in connection.execute(select(posts))}


def timestamp(at: float) -> str:
    """Write an instant as Graph does.

    >>> timestamp(1569537403.5)
    '2019-09-26T22:36:43+0000'
    """
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%S%z")


def _post(call: Call) -> Post:
    node = call.request.params["node"]
    query = select(posts).where(posts.c.media_id == node, posts.c.deleted_at.is_(None))
    row = call.context.connection.execute(query).first()
    if row is None:
        raise access.unsupported(node)
    post = Post(**row._asdict())
    if access.owner(call.context, call.caller, post.username, node).restricted:
        raise Refusal(25, 2207050)
    return post


def _change(context: Context, post: Post, **values: Any) -> None:
    context.connection.execute(update(posts).where(posts.c.id == post.id).values(**values))


def _node(context: Context, post: Post) -> dict[str, Any]:
    account = world.account(context.connection, post.username)
    assert account is not None
    suffix = "jpg" if post.medium == "image" else "mp4"
    text = post.caption if context.settings.instagram.caption_mentions == "kept" else post.caption.replace("@", "")
    container = containers.get(context.connection, post.container)
    children = [{"id": child.container_id} for child in containers.children_of(context.connection, container)]
    is_video = post.medium == "video"
    return {
        "id": post.media_id,
        "ig_id": post.media_id,
        "permalink": post.permalink,
        "shortcode": post.shortcode,
        "media_type": post.media_type,
        "media_product_type": _PRODUCTS[post.kind],
        "timestamp": timestamp(post.published_at),
        "username": post.username,
        "caption": text or None,
        "media_url": None if children else f"https://scontent.cdninstagram.com/v/{post.shortcode}.{suffix}",
        "thumbnail_url": f"https://scontent.cdninstagram.com/t/{post.shortcode}.jpg" if is_video else None,
        "like_count": 0,
        "comments_count": 0,
        "is_comment_enabled": post.comment_enabled,
        "is_shared_to_feed": post.parameters.get("share_to_feed", True) if post.kind == "reel" else None,
        "is_ai_generated": post.parameters.get("is_ai_generated", False),
        "alt_text": post.parameters.get("alt_text"),
        "owner": {"id": account.instagram_account_id, "username": account.username},
        "children": {"data": children} if children else None,
    }


def _page(call: Call, query: Select[Any]) -> dict[str, Any]:
    """Answer one page of posts. The end of a list is the absence of `paging.next`, not an empty page."""
    wanted, asked = parse(call.given.text("fields")), call.given.number("limit")
    check(wanted, _FIELDS, "IGMedia")
    limit = PAGE if asked is None else asked
    if not 0 < limit <= _MOST:
        raise Refusal(100, message=f"(#100) Param limit must be from 1 to {_MOST}")
    after, before = (_position(call.given.text(name)) for name in ("after", "before"))
    query = query.where(posts.c.deleted_at.is_(None))
    if before is not None:
        rows = call.context.connection.execute(query.where(posts.c.id > before).order_by(posts.c.id).limit(limit)).all()[::-1]
        has_more = bool(rows)
    else:
        query = query if after is None else query.where(posts.c.id < after)
        rows = list(call.context.connection.execute(query.order_by(posts.c.id.desc()).limit(limit + 1)).all())
        has_more, rows = len(rows) > limit, rows[:limit]
    data = [project(wanted, _node(call.context, Post(**row._asdict())), _FIELDS, "IGMedia") for row in rows]
    if not rows:
        return {"data": []}
    cursors = {"before": _cursor(rows[0].id), "after": _cursor(rows[-1].id)}
    paging: dict[str, Any] = {"cursors": cursors}
    if has_more:
        paging["next"] = _address(call, cursors["after"])
    return {"data": data, "paging": paging}


def _address(call: Call, after: str) -> str:
    """Write the address of the next page; it carries what this request's own address carried."""
    sent = [(name, value) for name, value in parse_qsl(call.request.query) if name not in ("after", "before")]
    return f"{call.request.base_url}{call.request.path}?{urlencode([*sent, ('after', after)])}"


def _cursor(key: int) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def _position(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    try:
        return int(json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))))
    except (ValueError, TypeError, binascii.Error) as error:
        raise Refusal(100, message="(#100) Invalid cursors values") from error
