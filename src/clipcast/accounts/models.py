"""Tables of social accounts with their encrypted credentials, and of the consents under way."""

from datetime import datetime
from typing import Final

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from clipcast.db.base import Base, UtcDateTime, Words, new_id

LONGEST_USERNAME: Final = 120
LONGEST_IDENTITY: Final = 200
"""Characters of the platform's lasting name of an account."""


class SocialAccount(Base):
    """One account on one platform. `credentials` is ciphertext that only the vault reads."""

    __tablename__ = "social_accounts"
    __table_args__ = (
        UniqueConstraint("platform", "username"),
        CheckConstraint("platform IN ('instagram', 'tiktok', 'youtube')", name="platform"),
        CheckConstraint("kind IN ('main', 'satellite')", name="kind"),
        CheckConstraint("status IN ('active', 'expired', 'revoked', 'disabled')", name="status"),
        Index("ix_social_accounts_external_id", "platform", "external_id"),
        Index("ix_social_accounts_expires_at", "expires_at"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    platform: Mapped[str] = mapped_column(String(20))
    username: Mapped[str] = mapped_column(String(LONGEST_USERNAME))
    #: The platform's own, lasting name of the account (`open_id`, Instagram's user id, the channel's id): usernames change, this does not.
    external_id: Mapped[str | None] = mapped_column(String(LONGEST_IDENTITY))
    kind: Mapped[str] = mapped_column(String(10), default="main")
    #: The main account that this satellite follows: a post to the main account may go to its satellites as well.
    main_account_id: Mapped[str | None] = mapped_column(ForeignKey("social_accounts.id"), index=True)
    status: Mapped[str] = mapped_column(String(10), default="active")
    credentials: Mapped[bytes | None] = mapped_column(LargeBinary)
    #: When the access token dies, in the clear so that expiring accounts can be found without decrypting.
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    refresh_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_refreshed: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_error: Mapped[str | None] = mapped_column(Words(1000))
    #: Until when one refresh owns this account; the random token fences its write.
    refresh_lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    refresh_lease_token: Mapped[str | None] = mapped_column(String(36))
    #: Refreshes that failed in a row for a passing reason, when the next one is due, and the sentence of the last.
    refresh_failures: Mapped[int] = mapped_column(default=0, server_default="0")
    refresh_again_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    warning: Mapped[str | None] = mapped_column(Words(1000))
    #: When its owner last connected it, by OAuth or by storing credentials.
    connected_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: A deleted account keeps its row, without credentials, because what it published refers to it; connected again, it comes back.
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PendingLink(Base):
    """A consent that somebody went to a platform for (OAuth's `state`): good once, for a while, and in the browser that began it."""

    __tablename__ = "pending_links"
    __table_args__ = (CheckConstraint("platform IN ('instagram', 'tiktok', 'youtube')", name="platform"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    platform: Mapped[str] = mapped_column(String(20))
    #: Which of the platform's logins: Instagram's own or Facebook's; empty where there is one.
    login: Mapped[str] = mapped_column(String(20), default="")
    state_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    browser_sha256: Mapped[str] = mapped_column(String(64))
    redirect_uri: Mapped[str] = mapped_column(String(500))
    #: Encrypted: the PKCE verifier, and after the consent, where several accounts may be meant, what was found of each.
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    #: The account to connect again; None: whichever the consent is for.
    account_id: Mapped[str | None] = mapped_column(ForeignKey("social_accounts.id", ondelete="CASCADE"))
    #: Who began it, as the ledger names people and keys.
    actor_id: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    #: When the platform sent somebody back with it; from then on it is spent.
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
