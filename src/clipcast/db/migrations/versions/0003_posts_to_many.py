"""Posts to many accounts: satellites know their main account, and publications know their content to notice doubles."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Written into the column's own definition: SQLite then adds it in place, without copying the table that others refer to.
    main = sa.ForeignKey("social_accounts.id", name="fk_social_accounts_main_account_id_social_accounts")
    op.add_column("social_accounts", sa.Column("main_account_id", sa.String(36), main), inline_references=True)
    op.create_index("ix_social_accounts_main_account_id", "social_accounts", ["main_account_id"])
    op.add_column("publications", sa.Column("content_sha256", sa.String(64)))
    op.create_index("ix_publications_content", "publications", ["content_sha256", "requested_at"])


def downgrade() -> None:
    op.drop_index("ix_publications_content", "publications")
    op.drop_column("publications", "content_sha256")
    with op.batch_alter_table("social_accounts") as accounts:
        accounts.drop_index("ix_social_accounts_main_account_id")
        accounts.drop_constraint("fk_social_accounts_main_account_id_social_accounts", type_="foreignkey")
        accounts.drop_column("main_account_id")
