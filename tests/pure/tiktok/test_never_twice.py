"""The promise: whatever is lost and whenever we are killed, never two posts, and always an end."""

from datetime import timedelta

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from clipcast.errors import PlatformError, ProtocolError, Throttled, Unavailable
from clipcast.platforms.base import Done, Order, Undecidable, Wait
from clipcast.platforms.tiktok import TikTok, TikTokState
from clipcast.platforms.tiktok.states import Processing, Requested
from pure.tiktok.honest import Habits, HonestTikTok, LossyWire
from pure.tiktok.orders import NOW, TIKTOK, direct, photos, video

FAULTS = [
    "not_sent",
    "killed_before_sending",
    "lost_on_the_way",
    "answer_lost",
    "killed_after_sending",
    "503",
    "429",
    "502_after_storing",
]
PAUSES_S = [0, 0, 0, 1, 5, 60, 600, 3000, 3600, 4000, 90_000]
STEPS = 3000

faults = st.lists(st.sampled_from(["", "", *FAULTS]), max_size=40)
pauses = st.lists(st.sampled_from(PAUSES_S), max_size=40)


class Drive:
    """A driver with nothing but its rules: save, send, save; a refusal goes back, anything else goes on from what was saved."""

    def __init__(self, world: HonestTikTok, order: Order, tiktok: TikTok = TIKTOK) -> None:
        self.wire, self.tiktok = LossyWire(world), tiktok
        self.state: TikTokState = tiktok.begin(order)
        self.now = NOW
        self.sent: list[str] = []

    def run(self, faults: list[str], pauses: list[int]) -> Done | Undecidable | PlatformError:
        """Until it ends; faults and pauses befall the first sends, the rest goes well."""
        todo = list(faults)
        resting = list(pauses)
        for _ in range(STEPS):
            self.wire.deliver_late(self.now)
            try:
                step = self.tiktok.next_step(self.state, self.now)
            except PlatformError as trouble:
                return trouble
            if isinstance(step, Done | Undecidable):
                return step
            if isinstance(step, Wait):
                assert step.until > self.now
                self.now = step.until
                continue
            self.sent.append(step.label)
            before, fault = self.state, todo.pop(0) if todo else ""
            self.state, error = self.wire.exchange(self.tiktok, before, step, self.now, fault)
            if error is not None and not isinstance(error, Unavailable | Throttled | ProtocolError):
                return error
            self.now += timedelta(seconds=resting.pop(0) if resting else 0.2)
        raise AssertionError(f"no end after {STEPS} steps: {self.sent[-20:]}")


def went_unanswered(state: TikTokState) -> bool:
    """Whether TikTok answered none of the last eight questions, of more than a day: the one reason to stop asking about a known post."""
    return isinstance(state, Processing) and state.unanswered >= 8


@settings(max_examples=300, deadline=None)
@given(
    size_bytes=st.sampled_from([1, 4_194_304, 64_000_000, 64_000_001, 75_000_123, 131_000_000]),
    chunk_bytes=st.sampled_from([5_242_880, 10_000_000, 32_000_000]),
    header=st.sampled_from(["count", "index", "absent"]),
    unknown_for_s=st.sampled_from([0, 20]),
    mode=st.sampled_from(["direct", "inbox"]),
    faults=faults,
    pauses=pauses,
)
def test_an_upload_is_posted_exactly_once(
    *, size_bytes: int, chunk_bytes: int, header: str, unknown_for_s: int, mode: str, faults: list[str], pauses: list[int]
) -> None:
    world = HonestTikTok(Habits(header=header, unknown_for=timedelta(seconds=unknown_for_s)))
    order = direct(media=(video(size_bytes=size_bytes),), mode=mode)
    drive = Drive(world, order, TikTok(chunk_bytes=chunk_bytes))
    end = drive.run(faults, pauses)
    event(type(end).__name__)
    if isinstance(end, Done):
        assert len(world.completed) == 1
        assert end.external_id == str(7_000_000_000_000_000_000 + int(world.completed[0].publish_id[2:]))
    elif isinstance(end, Undecidable):
        assert went_unanswered(drive.state)
        assert len(world.completed) <= 1
    else:  # only an upload that never got through in five hours may fail, and then nothing is posted
        assert isinstance(end, PlatformError)
        assert (end.platform_code, end.post_failed, world.completed) == ("too_many_restarts", True, [])


