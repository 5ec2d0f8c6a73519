"""Requests that the platforms' limits count, so that all workers count together and a restart forgets nothing."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "paced_requests",
        sa.Column("id", sa.String(36)),
        sa.Column("pace_key", sa.String(200), nullable=False),
        sa.Column("label", sa.String(60), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_paced_requests"),
    )
    op.create_index("ix_paced_requests_window", "paced_requests", ["pace_key", "label", "sent_at"])
    op.create_index("ix_paced_requests_sent_at", "paced_requests", ["sent_at"])


def downgrade() -> None:
    op.drop_table("paced_requests")
