"""What is stored of a flow: it comes back as it was, says its version, and is refused in a sentence when it cannot be read."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipcast.errors import ConfigurationError
from clipcast.platforms.youtube import YouTubeState
from clipcast.platforms.youtube.chunks import next_part, persisted_bytes
from pure.youtube.orders import (
    KIB_256,
    NOW,
    YOUTUBE,
    after,
    at,
    cover,
    doing,
    finished,
    lost,
    order,
    processing,
    searching,
    stored,
    uploading,
    uploads,
)

FULL = order(cover=cover(), options={"tags": ["a"], "category_id": 22}, extra={"snippet": {"x": [1]}}, account={"channel_id": ""})
STATES = [
    YOUTUBE.begin(FULL),
    uploading(FULL),
    lost(uploading(FULL)),
    searching(FULL),
    after(searching(FULL), uploads(("a", NOW)), now=at(60)),
    processing(FULL),
    after(processing(FULL), doing("uploaded"), now=at(10)),
    finished(FULL),
    lost(finished(FULL), at(10)),
]


@pytest.mark.parametrize("state", STATES, ids=lambda state: type(state).__name__)
def test_every_state_comes_back_as_it_was(state: YouTubeState) -> None:
    assert stored(state) == state
    assert YOUTUBE.dump(state)["version"] == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"version": 2}, "another version"),
        ({"kind": "dreaming"}, "another version"),
        ({"since": "yesterday"}, "damaged: since"),
        ({"asking": "why"}, "damaged: asking"),
    ],
)
def test_what_cannot_be_read_is_said_and_tells_no_secret(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        YOUTUBE.load({**YOUTUBE.dump(uploading()), **changes})
    assert "SECRET" not in str(caught.value)


@given(size_bytes=st.integers(1, 50 * KIB_256), blocks=st.integers(1, 9), data=st.data())
def test_parts_cover_the_file_in_order_whatever_youtube_keeps_of_each(size_bytes: int, blocks: int, data: st.DataObject) -> None:
    """Every part starts where the stored bytes end; all but the last are whole chunks."""
    stored_bytes, chunk_bytes = 0, blocks * KIB_256
    while stored_bytes < size_bytes:
        part = next_part(stored_bytes, size_bytes, chunk_bytes)
        assert part.start == stored_bytes
        assert len(part) == chunk_bytes or part.stop == size_bytes
        kept = data.draw(st.integers(1, -(-len(part) // KIB_256))) * KIB_256
        stored_bytes = min(part.start + kept, part.stop)
    assert stored_bytes == size_bytes


@pytest.mark.parametrize("chunk_bytes", [0, -KIB_256, 1, KIB_256 + 1])
def test_no_other_chunks_are_planned(chunk_bytes: int) -> None:
    with pytest.raises(ValueError, match="multiples"):
        next_part(0, 10, chunk_bytes)


@pytest.mark.parametrize(("stored_bytes", "size_bytes"), [(10, 10), (11, 10), (-1, 10), (0, 0)])
def test_nothing_is_sent_where_nothing_is_left(stored_bytes: int, size_bytes: int) -> None:
    with pytest.raises(ValueError, match="nothing"):
        next_part(stored_bytes, size_bytes, KIB_256)


@given(st.integers(0, 10**14))
def test_both_spellings_of_a_range_are_read(last: int) -> None:
    assert persisted_bytes(f"bytes=0-{last}") == persisted_bytes(f"0-{last}") == last + 1


@pytest.mark.parametrize(
    "text", [None, "", "bytes=1-5", "bytes=0-", "bytes=0--1", "bytes 0-5", "0-5,7-9", "bytes=0-1" + "0" * 30, "bytes=0-٣"]
)
def test_anything_else_is_no_range(text: str | None) -> None:
    assert persisted_bytes(text) is None
