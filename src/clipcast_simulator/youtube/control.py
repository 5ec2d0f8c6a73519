"""The control resource's YouTube part: apps, accounts, and the world as everybody sees it."""

from dataclasses import asdict, replace
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from clipcast_simulator.clock import iso
from clipcast_simulator.control import parse_body, parse_query
from clipcast_simulator.desk import ControlRefusal
from clipcast_simulator.exchange import Context, Reply, Request, Route, json_reply
from clipcast_simulator.youtube import oauth, quota, sessions, tokens, videos, world
from clipcast_simulator.youtube.sessions import Session
from clipcast_simulator.youtube.videos import Thumbnail, Video
from clipcast_simulator.youtube.workshop import Workshop
from clipcast_simulator.youtube.world import Account, App

_ROOT = "/_simulator/youtube"


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class AppOrder(_Body):
    """What can be set on an app; what is left out stays."""

    client_secret: str = ""
    kind: Literal["web", "desktop"] = "web"
    project_number: str = Field(default="", pattern=r"^\d{1,20}$")
    redirect_uris: list[str] = []
    upload_quota: int = Field(default=100, ge=0)
    unit_quota: int = Field(default=10_000, ge=0)
    api_enabled: bool = True


class PrefixOrder(_Body):
    """A URL prefix. YouTube pulls nothing, so there is nothing to verify."""

    prefix: str


class AccountOrder(_Body):
    """What can be set on an account; what is left out stays."""

    title: str = ""
    channel: bool = True
    suspended: bool = False
    phone_verified: bool = True
    long_uploads: Literal["allowed", "eligible", "disallowed"] = "allowed"
    upload_cap: int = Field(default=100, ge=0)
    thumbnail_cap: int = Field(default=100, ge=0)
    testing: bool = False
    client_id: str = world.DEFAULT_APP.client_id
    scopes: list[str] = list(world.DEFAULT_SCOPES)


def control_routes(workshop: Workshop) -> tuple[Route, ...]:
    """Return YouTube's control routes."""
    app, account = f"{_ROOT}/apps/{{client_id}}", f"{_ROOT}/accounts/{{username}}"
    return (
        Route("GET", f"{_ROOT}/apps", "control", _apps),
        Route("PUT", app, "control", _put_app),
        Route("POST", f"{app}/prefixes", "control", _add_prefix),
        Route("GET", f"{_ROOT}/accounts", "control", _accounts),
        Route("PUT", account, "control", _put_account),
        Route("POST", f"{account}/expire-token", "control", _expire_token),
        Route("POST", f"{account}/revoke", "control", _revoke),
        Route("GET", f"{_ROOT}/posts", "control", _posts, before=workshop.hurry),
        Route("POST", f"{_ROOT}/posts/{{video_id}}/unstick", "control", _unstick, before=workshop.hurry),
    )


def _apps(context: Context, _request: Request) -> Reply:
    return json_reply(200, {"apps": [_app_view(context, app) for app in world.all_apps(context.connection)]})


def _put_app(context: Context, request: Request) -> Reply:
    given = parse_body(request, AppOrder.model_validate_json).model_dump(exclude_unset=True)
    client_id = request.params["client_id"]
    known = world.app(context.connection, client_id) or App(client_id=client_id, client_secret=f"GOCSPX-secret-of-{client_id}")
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}
    changed = replace(known, **values)
    world.save_app(context.connection, changed)
    return json_reply(200, _app_view(context, changed))


def _add_prefix(context: Context, request: Request) -> Reply:
    parse_body(request, PrefixOrder.model_validate_json)
    return json_reply(200, _app_view(context, _app(context, request.params["client_id"])))


def _accounts(context: Context, _request: Request) -> Reply:
    found = [world.account(context.connection, username) for username in world.usernames(context.connection)]
    return json_reply(200, {"accounts": [asdict(account) for account in found if account is not None]})


def _put_account(context: Context, request: Request) -> Reply:
    order = parse_body(request, AccountOrder.model_validate_json)
    given = order.model_dump(exclude_unset=True, exclude={"client_id", "scopes"})
    username = request.params["username"]
    account = replace(world.account(context.connection, username) or world.new_account(username, context.now), **given)
    app = _app(context, order.client_id)
    wanted = _scopes(order.scopes) if "scopes" in order.model_fields_set else None
    world.save_account(context.connection, account)
    return json_reply(200, _credentials(context, app, account, wanted))


def _expire_token(context: Context, request: Request) -> Reply:
    account = _account(context, request)
    tokens.expire_access(context.connection, account.username, context.now)
    return json_reply(200, {"username": account.username})


def _revoke(context: Context, request: Request) -> Reply:
    """Let the user disconnect every app."""
    account = _account(context, request)
    tokens.revoke_all(context.connection, account.username)
    return json_reply(200, {"username": account.username})


