"""What can go wrong, arranged by what the caller should do about it.

ClipcastError
  NotFound                  stop        no such clip, account or publication
  InvalidRequest            stop        a rule is broken before anything is sent; says what to change
  Conflict                  stop        the thing is no longer in a state that allows this
  Unauthorized              sign in     no key or session came with the request, or none that counts (any more)
  Forbidden                 ask         this person or key may not do that; an owner can
    WrongOrigin             stop        a page of somebody else made the browser ask
  TooManyAttempts           try again   wrong passwords; after retry_after_s
  Busy                      try again   the database or the disk cannot serve us right now
  ConfigurationError        stop        a setting is missing or wrong; names it
  IllegalTransition         stop        a bug: the state table does not know this step
  LeaseLost                 stop        another worker holds this publication now; nothing more may be written
  WireError                 the request or its answer got lost on the way
    NotSent                 try again   no byte of the request can have taken effect
    OutcomeUnknown          look        sent, never heard back; reconcile before anything else
  PlatformError             the platform answered, and it was not yes   (platform, code, message, HTTP status, log id, raw)
    Throttled               try again   after retry_after_s
    Unavailable             try again   the platform's own trouble; the request may have had its effect
    TokenExpired            refresh     the access token died; the account is probably fine
    Rejected                stop        this video or caption will never pass; says what to change
    Withdrawn               stop        the platform confirms that it cancelled the post as we asked
    ReconnectRequired       ask         consent or scope is gone; only the account's owner can fix it
      ScopeLost             ask         a permission was taken away; the rest of the access may live
    ProtocolError           stop        an answer that cannot be understood: a bug report either way
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar


class ClipcastError(Exception):
    """Any trouble that Clipcast expects; its text is a sentence for a person, without secrets."""

    code: ClassVar[str] = "error"


class NotFound(ClipcastError):
    """No such clip, account, post or publication."""

    code = "not_found"


class InvalidRequest(ClipcastError):
    """A rule is broken before anything was sent; the sentence says what to change."""

    code = "invalid_request"


class UnusableRows(InvalidRequest):
    """Rows of a table cannot be used; `faults` has the place and the sentence of each."""

    code = "unusable_rows"

    def __init__(self, sentence: str, faults: Sequence[tuple[str, str]]) -> None:
        super().__init__(sentence)
        self.faults = tuple(faults)


class UnsupportedPlatform(InvalidRequest):
    """The platform's name is not one that Clipcast publishes to."""

    code = "unsupported_platform"


class PlatformMismatch(InvalidRequest):
    """The account belongs to another platform than the one asked for."""

    code = "platform_mismatch"


class UnusableMedia(InvalidRequest):
    """The file is empty, truncated, hostile or not what it claims to be."""

    code = "unusable_media"


class RefusedUrl(InvalidRequest):
    """The URL may not be fetched: wrong scheme, an address that is not public, or a redirect to one."""

    code = "refused_url"


class TooLarge(InvalidRequest):
    """More bytes than the configured cap."""

    code = "too_large"


class Conflict(ClipcastError):
    """The thing is no longer in a state that allows what was asked."""

    code = "conflict"


class IdempotencyConflict(Conflict):
    """The same Idempotency-Key came with a different request."""

    code = "idempotency_key_reused"


class ShownOnce(Conflict):
    """This request made something already, and the secret that came with it is told only once."""

    code = "shown_once"


class PossibleDuplicate(Conflict):
    """The same content goes to the same account within a day before or after; `allow_duplicate` says that this is meant."""

    code = "possible_duplicate"


class Unauthorized(ClipcastError):
    """Nobody is signed in, and no API key came along; or one that is unknown, revoked or expired."""

    code = "unauthorized"


class Forbidden(ClipcastError):
    """Whoever asks is known, and may not do this; the sentence names the role and what is needed."""

    code = "forbidden"


class WrongOrigin(Forbidden):
    """A browser was made to ask this by a page that is not ours, or under a name that is not ours."""

    code = "wrong_origin"


