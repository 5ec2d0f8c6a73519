"""The table of social accounts and their encrypted credentials."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from clipcast.db.base import Base, UtcDateTime, new_id


class SocialAccount(Base):
    """One account on one platform. `credentials` is ciphertext that only the vault reads."""

    __tablename__ = "social_accounts"
    __table_args__ = (
        UniqueConstraint("platform", "username"),
        CheckConstraint("platform IN ('instagram', 'tiktok', 'youtube')", name="platform"),
        CheckConstraint("kind IN ('main', 'satellite')", name="kind"),
        CheckConstraint("status IN ('active', 'expired', 'revoked', 'disabled')", name="status"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    platform: Mapped[str] = mapped_column(String(20))
    username: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(10), default="main")
    #: The main account that this satellite follows: a post to the main account may go to its satellites as well.
    main_account_id: Mapped[str | None] = mapped_column(ForeignKey("social_accounts.id"), index=True)
    status: Mapped[str] = mapped_column(String(10), default="active")
    credentials: Mapped[bytes | None] = mapped_column(LargeBinary)
    #: When the access token dies, in the clear so that expiring accounts can be found without decrypting.
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    refresh_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_refreshed: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_error: Mapped[str | None] = mapped_column(String(1000))
    #: Until when one refresh owns this account; the random token fences its write.
    refresh_lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    refresh_lease_token: Mapped[str | None] = mapped_column(String(36))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
