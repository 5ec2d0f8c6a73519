"""What the simulated Instagram remembers. Times are Unix seconds of the simulated clock."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, Index, Integer, String, Table

from clipcast_simulator.state import METADATA

apps = Table(
    "instagram_apps",
    METADATA,
    Column("app_id", String, primary_key=True),
    Column("app_secret", String, nullable=False),
    Column("login", String, nullable=False),
    Column("redirect_uris", JSON, nullable=False),
    Column("requires_proof", Boolean, nullable=False),
)

accounts = Table(
    "instagram_accounts",
    METADATA,
    Column("username", String, primary_key=True),
    Column("instagram_account_id", String, nullable=False, unique=True),
    Column("scoped_id", String, nullable=False),
    Column("page_id", String, nullable=False, unique=True),
    Column("login", String, nullable=False),
    Column("holder", String, nullable=False),
    Column("holder_id", String, nullable=False),
    Column("name", String, nullable=False),
    Column("account_type", String, nullable=False),
    Column("private", Boolean, nullable=False),
    Column("restricted", Boolean, nullable=False),
    Column("trial_reels", Boolean, nullable=False),
    Column("quota_total", Integer),
)

tokens = Table(
    "instagram_tokens",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("token", String, nullable=False, unique=True),
    Column("kind", String, nullable=False),
    Column("app_id", String, nullable=False),
    Column("username", String, nullable=False),
    Column("holder", String, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("issued_at", Float, nullable=False),
    Column("expires_at", Float),
    Column("dead", Integer),
    Index("instagram_tokens_owner", "username", "app_id"),
)

codes = Table(
    "instagram_codes",
    METADATA,
    Column("code", String, primary_key=True),
    Column("app_id", String, nullable=False),
    Column("username", String, nullable=False),
    Column("redirect_uri", String, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("used", Boolean, nullable=False, default=False),
)

containers = Table(
    "instagram_containers",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("container_id", String, nullable=False, unique=True),
    Column("username", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("medium", String, nullable=False),
    Column("is_child", Boolean, nullable=False),
    Column("is_resumable", Boolean, nullable=False),
    Column("parameters", JSON, nullable=False),
    Column("children", JSON, nullable=False),
    Column("url", String),
    Column("file_size", BigInteger),
    Column("bytes_done", BigInteger, nullable=False, default=0),
    Column("stage", String, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("ready_at", Float),
    Column("slow_s", Float, nullable=False, default=0.0),
    Column("stuck", Boolean, nullable=False, default=False),
    Column("doom", Integer),
    Column("verdict", Integer),
    Column("hidden_until", Float, nullable=False, default=0.0),
    Column("hidden_from", String),
    Column("sha256", String),
    Column("facts", JSON),
    Column("media_id", String),
    Column("published_at", Float),
    Index("instagram_containers_account", "username", "created_at"),
    Index("instagram_containers_stage", "stage"),
    sqlite_autoincrement=True,  # an id is a folder's name too, and must not come back after a reset
)

parts = Table(
    "instagram_parts",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("container", Integer, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("file", String, nullable=False),
    Index("instagram_parts_container", "container", "first", unique=True),
)

posts = Table(
    "instagram_posts",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("media_id", String, nullable=False, unique=True),
    Column("container", Integer, nullable=False, unique=True),
    Column("username", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("medium", String, nullable=False),
    Column("caption", String, nullable=False),
    Column("shortcode", String, nullable=False),
    Column("parameters", JSON, nullable=False),
    Column("published_at", Float, nullable=False),
    Column("comment_enabled", Boolean, nullable=False, default=True),
    Column("deleted_at", Float),
    Index("instagram_posts_account", "username", "published_at"),
    sqlite_autoincrement=True,
)

calls = Table(
    "instagram_calls",
    METADATA,
    Column("bucket", String, primary_key=True),
    Column("minute", Integer, primary_key=True),
    Column("count", Integer, nullable=False),
)