def _posts(context: Context, request: Request) -> Reply:
    username = parse_query(request, {"username"}).get("username")
    found = videos.listing(context.connection, username)
    pictures = videos.thumbnails_of(context.connection, found)
    made = [_video_view(context, video, pictures.get(video.video_id)) for video in found]
    begun = [_session_view(context, session) for session in sessions.unfinished(context.connection, username)]
    return json_reply(200, {"posts": sorted(made + begun, key=lambda post: str(post["created_at"]))})


def _unstick(context: Context, request: Request) -> Reply:
    video = videos.by_video_id(context.connection, request.params["video_id"])
    if video is None:
        raise ControlRefusal(f"there is no video {request.params['video_id']!r}", 404)
    video = videos.change(context.connection, video, stuck=False)
    return json_reply(200, _video_view(context, video, videos.thumbnail(context.connection, video)))


def _credentials(context: Context, app: App, account: Account, wanted: tuple[str, ...] | None) -> dict[str, Any]:
    """Return an authorized user's credentials: the tokens that still work, or fresh ones."""
    pair = tokens.current(context.connection, app.client_id, account.username, context.now)
    if pair is None or (wanted is not None and pair[0].scopes != frozenset(wanted)):
        before = tokens.granted(context.connection, app.client_id, account.username)
        scopes = wanted or before or world.DEFAULT_SCOPES
        tokens.grant(context.connection, app.client_id, account.username, scopes)
        access = tokens.issue_access(context.connection, app.client_id, account.username, scopes, context.now)
        pair = access, oauth.issue_refresh(context, app, account.username, scopes)
    access, refresh = pair
    return {
        "username": account.username,
        "client_id": app.client_id,
        "client_key": app.client_id,
        "client_secret": app.client_secret,
        "access_token": access.token,
        "refresh_token": refresh.token,
        "channel_id": account.channel_id,
        "expires_at": iso(access.expires_at),
        "refresh_expires_at": iso(refresh.ends_at),
        "scope": " ".join(world.ordered(access.scopes)),
    }


def _video_view(context: Context, video: Video, picture: Thumbnail | None) -> dict[str, Any]:
    """Write a video as the world sees it."""
    state, snippet = video.upload_status(context.now), video.resource["snippet"]
    return {
        "video_id": video.video_id,
        "username": video.username,
        "state": state,
        "published": state in ("uploaded", "processed"),
        "title": snippet["title"],
        "description": snippet.get("description", ""),
        "tags": snippet.get("tags", []),
        "privacy": video.privacy(context.now),
        "publish_at": iso(video.publish_at()),
        "upload_status": state,
        "reason": video.outcome if state in ("failed", "rejected") else None,
        "sha256": video.sha256,
        "bytes": video.size,
        "is_short": video.is_short,
        "thumbnail_sha256": None if picture is None else picture.sha256,
        "resource": video.resource,
        "facts": video.facts,
        "created_at": iso(video.created_at),
    }


def _session_view(context: Context, session: Session) -> dict[str, Any]:
    """Write an upload that made no video yet; it has no id."""
    snippet, status = session.resource.get("snippet", {}), session.resource.get("status", {})
    return {
        "video_id": None,
        "username": session.username,
        "state": "receiving" if session.is_known(context) else "abandoned",
        "published": False,
        "title": snippet.get("title", ""),
        "description": snippet.get("description", ""),
        "tags": snippet.get("tags", []),
        "privacy": status.get("privacyStatus"),
        "publish_at": status.get("publishAt"),
        "upload_status": None,
        "reason": None,
        "sha256": None,
        "bytes": sessions.received(context, session),
        "is_short": False,
        "thumbnail_sha256": None,
        "resource": session.resource,
        "facts": {},
        "created_at": iso(session.created_at),
    }


def _app_view(context: Context, app: App) -> dict[str, Any]:
    used = {bucket: quota.used(context, app.project_number, bucket) for bucket in (quota.UPLOADS, quota.UNITS)}
    return asdict(app) | {"used_today": used}


def _app(context: Context, client_id: str) -> App:
    app = world.app(context.connection, client_id)
    if app is None:
        raise ControlRefusal(f"there is no app {client_id!r}", 404)
    return app


def _account(context: Context, request: Request) -> Account:
    username = request.params["username"]
    account = world.account(context.connection, username)
    if account is None:
        raise ControlRefusal(f"there is no account {username!r}", 404)
    return account


def _scopes(names: list[str]) -> tuple[str, ...]:
    scopes = tuple(world.full_scope(name) for name in names)
    if unknown := sorted(set(scopes) - set(world.SCOPES)):
        raise ControlRefusal(f"unknown scope {unknown[0]!r}; there are {list(world.SCOPES)}")
    return scopes
