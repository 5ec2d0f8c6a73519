"""The apps and accounts that exist: what the Cloud Console and a channel's settings would show."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, select
from sqlalchemy.dialects.sqlite import insert

from clipcast_simulator.youtube import ids
from clipcast_simulator.youtube.tables import accounts, apps

_PREFIX: Final = "https://www.googleapis.com/auth/"

UPLOAD: Final = f"{_PREFIX}youtube.upload"
READONLY: Final = f"{_PREFIX}youtube.readonly"
MANAGE: Final = f"{_PREFIX}youtube"
FORCE_SSL: Final = f"{_PREFIX}youtube.force-ssl"
PARTNER: Final = f"{_PREFIX}youtubepartner"

#: Every scope that the consent page knows.
SCOPES: Final = (
    *(UPLOAD, READONLY, MANAGE, FORCE_SSL, PARTNER),
    *(f"{_PREFIX}yt-analytics.readonly", f"{_PREFIX}yt-analytics-monetary.readonly"),
    *("openid", "email", "profile", f"{_PREFIX}userinfo.email", f"{_PREFIX}userinfo.profile"),
)
#: What an account made by the control resource grants: the minimum for upload and status.
DEFAULT_SCOPES: Final = (UPLOAD, READONLY)

#: Which scopes allow what (the table of the OAuth section; discovery document of 2026-11-04).
MAY_UPLOAD: Final = frozenset({UPLOAD, MANAGE, FORCE_SSL, PARTNER})
MAY_READ: Final = frozenset({READONLY, MANAGE, FORCE_SSL, PARTNER})
MAY_WRITE: Final = frozenset({MANAGE, FORCE_SSL, PARTNER})


@dataclass(frozen=True, slots=True)
class App:
    """An OAuth client. Clients with the same project number share its quota."""

    client_id: str
    client_secret: str
    kind: str = "web"  #: web or desktop
    project_number: str = "100000000001"
    redirect_uris: tuple[str, ...] = ()
    upload_quota: int = 100  #: calls of videos.insert a day
    unit_quota: int = 10_000
    api_enabled: bool = True


@dataclass(frozen=True, slots=True)
class Account:
    """A Google account with its channel."""

    username: str
    channel_id: str
    title: str
    created_at: float
    channel: bool = True  #: whether it has a channel at all
    suspended: bool = False
    phone_verified: bool = True
    long_uploads: str = "allowed"
    upload_cap: int = 100  #: of the channel, over a rolling 24 hours
    thumbnail_cap: int = 100
    testing: bool = False  #: a test user of an app whose publishing status is Testing

    @property
    def long_uploads_status(self) -> str:
        """What channels.list says; without a verified phone number they can only be enabled."""
        return "eligible" if self.long_uploads == "allowed" and not self.phone_verified else self.long_uploads

    @property
    def longest_s(self) -> float:
        """How long a video may be (help centre, long uploads)."""
        return 43_200.0 if self.long_uploads_status == "allowed" else 900.0


DEFAULT_APP: Final = App(
    client_id="100000000001-clipcastsimulator.apps.googleusercontent.com",
    client_secret="GOCSPX-clipcast-simulator-secret",  # noqa: S106 - the simulator's own, it opens nothing
    redirect_uris=(
        "http://127.0.0.1:*/oauth/youtube/callback",
        "http://localhost:*/oauth/youtube/callback",
    ),
)


def full_scope(name: str) -> str:
    """Return a scope's full name; `youtube.upload` is short for its URL.

    >>> full_scope("youtube.upload")
    'https://www.googleapis.com/auth/youtube.upload'
    """
    return name if name in SCOPES else _PREFIX + name


def ordered(scopes: Iterable[str]) -> tuple[str, ...]:
    """Return scopes in a fixed order."""
    return tuple(sorted(set(scopes)))


def app(connection: Connection, client_id: str) -> App | None:
    """Find an app."""
    row = connection.execute(select(apps).where(apps.c.client_id == client_id)).first()
    return None if row is None else _app(row)


def all_apps(connection: Connection) -> list[App]:
    """Return every app."""
    return [_app(row) for row in connection.execute(select(apps).order_by(apps.c.client_id))]


def save_app(connection: Connection, changed: App) -> None:
    """Create or replace an app."""
    values = asdict(changed) | {"redirect_uris": list(changed.redirect_uris)}
    row = insert(apps).values(**values)
    connection.execute(row.on_conflict_do_update(index_elements=[apps.c.client_id], set_=values))


def account(connection: Connection, username: str) -> Account | None:
    """Find an account by its name."""
    row = connection.execute(select(accounts).where(accounts.c.username == username)).first()
    return None if row is None else Account(**row._asdict())


def by_channel(connection: Connection, channel_id: str) -> Account | None:
    """Find an account by its channel."""
    row = connection.execute(select(accounts).where(accounts.c.channel_id == channel_id, accounts.c.channel)).first()
    return None if row is None else Account(**row._asdict())


def new_account(username: str, now: float) -> Account:
    """Make an account with a channel."""
    return Account(username, ids.channel_id(), username.replace("_", " ").replace(".", " ").title(), now)


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
    return App(**values | {"redirect_uris": tuple(values["redirect_uris"])})
