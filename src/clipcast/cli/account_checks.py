"""What `clipcast doctor` looks at of accounts, their credentials, and the people who own them."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import SecretStr
from sqlalchemy import make_url, select
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from clipcast.accounts import keys, rotation, store
from clipcast.accounts.credentials import identity_of, opened
from clipcast.accounts.models import SocialAccount
from clipcast.accounts.provider import APP_CREDENTIALS, Provider, Reason, assess
from clipcast.accounts.vault import CredentialError, Vault
from clipcast.cli.findings import Check
from clipcast.db import migrate
from clipcast.db.engine import Database
from clipcast.errors import ClipcastError, ConfigurationError
from clipcast.people.access import Role
from clipcast.people.models import Person
from clipcast.platforms.registry import live_platforms
from clipcast.settings import PREFIX, Settings

MOST_NAMES: Final = 5
"""More accounts than this are counted, not named."""
BUSY_S: Final = 2.0
_WHY: Final[dict[Reason | None, str]] = {
    "no_credentials": "they have no credentials",
    "incomplete_config": "their credentials, or the app's settings, are incomplete",
    "credential_error": "their credentials cannot be decrypted",
    "unsupported_platform": "Clipcast has no live client for their platform",
    None: "CLIPCAST_SIMULATION=always",
}


@dataclass(frozen=True, slots=True)
class _Installation:
    """What there is to look at: a migrated database, its accounts, and the keys to their credentials."""

    settings: Settings
    db: Database
    vault: Vault
    accounts: Sequence[SocialAccount]

    def provider(self, account: SocialAccount) -> Provider:
        """With whom the account publishes."""
        return assess(account, self.vault, live_platforms(self.settings).get(account.platform), self.settings)

    def is_readable(self, account: SocialAccount) -> bool:
        """Whether the account's credentials can be decrypted, whatever is done with them."""
        try:
            opened(account, self.vault)
        except CredentialError:
            return False
        return True


def credentials(settings: Settings) -> Iterator[Check]:
    """Whether everything that is stored encrypted can be decrypted, and with which keys."""
    for here in _installations(settings):
        found = rotation.keys_in_use(here.db, here.vault)
        missing = [key.id for key in found if not key.known]
        unfinished = sum(key.rows for key in found if key.known and not key.first)
        lost = [account for account in here.accounts if not here.is_readable(account)]
        if lost:
            advice = f"Give back the key {' and '.join(missing)}, or connect them again." if missing else "Connect them again."
            yield Check("credentials", "problem", f"{_named(lost)}: the credentials cannot be decrypted.", advice)
        if unfinished:
            sentence = f"{unfinished} rows are still encrypted with an older key."
            yield Check("key rotation", "warning", sentence, "Run: clipcast keys rotate")
        if not lost and not unfinished:
            yield Check("credentials", "ok", f"All can be decrypted; the key {found[0].id} encrypts.")


def accounts(settings: Settings) -> Iterator[Check]:
    """Which accounts publish live, which to the simulator and why, and which need their owner."""
    for here in _installations(settings):
        if not here.accounts:
            yield Check("accounts", "ok", "There are none yet. Add one: clipcast accounts add tiktok USERNAME")
        active = [account for account in here.accounts if account.status == "active"]
        lost = [account for account in here.accounts if account.status in {"expired", "revoked"}]
        warned = [account for account in active if account.warning]
        yield from _publishing(here, active)
        yield from _twins(here)
        if lost:
            yield Check("lost accounts", "warning", f"{_named(lost)}: the connection is lost.", "Their owners have to connect them again.")
        if warned:
            sentence = f"{_named(warned)}: the last refresh of the token failed; it is tried again."
            yield Check("troubled accounts", "warning", sentence, "Why: clipcast accounts --json")


def people(settings: Settings) -> Iterator[Check]:
    """Whether somebody owns this installation."""
    for here in _installations(settings):
        with here.db.reading() as session:
            roles = list(session.scalars(select(Person.role)))
        if not roles:
            yield Check("owner", "ok", "Nobody has signed up yet; clipcast serve prints a link that makes the owner.")
        elif Role.OWNER not in roles:
            yield Check(
                "owner", "problem", f"None of {len(roles)} people is an owner.", "Start clipcast serve: it prints a link that makes one."
            )
        else:
            yield Check("owner", "ok", f"{len(roles)} people can sign in, {roles.count(Role.OWNER)} of them as owner.")


def platform_apps(settings: Settings) -> Iterator[Check]:
    """The apps whose key and secret the settings lend to accounts without their own."""
    for platform, names in APP_CREDENTIALS.items():
        variables = [f"{PREFIX}{platform}_{name}".upper() for name in names]
        unset = [one for one, name in zip(variables, names, strict=True) if not _is_set(settings, f"{platform}_{name}")]
        if unset and len(unset) < len(variables):
            yield Check(f"{platform} app", "warning", f"Only half of it is set: {' and '.join(unset)} is missing.", "Set both, or neither.")
        elif unset:
            yield Check(f"{platform} app", "ok", f"It is not set ({', '.join(variables)}); accounts bring their own.")
        else:
            yield Check(f"{platform} app", "ok", "It is set.")


