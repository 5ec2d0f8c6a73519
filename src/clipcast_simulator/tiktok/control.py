"""The control resource's TikTok part: apps, accounts, and the world as everybody sees it."""

from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, RowMapping, Table, select, update

from clipcast_simulator.clock import iso
from clipcast_simulator.control import parse_body, parse_query
from clipcast_simulator.desk import ControlRefusal
from clipcast_simulator.exchange import Context, Reply, Request, Route, json_reply
from clipcast_simulator.tiktok import display, ownership, tasks, tokens, webhooks, world
from clipcast_simulator.tiktok.tables import grants, images, posts
from clipcast_simulator.tiktok.tasks import Task
from clipcast_simulator.tiktok.workshop import Workshop
from clipcast_simulator.tiktok.world import Account, App

_ROOT = "/_simulator/tiktok"


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class AppOrder(_Body):
    """What can be set on an app; what is left out stays."""

    client_secret: str = ""
    audited: bool = True
    scopes: list[str] = []
    redirect_uris: list[str] = []
    verified_domains: list[str] = []
    verified_prefixes: list[str] = []
    webhook_url: str | None = None
    active_user_cap: int | None = Field(default=None, ge=0)


class PrefixOrder(_Body):
    """One URL prefix to verify."""

    prefix: str


class AccountOrder(_Body):
    """What can be set on an account; what is left out stays."""

    nickname: str = ""
    private: bool = False
    banned: bool = False
    comment_disabled: bool = False
    duet_disabled: bool = False
    stitch_disabled: bool = False
    max_video_post_duration_sec: int = Field(default=600, ge=1)
    daily_post_cap: int = Field(default=15, ge=0)
    pending_share_cap: int = Field(default=5, ge=0)
    app_version: str = Field(default="40.1.0", pattern=r"^\d+\.\d+(\.\d+)?$")
    client_key: str = world.DEFAULT_APP.client_key
    scopes: list[str] = list(world.SCOPES)


class DraftOrder(_Body):
    """How the user finishes a draft in the app."""

    privacy_level: Literal["PUBLIC_TO_EVERYONE", "MUTUAL_FOLLOW_FRIENDS", "FOLLOWER_OF_CREATOR", "SELF_ONLY"] = "PUBLIC_TO_EVERYONE"
    title: str = ""
    description: str = ""


class VisibilityOrder(_Body):
    """Whether the user makes a post public, or takes it back."""

    public: bool


def control_routes(workshop: Workshop) -> tuple[Route, ...]:
    """Return TikTok's control routes."""

    def inspect(_: Request) -> None:
        workshop.hurry()

    account, post = f"{_ROOT}/accounts/{{username}}", f"{_ROOT}/posts/{{publish_id}}"
    return (
        Route("GET", f"{_ROOT}/apps", "control", _apps),
        Route("PUT", f"{_ROOT}/apps/{{client_key}}", "control", _put_app),
        Route("POST", f"{_ROOT}/apps/{{client_key}}/prefixes", "control", _add_prefix),
        Route("GET", f"{_ROOT}/accounts", "control", _accounts),
        Route("PUT", account, "control", _put_account),
        Route("POST", f"{account}/expire-token", "control", _expire_token),
        Route("POST", f"{account}/revoke", "control", _revoke, stirs=True),
        Route("GET", f"{_ROOT}/posts", "control", _posts, before=inspect),
        Route("POST", f"{post}/post-draft", "control", _post_draft, stirs=True, before=inspect),
        Route("POST", f"{post}/visibility", "control", _visibility, stirs=True),
        Route("POST", f"{post}/unstick", "control", _unstick, stirs=True),
        Route("GET", f"{_ROOT}/webhooks", "control", lambda c, _: json_reply(200, {"webhooks": webhooks.listing(c)})),
    )


def _apps(context: Context, _request: Request) -> Reply:
    return json_reply(200, {"apps": [_app_view(app) for app in world.all_apps(context.connection)]})


def _put_app(context: Context, request: Request) -> Reply:
    given = parse_body(request, AppOrder.model_validate_json).model_dump(exclude_unset=True)
    client_key = request.params["client_key"]
    known = world.app(context.connection, client_key)
    if known is None:
        known = App(client_key=client_key, client_secret=f"secret-of-{client_key}")
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}
    changed = replace(known, **values)
    for complaint in ownership.complaints(changed):
        raise ControlRefusal(complaint)
    _check_scopes(changed.scopes)
    world.save_app(context.connection, changed)
    return json_reply(200, _app_view(changed))


