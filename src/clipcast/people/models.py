"""Tables of people, their sessions, invitations and API keys. Whatever lets somebody in is stored as a hash only."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from clipcast.db.base import Base, JsonColumn, UtcDateTime, new_id

_ROLES = "role IN ('owner', 'editor', 'viewer')"


class Person(Base):
    """Somebody who signs in. Deleted for real: what they did stays in the ledger under their id."""

    __tablename__ = "people"
    __table_args__ = (CheckConstraint(_ROLES, name="role"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    #: In lower case, so that nobody is there twice.
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    role: Mapped[str] = mapped_column(String(10))
    password_hash: Mapped[str] = mapped_column(String(255))
    last_login_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PersonSession(Base):
    """A signed-in browser. Signing out deletes the row, and with it the cookie's worth."""

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class Invitation(Base):
    """A link that makes one person, once: the first owner's, printed at the first start, or one that an owner hands out."""

    __tablename__ = "invitations"
    __table_args__ = (CheckConstraint(_ROLES, name="role"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    role: Mapped[str] = mapped_column(String(10))
    #: Who may use it; None: whoever has the link.
    email: Mapped[str | None] = mapped_column(String(254))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: Who made it, as `Actor.label`, and with whose going it goes; None: the first owner's, or older than this column.
    created_by: Mapped[str | None] = mapped_column(String(80))


class ApiKey(Base):
    """A program's way in. `scopes` narrow what the role allows; None: all of it."""

    __tablename__ = "api_keys"
    __table_args__ = (CheckConstraint(_ROLES, name="role"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(120))
    role: Mapped[str] = mapped_column(String(10))
    scopes: Mapped[list[str] | None] = mapped_column(JsonColumn)
    #: The first characters, to tell keys apart in a list; the rest is known by its hash alone.
    prefix: Mapped[str] = mapped_column(String(20))
    key_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: Who made it, as `Actor.label`, and with whose going it goes; None: older than this column.
    created_by: Mapped[str | None] = mapped_column(String(80))


class FailedLogin(Base):
    """A wrong password, remembered while it counts against an address or a network; `subject` is a hash."""

    __tablename__ = "failed_logins"
    __table_args__ = (Index("ix_failed_logins_subject", "subject", "failed_at"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    subject: Mapped[str] = mapped_column(String(64))
    failed_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
