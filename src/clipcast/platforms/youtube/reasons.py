"""YouTube's reasons for saying no, as data: which of our errors each one is, and the sentence for the creator."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from clipcast.errors import PlatformError, ReconnectRequired, Rejected, Throttled, TokenExpired, Unavailable


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one reason means for us: the kind of error, what to tell the creator, and what a wait is for where waiting helps."""

    kind: type[PlatformError]
    sentence: str
    until: Literal["soon", "midnight", "a day"] = "soon"


_TOKEN = Meaning(
    TokenExpired, "YouTube did not accept this account's access token; it is renewed. If that does not help, connect the account again."
)
_QUOTA = Meaning(
    Throttled,
    "The app's daily YouTube quota is used up, for all its accounts; the post goes on after midnight in California, when it is full again.",
    "midnight",
)
_CHANNEL_CAP = Meaning(
    Throttled, "The channel has reached the number of videos it may upload in 24 hours; the post is tried again as they pass.", "a day"
)
_SOON = Meaning(Throttled, "YouTube asks for fewer requests; the post will go on shortly.")
_TROUBLE = Meaning(Unavailable, "YouTube is having trouble right now; the post will be tried again.")
_SCOPE = Meaning(
    ReconnectRequired, "This YouTube account has not granted every permission that posting needs; connect it again and allow everything."
)
_CHANNEL_GONE = Meaning(Rejected, "YouTube has suspended or closed this account or channel; its owner has to settle that with YouTube.")
_CHANNEL_MISSING = Meaning(
    Rejected, "This Google account has no YouTube channel that the app may act for; create a channel on youtube.com, then publish again."
)
_PROJECT = "Clipcast's app at Google"
_REQUEST = Meaning(Rejected, "YouTube did not understand the request; please report this.")
_CONFLICT = Meaning(Rejected, "YouTube refused this because something else was changed at the same time; publish again.")
_FILE_BIG = Meaning(Rejected, "The file is larger than YouTube takes; export it smaller.")
_KEY = Meaning(Rejected, f"YouTube does not accept the key of {_PROJECT}; check the app's settings in the Google Cloud console.")
_NOT_FOUND = Meaning(Rejected, "YouTube does not know this video or list (any more).")

#: Meanings that say too little without YouTube's own words.
GENERAL: Final[list[Meaning]] = [_REQUEST, _CONFLICT]

