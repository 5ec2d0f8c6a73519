import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipcast.clips.ranges import Unsatisfiable, requested_range


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("", None),
        ("bytes=0-", range(10)),
        ("bytes=0-0", range(1)),
        ("bytes=9-9", range(9, 10)),
        ("bytes=3-99", range(3, 10)),
        ("bytes=-4", range(6, 10)),
        ("bytes=-99", range(10)),
        ("BYTES= 2-3 ", range(2, 4)),
        ("bytes=5-4", None),
        ("bytes=-", None),
        ("bytes=", None),
        ("bytes=a-b", None),
        ("bytes=1-2,4-5", None),
        ("bytes=--3", None),
        ("lines=1-2", None),
        ("bytes=" + "9" * 30 + "-", None),
        ("bytes=٣-٤", None),
    ],
)
def test_what_is_asked_for(header: str | None, expected: range | None) -> None:
    assert requested_range(header, 10) == expected


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=10-20", "bytes=-0"])
def test_nothing_of_the_file_lies_there(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        requested_range(header, 10)


@given(header=st.from_regex(r"bytes=\d{0,6}-\d{0,6}", fullmatch=True), size=st.integers(1, 10**6))
def test_a_range_always_lies_within_the_file(header: str, size: int) -> None:
    try:
        part = requested_range(header, size)
    except Unsatisfiable:
        return
    assert part is None or (0 <= part.start < part.stop <= size)
