"""Every request to a Graph host: version, parameters, token and budget are checked before the endpoint is asked."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from clipcast_simulator.exchange import Context, Errand, Handler, Reply, Request, json_reply
from clipcast_simulator.instagram import access, ids, parameters, scripted, usage, world
from clipcast_simulator.instagram.access import Caller, Permissions
from clipcast_simulator.instagram.envelope import NEWEST, graph_error
from clipcast_simulator.instagram.errors import Refusal
from clipcast_simulator.instagram.fields import Wanted, parse
from clipcast_simulator.instagram.parameters import Given
from clipcast_simulator.instagram.usage import Usage
from clipcast_simulator.instagram.world import Account

_VERSION: Final = re.compile(r"v(\d{1,3})\.0")
_LIVE: Final = range(20, 27)

Answer = Any  #: what goes back as JSON: an object, for one endpoint a list in an object


@dataclass(frozen=True, slots=True)
class Call:
    """A request that was let in."""

    context: Context
    request: Request
    given: Given
    caller: Caller

    def account(self, permissions: Permissions) -> Account:
        """Return the account that the path names, after checking the permissions; raises Refusal."""
        self.caller.require(permissions)
        return access.reach(self.context, self.caller, self.request.params["node"])

    def fields(self, default: tuple[str, ...] = ("id",)) -> Wanted:
        """Return the fields that are wanted; raises Refusal."""
        return parse(self.given.text("fields"), default)


@dataclass(frozen=True, slots=True)
class Detour:
    """An answer that needs work between two transactions; `finish` may refuse."""

    run: Callable[[], Any]
    finish: Callable[[Context, Any], Answer]


Endpoint = Callable[[Call], "Answer | Detour"]


def answering(endpoint: Endpoint) -> Handler:
    """Wrap an endpoint that returns an answer or raises Refusal into a handler."""

    def answer(context: Context, request: Request) -> Reply | Errand:
        caller, used = None, None
        try:
            check_version(request)
            given = parameters.read(request)
            caller = access.enter(context, request, given)
            used = _count(context, caller)
            usage.check(used)
            found = endpoint(Call(context, request, given, caller))
        except Refusal as refusal:
            return _dressed(context, request, graph_error(context, refusal, None if caller is None else caller.login), used)
        if not isinstance(found, Detour):
            return _good(context, request, found, used)
        return Errand(found.run, lambda later, brought: _finish(later, request, found, brought, used))

    return answer


def open_to_all(endpoint: Callable[[Context, Request, Given], Answer]) -> Handler:
    """Wrap an endpoint that asks for no token, such as those that make tokens."""

    def answer(context: Context, request: Request) -> Reply:
        try:
            if "version" in request.params:
                check_version(request)
            found = endpoint(context, request, parameters.read(request))
        except Refusal as refusal:
            return _dressed(context, request, graph_error(context, refusal), None)
        return _dressed(context, request, json_reply(200, found, "ok"), None)

    return answer


def check_version(request: Request) -> None:
    """Refuse a version that never was, or is no more; raises Refusal."""
    text = request.params["version"]
    match = _VERSION.fullmatch(text)
    if match is None or int(match[1]) >= _LIVE.stop:
        raise Refusal(2500, message=f"Unknown path components: /{text}")
    if int(match[1]) not in _LIVE:
        raise Refusal(2635, message=f"(#2635) You are calling a deprecated version of the API: {text}. The latest is {NEWEST}.")


def _count(context: Context, caller: Caller) -> Usage:
    account = world.account(context.connection, caller.token.username)
    assert account is not None
    return usage.count(context, caller, account)


def _finish(context: Context, request: Request, detour: Detour, brought: Any, used: Usage | None) -> Reply:
    try:
        return _good(context, request, detour.finish(context, brought), used)
    except Refusal as refusal:
        return _dressed(context, request, graph_error(context, refusal), used)


def _good(context: Context, request: Request, found: Answer, used: Usage | None) -> Reply:
    """Answer what was found, unless a script wants the effect and an error."""
    refusal = scripted.error_after_effect(context)
    reply = json_reply(200, found, "ok") if refusal is None else graph_error(context, refusal)
    return _dressed(context, request, reply, used)


def _dressed(context: Context, request: Request, reply: Reply, used: Usage | None) -> Reply:
    """Add the headers of every Graph answer."""
    version = request.params.get("version", NEWEST)
    for name, value in (("facebook-api-version", version), ("x-fb-request-id", ids.trace()), ("x-fb-trace-id", ids.trace())):
        reply = reply.with_header(name, value)
    return usage.with_headers(context, reply, used)
