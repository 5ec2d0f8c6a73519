"""Instagram's error codes with what they say: the official media table, the subcodes seen besides it, the Graph codes.

https://developers.facebook.com/documentation/instagram-platform/instagram-graph-api/reference/error-codes (2026-06-02)
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Wording:
    """What an error says: `message` for the developer, the other two for the account's owner."""

    message: str
    title: str | None = None
    user: str | None = None
    status: int = 400


_DOWNLOAD: Final = "Media download has failed. The media URI doesn't meet our requirements."
_UNSUPPORTED: Final = "Unsupported request. The object does not exist, or is not for this caller."

ERRORS: Final[dict[tuple[int, int | None], Wording]] = {
    (-2, 2207003): Wording("It takes too long to download the media.", "Timeout", "It takes too long to download the media."),
    (-2, 2207020): Wording("The media has expired.", "Media expired", "The media you are trying to access has expired. Please try again."),
    (-1, 2207001): Wording("Instagram server error. Try again.", "Server error", "There was a server error. Try again."),
    (-1, 2207032): Wording("Create media fail, please try to re-create media.", "Create failed", "Please try to create the media again."),
    (-1, 2207053): Wording("Unknown upload error.", "Upload failed", "There was an unknown error while uploading. Create the media again."),
    (-1, 2207073): Wording("This media type is not supported for deletion.", "Cannot delete", "This media cannot be deleted."),
    (-1, 2207085): Wording("Fatal", "Fatal", "The media could not be processed."),
    (1, 2207057): Wording("The thumbnail offset is outside of the video.", "Invalid thumbnail", "thumb_offset must be within the video."),
    (4, 2207051): Wording("Application request limit reached", "Action is blocked", "Certain activity is restricted."),
    (9, 2207042): Wording("Application does not have the capability", "Limit reached", "You reached the maximum number of posts by API."),
    (9, 2207069): Wording("User is performing too many actions", "Too many actions", "You have created too many posts. Try later."),
    (10, None): Wording("(#10) Application does not have permission for this action", status=403),
    (24, 2207006): Wording("The requested resource does not exist", "Media not found", "The media with this id cannot be found."),
    (24, 2207008): Wording("The requested resource does not exist", "Media builder not found", "The media builder has expired."),
    (25, 2207050): Wording("The account is restricted", "Account restricted", "The account is inactive or checkpointed."),
    (100, 33): Wording(_UNSUPPORTED),
    (100, 36007): Wording("This authorization code has expired."),
    (100, 36009): Wording("This authorization code has been used."),
    (100, 2207023): Wording("The media type is unknown", "Unknown media type", "The media type is unknown."),
    (100, 2207028): Wording("Invalid carousel", "Invalid carousel", "A carousel needs at least 2 and at most 10 photos or videos."),
    (100, 2207035): Wording("Product tag positions must not be given for videos", "Invalid tag", "Videos take no tag positions."),
    (100, 2207036): Wording("Product tag positions are required for photos", "Invalid tag", "Photos need tag positions."),
    (100, 2207037): Wording("The product tag is invalid", "Invalid product", "One or more of the products cannot be tagged."),
    (100, 2207040): Wording("Cannot use more than 20 tags", "Too many tags", "You cannot use more than 20 tags."),
    (100, 2207067): Wording("media_type VIDEO is no longer supported. Use REELS", "Not supported", "Use the REELS media type for videos."),
    (190, 458): Wording("Error validating access token: The user has not authorized the application."),
    (190, 459): Wording("Error validating access token: You cannot access the app till you log in and follow the instructions given."),
    (190, 460): Wording("Error validating access token: The session has been invalidated because the user changed their password."),
    (190, 463): Wording("Error validating access token: Session has expired."),
    (190, 464): Wording("Error validating access token: Sessions for the user are not allowed because the user is not confirmed."),
    (190, 467): Wording("Error validating access token: The session is invalid because the user logged out."),
    (190, 492): Wording("Error validating access token: The user must be an administrator, editor, or moderator of the page."),
    (352, 2207026): Wording("The video format is not supported", "Unsupported video", "Check the video specifications."),
    (613, 1996): Wording("(#613) Calls to this api have shown an irregular volume."),
    (9004, 2207052): Wording("Only photo or video can be accepted as media type.", "Media download has failed", _DOWNLOAD),
    (9007, 2207027): Wording("Media ID is not available", "Cannot publish", "The media is not ready, please wait"),
    (36000, 2207004): Wording("The image is too large", "Image too large", "The image should be less than 8 MiB."),
    (36001, 2207005): Wording("The image format is not supported", "Unsupported format", "The image format is not supported. Use JPEG."),
    (36003, 2207009): Wording("The aspect ratio is not supported", "Invalid aspect ratio", "It must be from 4:5 to 1.91:1."),
    (36004, 2207010): Wording("The caption is too long", "Caption too long", "At most 2200 characters, 30 hashtags and 20 mentions."),
    (1, None): Wording("An unknown error occurred"),
    (2, None): Wording("Service temporarily unavailable", status=500),
    (3, None): Wording("(#3) Application does not have the capability to make this API call."),
    (4, None): Wording("(#4) Application request limit reached"),
    (17, None): Wording("(#17) User request limit reached"),
    (32, None): Wording("(#32) Page request limit reached"),
    (100, None): Wording("(#100) Invalid parameter"),
    (102, None): Wording("Session key invalid or no longer valid"),
    (104, None): Wording("An access token is required to request this resource."),
    (190, None): Wording("Invalid OAuth access token - Cannot parse access token"),
    (200, None): Wording("API access blocked.", status=403),
    (341, None): Wording("(#341) Application limit reached"),
    (368, None): Wording("The action attempted has been deemed abusive or is otherwise disallowed"),
    (613, None): Wording("(#613) Calls to this api have exceeded the rate limit."),
    (2500, None): Wording("Unknown path components"),
    (2635, None): Wording("(#2635) You are calling a deprecated version of the API."),
    (80001, None): Wording("(#80001) There have been too many calls to this Page account."),
    (80002, None): Wording("(#80002) There have been too many calls to this Instagram account. Wait a bit and try again."),
}

