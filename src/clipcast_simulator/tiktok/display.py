"""The Display API: user/info, video/list, video/query. `fields` is a query parameter, also on POST."""

from typing import Any, Final
from urllib.parse import parse_qsl

from sqlalchemy import RowMapping, func, select

from clipcast_simulator.exchange import Context, Request
from clipcast_simulator.tiktok import tokens
from clipcast_simulator.tiktok.access import Caller, enter
from clipcast_simulator.tiktok.creator import avatar_url
from clipcast_simulator.tiktok.envelope import Refusal
from clipcast_simulator.tiktok.fields import check_fields, read_json, required
from clipcast_simulator.tiktok.tables import posts, tasks

PER_MINUTE: Final = 600

_BASIC: Final = ("open_id", "union_id", "avatar_url", "avatar_url_100", "avatar_large_url", "display_name")
_PROFILE: Final = ("bio_description", "profile_deep_link", "profile_web_link", "is_verified", "username")
_STATS: Final = ("follower_count", "following_count", "likes_count", "video_count")
_SCOPE_OF: Final = (
    dict.fromkeys(_BASIC, "user.info.basic") | dict.fromkeys(_PROFILE, "user.info.profile") | dict.fromkeys(_STATS, "user.info.stats")
)
_VIDEO_FIELDS: Final = frozenset(
    {
        *("id", "create_time", "cover_image_url", "share_url", "video_description", "title", "duration"),
        *("height", "width", "embed_html", "embed_link", "like_count", "comment_count", "share_count"),
        *("view_count", "is_aigc"),
    }
)
_LIST: Final = frozenset({"video.list"})
_ANY_USER_SCOPE: Final = frozenset(_SCOPE_OF.values())
_MOST: Final = 20
_DEFAULT: Final = 10
_SHOWN_TEXT: Final = 150
_COVER_LIFE_S: Final = 6 * 3600


def share_url(username: str, kind: str, post_id: int) -> str:
    """Return a post's permalink."""
    return f"https://www.tiktok.com/@{username}/{kind}/{post_id}"


def user_info(context: Context, request: Request) -> dict[str, Any]:
    """Tell who the user is; one field outside the granted scopes refuses the whole call."""
    caller = enter(context, request, "user.info", _ANY_USER_SCOPE, PER_MINUTE)
    wanted = _fields(request, frozenset(_SCOPE_OF))
    if any(_SCOPE_OF[name] not in caller.token.scopes for name in wanted):
        raise Refusal("scope_not_authorized")
    told = _user(context, caller)
    return {"user": {name: told[name] for name in wanted}}


def video_list(context: Context, request: Request) -> dict[str, Any]:
    """List public posts, newest first, before a cursor in UTC milliseconds."""
    caller = enter(context, request, "video.list", _LIST, PER_MINUTE)
    wanted = _fields(request, _VIDEO_FIELDS)
    body = read_json(request, optional=True)
    check_fields(body, {"max_count": "int32", "cursor": "int64"})
    most = body.get("max_count", _DEFAULT)
    if not 1 <= most <= _MOST:
        raise Refusal("invalid_params", f"The field max_count must be between 1 and {_MOST}")
    rows = _public_posts(context, caller, body.get("cursor"), most + 1)
    shown = rows[:most]
    cursor = int(shown[-1]["created_at"] * 1000) if shown else body.get("cursor", int(context.now * 1000))
    videos = [_video(context, row, wanted) for row in shown]
    return {"videos": videos, "cursor": cursor, "has_more": len(rows) > most}


def video_query(context: Context, request: Request) -> dict[str, Any]:
    """Look up the user's own visible posts; others are simply absent."""
    caller = enter(context, request, "video.query", _LIST, PER_MINUTE)
    wanted = _fields(request, _VIDEO_FIELDS)
    body = read_json(request)
    check_fields(body, {"filters": "object"})
    filters = required(body, "filters")
    check_fields(filters, {"video_ids": "strings"}, "filters.")
    keys = required(filters, "video_ids", "filters.")
    if not 1 <= len(keys) <= _MOST or not all(key.isdecimal() for key in keys):
        raise Refusal("invalid_params", f"The field filters.video_ids must have 1 to {_MOST} ids")
    rows = _public_posts(context, caller, None, None)
    return {"videos": [_video(context, row, wanted) for row in rows if str(row["post_id"]) in keys]}


def _fields(request: Request, known: frozenset[str]) -> list[str]:
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    if set(query) != {"fields"}:
        raise Refusal("invalid_params", "The query parameter fields is required, and no other is known")
    wanted = query["fields"].split(",")
    if unknown := sorted(set(wanted) - known):
        raise Refusal("invalid_params", f"Unknown field {unknown[0]}")
    return wanted


def _user(context: Context, caller: Caller) -> dict[str, Any]:
    account = caller.account
    page = f"https://www.tiktok.com/@{account.username}"
    mine = (posts.c.username == account.username, posts.c.public_at <= context.now)
    count = context.connection.execute(select(func.count()).select_from(posts).where(*mine)).scalar_one()
    avatar = avatar_url(context, account.username)
    return {
        "open_id": tokens.open_id(context.connection, caller.app.client_key, account.username),
        "union_id": account.union_id,
        "avatar_url": avatar,
        "avatar_url_100": avatar,
        "avatar_large_url": avatar,
        "display_name": account.nickname,
        "bio_description": "",
        "profile_deep_link": page,
        "profile_web_link": page,
        "is_verified": False,
        "username": account.username,
        "follower_count": 0,
        "following_count": 0,
        "likes_count": 0,
        "video_count": count,
    }


def _public_posts(context: Context, caller: Caller, before_ms: int | None, most: int | None) -> list[RowMapping]:
    query = (
        select(posts, tasks.c.kind, tasks.c.facts, tasks.c.post_info)
        .join(tasks, tasks.c.id == posts.c.task_id)
        .where(posts.c.username == caller.account.username, posts.c.public_at <= context.now)
        .order_by(posts.c.created_at.desc(), posts.c.post_id.desc())
        .limit(most)
    )
    if before_ms is not None:
        query = query.where(posts.c.created_at < before_ms / 1000)
    return list(context.connection.execute(query).mappings())


def _video(context: Context, row: RowMapping, wanted: list[str]) -> dict[str, Any]:
    facts = row["facts"] or {}
    post_id = row["post_id"]
    caption = row["title"] if row["kind"] == "video" else row["description"]
    link = share_url(row["username"], row["kind"], post_id)
    cover = f"https://p16-sign.tiktokcdn.com/cover/{post_id}.jpeg?x-expires={int(context.now) + _COVER_LIFE_S}"
    told = {
        "id": str(post_id),
        "create_time": int(row["created_at"]),
        "cover_image_url": cover,
        "share_url": link,
        "video_description": caption[:_SHOWN_TEXT],
        "title": row["title"][:_SHOWN_TEXT],
        "duration": int(facts.get("duration_s", 0)),
        "height": facts.get("height", 0),
        "width": facts.get("width", 0),
        "embed_html": f'<blockquote class="tiktok-embed" cite="{link}"></blockquote>',
        "embed_link": f"https://www.tiktok.com/embed/v2/{post_id}",
        "is_aigc": bool(row["post_info"].get("is_aigc", False)),
    }
    counts = dict.fromkeys(("like_count", "comment_count", "share_count", "view_count"), 0)
    everything = told | counts
    return {name: everything[name] for name in wanted}
