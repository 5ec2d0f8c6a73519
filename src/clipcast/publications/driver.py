"""The driver: the only place where a publication moves.

It asks the flow what to do, saves the intention, sends, and saves what the answer taught. Whatever breaks in between, the row is true: the
next driver carries on from it and asks the platform instead of guessing. Nothing sleeps here; a step that must wait sets
`next_action_at` and gives the lease back.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy.orm import Session

from clipcast import ledger
from clipcast.accounts.discretion import discreet
from clipcast.clips.conversions import Conversions
from clipcast.clock import Clock
from clipcast.db.engine import Database
from clipcast.errors import Busy, ClipcastError, LeaseLost, OutcomeUnknown, PlatformError, ReconnectRequired, Withdrawn
from clipcast.platforms.base import Answer, Done, MediaUrl, Send, Stage, Undecidable, Wait
from clipcast.platforms.wire import Wire
from clipcast.publications import missed, pace, store
from clipcast.publications.beginning import Beginning, NotYet
from clipcast.publications.connections import Connections
from clipcast.publications.leases import Lease
from clipcast.publications.models import Publication
from clipcast.publications.observer import Ending, Exchange, Observer, Passage, Phase
from clipcast.publications.pace import Reserve, Use
from clipcast.publications.retry import GiveUp, RefreshToken, TryAgain, decide
from clipcast.publications.run import Position, Run, columns, only_progresses, resumed, unbegun
from clipcast.publications.states import SUCCESS, Event, State, after

log = structlog.get_logger()

_SOON: Final = timedelta(seconds=1)

_STAGE_EVENTS: Final = {Stage.UPLOADING: Event.UPLOAD_BEGAN, Stage.PROCESSING: Event.PLATFORM_TOOK_OVER, Stage.UNCERTAIN: Event.ANSWER_LOST}
_STAGE_STATES: Final = {Stage.UPLOADING: State.UPLOADING, Stage.PROCESSING: State.PROCESSING, Stage.UNCERTAIN: State.UNCERTAIN}
_STAGE_LEDGER: Final = {
    Stage.UPLOADING: ledger.PUBLISH_UPLOADING,
    Stage.PROCESSING: ledger.PUBLISH_PROCESSING,
    Stage.UNCERTAIN: ledger.PUBLISH_UNCERTAIN,
}


@dataclass(frozen=True, slots=True)
class Driver:
    """Everything that driving needs; shared by all threads of a process."""

    db: Database
    connections: Connections
    wire: Wire
    clock: Clock
    observer: Observer
    jitter: Callable[[], float]
    conversions: Conversions
    reserve: Reserve = pace.reserve
    pause: Callable[[float], None] = time.sleep
    stopping: threading.Event = field(default_factory=threading.Event)

    def stop(self) -> None:
        """Give every publication back at its next step: this process is about to end."""
        self.stopping.set()

    def drive(self, lease: Lease) -> None:
        """Carry one publication as far as it goes now, and give the lease back. Never raises for trouble with the publication itself."""
        with structlog.contextvars.bound_contextvars(publication=lease.publication_id):
            try:
                self._carry(lease)
            except LeaseLost as error:
                log.warning("publication.lease_lost", reason=str(error))
                self.observer.lease_lost(lease.publication_id)
            except Busy as error:
                # The row still holds the last saved truth; when the lease runs out, somebody carries on from it.
                log.warning("publication.database_busy", reason=str(error))

    def _carry(self, lease: Lease) -> None:
        with self.db.reading() as session:
            publication = store.held(session, lease)
        if publication.flow is None and publication.start_by is not None and publication.start_by < self.clock():
            self._missed(lease, publication)
            return
        run = self._begun(lease, publication)
        while run is not None and self._stepped(run):
            pass

    # Beginning

    def _missed(self, lease: Lease, publication: Publication) -> None:
        """Its hour went by before anything of it was begun: skip it or leave it to a person, as the post wanted."""
        now, run = self.clock(), unbegun(lease, publication)
        skipped, late_s = publication.if_missed == "skip", round((now - publication.scheduled_at).total_seconds())
        note = missed.sentence(publication.scheduled_at, publication.if_missed)
        run.state = after(run.state, Event.CANCELLED) if skipped else run.state
        with self._saving(run, "missed") as session:
            store.write_held(session, lease, now, {"state": run.state, "note": note, "next_action_at": None}, release=True)
            store.note(session, publication, ledger.PUBLISH_MISSED, now, late_s=late_s, otherwise=publication.if_missed)
            if skipped:
                store.note(session, publication, ledger.PUBLISH_CANCELLED, now, reason="missed")
        log.warning("publication.missed", late_s=late_s, otherwise=publication.if_missed)
        self._tell_end(run, now, "missed")

    def _begun(self, lease: Lease, publication: Publication) -> Run | None:
        """The run of this publication, its flow begun if it had none; None when that failed and was written down."""
        try:
            connection = self.connections.open(publication)
            flow = Beginning(self.db, self.conversions, self.clock, self.stopping).flow(lease, publication, connection)
        except LeaseLost:
            raise
        except NotYet as later:
            self._paused(unbegun(lease, publication), Wait(self.clock() + _SOON, str(later)))
            return None
        except Exception as error:  # noqa: BLE001  # whatever it is, the row must say so
            self._not_begun(lease, publication, error)
            return None
        run = resumed(lease, publication, connection, flow)
        if publication.flow is None:
            self._save_beginning(run)
        return run

    def _save_beginning(self, run: Run) -> None:
        now, due_at = self.clock(), run.publication.next_action_at
        run.state = after(run.state, Event.UPLOAD_BEGAN)
        run.started_at, run.first_byte_at, run.accepted_at = now, None, None
        with self._saving(run, "begin") as session:
            values = {**columns(run), "simulated": run.open.simulated, "note": None}
            store.write_held(session, run.lease, now, values)
            if run.open.fallback_reason:
                store.note(session, run.publication, ledger.PUBLISH_PROVIDER_FALLBACK, now, reason=run.open.fallback_reason, simulated=True)
            else:
                store.note(session, run.publication, ledger.PUBLISH_PROVIDER_READY, now, simulated=run.open.simulated)
        self.observer.stage(run.publication.id, Stage.UPLOADING)
        self._passed(run, "claimed", due_at, now)

    def _not_begun(self, lease: Lease, publication: Publication, error: Exception) -> None:
        """No connection or no flow: nothing was sent, so waiting and failing are both safe."""
        run = unbegun(lease, publication)
        self._trouble(run, run.position, error)

    # Steps

    def _stepped(self, run: Run) -> bool:
        """Do what the flow says next; False when the lease was given back."""
        now = self.clock()
        try:
            step = run.open.platform.next_step(run.position.flow, now)
        except Exception as error:  # noqa: BLE001  # a flow that cannot go on is written down, never lost
            return self._trouble(run, run.position, error)
        match step:
            case Send() if self.stopping.is_set():
                return self._paused(run, Wait(now, "Clipcast is being restarted"))
            case Send():
                return self._exchanged(run, step)
            case Wait():
                return self._paused(run, step)
            case Done():
                return self._finished(run, step)
            case Undecidable(why):
                return self._left_to_a_person(run, run.position, why)

    def _exchanged(self, run: Run, step: Send) -> bool:
        """Save the intention, send, save the answer."""
        before = run.position
        may_be_visible_from = run.position.irreversible_at or (self.clock() if step.irreversible else None)
        intended = Position(step.meanwhile, may_be_visible_from)
        full = self._save(run, intended, f"{step.label} intended", counts_as=step.label)
        if full is not None:
            return self._paused(run, Wait(full.free_at or self.clock(), _limit_sentence(full)))
        try:
            flow = self._answer(run, step)
        except LeaseLost:
            raise
        except Exception as error:  # noqa: BLE001  # every failure of a send is settled below, by what it proves
            return self._trouble(run, before if _changed_nothing(error) else intended, error)
        run.failures, run.failing_since, run.token_was_refreshed = 0, None, False
        answered = Position(flow, self._still_irreversible(run, intended, flow))
        if self._goes_on_at_once(run, answered):
            run.position = answered  # the save of the next intention, in the next moment, says all that this one would
        else:
            self._save_answer(run, answered, f"{step.label} answered")
        return True

    def _goes_on_at_once(self, run: Run, answered: Position) -> bool:
        """Whether the next chunk follows this one: forgetting the answer in between would cost a question, and nothing else."""
        platform = run.open.platform
        if self.stopping.is_set() or _STAGE_STATES[platform.stage(answered.flow)] is not run.state:
            return False
        if not only_progresses(platform, run.position, answered):
            return False
        following = platform.next_step(answered.flow, self.clock())
        return isinstance(following, Send) and not following.irreversible

    def _answer(self, run: Run, step: Send) -> Any:
        publication_id, platform = run.publication.id, run.open.platform
        confirmed_bytes, total_bytes = platform.progress(step.meanwhile)
        self.observer.at("before send", publication_id, step.label)

        def on_bytes(sent_bytes: int) -> None:
            if run.first_byte_at is None:
                run.first_byte_at = self.clock()
                self._passed(run, "first_byte", run.started_at, run.first_byte_at)
            self.observer.sent(publication_id, confirmed_bytes + sent_bytes, total_bytes)

        answer = self._heard(run, step, on_bytes)
        self.observer.at("after send", publication_id, step.label)
        log.debug("publication.answered", label=step.label, status=answer.status)
        with discreet(run.open.credentials, [answer]):
            return platform.received(step.meanwhile, answer, self.clock())

    def _heard(self, run: Run, step: Send, on_bytes: Callable[[int], None]) -> Answer:
        """The platform's answer; whoever watches hears how the exchange went, also where there is none."""
        connection, started_s = run.open, time.monotonic()
        exchange = Exchange(
            publication_id=run.publication.id,
            platform=connection.platform.name,
            simulated=connection.simulated,
            label=step.label,
            method=step.request.method,
            url=_bare(step.request.url),
        )
        try:
            answer = self.wire.send(
                step.request,
                media=connection.media,
                access_token=connection.access_token,
                fresh=step.irreversible,
                check=run.lease.check,  # whatever stood still until then must not send any more
                on_bytes=on_bytes,
            )
        except ClipcastError as error:
            self.observer.exchanged(replace(exchange, duration_s=time.monotonic() - started_s, error=error.code))
            raise
        self.observer.exchanged(replace(exchange, duration_s=time.monotonic() - started_s, status=answer.status))
        return answer

    def _still_irreversible(self, run: Run, intended: Position, flow: Any) -> datetime | None:
        """The platform's word that an upload failed lets it start over under a new reference: then nothing can be visible again."""
        platform = run.open.platform
        started_over = platform.stage(flow) is Stage.UPLOADING and platform.reference(flow) != platform.reference(intended.flow)
        return None if started_over else intended.irreversible_at

    # Ends of a drive

    def _paused(self, run: Run, wait: Wait) -> bool:
        with self._saving(run, "wait") as session:
            values = {**columns(run), "next_action_at": wait.until}
            if run.state not in SUCCESS:
                values["note"] = wait.why
            store.write_held(session, run.lease, self.clock(), values, release=True)
        return False

    def _finished(self, run: Run, done: Done) -> bool:
        now, earlier = self.clock(), run.state
        run.state = after(earlier, Event.CONFIRMED if done.outcome == "published" else Event.DELIVERED_TO_INBOX)
        run.failures, run.failing_since = 0, None
        found = {"external_post_id": done.external_id, "external_url": done.external_url}
        values = {**columns(run), **found, "note": done.note or None, "next_action_at": done.look_again_at}
        values |= {"error_code": None, "error_message": None}
        if earlier not in SUCCESS:
            values["published_at"] = now
        with self._saving(run, "done") as session:
            store.write_held(session, run.lease, now, values, release=True)
            if run.state is not earlier:
                simulated = run.open.simulated
                store.note(session, run.publication, ledger.PUBLISH_SUCCESSFUL, now, state=run.state, simulated=simulated, **found)
            elif done.external_id and not run.publication.external_post_id:
                store.note(session, run.publication, ledger.PUBLISH_LINK_FOUND, now, **found)
        if run.state is not earlier:
            self._passed(run, "visible", run.accepted_at or run.first_byte_at or run.started_at, now)
            self._tell_end(run, now)
        return False

    def _left_to_a_person(self, run: Run, position: Position, why: str) -> bool:
        """Nobody can know from here whether the post is live: say so, and wait for a person."""
        now = self.clock()
        if run.state in SUCCESS:
            return self._stopped_looking(run)
        run.position, run.state = position, after(run.state, Event.ANSWER_LOST)
        with self._saving(run, "uncertain") as session:
            values = {**columns(run), "error_code": "outcome_unknown", "error_message": why, "next_action_at": None}
            store.write_held(session, run.lease, now, values, release=True)
            store.note(session, run.publication, ledger.PUBLISH_UNCERTAIN, now, error=why)
        log.error("publication.uncertain", reason=why)
        self._tell_end(run, now, "outcome_unknown")
        return False

    def _failed(self, run: Run, position: Position, error: Exception) -> bool:
        now = self.clock()
        cancelled = isinstance(error, Withdrawn)
        run.position, run.state = position, after(run.state, Event.CANCELLED if cancelled else Event.GAVE_UP)
        sentence, code = _sentence(error), _code(error)
        with self._saving(run, "failed") as session:
            values = {**columns(run), "error_code": code, "error_message": sentence, "next_action_at": None}
            store.write_held(session, run.lease, now, values, release=True)
            event = ledger.PUBLISH_CANCELLED if cancelled else ledger.PUBLISH_FAILED
            details = {"error": sentence, "code": code, "simulated": _is_simulated(run), **_platform_facts(error)}
            store.note(session, run.publication, event, now, **details)
        log.warning("publication.failed", code=code, reason=sentence, **_platform_facts(error))
        self._tell_end(run, now, code)
        return False

    def _stopped_looking(self, run: Run) -> bool:
        """The post is out; only its link or its further fate could not be learned. That changes nothing about the success."""
        with self._saving(run, "stop looking") as session:
            store.write_held(session, run.lease, self.clock(), {"next_action_at": None}, release=True)
        return False

    # Trouble

    def _trouble(self, run: Run, position: Position, error: Exception) -> bool:
        """Write down what went wrong and when to come back; True when the run can go on at once with a new token."""
        now = self.clock()
        run.failures, run.failing_since = run.failures + 1, run.failing_since or now
        decision = decide(error, failures=run.failures, failing_since=run.failing_since, now=now, jitter=self.jitter())
        match decision:
            case RefreshToken() if not run.token_was_refreshed:
                return self._refreshed(run, position)
            case TryAgain(at):
                return self._postponed(run, position, error, at)
            case GiveUp() | RefreshToken():
                return self._given_up(run, position, error)

    def _given_up(self, run: Run, position: Position, error: Exception) -> bool:
        if isinstance(error, ReconnectRequired) and run.connection is not None:
            self.connections.withdrawn(run.publication, run.connection, error)
        if run.state in SUCCESS:
            return self._stopped_looking(run)
        post_failed = isinstance(error, PlatformError) and error.post_failed
        if position.irreversible_at is not None and not post_failed:
            why = f"{_sentence(error)} The post may be live all the same: look at the account, then say what you found."
            return self._left_to_a_person(run, position, why)
        return self._failed(run, position, error)

    def _refreshed(self, run: Run, position: Position) -> bool:
        run.token_was_refreshed = True
        try:
            connection = self.connections.refreshed(run.publication, run.open)
        except LeaseLost:
            raise
        except Exception as trouble:  # noqa: BLE001  # a refresh fails in as many ways as a send
            return self._trouble(run, position, trouble)
        run.connection = connection
        self._save(run, position, "token refreshed")
        return True

    def _postponed(self, run: Run, position: Position, error: Exception, at: datetime) -> bool:
        now = self.clock()
        run.position = position
        if not isinstance(error, ClipcastError):
            log.error("publication.bug", exc_info=error)
        with self._saving(run, "retry") as session:
            values = {**columns(run), "next_action_at": at, "note": _sentence(error)}
            store.write_held(session, run.lease, now, values, release=True)
            if run.state not in SUCCESS:
                details = {"error": _sentence(error), "retry_at": at.isoformat(), "failures": run.failures, **_platform_facts(error)}
                store.note(session, run.publication, ledger.PUBLISH_RETRY_SCHEDULED, now, **details)
        log.warning("publication.retry", reason=_sentence(error), at=at.isoformat(), failures=run.failures, **_platform_facts(error))
        return False

    # Saving

    def _save(self, run: Run, position: Position, label: str, *, counts_as: str = "") -> Use | None:
        """Write the position and, if the flow's stage changed, the state that follows from it.

        With `counts_as`, the request of that label is counted against the platform's limits first; where one is full, it is returned and
        nothing is written.
        """
        now, platform = self.clock(), run.open.platform
        stage = platform.stage(position.flow)
        moves = run.state not in SUCCESS and run.state is not _STAGE_STATES[stage]
        accepted = moves and stage is Stage.PROCESSING and run.accepted_at is None
        run.accepted_at = now if accepted else run.accepted_at
        state = after(run.state, _STAGE_EVENTS[stage]) if moves else run.state
        hasty = not moves and only_progresses(platform, run.position, position)
        with self._saving(run, label, hasty=hasty) as session:
            full = self.reserve(session, counts_as, platform.rates, run.open.pace_keys, now) if counts_as else None
            if full is not None:
                return full
            # The moment of now, not of before a wait for the limits: the row's lease and ours must end together.
            store.write_held(session, run.lease, self.clock(), {**columns(run, position), "state": state})
            if moves:
                store.note(session, run.publication, _STAGE_LEDGER[stage], now, reference=platform.reference(position.flow))
        run.position, run.state = position, state
        if moves:
            self.observer.stage(run.publication.id, stage)
        if accepted:
            self._passed(run, "accepted", run.first_byte_at or run.started_at, now)
        return None

    def _save_answer(self, run: Run, position: Position, label: str) -> None:
        """Insist on writing what the platform answered while the lease lasts: a lost answer may cost a person's time."""
        while True:
            try:
                self._save(run, position, label)
            except Busy:
                run.lease.check()
                self.pause(0.5)
            else:
                return

    @contextlib.contextmanager
    def _saving(self, run: Run, label: str, *, hasty: bool = False) -> Iterator[Session]:
        self.observer.at("before save", run.publication.id, label)
        with self.db.writing(hasty=hasty) as session:
            yield session
        self.observer.at("after save", run.publication.id, label)

    def _passed(self, run: Run, phase: Phase, since: datetime | None, now: datetime) -> None:
        """Tell who watches how long it took to get here from the milestone before."""
        if since is not None:
            platform, simulated = run.publication.platform, run.open.simulated
            self.observer.passed(Passage(run.publication.id, platform, simulated, phase, max(0.0, (now - since).total_seconds())))

    def _tell_end(self, run: Run, now: datetime, error_code: str = "") -> None:
        """Tell who watches, and the log, that the publication reached an end."""
        row, started_at = run.publication, run.started_at or now
        ending = Ending(
            publication=row,
            outcome=run.state,
            simulated=_is_simulated(run),
            error_code=error_code,
            duration_s=(now - started_at).total_seconds(),
        )
        self.observer.ended(ending)
        log.info(
            "publication.ended",
            post=row.post_id,
            account=row.social_account_id,
            platform=row.platform,
            attempt=row.attempt,
            outcome=ending.outcome,
            code=error_code or None,
            simulated=ending.simulated,
            duration_s=round(ending.duration_s, 3),
        )