# https://developers.google.com/youtube/v3/docs/core_errors, /docs/videos/insert, /docs/thumbnails/set (mirror, read 2026-11-20), and
# answers that others observed; NOTES.md says where.
REASONS: Final[Mapping[str, Meaning]] = {
    "invalidTitle": Meaning(Rejected, "YouTube did not accept the title; use 1 to 100 characters without < and >."),
    "invalidDescription": Meaning(
        Rejected, "YouTube did not accept the description; use at most 5,000 bytes (accents and emoji take several), without < and >."
    ),
    "invalidTags": Meaning(Rejected, "YouTube did not accept the tags; use at most 500 characters in all, without < and >."),
    "invalidCategoryId": Meaning(Rejected, "YouTube does not know this category; choose another category_id, for example 22."),
    "invalidPublishAt": Meaning(Rejected, "YouTube did not accept the publish time; it must lie ahead, and the privacy must be private."),
    "invalidRecordingDetails": Meaning(Rejected, "YouTube did not accept the recording date; correct recording_date or leave it out."),
    "invalidVideoGameRating": Meaning(Rejected, "YouTube did not accept the game rating; take it out of 'extra'."),
    "invalidVideoMetadata": Meaning(Rejected, "YouTube did not accept the video's title or category; set both and publish again."),
    "invalidFilename": Meaning(Rejected, "YouTube did not accept the file's name; rename the file and publish again."),
    "defaultLanguageNotSet": Meaning(Rejected, "Localizations need default_language; set the language of title and description."),
    "mediaBodyRequired": Meaning(Rejected, "YouTube found no content in the request; check that the file is not empty."),
    "uploadLimitExceeded": _CHANNEL_CAP,
    "uploadRateLimitExceeded": Meaning(Throttled, "The channel has set as many cover images as YouTube takes in 24 hours.", "a day"),
    "forbidden": Meaning(
        Rejected, "YouTube forbids this for the account; that also happens at its upload limit, so try once more after 24 hours."
    ),
    "forbiddenLicenseSetting": Meaning(Rejected, "The account may not choose this license; use 'youtube'."),
    "forbiddenPrivacySetting": Meaning(Rejected, "The account may not choose this privacy; choose another one."),
    "quotaExceeded": _QUOTA,
    "dailyLimitExceeded": _QUOTA,
    "dailyLimitExceededUnreg": _QUOTA,
    "rateLimitExceeded": _SOON,
    "RATE_LIMIT_EXCEEDED": _SOON,
    "userRateLimitExceeded": _SOON,
    "concurrentLimitExceeded": _SOON,
    "limitExceeded": _SOON,
    "servingLimitExceeded": _SOON,
    "authError": _TOKEN,
    "expired": _TOKEN,
    "unauthorized": _TOKEN,
    "youtubeSignupRequired": _CHANNEL_MISSING,
    "authorizationRequired": Meaning(ReconnectRequired, "YouTube wants this account's permission once more; connect the account again."),
    "insufficientPermissions": _SCOPE,
    "insufficientScopes": _SCOPE,
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT": _SCOPE,
    "accessNotConfigured": Meaning(
        Rejected, f"The YouTube Data API is not enabled for {_PROJECT}; enable it in the Google Cloud console, then publish again."
    ),
    "authenticatedUserAccountSuspended": _CHANNEL_GONE,
    "authenticatedUserAccountClosed": _CHANNEL_GONE,
    "channelSuspended": _CHANNEL_GONE,
    "channelClosed": _CHANNEL_GONE,
    "accountDisabled": _CHANNEL_GONE,
    "accountDeleted": _CHANNEL_GONE,
    "accountDelegationForbidden": _CHANNEL_MISSING,
    "authenticatedUserNotChannel": _CHANNEL_MISSING,
    "channelNotFound": _CHANNEL_MISSING,
    "badContent": _REQUEST,
    "parseError": _REQUEST,
    "required": _REQUEST,
    "invalid": _REQUEST,
    "invalidParameter": _REQUEST,
    "unexpectedParameter": _REQUEST,
    "unknownPart": _REQUEST,
    "missingRequiredParameter": _REQUEST,
    "incompatibleParameters": _REQUEST,
    "wrongUrlForUpload": _REQUEST,
    "notUpload": _REQUEST,
    "unsupportedMediaProtocol": _REQUEST,
    "keyInvalid": _KEY,
    "keyExpired": _KEY,
    "notFound": _NOT_FOUND,
    "videoNotFound": _NOT_FOUND,
    "playlistNotFound": _NOT_FOUND,
    "deleted": _NOT_FOUND,
    "alreadyExists": Meaning(Unavailable, "YouTube stumbled over its own bookkeeping; the upload is begun again."),
    "ALREADY_EXISTS": Meaning(Unavailable, "YouTube stumbled over its own bookkeeping; the upload is begun again."),
    "conflict": _CONFLICT,
    "duplicate": _CONFLICT,
    "conditionNotMet": _CONFLICT,
    "preconditionRequired": _CONFLICT,
    "uploadTooLarge": _FILE_BIG,
    "backendRequestTooLarge": _FILE_BIG,
    "requestedRangeNotSatisfiable": _REQUEST,
    "internalError": _TROUBLE,
    "notImplemented": Meaning(Rejected, "YouTube does not offer what was asked of it; please report this."),
    "backendError": _TROUBLE,
    "backendNotConnected": _TROUBLE,
    "notReady": _TROUBLE,
    # Covers only (thumbnails.set); documented but for the last four, which clients in use handle.
    "invalidImage": Meaning(Rejected, "YouTube could not read the cover image; use a JPEG or PNG."),
    "failedPrecondition": Meaning(Rejected, "YouTube did not take the cover image: it is too large, or the channel may not set covers."),
    "imageFormatUnsupported": Meaning(Rejected, "YouTube does not take this kind of cover image; use a JPEG or PNG."),
    "imageTooTall": Meaning(Rejected, "The cover image is too tall for YouTube; use 1280 x 720."),
    "imageTooWide": Meaning(Rejected, "The cover image is too wide for YouTube; use 1280 x 720."),
}

