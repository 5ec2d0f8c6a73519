"""The contract between the driver and a platform's protocol.

A flow is two pure functions over a frozen, storable state: `next_step(state, now)` says what to do, `received(state, answer, now)` says
what the state is afterwards, or raises an error of `clipcast.errors`. A platform performs no I/O and knows no database, settings or clock.

The driver saves `Send.meanwhile` before the first byte leaves and the state that `received` returns after the answer. If the answer is
lost (or the process dies), `meanwhile` is what the next `next_step` sees: it must therefore lead to asking the platform, never to guessing.
If nothing can have been sent, or the platform's answer proves that it refused (`PlatformError.refused`), the driver goes back to the state
before the `Send`.
"""

import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Literal, Protocol, TypeAlias, TypeVar

from clipcast.platforms.consent import Consent, Linkable
from clipcast.platforms.credentials import Credentials as Credentials  # noqa: PLC0414  # said again here: it is part of the contract
from clipcast.platforms.forms import MediaForm

JsonValue: TypeAlias = Any  # a tree of dict, list, str, int, float, bool, None; `MediaUrl` leaves are filled in by the driver


class Stage(StrEnum):
    """How far a flow is, in the words of the publication's own states."""

    UPLOADING = "uploading"  #: preparing, or bytes are moving
    PROCESSING = "processing"  #: the platform has what it needs and works on it; we only ask
    UNCERTAIN = "uncertain"  #: we asked to publish and lost the answer; we look before we act


@dataclass(frozen=True, slots=True)
class MediaUrl:
    """Stands for a signed, expiring, publicly reachable URL of a piece of media; made when the request leaves."""

    media_id: str


@dataclass(frozen=True, slots=True)
class Json:
    """A JSON body. `MediaUrl` leaves are replaced by real URLs when the request leaves."""

    content: Mapping[str, JsonValue]
    content_type: str = "application/json; charset=UTF-8"


@dataclass(frozen=True, slots=True)
class Form:
    """An `application/x-www-form-urlencoded` body."""

    fields: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class FileRange:
    """The bytes `start` (included) to `stop` (excluded) of a piece of media, streamed from storage in 1 MiB blocks."""

    media_id: str
    start: int
    stop: int

    @property
    def size_bytes(self) -> int:
        """How many bytes will be sent."""
        return self.stop - self.start


