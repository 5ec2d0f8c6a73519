import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipcast.clips.ingest import MAX_NAME, clean_name


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("holiday.mp4", "holiday.mp4"),
        ("/home/me/holiday.mp4", "holiday.mp4"),
        ("C:\\Users\\me\\holiday.mp4", "holiday.mp4"),
        ("../../../etc/passwd", "passwd"),
        ("été à Köln 🌞.mp4", "été à Köln 🌞.mp4"),
        ("a\0b\r\nc\x1b[0m\u202e.mp4", "abc[0m.mp4"),
        ("  spaced.mp4  ", "spaced.mp4"),
        ("broken\udcff.mp4", "broken?.mp4"),
        ("", "clip.mp4"),
        ("/", "clip.mp4"),
        ("..", "clip.mp4"),
        ("x" * 400 + ".mp4", "x" * 251 + ".mp4"),
        ("x" * 400, "x" * 255),
    ],
)
def test_a_name_keeps_what_is_harmless(name: str, kept: str) -> None:
    assert clean_name(name, "mp4") == kept


@given(st.text())
def test_any_name_can_be_stored_and_shown(name: str) -> None:
    kept = clean_name(name, "mp4")

    assert 0 < len(kept) <= MAX_NAME
    assert kept.isprintable()
    assert not set(kept) & set("/\\")
    assert kept.encode()
