"""One installation that talks to the simulator as if it were the platforms, full of marked secrets, and the ear that hears all it says."""

import base64
import io
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import structlog
from fastapi import FastAPI
from sqlalchemy import make_url, select

from app.accounts.conftest import SECRET as APP_SECRET
from app.accounts.conftest import at
from app.accounts.wayfarer import Browser
from app.api.calling import Api
from app.discretion.overhearing import Ear
from app.telemetry.collecting import Collector, collecting
from clipcast import log
from clipcast.accounts.credentials import get_account_credentials
from clipcast.accounts.models import SocialAccount
from clipcast.api.app import create_app
from clipcast.clips.models import Clip
from clipcast.clock import system_clock
from clipcast.db.base import Base
from clipcast.errors import ClipcastError
from clipcast.media_server import MediaServer
from clipcast.platforms.base import Credentials
from clipcast.publications.states import State
from clipcast.settings import Settings, load_settings
from clipcast.system import Clipcast
from conftest import MovableClock
from contract.bench import Bench, Interruption, connect_live, open_platform
from contract.carriers import Stepper
from contract.platforms import INSTAGRAM_BY_FACEBOOK, PLATFORMS, PlatformUnderTest
from contract.world import World
from keys import new_key

LEAD: Final = "act.wr0ng-field-Qx7Lr2Vb9Tz4"
"""A token as somebody puts it into a place where none belongs."""
IDENTITIES: Final = {
    "client_key",
    "client_id",
    "app_id",
    "open_id",
    "scope",
    "login",
    "instagram_account_id",
    "page_id",
    "token_type",
    "channel_id",
}
"""What credentials hold besides secrets: every address bar on the way to a platform's consent page shows them."""


@dataclass
class Scene:
    """What a way plays on. Accounts, clips and the server's listeners come into being when they are asked for."""

    ear: Ear
    product: Clipcast
    api: Api
    world: World
    clock: MovableClock
    directory: Path
    media: Mapping[str, Path]
    media_url: str
    log: io.StringIO
    collector: Collector
    ids: dict[str, str] = field(default_factory=dict)
    _benches: dict[str, Bench] = field(default_factory=dict)

    @cached_property
    def shelf(self) -> dict[str, Clip]:
        """The clips, by name."""
        return {name: self.product.library.add_file(path) for name, path in self.media.items()}

    @property
    def benches(self) -> list[Bench]:
        """One live account of each kind."""
        return [self.bench(platform) for platform in PLATFORMS]

    def bench(self, platform: PlatformUnderTest) -> Bench:
        """The live account of this kind, its credentials marked."""
        if platform.title not in self._benches:
            open_platform(platform, self.world, self.media_url)
            username = "pages" if platform is INSTAGRAM_BY_FACEBOOK else "marina"
            account_id = connect_live(self.product, platform, self.world, username)
            stepper = Stepper(self.product, self.clock, self.world)
            self._benches[platform.title] = Bench(
                self.product, platform, self.world, self.clock, self.shelf, account_id, Interruption(), stepper
            )
            self.mark_stored()
        return self._benches[platform.title]

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        """Call the server, and hear its answer."""
        before = len(self.api.heard)
        answer = self.api(method, path, body, **headers)
        self.ear.hear(f"the answer to {method} {path.partition('?')[0]}", self.api.heard[before:])
        return answer

    @contextmanager
    def browser(self) -> Iterator[Browser]:
        """A browser whose person may manage; what our server shows it is heard."""
        browser = Browser(self.api.url, self.api.key)
        yield browser
        self.ear.hear("a page", re.sub(r"'?(?i:location|set-cookie)'?: '[^']*'", "", browser.seen))
        browser.close()

    def mark_stored(self) -> None:
        """Whatever is in the vault now must not be heard."""
        with self.product.db.reading() as session:
            account_ids = list(session.scalars(select(SocialAccount.id).where(SocialAccount.credentials.is_not(None))))
        for account_id in account_ids:
            for name, value in self.stored(account_id).values.items():
                if name not in IDENTITIES and value not in self.ear.secrets.values() and len(value) >= 12:
                    self.ear.mark(name, value)

    def stored(self, account_id: str) -> Credentials:
        """The account's credentials."""
        return get_account_credentials(self.product.db, account_id, self.product.vault)

    def hear_trouble(self, act: Callable[[], object]) -> bool:
        """Do it, and hear the error if it fails: what a program sees of it, and what a debugger shows. Whether it failed."""
        try:
            act()
        except ClipcastError as error:
            self.ear.hear("an exception", f"{error!r} {error} {vars(error)}")
            return True
        return False

    def publish(self, bench: Bench, *, steps: int = 60) -> State:
        """Publish once, and carry it as far as it goes in so many steps."""
        self._bring_back(bench)
        publication_id = self.ids["publication_id"] = bench.publish(bench.platform.flows[0])
        for _ in range(steps):
            over = bench.row(publication_id).next_action_at is None
            if over or self.hear_trouble(lambda: bench.step(publication_id)):
                break
        self.mark_stored()
        return State(bench.row(publication_id).state)

    def _bring_back(self, bench: Bench) -> None:
        """What went wrong before may have talked the account into having lost its connection."""
        with self.product.db.writing() as session:
            session.get_one(SocialAccount, bench.account_id).status = "active"

    def hear_what_is_kept(self) -> None:
        """The log, the metrics, every file of the data directory but keys and media, and every value of every table."""
        self.ear.hear("the log", self.log.getvalue())
        self.ear.hear("the metrics", self.api("GET", "/metrics").body)
        for path in [*(self.directory / "data").rglob("*"), *self.directory.glob("clipcast.sqlite3*")]:
            if path.is_file() and path.suffix != ".key" and "media" not in path.parts:
                self.ear.hear(f"the file {path.name}", path.read_bytes().decode("latin-1"))
        with self.product.db.reading() as session:
            for table in Base.metadata.sorted_tables:
                for row in session.execute(table.select()):
                    shown = (value.decode("latin-1") if isinstance(value, bytes) else str(value) for value in row)
                    self.ear.hear(f"the table {table.name}", " ".join(shown))


