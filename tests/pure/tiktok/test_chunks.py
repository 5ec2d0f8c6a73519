import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clipcast.platforms.tiktok.chunks import ChunkPlan, plan_chunks

MB = 1_000_000


@pytest.mark.parametrize(
    ("size_bytes", "chunk_bytes", "count", "last"),
    [
        (4_194_304, 10 * MB, 1, "bytes 0-4194303/4194304"),
        (50_000_123, 10 * MB, 1, "bytes 0-50000122/50000123"),
        (150_000_000, 32 * MB, 4, "bytes 96000000-149999999/150000000"),
        (64_000_000, 32 * MB, 1, "bytes 0-63999999/64000000"),
        (64_000_001, 32 * MB, 2, "bytes 32000000-64000000/64000001"),
        (3_999_999_999, 10 * MB, 399, "bytes 3980000000-3999999998/3999999999"),
    ],
)
def test_the_worked_examples_of_the_reference(size_bytes: int, chunk_bytes: int, count: int, last: str) -> None:
    plan = plan_chunks(size_bytes, chunk_bytes)
    part = plan.part(plan.count - 1)
    assert (plan.count, f"bytes {part.start}-{part.stop - 1}/{size_bytes}") == (count, last)


def test_tiktoks_own_example_has_its_remainder_in_the_last_chunk() -> None:
    plan = ChunkPlan(50_000_123, 10_000_000, 5)
    assert [len(plan.part(index)) for index in range(5)] == [10_000_000] * 4 + [10_000_123]


@settings(deadline=None)
@given(size_bytes=st.integers(1, 4_000_000_000), chunk_bytes=st.integers(5_242_880, 32_000_000))
def test_every_plan_keeps_every_rule(size_bytes: int, chunk_bytes: int) -> None:
    """floor(size / chunk) chunks of 5 to 64 MB that cover the file in order, one only up to 64 MB and then declared at its own size."""
    plan = plan_chunks(size_bytes, chunk_bytes)
    parts = [plan.part(index) for index in range(plan.count)]
    assert plan.count == size_bytes // plan.chunk_bytes
    assert 1 <= plan.count <= 1000
    assert [part.start for part in parts] == [0, *(part.stop for part in parts[:-1])]
    assert parts[-1].stop == size_bytes
    assert all(len(part) <= 64_000_000 for part in parts)
    assert all(len(part) >= 5_242_880 for part in parts) or plan.count == 1
    assert (plan.count == 1) == (size_bytes <= 64_000_000)


@pytest.mark.parametrize(
    ("size_bytes", "chunk_bytes"), [(0, 10 * MB), (4_000_000_001, 10 * MB), (100 * MB, 5_242_879), (100 * MB, 32 * MB + 1)]
)
def test_no_plan_for_what_tiktok_does_not_take(size_bytes: int, chunk_bytes: int) -> None:
    with pytest.raises(ValueError, match="bytes"):
        plan_chunks(size_bytes, chunk_bytes)


@settings(deadline=None)
@given(
    size_bytes=st.integers(2, 4_000_000_000), chunk_bytes=st.integers(5_242_880, 32_000_000), chunk=st.integers(0, 999), index=st.booleans()
)
def test_a_reply_is_understood_as_count_and_as_index(size_bytes: int, chunk_bytes: int, chunk: int, *, index: bool) -> None:
    plan = plan_chunks(size_bytes, chunk_bytes)
    chunk %= plan.count
    stored = plan.part(chunk).stop
    assert plan.chunks_named(f"bytes 0-{stored - index}/{size_bytes}") == chunk + 1


@pytest.mark.parametrize(
    "content_range",
    [
        None,
        "",
        "bytes 0-10000000/100000124",  # another file's size
        "bytes 0-9999998/100000123",  # no chunk ends there
        "bytes 0-0/100000123",
        "bytes */100000123",
        "bytes 10000000-19999999/100000123",  # what we sent, not what is stored
        "bytes 0-10000000/100000123, bytes 0-1/2",
        "Bytes 0-10000000/100000123",
        "bytes 0--1/100000123",
        "bytes 0-99999999999999999999999/100000123",
    ],
)
def test_what_names_no_chunk_is_not_guessed_at(content_range: str | None) -> None:
    assert plan_chunks(100_000_123, 10 * MB).chunks_named(content_range) is None


@pytest.mark.parametrize(
    ("stored", "chunks"), [(0, 0), (9_999_999, 0), (10_000_000, 1), (99_999_999, 9), (100_000_122, 9), (100_000_123, 10)]
)
def test_a_partly_received_chunk_counts_for_nothing(stored: int, chunks: int) -> None:
    assert plan_chunks(100_000_123, 10 * MB).whole_chunks(stored) == chunks
