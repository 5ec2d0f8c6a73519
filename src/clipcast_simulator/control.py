"""The control resource under `/_simulator/`, the part that is the same for every platform.

Bodies are JSON; an unknown field or instruction is a 400 with a sentence.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from clipcast_simulator import faults, journal, state
from clipcast_simulator.chores import Chores
from clipcast_simulator.clock import Clock, iso
from clipcast_simulator.desk import ControlRefusal, current_settings, merge
from clipcast_simulator.exchange import Context, Reply, Request, Route, json_reply, text_reply
from clipcast_simulator.faults import FaultOrder
from clipcast_simulator.first_page import first_page
from clipcast_simulator.platform import Platform
from clipcast_simulator.settings import SimulatorSettings
from clipcast_simulator.state import State

T = TypeVar("T")

_ORDERS = TypeAdapter(list[FaultOrder])


class ClockOrder(BaseModel):
    """How to set the clock: exactly one of `advance_s`, `now`, `follow`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    advance_s: float | None = Field(default=None, ge=0)
    now: datetime | None = None
    follow: bool | None = None
    offset_s: float | None = None  #: with `follow`: this far ahead of the system

    @model_validator(mode="after")
    def _is_one_instruction(self) -> "ClockOrder":
        if sum(value is not None for value in (self.advance_s, self.now, self.follow)) != 1:
            raise ValueError("give exactly one of advance_s, now, follow")
        if self.offset_s is not None and not self.follow:
            raise ValueError("offset_s goes with follow")
        if self.follow is False:
            raise ValueError("follow can only be true; to stop the clock give now")
        return self


def control_routes(store: State, clock: Clock, chores: Chores, platforms: tuple[Platform, ...]) -> tuple[Route, ...]:
    """Return the neutral control routes."""
    control = _Control(store, clock, chores, platforms)
    return (
        Route("GET", "/", "control", lambda _, __: text_reply(200, first_page(platforms), "text/html")),
        Route("GET", "/_simulator/", "control", control.identity),
        Route("POST", "/_simulator/reset", "control", control.reset),
        Route("POST", "/_simulator/settle", "control", control.identity, before=lambda _: _settle(chores)),
        Route("GET", "/_simulator/clock", "control", control.clock),
        Route("PUT", "/_simulator/clock", "control", control.set_clock, stirs=True),
        Route("GET", "/_simulator/settings", "control", control.settings),
        Route("PUT", "/_simulator/settings", "control", control.set_settings, stirs=True),
        Route("GET", "/_simulator/requests", "control", control.requests),
        Route("GET", "/_simulator/faults", "control", control.faults),
        Route("POST", "/_simulator/faults", "control", control.add_faults),
        Route("DELETE", "/_simulator/faults", "control", control.clear_faults),
    )


class _Control:
    def __init__(self, store: State, clock: Clock, chores: Chores, platforms: tuple[Platform, ...]) -> None:
        self._store = store
        self._clock = clock
        self._chores = chores
        self._platforms = {platform.name: platform for platform in platforms}

    def identity(self, context: Context, _request: Request) -> Reply:
        state_id = self._store.identity(context.connection)
        content = {
            "simulator": "clipcast",
            "state_id": state_id,
            "now": iso(self._clock.now(context.connection)),
            "platforms": sorted(self._platforms),
        }
        return json_reply(200, content)

    def reset(self, context: Context, request: Request) -> Reply:
        """Forget everything but the settings and go back to the system's time."""
        kept = state.read(context.connection, "settings")
        self._store.clear(context.connection)
        state.write(context.connection, "settings", kept)
        for platform in self._platforms.values():
            platform.prepare(context.connection, self._clock.now(context.connection))
        return self.identity(context, request)

    def clock(self, context: Context, _request: Request) -> Reply:
        hands = self._clock.hands(context.connection)
        content = {
            "now": iso(self._clock.read(hands)),
            "follows": hands.frozen_at is None,
            "offset_s": hands.offset_s,
        }
        return json_reply(200, content)

    def set_clock(self, context: Context, request: Request) -> Reply:
        order = parse_body(request, ClockOrder.model_validate_json)
        if order.advance_s is not None:
            self._clock.advance(context.connection, order.advance_s)
        elif order.now is not None:
            at = order.now if order.now.tzinfo is not None else order.now.replace(tzinfo=UTC)
            self._clock.freeze(context.connection, at.timestamp())
        else:
            self._clock.follow(context.connection, order.offset_s)
        return self.clock(context, request)

    def settings(self, context: Context, _request: Request) -> Reply:
        return json_reply(200, current_settings(context.connection).model_dump())

    def set_settings(self, context: Context, request: Request) -> Reply:
        change = parse_body(request, TypeAdapter(dict[str, Any]).validate_json)
        try:
            merged = SimulatorSettings.model_validate(merge(current_settings(context.connection).model_dump(), change))
        except ValidationError as error:
            raise ControlRefusal(sentence(error)) from error
        state.write(context.connection, "settings", merged.model_dump())
        return self.settings(context, request)

    def requests(self, context: Context, request: Request) -> Reply:
        query = parse_query(request, {"since", "operation"})
        since = query.get("since", "0")
        if not since.isdecimal():
            raise ControlRefusal("since is the id of a request, a whole number")
        found = journal.listing(context.connection, int(since), query.get("operation"))
        return json_reply(200, {"requests": found, "next_since": found[-1]["id"] if found else int(since)})

    def faults(self, context: Context, _request: Request) -> Reply:
        script = faults.listing(context.connection)
        pending = sum(fault["pending"] for fault in script)
        return json_reply(200, {"faults": script, "fired": sum(f["fired"] for f in script), "pending": pending})

    def add_faults(self, context: Context, request: Request) -> Reply:
        for order in parse_body(request, _ORDERS.validate_json):
            self._check_fault(order)
            faults.add(context.connection, order)
        return self.faults(context, request)

    def clear_faults(self, context: Context, request: Request) -> Reply:
        faults.clear(context.connection)
        return self.faults(context, request)

    def _check_fault(self, order: FaultOrder) -> None:
        platform = self._platforms.get(order.platform)
        if platform is None:
            raise ControlRefusal(f"unknown platform {order.platform!r}; there are {sorted(self._platforms)}")
        operations = sorted({route.operation for route in platform.routes})
        if order.operation not in operations:
            raise ControlRefusal(f"unknown operation {order.operation!r}; there are {operations}")
        try:
            platform.check_fault(order.operation, faults.parse(order.fault))
        except ValueError as error:
            raise ControlRefusal(str(error)) from error


def parse_body(request: Request, parse: Callable[[bytes], T]) -> T:
    """Parse a control request's body; raises ControlRefusal with what is wrong with it."""
    try:
        return parse(request.body or b"{}")
    except ValidationError as error:
        raise ControlRefusal(sentence(error)) from error


def parse_query(request: Request, allowed: set[str]) -> dict[str, str]:
    """Parse a control request's query; raises ControlRefusal on an unknown parameter."""
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    if unknown := sorted(query.keys() - allowed):
        raise ControlRefusal(f"unknown parameter {unknown[0]!r}; there are {sorted(allowed)}")
    return query


def sentence(error: ValidationError) -> str:
    """Say in one line what a body got wrong."""
    parts = (f"{'.'.join(map(str, item['loc'])) or 'body'}: {item['msg']}" for item in error.errors())
    return "; ".join(parts)


def _settle(chores: Chores) -> None:
    chores.settle()
