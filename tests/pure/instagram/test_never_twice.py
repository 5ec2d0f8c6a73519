"""The promise: whatever is lost and whenever we are killed, never two posts, and always an end."""

from datetime import timedelta

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from clipcast.errors import PlatformError, ProtocolError, Throttled, Unavailable
from clipcast.platforms.base import Done, Order, Undecidable, Wait
from clipcast.platforms.instagram import InstagramState
from pure.instagram.honest import Habits, HonestInstagram, LossyWire
from pure.instagram.orders import INSTAGRAM, NOW, carousel, photo, reel, story

FAULTS = [
    "not_sent",
    "killed_before_sending",
    "lost_on_the_way",
    "broken_in_the_middle",
    "answer_lost",
    "killed_after_sending",
    "503",
    "429",
    "502_after_storing",
]
ORDERS = [reel(), reel("facebook"), photo(), carousel(), carousel("facebook"), story()]
REFUSALS: list[tuple[int, int | None]] = [
    (1, None),
    (2, None),
    (4, None),
    (4, 2207051),
    (9, 2207042),
    (9, 2207069),
    (24, 2207008),
    (24, 2207006),
    (-1, 2207001),
    (-2, 2207020),
    (-1, 2207085),
    (9007, 2207027),
    (368, None),
    (999, None),
]
PAUSES_S = [0, 0, 0, 1, 5, 60, 600, 3000, 3600, 84_000, 90_000]
STEPS = 4000

faults = st.lists(st.sampled_from(["", "", *FAULTS]), max_size=40)
pauses = st.lists(st.sampled_from(PAUSES_S), max_size=40)
refusals = st.lists(st.tuples(st.sampled_from(REFUSALS), st.booleans()), max_size=12)


class Drive:
    """A driver with nothing but its rules: save, send, save; a refusal goes back, anything else goes on from what was saved."""

    def __init__(self, world: HonestInstagram, order: Order) -> None:
        self.wire = LossyWire(world)
        self.state: InstagramState = INSTAGRAM.begin(order)
        self.now = NOW
        self.sent: list[str] = []

    def run(self, faults: list[str], pauses: list[int]) -> Done | Undecidable | PlatformError:
        """Until it ends; faults and pauses befall the first sends, the rest goes well."""
        todo, resting = list(faults), list(pauses)
        for _ in range(STEPS):
            self.wire.deliver_late(self.now)
            try:
                step = INSTAGRAM.next_step(self.state, self.now)
            except PlatformError as given_up:
                return given_up
            if isinstance(step, Done | Undecidable):
                return step
            if isinstance(step, Wait):
                assert step.until > self.now
                self.now = step.until
                continue
            self.sent.append(step.label)
            self.state, error = self.wire.exchange(INSTAGRAM, self.state, step, self.now, todo.pop(0) if todo else "")
            if isinstance(error, Throttled):
                self.now += timedelta(seconds=error.retry_after_s)
            elif error is not None and not isinstance(error, Unavailable | ProtocolError):
                return error
            self.now += timedelta(seconds=resting.pop(0) if resting else 0.2)
        raise AssertionError(f"no end after {STEPS} steps: {self.sent[-20:]}")


def refusing(answers: list[tuple[tuple[int, int | None], bool]]) -> list[tuple[int, int | None, bool]]:
    return [(code, subcode, live) for (code, subcode), live in answers]


@settings(max_examples=300, deadline=None)
@given(order=st.sampled_from(ORDERS), keeps_partial=st.booleans(), faults=faults, pauses=pauses)
def test_everything_is_posted_exactly_once(order: Order, faults: list[str], pauses: list[int], *, keeps_partial: bool) -> None:
    world = HonestInstagram(Habits(keeps_partial=keeps_partial))
    end = Drive(world, order).run(faults, pauses)
    event(type(end).__name__)
    if isinstance(end, Done):
        assert len(world.posts) == 1
        assert end.external_id in (None, f"m{world.posts[0].container_id}")
    else:
        assert isinstance(end, PlatformError), "an account that can be read leaves no doubt"
        assert (end.post_failed, world.posts) == (True, [])


