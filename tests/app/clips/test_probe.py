"""Every file is judged by what it holds; each that cannot be used gets one sentence."""

import random
import struct
import zlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import pytest
from PIL import Image

from clipcast.clips.probe import READ_WHOLE_BYTES, Facts, probe
from clipcast.clips.sample import make_sample_image, make_sample_video, make_sample_webm
from clipcast.clips.thumbnail import thumbnail
from clipcast.errors import UnusableMedia
from clipcast.platforms.base import MediaKind


def written(path: Path, content: bytes | bytearray) -> Path:
    path.write_bytes(content)
    return path


def box_at(content: bytes | bytearray, kind: bytes) -> int:
    """Where the body of the first box of that kind begins."""
    return content.index(kind) + 4


def patched(source: Path, to: Path, kind: bytes, offset: int, number: int) -> Path:
    """A copy with one 32-bit number of a box changed."""
    content = bytearray(source.read_bytes())
    struct.pack_into(">I", content, box_at(content, kind) + offset, number)
    return written(to, content)


def refusal(path: Path) -> str:
    with pytest.raises(UnusableMedia) as caught:
        thumbnail(path, probe(path))
    return str(caught.value)


def test_a_video_with_sound(video: Path) -> None:
    assert probe(video) == Facts(MediaKind.VIDEO, "video/mp4", 270, 480, 1.0, 30.0, "h264", "aac")


def test_a_quicktime_film_without_sound(tmp_path: Path) -> None:
    film = make_sample_video(tmp_path / "film.mov", seconds=1, width=128, height=96, frame_rate=24, sound=False)

    assert probe(film) == Facts(MediaKind.VIDEO, "video/quicktime", 128, 96, 1.0, 24.0, "h264", None)


def test_a_webm(tmp_path: Path) -> None:
    clip = make_sample_webm(tmp_path / "clip.webm", width=96, height=128)

    assert probe(clip) == Facts(MediaKind.VIDEO, "video/webm", 96, 128, 1.0, 30.0, "vp9", None)


@pytest.mark.parametrize(("name", "content_type"), [("a.jpg", "image/jpeg"), ("a.png", "image/png"), ("a.webp", "image/webp")])
def test_pictures(tmp_path: Path, name: str, content_type: str) -> None:
    picture = make_sample_image(tmp_path / name, width=64, height=48)

    assert probe(picture) == Facts(MediaKind.IMAGE, content_type, 64, 48)


def test_a_picture_named_like_a_video_is_a_picture(tmp_path: Path, photo: Path) -> None:
    assert probe(written(tmp_path / "video.mp4", photo.read_bytes())).content_type == "image/jpeg"


def test_a_video_named_like_a_picture_is_a_video(tmp_path: Path, video: Path) -> None:
    assert probe(written(tmp_path / "photo.jpg", video.read_bytes())).content_type == "video/mp4"


