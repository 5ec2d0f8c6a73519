"""`POST /{ig-user-id}/media`: an image is fetched while the request is open, a video afterwards or not at all."""

from typing import Any

from clipcast_simulator.exchange import Context
from clipcast_simulator.instagram import containers, rules, scripted
from clipcast_simulator.instagram.access import PUBLISH
from clipcast_simulator.instagram.containers import Container, Order
from clipcast_simulator.instagram.envelope import NEWEST
from clipcast_simulator.instagram.errors import Refusal
from clipcast_simulator.instagram.graph import Answer, Call, Detour, Endpoint
from clipcast_simulator.instagram.workshop import Fetched, Workshop
from clipcast_simulator.instagram.world import Account


def creating(workshop: Workshop) -> Endpoint:
    """Return the endpoint, which lets the workshop fetch images."""

    def create(call: Call) -> Answer | Detour:
        account = call.account(PUBLISH)
        knobs = call.context.settings.instagram
        found = rules.variant(call.given, call.caller.login, knobs)
        values = rules.values(call.given, found)
        children = rules.children(call.given) if found.medium == "carousel" else ()
        _check_cap(call.context, account.username)
        source = call.given.text("image_url") if found.medium == "image" else call.given.text("video_url")
        order = Order(
            username=account.username,
            kind=found.kind,
            medium=found.medium,
            parameters=values,
            is_child=found.is_child,
            is_resumable=found.is_resumable,
            children=children,
            url=source,
        )
        if found.medium == "carousel":
            return _carousel(call, order)
        if found.medium == "image":
            return _image(call.context, workshop, order)
        return _video(call, order, account)

    return create


def _check_cap(context: Context, username: str) -> None:
    """Refuse the container after the last that a day may have; the error is not documented, hence a knob."""
    knobs = context.settings.instagram
    if containers.made_today(context, username) >= knobs.container_cap:
        raise Refusal(9, knobs.container_cap_subcode)


def _image(context: Context, workshop: Workshop, order: Order) -> Detour:
    entry = context.entry

    def fetch() -> Fetched | Refusal:
        assert order.url is not None
        try:
            return workshop.fetch_image(order.url, order.kind, entry)
        except Refusal as refusal:
            return refusal

    def finish(later: Context, brought: Fetched | Refusal) -> dict[str, Any]:
        if isinstance(brought, Refusal):
            raise brought
        _check_cap(later, order.username)  # another request may have been faster
        wait_s = containers.processing_s(later, "image", str(entry))
        facts = {"sha256": brought.sha256, "facts": brought.facts, "bytes_done": brought.size, "file_size": brought.size}
        container = containers.create(later, order, stage=containers.SETTLED, ready_at=later.now + wait_s, **facts)
        return _answer(scripted.mark(later, container))

    return Detour(fetch, finish)


def _video(call: Call, order: Order, account: Account) -> dict[str, Any]:
    is_trial_refused = "trial_params" in order.parameters and not account.trial_reels
    container = containers.create(call.context, order, verdict=2207081 if is_trial_refused else None)
    container = scripted.mark(call.context, container)
    if not order.is_resumable:
        return _answer(container)
    version = call.request.params.get("version", NEWEST)
    uri = f"{call.request.base_url}/instagram/rupload/ig-api-upload/{version}/{container.container_id}"
    return _answer(container) | {"uri": uri}


def _carousel(call: Call, order: Order) -> dict[str, Any]:
    context = call.context
    for container_id in order.children:
        _check_child(context, order, containers.by_id(context.connection, container_id))
    wait_s = containers.processing_s(context, "carousel", str(context.entry))
    container = containers.create(context, order, stage=containers.SETTLED, ready_at=context.now + wait_s)
    return _answer(scripted.mark(context, container))


def _check_child(context: Context, order: Order, child: Container | None) -> None:
    """Refuse a child that does not exist, is another account's, is no carousel item or has expired."""
    if child is None or child.username != order.username or not child.is_child:
        raise Refusal(24, 2207006)
    code, _ = containers.status(context, child)
    if code == containers.EXPIRED:
        raise Refusal(24, 2207006)
    if code != containers.FINISHED and context.settings.instagram.carousel_children == "finished":
        raise Refusal(9007, 2207027)


def _answer(container: Container) -> dict[str, Any]:
    return {"id": container.container_id}