@settings(max_examples=400, deadline=None)
@given(
    order=st.sampled_from([reel(), carousel(), story()]),
    answers=refusals,
    republished=st.sampled_from([(24, 2207008), (9007, 2207027), (-1, 2207085)]),
    blind_for_s=st.sampled_from([0, 0, 0, 300, 40_000, 200_000]),
    list_lag_s=st.sampled_from([0, 60, 7200]),
    skipped=st.integers(0, 9),
    faults=faults,
    pauses=pauses,
)
def test_refusals_that_lie_and_containers_that_cannot_be_read_never_make_a_second_post(  # noqa: PLR0917  # as many as the world has habits
    order: Order,
    answers: list[tuple[tuple[int, int | None], bool]],
    republished: tuple[int, int],
    blind_for_s: int,
    list_lag_s: int,
    skipped: int,
    faults: list[str],
    pauses: list[int],
) -> None:
    habits = Habits(refusals=refusing(answers), republished=republished)
    habits.blind_for, habits.list_lag = timedelta(seconds=blind_for_s), timedelta(seconds=list_lag_s)
    world = HonestInstagram(habits)
    end = Drive(world, order).run([""] * skipped + faults, pauses)
    event(type(end).__name__)
    assert len(world.posts) <= 1
    if isinstance(end, Done):
        assert len(world.posts) == 1
        assert end.external_id in (None, f"m{world.posts[0].container_id}")
    if isinstance(end, PlatformError):
        assert (end.post_failed, world.posts) == (True, [])


@settings(max_examples=300, deadline=None)
@given(
    order=st.sampled_from([reel(), carousel("facebook"), photo()]),
    answers=refusals,
    skipped=st.integers(0, 8),
    faults=st.lists(st.sampled_from(["", "swallowed_by_a_gateway", "answer_lost", "lost_on_the_way", "503"]), max_size=12),
    pauses=st.lists(st.sampled_from([0, 0, 1, 30, 60, 120]), max_size=20),
)
def test_a_late_publish_request_never_makes_a_second_post_nor_a_failed_one(
    order: Order, answers: list[tuple[tuple[int, int | None], bool]], skipped: int, faults: list[str], pauses: list[int]
) -> None:
    """A gateway holds `media_publish` back for two minutes: by then we have looked, and maybe asked again."""
    world = HonestInstagram(Habits(refusals=refusing(answers)))
    drive = Drive(world, order)
    end = drive.run([""] * skipped + faults, pauses)
    drive.wire.deliver_late(drive.now + timedelta(days=1))
    event(type(end).__name__)
    assert len(world.posts) <= 1
    if isinstance(end, PlatformError):
        assert world.posts == []


@settings(max_examples=100, deadline=None)
@given(
    order=st.sampled_from(ORDERS),
    failures=st.lists(st.sampled_from(["", "Error code 2207001", "Error code 2207082", "Error: 2209999", "2207026"]), max_size=6),
    quota=st.integers(0, 1),
    faults=faults,
)
def test_containers_that_fail_and_a_full_day_leave_one_post_or_none(
    order: Order, failures: list[str], quota: int, faults: list[str]
) -> None:
    world = HonestInstagram(Habits(failures=failures, quota=quota))
    end = Drive(world, order).run(faults, [])
    event(type(end).__name__)
    if isinstance(end, Done):
        assert len(world.posts) == 1
    else:
        assert isinstance(end, PlatformError)
        assert (end.post_failed, world.posts) == (True, [])


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("moment", range(16))
def test_one_fault_at_each_step_costs_little(fault: str, moment: int) -> None:
    """A carousel with an uploaded video: one fault anywhere makes one container more at most, and one publish request more."""
    world = HonestInstagram(Habits())
    drive = Drive(world, carousel("facebook"))
    end = drive.run([""] * moment + [fault], [])
    assert isinstance(end, Done)
    assert len(world.posts) == 1
    assert len(world.containers) <= 5
    assert drive.sent.count("media.publish") <= 2


@pytest.mark.parametrize("moment", range(12))
@pytest.mark.parametrize("refusal", [(4, 2207051), (368, None), (24, 2207008)])
def test_nothing_is_called_failed_or_replaced_while_a_lost_request_may_still_arrive(moment: int, refusal: tuple[int, int | None]) -> None:
    """The first request is held back, the second refused for good: whoever reads "failed" now would see two posts in two minutes."""
    world = HonestInstagram(Habits(refusals=[(*refusal, False)]))
    drive = Drive(world, reel())
    end = drive.run([""] * moment + ["swallowed_by_a_gateway"], [])
    drive.wire.deliver_late(drive.now + timedelta(days=1))
    assert len(world.posts) == isinstance(end, Done)


def test_without_faults_nothing_is_asked_for_that_is_not_needed() -> None:
    drive = Drive(HonestInstagram(Habits()), reel("facebook"))
    end = drive.run([], [])
    assert isinstance(end, Done)
    assert end.external_url
    polls = ["container.status"] * 4
    assert drive.sent == ["container.create", "upload.bytes", *polls, "limit", "media.publish", "permalink"]