def test_the_exif_orientation_turns_width_and_height(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter to the right
    Image.new("RGB", (80, 60)).save(tmp_path / "turned.jpg", exif=exif)

    facts = probe(tmp_path / "turned.jpg")

    assert (facts.width, facts.height) == (60, 80)


def turned_video(path: Path, degrees: int) -> Path:
    """Left half black, right half white, and a note to the player to turn it anticlockwise by so much."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 160, "yuv420p"
        stream.set_display_rotation(degrees)
        for number in range(10):
            picture = Image.new("L", (320, 160), 0)
            picture.paste(255, (160, 0, 320, 160))
            frame = av.VideoFrame.from_image(picture.convert("RGB"))  # type: ignore[no-untyped-call]  # PyAV's stub is incomplete here
            frame.pts, frame.time_base = number, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize(
    ("degrees", "size", "white_at"),
    [(0, (320, 160), (300, 80)), (90, (160, 320), (80, 20)), (180, (320, 160), (20, 80)), (270, (160, 320), (80, 300))],
)
def test_a_turned_video_is_seen_upright(tmp_path: Path, degrees: int, size: tuple[int, int], white_at: tuple[int, int]) -> None:
    path = turned_video(tmp_path / "turned.mp4", degrees)

    facts = probe(path)
    (tmp_path / "small.jpg").write_bytes(thumbnail(path, facts))

    assert (facts.width, facts.height) == size
    with Image.open(tmp_path / "small.jpg") as small:
        assert small.size == size
        assert small.convert("L").getpixel(white_at) > 200  # type: ignore[operator]  # one number for a grey picture
        assert small.convert("L").getpixel((size[0] - white_at[0], size[1] - white_at[1])) < 50  # type: ignore[operator]  # one band is a number


def test_a_fragmented_mp4_is_measured_by_reading_it(tmp_path: Path, video: Path) -> None:
    with (
        av.open(str(video)) as source,
        av.open(str(tmp_path / "live.mp4"), "w", options={"movflags": "frag_keyframe+empty_moov+default_base_moof"}) as live,
    ):
        streams = {stream.index: live.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream_index]
                live.mux(packet)

    facts = probe(tmp_path / "live.mp4")

    assert (facts.width, facts.height, facts.video_codec, facts.audio_codec) == (270, 480, "h264", "aac")
    assert facts.duration_s == pytest.approx(1.0, abs=0.05)


def test_a_live_webm_without_duration_is_measured_by_reading_it(tmp_path: Path) -> None:
    """Browsers record like this: no length, no duration, because nobody knew them yet."""
    whole = make_sample_webm(tmp_path / "whole.webm", width=96, height=128)
    with av.open(str(whole)) as source, av.open(str(tmp_path / "live.webm"), "w", container_options={"live": "1"}) as live:
        stream = live.add_stream_from_template(source.streams.video[0])
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = stream
                live.mux(packet)

    facts = probe(tmp_path / "live.webm")

    assert facts.duration_s == pytest.approx(1.0, abs=0.05)
    assert facts.frame_rate == pytest.approx(30, abs=1)


def test_a_large_file_is_judged_by_its_ends(tmp_path: Path) -> None:
    large = make_sample_video(tmp_path / "large.mp4", seconds=8, width=96, height=160, min_bytes=READ_WHOLE_BYTES + 1)

    assert probe(large).duration_s == 8.0


def test_an_empty_file(tmp_path: Path) -> None:
    assert refusal(written(tmp_path / "empty.mp4", b"")) == "The file is empty."


@pytest.mark.parametrize(
    "content",
    [
        b"This is a letter, not a film.\n",
        "Grüße aus Köln\n".encode(),
        b"#EXTM3U\n#EXTINF:10,\n/etc/passwd\n",
        b"ffconcat version 1.0\nfile 'secret.mp4'\n",
        b"<?xml version='1.0'?><MPD></MPD>",
        b"<html><body>Please log in</body></html>",
    ],
)
def test_text_named_like_a_video(tmp_path: Path, content: bytes) -> None:
    assert refusal(written(tmp_path / "video.mp4", content)).startswith("This is text, not a video or picture. Clipcast takes MP4, MOV")


def test_a_playlist_named_like_a_video_reads_no_other_file(tmp_path: Path, video: Path) -> None:
    """FFmpeg left to itself would follow an ffconcat file to the video next to it and call it usable."""
    written(tmp_path / "secret.mp4", video.read_bytes())
    playlist = written(tmp_path / "playlist.mp4", b"ffconcat version 1.0\nfile secret.mp4\n")
    with av.open(str(playlist)) as followed:
        assert followed.streams.video[0].width == 270

    assert "This is text" in refusal(playlist)


def test_a_playlist_behind_a_video_header_is_not_followed_either(tmp_path: Path, video: Path) -> None:
    written(tmp_path / "secret.mp4", video.read_bytes())
    disguised = b"\0\0\0\x10ftypisom\0\0\0\0\nffconcat version 1.0\nfile secret.mp4\n"

    assert "moov" in refusal(written(tmp_path / "video.mp4", disguised))


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (b"GIF89a" + bytes(20), "a GIF"),
        (b"RIFF\0\0\0\0AVI LIST", "an AVI file"),
        (b"RIFF\0\0\0\0WAVEfmt ", "a sound file"),
        (b"ID3\4" + bytes(20), "a sound file"),
        (b"%PDF-1.7", "a PDF"),
        (b"PK\3\4" + bytes(20), "a ZIP archive"),
        (bytes(range(1, 250)), "no video or picture that Clipcast knows"),
        (b"\0\0\0\x18ftypheic" + bytes(20), "a HEIC or AVIF picture: export it as JPEG"),
        (b"\x1a\x45\xdf\xa3\x93\x42\x82\x88matroska", "a Matroska"),
    ],
)
def test_other_formats_are_called_by_their_name(tmp_path: Path, head: bytes, what: str) -> None:
    assert f"This is {what}" in refusal(written(tmp_path / "video.mp4", head))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_video_whose_copy_stopped_early(tmp_path: Path, video: Path, share: float) -> None:
    content = video.read_bytes()

    assert "cut off" in refusal(written(tmp_path / "video.mp4", content[: int(len(content) * share)]))


def test_a_recording_whose_table_of_contents_was_never_written(tmp_path: Path, video: Path) -> None:
    content = video.read_bytes()
    moov = box_at(content, b"moov") - 8
    without = content[:moov] + content[moov + int.from_bytes(content[moov : moov + 4], "big") :]

    assert "table of contents (moov) is missing" in refusal(written(tmp_path / "video.mp4", without))


def test_a_table_of_contents_without_content(tmp_path: Path, video: Path) -> None:
    content = video.read_bytes()

    assert "contains no picture or sound" in refusal(written(tmp_path / "video.mp4", content[: box_at(content, b"mdat") - 8]))


def test_a_video_whose_middle_was_lost(tmp_path: Path, video: Path) -> None:
    """The lengths of the boxes were repaired by some tool, but the samples are not there any more."""
    content = bytearray(video.read_bytes())
    mdat = box_at(content, b"mdat") - 8
    del content[mdat + 2000 :]
    struct.pack_into(">I", content, mdat, 2000)

    assert "cut off" in refusal(written(tmp_path / "v.mp4", content)) or "damaged" in refusal(tmp_path / "v.mp4")


@pytest.mark.parametrize("share", [0.05, 0.5, 0.99])
def test_a_webm_whose_copy_stopped_early(tmp_path: Path, share: float) -> None:
    content = make_sample_webm(tmp_path / "whole.webm", width=96, height=128).read_bytes()

    assert "cut off" in refusal(written(tmp_path / "v.webm", content[: int(len(content) * share)]))


def test_litter_after_a_video_does_no_harm(tmp_path: Path, video: Path) -> None:
    assert probe(written(tmp_path / "v.mp4", video.read_bytes() + b"litter from a card recovery tool")).duration_s == 1.0


def test_sound_without_a_picture(tmp_path: Path, video: Path) -> None:
    with av.open(str(video)) as source, av.open(str(tmp_path / "song.mp4"), "w") as song:
        stream = song.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                song.mux(packet)

    assert "sound but no picture" in refusal(tmp_path / "song.mp4")


def all_boxes_patched(content: bytes, kind: bytes, offset: int, number: int) -> bytes:
    result, start = bytearray(content), 0
    while (start := result.find(kind, start) + 4) > 4:
        struct.pack_into(">I", result, start + offset, number)
    return bytes(result)


def test_a_video_of_no_duration(tmp_path: Path, video: Path) -> None:
    frozen = all_boxes_patched(video.read_bytes(), b"stts", 12, 0)  # every sample lasts nothing
    for kind, offset in ((b"mvhd", 16), (b"tkhd", 20), (b"mdhd", 16)):
        frozen = all_boxes_patched(frozen, kind, offset, 0)

    assert "has no duration" in refusal(written(tmp_path / "v.mp4", frozen.replace(b"elst", b"free")))


@pytest.mark.parametrize(
    ("duration_ms", "says"),
    [(100_000.0, "it promises 100.0 s and ends after 1.0 s"), (1e9, "absurd duration")],
)
def test_a_webm_that_promises_more_than_it_holds(tmp_path: Path, duration_ms: float, says: str) -> None:
    content = make_sample_webm(tmp_path / "whole.webm", width=96, height=128).read_bytes()

    assert says in refusal(written(tmp_path / "v.webm", with_duration(content, duration_ms)))


@pytest.mark.parametrize("duration_ms", [float("nan"), float("inf"), float("-inf"), -5.0, 0.0, 1e300])
def test_a_webm_whose_duration_is_no_number_of_seconds_is_measured_or_refused(tmp_path: Path, duration_ms: float) -> None:
    content = make_sample_webm(tmp_path / "whole.webm", width=96, height=128).read_bytes()
    try:
        assert probe(written(tmp_path / "v.webm", with_duration(content, duration_ms))).duration_s == pytest.approx(1.0, abs=0.05)
    except UnusableMedia as error:
        assert "absurd duration" in str(error)  # noqa: PT017  either answer is right, nothing else is


def with_duration(webm: bytes, duration_ms: float) -> bytes:
    """The `Duration` element (44 89, eight bytes long) rewritten."""
    at = webm.index(b"\x44\x89\x88") + 3
    return webm[:at] + struct.pack(">d", duration_ms) + webm[at + 8 :]


@pytest.mark.parametrize("announced", [10**8, 2**31 - 1, 2**32 - 1])
def test_a_table_that_announces_billions_of_samples_costs_no_memory(tmp_path: Path, video: Path, announced: int) -> None:
    assert "more than any real one has" in refusal(patched(video, tmp_path / "v.mp4", b"stsz", 8, announced))


def test_an_unknown_codec(tmp_path: Path, video: Path) -> None:
    content = video.read_bytes().replace(b"avc1", b"zzzz").replace(b"avcC", b"zzzZ")

    assert "codec is not known" in refusal(written(tmp_path / "v.mp4", content))


def test_pictures_that_cannot_be_decoded(tmp_path: Path, video: Path) -> None:
    content = bytearray(video.read_bytes())
    start = box_at(content, b"mdat")
    content[start:] = random.Random(1).randbytes(len(content) - start)

    assert refusal(written(tmp_path / "v.mp4", content)) in {
        "No picture of the video can be decoded. Export it as MP4 with H.264.",
        "The video is damaged and cannot be read. Export it again.",
    }


def test_a_video_of_absurd_size(tmp_path: Path) -> None:
    strip = make_sample_video(tmp_path / "strip.mp4", seconds=0.1, width=8400, height=64, sound=False)

    assert "8400 x 64 pixels is no usable size" in refusal(strip)


def test_hostile_metadata_is_not_believed_and_not_stumbled_over(tmp_path: Path, video: Path) -> None:
    hostile = {"title": "\x1b[2J<script>", "comment": "x" * 100_000}
    with av.open(str(video)) as source, av.open(str(tmp_path / "v.mp4"), "w") as copy:
        copy.metadata.update(hostile)
        stream = copy.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                copy.mux(packet)
    content = (tmp_path / "v.mp4").read_bytes().replace(b"<script>", b"\xff\xfe\xc0\x80\0\0\0\0")

    assert probe(written(tmp_path / "v.mp4", content)).video_codec == "h264"


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_a_picture_whose_copy_stopped_early(tmp_path: Path, name: str, share: float) -> None:
    content = make_sample_image(tmp_path / name, width=200, height=200).read_bytes()

    assert refusal(written(tmp_path / "cut", content[: int(len(content) * share)])) == "The picture is damaged or cut off. Export it again."


@pytest.mark.parametrize("file_format", ["PNG", "WEBP"])
def test_an_animated_picture(tmp_path: Path, file_format: str) -> None:
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "moving", file_format, save_all=True, append_images=frames[1:])

    assert "animated" in refusal(tmp_path / "moving")


def test_a_phones_jpeg_with_a_second_picture_inside_is_a_photo(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (32, 48), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "photo.jpg", "MPO", save_all=True, append_images=frames[1:])

    assert probe(tmp_path / "photo.jpg") == Facts(MediaKind.IMAGE, "image/jpeg", 32, 48)


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_bomb(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes that claims to be huge."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", zlib.compress(bytes(100_000))) + png_chunk(b"IEND", b"")


@pytest.mark.parametrize(("width", "height"), [(8000, 8001), (9000, 10), (10_000, 10_000), (60_000, 60_000)])
def test_a_decompression_bomb(tmp_path: Path, width: int, height: int) -> None:
    assert "size" in refusal(written(tmp_path / "bomb.png", png_bomb(width, height)))


def mutated(content: bytes, chance: random.Random) -> bytes:
    """A few bytes of the description changed, sometimes the end lost."""
    result = bytearray(content)
    for _ in range(chance.choice((1, 2, 5, 20))):
        at = chance.randrange(min(len(result), 6000) - 4)
        result[at : at + 4] = chance.choice((b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", chance.randbytes(4)))
    return bytes(result[: chance.randrange(len(result))] if chance.random() < 0.2 else result)


def tiny_video(path: Path) -> Path:
    return make_sample_video(path, seconds=0.2, width=64, height=96)


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("a.mp4", tiny_video),
        ("a.mov", tiny_video),
        ("a.webm", lambda path: make_sample_webm(path, seconds=0.2, width=64, height=96)),
        ("a.jpg", lambda path: make_sample_image(path, width=40, height=40)),
        ("a.png", lambda path: make_sample_image(path, width=40, height=40)),
        ("a.webp", lambda path: make_sample_image(path, width=40, height=40)),
    ],
)
def test_whatever_is_broken_in_a_file_the_answer_is_facts_or_a_sentence(tmp_path: Path, name: str, make: Callable[[Path], Path]) -> None:
    content = make(tmp_path / name).read_bytes()
    chance, refused = random.Random(name), 0
    for _ in range(150):
        path = written(tmp_path / "broken", mutated(content, chance))
        try:
            thumbnail(path, probe(path))
        except UnusableMedia as error:
            refused += str(error).endswith(".")

    assert refused > 15
