"""What has to be done to a file so that a platform takes it: a pure function from the file's facts and the platform's form to a plan.

A plan changes as little as it can: sound alone where only the sound is wrong, pixels only where there are too many. Nothing is ever
cropped; a picture that is too narrow or too wide for a platform is set on a white ground.
"""

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final, TypeAlias

from clipcast.platforms.base import Media
from clipcast.platforms.forms import ImageForm, MediaForm, VideoForm

#: A frame of H.264 level 5.1, the largest that players decode in hardware (ITU-T H.264, table A-1: 36,864 macroblocks of 16 x 16).
MAX_ENCODED_PIXELS: Final = 36_864 * 256
#: Twice what YouTube advises for 4K at 60 frames a second would change nothing that can be seen.
MAX_VIDEO_BITS_PER_S: Final = 60_000_000
#: Below, a moving picture is mud.
MIN_VIDEO_BITS_PER_S: Final = 200_000
AUDIO_BITS_PER_S: Final = 128_000
#: What the container adds, and what the encoder's rate control may overshoot.
_HEADROOM: Final = 0.92
#: Below this a picture is multiplied a great many times; nobody means a smooth film then.
_FRAMES_OF_A_FILM: Final = 5
#: The frame rates of the trade; a rate this close to one is meant to be it.
_USUAL_RATES: Final = (*(Fraction(n, 1001) for n in (24_000, 30_000, 60_000)), *map(Fraction, (24, 25, 30, 48, 50, 60)))
_NEARLY: Final = 0.015
_EPSILON: Final = 1e-6  # what the arithmetic of fractions loses is no pixel
_IN_MP4: Final = frozenset({"h264", "hevc", "av1", "vp9"})


@dataclass(frozen=True, slots=True)
class Pictures:
    """How the moving picture is encoded anew: constant frames per second, and bits per second that are not exceeded."""

    frame_rate: Fraction
    max_bits_per_s: int


@dataclass(frozen=True, slots=True)
class VideoPlan:
    """An MP4 to be made. `pictures` of None: they are copied as they are; `encode_audio` of False: so is the sound."""

    width: int
    height: int
    pictures: Pictures | None
    encode_audio: bool

    def __str__(self) -> str:
        if self.pictures is None:
            return "MP4 with the same pictures and its sound as AAC" if self.encode_audio else "MP4 with the same pictures and sound"
        rate = f"{float(self.pictures.frame_rate):.2f}".rstrip("0").rstrip(".")
        return f"MP4 with H.264, {self.width} x {self.height} pixels, {rate} frames per second"


@dataclass(frozen=True, slots=True)
class ImagePlan:
    """A JPEG to be made: the picture scaled to `width` x `height`, in the middle of a white ground of the other two sides."""

    width: int
    height: int
    ground_width: int
    ground_height: int
    max_bytes: int

    def __str__(self) -> str:
        size = f"JPEG of {self.width} x {self.height} pixels"
        if (self.width, self.height) == (self.ground_width, self.ground_height):
            return size
        return f"{size} on a white ground of {self.ground_width} x {self.ground_height}, because nothing is cropped"


Plan: TypeAlias = VideoPlan | ImagePlan


def fits(media: Media, form: MediaForm) -> bool:
    """Whether the platform takes the file as it is."""
    return _fits_video(media, form) if isinstance(form, VideoForm) else _fits_image(media, form)


def plan_for(media: Media, form: MediaForm) -> Plan | None:
    """How to make a file that fits of one that does not; None where no conversion can (its shape is too extreme)."""
    plan: Plan | None = _video_plan(media, form) if isinstance(form, VideoForm) else _image_plan(media, form)
    return plan if plan is not None and fits(expected(media, plan, form), form) else None


def expected(media: Media, plan: Plan, form: MediaForm) -> Media:
    """The facts that the file to be made will have; its size is the most that it may have."""
    if isinstance(plan, ImagePlan):
        size_bytes = min(media.size_bytes, plan.max_bytes)
        return replace(
            media, content_type="image/jpeg", size_bytes=size_bytes, width=plan.ground_width, height=plan.ground_height, video_codec=None
        )
    made = replace(media, content_type="video/mp4", audio_codec="aac" if media.audio_codec and plan.encode_audio else media.audio_codec)
    if plan.pictures is None:
        return made
    bits_per_s = plan.pictures.max_bits_per_s + AUDIO_BITS_PER_S
    most_bytes = form.max_bytes if media.duration_s is None else int(bits_per_s * media.duration_s / 8)
    return replace(
        made,
        width=plan.width,
        height=plan.height,
        frame_rate=float(plan.pictures.frame_rate),
        video_codec="h264",
        size_bytes=max(1, min(media.size_bytes, most_bytes, form.max_bytes)),
    )