def _add_prefix(context: Context, request: Request) -> Reply:
    prefix = parse_body(request, PrefixOrder.model_validate_json).prefix
    app = _app(context, request.params["client_key"])
    if (complaint := ownership.prefix_complaint(prefix)) is not None:
        raise ControlRefusal(complaint)
    if prefix not in app.verified_prefixes:
        app = replace(app, verified_prefixes=(*app.verified_prefixes, prefix))
        world.save_app(context.connection, app)
    return json_reply(200, _app_view(app))


def _accounts(context: Context, _request: Request) -> Reply:
    found = [world.account(context.connection, username) for username in world.usernames(context.connection)]
    return json_reply(200, {"accounts": [asdict(account) for account in found if account is not None]})


def _put_account(context: Context, request: Request) -> Reply:
    order = parse_body(request, AccountOrder.model_validate_json)
    given = order.model_dump(exclude_unset=True, exclude={"client_key", "scopes"})
    username = request.params["username"]
    account = replace(world.account(context.connection, username) or world.new_account(username), **given)
    app = _app(context, order.client_key)
    world.save_account(context.connection, account)
    wanted = order.scopes if "scopes" in order.model_fields_set else None
    _check_scopes(wanted or ())
    return json_reply(200, _credentials(context, app, account, wanted))


def _expire_token(context: Context, request: Request) -> Reply:
    account = _account(context, request)
    for client_key in _clients(context, account):
        tokens.expire_access(context.connection, client_key, account.username, context.now)
    return json_reply(200, {"username": account.username})


def _revoke(context: Context, request: Request) -> Reply:
    """Let the user disconnect every app: reason 1 of `authorization.removed`."""
    account = _account(context, request)
    for client_key in _clients(context, account):
        tasks.disconnect(context, client_key, account.username, reason=1)
    return json_reply(200, {"username": account.username})


def _posts(context: Context, request: Request) -> Reply:
    username = parse_query(request, {"username"}).get("username")
    tasks.advance_all(context)
    return json_reply(200, {"posts": _views(context, tasks.listing(context.connection, username))})


def _post_draft(context: Context, request: Request) -> Reply:
    order = parse_body(request, DraftOrder.model_validate_json)
    task = tasks.advance(context, _task(context, request))
    if task.mode != "inbox" or task.state not in ("inbox", "complete"):
        raise ControlRefusal(f"{task.publish_id} is not a draft in an inbox; its state is {task.state}", 409)
    tasks.publish(context, task, context.now, order.privacy_level, title=order.title, description=order.description)
    task = tasks.change(context.connection, task, state="complete", finished_at=context.now)
    return json_reply(200, _view(context, task))


def _visibility(context: Context, request: Request) -> Reply:
    """Let the user change who sees a post; the app hears of it."""
    public = parse_body(request, VisibilityOrder.model_validate_json).public
    task = _task(context, request)
    row = context.connection.execute(select(posts).where(posts.c.task_id == task.id)).first()
    if row is None:
        raise ControlRefusal(f"{task.publish_id} is not a post; its state is {task.state}", 409)
    values: dict[str, Any] = {"privacy_level": tasks.PUBLIC, "public_at": context.now}
    if not public:
        values = {"privacy_level": "SELF_ONLY", "public_at": None}
    context.connection.execute(update(posts).where(posts.c.post_id == row.post_id).values(**values))
    event = "publicly_available" if public else "no_longer_publicaly_available"
    tasks.announce(context, task, f"post.publish.{event}", context.now, post_id=str(row.post_id))
    return json_reply(200, _view(context, task))


def _unstick(context: Context, request: Request) -> Reply:
    task = tasks.change(context.connection, _task(context, request), stuck=False)
    return json_reply(200, _view(context, tasks.advance(context, task)))


def _credentials(context: Context, app: App, account: Account, wanted: list[str] | None) -> dict[str, Any]:
    """Return an authorized user's credentials: the pair that still works, or a fresh one."""
    pair = tokens.current(context.connection, app.client_key, account.username, context.now)
    if pair is None or (wanted is not None and tokens.ordered(wanted) != pair.scopes):
        scopes = wanted if wanted is not None else tokens.granted(context.connection, app.client_key, account.username)
        open_id = tokens.grant(context.connection, app.client_key, account.username, scopes)
        pair = tokens.issue(context.connection, app.client_key, account.username, scopes, context.now)
    else:
        open_id = tokens.open_id(context.connection, app.client_key, account.username)
    return {
        "username": account.username,
        "client_key": app.client_key,
        "client_secret": app.client_secret,
        "access_token": pair.access,
        "refresh_token": pair.refresh,
        "open_id": open_id,
        "expires_at": iso(pair.expires_at),
        "refresh_expires_at": iso(pair.refresh_expires_at),
        "scope": ",".join(pair.scopes),
    }


