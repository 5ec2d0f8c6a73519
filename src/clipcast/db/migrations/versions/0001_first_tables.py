"""The tables of the first release, and the triggers that make the ledger append-only."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.String(36)
TIME = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(JSONB(), "postgresql")
PLATFORMS = "platform IN ('instagram', 'tiktok', 'youtube')"
STATES = "'scheduled', 'uploading', 'processing', 'uncertain', 'published', 'in_inbox', 'failed', 'cancelled'"


def upgrade() -> None:
    _clips()
    _renditions()
    _posts()
    _social_accounts()
    _publications()
    _idempotency_keys()
    _ledger()
    if op.get_context().dialect.name == "sqlite":
        _append_only_on_sqlite()
    else:
        _append_only_on_postgresql()


def downgrade() -> None:
    names = ["ledger_heads", "ledger_events", "idempotency_keys", "publications", "social_accounts"]
    for name in [*names, "post_clips", "posts", "renditions", "clips"]:
        op.drop_table(name)
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP FUNCTION clipcast_append_only()")


def _clips() -> None:
    op.create_table(
        "clips",
        sa.Column("id", ID),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("file_name", sa.String(255), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("storage_key", sa.String(200), nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("content_type", sa.String(100), nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("duration_s", sa.Double),
        sa.Column("frame_rate", sa.Double),
        sa.Column("video_codec", sa.String(40)),
        sa.Column("audio_codec", sa.String(40)),
        sa.Column("thumbnail_key", sa.String(200)),
        sa.Column("slideshow_clip_id", ID, sa.ForeignKey("clips.id", name="fk_clips_slideshow_clip_id_clips")),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint("kind IN ('video', 'image')", name="ck_clips_kind"),
        sa.PrimaryKeyConstraint("id", name="pk_clips"),
        sa.UniqueConstraint("sha256", name="uq_clips_sha256"),
    )


def _renditions() -> None:
    op.create_table(
        "renditions",
        sa.Column("id", ID),
        sa.Column("clip_id", ID, sa.ForeignKey("clips.id", name="fk_renditions_clip_id_clips"), nullable=False),
        sa.Column("purpose", sa.String(40), nullable=False),
        sa.Column("storage_key", sa.String(200), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("content_type", sa.String(100), nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_renditions"),
    )
    op.create_index("ix_renditions_clip_id", "renditions", ["clip_id"])


def _posts() -> None:
    op.create_table(
        "posts",
        sa.Column("id", ID),
        sa.Column("caption", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("hashtags", JSON, nullable=False),
        sa.Column("options", JSON, nullable=False),
        sa.Column("scheduled_at", TIME),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_posts"),
    )
    op.create_table(
        "post_clips",
        sa.Column("post_id", ID, sa.ForeignKey("posts.id", name="fk_post_clips_post_id_posts")),
        sa.Column("position", sa.Integer),
        sa.Column("clip_id", ID, sa.ForeignKey("clips.id", name="fk_post_clips_clip_id_clips"), nullable=False),
        sa.PrimaryKeyConstraint("post_id", "position", name="pk_post_clips"),
    )
    op.create_index("ix_post_clips_clip_id", "post_clips", ["clip_id"])


def _social_accounts() -> None:
    op.create_table(
        "social_accounts",
        sa.Column("id", ID),
        sa.Column("platform", sa.String(20), nullable=False),
        sa.Column("username", sa.String(120), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("credentials", sa.LargeBinary),
        sa.Column("expires_at", TIME),
        sa.Column("refresh_expires_at", TIME),
        sa.Column("last_refreshed", TIME),
        sa.Column("last_error", sa.String(1000)),
        sa.Column("refresh_lease_until", TIME),
        sa.Column("refresh_lease_token", sa.String(36)),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.CheckConstraint("kind IN ('main', 'satellite')", name="ck_social_accounts_kind"),
        sa.CheckConstraint(PLATFORMS, name="ck_social_accounts_platform"),
        sa.CheckConstraint("status IN ('active', 'expired', 'revoked', 'disabled')", name="ck_social_accounts_status"),
        sa.PrimaryKeyConstraint("id", name="pk_social_accounts"),
        sa.UniqueConstraint("platform", "username", name="uq_social_accounts_platform_username"),
    )


def _publications() -> None:
    op.create_table(
        "publications",
        sa.Column("id", ID),
        sa.Column("post_id", ID, sa.ForeignKey("posts.id", name="fk_publications_post_id_posts"), nullable=False),
        sa.Column("clip_id", ID, sa.ForeignKey("clips.id", name="fk_publications_clip_id_clips"), nullable=False),
        sa.Column("platform", sa.String(20), nullable=False),
        sa.Column("social_account_id", ID),
        sa.Column("order_form", JSON, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("simulated", sa.Boolean),
        sa.Column("external_post_id", sa.String(200)),
        sa.Column("external_url", sa.String(2000)),
        sa.Column("reference", sa.String(500)),
        sa.Column("error_code", sa.String(100)),
        sa.Column("error_message", sa.Text),
        sa.Column("note", sa.Text),
        *(sa.Column(name, TIME, nullable=False) for name in ("scheduled_at", "requested_at")),
        *(sa.Column(name, TIME) for name in ("started_at", "published_at")),
        *(sa.Column(name, TIME, nullable=False) for name in ("created_at", "updated_at")),
        sa.Column("flow", JSON),
        sa.Column("irreversible_at", TIME),
        sa.Column("sent_bytes", sa.BigInteger, nullable=False),
        sa.Column("total_bytes", sa.BigInteger, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("failing_since", TIME),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("next_action_at", TIME),
        sa.Column("lease_token", sa.String(36)),
        sa.Column("lease_until", TIME),
        sa.Column("lease_owner", sa.String(100)),
        sa.ForeignKeyConstraint(["social_account_id"], ["social_accounts.id"], name="fk_publications_social_account_id_social_accounts"),
        sa.CheckConstraint(PLATFORMS, name="ck_publications_platform"),
        sa.CheckConstraint(f"state IN ({STATES})", name="ck_publications_state"),
        sa.PrimaryKeyConstraint("id", name="pk_publications"),
    )
    op.create_index("ix_publications_clip", "publications", ["clip_id", "requested_at"])
    for column in ("post_id", "reference", "social_account_id"):
        op.create_index(f"ix_publications_{column}", "publications", [column])
    _partial_index("ix_publications_due", "next_action_at")
    _partial_index("ix_publications_lease_owner", "lease_owner")


def _partial_index(name: str, column: str) -> None:
    """Only the rows that are waiting for something: what is finished, nearly everything, costs the claim nothing."""
    present = sa.text(f"{column} IS NOT NULL")
    op.create_index(name, "publications", [column], sqlite_where=present, postgresql_where=present)


def _idempotency_keys() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("key", sa.String(255)),
        sa.Column("request_sha256", sa.String(64), nullable=False),
        sa.Column("publication_id", ID, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["publication_id"], ["publications.id"], name="fk_idempotency_keys_publication_id_publications"),
        sa.PrimaryKeyConstraint("key", name="pk_idempotency_keys"),
    )


def _ledger() -> None:
    op.create_table(
        "ledger_events",
        sa.Column("id", ID),
        sa.Column("stream", sa.String(80), nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("event", sa.String(60), nullable=False),
        sa.Column("entity_type", sa.String(20), nullable=False),
        sa.Column("entity_id", sa.String(36), nullable=False),
        sa.Column("occurred_at", TIME, nullable=False),
        sa.Column("metadata", JSON, nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_events"),
        sa.UniqueConstraint("stream", "sequence", name="uq_ledger_events_stream_sequence"),
    )
    for column in ("entity_id", "event", "occurred_at"):
        op.create_index(f"ix_ledger_events_{column}", "ledger_events", [column])
    op.create_table(
        "ledger_heads",
        sa.Column("stream", sa.String(80)),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("stream", name="pk_ledger_heads"),
    )


def _append_only_on_sqlite() -> None:
    refuse = "BEGIN SELECT RAISE(ABORT, 'ledger_events is append-only'); END"
    for verb in ("UPDATE", "DELETE"):
        op.execute(f"CREATE TRIGGER ledger_events_no_{verb.lower()} BEFORE {verb} ON ledger_events {refuse}")
    # INSERT OR REPLACE removes the old row without asking the DELETE trigger.
    same_id_or_place = "id = NEW.id OR (stream = NEW.stream AND sequence = NEW.sequence)"
    exists = f"EXISTS (SELECT 1 FROM ledger_events WHERE {same_id_or_place})"  # noqa: S608  constants only
    op.execute(f"CREATE TRIGGER ledger_events_no_replace BEFORE INSERT ON ledger_events WHEN {exists} {refuse}")


def _append_only_on_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION clipcast_append_only() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$"
    )
    op.execute(
        "CREATE TRIGGER ledger_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_events"
        " FOR EACH STATEMENT EXECUTE FUNCTION clipcast_append_only()"
    )
