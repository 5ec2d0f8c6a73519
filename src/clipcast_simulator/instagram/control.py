"""The control resource's Instagram part: apps, accounts, and the world as everybody sees it."""

import re
from dataclasses import asdict, replace
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from clipcast_simulator.clock import iso
from clipcast_simulator.control import parse_body, parse_query
from clipcast_simulator.desk import ControlRefusal
from clipcast_simulator.exchange import Context, Reply, Request, Route, json_reply
from clipcast_simulator.instagram import containers, ids, posts, tokens, world
from clipcast_simulator.instagram.containers import Container
from clipcast_simulator.instagram.posts import Post
from clipcast_simulator.instagram.tokens import LONG_LIFE_S, Token
from clipcast_simulator.instagram.workshop import Workshop
from clipcast_simulator.instagram.world import Account, App

_ROOT: Final = "/_simulator/instagram"
_USERNAME: Final = re.compile(r"[a-z0-9._]{1,30}")

#: What `revoke` can be the doing of, as the subcode of 190.
_REASONS: Final = {"removed": 458, "checkpointed": 459, "password": 460, "role": 492}


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class AppOrder(_Body):
    """What can be set on an app; what is left out stays."""

    app_secret: str = ""
    login: Literal["instagram", "facebook"] = "instagram"
    redirect_uris: list[str] = []
    requires_proof: bool = False


class PrefixOrder(_Body):
    """One URL prefix. Instagram has no ownership rule; the order is taken so that a client can treat platforms alike."""

    prefix: str


class AccountOrder(_Body):
    """What can be set on an account; what is left out stays."""

    login: Literal["instagram", "facebook"] = "instagram"
    instagram_account_id: str = ""
    holder: str = ""
    name: str = ""
    account_type: Literal["BUSINESS", "MEDIA_CREATOR"] = "BUSINESS"
    private: bool = False
    restricted: bool = False
    trial_reels: bool = True
    quota_total: int | None = Field(default=None, ge=0)
    app_id: str = ""
    scopes: list[str] = []


class RevokeOrder(_Body):
    """Why the tokens die."""

    reason: Literal["removed", "checkpointed", "password", "role"] = "removed"


def control_routes(workshop: Workshop) -> tuple[Route, ...]:
    """Return Instagram's control routes."""

    def inspect(_: Request) -> None:
        workshop.hurry()

    account = f"{_ROOT}/accounts/{{username}}"
    return (
        Route("GET", f"{_ROOT}/apps", "control", _apps),
        Route("PUT", f"{_ROOT}/apps/{{app_id}}", "control", _put_app),
        Route("POST", f"{_ROOT}/apps/{{app_id}}/prefixes", "control", _add_prefix),
        Route("GET", f"{_ROOT}/accounts", "control", _accounts),
        Route("PUT", account, "control", _put_account),
        Route("POST", f"{account}/expire-token", "control", _expire_token),
        Route("POST", f"{account}/revoke", "control", _revoke),
        Route("GET", f"{_ROOT}/posts", "control", _posts, before=inspect),
        Route("POST", f"{_ROOT}/posts/{{container_id}}/unstick", "control", _unstick),
    )


def _apps(context: Context, _request: Request) -> Reply:
    return json_reply(200, {"apps": [asdict(app) for app in world.all_apps(context.connection)]})


def _put_app(context: Context, request: Request) -> Reply:
    given = parse_body(request, AppOrder.model_validate_json).model_dump(exclude_unset=True)
    app_id = request.params["app_id"]
    known = world.app(context.connection, app_id) or App(app_id, f"secret-of-{app_id}", "instagram")
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}
    changed = replace(known, **values)
    world.save_app(context.connection, changed)
    return json_reply(200, asdict(changed))


def _add_prefix(context: Context, request: Request) -> Reply:
    prefix = parse_body(request, PrefixOrder.model_validate_json).prefix
    app = _app(context, request.params["app_id"])
    return json_reply(200, asdict(app) | {"prefix": prefix})


def _accounts(context: Context, _request: Request) -> Reply:
    return json_reply(200, {"accounts": [asdict(account) for account in world.all_accounts(context.connection)]})


def _put_account(context: Context, request: Request) -> Reply:
    order = parse_body(request, AccountOrder.model_validate_json)
    given = order.model_dump(exclude_unset=True, exclude={"app_id", "scopes"})
    username = request.params["username"]
    if not _USERNAME.fullmatch(username):
        raise ControlRefusal(f"{username!r} is no username: lower-case letters, digits, dots and underscores")
    known = world.account(context.connection, username) or world.new_account(context.connection, username, order.login, given.get("holder"))
    account = replace(known, **given)
    _check_account(context, account)
    app = _app(context, order.app_id) if order.app_id else _default_app(account.login)
    if app.login != account.login:
        raise ControlRefusal(f"the app {app.app_id} uses {app.login} login, the account {account.login} login")
    wanted = order.scopes if "scopes" in order.model_fields_set else None
    _check_scopes(account.login, wanted or [])
    world.save_account(context.connection, account)
    return json_reply(200, _credentials(context, app, account, wanted))


def _expire_token(context: Context, request: Request) -> Reply:
    account = _account(context, request)
    tokens.expire(context.connection, account, context.now)
    return json_reply(200, {"username": account.username})


