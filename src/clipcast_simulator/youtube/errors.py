"""YouTube's error answers: the reasons with their statuses, domains and messages, and the shapes they come in.

Messages marked "seen" in the reference are verbatim; the others are worded like them.
"""

from collections.abc import Callable
from typing import Any, Final

from clipcast_simulator.exchange import Context, Handler, Reply, Request, json_reply, text_reply
from clipcast_simulator.faults import Shape

_QUOTA: Final = 'The request cannot be completed because you have exceeded your <a href="/youtube/v3/getting-started#quota">quota</a>.'
_SCOPE: Final = "Insufficient Permission: Request had insufficient authentication scopes."
_NO_THUMBNAILS: Final = "The authenticated user doesn't have permissions to upload and set custom video thumbnails."

_Entry = tuple[int, str, str]

#: Every reason of the reference's table: HTTP status, domain, message.
REASONS: Final[dict[str, _Entry]] = {
    # videos.insert and videos.update: the request's metadata
    "invalidTitle": (400, "youtube.video", "The request metadata specifies an invalid or empty video title."),
    "invalidDescription": (400, "youtube.video", "The request metadata specifies an invalid video description."),
    "invalidTags": (400, "youtube.video", "The request metadata specifies invalid video keywords."),
    "invalidCategoryId": (400, "youtube.video", "The snippet.categoryId property specifies an invalid category ID."),
    "invalidPublishAt": (400, "youtube.video", "The request metadata specifies an invalid scheduled publishing time."),
    "invalidRecordingDetails": (400, "youtube.video", "The recordingDetails object in the request metadata is invalid."),
    "invalidVideoGameRating": (400, "youtube.video", "The request metadata specifies an invalid video game rating."),
    "invalidVideoMetadata": (400, "youtube.video", "The request metadata is invalid."),
    "invalidFilename": (400, "youtube.video", "The video filename specified in the Slug header is invalid."),
    "defaultLanguageNotSet": (
        *(400, "youtube.video"),
        "The request is trying to add localized video details without specifying the default language of the video details.",
    ),
    "mediaBodyRequired": (400, "youtube.video", "The request does not include the video content."),
    "uploadLimitExceeded": (400, "youtube.video", "The user has exceeded the number of videos they may upload."),
    "forbiddenLicenseSetting": (403, "youtube.video", "The request attempts to set an invalid license for the video."),
    "forbiddenPrivacySetting": (403, "youtube.video", "The request attempts to set an invalid privacy setting for the video."),
    # quota and rates
    "quotaExceeded": (403, "youtube.quota", _QUOTA),
    "dailyLimitExceeded": (403, "usageLimits", "Daily Limit Exceeded"),
    "dailyLimitExceededUnreg": (403, "usageLimits", "Daily Limit for Unauthenticated Use Exceeded."),
    "rateLimitExceeded": (429, "global", "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per user'."),
    "userRateLimitExceeded": (403, "usageLimits", "User Rate Limit Exceeded"),
    "concurrentLimitExceeded": (403, "usageLimits", "Concurrent Limit Exceeded"),
    "limitExceeded": (403, "usageLimits", "Limit Exceeded"),
    "servingLimitExceeded": (403, "usageLimits", "Serving Limit Exceeded"),
    "uploadRateLimitExceeded": (429, "youtube.thumbnail", "The channel has uploaded too many thumbnails recently. Please try again later."),
    # who is calling
    "authError": (401, "global", "Invalid Credentials"),
    "expired": (401, "global", "Session Expired"),
    "required": (401, "global", "Login Required."),
    "unauthorized": (401, "global", "Unauthorized"),
    "authorizationRequired": (401, "youtube.common", "The request is not properly authorized."),
    "youtubeSignupRequired": (401, "youtube.header", "Unauthorized"),
    "forbidden": (403, "youtube.common", "Forbidden"),
    "insufficientPermissions": (403, "global", _SCOPE),
    "accessNotConfigured": (403, "usageLimits", "YouTube Data API v3 has not been used in this project before or it is disabled."),
    "authenticatedUserAccountSuspended": (403, "youtube.common", "The authenticated user's account is suspended."),
    "authenticatedUserAccountClosed": (403, "youtube.common", "The authenticated user's account is closed."),
    "channelSuspended": (403, "youtube.common", "The channel is suspended."),
    "channelClosed": (403, "youtube.common", "The channel is closed."),
    "accountDisabled": (403, "global", "The account is disabled."),
    "accountDeleted": (403, "global", "The account is deleted."),
    "accountDelegationForbidden": (403, "youtube.header", "The authenticated user cannot act on behalf of the specified account."),
    "authenticatedUserNotChannel": (403, "youtube.common", "The authenticated user is not a channel."),
    "channelNotFound": (403, "youtube.common", "The channel cannot be found."),
    # the request's form
    "badRequest": (400, "global", "Bad Request"),
    "badContent": (400, "global", "The content type of the request data is not supported."),
    "parseError": (400, "global", "Parse Error"),
    "invalid": (400, "global", "Invalid Value"),
    "invalidParameter": (400, "global", "The value for one of the parameters was invalid."),
    "unexpectedParameter": (400, "global", "Unexpected parameter"),
    "missingRequiredParameter": (400, "youtube.parameter", "A required parameter is missing."),
    "incompatibleParameters": (400, "youtube.parameter", "Incompatible parameters specified in the request."),
    "unknownPart": (400, "youtube.part", "Unknown part"),
    "wrongUrlForUpload": (400, "global", "Uploads must be sent to the upload URL."),
    "notUpload": (400, "global", "The request is not an upload request."),
    "unsupportedMediaProtocol": (400, "global", "The upload protocol is not supported."),
    "keyInvalid": (400, "usageLimits", "Bad Request"),
    "keyExpired": (400, "usageLimits", "API key expired."),
    "uploadTooLarge": (413, "global", "The data value sent in the request is too large."),
    "backendRequestTooLarge": (413, "global", "The request is too large."),
    "requestedRangeNotSatisfiable": (416, "global", "The requested range cannot be satisfied."),
    # what is asked for
    "notFound": (404, "global", "Not Found"),
    "videoNotFound": (404, "youtube.video", "The video that you are trying to use cannot be found."),
    "playlistNotFound": (404, "youtube.playlistItem", "The playlist identified with the request's playlistId parameter cannot be found."),
    "alreadyExists": (409, "global", "Requested entity already exists"),
    "conflict": (409, "global", "Conflict"),
    "duplicate": (409, "global", "Duplicate"),
    "deleted": (410, "global", "Gone"),
    "conditionNotMet": (412, "global", "Precondition Failed"),
    "preconditionRequired": (428, "global", "Precondition Required"),
    # thumbnails.set
    "invalidImage": (400, "youtube.thumbnail", "The provided image content is invalid."),
    "failedPrecondition": (400, "youtube.thumbnail", "Precondition check failed."),
    "imageFormatUnsupported": (400, "youtube.thumbnail", "The provided image format is not supported."),
    "imageTooTall": (400, "youtube.thumbnail", "The provided image is too tall."),
    "imageTooWide": (400, "youtube.thumbnail", "The provided image is too wide."),
    # the back end
    "internalError": (500, "global", "Internal Error"),
    "notImplemented": (501, "global", "Not Implemented"),
    "badGateway": (502, "global", "Bad Gateway"),
    "backendError": (503, "global", "Backend Error"),
    "backendNotConnected": (503, "global", "Backend Not Connected"),
    "notReady": (503, "global", "Not Ready"),
    "gatewayTimeout": (504, "global", "Gateway Timeout"),
}

