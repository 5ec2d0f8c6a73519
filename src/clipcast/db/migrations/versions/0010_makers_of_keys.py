"""Who made an API key or an invitation: what they made goes with them. Of older rows it is not known."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("invitations", "api_keys"):
        op.add_column(table, sa.Column("created_by", sa.String(80)))


def downgrade() -> None:
    for table in ("api_keys", "invitations"):
        op.drop_column(table, "created_by")
