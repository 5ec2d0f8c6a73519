"""What happened to an account, for the ledger: who did what; never a secret, and never a name that its owner may want forgotten."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from clipcast import ledger
from clipcast.accounts.models import SocialAccount


def stream_of(account_id: str) -> str:
    """The ledger's stream of this account."""
    return f"account:{account_id}"


def note(session: Session, account: SocialAccount, event: str, now: datetime, *, actor: str, **details: Any) -> None:
    """Append what happened. `actor` is who did it, as `kind:id`; `details` are chosen fields only."""
    ledger.record(
        session,
        stream=stream_of(account.id),
        event=event,
        entity_type="account",
        entity_id=account.id,
        now=now,
        details={"platform": account.platform, "actor": actor, **details},
    )
