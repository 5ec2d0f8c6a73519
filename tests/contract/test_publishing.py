"""What every platform must do, whatever its protocol: publish exactly once, through whatever goes wrong on the way."""

from collections.abc import Callable

import pytest

from clipcast.publications.leases import LEASE
from clipcast.publications.states import SUCCESS, State
from contract.bench import Bench
from contract.platforms import Flow, PlatformUnderTest

MOST_MOMENTS = 80
"""More moments than any flow has when nothing goes wrong."""


def test_publishes(bench_on_both: Bench, platform: PlatformUnderTest, flow: Flow) -> None:
    """A clip goes in and comes out as a post: same bytes, an id where the platform gives one, each request sent once."""
    publication_id = bench_on_both.publish(flow)

    row = bench_on_both.carry(publication_id)

    post = bench_on_both.check_published_once(publication_id, flow)
    assert {operation: bench_on_both.calls(operation) for operation in flow.operations} == flow.calls
    assert row.external_post_id == platform.seen(post).post_id
    assert platform.seen(post).cover == (bench_on_both.shelf[flow.cover].sha256 if flow.cover else None)
    assert row.published_at is not None


def test_survives_a_lost_answer(bench_on_both: Bench, platform: PlatformUnderTest, flow: Flow, operation: str, nth: int) -> None:
    """The platform did what we asked and we never heard: nothing is done twice, and a person is asked only where nobody else can know."""
    bench_on_both.script(operation, "accept-then-drop-answer", after=nth)
    publication_id = bench_on_both.publish(flow)

    asked = bench_on_both.carry_with_a_person(publication_id)
    bench_on_both.see_through(publication_id)

    post = bench_on_both.check_published_once(publication_id, flow)
    assert platform.seen(post).cover == (bench_on_both.shelf[flow.cover].sha256 if flow.cover else None)
    assert asked == (0 if flow.can_find_out or operation != flow.decisive else 1)


def test_survives_an_error_after_the_effect(bench: Bench, flow: Flow, operation: str) -> None:
    """A 500 that comes after the platform did its work is an answer that proves nothing."""
    bench.script(operation, "error-after-effect")
    publication_id = bench.publish(flow)

    asked = bench.carry_with_a_person(publication_id)

    bench.check_published_once(publication_id, flow)
    assert asked == (0 if flow.can_find_out or operation != flow.decisive else 1)


def test_survives_the_platforms_trouble(bench: Bench, flow: Flow, operation: str) -> None:
    """A 500, a gateway's 502 page and a 503 in a row cost time and nothing else."""
    for fault, shape in (("500", "object"), ("502", "html"), ("503", "empty")):
        bench.script(operation, fault, body=shape)
    publication_id = bench.publish(flow)

    bench.carry_with_a_person(publication_id)
    bench.see_through(publication_id)

    bench.check_published_once(publication_id, flow)


def test_survives_a_reset(bench: Bench, flow: Flow, operation: str) -> None:
    """The connection breaks under a request that the platform never saw whole."""
    bench.script(operation, "reset")
    publication_id = bench.publish(flow)

    bench.carry_with_a_person(publication_id)

    bench.check_published_once(publication_id, flow)


@pytest.mark.in_process("its patience is one of the wire's, and workers keep theirs")
def test_survives_a_stall(impatient_bench: Bench, flow: Flow, operation: str) -> None:
    """The platform goes silent for longer than we wait."""
    impatient_bench.script(operation, "stall-0.5s")
    publication_id = impatient_bench.publish(flow)

    impatient_bench.carry_with_a_person(publication_id)

    impatient_bench.check_published_once(publication_id, flow)


def test_waits_when_throttled(bench: Bench, flow: Flow, operation: str) -> None:
    """429 is a refusal: nothing happened, so after a pause the same is asked again, and no person is bothered."""
    bench.script(operation, "429", times=2)
    publication_id = bench.publish(flow)
    began = bench.clock()

    assert bench.carry_with_a_person(publication_id) == 0
    bench.see_through(publication_id)

    bench.check_published_once(publication_id, flow)
    assert (bench.clock() - began).total_seconds() >= 2