@dataclass(eq=False)
class TooManyAttempts(ClipcastError):
    """Too many wrong passwords came in; `retry_after_s` seconds from now the next one is looked at."""

    code: ClassVar[str] = "too_many_attempts"

    sentence: str
    retry_after_s: float

    def __str__(self) -> str:
        return self.sentence


class Busy(ClipcastError):
    """The database, the disk or the server's places cannot take this now; nothing was changed, so the same request may be repeated."""

    code = "busy"


class ConfigurationError(ClipcastError):
    """A setting is missing or wrong; the sentence names the exact variable."""

    code = "configuration"


class IllegalTransition(ClipcastError):
    """The state table has no such step: a bug in Clipcast."""

    code = "illegal_transition"


class LeaseLost(ClipcastError):
    """Another worker holds this publication, or it was cancelled: stop without writing anything."""

    code = "lease_lost"


class WireError(ClipcastError):
    """The request or its answer got lost between us and the platform."""

    code = "wire"


class NotSent(WireError):
    """The connection was never made, so the request cannot have had any effect."""

    code = "not_sent"


class OutcomeUnknown(WireError):
    """The request left, wholly or in part, and no answer came: only the platform knows what happened."""

    code = "outcome_unknown"


@dataclass(eq=False)
class PlatformError(ClipcastError):
    """The platform answered, and it was not yes.

    `platform_code` and `platform_message` are the platform's own words, `log_id` what its support asks for, `raw` its body with secrets
    removed and cut to a few kilobytes. `sentence` is for the creator: what was wrong and what to change. `post_failed` is True when the
    platform says that the post itself failed for good: nothing of it is or will become visible.
    """

    code: ClassVar[str] = "platform_error"
    #: True when such an answer proves that the request changed nothing at the platform.
    refused: ClassVar[bool] = True

    sentence: str
    platform: str
    platform_code: str = ""
    platform_message: str = ""
    http_status: int | None = None
    log_id: str = ""
    raw: str = field(default="", repr=False)
    post_failed: bool = False

    def __str__(self) -> str:
        return self.sentence


@dataclass(eq=False)
class Throttled(PlatformError):
    """A limit is full. `retry_after_s` seconds from now is the earliest useful moment; a daily cap says an hour or more."""

    code: ClassVar[str] = "throttled"
    retry_after_s: float = 60.0


@dataclass(eq=False)
class Unavailable(PlatformError):
    """The platform's own trouble (5xx, gateway pages). The request may nevertheless have had its effect."""

    code: ClassVar[str] = "unavailable"
    refused: ClassVar[bool] = False


@dataclass(eq=False)
class TokenExpired(PlatformError):
    """The access token is no longer accepted; refresh once and go on where we were."""

    code: ClassVar[str] = "token_expired"


@dataclass(eq=False)
class Rejected(PlatformError):
    """This will never pass unchanged; the sentence says what to change."""

    code: ClassVar[str] = "rejected"


@dataclass(eq=False)
class Withdrawn(PlatformError):
    """The platform confirms that it cancelled the post, as we asked it to."""

    code: ClassVar[str] = "withdrawn"


@dataclass(eq=False)
class ReconnectRequired(PlatformError):
    """Consent, scope or account is gone; only its owner can fix that by connecting it again.

    `access_gone` is True where nothing at all can be done with this token any more, so that no other post needs to try.
    """

    code: ClassVar[str] = "reconnect_required"
    access_gone: bool = False


@dataclass(eq=False)
class ScopeLost(ReconnectRequired):
    """A permission was taken away, or was never given; the rest of the access may go on living until it ends."""

    code: ClassVar[str] = "scope_lost"


@dataclass(eq=False)
class ProtocolError(PlatformError):
    """An answer that cannot be understood. It proves nothing about the effect of the request."""

    code: ClassVar[str] = "protocol_error"
    refused: ClassVar[bool] = False