#: Where an error is, when its reason says so: location and its type.
_PLACES: Final[dict[str, tuple[str, str]]] = {
    "invalidTitle": ("body.snippet.title", "other"),
    "invalidDescription": ("body.snippet.description", "other"),
    "invalidTags": ("body.snippet.tags", "other"),
    "invalidCategoryId": ("body.snippet.categoryId", "other"),
    "invalidPublishAt": ("body.status.publishAt", "other"),
    "invalidRecordingDetails": ("body.recordingDetails", "other"),
    "defaultLanguageNotSet": ("body.snippet.defaultLanguage", "other"),
    "forbiddenLicenseSetting": ("body.status.license", "other"),
    "forbiddenPrivacySetting": ("body.status.privacyStatus", "other"),
    "invalidFilename": ("Slug", "header"),
    "authError": ("Authorization", "header"),
    "expired": ("Authorization", "header"),
    "required": ("Authorization", "header"),
    "youtubeSignupRequired": ("Authorization", "header"),
    "unknownPart": ("part", "parameter"),
}

_WORDS: Final = {"authError": "UNAUTHENTICATED", "required": "UNAUTHENTICATED", "alreadyExists": "ALREADY_EXISTS"}

#: Reasons for a bare HTTP status, when a script asks for the status alone.
_REASON_OF_STATUS: Final = {
    400: "badRequest",
    401: "authError",
    403: "forbidden",
    404: "notFound",
    409: "alreadyExists",
    410: "deleted",
    412: "conditionNotMet",
    413: "uploadTooLarge",
    416: "requestedRangeNotSatisfiable",
    429: "rateLimitExceeded",
    500: "internalError",
    501: "notImplemented",
    502: "badGateway",
    504: "gatewayTimeout",
}

