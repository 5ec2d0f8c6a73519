"""The promise: whatever is lost and whenever we are killed, never two videos, and always an end."""

from datetime import timedelta

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from clipcast.errors import PlatformError, ProtocolError, Throttled, TokenExpired, Unavailable
from clipcast.platforms.base import Done, Order, Undecidable, Wait
from clipcast.platforms.youtube import YouTube, YouTubeState
from clipcast.platforms.youtube.states import Searching
from pure.youtube.honest import Habits, HonestYouTube, LossyWire
from pure.youtube.orders import CHUNK, KIB_256, NOW, YOUTUBE, order, video

FAULTS = [
    "not_sent",
    "killed_before_sending",
    "lost_on_the_way",
    "cut_in_the_middle",
    "answer_lost",
    "killed_after_sending",
    "503",
    "503_after_storing",
    "429",
    "401",
    "session_gone",
    "lost_and_session_gone",
]
PAUSES_S = [0, 0, 0, 1, 5, 60, 600, 4000, 90_000, 700_000]
STEPS = 3000

faults = st.lists(st.sampled_from(["", "", *FAULTS]), max_size=40)
pauses = st.lists(st.sampled_from(PAUSES_S), max_size=40)


class Drive:
    """A driver with nothing but its rules: save, send, save; a refusal goes back, anything else goes on from what was saved."""

    def __init__(self, world: HonestYouTube, chosen: Order, youtube: YouTube = YOUTUBE) -> None:
        self.wire, self.youtube = LossyWire(world), youtube
        self.state: YouTubeState = youtube.begin(chosen)
        self.now = NOW
        self.sent: list[str] = []

    def run(self, faults: list[str], pauses: list[int]) -> Done | Undecidable | PlatformError:
        """Until it ends; faults and pauses befall the first sends, the rest goes well."""
        todo = list(faults)
        resting = list(pauses)
        for _ in range(STEPS):
            self.wire.deliver_late(self.now)
            step = self.youtube.next_step(self.state, self.now)
            if isinstance(step, Done | Undecidable):
                return step
            if isinstance(step, Wait):
                assert step.until > self.now
                self.now = step.until
                continue
            self.sent.append(step.label)
            self.state, error = self.wire.exchange(self.youtube, self.state, step, self.now, todo.pop(0) if todo else "")
            if error is not None and not isinstance(error, Unavailable | Throttled | ProtocolError | TokenExpired):
                return error
            pause_s = error.retry_after_s if isinstance(error, Throttled) else 0.2
            self.now += timedelta(seconds=resting.pop(0) if resting else pause_s)
        raise AssertionError(f"no end after {STEPS} steps: {self.sent[-20:]}")


sizes = st.one_of(st.sampled_from([1, KIB_256, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 123]), st.integers(1, 5 * CHUNK))


habits = st.builds(
    Habits,
    final_status=st.sampled_from([200, 201]),
    gone_status=st.sampled_from([404, 410]),
    gap_status=st.sampled_from([400, 409, 412, 416, 503]),
    list_lag=st.sampled_from([timedelta(0), timedelta(seconds=30), timedelta(seconds=240)]),
    size_lag=st.sampled_from([timedelta(0), timedelta(seconds=400), timedelta(seconds=1800)]),
    moves=st.booleans(),
    range_prefix=st.sampled_from(["bytes=", ""]),
)


@settings(max_examples=1500, deadline=None)
@given(size_bytes=sizes, chunk_blocks=st.integers(1, 6), habits=habits, faults=faults, pauses=pauses)
def test_a_video_is_created_at_most_once(size_bytes: int, chunk_blocks: int, habits: Habits, faults: list[str], pauses: list[int]) -> None:
    world = HonestYouTube(habits)
    drive = Drive(world, order(media=(video(size_bytes=size_bytes),)), YouTube(chunk_bytes=chunk_blocks * KIB_256))
    end = drive.run(faults, pauses)
    event(type(end).__name__)
    assert len(world.completed) <= 1
    if isinstance(end, Done):
        assert [each.video_id for each in world.completed] == [end.external_id]
    elif isinstance(end, PlatformError):  # only an upload whose sessions kept vanishing may fail, and then there is no video
        assert (end.platform_code, end.post_failed, world.completed) == ("too_many_restarts", True, [])
    else:
        assert isinstance(drive.state, Searching)


@settings(max_examples=800, deadline=None)
@given(
    size_bytes=st.sampled_from([CHUNK, 2 * CHUNK + 5]),
    skipped=st.integers(0, 6),
    faults=st.lists(
        st.sampled_from(["", "swallowed_by_a_gateway", "answer_lost", "lost_on_the_way", "503", "cut_in_the_middle"]), max_size=12
    ),
    pauses=st.lists(st.sampled_from([0, 0, 1, 60, 120, 3300]), max_size=20),
)
def test_bytes_that_arrive_late_never_make_a_second_video(size_bytes: int, skipped: int, faults: list[str], pauses: list[int]) -> None:
    world = HonestYouTube(Habits())
    drive = Drive(world, order(media=(video(size_bytes=size_bytes),)))
    end = drive.run([""] * skipped + faults, pauses)
    drive.wire.deliver_late(drive.now + timedelta(days=1))
    assert isinstance(end, Done)
    assert [each.video_id for each in world.completed] == [end.external_id]
    assert len({each.number for each in world.uploads if each.persisted}) == 1


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("moment", range(12))
def test_one_fault_at_each_step_costs_little(fault: str, moment: int) -> None:
    """Channel, session, four chunks, the questions: one fault anywhere, and no more than one chunk is sent twice."""
    world = HonestYouTube(Habits())
    drive = Drive(world, order())
    end = drive.run([""] * moment + [fault], [])
    assert isinstance(end, Done)
    assert len(world.completed) == 1
    anew = fault in ("session_gone", "lost_and_session_gone")
    assert drive.sent.count("upload.chunk") <= (8 if anew else 5)
    assert drive.sent.count("videos.insert") <= 2


def test_without_faults_nothing_is_asked_for_that_is_not_needed() -> None:
    drive = Drive(HonestYouTube(Habits()), order())
    drive.run([], [])
    assert drive.sent[:6] == ["channels.list", "videos.insert", *["upload.chunk"] * 4]
    assert set(drive.sent[6:]) == {"videos.list"}


def test_bytes_that_youtube_has_are_never_sent_again() -> None:
    world = HonestYouTube(Habits())
    drive = Drive(world, order())
    end = drive.run(["", "", *["answer_lost", ""] * 4], [])
    assert isinstance(end, Done)
    assert drive.sent.count("upload.chunk") == 4
    assert len(world.uploads) == 1


def test_the_last_answer_lost_with_its_session_is_found_on_the_channel() -> None:
    """The worst moment: the video exists, nobody told us, and nobody remembers the upload."""
    world = HonestYouTube(Habits(list_lag=timedelta(seconds=200), size_lag=timedelta(seconds=900)))
    drive = Drive(world, order())
    end = drive.run([""] * 5 + ["lost_and_session_gone"], [])
    assert isinstance(end, Done)
    assert [each.video_id for each in world.uploads] == [end.external_id]


def test_a_transfer_that_youtube_calls_aborted_is_sent_again() -> None:
    world = HonestYouTube(Habits(failures=["uploadAborted"]))
    end = Drive(world, order()).run([], [])
    assert isinstance(end, Done)
    assert [each.video_id for each in world.completed] == [end.external_id] == ["video-00001"]