#: Subcodes that only containers show; their codes are not documented.
CONTAINER_ONLY: Final = frozenset({2207076, 2207077, 2207081, 2207082})

CONTAINER_SUBCODES: Final = CONTAINER_ONLY | {subcode for _, subcode in ERRORS if subcode is not None and subcode > 2_207_000}

_TRANSLATED: Final = (
    ("Algo salió mal", "No se pudo completar la acción. Inténtalo de nuevo más tarde."),
    ("เกิดข้อผิดพลาด", "ไม่สามารถดำเนินการได้ โปรดลองอีกครั้งในภายหลัง"),
    ("ದೋಷ ಸಂಭವಿಸಿದೆ", "ಕ್ರಿಯೆಯನ್ನು ಪೂರ್ಣಗೊಳಿಸಲು ಸಾಧ್ಯವಾಗಲಿಲ್ಲ."),
)


class Refusal(Exception):
    """Instagram says no. `message` replaces the code's own; `subcode` 0 is sent as it is."""

    def __init__(self, code: int, subcode: int | None = None, message: str | None = None) -> None:
        super().__init__(code, subcode)
        self.code = code
        self.subcode = subcode
        self.message = message

    @property
    def word(self) -> str:
        """The pair as scripts and the journal write it."""
        return str(self.code) if self.subcode is None else f"{self.code}/{self.subcode}"

    @property
    def wording(self) -> Wording:
        """What it says, in English."""
        return ERRORS.get((self.code, self.subcode)) or ERRORS[self.code, None]


def parse_pair(word: str) -> Refusal | None:
    """Read `4/2207051` or `80002`; None when Instagram has no such error.

    >>> parse_pair("9/2207042").subcode
    2207042
    """
    code, _, subcode = word.partition("/")
    try:
        pair = (int(code), int(subcode) if subcode else None)
    except ValueError:
        return None
    return Refusal(*pair) if pair in ERRORS or pair == (190, 0) else None


def translated(index: int) -> tuple[str, str]:
    """Return a title and a message in some other language."""
    return _TRANSLATED[index % len(_TRANSLATED)]
