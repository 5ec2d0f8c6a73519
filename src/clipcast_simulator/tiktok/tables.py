"""What the simulated TikTok remembers. Times are Unix seconds of the simulated clock."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, Index, Integer, String, Table, text

from clipcast_simulator.state import METADATA

apps = Table(
    "tiktok_apps",
    METADATA,
    Column("client_key", String, primary_key=True),
    Column("client_secret", String, nullable=False),
    Column("audited", Boolean, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("redirect_uris", JSON, nullable=False),
    Column("verified_domains", JSON, nullable=False),
    Column("verified_prefixes", JSON, nullable=False),
    Column("webhook_url", String),
    Column("active_user_cap", Integer),
)

accounts = Table(
    "tiktok_accounts",
    METADATA,
    Column("username", String, primary_key=True),
    Column("nickname", String, nullable=False),
    Column("union_id", String, nullable=False),
    Column("private", Boolean, nullable=False),
    Column("banned", Boolean, nullable=False),
    Column("comment_disabled", Boolean, nullable=False),
    Column("duet_disabled", Boolean, nullable=False),
    Column("stitch_disabled", Boolean, nullable=False),
    Column("max_video_post_duration_sec", Integer, nullable=False),
    Column("daily_post_cap", Integer, nullable=False),
    Column("pending_share_cap", Integer, nullable=False),
    Column("app_version", String, nullable=False),
)

grants = Table(
    "tiktok_grants",
    METADATA,
    Column("client_key", String, primary_key=True),
    Column("username", String, primary_key=True),
    Column("open_id", String, nullable=False, unique=True),
    Column("scopes", JSON, nullable=False),
)

access_tokens = Table(
    "tiktok_access_tokens",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("token", String, nullable=False, unique=True),
    Column("client_key", String, nullable=False),
    Column("username", String),
    Column("scopes", JSON, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("revoked", Boolean, nullable=False, default=False),
    Index("tiktok_access_tokens_owner", "username", "client_key"),
)

refresh_tokens = Table(
    "tiktok_refresh_tokens",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("token", String, nullable=False, unique=True),
    Column("client_key", String, nullable=False),
    Column("username", String, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("revoked", Boolean, nullable=False, default=False),
    Index("tiktok_refresh_tokens_owner", "username", "client_key"),
)

codes = Table(
    "tiktok_codes",
    METADATA,
    Column("code", String, primary_key=True),
    Column("client_key", String, nullable=False),
    Column("username", String, nullable=False),
    Column("redirect_uri", String, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("challenge", String),
    Column("expires_at", Float, nullable=False),
    Column("used", Boolean, nullable=False, default=False),
)

calls = Table(
    "tiktok_calls",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("bucket", String, nullable=False),
    Column("at", Float, nullable=False),
    Index("tiktok_calls_window", "bucket", "at"),
)

tasks = Table(
    "tiktok_tasks",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("publish_id", String, nullable=False, unique=True),
    Column("kind", String, nullable=False),
    Column("mode", String, nullable=False),
    Column("source", String, nullable=False),
    Column("client_key", String, nullable=False),
    Column("username", String, nullable=False),
    Column("post_info", JSON, nullable=False),
    Column("urls", JSON, nullable=False),
    Column("upload_id", String, unique=True),
    Column("upload_token", String),
    Column("video_size", BigInteger),
    Column("chunk_size", BigInteger),
    Column("chunk_count", Integer),
    Column("content_type", String),
    Column("bytes_done", BigInteger, nullable=False, default=0),
    Column("state", String, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("hidden_until", Float, nullable=False),
    Column("slow_s", Float, nullable=False, default=0.0),
    Column("stuck", Boolean, nullable=False, default=False),
    Column("doom", String),
    Column("ready_at", Float),
    Column("inspected", Boolean, nullable=False, default=False),
    Column("verdict", String),
    Column("sha256", String),
    Column("facts", JSON),
    Column("fail_reason", String),
    Column("finished_at", Float),
    Index("tiktok_tasks_account", "username", "created_at"),
    Index("tiktok_tasks_open", "state", sqlite_where=text("state IN ('created', 'receiving', 'processing')")),
    sqlite_autoincrement=True,  # an id is a folder's name too, and must not come back after a reset
)

parts = Table(
    "tiktok_parts",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("task_id", Integer, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("file", String, nullable=False),
    Index("tiktok_parts_task", "task_id", "first", unique=True),
)

images = Table(
    "tiktok_images",
    METADATA,
    Column("task_id", Integer, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("file", String, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", String, nullable=False),
)

posts = Table(
    "tiktok_posts",
    METADATA,
    Column("post_id", BigInteger, primary_key=True),
    Column("task_id", Integer, nullable=False),
    Column("username", String, nullable=False),
    Column("privacy_level", String, nullable=False),
    Column("title", String, nullable=False),
    Column("description", String, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("public_at", Float),
    Index("tiktok_posts_task", "task_id"),
    Index("tiktok_posts_account", "username", "created_at"),
)

deliveries = Table(
    "tiktok_deliveries",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("client_key", String, nullable=False),
    Column("event", String, nullable=False),
    Column("body", String, nullable=False),
    Column("due_at", Float, nullable=False),
    Column("first_at", Float),
    Column("attempts", Integer, nullable=False, default=0),
    Column("last_status", Integer),
    Column("outcome", String),
    Index("tiktok_deliveries_due", "due_at", sqlite_where=text("outcome IS NULL")),
)
