"""The apps and accounts that exist: what the developer portal and the TikTok app's settings would show."""

from dataclasses import asdict, dataclass, fields
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import Connection, Row, select
from sqlalchemy.dialects.sqlite import insert

from clipcast_simulator.tiktok.tables import accounts, apps

SCOPES: Final = (
    "user.info.basic",
    "user.info.profile",
    "user.info.stats",
    "video.list",
    "video.publish",
    "video.upload",
)

UNAUDITED_ACTIVE_USERS: Final = 5


@dataclass(frozen=True, slots=True)
class App:
    """A client registered in the portal."""

    client_key: str
    client_secret: str
    audited: bool = True
    scopes: tuple[str, ...] = SCOPES  #: approved in the app review
    redirect_uris: tuple[str, ...] = ()
    verified_domains: tuple[str, ...] = ()
    verified_prefixes: tuple[str, ...] = ()
    webhook_url: str | None = None
    active_user_cap: int | None = None  #: None: 5 when unaudited, unlimited when audited


@dataclass(frozen=True, slots=True)
class Account:
    """A TikTok user, with the settings that matter to posting."""

    username: str
    nickname: str
    union_id: str
    private: bool = False
    banned: bool = False
    comment_disabled: bool = False
    duet_disabled: bool = False
    stitch_disabled: bool = False
    max_video_post_duration_sec: int = 600
    daily_post_cap: int = 15
    pending_share_cap: int = 5
    app_version: str = "40.1.0"  #: of the TikTok app on the user's phone

    @property
    def privacy_options(self) -> tuple[str, ...]:
        """The levels this creator may use (creator_info page)."""
        widest = "FOLLOWER_OF_CREATOR" if self.private else "PUBLIC_TO_EVERYONE"
        return (widest, "MUTUAL_FOLLOW_FRIENDS", "SELF_ONLY")


DEFAULT_APP: Final = App(
    client_key="awclipcastsimulator",
    client_secret="clipcast-simulator-secret",  # noqa: S106 - the simulator's own, it opens nothing
    redirect_uris=(
        "http://127.0.0.1:*/oauth/tiktok/callback",
        "http://localhost:*/oauth/tiktok/callback",
    ),
)


def app(connection: Connection, client_key: str) -> App | None:
    """Find an app."""
    row = connection.execute(select(apps).where(apps.c.client_key == client_key)).first()
    return None if row is None else _app(row)


def all_apps(connection: Connection) -> list[App]:
    """Return every app."""
    return [_app(row) for row in connection.execute(select(apps).order_by(apps.c.client_key))]


def save_app(connection: Connection, changed: App) -> None:
    """Create or replace an app."""
    values = {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(changed).items()}
    row = insert(apps).values(**values)
    connection.execute(row.on_conflict_do_update(index_elements=[apps.c.client_key], set_=values))


def account(connection: Connection, username: str) -> Account | None:
    """Find an account."""
    row = connection.execute(select(accounts).where(accounts.c.username == username)).first()
    return None if row is None else Account(**row._asdict())


def new_account(username: str) -> Account:
    """Make an account as TikTok would: public, everything allowed."""
    return Account(username=username, nickname=username.replace("_", " ").replace(".", " ").title(), union_id=_uuid())


def save_account(connection: Connection, changed: Account) -> None:
    """Create or replace an account."""
    values = asdict(changed)
    row = insert(accounts).values(**values)
    connection.execute(row.on_conflict_do_update(index_elements=[accounts.c.username], set_=values))


def usernames(connection: Connection) -> list[str]:
    """Return every account's name."""
    return list(connection.execute(select(accounts.c.username).order_by(accounts.c.username)).scalars())


def _app(row: Row[Any]) -> App:
    values = row._asdict()
    lists = {field.name for field in fields(App) if str(field.type).startswith("tuple")}
    tupled: dict[str, Any] = {key: tuple(value) if key in lists else value for key, value in values.items()}
    return App(**tupled)


def _uuid() -> str:
    return str(uuid4())