@contextmanager
def scene_of(directory: Path, database_url: str, log_format: str, world: World, media: Mapping[str, Path]) -> Iterator[Scene]:
    """The scene; when it is over, the traces that were sent are heard, too."""
    ear, clock, stream = Ear(), MovableClock(system_clock()), io.StringIO()
    outside = FastAPI(openapi_url=None)
    with collecting() as (collector, traces_url):
        server = MediaServer(outside)
        settings = load_settings(
            **marked_settings(ear, directory, database_url),
            **at(world.url),
            public_url=server.url,
            log_format=log_format,
            traces_url=traces_url,
        )
        with logging_to(settings, stream), Clipcast.open(settings, clock=clock) as product:
            inside = create_app(product, with_worker=False)
            outside.mount("/", inside)
            Api.document = Api.document or inside.openapi()
            api = Api(server.url, ear.mark("API key", new_key(product.db)))
            yield Scene(ear, product, api, world, clock, directory, media, server.url, stream, collector)
            api.close()
        server.close()
    ear.hear("the traces", collector.raw)


def marked_settings(ear: Ear, directory: Path, database_url: str) -> dict[str, Any]:
    """Settings whose every secret is marked."""
    key = base64.b64encode(b"m4rked credential key, 32 bytes!").decode()
    url = make_url(database_url)
    if url.get_backend_name() == "postgresql":
        url = url.set(password=ear.mark("database password", "m4rked-database-Pa55word"))
    ear.mark("app secret", APP_SECRET)
    ear.mark("token in a wrong place", LEAD)
    return {
        "data_dir": directory / "data",
        "database_url": url.render_as_string(hide_password=False),
        "credential_keys": ear.mark("credential key", key),
        "secret_key": ear.mark("secret key", "m4rked-Signing-secret-0001"),
        "log_level": "debug",
    }


@contextmanager
def logging_to(settings: Settings, stream: io.StringIO) -> Iterator[None]:
    """Everything that this process logs meanwhile, as a server writes it."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    log.configure(settings, stream)
    try:
        yield
    finally:
        root.handlers = handlers
        root.setLevel(level)
        structlog.reset_defaults()