@settings(max_examples=500, deadline=None)
@given(
    size_bytes=st.sampled_from([4_194_304, 64_000_001]),
    tells_bytes=st.booleans(),
    lag_s=st.sampled_from([0, 90, 240]),
    after_the_last_byte=st.sampled_from([404, 416]),
    skipped=st.integers(0, 8),
    faults=st.lists(st.sampled_from(["", "swallowed_by_a_gateway", "answer_lost", "lost_on_the_way", "503"]), max_size=12),
    pauses=st.lists(st.sampled_from([0, 0, 1, 60, 120, 3300, 3500]), max_size=20),
)
def test_late_bytes_and_a_late_or_silent_status_never_make_a_second_post(
    *, size_bytes: int, lag_s: int, after_the_last_byte: int, skipped: int, faults: list[str], pauses: list[int], tells_bytes: bool
) -> None:
    """The worst case: a swallowed last chunk reaches TikTok minutes later, and TikTok's status does not know of it, or does not say."""
    world = HonestTikTok(Habits(tells_bytes=tells_bytes, lag=timedelta(seconds=lag_s), after_the_last_byte=after_the_last_byte))
    drive = Drive(world, direct(media=(video(size_bytes=size_bytes),)))
    end = drive.run([""] * skipped + faults, pauses)
    drive.wire.deliver_late(drive.now + timedelta(days=1))
    event(type(end).__name__)
    assert len(world.completed) <= 1
    if isinstance(end, Done):
        assert len(world.completed) == 1
    if isinstance(end, PlatformError):
        assert world.completed == []


@settings(max_examples=200, deadline=None)
@given(
    order=st.sampled_from(
        [direct(transfer="pull"), photos(1), photos(3), direct(transfer="pull", privacy="private"), photos(2, mode="inbox")]
    ),
    faults=faults,
    pauses=pauses,
)
def test_a_pull_is_asked_for_at_most_once(order: Order, faults: list[str], pauses: list[int]) -> None:
    world = HonestTikTok(Habits())
    drive = Drive(world, order)
    end = drive.run(faults, pauses)
    event(type(end).__name__)
    assert len(world.tasks) <= 1
    if isinstance(end, Done):
        assert len(world.completed) == 1
    else:
        assert isinstance(end, Undecidable)
        assert isinstance(drive.state, Requested) or went_unanswered(drive.state)


@settings(max_examples=100, deadline=None)
@given(
    order=st.sampled_from([direct(media=(video(size_bytes=75_000_123),)), direct(transfer="pull")]),
    reasons=st.lists(st.sampled_from(["internal", "video_pull_failed", "spam_risk_too_many_posts"]), max_size=5),
    faults=st.lists(st.sampled_from(["", "", "", "not_sent", "429"]), max_size=40),
)
def test_after_tiktoks_own_failures_there_is_still_one_post(order: Order, reasons: list[str], faults: list[str]) -> None:
    world = HonestTikTok(Habits(fail_reasons=list(reasons)))
    end = Drive(world, order).run(faults, [])
    troubles = [reason for reason in reasons if reason != "spam_risk_too_many_posts"]
    if len(troubles) <= 3:
        assert isinstance(end, Done)
        assert len(world.completed) == 1
    else:
        assert isinstance(end, PlatformError)
        assert (end.post_failed, world.completed) == (True, [])


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("moment", range(12))
def test_one_fault_at_each_step_costs_little(fault: str, moment: int) -> None:
    """Creator, init, seven chunks, the questions: one fault anywhere, and the upload is neither begun anew nor sent twice in whole."""
    world = HonestTikTok(Habits())
    drive = Drive(world, direct(media=(video(size_bytes=75_000_123),)))
    end = drive.run([""] * moment + [fault], [])
    assert isinstance(end, Done)
    assert len(world.completed) == 1
    assert drive.sent.count("upload.chunk") <= 8
    assert drive.sent.count("video.init") <= 2


def test_without_faults_nothing_is_asked_for_that_is_not_needed() -> None:
    drive = Drive(HonestTikTok(Habits()), direct(media=(video(size_bytes=75_000_123),)))
    drive.run([], [])
    assert drive.sent[:9] == ["creator_info", "video.init", *["upload.chunk"] * 7]
    assert set(drive.sent[9:]) == {"status"}


def test_each_chunk_is_sent_once_and_in_order_when_answers_are_lost_after_storing() -> None:
    """The property that saves the most bytes: what TikTok has is never sent again."""
    drive = Drive(HonestTikTok(Habits()), direct(media=(video(size_bytes=75_000_123),)))
    end = drive.run(["", "", *["answer_lost", ""] * 7], [])
    assert isinstance(end, Done)
    assert drive.sent.count("upload.chunk") == 7
