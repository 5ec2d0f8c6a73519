"""Live or simulated: with whom a publication talks, and in whose name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from clipcast.accounts import store as accounts
from clipcast.accounts.models import SocialAccount
from clipcast.accounts.provider import choose
from clipcast.accounts.refresh import Refresher
from clipcast.accounts.vault import Vault
from clipcast.db.engine import Database
from clipcast.errors import ConfigurationError
from clipcast.platforms.base import AnyPlatform, Credentials, Request
from clipcast.platforms.simulated import NAMELESS, SimulatorDesk
from clipcast.platforms.wire import MediaSource, Wire
from clipcast.publications.models import Publication
from clipcast.settings import Settings

REFRESH_PATIENCE: Final = timedelta(seconds=2)
"""When to look again while another worker refreshes the same account's token."""

SIMULATED_NOTE: Final = "simulated: nothing was posted to the real platform"


@dataclass(frozen=True, slots=True)
class Connection:
    """One publication's way to its platform. `pace_key` names whose rate limits apply."""

    platform: AnyPlatform
    credentials: Credentials
    media: MediaSource
    simulated: bool
    username: str
    pace_key: str
    fallback_reason: str | None = None

    @property
    def access_token(self) -> str:
        """What goes into the Authorization header."""
        return self.credentials.get("access_token")


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
    simulated: Callable[[], tuple[str, Mapping[str, AnyPlatform]]]

    def open(self, publication: Publication) -> Connection:
        """The connection for this publication: chosen once, at its first start, and kept (mission A7).

        Raises:
            ConfigurationError: there are no usable credentials and CLIPCAST_SIMULATION forbids the fallback.
            WireError, PlatformError: the simulator, or a refresh that was due, did not work out.
        """
        account = self._account(publication)
        if publication.simulated:
            return self._simulated(publication, account, None)
        provider = choose(account, self.live[publication.platform], self.vault, self.settings)
        if provider.credentials is None:
            if publication.simulated is False:
                raise ConfigurationError(f"The account's credentials are gone or incomplete ({provider.reason}). Connect the account again.")
            return self._simulated(publication, account, provider.reason)
        return self._live(publication, account, provider.credentials)

    def refreshed(self, publication: Publication, connection: Connection) -> Connection | None:
        """The same connection with a token that works again, or None while somebody else is fetching one."""
        if connection.simulated:
            return self._simulated(publication, self._account(publication), None)
        credentials = self.refresher.refresh(publication.social_account_id, connection.platform, connection.access_token)
        return replace(connection, credentials=credentials) if credentials else None

    def _account(self, publication: Publication) -> SocialAccount | None:
        if publication.social_account_id is None:
            return None
        with self.db.reading() as session:
            return accounts.get(session, publication.social_account_id)

    def _live(self, publication: Publication, account: SocialAccount | None, credentials: Credentials) -> Connection:
        return Connection(
            platform=self.live[publication.platform],
            credentials=credentials,
            media=self.live_media,
            simulated=False,
            username=account.username if account else "",
            pace_key=f"{publication.platform}:{publication.social_account_id}",
        )

    def _simulated(self, publication: Publication, account: SocialAccount | None, reason: str | None) -> Connection:
        url, platforms = self.simulated()
        desk = SimulatorDesk(url, publication.platform)
        username = account.username if account else NAMELESS
        credentials = desk.credentials(self._ask(desk.credentials_request(username)))
        media = self.simulated_media
        desk.media_accepted(self._ask(desk.media_request(credentials, self.simulated_media_prefix())))
        return Connection(platforms[publication.platform], credentials, media, True, username, f"simulated:{username}", reason)

    def _ask(self, request: Request) -> Any:
        return self.wire.send(request, media=self.simulated_media)
