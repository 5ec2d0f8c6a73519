"""The synchronous half of every request: one transaction in which it is noted, judged and answered."""

from dataclasses import dataclass, replace
from functools import lru_cache
from random import Random
from typing import Literal

from sqlalchemy import Connection

from clipcast_simulator import faults, journal, state
from clipcast_simulator.clock import Clock, hands
from clipcast_simulator.exchange import Context, Errand, Grant, Reply, Request, Route, json_reply
from clipcast_simulator.faults import Fault
from clipcast_simulator.platform import Platform
from clipcast_simulator.receiving import size_of
from clipcast_simulator.settings import SimulatorSettings
from clipcast_simulator.state import State


class ControlRefusal(Exception):
    """A control request that cannot be done, with the sentence that says why."""

    def __init__(self, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True, slots=True)
class Visit:
    """A request that found its route; `platform` is None on the control resource."""

    request: Request
    route: Route
    platform: Platform | None
    entry: int | None = None  #: its number in the journal, once it has one


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a request ends: with an answer, with a broken connection, or, after a stall, not yet."""

    ending: Literal["answer", "reset", "drop", "stall"]
    entry: int
    reply: Reply | None = None
    delay_s: float = 0.0
    stall_s: float = 0.0
    after_bytes: int | None = None  #: read so much of a streamed body first


@dataclass(frozen=True, slots=True)
class Admission:
    """Leave to stream a body, and the fault that will fire on it."""

    entry: int
    grant: Grant
    fault: Fault | None
    stall_s: float
    cut: Outcome | None = None  #: how the request ends after a part of its body, which is kept


class Desk:
    """Answers requests against one state directory."""

    def __init__(self, store: State, clock: Clock) -> None:
        self._state = store
        self._clock = clock

    def control(self, visit: Visit) -> Reply:
        """Answer a control request: no fault, no delay, not in the journal."""
        assert visit.route.handler is not None
        if visit.route.before is not None:
            visit.route.before(visit.request)
        try:
            with self._state.transaction() as connection:
                reply = visit.route.handler(self._context(connection, 0), visit.request)
                assert isinstance(reply, Reply)
                return reply
        except ControlRefusal as refusal:
            return json_reply(refusal.status, {"error": str(refusal)})

    def answer(self, visit: Visit) -> Outcome:
        """Answer a request whose body is in memory. A visit that has an entry was stalled and meets no more faults."""
        assert visit.platform is not None
        if visit.route.before is not None:
            visit.route.before(visit.request)
        with self._state.transaction() as connection:
            context = self._enter(connection, visit, visit.platform)
            end = self._interruption(context, visit, visit.platform) or self._handle(context, visit, visit.platform)
            if isinstance(end, Outcome):
                self._note(context, end, len(visit.request.body))
        return end if isinstance(end, Outcome) else self._finish(visit, visit.platform, context, end)

    def _handle(self, context: Context, visit: Visit, platform: Platform) -> Outcome | Errand:
        assert visit.route.handler is not None
        reply = visit.route.handler(context, visit.request)
        return reply if isinstance(reply, Errand) else self._aftermath(context, visit, platform, reply)

    def _finish(self, visit: Visit, platform: Platform, begun: Context, errand: Errand) -> Outcome:
        """Run an errand outside any transaction and answer with what it brought."""
        found = errand.run()
        with self._state.transaction() as connection:
            context = self._context(connection, begun.entry, begun.fault)
            outcome = self._aftermath(context, visit, platform, errand.finish(context, found))
            self._note(context, outcome, len(visit.request.body))
        return outcome

    def admit(self, visit: Visit) -> Admission | Outcome:
        """Judge a request before its body is read."""
        assert visit.platform is not None
        assert visit.route.intake is not None
        if visit.route.before is not None:
            visit.route.before(visit.request)
        with self._state.transaction() as connection:
            context = self._enter(connection, visit, visit.platform)
            outcome = self._interruption(context, visit, visit.platform)
            stall_s = outcome.stall_s if outcome is not None and outcome.ending == "stall" else 0.0
            cut = outcome if outcome is not None and outcome.after_bytes and visit.route.salvage is not None else None
            if outcome is None or stall_s or cut is not None:
                grant = visit.route.intake.admit(context, visit.request)
                if isinstance(grant, Grant):
                    if cut is not None:
                        self._note(context, cut, 0)
                    return Admission(context.entry, grant, context.fault, stall_s, cut)
                outcome = replace(self._aftermath(context, visit, visit.platform, grant), stall_s=stall_s)
            self._note(context, outcome, 0)
        return outcome

    def store(self, visit: Visit, admission: Admission) -> Outcome:
        """Take a streamed body into the state."""
        assert visit.platform is not None
        assert visit.route.intake is not None
        with self._state.transaction() as connection:
            context = self._context(connection, admission.entry, admission.fault)
            reply = visit.route.intake.store(context, admission.grant)
            outcome = self._aftermath(context, visit, visit.platform, reply)
            self._note(context, outcome, admission.grant.size)
        return outcome

    def break_off(self, visit: Visit, admission: Admission) -> None:
        """Note that a streamed body broke off; keep what arrived where the platform does, or throw it away."""
        path = admission.grant.path
        with self._state.transaction() as connection:
            journal.note(connection, admission.entry, bytes=size_of(path))
            if visit.route.salvage is None:
                path.unlink(missing_ok=True)
            else:
                visit.route.salvage(self._context(connection, admission.entry), admission.grant)

    def lose(self, entry: int, received: int) -> None:
        """Note that a body broke off after so many bytes, of which nothing was to be kept."""
        with self._state.transaction() as connection:
            journal.note(connection, entry, bytes=received)

    def stray(self, request: Request, platform: str | None, status: int) -> None:
        """Note a request that no route answers."""
        with self._state.transaction() as connection:
            now = self._clock.now(connection)
            entry = journal.open_entry(connection, now, platform=platform, operation="unknown", method=request.method, path=request.path)
            journal.note(connection, entry, status=status)

    def _context(self, connection: Connection, entry: int, fault: Fault | None = None) -> Context:
        now, settings = moment(connection, self._clock)
        return Context(
            connection=connection,
            now=now,
            settings=settings,
            media=self._state.media,
            entry=entry,
            random=_chance(settings, entry),
            fault=fault,
        )

    def _enter(self, connection: Connection, visit: Visit, platform: Platform) -> Context:
        if visit.entry is not None:
            return self._context(connection, visit.entry)
        request, operation = visit.request, visit.route.operation
        context = self._context(connection, 0)
        entry = journal.open_entry(
            connection,
            context.now,
            platform=platform.name,
            operation=operation,
            method=request.method,
            path=request.path,
        )
        context = replace(context, entry=entry, random=_chance(context.settings, entry))
        fault = faults.claim(connection, platform.name, operation, lambda: platform.subject(context, request, operation))
        if fault is None and context.random.random() < context.settings.failure_rate:
            fault = platform.mishap(context.random, request, operation)
        return replace(context, fault=fault)

    def _interruption(self, context: Context, visit: Visit, platform: Platform) -> Outcome | None:
        fault, operation = context.fault, visit.route.operation
        reply: Reply | None = None
        match fault.kind if fault is not None else "":
            case "status" | "code":
                assert fault is not None
                reply = platform.failure(context, fault, operation)
            case "platform":
                reply = platform.strike(context, visit.request, operation)
            case "reset":
                assert fault is not None
                return Outcome("reset", context.entry, after_bytes=fault.after_bytes)
            case "stall":
                assert fault is not None
                return Outcome("stall", context.entry, stall_s=fault.seconds)
        if reply is None:
            return None
        after = fault.after_bytes if fault is not None else None
        return Outcome("answer", context.entry, reply, self._delay(context), after_bytes=after)

    def _aftermath(self, context: Context, visit: Visit, platform: Platform, reply: Reply) -> Outcome:
        fault = context.fault
        if fault is not None and fault.kind == "drop":
            return Outcome("drop", context.entry)
        if fault is not None and fault.kind == "error-after-effect":
            reply = platform.failure(context, fault, visit.route.operation)
        late_s = fault.seconds if fault is not None and fault.kind == "late" else 0.0
        return Outcome("answer", context.entry, reply, self._delay(context) + late_s)

    @staticmethod
    def _delay(context: Context) -> float:
        settings = context.settings
        if settings.delay_max_s == 0:
            return 0.0
        return context.random.uniform(settings.delay_min_s, settings.delay_max_s)

    @staticmethod
    def _note(context: Context, outcome: Outcome, received: int) -> None:
        reply = outcome.reply
        answered = {"status": None, "code": None} if reply is None else {"status": reply.status, "code": reply.code}
        fault = {} if context.fault is None else {"fault": context.fault.instruction}
        journal.note(context.connection, context.entry, bytes=received, **answered, **fault)


def current_settings(connection: Connection) -> SimulatorSettings:
    """Return the stored settings."""
    return _settings(state.read_text(connection, "settings") or "{}")


def moment(connection: Connection, clock: Clock) -> tuple[float, SimulatorSettings]:
    """Return the simulated time and the settings, in one question to the database."""
    texts = state.read_texts(connection, ("clock", "settings"))
    return clock.read(hands(texts.get("clock"))), _settings(texts.get("settings", "{}"))


def _chance(settings: SimulatorSettings, entry: int) -> Random:
    """Return chance that can be repeated: it depends on the seed and on the request's number."""
    return Random(f"{settings.seed}:{entry}")  # noqa: S311 - not a secret


@lru_cache(maxsize=8)
def _settings(text: str) -> SimulatorSettings:
    return SimulatorSettings.model_validate_json(text)


def first_settings(store: State, clock: Clock, settings: SimulatorSettings, platforms: tuple[Platform, ...]) -> None:
    """Put the caller's settings into a new state; into an old one only those that were given explicitly."""
    with store.transaction() as connection:
        known = state.read(connection, "settings")
        given = settings.model_dump(exclude_unset=known is not None)
        merged = merge(known or {}, given)
        state.write(connection, "settings", SimulatorSettings.model_validate(merged).model_dump())
        store.identity(connection)
        for platform in platforms:
            platform.prepare(connection, clock.now(connection))


def merge(old: dict[str, object], new: dict[str, object]) -> dict[str, object]:
    """Lay `new` over `old`, platform sections key by key.

    >>> merge({"a": 1, "b": {"c": 1, "d": 2}}, {"b": {"c": 3}})
    {'a': 1, 'b': {'c': 3, 'd': 2}}
    """
    result = dict(old)
    for key, value in new.items():
        before = result.get(key)
        nested = isinstance(value, dict) and isinstance(before, dict)
        result[key] = merge(before, value) if nested else value  # type: ignore[arg-type]  # both were just checked
    return result
