"""What every platform must do, whatever its protocol: publish exactly once, through whatever goes wrong on the way."""

import pytest

from clipcast.publications.states import State
from contract.bench import Bench
from contract.platforms import Flow, PlatformUnderTest


def test_publishes(bench_on_both: Bench, flow: Flow) -> None:
    """A clip goes in and comes out as a post: same bytes, an id where the platform gives one, each request sent once."""
    publication_id = bench_on_both.publish(flow)

    row = bench_on_both.carry(publication_id)

    post = bench_on_both.check_published_once(publication_id, flow)
    assert [bench_on_both.calls(operation) for operation in flow.operations] == [1] * len(flow.operations)
    assert row.external_post_id == (post["post_id"] if post["privacy_level"] == "PUBLIC_TO_EVERYONE" else None)
    assert row.published_at is not None


def test_survives_a_lost_answer(bench_on_both: Bench, flow: Flow, operation: str) -> None:
    """The platform did what we asked and we never heard: nothing is done twice, and a person is asked only where nobody else can know."""
    bench_on_both.script(operation, "accept-then-drop-answer")
    publication_id = bench_on_both.publish(flow)

    asked = bench_on_both.carry_with_a_person(publication_id)

    bench_on_both.check_published_once(publication_id, flow)
    assert asked == (0 if flow.can_find_out or operation != flow.decisive else 1)


def test_survives_an_error_after_the_effect(bench: Bench, flow: Flow, operation: str) -> None:
    """A 500 that comes after the platform did its work is an answer that proves nothing."""
    bench.script(operation, "error-after-effect")
    publication_id = bench.publish(flow)

    asked = bench.carry_with_a_person(publication_id)

    bench.check_published_once(publication_id, flow)
    assert asked == (0 if flow.can_find_out or operation != flow.decisive else 1)


@pytest.mark.parametrize("fault", ["500", "502", "503"])
def test_survives_the_platforms_trouble(bench: Bench, flow: Flow, operation: str, fault: str) -> None:
    """5xx at any step, three times in a row, costs time and nothing else."""
    bench.script(operation, fault, times=3 if operation != flow.decisive else 1, body="html" if fault == "502" else "object")
    publication_id = bench.publish(flow)

    bench.carry_with_a_person(publication_id)

    bench.check_published_once(publication_id, flow)


def test_survives_a_reset(bench: Bench, flow: Flow, operation: str) -> None:
    """The connection breaks under a request that the platform never saw whole."""
    bench.script(operation, "reset")
    publication_id = bench.publish(flow)

    bench.carry_with_a_person(publication_id)

    bench.check_published_once(publication_id, flow)


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

    bench.check_published_once(publication_id, flow)
    assert (bench.clock() - began).total_seconds() >= 2


def test_refreshes_an_expired_token_once(bench_on_both: Bench, platform: PlatformUnderTest, flow: Flow, operation: str) -> None:
    """A token that dies at any step costs one refresh; the publication goes on where it was."""
    bench_on_both.script(operation, "expire-token")
    publication_id = bench_on_both.publish(flow)

    assert bench_on_both.carry_with_a_person(publication_id) == 0

    bench_on_both.check_published_once(publication_id, flow)
    assert bench_on_both.calls(platform.refresh_operation) == 1
    assert bench_on_both.calls(flow.decisive) == (2 if operation == flow.decisive and operation not in platform.unauthorized else 1)


def test_stops_when_consent_is_revoked(bench: Bench, flow: Flow, operation: str) -> None:
    """The owner disconnected us while the platform was still at it: nothing is posted, and the account must be connected again."""
    bench.script(operation, "revoke-token")
    publication_id = bench.publish(flow)

    with bench.world.settings(processing_s=60.0):
        row = bench.carry(publication_id)

    bench.check_never_published()
    assert row.state in {State.FAILED, State.UNCERTAIN}
    assert bench.account().status == "expired"
    assert "onnect" in (row.error_message or "")


def test_cancelled_before_anything_was_sent(bench_on_both: Bench, flow: Flow) -> None:
    """A scheduled publication that is withdrawn never reaches the platform."""
    publication_id = bench_on_both.publish(flow, at=bench_on_both.clock.now.replace(hour=20))

    row = bench_on_both.cancel(publication_id)

    assert (row.state, row.next_action_at) == (State.CANCELLED, None)
    bench_on_both.check_never_published()
    assert bench_on_both.posts() == []
