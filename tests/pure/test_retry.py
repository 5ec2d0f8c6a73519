"""The retry policy, as a table."""

from datetime import UTC, datetime, timedelta

import pytest

from clipcast.errors import (
    Busy,
    ConfigurationError,
    InvalidRequest,
    NotSent,
    OutcomeUnknown,
    PlatformError,
    ProtocolError,
    ReconnectRequired,
    Rejected,
    Throttled,
    TokenExpired,
    Unavailable,
    UnusableMedia,
    Withdrawn,
)
from clipcast.publications.retry import BACKOFF_S, BAFFLED_TRIES, Decision, GiveUp, RefreshToken, TryAgain, decide

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def decided(error: Exception, failures: int = 1, since: datetime = NOW, jitter: float = 0.0) -> Decision:
    return decide(error, failures=failures, failing_since=since, now=NOW, jitter=jitter)


def platform_error(kind: type[PlatformError]) -> PlatformError:
    return kind("A sentence.", platform="tiktok")


WEATHER = [platform_error(Unavailable), NotSent("x"), OutcomeUnknown("x"), Busy("x")]


@pytest.mark.parametrize("error", WEATHER, ids=lambda error: type(error).__name__)
def test_weather_is_waited_out_with_longer_and_longer_pauses(error: Exception) -> None:
    pauses = [decided(error, failures) for failures in range(1, len(BACKOFF_S) + 3)]

    expected = [*BACKOFF_S, BACKOFF_S[-1], BACKOFF_S[-1]]
    assert pauses == [TryAgain(NOW + timedelta(seconds=pause_s)) for pause_s in expected]


@pytest.mark.parametrize("error", WEATHER, ids=lambda error: type(error).__name__)
def test_weather_that_lasts_a_day_is_given_up(error: Exception) -> None:
    assert isinstance(decided(error, 50, NOW - timedelta(hours=23, minutes=40)), TryAgain)
    assert decided(error, 50, NOW - timedelta(hours=24)) == GiveUp()


def test_jitter_stretches_a_pause_by_at_most_a_quarter_and_never_by_more_than_a_minute() -> None:
    assert decided(NotSent("x"), 3, jitter=1.0) == TryAgain(NOW + timedelta(seconds=5))
    until_midnight = Throttled("Full.", platform="youtube", retry_after_s=36_000)
    assert decided(until_midnight, jitter=1.0) == TryAgain(NOW + timedelta(seconds=36_060))


def test_a_limit_is_waited_for_as_long_as_the_platform_says_and_up_to_three_days() -> None:
    full = Throttled("Full.", platform="tiktok", retry_after_s=3600)

    assert decided(full) == TryAgain(NOW + timedelta(hours=1))
    assert isinstance(decided(full, 40, NOW - timedelta(hours=70)), TryAgain)
    assert decided(full, 48, NOW - timedelta(hours=71, minutes=30)) == GiveUp()


def test_a_dead_token_is_refreshed_however_often_it_failed_before() -> None:
    assert decided(platform_error(TokenExpired), 7) == RefreshToken()


@pytest.mark.parametrize(
    "error",
    [
        platform_error(Rejected),
        platform_error(ReconnectRequired),
        platform_error(Withdrawn),
        InvalidRequest("x"),
        UnusableMedia("x"),
        ConfigurationError("x"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_cannot_pass_is_given_up_at_once(error: Exception) -> None:
    assert decided(error) == GiveUp()


@pytest.mark.parametrize("error", [platform_error(ProtocolError), KeyError("a bug")], ids=["answer nobody understands", "bug"])
def test_the_baffling_is_tried_a_few_times_more_slowly_each_time(error: Exception) -> None:
    decisions = [decided(error, failures) for failures in range(1, BAFFLED_TRIES + 1)]

    assert decisions == [*(TryAgain(NOW + timedelta(seconds=pause_s)) for pause_s in (10, 20, 40, 80)), GiveUp()]
