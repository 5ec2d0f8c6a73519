"""Schedules: drafts, slots of accounts, recurring posts, the local times that people asked for, and what becomes of a missed hour."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ID = sa.String(36)
TIME = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(JSONB(), "postgresql")
TAKEN = sa.text("slot_at IS NOT NULL AND state <> 'cancelled'")
NEW: tuple[tuple[str, str, sa.types.TypeEngine[Any]], ...] = (
    ("posts", "asked_for", sa.DateTime()),
    ("posts", "if_missed", JSON),
    ("posts", "draft", JSON),
    ("posts", "cancelled_at", TIME),
    ("publications", "slot_at", TIME),
    ("publications", "start_by", TIME),
    ("publications", "if_missed", sa.String(10)),
)


def upgrade() -> None:
    for table, name, kind in NEW:
        op.add_column(table, sa.Column(name, kind))
    # Decides who gets a slot when many ask at once; what is cancelled frees its slot by leaving the index.
    op.create_index(
        "uq_publications_slot", "publications", ["social_account_id", "slot_at"], unique=True, sqlite_where=TAKEN, postgresql_where=TAKEN
    )
    account = sa.ForeignKey("social_accounts.id", name="fk_slot_plans_account_id_social_accounts", ondelete="CASCADE")
    op.create_table(
        "slot_plans",
        sa.Column("account_id", ID, account, nullable=False),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.Column("slots", JSON, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("account_id", name="pk_slot_plans"),
    )
    _drafts()
    _recurrences()
    _feeds()


def _drafts() -> None:
    drafts = sa.text("draft IS NOT NULL")
    op.create_index("ix_posts_drafts", "posts", ["id"], sqlite_where=drafts, postgresql_where=drafts)
    op.create_table(
        "draft_targets",
        sa.Column("post_id", ID, sa.ForeignKey("posts.id", name="fk_draft_targets_post_id_posts"), nullable=False),
        sa.Column(
            "account_id", ID, sa.ForeignKey("social_accounts.id", name="fk_draft_targets_account_id_social_accounts"), nullable=False
        ),
        sa.PrimaryKeyConstraint("post_id", "account_id", name="pk_draft_targets"),
    )
    op.create_index("ix_draft_targets_account_id", "draft_targets", ["account_id"])
    # A key stands for the post: a draft has no publication yet.
    with op.batch_alter_table("idempotency_keys") as keys:
        keys.add_column(sa.Column("post_id", ID))
    op.execute("UPDATE idempotency_keys SET post_id = (SELECT post_id FROM publications WHERE publications.id = publication_id)")
    with op.batch_alter_table("idempotency_keys") as keys:
        keys.alter_column("post_id", existing_type=ID, nullable=False)
        keys.create_foreign_key("fk_idempotency_keys_post_id_posts", "posts", ["post_id"], ["id"])
        keys.drop_column("publication_id")


def _recurrences() -> None:
    op.create_table(
        "recurrences",
        sa.Column("id", ID, nullable=False),
        sa.Column("rule", sa.String(500), nullable=False),
        sa.Column("starts_at", sa.DateTime(), nullable=False),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.Column("template", JSON, nullable=False),
        sa.Column("made_until", sa.DateTime(), nullable=False),
        sa.Column("look_again_at", TIME),
        sa.Column("ends_before", sa.DateTime()),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_recurrences"),
    )
    op.create_index("ix_recurrences_look_again_at", "recurrences", ["look_again_at"])
    op.create_table(
        "occurrences",
        sa.Column("recurrence_id", ID, sa.ForeignKey("recurrences.id", name="fk_occurrences_recurrence_id_recurrences"), nullable=False),
        sa.Column("local_time", sa.DateTime(), nullable=False),
        sa.Column("skipped", sa.Boolean, nullable=False),
        sa.Column("post_id", ID, sa.ForeignKey("posts.id", name="fk_occurrences_post_id_posts")),
        sa.Column("trouble", sa.Text),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("recurrence_id", "local_time", name="pk_occurrences"),
    )
    op.create_index("ix_occurrences_post_id", "occurrences", ["post_id"])


def _feeds() -> None:
    op.create_table(
        "calendar_feeds",
        sa.Column("id", ID, nullable=False),
        sa.Column("token_sha256", sa.String(64), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("person_id", ID, sa.ForeignKey("people.id", name="fk_calendar_feeds_person_id_people", ondelete="CASCADE")),
        sa.Column("key_id", ID, sa.ForeignKey("api_keys.id", name="fk_calendar_feeds_key_id_api_keys", ondelete="CASCADE")),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("revoked_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_calendar_feeds"),
        sa.UniqueConstraint("token_sha256", name="uq_calendar_feeds_token_sha256"),
    )
    op.create_index("ix_calendar_feeds_person_id", "calendar_feeds", ["person_id"])
    op.create_index("ix_calendar_feeds_key_id", "calendar_feeds", ["key_id"])


def downgrade() -> None:
    for table in ("calendar_feeds", "occurrences", "recurrences", "draft_targets", "slot_plans"):
        op.drop_table(table)
    _keys_of_publications()
    op.drop_index("ix_posts_drafts", "posts")
    op.drop_index("uq_publications_slot", "publications")
    for table, name, _ in reversed(NEW):
        op.drop_column(table, name)


def _keys_of_publications() -> None:
    """A draft's key is forgotten: it has no publication to stand for."""
    with op.batch_alter_table("idempotency_keys") as keys:
        keys.add_column(sa.Column("publication_id", ID))
    first = "SELECT min(id) FROM publications WHERE publications.post_id = idempotency_keys.post_id"
    op.execute(f"UPDATE idempotency_keys SET publication_id = ({first})")  # noqa: S608  constants only
    op.execute("DELETE FROM idempotency_keys WHERE publication_id IS NULL")
    with op.batch_alter_table("idempotency_keys") as keys:
        keys.alter_column("publication_id", existing_type=ID, nullable=False)
        keys.create_foreign_key("fk_idempotency_keys_publication_id_publications", "publications", ["publication_id"], ["id"])
        keys.drop_column("post_id")