def test_refreshes_an_expired_token_once(bench_on_both: Bench, platform: PlatformUnderTest, flow: Flow, operation: str) -> None:
    """A token that dies at any step costs one refresh; the publication goes on where it was. Where a dead token is dead, see below."""
    bench_on_both.script(operation, "expire-token")
    publication_id = bench_on_both.publish(flow)

    if not platform.revives:
        stops_until_connected_again(bench_on_both, publication_id, flow)
        return
    assert bench_on_both.carry_with_a_person(publication_id) == 0
    if flow.outcome is State.PUBLISHED:  # a draft is looked after for days, and for those a token does not last
        bench_on_both.see_through(publication_id)

    bench_on_both.check_published_once(publication_id, flow)
    assert bench_on_both.calls(platform.refresh_operation) == 1
    assert bench_on_both.calls(flow.decisive) == (2 if operation == flow.decisive and operation not in platform.unauthorized else 1)


def test_stops_when_consent_is_revoked(bench: Bench, platform: PlatformUnderTest, flow: Flow, operation: str) -> None:
    """The owner disconnected us while the platform was still at it: nothing more is asked for, and the account must be connected again."""
    bench.script(operation, "revoke-token")
    publication_id = bench.publish(flow)
    is_early = flow.requests.index(operation) <= flow.requests.index(flow.decisive)

    with bench.world.settings(processing_s=60.0):
        row = bench.carry(publication_id)

    if is_early or platform.revoking_ends_posts:
        bench.check_never_published()
        assert row.state in {State.FAILED, State.UNCERTAIN}
    stops_until_connected_again(bench, publication_id, flow)


def stops_until_connected_again(bench: Bench, publication_id: str, flow: Flow) -> None:
    """It waits for the owner, saying so, unless it is out already; once they came, another try makes it one post, never two."""
    row = bench.carry(publication_id)
    if row.state not in SUCCESS:
        assert bench.account().status == "expired"
        assert "onnect" in (row.error_message or "")
        assert row.state != State.FAILED or bench.published() == []
        bench.connect_again()
        assert bench.account().status == "active"
        bench.try_again(publication_id)
        bench.carry_with_a_person(publication_id)
    bench.see_through(publication_id)

    bench.check_published_once(publication_id, flow)


def test_cancelled_before_anything_was_sent(bench_on_both: Bench, flow: Flow) -> None:
    """A scheduled publication that is withdrawn never reaches the platform."""
    publication_id = bench_on_both.publish(flow, at=bench_on_both.clock.now.replace(hour=20))

    row = bench_on_both.cancel(publication_id)

    assert (row.state, row.next_action_at) == (State.CANCELLED, None)
    bench_on_both.check_never_published()
    assert bench_on_both.posts() == []


def at_every_moment(bench: Bench, try_moment: Callable[[int], bool]) -> None:
    """Try each moment of the driver with a publication of its own, until one comes to its end before its moment does."""
    numbers = (number for number in range(1, MOST_MOMENTS) if not try_moment(number))
    assert next(numbers, 0) > 15
    bench.check_books()


@pytest.mark.in_process("it interrupts the driver in its own thread; `tests/process` kills and stops workers there")
def test_cancelled_at_every_moment(bench: Bench, distinct_flow: Flow) -> None:
    """Whatever the driver is doing when it is withdrawn: what we answer is what the world sees in the end."""

    def try_moment(number: int) -> bool:
        live_before, publication_id = len(bench.published()), bench.publish(distinct_flow)
        answers: list[State | None] = []
        reached = bench.at_moment(number, lambda: answers.append(bench.cancel_if_possible(publication_id)))
        row = bench.carry(publication_id)

        is_live = len(bench.published()) - live_before
        assert is_live == (row.state in SUCCESS)
        for answer in answers:
            assert is_live == 1 if answer is None else row.state == State.CANCELLED or answer is not State.CANCELLED
        return reached()

    at_every_moment(bench, try_moment)