Body: TypeAlias = Json | Form | FileRange | None


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; printing it shows no secret.

    `authorized` adds `Authorization: <auth_scheme> <access token>` when it leaves; the token never appears here. Only while an account is
    being linked, when nobody else has its token yet, the headers carry it themselves.
    """

    method: Literal["GET", "HEAD", "POST", "PUT", "DELETE"]
    url: str | MediaUrl = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Body = None
    authorized: bool = True
    auth_scheme: Literal["Bearer", "OAuth"] = "Bearer"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, headers with lower-case names, and at most the first mebibyte of the body."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)

    def json(self) -> JsonValue:
        """The body as JSON, or None when it is not JSON (a gateway's HTML page, an empty body)."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):  # nested ten thousand deep is no answer either
            return None


S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Send:
    """Send this request.

    `label` names its purpose in logs and metrics (`video.init`, `upload.chunk`). `irreversible` marks the step after which the post may
    become visible whatever we do: cancellation ends here. `meanwhile` is saved before the first byte leaves.
    """

    request: Request
    label: str
    meanwhile: Any
    irreversible: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before `until`; `why` is a sentence fragment for people ("TikTok is processing the video")."""

    until: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Done:
    """The platform has it. `outcome` is `published`, or `inbox` for a draft that its creator finishes in the app.

    `external_id` and `external_url` may come later or never (a private TikTok post has neither): then `look_again_at` says when asking once
    more makes sense, and `note` tells the person what to expect.
    """

    outcome: Literal["published", "inbox"] = "published"
    external_id: str | None = None
    external_url: str | None = None
    note: str = ""
    look_again_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Undecidable:
    """Everything the protocol offers was tried and the outcome is still unknown: a person must look and decide."""

    why: str


Step: TypeAlias = Send | Wait | Done | Undecidable


class MediaKind(StrEnum):
    """What a clip is."""

    VIDEO = "video"
    IMAGE = "image"


@dataclass(frozen=True, slots=True)
class Media:
    """The facts of one file, as probed. `media_id` is what `FileRange` and `MediaUrl` refer to."""

    media_id: str
    kind: MediaKind
    content_type: str
    size_bytes: int
    width: int
    height: int
    duration_s: float | None = None
    frame_rate: float | None = None
    video_codec: str | None = None
    audio_codec: str | None = None


Privacy: TypeAlias = Literal["public", "unlisted", "friends", "followers", "private"]


@dataclass(frozen=True, slots=True)
class Order:
    """What the user wants published on one account. Texts are final: hashtags are already part of `caption`.

    `mode` is the platform's own word (`direct` or `inbox` on TikTok); `transfer` says whether the platform gets the bytes (`upload`)
    or fetches them by URL (`pull`). `account` holds what the platform's `account_facts` name. `options` are the platform's own, by its own
    names, and only the platform knows which there are. `extra` is merged last into the request that creates the post.
    """

    media: tuple[Media, ...]
    caption: str = ""
    title: str = ""
    username: str = ""
    privacy: Privacy = "public"
    mode: str = ""
    transfer: Literal["upload", "pull"] = "upload"
    allow_comments: bool = True
    allow_duet: bool = True
    allow_stitch: bool = True
    brand_content: bool = False
    brand_organic: bool = False
    ai_generated: bool = False
    auto_add_music: bool = False
    cover_ms: int | None = None
    cover_index: int = 0
    cover: Media | None = None
    account: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, JsonValue] = field(default_factory=dict)
    extra: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that stands between an order and its publication: where, what is wrong, and what to change.

    `blocking` problems stop the publication before anything is sent; the others warn of what the platform's policy may refuse. What is
    `fittable` is the file's form alone, which `auto_fit` mends.
    """

    field: str
    code: str
    sentence: str
    blocking: bool = True
    fittable: bool = False


@dataclass(frozen=True, slots=True)
class Rate:
    """A documented limit: at most `count` requests with one of `labels` within a window; more would be answered with a refusal.

    The window slides over `per_s` seconds, or is the calendar day of the time zone `day_in` where that is given. `per` says whose requests
    are counted together: one account's, or those of all accounts of one app. `costs` says which labels count more than once. A limit whose
    real size only the platform knows is not `enforced`: it is shown, and the platform has the last word. `name` is what people call it.
    """

    labels: tuple[str, ...]
    count: int
    per_s: float = 86_400.0
    per: Literal["account", "app"] = "account"
    day_in: str | None = None
    costs: tuple[tuple[str, int], ...] = ()
    enforced: bool = True
    name: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """How much of a limit is used, in the platform's own words."""

    name: str
    used: int
    total: int
    per_s: float


StateT = TypeVar("StateT")


class Platform(Protocol[StateT]):
    """One platform, bound to its endpoints (the real ones, or a simulator's)."""

    @property
    def name(self) -> str:
        """The platform's name in the public API."""

    @property
    def rates(self) -> Sequence[Rate]:
        """What the platform's documentation limits per account and minute, checked before a send."""

    @property
    def accepted_images(self) -> frozenset[str]:
        """Content types of images that the platform takes; others are sent as their JPEG rendition."""

    @property
    def account_facts(self) -> tuple[str, ...]:
        """Names of stored credential values that are no secrets and that a flow needs (an account id, the kind of login)."""

    @property
    def credential_names(self) -> tuple[str, ...]:
        """The names that stored credentials may have: what we use, and what else the platform's own token answers hold."""

    @property
    def logins(self) -> tuple[str, ...]:
        """The kinds of login an owner may consent with; one empty name where there is only one."""

    @property
    def refresh_margin(self) -> timedelta:
        """How long before its end the periodic task renews an access token: long enough for several tries."""

    @property
    def renews_by(self) -> Literal["refresh_token", "access_token"]:
        """What is traded in for a new access token.

        With `access_token` there is nothing else: a token that has run out is dead for good, so `expires_at` is the end of the connection.
        With `refresh_token` it is `refresh_expires_at`, where the platform says one.
        """

    def begin(self, order: Order) -> StateT:
        """The first state of a publication."""

    def next_step(self, state: StateT, now: datetime) -> Step:
        """What to do now; pure."""

    def received(self, state: StateT, answer: Answer, now: datetime) -> StateT:
        """The state after this answer to the last `Send`; raises a `PlatformError` where the answer is not a yes."""

    def stage(self, state: StateT) -> Stage:
        """How far the flow is."""

    def reference(self, state: StateT) -> str | None:
        """The platform's own handle for the unfinished post (`publish_id`, container id, session), for support and webhooks."""

    def progress(self, state: StateT) -> tuple[int, int]:
        """Bytes that the platform has confirmed, and bytes in all (0 when it fetches them itself)."""

    def hurried(self, state: StateT, now: datetime) -> StateT:
        """The same state with the next question to the platform due now (somebody asks, or a webhook hints)."""

    def again(self, state: StateT, now: datetime) -> StateT:
        """The state for another try by hand: looks first where the post may be live, starts afresh only where it cannot be."""

    def cancelling(self, state: StateT) -> StateT | None:
        """A state that asks the platform to cancel what it already has, or None where it offers no such thing."""

    def dump(self, state: StateT) -> dict[str, JsonValue]:
        """The state as JSON, with a version; holds no access token and no client secret."""

    def load(self, stored: Mapping[str, JsonValue]) -> StateT:
        """The state from any version of `dump`."""

    def account_request(self, account: Mapping[str, str]) -> Request | None:
        """The question about what this account may do right now (TikTok's creator info), where the platform has one."""

    def told(self, account_answer: Answer) -> list[Told]:
        """What the answer to `account_request` says of the account's limits."""

    def problems(self, order: Order, account_answer: Answer | None) -> list[Problem]:
        """Everything that is wrong with this order, all at once; with the answer to `account_request` also by the account's own rules."""

    def form(self, order: Order, media: Media) -> MediaForm | None:
        """What the platform takes of such a file in such an order; None where it takes none of its kind, whatever its form."""

    def missing_credentials(self, credentials: Credentials) -> list[str]:
        """The names of what the real API needs and these credentials lack."""

    def supports_real_api(self, credentials: Credentials) -> bool:
        """Whether these credentials are enough for the real API."""

    def refresh_request(self, credentials: Credentials) -> Request:
        """The request that trades the refresh token for a new access token."""

    def refreshed(self, credentials: Credentials, answer: Answer, now: datetime) -> Credentials:
        """The new credentials; keeps a refresh token that the platform did not send again.

        A permission that got lost does not lose the new tokens: compare what `scopes_missing` says before and after.

        Raises:
            Throttled, Unavailable, ProtocolError: it may pass; the old credentials stay.
            Rejected: the app's settings are wrong, which no account's owner can mend; the old credentials stay.
            ScopeLost: a permission without which nothing is renewed was taken away.
            ReconnectRequired: the platform refused for good.
        """

    def scopes_missing(self, credentials: Credentials) -> list[str]:
        """What publishing needs and the owner did not allow, by the platform's names; nothing where it is not known what was allowed."""

    def consent_url(self, app: Credentials, consent: Consent) -> str:
        """The page on which the owner is asked.

        Raises:
            ConfigurationError: the app's id or secret is not set; names the variables.
        """

    def linking(
        self, app: Credentials, consent: Consent, callback: Mapping[str, str], now: datetime
    ) -> Generator[Request, Answer, Sequence[Linkable]]:
        """Trade the callback's parameters (decoded once, as a query is) for accounts: yields requests, is sent their answers.

        Several accounts where the owner may choose. `callback["state"]` has been compared by the caller.

        Raises:
            ConsentRefused: the owner said no, a permission is missing, or there is no account that can be used.
            ConfigurationError: the app's settings are wrong; names the variables.
            PlatformError: the platform had trouble; the owner begins anew, because a code is good once.
        """

    def revocation(self, credentials: Credentials) -> Request | None:
        """What withdraws the app's access at the platform; None where there is no such request, or nothing to send it with.

        `credentials` include the app's own.
        """

    def revoked(self, answer: Answer) -> None:
        """Whether that worked; a token that was dead already counts as revoked.

        Raises:
            PlatformError: the access may still be there.
        """

    def shares_consent(self, credentials: Credentials) -> str:
        """Whose consent it is, where one may be good for several accounts, else nothing.

        Revoking it takes the access of all accounts with the same name away: only the last of them is revoked at the platform.
        """


AnyPlatform: TypeAlias = Platform[Any]
"""A platform whose state type only itself knows; the driver hands states back to where they came from."""

PLATFORM_NAMES: Final = ("instagram", "tiktok", "youtube")
