"""What is due by platform, what was handed out, and an account's next is found by an index however long the other lines are."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

DUE = sa.text("next_action_at IS NOT NULL")
OUT = sa.text("lease_token IS NULL AND lease_until IS NOT NULL")


def upgrade() -> None:
    line = ["platform", "next_action_at"]
    op.create_index("ix_publications_due_by_platform", "publications", line, postgresql_where=DUE, sqlite_where=DUE)
    op.create_index("ix_publications_out", "publications", ["next_action_at"], postgresql_where=OUT, sqlite_where=OUT)
    op.create_index("ix_publications_account", "publications", ["social_account_id", "next_action_at"])
    op.drop_index("ix_publications_social_account_id", "publications")


def downgrade() -> None:
    op.create_index("ix_publications_social_account_id", "publications", ["social_account_id"])
    op.drop_index("ix_publications_account", "publications")
    op.drop_index("ix_publications_out", "publications")
    op.drop_index("ix_publications_due_by_platform", "publications")