@pytest.mark.in_process("it interrupts the driver in its own thread; `tests/process` kills and stops workers there")
def test_urged_at_every_moment(bench: Bench, distinct_flow: Flow) -> None:
    """Somebody presses "try again", or a webhook hints, while the driver works: nothing is done twice and no answer gets lost."""

    def try_moment(number: int) -> bool:
        live_before, publication_id = len(bench.published()), bench.publish(distinct_flow)
        reached = bench.at_moment(number, lambda: bench.urge(publication_id))

        assert bench.carry_with_a_person(publication_id) == 0

        assert len(bench.published()) - live_before == 1
        return reached()

    at_every_moment(bench, try_moment)


@pytest.mark.in_process("it interrupts the driver in its own thread; `tests/process` kills and stops workers there")
def test_taken_over_at_every_moment(bench: Bench, distinct_flow: Flow) -> None:
    """A worker that stands still for longer than its lease, anywhere, finds its work done by another and neither writes nor sends."""

    def try_moment(number: int) -> bool:
        live_before, publication_id = len(bench.published()), bench.publish(distinct_flow)
        seen: list[int] = []

        def meanwhile() -> None:
            bench.advance(LEASE.total_seconds() + 1)
            bench.carry(publication_id)
            seen.append(bench.last_request())

        reached = bench.at_moment(number, meanwhile)
        bench.step(publication_id)

        assert seen in ([], [bench.last_request()])
        bench.carry_with_a_person(publication_id, live_before=live_before)
        assert len(bench.published()) - live_before == 1
        return reached()

    at_every_moment(bench, try_moment)


def test_starts_over_by_hand_after_a_failure(bench_on_both: Bench, platform: PlatformUnderTest, flow: Flow) -> None:
    """What failed for good is published once by another try of a person's."""
    bench_on_both.script(flow.failing or flow.decisive, f"fail:{platform.final_reasons[0]}")
    publication_id = bench_on_both.publish(flow)
    assert bench_on_both.carry(publication_id).state == State.FAILED
    assert bench_on_both.published() == []

    bench_on_both.try_again(publication_id)
    bench_on_both.carry(publication_id)

    bench_on_both.check_published_once(publication_id, flow)
    assert bench_on_both.row(publication_id).attempt == 2


def test_another_try_does_not_post_what_may_be_live(bench_on_both: Bench, flow: Flow) -> None:
    """Where the outcome is unknown, trying again means looking again; only a person's word that nothing is there posts once more."""
    bench_on_both.script(flow.decisive, "accept-then-drop-answer")
    publication_id = bench_on_both.publish(flow)
    row = bench_on_both.carry(publication_id)
    if row.state != State.UNCERTAIN:
        assert flow.can_find_out
        return

    bench_on_both.try_again(publication_id)
    row = bench_on_both.carry(publication_id)

    assert (row.state, bench_on_both.calls(flow.decisive)) == (State.UNCERTAIN, 1)
    bench_on_both.decide(publication_id, is_live=True)
    bench_on_both.check_published_once(publication_id, flow)


def test_keeps_secrets(bench: Bench, flow: Flow, capsys: pytest.CaptureFixture[str]) -> None:
    """Tokens, client secrets and signed addresses appear in no log line, no ledger entry and no answer."""
    for operation in flow.operations:
        bench.script(operation, "503")
        bench.script(operation, "accept-then-drop-answer")
    publication_id = bench.publish(flow)

    bench.carry_with_a_person(publication_id)

    told = capsys.readouterr()
    row, events = bench.row(publication_id), bench.events(publication_id)
    said = f"{told.out} {told.err} {bench.said_elsewhere()}"
    text = f"{said} {row.note} {row.error_message} {row.reference} {[event.details for event in events]}"
    assert publication_id in text
    for secret in bench.secrets():
        assert secret not in text
    assert "upload_token" not in text
    assert "/media/" not in text