def _revoke(context: Context, request: Request) -> Reply:
    account = _account(context, request)
    reason = parse_body(request, RevokeOrder.model_validate_json).reason
    tokens.kill(context.connection, account, _REASONS[reason])
    return json_reply(200, {"username": account.username})


def _posts(context: Context, request: Request) -> Reply:
    """Show what exists on Instagram: posts, and containers that are none. Children stand within their carousel."""
    username = parse_query(request, {"username"}).get("username")
    found = containers.listing(context.connection, username)
    made = posts.listing(context.connection)
    known = {container.container_id: container for container in found}
    used = {child for container in found for child in container.children}
    shown = [container for container in found if container.container_id not in used]
    return json_reply(200, {"posts": [_view(context, container, made.get(container.id), known) for container in shown]})


def _unstick(context: Context, request: Request) -> Reply:
    container_id = request.params["container_id"]
    container = containers.by_id(context.connection, container_id)
    if container is None:
        raise ControlRefusal(f"there is no container {container_id!r}", 404)
    container = containers.change(context.connection, container, stuck=False)
    children = {child.container_id: child for child in containers.children_of(context.connection, container)}
    return json_reply(200, _view(context, container, posts.made_from(context.connection, container.id), children))


def _credentials(context: Context, app: App, account: Account, wanted: list[str] | None) -> dict[str, Any]:
    """Return an authorized account's credentials: the tokens that still work, or fresh ones."""
    if account.login == "instagram":
        token = _token(context, "long", app, account, wanted)
        more: dict[str, Any] = {}
    else:
        user = _token(context, "user", app, account, wanted)
        page = tokens.current(context.connection, "page", app.app_id, account, context.now)
        if page is None or page.scopes != user.scopes:
            page = tokens.issue_page(context.connection, user, account, context.now)
        token = page
        more = {
            "page_id": account.page_id,
            "page_token": page.token,
            "user_id": account.holder_id,
            "user_token": user.token,
            "user_token_expires_at": iso(user.expires_at),
        }
    return {
        "username": account.username,
        "app_id": app.app_id,
        "app_secret": app.app_secret,
        "client_key": app.app_id,
        "access_token": token.token,
        "instagram_account_id": account.instagram_account_id,
        "login": account.login,
        "expires_at": iso(token.expires_at),
        "scope": ",".join(token.scopes),
        **more,
    }


def _token(context: Context, kind: str, app: App, account: Account, wanted: list[str] | None) -> Token:
    token = tokens.current(context.connection, kind, app.app_id, account, context.now)
    if token is not None and (wanted is None or sorted(set(wanted)) == token.scopes):
        return token
    scopes = world.SCOPES[account.login] if wanted is None else wanted
    return tokens.issue(context.connection, kind, app.app_id, account, scopes=scopes, now=context.now, life_s=LONG_LIFE_S)


def _view(context: Context, container: Container, post: Post | None, known: dict[str, Container]) -> dict[str, Any]:
    """Write one container as the world sees it."""
    code, subcode = containers.status(context, container)
    return {
        "container_id": container.container_id,
        "id": container.media_id,
        "kind": container.kind,
        "media_type": container.medium,
        "username": container.username,
        "status_code": code,
        "error": subcode,
        "published": post is not None and post.deleted_at is None,
        "deleted": post is not None and post.deleted_at is not None,
        "permalink": None if post is None else post.permalink,
        "caption": container.parameters.get("caption", ""),
        "options": {name: value for name, value in container.parameters.items() if name != "caption"},
        "is_carousel_item": container.is_child,
        "sha256": container.sha256,
        "children": [_child_view(known[child]) for child in container.children],
        "facts": container.facts,
        "bytes_received": container.bytes_done,
        "comment_enabled": None if post is None else post.comment_enabled,
        "created_at": iso(container.created_at),
        "published_at": iso(container.published_at),
    }


def _child_view(child: Container) -> dict[str, Any]:
    return {"container_id": child.container_id, "media_type": child.medium, "sha256": child.sha256, "bytes": child.bytes_done}


def _default_app(login: str) -> App:
    return next(app for app in world.DEFAULT_APPS if app.login == login)


def _app(context: Context, app_id: str) -> App:
    app = world.app(context.connection, app_id)
    if app is None:
        raise ControlRefusal(f"there is no app {app_id!r}", 404)
    return app


def _account(context: Context, request: Request) -> Account:
    username = request.params["username"]
    account = world.account(context.connection, username)
    if account is None:
        raise ControlRefusal(f"there is no account {username!r}", 404)
    return account


def _check_account(context: Context, account: Account) -> None:
    if not ids.is_a(ids.USER, account.instagram_account_id):
        raise ControlRefusal(f"instagram_account_id must be 17 digits that begin with {ids.USER}")
    other = world.account_by_id(context.connection, account.instagram_account_id)
    if other is not None and other.username != account.username:
        raise ControlRefusal(f"{other.username} has this instagram_account_id already", 409)


def _check_scopes(login: str, scopes: list[str]) -> None:
    if unknown := sorted(set(scopes) - set(world.SCOPES[login])):
        raise ControlRefusal(f"unknown scope {unknown[0]!r}; there are {list(world.SCOPES[login])}")
