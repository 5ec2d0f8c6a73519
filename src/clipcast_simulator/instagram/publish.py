"""`POST /{ig-user-id}/media_publish` and the limit it counts against."""

from typing import Any, Final

from sqlalchemy import func, insert, select

from clipcast_simulator.exchange import Context
from clipcast_simulator.instagram import containers, ids, scripted
from clipcast_simulator.instagram.access import PUBLISH
from clipcast_simulator.instagram.containers import Container
from clipcast_simulator.instagram.errors import Refusal
from clipcast_simulator.instagram.fields import project
from clipcast_simulator.instagram.graph import Answer, Call
from clipcast_simulator.instagram.tables import posts
from clipcast_simulator.instagram.world import Account

QUOTA_S: Final = 86_400.0


def publish(call: Call) -> Answer:
    """Publish a container: once, when it is FINISHED, within the limit of the day."""
    account = call.account(PUBLISH)
    call.given.check({"creation_id"})
    sent = call.given.values.get("creation_id")
    creation_id = str(sent) if isinstance(sent, int) and not isinstance(sent, bool) else call.given.needed("creation_id")
    container = containers.by_id(call.context.connection, creation_id)
    if container is None or container.username != account.username:
        raise _not_here(call.context)
    container = scripted.mark(call.context, container)
    if container.is_child:
        raise Refusal(24, 2207006)
    code, _ = containers.status(call.context, container)
    match code:
        case containers.PUBLISHED:
            return _published_before(call.context, container)
        case containers.EXPIRED:
            raise _not_here(call.context)
        case containers.ERROR:
            raise Refusal(-1, 2207085)
        case containers.IN_PROGRESS:
            raise Refusal(9007, 2207027)
    if used(call.context, account) >= total(call.context, account):
        raise Refusal(9, 2207042)
    return {"id": _post(call.context, container)}


def publishing_limit(call: Call) -> Answer:
    """Tell how many posts the moving 24 hours have, and how many they may have."""
    account = call.account(PUBLISH)
    call.given.check({"since", "summary"})
    since = call.given.number("since")
    context = call.context
    if since is not None and not context.now - QUOTA_S <= since <= context.now:
        raise Refusal(100, message="(#100) Param since must be a timestamp of the last 24 hours")
    config = {"quota_total": total(context, account), "quota_duration": int(QUOTA_S)}
    node = {"quota_usage": used(context, account, since), "config": config}
    wanted = call.fields(default=("quota_usage",))
    told = {name: config for name in wanted if name == "config"}  # whole, whatever is asked of its inside
    plain = {name: inner for name, inner in wanted.items() if name != "config"}
    return {"data": [project(plain, node, frozenset(node), "IGContentPublishingLimit") | told]}


def used(context: Context, account: Account, since: float | None = None) -> int:
    """Count an account's posts of the last 24 hours; a carousel is one, a deleted one still counts."""
    start = context.now - QUOTA_S if since is None else since
    query = select(func.count()).select_from(posts).where(posts.c.username == account.username, posts.c.published_at > start)
    if not context.settings.instagram.quota_counts_stories:
        query = query.where(posts.c.kind != "story")
    return context.connection.execute(query).scalar_one()


def total(context: Context, account: Account) -> int:
    """Return how many posts 24 hours may have."""
    return context.settings.instagram.quota_total if account.quota_total is None else account.quota_total


def _post(context: Context, container: Container) -> str:
    media_id = ids.make(ids.MEDIA)
    context.connection.execute(
        insert(posts).values(
            media_id=media_id,
            container=container.id,
            username=container.username,
            kind=container.kind,
            medium=container.medium,
            caption="" if container.kind == "story" else container.parameters.get("caption", ""),
            shortcode=ids.shortcode(),
            parameters=container.parameters,
            published_at=context.now,
        )
    )
    containers.change(context.connection, container, media_id=media_id, published_at=context.now)
    return media_id


def _published_before(context: Context, container: Container) -> dict[str, Any]:
    """Answer a second publish of one container, which never makes a second post; how is a knob."""
    match context.settings.instagram.republish:
        case "24/2207008":
            raise Refusal(24, 2207008)
        case "9007/2207027":
            raise Refusal(9007, 2207027)
        case "same-id":
            return {"id": container.media_id}


def _not_here(context: Context) -> Refusal:
    return Refusal(24, context.settings.instagram.foreign_container)
