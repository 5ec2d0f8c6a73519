"""Instagram as the driver sees it: which part of the protocol answers for which state."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar, Final, Literal, assert_never

from clipcast.platforms.base import Answer, Credentials, JsonValue, Media, Order, Problem, Request, Stage, Step, Told, Wait
from clipcast.platforms.consent import Consent, Linkable, missing
from clipcast.platforms.forms import MediaForm
from clipcast.platforms.instagram import (
    answers,
    creating,
    doubting,
    finished,
    forms,
    limits,
    linking,
    oauth,
    pages,
    preflight,
    processing,
    publishing,
    states,
    uploading,
)
from clipcast.platforms.instagram.endpoints import GRAPH_URLS, Endpoints
from clipcast.platforms.instagram.errors import usage
from clipcast.platforms.instagram.linking import Hosts
from clipcast.platforms.instagram.posting import ACCOUNT_ID, LOGIN, is_last, is_uploaded, upload_bytes
from clipcast.platforms.instagram.states import (
    Creating,
    Finished,
    InDoubt,
    InstagramState,
    Post,
    Processing,
    Ready,
    Uploading,
    afresh,
    seconds,
)

UPLOAD_URL: Final = "https://rupload.facebook.com"
UPLOAD_HOST_SUFFIX: Final = ".facebook.com"
CODE_URL: Final = "https://api.instagram.com"
AUTHORIZE_URLS: Final[Mapping[str, str]] = {"instagram": "https://www.instagram.com", "facebook": "https://www.facebook.com"}
TOKEN_URL: Final = "https://graph.instagram.com"  # noqa: S105  # an address, no secret


@dataclass(frozen=True, slots=True)
class Instagram:
    """Instagram's content publishing at `graph_url`, which may carry a path; empty, it follows from the account's kind of login.

    Bytes go only to hosts with the suffix, or to the one of `upload_url`. Tokens are renewed at `token_url`.
    Owners consent at `authorize_url` (empty: as `graph_url`), and Instagram login trades their codes at `code_url`.
    """

    graph_url: str = ""
    upload_url: str = UPLOAD_URL
    token_url: str = TOKEN_URL
    authorize_url: str = ""
    code_url: str = CODE_URL
    upload_host_suffix: str = UPLOAD_HOST_SUFFIX

    name = "instagram"
    rates = limits.RATES
    accepted_images = frozenset(limits.IMAGE_TYPES)
    account_facts: ClassVar[tuple[str, ...]] = (ACCOUNT_ID, LOGIN)
    credential_names: ClassVar[tuple[str, ...]] = oauth.KNOWN
    logins: ClassVar[tuple[str, ...]] = ("instagram", "facebook")
    #: Of a token that lives 60 days: it has to be a day old, and a server may be switched off for a week.
    refresh_margin = timedelta(days=10)
    renews_by: ClassVar[Literal["refresh_token", "access_token"]] = "access_token"

    # The flow

    def begin(self, order: Order) -> InstagramState:
        """The first state of a publication."""
        return Creating(post=Post(order=order))

    def next_step(self, state: InstagramState, now: datetime) -> Step:
        """What to do now."""
        pause_until = state.post.pause_until
        if pause_until and now < pause_until and isinstance(state, Creating | Uploading | Processing):
            return Wait(pause_until, "this account's calls to Instagram are nearly used up, so Clipcast goes slowly")
        return self._step(state, now)

    def _step(self, state: InstagramState, now: datetime) -> Step:
        match state:
            case Creating():
                return creating.next_step(state, now, self._endpoints)
            case Uploading():
                return uploading.next_step(state, now, self._endpoints)
            case Processing():
                return processing.next_step(state, now, self._endpoints)
            case Ready():
                return publishing.next_step(state, now, self._endpoints)
            case InDoubt():
                return doubting.next_step(state, now, self._endpoints)
            case Finished():
                return finished.next_step(state, now, self._endpoints)
            case _:
                assert_never(state)

    def received(self, state: InstagramState, answer: Answer, now: datetime) -> InstagramState:
        """The state after this answer; `state` is the `meanwhile` of the `Send` that it answers."""
        return _slowed_down(self._received(state, answer, now), answer, now)

    def _received(self, state: InstagramState, answer: Answer, now: datetime) -> InstagramState:
        match state:
            case Creating():
                return creating.received(state, answer, now, self._endpoints)
            case Uploading():
                return uploading.received(state, answer, now)
            case Processing():
                return processing.received(state, answer, now)
            case Ready():
                return publishing.received(state, answer, now)
            case InDoubt():
                return doubting.received(state, answer, now)
            case Finished():
                return finished.received(state, answer, now)
            case _:
                assert_never(state)

    def stage(self, state: InstagramState) -> Stage:
        """How far the flow is."""
        match state:
            case Creating() | Uploading():
                return Stage.UPLOADING
            case Processing() if not is_last(state.post.order, state.items):  # a carousel's item: there is more to bring
                return Stage.UPLOADING
            case Processing() | Ready() | Finished():
                return Stage.PROCESSING
            case InDoubt():
                return doubting.stage(state)
            case _:
                assert_never(state)

    def reference(self, state: InstagramState) -> str | None:
        """The id of the container at hand, once Instagram has given one."""
        return None if isinstance(state, Creating) else state.container_id

    def progress(self, state: InstagramState) -> tuple[int, int]:
        """Bytes that Instagram has confirmed, and bytes in all; both 0 when it fetches them itself."""
        total = upload_bytes(state.post.order)
        match state:
            case Creating():
                return _uploaded_bytes(state.post.order, len(state.items)), total
            case Uploading():
                return _uploaded_bytes(state.post.order, len(state.items)) + state.confirmed_bytes, total
            case Processing():
                return _uploaded_bytes(state.post.order, len(state.items) + 1), total
            case Ready() | InDoubt() | Finished():
                return total, total
            case _:
                assert_never(state)

    # What people ask for in between

    def hurried(self, state: InstagramState, now: datetime) -> InstagramState:
        """The same state with the next question to Instagram due now, even where we had stopped asking."""
        match state:
            case Processing():
                return replace(state, next_at=min(now, state.next_at))
            case InDoubt():
                return replace(state, next_at=min(now, state.next_at), looks=0, verdict="")
            case Finished():
                return finished.hurried(state, now)
            case Creating() | Uploading() | Ready():  # these wait for a limit or a pause, and shortening those helps nobody
                return state
            case _:
                assert_never(state)

    def again(self, state: InstagramState, now: datetime) -> InstagramState:
        """Another try: from the beginning where nothing was asked to be published, else by looking first."""
        post = afresh(state.post)
        match state:
            case Creating() | Uploading() | Processing():
                return Creating(post=replace(post, forgiving=False))
            case Ready():
                return replace(state, post=post, asking="", room_seen_at=None, proven_at=None, hold_until=None)
            case InDoubt():
                return doubting.again(state, post, now)
            case Finished():
                return finished.hurried(state, now)
            case _:
                assert_never(state)

    def cancelling(self, state: InstagramState) -> InstagramState | None:
        """None: Instagram cannot be asked to cancel, and what is not published needs no cancelling."""
        del state
        return None

    # Storage

    def dump(self, state: InstagramState) -> dict[str, JsonValue]:
        """The state as JSON."""
        return states.dump(state)

    def load(self, stored: Mapping[str, JsonValue]) -> InstagramState:
        """The state from JSON."""
        return states.load(stored)

    # The account

    def account_request(self, account: Mapping[str, str]) -> Request | None:
        """The question how many posts of the daily limit are used."""
        return self._endpoints.limit(Order(media=(), account=account))

    def told(self, account_answer: Answer) -> list[Told]:
        """How many posts of the last 24 hours count, and how many may."""
        said = answers.daily_limit(account_answer)
        return [said] if said else []

    def problems(self, order: Order, account_answer: Answer | None) -> list[Problem]:
        """Everything that is wrong with this order, all at once."""
        return preflight.problems(order, account_answer)

    def form(self, order: Order, media: Media) -> MediaForm:
        """What Instagram takes of such a file in such an order."""
        return forms.form(order, media)

    def missing_credentials(self, credentials: Credentials) -> list[str]:
        """The names of what the real API needs and these credentials lack."""
        return [name for name in oauth.REQUIRED if not credentials.get(name)]

    def supports_real_api(self, credentials: Credentials) -> bool:
        """Whether these credentials are enough for the real API."""
        return not self.missing_credentials(credentials)

    def refresh_request(self, credentials: Credentials) -> Request:
        """The request that trades the access token for a new one."""
        return oauth.refresh_request(self.token_url, credentials)

    def refreshed(self, credentials: Credentials, answer: Answer, now: datetime) -> Credentials:
        """The credentials with what Instagram answered."""
        return oauth.refreshed(credentials, answer, now)

    def scopes_missing(self, credentials: Credentials) -> list[str]:
        """What publishing needs and the owner did not allow; each login has its own names."""
        return missing(pages.SCOPES if credentials.get(LOGIN) == "facebook" else linking.SCOPES, credentials)

    # Connecting an account

    def consent_url(self, app: Credentials, consent: Consent) -> str:
        """The consent page of Instagram, or Facebook's dialog."""
        if consent.login == "facebook":
            return pages.consent_url(self._hosts("facebook"), app, consent)
        return linking.consent_url(self._hosts("instagram"), app, consent)

    def linking(
        self, app: Credentials, consent: Consent, callback: Mapping[str, str], now: datetime
    ) -> Generator[Request, Answer, Sequence[Linkable]]:
        """Tokens that last, and whose they are; with Facebook login one account for each Page that has one."""
        if consent.login == "facebook":
            return pages.linking(self._hosts("facebook"), app, consent, callback, now)
        return linking.linking(self._hosts("instagram"), app, consent, callback, now)

    def revocation(self, credentials: Credentials) -> Request | None:
        """The request that takes a Facebook consent back; None with Instagram login, which documents none (NOTES.md)."""
        return pages.revocation(self._hosts("facebook"), credentials)

    def revoked(self, answer: Answer) -> None:
        """Raises a `PlatformError` unless the permissions are gone."""
        pages.revoked(answer)

    def shares_consent(self, credentials: Credentials) -> str:
        """The person whose Pages share one consent; nothing with Instagram login."""
        return credentials.get("facebook_user_id")

    def _hosts(self, login: str) -> Hosts:
        return Hosts(self.authorize_url or AUTHORIZE_URLS[login], self.code_url, self.token_url, self.graph_url or GRAPH_URLS[login])

    @property
    def _endpoints(self) -> Endpoints:
        return Endpoints(self.graph_url, self.upload_url, self.upload_host_suffix)


def _uploaded_bytes(order: Order, items: int) -> int:
    """The bytes of those of the first `items` files that we send ourselves."""
    return sum(media.size_bytes for media in order.media[:items] if is_uploaded(order, media))


def _slowed_down(state: InstagramState, answer: Answer, now: datetime) -> InstagramState:
    """The state with a pause where the call budget is nearly used up.

    From the question for the daily limit to the post there is none: these few calls belong together, or the first is stale at the last.
    """
    pause_s = usage(answer).pause_s
    if not pause_s or not isinstance(state, Creating | Uploading | Processing):
        return state
    return replace(state, post=replace(state.post, pause_until=now + seconds(pause_s)))
