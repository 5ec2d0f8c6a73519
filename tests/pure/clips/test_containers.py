import struct
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipcast.clips.containers import EXTENSIONS, MAX_SAMPLES, check_structure, sniff
from clipcast.errors import UnusableMedia


def box(kind: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body) + 8) + kind + body


def track(samples: int, handler: bytes = b"vide", sample_duration: int = 512) -> bytes:
    table = box(b"stts", struct.pack(">IIII", 0, 1, samples, sample_duration)) + box(b"stsz", struct.pack(">III", 0, 4, samples))
    return box(b"trak", box(b"mdia", box(b"hdlr", struct.pack(">II4s", 0, 0, handler)) + box(b"minf", box(b"stbl", table))))


def film(*tracks: bytes, mdat: bytes = b"pictures") -> bytes:
    return box(b"ftyp", b"isom\0\0\0\0") + box(b"moov", b"".join(tracks)) + box(b"mdat", mdat)


def check(content: bytes, content_type: str = "video/mp4") -> bool:
    return check_structure(BytesIO(content), len(content), content_type).fragmented


def refusal(content: bytes, content_type: str = "video/mp4") -> str:
    with pytest.raises(UnusableMedia) as caught:
        check(content, content_type)
    return str(caught.value)


@pytest.mark.parametrize(
    ("head", "content_type"),
    [
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"\0\0\0\x18ftypmp42", "video/mp4"),
        (b"\0\0\0\x14ftypqt  ", "video/quicktime"),
        (b"\0\0\0\x08wide\0\0\0\0mdat", "video/quicktime"),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm", "video/webm"),
    ],
)
def test_the_first_bytes_say_what_it_is(head: bytes, content_type: str) -> None:
    assert sniff(head) == content_type


@given(st.binary(max_size=100))
def test_any_bytes_are_one_of_our_types_or_a_sentence(head: bytes) -> None:
    try:
        assert sniff(head) in EXTENSIONS
    except UnusableMedia as error:
        assert str(error).endswith(".")  # noqa: PT017  both outcomes are right


def test_a_whole_film_passes() -> None:
    assert check(film(track(30), track(48, b"soun", 1024))) is False


def test_a_film_in_fragments_is_recognised() -> None:
    fragment = box(b"moof", box(b"traf", box(b"trun", struct.pack(">II", 0, 30)))) + box(b"mdat", b"pictures")

    assert check(film() + fragment) is True


def test_uncompressed_sound_has_millions_of_samples_that_cost_nothing() -> None:
    hour = 3600 * 48_000

    assert check(film(track(30), track(hour, b"soun", 1))) is False
    assert "more than any real one" in refusal(film(track(hour, b"vide", 1)))
    assert "more than any real one" in refusal(film(track(hour, b"soun", 2)))


def test_samples_are_counted_over_all_tracks_and_fragments() -> None:
    half = MAX_SAMPLES // 2 + 1
    fragment = box(b"moof", box(b"traf", box(b"trun", struct.pack(">II", 0, half))))

    assert check(film(track(half))) is False
    assert "more than any real one" in refusal(film(track(half), track(half)))
    assert "more than any real one" in refusal(film(track(half)) + fragment)


def test_a_last_box_that_runs_to_the_end_needs_no_length() -> None:
    assert check(film()[: -len(box(b"mdat", b"pictures"))] + b"\0\0\0\0mdatpictures") is False


def test_a_64_bit_length_is_understood() -> None:
    start = box(b"ftyp") + box(b"moov")

    assert check(start + b"\0\0\0\1mdat" + struct.pack(">Q", 24) + b"pictures") is False
    assert "cut off" in refusal(start + b"\0\0\0\1mdat" + struct.pack(">Q", 5_000_000_000) + b"pictures")


@pytest.mark.parametrize("cut", [1, 4, 8])
def test_a_cut_is_seen_by_the_lengths(cut: int) -> None:
    assert "is cut off" in refusal(film()[:-cut])


def test_a_table_of_contents_that_overflows_itself_is_damaged() -> None:
    overflowing = struct.pack(">I", 5000) + b"trak" + bytes(20)

    assert "damaged" in refusal(box(b"ftyp") + box(b"moov", overflowing) + box(b"mdat", b"x"))


def test_boxes_within_boxes_without_end_are_not_followed_for_ever() -> None:
    nested = b""
    for _ in range(2000):
        nested = box(b"trak", nested)

    assert check(film(nested)) is False


@given(st.binary(max_size=300))
def test_any_bytes_are_answered(content: bytes) -> None:
    for head, content_type in ((b"\0\0\0\x10ftypisom\0\0\0\0", "video/mp4"), (b"\x1a\x45\xdf\xa3", "video/webm")):
        try:
            check(head + content, content_type)
        except UnusableMedia as error:
            assert str(error).endswith(".")  # noqa: PT017  both outcomes are right


def test_a_webm_of_unknown_length_is_read_whole() -> None:
    header = b"\x1a\x45\xdf\xa3\x87\x42\x82\x84webm"

    assert check(header + b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff" + bytes(50), "video/webm") is True
    assert check(header + b"\x18\x53\x80\x67\xb2" + bytes(50), "video/webm") is False
    assert "cut off" in refusal(header + b"\x18\x53\x80\x67\xb3" + bytes(50), "video/webm")
    assert "no content" in refusal(header, "video/webm")