def _view(context: Context, task: Task) -> dict[str, Any]:
    """Write one task as the world sees it."""
    return _views(context, [task])[0]


def _views(context: Context, found: list[Task]) -> list[dict[str, Any]]:
    """Write tasks as the world sees them. A draft that became several posts shows its first."""
    shown: dict[int, RowMapping] = {}
    pictures: dict[int, list[RowMapping]] = {}
    one = [found[0].id] if len(found) == 1 else None  # the usual question is about one, or about all
    for post in _rows(context, posts, posts.c.created_at, one):
        shown.setdefault(post["task_id"], post)
    for image in _rows(context, images, images.c.position, one):
        pictures.setdefault(image["task_id"], []).append(image)
    return [_task_view(context, task, shown.get(task.id), pictures.get(task.id, [])) for task in found]


def _rows(context: Context, table: Table, order: ColumnElement[Any], only: list[int] | None) -> Iterable[RowMapping]:
    query = select(table).order_by(order)
    if only is not None:
        query = query.where(table.c.task_id.in_(only))
    return context.connection.execute(query).mappings()


def _task_view(context: Context, task: Task, post: RowMapping | None, pictures: list[RowMapping]) -> dict[str, Any]:
    return {
        "publish_id": task.publish_id,
        "kind": task.kind,
        "mode": task.mode,
        "username": task.username,
        "state": "abandoned" if tasks.is_abandoned(task, context.now) else task.state,
        "fail_reason": task.fail_reason,
        "published": task.state in ("inbox", "complete"),
        **_post_view(task, post),
        "sha256": task.sha256,
        "images": [_image_view(task, image) for image in pictures],
        "facts": task.facts,
        "bytes_received": task.bytes_done,
        "created_at": iso(task.created_at),
        "finished_at": iso(task.finished_at),
    }


def _post_view(task: Task, post: RowMapping | None) -> dict[str, Any]:
    info: dict[str, Any] = dict(task.post_info) if post is None else {**task.post_info, **_texts(post)}
    title, description = info.pop("title", ""), info.pop("description", "")
    return {
        "post_id": None if post is None else str(post["post_id"]),
        "share_url": None if post is None else display.share_url(task.username, task.kind, post["post_id"]),
        "privacy_level": info.pop("privacy_level", None),
        "title": title,
        "description": description,
        "caption": title if task.kind == "video" else description,
        "options": info,
    }


def _texts(post: RowMapping) -> dict[str, Any]:
    return {name: post[name] for name in ("privacy_level", "title", "description")}


def _image_view(task: Task, image: RowMapping) -> dict[str, Any]:
    url = task.urls[image["position"]].partition("?")[0]
    return {"url_without_query": url, "sha256": image["sha256"], "bytes": image["bytes"]}


def _app_view(app: App) -> dict[str, Any]:
    return asdict(app)


def _app(context: Context, client_key: str) -> App:
    app = world.app(context.connection, client_key)
    if app is None:
        raise ControlRefusal(f"there is no app {client_key!r}", 404)
    return app


def _account(context: Context, request: Request) -> Account:
    username = request.params["username"]
    account = world.account(context.connection, username)
    if account is None:
        raise ControlRefusal(f"there is no account {username!r}", 404)
    return account


def _task(context: Context, request: Request) -> Task:
    publish_id = request.params["publish_id"]
    task = tasks.by_publish_id(context.connection, publish_id)
    if task is None:
        raise ControlRefusal(f"there is no publish id {publish_id!r}", 404)
    return task


def _clients(context: Context, account: Account) -> list[str]:
    query = select(grants.c.client_key).where(grants.c.username == account.username)
    return list(context.connection.execute(query).scalars())


def _check_scopes(scopes: tuple[str, ...] | list[str]) -> None:
    if unknown := sorted(set(scopes) - set(world.SCOPES)):
        raise ControlRefusal(f"unknown scope {unknown[0]!r}; there are {list(world.SCOPES)}")
