"""TikTok as the driver sees it: which part of the protocol answers for which state."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar, Final, Literal, assert_never

from clipcast.platforms.base import Answer, Credentials, JsonValue, Media, Order, Problem, Request, Stage, Step, Told
from clipcast.platforms.consent import Consent, Linkable, missing
from clipcast.platforms.forms import MediaForm
from clipcast.platforms.tiktok import finished, forms, limits, linking, oauth, polling, preflight, searching, starting, states, uploading
from clipcast.platforms.tiktok.endpoints import Endpoints
from clipcast.platforms.tiktok.posting import upload_bytes
from clipcast.platforms.tiktok.states import Finished, Post, Processing, Requested, Starting, TikTokState, Uploading, afresh

API_URL: Final = "https://open.tiktokapis.com"
AUTHORIZE_URL: Final = "https://www.tiktok.com/v2/auth/authorize"
UPLOAD_HOST_SUFFIX: Final = ".tiktokapis.com"


@dataclass(frozen=True, slots=True)
class TikTok:
    """TikTok's Content Posting API at `api_url`, which may carry a path; uploads go only to hosts with the suffix or to that same host.

    Owners consent at `authorize_url`.
    """

    api_url: str = API_URL
    authorize_url: str = AUTHORIZE_URL
    upload_host_suffix: str = UPLOAD_HOST_SUFFIX
    chunk_bytes: int = limits.DEFAULT_CHUNK_BYTES

    name = "tiktok"
    rates = limits.RATES
    accepted_images = frozenset(limits.IMAGE_TYPES)
    account_facts: ClassVar[tuple[str, ...]] = ()
    credential_names: ClassVar[tuple[str, ...]] = oauth.KNOWN
    logins: ClassVar[tuple[str, ...]] = ("",)
    #: Of a token that lives 24 hours: several looks of the periodic task.
    refresh_margin = timedelta(hours=3)
    renews_by: ClassVar[Literal["refresh_token", "access_token"]] = "refresh_token"

    # The flow

    def begin(self, order: Order) -> TikTokState:
        """The first state of a publication."""
        return Starting(post=Post(order=order, username=order.username))

    def next_step(self, state: TikTokState, now: datetime) -> Step:
        """What to do now."""
        match state:
            case Starting():
                return starting.next_step(state, now, self._endpoints, self.chunk_bytes)
            case Uploading():
                return uploading.next_step(state, now, self._endpoints, self.chunk_bytes)
            case Requested():
                return searching.next_step(state, now, self._endpoints)
            case Processing():
                return polling.next_step(state, now, self._endpoints)
            case Finished():
                return finished.next_step(state, now, self._endpoints)
            case _:
                assert_never(state)

    def received(self, state: TikTokState, answer: Answer, now: datetime) -> TikTokState:
        """The state after this answer; `state` is the `meanwhile` of the `Send` that it answers."""
        match state:
            case Starting():
                return starting.received(state, answer, now, self._endpoints, self.chunk_bytes)
            case Uploading():
                return uploading.received(state, answer, now)
            case Requested():
                return searching.received(state, answer, now)
            case Processing():
                return polling.received(state, answer, now)
            case Finished():
                return finished.received(state, answer, now)
            case _:
                assert_never(state)

    def stage(self, state: TikTokState) -> Stage:
        """How far the flow is."""
        match state:
            case Starting():
                return Stage.UPLOADING
            case Uploading():
                return uploading.stage(state)
            case Requested():
                return searching.stage(state)
            case Processing():
                return polling.stage(state)
            case Finished():
                return Stage.PROCESSING
            case _:
                assert_never(state)

    def reference(self, state: TikTokState) -> str | None:
        """The `publish_id`, once TikTok has given one."""
        return None if isinstance(state, Starting | Requested) else state.publish_id or None

    def progress(self, state: TikTokState) -> tuple[int, int]:
        """Bytes that TikTok has confirmed, and bytes in all; both 0 when it fetches them itself."""
        total = upload_bytes(state.post.order)
        match state:
            case Uploading():
                return uploading.stored_bytes(state), total
            case Starting() | Requested():
                return 0, total
            case Processing() | Finished():
                return total, total
            case _:
                assert_never(state)

    # What people ask for in between

    def hurried(self, state: TikTokState, now: datetime) -> TikTokState:
        """The same state with the next question to TikTok due now, even where we had stopped asking."""
        match state:
            case Requested() | Processing():
                return replace(state, next_at=min(now, state.next_at), unanswered=0, verdict="")
            case Finished():
                return finished.hurried(state, now)
            case Starting() | Uploading():  # these do not wait for an answer but for a cap or a pause, and shortening those helps nobody
                return state
            case _:
                assert_never(state)

    def again(self, state: TikTokState, now: datetime) -> TikTokState:
        """Another try: what TikTok may have is asked about first, and only its FAILED starts afresh."""
        post = afresh(state.post)
        match state:
            case Starting():
                return Starting(post=replace(post, forgiving=False))
            case Uploading():
                return replace(state, post=post, setbacks=0, resyncs=0, resume_at=None)
            case Requested():
                return replace(state, post=post, looks=0, unanswered=0, next_at=now, verdict="")
            case Processing():
                return replace(state, post=post, unanswered=0, next_at=now, verdict="")
            case Finished():
                return finished.hurried(state, now)
            case _:
                assert_never(state)

    def cancelling(self, state: TikTokState) -> TikTokState | None:
        """A state that asks TikTok to cancel, for posts that it fetches itself; None for uploads and for what is over."""
        return polling.cancelling(state) if isinstance(state, Processing) else None

    # Storage

    def dump(self, state: TikTokState) -> dict[str, JsonValue]:
        """The state as JSON."""
        return states.dump(state)

    def load(self, stored: Mapping[str, JsonValue]) -> TikTokState:
        """The state from JSON."""
        return states.load(stored)

    # The account

    def account_request(self, account: Mapping[str, str]) -> Request | None:
        """The question what this creator may post right now."""
        del account
        return self._endpoints.creator_info()

    def told(self, account_answer: Answer) -> list[Told]:
        """Nothing: TikTok tells of a limit only when it is full."""
        del account_answer
        return []

    def problems(self, order: Order, account_answer: Answer | None) -> list[Problem]:
        """Everything that is wrong with this order, all at once."""
        return preflight.problems(order, account_answer)

    def form(self, order: Order, media: Media) -> MediaForm | None:
        """What TikTok takes of such a file in such an order."""
        return forms.form(order, media)

    def missing_credentials(self, credentials: Credentials) -> list[str]:
        """The names of what the real API needs and these credentials lack."""
        return [name for name in oauth.REQUIRED if not credentials.get(name)]

    def supports_real_api(self, credentials: Credentials) -> bool:
        """Whether these credentials are enough for the real API."""
        return not self.missing_credentials(credentials)

    def refresh_request(self, credentials: Credentials) -> Request:
        """The request that trades the refresh token for a new access token."""
        return oauth.refresh_request(self.api_url, credentials)

    def refreshed(self, credentials: Credentials, answer: Answer, now: datetime) -> Credentials:
        """The credentials with what TikTok answered."""
        return oauth.refreshed(credentials, answer, now)

    def scopes_missing(self, credentials: Credentials) -> list[str]:
        """What posting needs and the creator did not allow."""
        return missing(linking.SCOPES, credentials)

    # Connecting an account

    def consent_url(self, app: Credentials, consent: Consent) -> str:
        """TikTok's authorize page."""
        return linking.consent_url(self.authorize_url, app, consent)

    def linking(
        self, app: Credentials, consent: Consent, callback: Mapping[str, str], now: datetime
    ) -> Generator[Request, Answer, Sequence[Linkable]]:
        """The code becomes tokens, and the tokens name the creator."""
        return linking.linking(self.api_url, app, consent, callback, now)

    def revocation(self, credentials: Credentials) -> Request | None:
        """The request that ends the app's access to this creator."""
        return linking.revocation(self.api_url, credentials)

    def revoked(self, answer: Answer) -> None:
        """Raises a `PlatformError` unless the access is gone."""
        linking.revoked(answer)

    def shares_consent(self, credentials: Credentials) -> str:
        """Nothing: each creator consents for one account."""
        del credentials
        return ""

    @property
    def _endpoints(self) -> Endpoints:
        return Endpoints(self.api_url, self.upload_host_suffix)
