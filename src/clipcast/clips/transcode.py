"""Makes the MP4 that a plan describes: H.264 in 4:2:0 and AAC, a constant frame rate, upright, the table of contents first, no edit list.

One picture and a few thousand samples are in hand at any time, whatever the video's length. Times begin at zero and gaps in the sound are
filled with silence, so that picture and sound stay together; whatever the file claims, nothing is written past its probed duration.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, Protocol

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.filter import Graph
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from clipcast.clips.conversions import Heard
from clipcast.clips.fitting import AUDIO_BITS_PER_S, Pictures, VideoPlan
from clipcast.clips.probe import can_decode, codec_of, first_frame, open_video, picture_stream
from clipcast.errors import Busy, UnusableMedia

SAMPLE_RATE_HZ: Final = 48_000
#: AAC encodes so many samples at a time, and its encoder puts one such frame of nothing before the first.
_AAC_FRAME: Final = 1024
#: Sound that is this far from its place is moved there; less is the file's own imprecision.
_OUT_OF_PLACE: Final = SAMPLE_RATE_HZ // 10
_THREADS: Final = 2
_KEYFRAME_EVERY_S: Final = 2
#: How far past the probed duration a frame may lie.
_SLACK_S: Final = 1.0
_UPRIGHT: Final = {90: ("transpose=cclock",), 180: ("hflip", "vflip"), 270: ("transpose=clock",)}
_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True, slots=True)
class Source:
    """The video to convert: where it is on this machine, and what was found out about it."""

    path: Path
    content_type: str
    duration_s: float


def transcode(source: Source, plan: VideoPlan, target: Path, heard: Heard) -> None:
    """Write the video that `plan` describes to `target`.

    Raises:
        UnusableMedia: the source cannot be decoded to its end.
        Busy: the disk is full.
    """
    look = _looked_at(source) if plan.pictures else None
    with open_video(source.path, source.content_type) as reading, _written(target, edit_list=plan.pictures is None) as writing:
        tracks = _tracks(reading, writing, source, plan, look)
        started = (reading.start_time or 0) / av.time_base
        for packet in reading.demux(*[reading.streams[index] for index in tracks]):
            if packet.pts is not None:
                heard(min(1.0, max(0.0, (float(packet.pts * packet.time_base) - started) / source.duration_s)))
            tracks[packet.stream.index].take(packet)
        for track in tracks.values():
            track.finish()
    heard(1.0)


@contextmanager
def _written(target: Path, *, edit_list: bool) -> Iterator[OutputContainer]:
    """The MP4 to write. Copied pictures may need an edit list, because theirs come out of order; ours do not."""
    options = {"movflags": "+faststart", "fflags": "+bitexact", "use_editlist": str(int(edit_list))}
    try:
        with av.open(str(target), "w", format="mp4", container_options=options) as container:
            yield container
    except av.FFmpegError as error:
        if error.errno in _FULL:
            raise Busy("The disk is full. Nothing was stored; free some space and try again.") from error
        raise


class _Track(Protocol):
    """One stream on its way from the source to the target."""

    def take(self, packet: "Packet[Any]") -> None:
        """Convert and write what this packet holds; a packet without times says that it was the last."""

    def finish(self) -> None:
        """Write what is still held back."""


@dataclass(frozen=True, slots=True)
class _Times:
    """When the source begins, by its own count, and how far after that anything may lie; in seconds."""

    started_s: Fraction
    end_s: float


def _tracks(reading: InputContainer, writing: OutputContainer, source: Source, plan: VideoPlan, look: "_Look | None") -> dict[int, _Track]:
    """The tracks by the index of their stream; all streams are made before the first packet is written."""
    times = _Times(Fraction(reading.start_time or 0, av.time_base), source.duration_s + _SLACK_S)
    pictures = picture_stream(reading)
    copied = look is None
    tracks: dict[int, _Track] = {
        pictures.index: _Copied(pictures, writing, times) if look is None else _Pictures(pictures, writing, plan, look, times)
    }
    for sound in reading.streams.audio[:1]:
        if not can_decode(sound):
            name = codec_of(sound) or "unknown"
            raise UnusableMedia(f"The video's sound is of a kind that Clipcast cannot read ({name}). Export it as MP4 with H.264 and AAC.")
        tracks[sound.index] = _Copied(sound, writing, times) if copied and not plan.encode_audio else _Sound(writing, times)
    return tracks


class _Copied:
    """A stream that is written as it was read."""

    def __init__(self, stream: VideoStream | AudioStream, writing: OutputContainer, times: _Times) -> None:
        self._writing = writing
        self._out = writing.add_stream_from_template(stream)
        assert stream.time_base is not None
        self._shift = round(times.started_s / stream.time_base)
        if codec_of(stream) == "hevc":
            self._out.codec_tag = "hvc1"  # the name under which Apple's players look for H.265

    def take(self, packet: "Packet[Any]") -> None:
        """Write the packet, its times counted from zero."""
        if packet.dts is None:
            return
        packet.dts -= self._shift
        if packet.pts is not None:
            packet.pts -= self._shift
        packet.stream = self._out
        self._writing.mux(packet)

    def finish(self) -> None:
        """Nothing is held back."""


# Pictures


@dataclass(frozen=True, slots=True)
class _Look:
    """What the first picture tells about all of them, before anything is written."""

    rotation: int
    colorspace: int
    color_primaries: int
    color_trc: int


def _looked_at(source: Source) -> _Look:
    with open_video(source.path, source.content_type) as container:
        frame = first_frame(container, picture_stream(container))
        return _Look(frame.rotation % 360, frame.colorspace, frame.color_primaries, frame.color_trc)


class _Pictures:
    """Decodes, brings to a constant rate, turns upright, scales, encodes."""

    def __init__(self, stream: VideoStream, writing: OutputContainer, plan: VideoPlan, look: _Look, times: _Times) -> None:
        assert plan.pictures is not None
        assert stream.time_base is not None
        stream.codec_context.thread_count = _THREADS
        self._writing = writing
        self._shift, self._end = round(times.started_s / stream.time_base), round(times.end_s / stream.time_base)
        self._left = round(times.end_s * plan.pictures.frame_rate) + 1
        self._graph = _graph(stream, plan, plan.pictures, look)
        self._out = _encoder(stream, writing, plan, plan.pictures, look)

    def take(self, packet: "Packet[VideoStream]") -> None:
        """Encode the pictures of this packet; those without a time, or past the end, are left out."""
        for frame in packet.decode():
            if frame.pts is None or frame.pts - self._shift > self._end:
                continue
            frame.pts -= self._shift
            self._graph.vpush(frame)
            self._encode()

    def finish(self) -> None:
        """Encode what the filters and the encoder hold back."""
        self._graph.vpush(None)
        self._encode()
        self._writing.mux(self._out.encode())

    def _encode(self) -> None:
        while (frame := self._pulled()) is not None:
            self._left -= 1
            if self._left < 0:
                raise UnusableMedia("The video's pictures lie further apart than its length allows. Export it again.")
            frame.pict_type = 0  # the source's own key frames are not ours
            self._writing.mux(self._out.encode(frame))

    def _pulled(self) -> VideoFrame | None:
        try:
            return self._graph.vpull()
        except (av.BlockingIOError, av.EOFError):
            return None


def _graph(stream: VideoStream, plan: VideoPlan, pictures: Pictures, look: _Look) -> Graph:
    steps = [
        "yadif=deint=interlaced",
        f"fps={pictures.frame_rate}:start_time=0",
        *_UPRIGHT.get(look.rotation, ()),
        f"scale={plan.width}:{plan.height}:flags=bicubic:out_range=tv",
        "format=yuv420p",
        "buffersink",
    ]
    graph = Graph()
    node = graph.add_buffer(template=stream)
    for step in steps:
        name, _, arguments = step.partition("=")
        following = graph.add(name, arguments or None)
        node.link_to(following)
        node = following
    graph.configure()
    return graph


def _encoder(stream: VideoStream, writing: OutputContainer, plan: VideoPlan, pictures: Pictures, look: _Look) -> VideoStream:
    """H.264 whose quality is even and whose rate never passes the plan's.

    Without B-frames, because pictures in order need no edit list, which Instagram does not take.
    """
    rate_bits = str(pictures.max_bits_per_s)
    options = {"preset": "veryfast", "profile": "high", "crf": "20", "bf": "0", "maxrate": rate_bits, "bufsize": rate_bits}
    out = writing.add_stream("libx264", rate=pictures.frame_rate, options=options)
    out.width, out.height, out.pix_fmt = plan.width, plan.height, "yuv420p"
    context = out.codec_context
    context.thread_count, context.gop_size = _THREADS, round(_KEYFRAME_EVERY_S * pictures.frame_rate)
    context.colorspace, context.color_primaries, context.color_trc = look.colorspace, look.color_primaries, look.color_trc
    context.color_range = 1  # limited, as the scaler makes it
    shape = stream.sample_aspect_ratio
    if shape:
        context.sample_aspect_ratio = 1 / shape if look.rotation % 180 else shape
    return out


# Sound


class _Sound:
    """Decodes, brings to 48 kHz stereo, puts in its place, encodes as AAC.

    The first 1,024 samples (21 ms) make room for what the encoder puts before them, so that the sound begins at zero without an edit list.
    """

    def __init__(self, writing: OutputContainer, times: _Times) -> None:
        self._writing, self._times = writing, times
        self._resampler = av.AudioResampler(format="fltp", layout="stereo", rate=SAMPLE_RATE_HZ)
        self._waiting = av.AudioFifo()
        self._out = writing.add_stream("aac", rate=SAMPLE_RATE_HZ, layout="stereo")
        self._out.codec_context.bit_rate = AUDIO_BITS_PER_S
        self._placed = self._encoded = 0

    def take(self, packet: "Packet[AudioStream]") -> None:
        """Encode the samples of this packet; those that lie over others, or past the end, are left out."""
        for frame in packet.decode():
            at = self._placed if frame.time is None else round((frame.time - self._times.started_s) * SAMPLE_RATE_HZ)
            if self._placed - _OUT_OF_PLACE <= at <= self._times.end_s * SAMPLE_RATE_HZ:
                if self._placed + _OUT_OF_PLACE < at:
                    self._be_silent_until(at)
                self._place(self._resampled(frame))

    def finish(self) -> None:
        """Encode what is left, at least one frame of silence: a track without samples is damaged to many players."""
        self._place(self._resampled(None))
        self._be_silent_until(2 * _AAC_FRAME)
        self._encode(partial=True)
        self._writing.mux(self._out.encode())

    def _resampled(self, frame: AudioFrame | None) -> list[AudioFrame]:
        try:
            return self._resampler.resample(frame)
        except ValueError as error:  # PyAV's word for a rate or layout that changes in the middle
            raise UnusableMedia("The video's sound changes its kind in the middle. Export it again.") from error

    def _be_silent_until(self, sample: int) -> None:
        """Fill the gap, a frame at a time."""
        while self._placed < sample:
            silence = AudioFrame(format="fltp", layout="stereo", samples=min(_AAC_FRAME, sample - self._placed))
            for plane in silence.planes:
                plane.update(bytes(plane.buffer_size))
            silence.sample_rate = SAMPLE_RATE_HZ
            self._place([silence])

    def _place(self, frames: list[AudioFrame]) -> None:
        for frame in frames:
            self._placed += frame.samples
            frame.pts = None
            self._waiting.write(frame)
        self._encode(partial=False)

    def _encode(self, *, partial: bool) -> None:
        while (frame := self._waiting.read(_AAC_FRAME, partial=partial)) is not None:
            frame.pts, frame.time_base = self._encoded, Fraction(1, SAMPLE_RATE_HZ)
            if self._encoded:
                self._writing.mux(self._out.encode(frame))
            self._encoded += frame.samples
