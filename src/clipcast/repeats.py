"""Requests that make something, sent again with the same `Idempotency-Key`: it is made once."""

import hashlib
import json
from datetime import datetime
from typing import Annotated, Any, Final, TypeAlias

from fastapi import Header
from pydantic import BaseModel, SecretStr
from sqlalchemy import String
from sqlalchemy.orm import Mapped, Session, mapped_column

from clipcast.db.base import Base, UtcDateTime
from clipcast.db.turns import take_turn
from clipcast.errors import IdempotencyConflict, ShownOnce

LONGEST_KEY: Final = 255

Key: TypeAlias = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=LONGEST_KEY,
        pattern=r"^[!-~]+$",
        description="Of your choice, one for each thing to be made: a repeated request with the same key makes nothing again.",
    ),
]


class UsedKey(Base):
    """What a request with this `Idempotency-Key` has made at this endpoint, and the hash of the request."""

    __tablename__ = "used_keys"

    #: Method and path, as `POST /accounts`.
    endpoint: Mapped[str] = mapped_column(String(60), primary_key=True)
    key: Mapped[str] = mapped_column(String(LONGEST_KEY), primary_key=True)
    request_sha256: Mapped[str] = mapped_column(String(64))
    made_id: Mapped[str] = mapped_column(String(36))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Once:
    """One request, in the transaction that makes what it asks for; until that ends, others with the same key wait.

    `made_id` is what an earlier request of the same content and sender has made, if there was one. Without a key it is always None.

    Raises:
        IdempotencyConflict: the key was used for another request, or by somebody else.
    """

    def __init__(self, session: Session, endpoint: str, key: str | None, wanted: BaseModel, *, by: str) -> None:
        self._session, self._endpoint, self._key = session, endpoint, key
        self.made_id: str | None = None
        if key is None:
            return
        self._request_sha256 = _digest(wanted, by)
        take_turn(session, f"key {endpoint} {key}")
        used = session.get(UsedKey, (endpoint, key))
        if used is not None and used.request_sha256 != self._request_sha256:
            raise IdempotencyConflict("This Idempotency-Key was used for a different request. Use a new key for a new one.")
        self.made_id = used.made_id if used is not None else None

    def remember(self, made_id: str, now: datetime) -> None:
        """Note what this request has made."""
        if self._key is not None:
            row = UsedKey(endpoint=self._endpoint, key=self._key, request_sha256=self._request_sha256, made_id=made_id, created_at=now)
            self._session.add(row)

    def refuse_again(self, kind: str) -> None:
        """For what holds a secret that only the first answer told.

        Raises:
            ShownOnce: this request was answered before.
        """
        if self.made_id is not None:
            raise ShownOnce(
                f"This request was answered before: it made the {kind} {self.made_id}, and its secret was in that answer alone. "
                f"If the answer was lost, revoke it, and ask for another with a new Idempotency-Key."
            )


def _digest(wanted: BaseModel, by: str) -> str:
    content = {"by": by, **wanted.model_dump()}
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=_plain).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """Secrets as they are: two requests that differ in a token differ, and of neither is more kept than a hash."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no one form to compare requests by")
