"""Who is who: the account, the person behind a Facebook token, their Pages, and what was permitted."""

from typing import Any, Final

from sqlalchemy import func, select

from clipcast_simulator.exchange import Context, Request
from clipcast_simulator.instagram import access, tokens, world
from clipcast_simulator.instagram.access import PAGES, READ
from clipcast_simulator.instagram.errors import Refusal
from clipcast_simulator.instagram.fields import Wanted, project
from clipcast_simulator.instagram.graph import Answer, Call
from clipcast_simulator.instagram.parameters import LISTS, Given
from clipcast_simulator.instagram.tables import posts
from clipcast_simulator.instagram.tokens import Token
from clipcast_simulator.instagram.world import Account

_TASKS: Final = ["ANALYZE", "ADVERTISE", "MODERATE", "CREATE_CONTENT", "MANAGE"]

_COUNTS: Final = frozenset({"followers_count", "follows_count", "media_count"})
_USER: Final = {
    "instagram": _COUNTS | {"id", "user_id", "username", "name", "account_type", "profile_picture_url"},
    "facebook": _COUNTS | {"id", "ig_id", "username", "name", "biography", "website", "profile_picture_url"},
}
_PAGE: Final = frozenset({"id", "name", "category", "category_list", "access_token", "tasks", "instagram_business_account"})
_PERSON: Final = frozenset({"id", "name"})


def me(call: Call) -> Answer:
    """Answer whom the token acts for: an account, a person, or a Page."""
    call.given.check(())
    token = call.caller.token
    account = world.account(call.context.connection, token.username)
    assert account is not None
    if token.login == "instagram":
        call.caller.require(READ)
        found = project(call.fields(("id", "user_id")), _user(call.context, account), _USER["instagram"], "IGUser")
        return {"data": [found]} if call.context.settings.instagram.me_answer == "data" else found
    if token.is_user:
        return project(call.fields(("id", "name")), {"id": account.holder_id, "name": account.holder}, _PERSON, "User")
    return project(call.fields(("id", "name")), _page(call, account), _PAGE, "Page")


def user(call: Call) -> Answer:
    """Answer the wanted fields of a professional account."""
    account = call.account(READ)
    call.given.check(())
    return project(call.fields(), _user(call.context, account), _USER[account.login], "IGUser")


def any_object(call: Call) -> Answer:
    """Answer a Page that the token reaches; every other object is not there."""
    call.given.check(())
    node = call.request.params["node"]
    for account in world.held_by(call.context.connection, call.caller.token.holder):
        if account.page_id == node and call.caller.token.reaches(account):
            return project(call.fields(("id", "name")), _page(call, account), _PAGE, "Page")
    raise access.unsupported(node)


def pages(call: Call) -> Answer:
    """List the Pages of the person behind a user token, with their tokens."""
    call.given.check(LISTS)
    token = call.caller.token
    if not token.is_user or call.request.params["node"] not in ("me", _holder_id(call)):
        raise access.unsupported(call.request.params["node"])
    call.caller.require(PAGES)
    wanted: Wanted = call.fields(("access_token", "category", "category_list", "name", "id", "tasks"))
    held = world.held_by(call.context.connection, token.holder)
    data = [project(wanted, _page(call, account), _PAGE, "Page") for account in held]
    return {"data": data, "paging": {"cursors": {"before": "MAZDZD", "after": "MQZDZD"}}}


def permissions(call: Call) -> Answer:
    """List what the person permitted; Facebook Login alone."""
    call.given.check(())
    _check_person(call)
    return {"data": [{"permission": scope, "status": "granted"} for scope in call.caller.token.scopes]}


def revoke(call: Call) -> Answer:
    """Take every permission back: all tokens of the person die; Facebook Login alone."""
    call.given.check(())
    _check_person(call)
    for account in world.held_by(call.context.connection, call.caller.token.holder):
        tokens.kill(call.context.connection, account)
    return {"success": True}


def debug_token(context: Context, _request: Request, given: Given) -> Answer:
    """Tell about a token, to whoever shows the app's id and secret."""
    given.check({"input_token"})
    app_id, _, secret = given.needed("access_token").partition("|")
    app = world.app(context.connection, app_id)
    if app is None or app.app_secret != secret or app.login != "facebook":
        raise Refusal(190, message="Invalid OAuth access token signature.")
    token = tokens.find(context.connection, given.needed("input_token"))
    if token is None or token.app_id != app_id:
        told = {"code": 190, "message": "Invalid OAuth access token."}
        return {"data": {"is_valid": False, "scopes": [], "error": told}}
    return {"data": _debugged(context, token)}


def _debugged(context: Context, token: Token) -> dict[str, Any]:
    account = world.account(context.connection, token.username)
    assert account is not None
    told: dict[str, Any] = {
        "app_id": token.app_id,
        "type": "USER" if token.is_user else "PAGE",
        "is_valid": token.lives(context.now),
        "issued_at": int(token.issued_at),
        "expires_at": 0 if token.expires_at is None else int(token.expires_at),
        "data_access_expires_at": int(token.issued_at + 90 * 86_400),
        "scopes": token.scopes,
        "granular_scopes": [{"scope": scope} for scope in token.scopes],
        "user_id": account.holder_id,
    }
    if not token.lives(context.now):
        told["error"] = {"code": 190, "subcode": token.dead or 463, "message": "Error validating access token."}
    return told


def _check_person(call: Call) -> None:
    if not call.caller.token.is_user or call.request.params["node"] not in ("me", _holder_id(call)):
        raise access.unsupported(call.request.params["node"])


def _holder_id(call: Call) -> str:
    account = world.account(call.context.connection, call.caller.token.username)
    assert account is not None
    return account.holder_id


def _user(context: Context, account: Account) -> dict[str, Any]:
    is_instagram = account.login == "instagram"
    count = select(func.count()).select_from(posts).where(posts.c.username == account.username, posts.c.kind != "story")
    return {
        "id": account.scoped_id if is_instagram else account.instagram_account_id,
        "user_id": account.instagram_account_id,
        "ig_id": int(account.instagram_account_id),
        "username": account.username,
        "name": account.name,
        "account_type": account.account_type,
        "biography": "",
        "profile_picture_url": f"https://scontent.cdninstagram.com/p/{account.username}.jpg",
        "followers_count": 0,
        "follows_count": 0,
        "media_count": context.connection.execute(count.where(posts.c.deleted_at.is_(None))).scalar_one(),
    }


def _page(call: Call, account: Account) -> dict[str, Any]:
    return {
        "id": account.page_id,
        "name": account.name,
        "category": "Brand",
        "category_list": [{"id": "1605186416478696", "name": "Brand"}],
        "access_token": _page_token(call, account).token,
        "tasks": _TASKS,
        "instagram_business_account": {
            "id": account.instagram_account_id,
            "username": account.username,
            "name": account.name,
            "profile_picture_url": f"https://scontent.cdninstagram.com/p/{account.username}.jpg",
        },
    }


def _page_token(call: Call, account: Account) -> Token:
    """Return the Page's token: the caller's own, one that works already, or a fresh one."""
    token, context = call.caller.token, call.context
    if token.kind == "page":
        return token
    known = tokens.current(context.connection, "page", token.app_id, account, context.now)
    if known is not None and token.kind == "user" and known.scopes == token.scopes and known.expires_at is None:
        return known
    return tokens.issue_page(context.connection, token, account, context.now)
