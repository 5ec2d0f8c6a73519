"""An account's credentials from Python (mission D2).

    clipcast.set_account_credentials(db, account_id, {"access_token": token, "refresh_token": other, "expires_at": "2026-05-01T09:00:00Z"})
    clipcast.get_account_credentials(db, account_id).get("access_token")

What is given back shows `***` wherever it is printed, formatted or logged: a value is read by its name.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from pydantic import ValidationError

from clipcast.accounts import credentials as vaulted
from clipcast.accounts import store
from clipcast.accounts.schemas import CredentialsIn
from clipcast.errors import InvalidRequest
from clipcast.platforms.base import Credentials
from clipcast.system import Clipcast

_ORDINARY_NAME: Final = re.compile(r"[a-z_]{1,40}")


def set_account_credentials(db: Clipcast, account_id: str, credentials: Credentials | Mapping[str, str | float | datetime]) -> None:
    """Replace the account's credentials, named as in the platform's documentation; nothing of the old ones is kept.

    A mapping may also say when the tokens end: `expires_at` and `refresh_expires_at`, as a `datetime` or in ISO 8601; without a zone, UTC.
    The platform's own token answer will do as it is: its `expires_in` counts from now. An account that had expired is active again.

    Raises:
        NotFound: there is no such account.
        Conflict: they are another account's, which is here already.
        InvalidRequest: a name or a value is unusable; names it without repeating the value.
    """
    wanted = credentials if isinstance(credentials, Credentials) else _understood(db, account_id, credentials)
    vaulted.set_account_credentials(db.db, account_id, wanted, db.vault, db.clock())


def get_account_credentials(db: Clipcast, account_id: str) -> Credentials:
    """The account's credentials; without any value when it has none.

    Raises:
        NotFound: there is no such account.
        CredentialError: they cannot be decrypted.
    """
    return vaulted.get_account_credentials(db.db, account_id, db.vault)


def _understood(db: Clipcast, account_id: str, given: Mapping[str, str | float | datetime]) -> Credentials:
    try:
        read = CredentialsIn.model_validate(dict(given))
    except ValidationError as error:
        wrong = sorted({str(problem["loc"][0]) for problem in error.errors()})
        named = [name for name in wrong if _ORDINARY_NAME.fullmatch(name)]  # another one may be a secret in the wrong place
        what = f"These credentials are unusable: {', '.join(named)}." if named else "These credentials are unusable."
        raise InvalidRequest(f"{what} Names are lower-case words such as access_token; values are texts, and times are ISO 8601.") from None
    values = {name: value for name, value in read.values().items() if value is not None}
    with db.db.reading() as session:
        account = store.get(session, account_id)
    if platform := db.platforms.get(account.platform):
        vaulted.check_names(values, Credentials({}), platform)
    expires_at, refresh_expires_at = read.ends(db.clock())
    return Credentials(values, expires_at=expires_at, refresh_expires_at=refresh_expires_at)