# Videos


def _fits_video(video: Media, form: VideoForm) -> bool:
    sound_fits = video.audio_codec is None or form.audio_codecs is None or video.audio_codec in form.audio_codecs
    return video.content_type in form.content_types and sound_fits and _pictures_fit(video, form)


def _pictures_fit(video: Media, form: VideoForm) -> bool:
    return (
        (video.video_codec is None or video.video_codec in form.video_codecs)
        and (video.frame_rate is None or form.min_frame_rate <= video.frame_rate <= form.max_frame_rate)
        and min(video.width, video.height) >= form.min_side_px
        and video.width <= form.max_width_px
        and video.height <= form.max_height_px
        and video.size_bytes <= form.max_bytes
        and (not video.duration_s or 8 * video.size_bytes / video.duration_s <= form.max_bits_per_s)
    )


def _video_plan(video: Media, form: VideoForm) -> VideoPlan | None:
    if _pictures_fit(video, form) and video.video_codec in _IN_MP4:
        return VideoPlan(video.width, video.height, None, encode_audio=video.audio_codec not in {None, "aac"})
    width, height = _scaled(video, form)
    bits_per_s = _video_bits_per_s(video, form)
    if bits_per_s < MIN_VIDEO_BITS_PER_S:
        return None
    pictures = Pictures(_frame_rate(video.frame_rate or 30.0, form), bits_per_s)
    return VideoPlan(width, height, pictures, encode_audio=video.audio_codec is not None)


def _scaled(video: Media, form: VideoForm) -> tuple[int, int]:
    """Both sides even, as 4:2:0 needs it: rounded down, or up where the picture has to grow."""
    shrunk = min(
        1.0,
        form.max_width_px / video.width,
        form.max_height_px / video.height,
        math.sqrt(MAX_ENCODED_PIXELS / (video.width * video.height)),
    )
    factor = shrunk if shrunk < 1 else max(1.0, form.min_side_px / min(video.width, video.height))
    return _even(video.width * factor, up=factor > 1), _even(video.height * factor, up=factor > 1)


def _even(side: float, *, up: bool) -> int:
    return max(2, 2 * (math.ceil(side / 2 - _EPSILON) if up else math.floor(side / 2 + _EPSILON)))


def _video_bits_per_s(video: Media, form: VideoForm) -> int:
    """What the pictures may use, so that the whole file stays below the form's size and rate."""
    whole = min(form.max_bits_per_s, 8 * form.max_bytes / video.duration_s if video.duration_s else math.inf)
    return int(min(MAX_VIDEO_BITS_PER_S, whole * _HEADROOM - AUDIO_BITS_PER_S))


def _frame_rate(rate: float, form: VideoForm) -> Fraction:
    """A constant rate within the form's range: the video's own, or every second, third, ... frame of it, or each frame several times."""
    if rate > form.max_frame_rate:
        rate /= math.ceil(rate / form.max_frame_rate)
    elif rate < form.min_frame_rate:
        rate = rate * math.ceil(form.min_frame_rate / rate) if rate >= _FRAMES_OF_A_FILM else 30.0
    usual = [each for each in _USUAL_RATES if form.min_frame_rate <= each <= form.max_frame_rate and abs(each / rate - 1) <= _NEARLY]
    own = Fraction(rate).limit_denominator(1000)
    return min(usual, key=lambda each: abs(each - own), default=own)


# Pictures


def _fits_image(image: Media, form: ImageForm) -> bool:
    return (
        image.content_type in form.content_types
        and image.size_bytes <= form.max_bytes
        and min(image.width, image.height) <= form.max_short_side_px
        and form.min_aspect <= image.width / image.height <= form.max_aspect
    )


def _image_plan(image: Media, form: ImageForm) -> ImagePlan:
    ground_width = max(image.width, image.height * form.min_aspect)
    ground_height = max(image.height, image.width / form.max_aspect)
    factor = min(1.0, form.max_short_side_px / min(ground_width, ground_height), form.useful_width_px / ground_width)
    width, height = (max(1, math.floor(side * factor + _EPSILON)) for side in (image.width, image.height))
    return ImagePlan(
        width=width,
        height=height,
        ground_width=max(width, math.ceil(height * form.min_aspect)),
        ground_height=max(height, math.ceil(width / form.max_aspect)),
        max_bytes=form.max_bytes,
    )
