"""Accounts that stay connected: consents under way, the platform's lasting id, refreshes to repeat, and deletion that keeps history."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ID = sa.String(36)
TIME = sa.DateTime(timezone=True)
NEW: tuple[tuple[str, sa.types.TypeEngine[Any]], ...] = (
    ("external_id", sa.String(200)),
    ("refresh_again_at", TIME),
    ("warning", sa.String(1000)),
    ("connected_at", TIME),
    ("deleted_at", TIME),
)


def upgrade() -> None:
    for name, kind in NEW:
        op.add_column("social_accounts", sa.Column(name, kind))
    op.add_column("social_accounts", sa.Column("refresh_failures", sa.Integer, nullable=False, server_default="0"))
    op.create_index("ix_social_accounts_external_id", "social_accounts", ["platform", "external_id"])
    op.create_index("ix_social_accounts_expires_at", "social_accounts", ["expires_at"])
    account = sa.ForeignKey("social_accounts.id", name="fk_pending_links_account_id_social_accounts", ondelete="CASCADE")
    op.create_table(
        "pending_links",
        sa.Column("id", ID),
        sa.Column("platform", sa.String(20), nullable=False),
        sa.Column("login", sa.String(20), nullable=False),
        sa.Column("state_sha256", sa.String(64), nullable=False),
        sa.Column("browser_sha256", sa.String(64), nullable=False),
        sa.Column("redirect_uri", sa.String(500), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("account_id", ID, account),
        sa.Column("actor_id", sa.String(80), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("used_at", TIME),
        sa.CheckConstraint("platform IN ('instagram', 'tiktok', 'youtube')", name="ck_pending_links_platform"),
        sa.PrimaryKeyConstraint("id", name="pk_pending_links"),
        sa.UniqueConstraint("state_sha256", name="uq_pending_links_state_sha256"),
    )
    op.create_index("ix_pending_links_expires_at", "pending_links", ["expires_at"])


def downgrade() -> None:
    op.drop_table("pending_links")
    op.drop_index("ix_social_accounts_expires_at", "social_accounts")
    op.drop_index("ix_social_accounts_external_id", "social_accounts")
    for name in ("refresh_failures", *(name for name, _ in NEW)):
        op.drop_column("social_accounts", name)
