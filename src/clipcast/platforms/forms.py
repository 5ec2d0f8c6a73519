"""What a platform takes of a file, whatever it shows: the data that conversions go by.

Only what converting can mend is here. A video's length, or what it shows, is the creator's business.
"""

import hashlib
import math
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class VideoForm:
    """What a video must be: sizes in bytes, sides in pixels as a person sees them, rates in frames and in bits per second.

    `name` tells the forms of all platforms apart. `audio_codecs` of None means that any sound is taken.
    """

    name: str
    content_types: tuple[str, ...]
    video_codecs: tuple[str, ...]
    max_bytes: int
    audio_codecs: tuple[str, ...] | None = None
    min_frame_rate: float = 0.0
    max_frame_rate: float = math.inf
    min_side_px: int = 2
    max_width_px: int = 8192
    max_height_px: int = 8192
    max_bits_per_s: float = math.inf


@dataclass(frozen=True, slots=True)
class ImageForm:
    """What a picture must be; `aspect` is width / height.

    `useful_width_px` is no limit: the platform itself scales down to it, so a picture that is converted anyway becomes no wider.
    """

    name: str
    content_types: tuple[str, ...]
    max_bytes: int
    max_short_side_px: int = 8192
    useful_width_px: int = 8192
    min_aspect: float = 0.0
    max_aspect: float = math.inf


MediaForm: TypeAlias = VideoForm | ImageForm


def purpose_of(form: MediaForm) -> str:
    """Under which name a clip's conversion to this form is kept.

    It changes with the form, so that a limit which became stricter is met by a new conversion, while an upload that is under way goes on
    with the bytes it began with.

    >>> purpose_of(ImageForm("tiktok", ("image/jpeg",), 20_000_000))
    'fit-tiktok-a9c7a588'
    """
    return f"fit-{form.name}-{hashlib.sha256(repr(form).encode()).hexdigest()[:8]}"