#: Where a reason means something else under this status or in this domain.
UNDER_STATUS: Final[Mapping[tuple[int, str], Meaning]] = {(401, "required"): _TOKEN, (401, "invalid"): _TOKEN}
IN_DOMAIN: Final[Mapping[tuple[str, str], Meaning]] = {
    ("youtube.thumbnail", "forbidden"): Meaning(
        Rejected, "The channel may not set cover images until its phone number is verified at youtube.com/verify."
    ),
}
#: A rate limit whose message speaks of a day is the project's upload quota: it looks passing and lasts until midnight.
PER_DAY: Final = _QUOTA
#: The kinds of limit for which that can be so.
LIMITS: Final = frozenset({"rateLimitExceeded", "RATE_LIMIT_EXCEEDED", "userRateLimitExceeded"})

BY_STATUS: Final[Mapping[int, Meaning]] = {
    401: _TOKEN,
    404: _NOT_FOUND,
    408: Meaning(Unavailable, "YouTube did not get the request in time; it will be tried again."),
    410: _NOT_FOUND,
    413: _FILE_BIG,
    429: _SOON,
    501: REASONS["notImplemented"],
}
TROUBLE: Final = _TROUBLE

# https://developers.google.com/youtube/v3/docs/videos#status.failureReason (mirror, read 2026-11-20)
FAILURES: Final[Mapping[str, str]] = {
    "conversion": "YouTube could not convert the video; export it again, for example as MP4 with H.264 and AAC, and publish that.",
    "invalidFile": "YouTube does not recognise the file as a video; export it again, for example as MP4, and publish that.",
    "emptyFile": "YouTube received an empty file; check the clip and publish it again.",
    "tooSmall": "YouTube finds the file too small to be a video; check the clip and publish it again.",
    "codec": "YouTube does not support the video's codec; export it as H.264 with AAC and publish that.",
    "uploadAborted": "YouTube says that the transfer was broken off; publish the clip again.",
}

# https://developers.google.com/youtube/v3/docs/videos#status.rejectionReason (mirror, read 2026-11-20)
REJECTIONS: Final[Mapping[str, str]] = {
    "copyright": "YouTube rejected the video for infringing a copyright; publish another one, or dispute it in YouTube Studio.",
    "claim": "A rights owner has blocked the video through Content ID; publish one without that material, or dispute it.",
    "duplicate": "YouTube rejected the video because the channel has the same one already.",
    "inappropriate": "YouTube rejected the video as inappropriate; YouTube Studio says which rule it breaks.",
    "termsOfUse": "YouTube rejected the video for breaking its terms of use; YouTube Studio says which.",
    "trademark": "YouTube rejected the video for infringing a trademark; publish one without that material.",
    "legal": "YouTube rejected the video after a legal complaint; YouTube Studio says more.",
    "length": "The video is longer than this account may publish: 15 minutes without a verified phone number, 12 hours with one.",
    "uploaderAccountSuspended": "YouTube has suspended the account; its owner has to settle that with YouTube.",
    "uploaderAccountClosed": "The account was closed while YouTube worked on the video.",
}

# https://developers.google.com/youtube/v3/docs/videos#processingDetails.processingFailureReason (mirror, read 2026-11-20)
PROCESSING_FAILURES: Final[Mapping[str, str]] = {
    "uploadFailed": "the upload did not arrive in one piece",
    "transcodeFailed": "the video could not be converted",
    "streamingFailed": "the video could not be prepared for playing",
    "other": "it gives no reason",
}
