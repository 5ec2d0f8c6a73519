"""YouTube as the driver sees it: which part of the protocol answers for which state."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar, Final, Literal, assert_never

from clipcast.platforms.base import Answer, Credentials, JsonValue, Media, Order, Problem, Request, Stage, Step, Told
from clipcast.platforms.consent import Consent, Linkable
from clipcast.platforms.forms import MediaForm
from clipcast.platforms.youtube import finished, forms, limits, linking, oauth, polling, preflight, searching, starting, states, uploading
from clipcast.platforms.youtube.endpoints import Endpoints
from clipcast.platforms.youtube.states import Finished, Post, Processing, Searching, Starting, Uploading, YouTubeState, afresh

API_URL: Final = "https://www.googleapis.com"
AUTHORIZE_URL: Final = "https://accounts.google.com/o/oauth2/v2/auth"
TOKEN_URL: Final = "https://oauth2.googleapis.com/token"  # noqa: S105  # an address, not a token


@dataclass(frozen=True, slots=True)
class YouTube:
    """YouTube's Data API at `api_url` and `upload_url`, which may carry a path; `token_url` is the token endpoint's whole address.

    Owners consent at `authorize_url`. Bytes go only to Google's own hosts, or to the one that `upload_url` is on.
    """

    api_url: str = API_URL
    upload_url: str = API_URL
    token_url: str = TOKEN_URL
    authorize_url: str = AUTHORIZE_URL
    chunk_bytes: int = limits.DEFAULT_CHUNK_BYTES

    name = "youtube"
    rates = limits.RATES
    accepted_images = frozenset(limits.IMAGE_TYPES)
    account_facts: ClassVar[tuple[str, ...]] = ("channel_id",)
    credential_names: ClassVar[tuple[str, ...]] = oauth.KNOWN
    logins: ClassVar[tuple[str, ...]] = ("",)
    #: Of a token that lives an hour: a little more than lies between two looks of the periodic task, so that none is found dead.
    refresh_margin = timedelta(minutes=35)
    renews_by: ClassVar[Literal["refresh_token", "access_token"]] = "refresh_token"

    # The flow

    def begin(self, order: Order) -> YouTubeState:
        """The first state of a publication."""
        return Starting(post=Post(order=order))

    def next_step(self, state: YouTubeState, now: datetime) -> Step:
        """What to do now."""
        match state:
            case Starting():
                return starting.next_step(state, now, self._endpoints)
            case Uploading():
                return uploading.next_step(state, now, self._endpoints)
            case Searching():
                return searching.next_step(state, now, self._endpoints)
            case Processing():
                return polling.next_step(state, now, self._endpoints)
            case Finished():
                return finished.next_step(state, now, self._endpoints)
            case _:
                assert_never(state)

    def received(self, state: YouTubeState, answer: Answer, now: datetime) -> YouTubeState:
        """The state after this answer; `state` is the `meanwhile` of the `Send` that it answers."""
        match state:
            case Starting():
                return starting.received(state, answer, now, self._endpoints, self.chunk_bytes)
            case Uploading():
                return uploading.received(state, answer, now, self._endpoints)
            case Searching():
                return searching.received(state, answer, now)
            case Processing():
                return polling.received(state, answer, now)
            case Finished():
                return finished.received(state, answer, now)
            case _:
                assert_never(state)

    def stage(self, state: YouTubeState) -> Stage:
        """How far the flow is."""
        match state:
            case Starting():
                return Stage.UPLOADING
            case Uploading():
                return uploading.stage(state)
            case Searching():
                return Stage.UNCERTAIN
            case Processing() | Finished():
                return Stage.PROCESSING
            case _:
                assert_never(state)

    def reference(self, state: YouTubeState) -> str | None:
        """The video's id once YouTube has given it; before that a name of the session, which keeps its URI secret."""
        match state:
            case Starting():
                return None
            case Uploading() | Searching():
                return state.session
            case Processing() | Finished():
                return state.video_id
            case _:
                assert_never(state)

    def progress(self, state: YouTubeState) -> tuple[int, int]:
        """Bytes that YouTube has confirmed, and bytes in all."""
        total = state.post.size_bytes
        match state:
            case Uploading():
                return state.stored_bytes, total
            case Starting() | Searching():
                return 0, total
            case Processing() | Finished():
                return total, total
            case _:
                assert_never(state)

    # What people ask for in between

    def hurried(self, state: YouTubeState, now: datetime) -> YouTubeState:
        """The same state with the next question to YouTube due now, even where we had stopped asking.

        Looks for a lost video keep their distance: two in quick succession would prove nothing.
        """
        match state:
            case Processing():
                return replace(state, next_at=min(now, state.next_at), verdict="")
            case Finished():
                return finished.hurried(state, now)
            case Searching() if state.verdict:
                return searching.again(state, state.post, now)
            case Starting() | Uploading() | Searching():
                return state
            case _:
                assert_never(state)

    def again(self, state: YouTubeState, now: datetime) -> YouTubeState:
        """Another try: what YouTube may have is asked about first, and only its word that the video failed starts afresh."""
        post = afresh(state.post)
        match state:
            case Starting():
                return Starting(post=replace(post, channel=None, forgiving=False))
            case Uploading():
                return replace(state, post=post, asking="offset", setbacks=0, refusals=0, resume_at=None)
            case Searching():
                return searching.again(state, post, now)
            case Processing():
                return replace(state, post=post, next_at=now, verdict="")
            case Finished():
                return finished.again(state, now)
            case _:
                assert_never(state)

    def cancelling(self, state: YouTubeState) -> YouTubeState | None:
        """None: a session that gets no more bytes becomes nothing by itself, and what is complete cannot be called back."""
        del state
        return None

    # Storage

    def dump(self, state: YouTubeState) -> dict[str, JsonValue]:
        """The state as JSON; it holds the session's URI, which is a secret."""
        return states.dump(state)

    def load(self, stored: Mapping[str, JsonValue]) -> YouTubeState:
        """The state from JSON."""
        return states.load(stored)

    # The account

    def account_request(self, account: Mapping[str, str]) -> Request | None:
        """The question which channel this is, and whether it may upload long videos."""
        del account
        return self._endpoints.channel()

    def told(self, account_answer: Answer) -> list[Told]:
        """Nothing: YouTube has no call that tells what is left."""
        del account_answer
        return []

    def problems(self, order: Order, account_answer: Answer | None) -> list[Problem]:
        """Everything that is wrong with this order, all at once."""
        return preflight.problems(order, account_answer)

    def form(self, order: Order, media: Media) -> MediaForm | None:
        """What YouTube takes of such a file in such an order."""
        return forms.form(order, media)

    def missing_credentials(self, credentials: Credentials) -> list[str]:
        """The names of what the real API needs and these credentials lack."""
        return [name for name in oauth.REQUIRED if not credentials.get(name)]

    def supports_real_api(self, credentials: Credentials) -> bool:
        """Whether these credentials are enough for the real API."""
        return not self.missing_credentials(credentials)

    def refresh_request(self, credentials: Credentials) -> Request:
        """The request that trades the refresh token for a new access token."""
        return oauth.refresh_request(self.token_url, credentials)

    def refreshed(self, credentials: Credentials, answer: Answer, now: datetime) -> Credentials:
        """The credentials with what Google answered."""
        return oauth.refreshed(credentials, answer, now)

    def scopes_missing(self, credentials: Credentials) -> list[str]:
        """What publishing needs and the owner did not allow."""
        return linking.scopes_missing(credentials)

    # Connecting a channel

    def consent_url(self, app: Credentials, consent: Consent) -> str:
        """Google's consent page."""
        return linking.consent_url(self.authorize_url, app, consent)

    def linking(
        self, app: Credentials, consent: Consent, callback: Mapping[str, str], now: datetime
    ) -> Generator[Request, Answer, Sequence[Linkable]]:
        """The code becomes tokens, and the tokens name their one channel."""
        return linking.linking(self.token_url, self.api_url, app, consent, callback, now)

    def revocation(self, credentials: Credentials) -> Request | None:
        """The request that ends the app's access."""
        return linking.revocation(self.token_url, credentials)

    def revoked(self, answer: Answer) -> None:
        """Raises a `PlatformError` unless the access is gone."""
        linking.revoked(answer)

    def shares_consent(self, credentials: Credentials) -> str:
        """Nothing that we could know: Google does not say which of its users is behind a channel unless asked for more permissions."""
        del credentials
        return ""

    @property
    def _endpoints(self) -> Endpoints:
        return Endpoints(self.api_url, self.upload_url)
