"""When a publication's first byte left and when the platform had it all: what its lateness is made of."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

NEW = ("first_byte_at", "accepted_at")


def upgrade() -> None:
    for name in NEW:
        op.add_column("publications", sa.Column(name, sa.DateTime(timezone=True)))


def downgrade() -> None:
    for name in NEW:
        op.drop_column("publications", name)
