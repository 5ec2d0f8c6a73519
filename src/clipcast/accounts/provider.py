"""Live or simulated: what an account's stored credentials allow (mission A7)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from pydantic import SecretStr

from clipcast.accounts.credentials import opened
from clipcast.accounts.expiry import Forecast, forecast
from clipcast.accounts.models import SocialAccount
from clipcast.accounts.vault import CredentialError, Vault
from clipcast.errors import ConfigurationError, InvalidRequest
from clipcast.platforms.base import AnyPlatform, Credentials
from clipcast.settings import Settings

Reason: TypeAlias = Literal["no_credentials", "incomplete_config", "credential_error", "unsupported_platform"]


NO_CREDENTIALS: Final = Credentials({})

APP_CREDENTIALS: Final[Mapping[str, tuple[str, ...]]] = {
    "instagram": ("app_id", "app_secret"),
    "tiktok": ("client_key", "client_secret"),
    "youtube": ("client_id", "client_secret"),
}
"""What belongs to the app and not to the account, by platform; the settings are called `<platform>_<name>`."""


class AccountInactive(InvalidRequest):
    """The account was disabled, or lost its connection to the platform; its owner has to do something first."""

    code = "account_inactive"


@dataclass(frozen=True, slots=True)
class Provider:
    """With whom to publish. `reason` says why not live, unless simulation was asked for; `missing` names what the credentials lack.

    Only a live provider carries credentials: real tokens never leave for a simulator.
    """

    kind: Literal["live", "simulated"]
    reason: Reason | None = None
    credentials: Credentials = NO_CREDENTIALS
    missing: tuple[str, ...] = ()
    #: When the live connection ends, as far as is known.
    forecast: Forecast | None = None

    @property
    def simulated(self) -> bool:
        """Whether what is published is for nobody to see."""
        return self.kind == "simulated"


def choose(account: SocialAccount | None, vault: Vault, platform: AnyPlatform | None, settings: Settings) -> Provider:
    """The provider for a publication of this account. `platform` is None where Clipcast has no live client for the platform.

    Raises:
        AccountInactive: the account is disabled; or it was to be live and has lost its connection.
        ConfigurationError: it cannot be live and `CLIPCAST_SIMULATION=off` forbids the simulator; says what to set.
    """
    if account is not None and account.status == "disabled":
        raise AccountInactive(f"The account @{account.username} is disabled. Set its status to active to publish with it.")
    if account is not None and account.status == "revoked":  # without credentials, it would look like one that was never connected
        raise AccountInactive(f"The account @{account.username} was disconnected. Connect it again, then publish this once more.")
    provider = assess(account, vault, platform, settings)
    if provider.simulated and settings.simulation == "off":
        raise ConfigurationError(_why_not_live(account, provider, platform))
    if not provider.simulated and account is not None and account.status != "active":
        raise AccountInactive(f"The account @{account.username} lost its connection ({account.status}). Connect it again.")
    return provider


def assess(account: SocialAccount | None, vault: Vault, platform: AnyPlatform | None, settings: Settings) -> Provider:
    """What the stored credentials allow, whatever the account's status; raises nothing."""
    if settings.simulation == "always":
        return Provider("simulated")
    if platform is None:
        return Provider("simulated", "unsupported_platform")
    try:
        stored = opened(account, vault) if account is not None else NO_CREDENTIALS
    except CredentialError:
        return Provider("simulated", "credential_error")
    credentials = with_app_credentials(stored, platform.name, settings)
    missing = tuple(platform.missing_credentials(credentials))
    if not stored.values:
        return Provider("simulated", "no_credentials", missing=missing)
    if missing:
        return Provider("simulated", "incomplete_config", missing=missing)
    return Provider("live", credentials=credentials, forecast=forecast(platform, credentials))


def with_app_credentials(credentials: Credentials, platform: str, settings: Settings) -> Credentials:
    """The credentials with the app's own key and secret from the settings, where the account does not carry them."""
    app = {name: value for name, value in app_credentials(platform, settings).values.items() if value}
    own = {name: value for name, value in credentials.values.items() if value}
    return Credentials({**app, **own}, expires_at=credentials.expires_at, refresh_expires_at=credentials.refresh_expires_at)


def app_credentials(platform: str, settings: Settings) -> Credentials:
    """The app's own id and secret, from the settings; empty values where they are not set."""
    values = {name: getattr(settings, f"{platform}_{name}") for name in APP_CREDENTIALS.get(platform, ())}
    return Credentials({name: value.get_secret_value() if isinstance(value, SecretStr) else value for name, value in values.items()})


def _why_not_live(account: SocialAccount | None, provider: Provider, platform: AnyPlatform | None) -> str:
    who = f"the account @{account.username}" if account is not None else "a publication without an account"
    match provider.reason:
        case "unsupported_platform":
            why = "this platform has no live client yet"
        case "credential_error":
            why = f"the credentials of {who} cannot be decrypted: give back the key in CLIPCAST_CREDENTIAL_KEYS, or store them again"
        case _:
            why = f"{who} lacks {', '.join(provider.missing)}; store it with PATCH /accounts/{{id}}{_or_set(provider, platform)}"
    return f"CLIPCAST_SIMULATION=off forbids the simulator, and {why}."


def _or_set(provider: Provider, platform: AnyPlatform | None) -> str:
    """The variables that could supply what is missing, for what belongs to the app and not to the account."""
    names = APP_CREDENTIALS.get(platform.name, ()) if platform else ()
    variables = [f"CLIPCAST_{platform.name}_{name}".upper() for name in provider.missing if platform and name in names]
    return f", or set {' and '.join(variables)}" if variables else ""
