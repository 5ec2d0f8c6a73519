"""API keys for tests, put straight into the database: the ledger stays as the test expects it."""

from collections.abc import Sequence
from datetime import UTC, datetime

from clipcast.db.base import new_id
from clipcast.db.engine import Database
from clipcast.people.keys import BEGINNING, SHOWN_CHARACTERS
from clipcast.people.models import ApiKey
from clipcast.people.tokens import digest, new_token

MADE_AT = datetime(2026, 1, 1, tzinfo=UTC)


def new_key(
    db: Database,
    role: str = "owner",
    *,
    scopes: Sequence[str] | None = None,
    revoked_at: datetime | None = None,
    expires_at: datetime | None = None,
) -> str:
    """The text of a new key."""
    text = BEGINNING + new_token()
    key = ApiKey(
        id=new_id(),
        name=f"a test's {role}",
        role=role,
        scopes=None if scopes is None else list(scopes),
        prefix=text[:SHOWN_CHARACTERS],
        key_sha256=digest(text),
        created_at=MADE_AT,
        revoked_at=revoked_at,
        expires_at=expires_at,
    )
    with db.writing() as session:
        session.add(key)
    return text


def bearer(key: str) -> dict[str, str]:
    """The header that shows a key."""
    return {"Authorization": f"Bearer {key}"}