def simulation(settings: Settings) -> Iterator[Check]:
    """What happens to posts of accounts without usable credentials."""
    if settings.simulation == "off":
        yield Check("simulation", "ok", "Accounts without usable credentials fail (CLIPCAST_SIMULATION=off).")
    elif settings.simulation == "always":
        yield Check("simulation", "warning", "Nothing is published for real.", "Unset CLIPCAST_SIMULATION=always to publish.")
    elif settings.public_url:
        sentence = "Others reach this server, and accounts without usable credentials publish to the simulator: posts that nobody sees."
        yield Check("simulation", "warning", sentence, "Set CLIPCAST_SIMULATION=off to refuse them instead.")
    else:
        yield Check("simulation", "ok", "Accounts without usable credentials publish to the simulator, and say so.")


def _publishing(here: _Installation, active: Sequence[SocialAccount]) -> Iterator[Check]:
    live: list[SocialAccount] = []
    simulated: dict[Reason | None, list[SocialAccount]] = {}
    for account in active:
        provider = here.provider(account)
        (simulated.setdefault(provider.reason, []) if provider.simulated else live).append(account)
    if live:
        yield Check("live accounts", "ok", f"{_named(live)}.")
    fate = "cannot publish (CLIPCAST_SIMULATION=off)" if here.settings.simulation == "off" else "to the simulator"
    for reason, some in simulated.items():
        advice = "What they lack: clipcast accounts" if reason == "incomplete_config" else ""
        yield Check("simulated accounts", "warning", f"{_named(some)} {fate}: {_WHY[reason]}.", advice)


def _twins(here: _Installation) -> Iterator[Check]:
    """Rows of one account, from when nobody looked: the same identity, or the same name where an identity is unknown."""
    by_identity: dict[tuple[str, str], SocialAccount] = {}
    by_name: dict[tuple[str, str], tuple[SocialAccount, bool]] = {}
    for account in here.accounts:
        identity = identity_of(account, here.vault)
        twin = by_identity.setdefault((account.platform, identity), account) if identity else account
        named, is_known = by_name.setdefault((account.platform, account.username.lower()), (account, identity is not None))
        if twin is account and not (is_known and identity):
            twin = named
        if twin is not account:
            sentence = f"{_named([twin, account])} are the same account: what goes to both is posted twice."
            yield Check("twin accounts", "problem", sentence, f"Keep one. Delete the other: clipcast accounts delete {account.id}")


def _named(some: Sequence[SocialAccount]) -> str:
    """The accounts by name, the first few of them.

    >>> _named([SocialAccount(platform="tiktok", username=f"maker{number}") for number in range(7)])
    'tiktok @maker0, tiktok @maker1, tiktok @maker2, tiktok @maker3, tiktok @maker4 and 2 more'
    """
    names = ", ".join(f"{account.platform} @{account.username}" for account in some[:MOST_NAMES])
    return f"{names} and {len(some) - MOST_NAMES} more" if len(some) > MOST_NAMES else names


def _is_set(settings: Settings, name: str) -> bool:
    value = getattr(settings, name)
    return bool(value.get_secret_value() if isinstance(value, SecretStr) else value)


def _installations(settings: Settings) -> Iterator[_Installation]:
    """The one installation, if its database is there and migrated and its keys are usable; if not, the checks of those say why."""
    vault = _vault(settings)
    if vault is None or not _database_is_there(settings):
        return
    with closing(Database(settings.database, busy_timeout_s=BUSY_S)) as database:
        if not _is_current(database):
            return
        with database.reading() as session:
            known = store.listed(session)
        yield _Installation(settings, database, vault, known)


def _vault(settings: Settings) -> Vault | None:
    """The keys as they are: looking must not make any. Without a file nothing can be decrypted, as with any key but the right one."""
    file = keys.credential_key_file(settings)
    if file is not None and not file.path.exists():
        return Vault([secrets.token_bytes(keys.KEY_BYTES)])
    try:
        return keys.open_vault(settings)
    except ConfigurationError:
        return None


def _database_is_there(settings: Settings) -> bool:
    """A SQLite file that is not there would be made by opening it."""
    try:
        url = make_url(settings.database)
    except ArgumentError:
        return False
    return url.get_backend_name() != "sqlite" or bool(url.database and Path(url.database).exists())


def _is_current(database: Database) -> bool:
    try:
        return migrate.is_current(database)
    except (ClipcastError, SQLAlchemyError):
        return False