_PROJECT_MESSAGE: Final = (
    "Quota exceeded for quota metric 'Video Uploads' and limit 'Video Uploads per day'"
    " of service 'youtube.googleapis.com' for consumer 'project_number:{project}'."
)


class Refusal(Exception):
    """YouTube says no. `reason` is one of REASONS; what else is given replaces the table's word."""

    def __init__(
        self,
        reason: str,
        message: str | None = None,
        location: str | None = None,
        *,
        location_type: str = "parameter",
        status: int | None = None,
        domain: str | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.message = message
        self.location = location
        self.location_type = location_type
        self.status = status
        self.domain = domain


def replying(handler: Callable[[Context, Request], Reply]) -> Handler:
    """Wrap a function that may raise Refusal into one that answers it."""

    def answer(context: Context, request: Request) -> Reply:
        try:
            return handler(context, request)
        except Refusal as refusal:
            return refused(refusal)

    return answer


def answering(handler: Callable[[Context, Request], dict[str, Any] | None]) -> Handler:
    """Wrap a function that returns a resource, or None for 204, into one that answers, and refuses."""

    def reply(context: Context, request: Request) -> Reply:
        content = handler(context, request)
        return Reply(204, code="ok") if content is None else json_reply(200, content, "ok")

    return replying(reply)


def refused(refusal: Refusal) -> Reply:
    """Answer a refusal in the v1 format."""
    status, domain, message = REASONS[refusal.reason]
    status, domain, message = refusal.status or status, refusal.domain or domain, refusal.message or message
    item: dict[str, Any] = {"message": message, "domain": domain, "reason": refusal.reason}
    if refusal.location is not None:
        item |= {"location": refusal.location, "locationType": refusal.location_type}
    elif (place := _PLACES.get(refusal.reason)) is not None:
        item |= dict(zip(("location", "locationType"), place, strict=True))
    error: dict[str, Any] = {"code": status, "message": message, "errors": [item]}
    if refusal.reason == "dailyLimitExceeded":
        item["extendedHelp"] = "https://code.google.com/apis/console"
    if (word := _WORDS.get(refusal.reason)) is not None:
        error["status"] = word
    reply = json_reply(status, {"error": error | _scope_details(refusal.reason)}, refusal.reason)
    return _with_challenge(reply, refusal.reason)


def upload_bucket_full(project: str) -> Refusal:
    """Return the refusal of one upload too many for a project: a 429 that lasts until midnight Pacific."""
    return Refusal("rateLimitExceeded", _PROJECT_MESSAGE.format(project=project))


def thumbnails_forbidden() -> Refusal:
    """Return the refusal of a channel without a verified phone number."""
    return Refusal("forbidden", _NO_THUMBNAILS, "videoId", domain="youtube.thumbnail")


def bare(status: int, shape: Shape) -> Reply:
    """Answer a status as a script asks for it: as the API, as strings, as text, as HTML, or with no body."""
    reason = _REASON_OF_STATUS.get(status, "backendError" if status >= 500 else "badRequest")
    message = REASONS[reason][2]
    match shape:
        case "object":
            return refused(Refusal(reason, status=status))
        case "string":
            return json_reply(status, {"error": reason, "error_description": message}, reason)
        case "text":
            return text_reply(status, message)
        case "html":
            page = f"<!DOCTYPE html><html lang=en><title>Error {status}</title><p><b>{status}.</b> <ins>That's an error.</ins></html>"
            return text_reply(status, page, "text/html")
        case "empty":
            return Reply(status)


def _scope_details(reason: str) -> dict[str, Any]:
    if reason != "insufficientPermissions":
        return {}
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
        "domain": "googleapis.com",
        "metadata": {"service": "youtube.googleapis.com"},
    }
    return {"status": "PERMISSION_DENIED", "details": [info]}


def _with_challenge(reply: Reply, reason: str) -> Reply:
    realm = 'Bearer realm="https://accounts.google.com/"'
    if reason == "insufficientPermissions":
        scopes = "https://www.googleapis.com/auth/youtube https://www.googleapis.com/auth/youtube.force-ssl"
        return reply.with_header("www-authenticate", f'{realm}, error="insufficient_scope", scope="{scopes}"')
    if reply.status == 401:
        return reply.with_header("www-authenticate", f'{realm}, error="invalid_token"')
    return reply
