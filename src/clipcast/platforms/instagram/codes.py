"""Instagram's error codes, as data: which of our errors each one is, and the sentence for the creator.

`CODES` is by (code, subcode); None is "any". A container that failed shows only its subcode, and subcodes from 2207000 on are unique.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from clipcast.errors import PlatformError, ReconnectRequired, Rejected, Throttled, TokenExpired, Unavailable
from clipcast.platforms.instagram.limits import LIMIT_WAIT_S, THROTTLED_S


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one code means for us: the kind of error, what to tell the creator, and how long to wait where waiting helps.

    `renewals` is how often a new container may help before it is the creator's turn. `general` asks for Instagram's own words behind the
    sentence. `lasting` stands even when Instagram calls the error transient.
    """

    kind: type[PlatformError]
    sentence: str
    retry_after_s: float = THROTTLED_S
    renewals: int = 0
    general: bool = False
    lasting: bool = False


_FETCH = (
    "Instagram could not download the {what}; check that CLIPCAST_PUBLIC_URL is reachable from the internet over https, without redirects "
    "or bot protection, and fast enough."
)
_BUSY = "Instagram had an error of its own; the post will be tried again."
_GONE = "Instagram does not know the prepared post any more; it will be looked up."
_PROCESSING = "Instagram could not process the media"
_CALLS = "Instagram asks for fewer requests; the post goes on when the limit allows."
_RECONNECT = "Instagram no longer accepts this account's access; connect the account again."
_INVALID = Meaning(Rejected, "Instagram did not accept a field of the request; its own words say which.", general=True)
PERMISSION = Meaning(
    ReconnectRequired,
    "Instagram says that a permission this post needs is missing: connect the account again and allow everything. If that does not help, "
    "Meta has restricted the app itself, which its owner has to settle in Meta's dashboard.",
)

# https://developers.facebook.com/documentation/instagram-platform/instagram-graph-api/reference/error-codes (page of 2026-06-02)
_MEDIA: Final[Mapping[tuple[int | None, int | None], Meaning]] = {
    (-2, 2207003): Meaning(Unavailable, _FETCH.format(what="media in time"), renewals=3),
    (-2, 2207020): Meaning(Unavailable, "The prepared post expired at Instagram; it is prepared anew.", renewals=2),
    (-1, 2207001): Meaning(Unavailable, _BUSY),
    (-1, 2207032): Meaning(Unavailable, "Instagram could not take the media; try again later.", renewals=3),
    (-1, 2207053): Meaning(
        Unavailable, f"{_PROCESSING} and gives no reason; export the video as H.264 with AAC sound in an MP4 file.", renewals=2
    ),
    (1, 2207057): Meaning(Rejected, "The cover's time lies outside the video; choose an earlier moment."),
    (4, 2207051): Meaning(
        Rejected,
        "Instagram blocked this as suspected spam. Look at the account before anything else, wait some hours, then post less often or "
        "something different.",
        lasting=True,
    ),
    (9, 2207042): Meaning(
        Throttled,
        "This Instagram account has used up its posts of the last 24 hours; the post goes out when the window frees.",
        LIMIT_WAIT_S,
    ),
    (24, 2207006): Meaning(Unavailable, _GONE, renewals=1),
    (24, 2207008): Meaning(Unavailable, _GONE, renewals=1),
    (25, 2207050): Meaning(
        Rejected,
        "Instagram has restricted this account or asks its owner for a confirmation: open the Instagram app, follow what it says, then "
        "publish again.",
        lasting=True,
    ),
    (100, 2207023): Meaning(Rejected, "Instagram does not know this kind of post; choose the mode reel, feed or story."),
    (100, 2207028): Meaning(Rejected, "A carousel takes 2 to 10 images and videos; change their number."),
    (100, 2207035): Meaning(Rejected, "A product tag in a video has no position; leave x and y out."),
    (100, 2207036): Meaning(Rejected, "A product tag in an image needs a position; give x and y."),
    (100, 2207037): Meaning(Rejected, "One of the product tags is not valid; check the product ids."),
    (100, 2207040): Meaning(Rejected, "Instagram takes up to 20 tags; leave some out."),
    (352, 2207026): Meaning(
        Rejected, "Instagram does not take this video's format; export it as H.264 with AAC sound in an MP4 file, 30 frames per second."
    ),
    (9004, 2207052): Meaning(Unavailable, _FETCH.format(what="media"), renewals=3),
    (9007, 2207027): Meaning(Unavailable, "Instagram is not through with the media yet; the post goes out when it is."),
    (36000, 2207004): Meaning(Rejected, "Instagram takes images of up to 8 MB; save this one smaller."),
    (36001, 2207005): Meaning(Rejected, "Instagram takes JPEG images only; convert this one."),
    (36003, 2207009): Meaning(Rejected, "Instagram takes images from 4:5 (portrait) to 1.91:1 (landscape); crop this one."),
    (36004, 2207010): Meaning(
        Rejected, "The caption is too long: Instagram takes 2,200 characters, 30 hashtags and 20 mentions; shorten it."
    ),
}

