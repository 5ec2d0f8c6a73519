"""An account's credentials between the vault and those who use them."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from difflib import get_close_matches
from typing import Final

from sqlalchemy.orm import Session

from clipcast.accounts import store
from clipcast.accounts.models import LONGEST_IDENTITY, SocialAccount
from clipcast.accounts.vault import CredentialError, Vault
from clipcast.db.engine import Database
from clipcast.db.storable import is_storable
from clipcast.db.turns import take_turn
from clipcast.errors import Conflict, InvalidRequest
from clipcast.platforms.base import AnyPlatform, Credentials

TOKENS: Final = ("access_token", "refresh_token")
"""What gives access, or is traded in for it."""
_ENDS: Final = ("expires_at", "expires_in", "refresh_expires_at", "refresh_expires_in")
_NAME: Final = re.compile(r"[a-z_]{1,40}")
"""What somebody may have meant as the name of a credential; anything else may be the credential itself."""
_IDENTITIES: Final = ("open_id", "instagram_account_id", "channel_id")
"""What each platform calls its lasting name of an account."""


def get_account_credentials(db: Database, account_id: str, vault: Vault) -> Credentials:
    """The account's credentials; without any value when it has none.

    Raises:
        NotFound: no such account.
        CredentialError: they cannot be decrypted.
    """
    with db.reading() as session:
        return opened(store.get(session, account_id), vault)


def set_account_credentials(db: Database, account_id: str, credentials: Credentials, vault: Vault, now: datetime) -> None:
    """Replace the account's credentials. An account whose old tokens had expired is active again with new ones.

    Raises:
        NotFound: no such account.
        Conflict: they are another account's, which is here already.
        InvalidRequest: they name the account by something that no platform's name is.
    """
    check_identities(credentials.values)
    with db.writing() as session:
        await_identities(session)
        account = store.get_for_update(session, account_id)
        refuse_twin(session, account, credentials, vault)
        replace(account, credentials, vault, now)


def opened(account: SocialAccount, vault: Vault) -> Credentials:
    """The row's credentials, decrypted; without any value when it has none.

    Raises:
        CredentialError: they cannot be decrypted.
    """
    if account.credentials is None:
        return Credentials({})
    values = json.loads(vault.decrypt(account.credentials, _identity(account)))
    return Credentials(values, expires_at=account.expires_at, refresh_expires_at=account.refresh_expires_at)


def seal(account: SocialAccount, credentials: Credentials, vault: Vault) -> None:
    """Put the credentials into the row, encrypted, and next to them, in the clear, when they end."""
    plain = json.dumps(dict(credentials.values), sort_keys=True).encode()
    account.credentials = vault.encrypt(plain, _identity(account)) if credentials.values else None
    account.expires_at = credentials.expires_at
    account.refresh_expires_at = credentials.refresh_expires_at


def replace(account: SocialAccount, credentials: Credentials, vault: Vault, now: datetime) -> None:
    """`seal` what its owner gave us. New tokens are a fresh start for an expired account, and the end of a refresh of the old ones.

    With the tokens that it had before, an account is as expired as before, and a refresh of them that is under way goes on.
    """
    is_new = not _has_tokens_of(account, credentials, vault)
    seal(account, credentials, vault)
    account.refresh_failures, account.refresh_again_at, account.warning = 0, None, None
    account.updated_at = now
    if credentials.values:
        account.external_id = identity_in(credentials) or account.external_id
    if is_new:
        account.refresh_lease_token = account.refresh_lease_until = None
    if is_new and any(credentials.get(name) for name in TOKENS):
        account.connected_at = now
        account.status = "active" if account.status in {"expired", "revoked"} else account.status
    if account.status not in {"expired", "revoked"}:
        account.last_error = None


def _has_tokens_of(account: SocialAccount, credentials: Credentials, vault: Vault) -> bool:
    try:
        old = opened(account, vault)
    except CredentialError:
        return False  # nobody can say
    return all(old.get(name) == credentials.get(name) for name in TOKENS)


def identity_in(credentials: Credentials) -> str | None:
    """The platform's lasting name of the account, where the credentials hold it."""
    return next((credentials.get(name) for name in _IDENTITIES if credentials.get(name)), None)


def check_names(values: Mapping[str, str | None], stored: Credentials, platform: AnyPlatform) -> None:
    """See that the platform knows every name among these, or that it is there already, from before that was looked at.

    Raises:
        InvalidRequest: one is unknown; says which was meant, and repeats only what looks like a name.
    """
    known = platform.credential_names
    for name in values:
        if name in known or name in stored.values:
            continue
        meant = get_close_matches(name, known, 1)
        what = f"no credential {name!r}" if _NAME.fullmatch(name) else "no credential of one of these names"
        advice = f"Perhaps {meant[0]} is meant." if meant else f"There are {', '.join((*known, *_ENDS))}."
        raise InvalidRequest(f"{platform.name} knows {what}. {advice}")


def check_identities(values: Mapping[str, str | None]) -> None:
    """See that every lasting name of the account among these can be kept as one.

    Raises:
        InvalidRequest: one cannot; names which, and does not repeat it, because it may be a token in the wrong place.
    """
    for name in _IDENTITIES:
        if fault := identity_fault(values.get(name) or ""):
            raise InvalidRequest(f"{name} {fault}. Look whether something else stands in its place, such as a token.")


def identity_fault(identity: str) -> str | None:
    """Why this cannot be kept as the platform's lasting name of an account, without repeating it; None when it can."""
    if len(identity) > LONGEST_IDENTITY:
        return f"is longer than {LONGEST_IDENTITY} characters"
    return None if is_storable(identity) else "holds a NUL character or half of a surrogate pair"


def identity_of(account: SocialAccount, vault: Vault) -> str | None:
    """The platform's lasting name of the account, as far as it is known."""
    return account.external_id or identity_in(_readable(account, vault))


def await_identities(session: Session) -> None:
    """Wait until nobody else is saying who an account is; whoever does so takes this turn before they lock any account."""
    take_turn(session, "account identities")


def refuse_twin(session: Session, account: SocialAccount, credentials: Credentials, vault: Vault) -> None:
    """See that with these credentials the account is not one that is here already under another name.

    Everything would be posted twice, and each renewal would kill the other's token. Who stays who they are is not asked: twins may be
    here from before.

    Raises:
        Conflict: it is; names the other.
    """
    identity = identity_in(credentials)
    if identity is None or identity == identity_of(account, vault):
        return
    for other in store.possible_twins(session, account, identity):
        if identity_of(other, vault) == identity:
            raise Conflict(
                f"These are the credentials of @{other.username} on {other.platform}, which is here already ({other.id}): the same account "
                "twice would post everything twice. Change that one instead."
            )


def _readable(account: SocialAccount, vault: Vault) -> Credentials:
    try:
        return opened(account, vault)
    except CredentialError:
        return Credentials({})


def merged(
    old: Credentials, values: Mapping[str, str | None], expires_at: datetime | None, refresh_expires_at: datetime | None
) -> Credentials:
    """`old` with some values replaced, or removed (None). What is known of a token's end goes with the token it was known of."""
    kept = {name: value for name, value in {**old.values, **values}.items() if value is not None}
    same_access = kept.get("access_token") == old.get("access_token")
    same_refresh = kept.get("refresh_token") == old.get("refresh_token")
    return Credentials(
        kept,
        expires_at=expires_at or (old.expires_at if same_access else None),
        refresh_expires_at=refresh_expires_at or (old.refresh_expires_at if same_refresh else None),
    )


def _identity(account: SocialAccount) -> str:
    return f"social_accounts/{account.id}/credentials"