def _changed_nothing(error: Exception) -> bool:
    """Whether the request can have had no effect: the platform's own answer refuses it, or it never left whole."""
    if isinstance(error, PlatformError):
        return error.refused
    return isinstance(error, ClipcastError) and not isinstance(error, OutcomeUnknown)


def _bare(url: str | MediaUrl) -> str:
    """The address without its query, which is where upload tokens are; a signed link of ours is one as a whole."""
    return url.partition("?")[0] if isinstance(url, str) else "media"


def _limit_sentence(full: Use) -> str:
    """Why it waits, with the number of the limit that is full."""
    window = "a day" if full.rate.per_s >= 86_400 else f"{full.rate.per_s:.0f} seconds"
    whose = "this account" if full.rate.per == "account" else "this app"
    return f"waits for its turn: the platform allows {whose} {full.rate.count} {full.rate.name or full.rate.labels[0]} requests in {window}"


def _sentence(error: Exception) -> str:
    """What to tell a person: our own errors are sentences, anything else is a bug and its text may hold anything."""
    if isinstance(error, ClipcastError):
        return str(error)
    return f"Clipcast stumbled over a bug of its own ({type(error).__name__}); the log has the details."


def _code(error: Exception) -> str:
    if isinstance(error, PlatformError):
        return error.platform_code or error.code
    return error.code if isinstance(error, ClipcastError) else "bug"


def _is_simulated(run: Run) -> bool:
    """Whether it went, or was to go on, to the simulator; a run that found no connection knows from its row."""
    return run.open.simulated if run.connection else bool(run.publication.simulated)


def _platform_facts(error: Exception) -> dict[str, Any]:
    """What the platform's support will ask for."""
    if not isinstance(error, PlatformError):
        return {}
    facts = {"platform_code": error.platform_code, "http_status": error.http_status, "log_id": error.log_id}
    return {name: value for name, value in facts.items() if value}