# Seen, and in no table of Meta's; NOTES.md tells where.
_SEEN: Final[Mapping[tuple[int | None, int | None], Meaning]] = {
    (100, 2207067): Meaning(Rejected, "Instagram takes single videos as reels only; choose the mode reel."),
    (9, 2207069): Meaning(
        Throttled, "Instagram says that this account does too much in one day; the post goes on when the window frees.", LIMIT_WAIT_S
    ),
    (-1, 2207073): Meaning(Rejected, "Instagram cannot do this with this kind of media."),
    (None, 2207076): Meaning(Unavailable, _FETCH.format(what="video"), renewals=1),
    (None, 2207077): Meaning(Unavailable, _FETCH.format(what="video"), renewals=2),
    (None, 2207081): Meaning(Rejected, "This account cannot make trial reels; leave 'trial_params' out."),
    (None, 2207082): Meaning(
        Unavailable, f"{_PROCESSING}; with music on a silent video this always happens, so take the music off.", renewals=2
    ),
    (-1, 2207085): Meaning(Unavailable, f"{_PROCESSING} and calls it fatal; export the video anew, then publish again.", renewals=1),
}

# https://developers.facebook.com/docs/graph-api/guides/error-handling and /docs/graph-api/overview/rate-limiting (undated copies)
_GRAPH: Final[Mapping[tuple[int | None, int | None], Meaning]] = {
    (1, None): Meaning(Unavailable, _BUSY),
    (2, None): Meaning(Unavailable, "Instagram is not available right now; the post will be tried again."),
    (3, None): Meaning(Rejected, "The Meta app lacks a capability this post needs; its owner has to add it in Meta's dashboard."),
    (4, None): Meaning(Throttled, _CALLS),
    (9, None): Meaning(Throttled, _CALLS, LIMIT_WAIT_S),
    (10, None): PERMISSION,
    (17, None): Meaning(Throttled, _CALLS),
    (24, None): Meaning(Unavailable, _GONE, renewals=1),
    (25, None): Meaning(Rejected, "Instagram has restricted this account; open the Instagram app and follow what it says.", lasting=True),
    (32, None): Meaning(Throttled, _CALLS),
    (100, None): _INVALID,
    (100, 33): Meaning(Rejected, "Instagram says that it does not know this object or that this account may not see it.", general=True),
    (100, 36007): Meaning(ReconnectRequired, "The login at Instagram took too long; connect the account again."),
    (100, 36009): Meaning(ReconnectRequired, "This login at Instagram was used already; connect the account again."),
    (102, None): Meaning(ReconnectRequired, _RECONNECT),
    (104, None): Meaning(
        Rejected,
        "The Meta app demands proof of its secret with each call, which Clipcast does not send; switch that off in Meta's dashboard.",
    ),
    # Renewed once; the renewal itself then says for certain. Another worker may hold a newer token, too.
    (190, None): Meaning(TokenExpired, "Instagram no longer accepts this account's access token; it will be renewed."),
    (190, 463): Meaning(TokenExpired, "This account's access token has run out; it will be renewed."),
    (190, 467): Meaning(TokenExpired, "This account's access token is no longer valid; it will be renewed."),
    (190, 458): Meaning(ReconnectRequired, "The account's owner removed this app in Instagram's settings; connect the account again."),
    (190, 459): Meaning(
        ReconnectRequired, "Instagram asks the account's owner for a confirmation: open the Instagram app, then connect the account again."
    ),
    (190, 460): Meaning(ReconnectRequired, "The account's password was changed; connect the account again."),
    (190, 464): Meaning(
        ReconnectRequired, "The account's owner has not confirmed the account yet; do so in the app, then connect it again."
    ),
    (190, 492): Meaning(
        ReconnectRequired, "The owner lost the role on the Facebook Page behind this account; restore it, then connect the account again."
    ),
    (341, None): Meaning(Throttled, _CALLS),
    (368, None): Meaning(
        Rejected,
        "Meta has blocked this account's actions for a while because of its policies; wait some days, then try again.",
        lasting=True,
    ),
    (506, None): Meaning(Rejected, "Instagram says that this is the same post as the one before; change it."),
    (613, None): Meaning(Throttled, _CALLS),
    (2500, None): _INVALID,
    (2635, None): Meaning(Rejected, "Instagram no longer serves the version of its API that this Clipcast speaks; update Clipcast."),
    (80001, None): Meaning(Throttled, _CALLS),
    (80002, None): Meaning(Throttled, _CALLS),
}

CODES: Final[Mapping[tuple[int | None, int | None], Meaning]] = {**_MEDIA, **_SEEN, **_GRAPH}
SUBCODES: Final[Mapping[int, Meaning]] = {subcode: meaning for (_, subcode), meaning in {**_MEDIA, **_SEEN}.items() if subcode}


def known_meaning(code: int | None, subcode: int | None) -> Meaning | None:
    """What the tables say: the pair, then the subcode alone, then the code alone; 200 to 299 are missing permissions."""
    found = CODES.get((code, subcode)) or SUBCODES.get(subcode or 0) or CODES.get((code, None))
    return PERMISSION if found is None and code is not None and 200 <= code <= 299 else found


def failed_meaning(subcode: int | None) -> Meaning:
    """What the subcode of a container that failed means.

    Trouble that is not the media's own is worth one new container, and so is an unknown number or none.
    """
    known = SUBCODES.get(subcode or 0)
    if known is None:
        named = f" (number {subcode})" if subcode else " and gives no reason"
        return Meaning(Unavailable, f"{_PROCESSING}{named}; export it anew, or publish again later.", renewals=1)
    if known.kind is Rejected or known.renewals:
        return known
    return Meaning(Unavailable, known.sentence, renewals=1)
