"""What the simulated YouTube remembers. Times are Unix seconds of the simulated clock."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, Index, Integer, String, Table, Text

from clipcast_simulator.state import METADATA

apps = Table(
    "youtube_apps",
    METADATA,
    Column("client_id", String, primary_key=True),
    Column("client_secret", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("project_number", String, nullable=False),
    Column("redirect_uris", JSON, nullable=False),
    Column("upload_quota", Integer, nullable=False),
    Column("unit_quota", Integer, nullable=False),
    Column("api_enabled", Boolean, nullable=False),
)

accounts = Table(
    "youtube_accounts",
    METADATA,
    Column("username", String, primary_key=True),
    Column("channel_id", String, nullable=False, unique=True),
    Column("title", String, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("channel", Boolean, nullable=False),
    Column("suspended", Boolean, nullable=False),
    Column("phone_verified", Boolean, nullable=False),
    Column("long_uploads", String, nullable=False),
    Column("upload_cap", Integer, nullable=False),
    Column("thumbnail_cap", Integer, nullable=False),
    Column("testing", Boolean, nullable=False),
)

grants = Table(
    "youtube_grants",
    METADATA,
    Column("client_id", String, primary_key=True),
    Column("username", String, primary_key=True),
    Column("scopes", JSON, nullable=False),
)

access_tokens = Table(
    "youtube_access_tokens",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("token", String, nullable=False, unique=True),
    Column("client_id", String, nullable=False),
    Column("username", String, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("revoked", Boolean, nullable=False, default=False),
    Index("youtube_access_tokens_owner", "username", "client_id"),
)

refresh_tokens = Table(
    "youtube_refresh_tokens",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("token", String, nullable=False, unique=True),
    Column("client_id", String, nullable=False),
    Column("username", String, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("ends_at", Float),
    Column("revoked", Boolean, nullable=False, default=False),
    Index("youtube_refresh_tokens_owner", "username", "client_id"),
)

codes = Table(
    "youtube_codes",
    METADATA,
    Column("code", String, primary_key=True),
    Column("client_id", String, nullable=False),
    Column("username", String, nullable=False),
    Column("redirect_uri", String, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("offline", Boolean, nullable=False),
    Column("challenge", String),
    Column("challenge_method", String),
    Column("expires_at", Float, nullable=False),
    Column("used", Boolean, nullable=False, default=False),
)

quota = Table(
    "youtube_quota",
    METADATA,
    Column("project_number", String, primary_key=True),
    Column("bucket", String, primary_key=True),
    Column("day", String, primary_key=True),
    Column("used", Integer, nullable=False),
)

sessions = Table(
    "youtube_sessions",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("upload_id", String, nullable=False, unique=True),
    Column("kind", String, nullable=False),
    Column("client_id", String, nullable=False),
    Column("username", String, nullable=False),
    Column("origin", String, nullable=False),
    Column("path", String, nullable=False),
    Column("parts", JSON, nullable=False),
    Column("resource", JSON, nullable=False),
    Column("video_id", String),
    Column("content_type", String),
    Column("file_name", String),
    Column("total", BigInteger),
    Column("persisted", BigInteger, nullable=False, default=0),
    Column("chunks", Integer, nullable=False, default=0),
    Column("state", String, nullable=False, default="open"),
    Column("created_at", Float, nullable=False),
    Column("completed_at", Float),
    Column("final_status", Integer),
    Column("final_body", Text),
    Column("slow_s", Float, nullable=False, default=0.0),
    Column("stuck", Boolean, nullable=False, default=False),
    Column("doom", String),
)

pieces = Table(
    "youtube_pieces",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("session_id", Integer, nullable=False, index=True),
    Column("first", BigInteger, nullable=False),
    Column("start", BigInteger, nullable=False, default=0),
    Column("size", BigInteger, nullable=False),
    Column("file", String, nullable=False),
    Column("arriving", Boolean, nullable=False),
)

videos = Table(
    "youtube_videos",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("video_id", String, nullable=False, unique=True),
    Column("session_id", Integer, nullable=False, unique=True),
    Column("client_id", String, nullable=False),
    Column("username", String, nullable=False),
    Column("resource", JSON, nullable=False),
    Column("file_name", String),
    Column("size", BigInteger, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("ready_at", Float, nullable=False),
    Column("stuck", Boolean, nullable=False, default=False),
    Column("locked", Boolean, nullable=False, default=False),
    Column("was_public", Boolean, nullable=False, default=False),
    Column("doom", String),
    Column("inspected", Boolean, nullable=False, default=False),
    Column("verdict", String),
    Column("facts", JSON, nullable=False, default=dict),
    Column("sha256", String),
    Column("is_short", Boolean, nullable=False, default=False),
    Column("deleted_at", Float),
    Index("youtube_videos_channel", "username", "created_at"),
)

thumbnails = Table(
    "youtube_thumbnails",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("video_id", String, nullable=False, index=True),
    Column("username", String, nullable=False),
    Column("at", Float, nullable=False),
    Column("was_processed", Boolean, nullable=False),
    Column("sha256", String, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
)
