"""The apps and accounts that exist: what the app dashboard and the Instagram app's settings would show."""

from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from sqlalchemy import Connection, Row, select
from sqlalchemy.dialects.sqlite import insert

from clipcast_simulator.instagram import ids
from clipcast_simulator.instagram.tables import accounts, apps

Login = Literal["instagram", "facebook"]

SCOPES: Final[dict[str, tuple[str, ...]]] = {
    "instagram": (
        "instagram_business_basic",
        "instagram_business_content_publish",
        "instagram_business_manage_comments",
        "instagram_business_manage_insights",
        "instagram_business_manage_messages",
    ),
    "facebook": (
        "ads_management",
        "ads_read",
        "business_management",
        "catalog_management",
        "instagram_basic",
        "instagram_content_publish",
        "instagram_manage_comments",
        "instagram_manage_contents",
        "instagram_manage_engagement",
        "instagram_manage_insights",
        "instagram_manage_messages",
        "instagram_shopping_tag_products",
        "pages_manage_metadata",
        "pages_manage_posts",
        "pages_read_engagement",
        "pages_show_list",
    ),
}


@dataclass(frozen=True, slots=True)
class App:
    """An app of the dashboard. It uses one login, not both."""

    app_id: str
    app_secret: str
    login: str
    redirect_uris: tuple[str, ...] = ()
    requires_proof: bool = False  #: the setting "Require app secret"


@dataclass(frozen=True, slots=True)
class Account:
    """A professional account; with Facebook Login it hangs on a Page, and a person holds the Page."""

    username: str
    instagram_account_id: str
    scoped_id: str
    page_id: str
    login: str
    holder: str
    holder_id: str
    name: str
    account_type: str = "BUSINESS"
    private: bool = False
    restricted: bool = False  #: checkpointed or inactive: 25/2207050
    trial_reels: bool = True  #: may make trial reels
    quota_total: int | None = None  #: None: what the knob says


DEFAULT_APPS: Final = (
    App(
        app_id="17000000000000001",
        app_secret="clipcast-simulator-secret",  # noqa: S106 - the simulator's own, it opens nothing
        login="instagram",
        redirect_uris=("http://127.0.0.1:*/oauth/instagram/callback", "http://localhost:*/oauth/instagram/callback"),
    ),
    App(
        app_id="17000000000000002",
        app_secret="clipcast-simulator-secret",  # noqa: S106 - the simulator's own, it opens nothing
        login="facebook",
        redirect_uris=("http://127.0.0.1:*/oauth/instagram/callback", "http://localhost:*/oauth/instagram/callback"),
    ),
)


def app(connection: Connection, app_id: str) -> App | None:
    """Find an app."""
    row = connection.execute(select(apps).where(apps.c.app_id == app_id)).first()
    return None if row is None else _app(row)


def all_apps(connection: Connection) -> list[App]:
    """Return every app."""
    return [_app(row) for row in connection.execute(select(apps).order_by(apps.c.app_id))]


def save_app(connection: Connection, changed: App) -> None:
    """Create or replace an app."""
    values = asdict(changed) | {"redirect_uris": list(changed.redirect_uris)}
    row = insert(apps).values(**values)
    connection.execute(row.on_conflict_do_update(index_elements=[apps.c.app_id], set_=values))


def account(connection: Connection, username: str) -> Account | None:
    """Find an account by its name."""
    return _account(connection.execute(select(accounts).where(accounts.c.username == username)).first())


def account_by_id(connection: Connection, instagram_account_id: str) -> Account | None:
    """Find an account by the id that paths carry."""
    query = select(accounts).where(accounts.c.instagram_account_id == instagram_account_id)
    return _account(connection.execute(query).first())


def held_by(connection: Connection, holder: str) -> list[Account]:
    """Return the accounts whose Pages a person holds, in the order of their names."""
    query = select(accounts).where(accounts.c.holder == holder, accounts.c.login == "facebook").order_by(accounts.c.username)
    return [Account(**row._asdict()) for row in connection.execute(query)]


def all_accounts(connection: Connection) -> list[Account]:
    """Return every account."""
    return [Account(**row._asdict()) for row in connection.execute(select(accounts).order_by(accounts.c.username))]


def new_account(connection: Connection, username: str, login: str, holder: str | None = None) -> Account:
    """Make a public professional account. A person has one id, however many Pages they hold."""
    person = holder or username
    held = held_by(connection, person)
    return Account(
        username=username,
        instagram_account_id=ids.make(ids.USER),
        scoped_id=ids.make("23"),
        page_id=ids.make("61"),
        login=login,
        holder=person,
        holder_id=held[0].holder_id if held else ids.make("10"),
        name=username.replace("_", " ").replace(".", " ").title(),
    )


def save_account(connection: Connection, changed: Account) -> None:
    """Create or replace an account."""
    values = asdict(changed)
    row = insert(accounts).values(**values)
    connection.execute(row.on_conflict_do_update(index_elements=[accounts.c.username], set_=values))


def _account(row: Row[Any] | None) -> Account | None:
    return None if row is None else Account(**row._asdict())


def _app(row: Row[Any]) -> App:
    values = row._asdict()
    return App(**(values | {"redirect_uris": tuple(values["redirect_uris"])}))
