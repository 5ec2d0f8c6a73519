"""Live or simulated: with whom a publication talks, and in whose name."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Protocol

from clipcast.accounts import store as accounts
from clipcast.accounts.models import SocialAccount
from clipcast.accounts.provider import choose
from clipcast.accounts.refresh import Refresher
from clipcast.accounts.vault import Vault
from clipcast.db.engine import Database
from clipcast.errors import (
    Busy,
    ConfigurationError,
    ProtocolError,
    ReconnectRequired,
    Rejected,
    ScopeLost,
    Throttled,
    Unavailable,
    WireError,
)
from clipcast.platforms.base import Answer, AnyPlatform, Credentials, Request
from clipcast.platforms.registry import simulated_platforms
from clipcast.platforms.simulated import NAMELESS, SimulatorDesk
from clipcast.platforms.wire import MediaSource, Wire
from clipcast.publications.models import Publication
from clipcast.publications.pace import Keys
from clipcast.settings import Settings

_SAYS_NOTHING_OF_THE_TOKEN: Final = (WireError, Unavailable, Throttled, Rejected, ProtocolError, ScopeLost)
"""Why no new token came, where the old one may work all the same: for passing trouble, for our app's, or only not for ever."""


@dataclass(frozen=True, slots=True)
class Connection:
    """One publication's way to its platform. `pace_keys` name whose requests count together for the limits."""

    platform: AnyPlatform
    credentials: Credentials
    media: MediaSource
    simulated: bool
    username: str
    pace_keys: Keys
    fallback_reason: str | None = None

    @property
    def access_token(self) -> str:
        """What goes into the Authorization header."""
        return self.credentials.get("access_token")

    @property
    def account(self) -> Mapping[str, str]:
        """What the platform needs to know of the account, none of it secret."""
        return {name: self.credentials.get(name) for name in self.platform.account_facts}


class SimulatedWorld(Protocol):
    """Where the simulator is, and where it finds our media."""

    def simulator_url(self) -> str:
        """The simulator's base URL."""

    def media_url(self) -> str:
        """The base URL of our media as the simulator reaches it."""


@dataclass(frozen=True, slots=True)
class Connections:
    """Opens connections; shared by all threads of a process."""

    settings: Settings
    db: Database
    vault: Vault
    wire: Wire
    refresher: Refresher
    live: Mapping[str, AnyPlatform]
    live_media: MediaSource
    simulated_media: MediaSource
    standin: SimulatedWorld

    def open(self, publication: Publication) -> Connection:
        """The connection for this publication: chosen once, at its first start, and kept (mission A7).

        Raises:
            ConfigurationError: there are no usable credentials and CLIPCAST_SIMULATION forbids the fallback.
            WireError, PlatformError: the simulator, or a refresh that was due, did not work out.
        """
        account = self._account(publication)
        if publication.simulated:
            return self._simulated(publication, account)
        platform = self.live[publication.platform]
        provider = choose(account=account, platform=platform, vault=self.vault, settings=self.settings)
        if provider.simulated and publication.simulated is False:
            raise ConfigurationError(f"The credentials of this post are gone ({provider.reason}). Connect the account again.")
        if provider.simulated:
            return self._simulated(publication, account, provider.reason)
        if account is None:
            return self._live(platform, "", "", provider.credentials)
        return self._live(platform, account.username, account.id, self._lasting(account.id, platform, provider.credentials))

    def _lasting(self, account_id: str, platform: AnyPlatform, stored: Credentials) -> Credentials:
        """Credentials that will not die in the next minutes, where that can be had right now."""
        try:
            return self._known(self.refresher.refresh_if_needed(account_id, platform))
        except _SAYS_NOTHING_OF_THE_TOKEN:
            return stored  # it may still live; if not, the platform says so and the driver refreshes then

    def _known(self, credentials: Credentials | None) -> Credentials:
        if credentials is None:
            raise Busy("Another worker is refreshing this account's token.")
        return credentials

    def refreshed(self, publication: Publication, connection: Connection) -> Connection:
        """The same connection with a token that works again.

        Raises:
            Busy: somebody else is fetching one right now.
            ReconnectRequired: the platform refused; the account says why.
            WireError, PlatformError: trouble that may pass.
        """
        if connection.simulated or publication.social_account_id is None:
            return self.open(publication)
        fresh = self.refresher.refresh(publication.social_account_id, connection.platform, connection.access_token)
        return replace(connection, credentials=self._known(fresh))

    def withdrawn(self, publication: Publication, connection: Connection, error: ReconnectRequired) -> None:
        """The platform says that this connection's token is of no use for anything any more: the account has to be connected again."""
        if error.access_gone and not connection.simulated and publication.social_account_id is not None:
            self.refresher.withdrawn(publication.social_account_id, connection.platform, connection.access_token, error)

    def _account(self, publication: Publication) -> SocialAccount | None:
        if publication.social_account_id is None:
            return None
        with self.db.reading() as session:
            return accounts.get(session, publication.social_account_id)

    def _live(self, platform: AnyPlatform, username: str, account_id: str, credentials: Credentials) -> Connection:
        return Connection(
            platform=platform,
            credentials=credentials,
            media=self.live_media,
            simulated=False,
            username=username,
            pace_keys={"account": f"{platform.name}:{account_id}", "app": f"{platform.name}:app"},
        )

    def _simulated(self, publication: Publication, account: SocialAccount | None, reason: str | None = None) -> Connection:
        simulator_url = self.standin.simulator_url()
        desk = SimulatorDesk(simulator_url, publication.platform)
        username = account.username if account else NAMELESS
        credentials = desk.credentials(self._ask(desk.credentials_request(username)))
        desk.media_accepted(self._ask(desk.media_request(credentials, f"{self.standin.media_url()}/media/")))
        return Connection(
            platform=simulated_platforms(simulator_url)[publication.platform],
            credentials=credentials,
            media=self.simulated_media,
            simulated=True,
            username=username,
            pace_keys={"account": f"simulated:{publication.platform}:{username}", "app": f"simulated:{publication.platform}:app"},
            fallback_reason=reason,
        )

    def _ask(self, request: Request) -> Answer:
        return self.wire.send(request, media=self.simulated_media)
