"""Everything, built once: what an entry point opens and hands down."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property, partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self, cast

import structlog
from pydantic import SecretStr

from clipcast.accounts.browser import BrowserMarks
from clipcast.accounts.disconnecting import Disconnector
from clipcast.accounts.keys import open_vault, signing_key, warn_of_readable_keys
from clipcast.accounts.linking import Linker
from clipcast.accounts.refresh import Refresher
from clipcast.accounts.upkeep import Upkeep
from clipcast.accounts.vault import Vault
from clipcast.clips.conversions import Conversions, Heard
from clipcast.clips.links import Links
from clipcast.clips.source import ClipSource
from clipcast.clips.storage import Storage
from clipcast.clips.stores import open_storage
from clipcast.clock import Clock, system_clock
from clipcast.db.engine import Database
from clipcast.errors import ConfigurationError
from clipcast.people.cookies import Cookies
from clipcast.platforms.base import AnyPlatform
from clipcast.platforms.forms import MediaForm
from clipcast.platforms.registry import live_platforms
from clipcast.platforms.wire import Wire
from clipcast.privacy import how_to_close, make_private, mode_open_to_others
from clipcast.publications import pace
from clipcast.publications.connections import Connections
from clipcast.publications.driver import Driver
from clipcast.publications.observer import Both, Observer, Silent
from clipcast.publications.pace import Reserve
from clipcast.settings import Settings
from clipcast.standin import MediaHouse, StandIn

if TYPE_CHECKING:
    from clipcast.clips.ingest import Library
    from clipcast.telemetry.tracing import Traces

log = structlog.get_logger()

UNFINISHED_AFTER: Final = timedelta(hours=6)
"""A file that came in only in part and was not touched for so long is left over from a crash."""


@dataclass(frozen=True)
class Clipcast:
    """One installation, opened: settings, database, media, platforms and the driver. `close()` it, or use it in a `with`."""

    settings: Settings
    clock: Clock
    db: Database
    vault: Vault
    storage: Storage
    links: Links
    wire: Wire
    platforms: Mapping[str, AnyPlatform]
    standin: StandIn
    connections: Connections
    upkeep: Upkeep
    driver: Driver
    conversions: Conversions
    cookies: Cookies
    traces: "Traces | None"

    @classmethod
    def open(cls, settings: Settings, *, clock: Clock = system_clock, observer: Observer | None = None, wire: Wire | None = None) -> Self:
        """Build everything from the settings; nothing is migrated, started or sent yet.

        Raises:
            ConfigurationError: a setting, a key file or a directory is not usable; the sentence names it.
        """
        make_private(settings.data_dir)
        db, wire, vault = Database(settings.database), wire or Wire(), open_vault(settings)
        signing = SecretStr(signing_key(settings).hex())
        storage, links = open_storage(settings), Links(signing, clock)
        warn_of_readable_keys(settings)
        _warn_if_open_to_others(settings.data_dir)
        storage.sweep_incoming(clock() - UNFINISHED_AFTER)
        live_media = ClipSource(db, storage, links, lambda: settings.public_url)
        standin = StandIn(settings, MediaHouse(db, storage, links), lambda request: wire.send(request, media=live_media))
        platforms = live_platforms(settings)
        refresher = Refresher(db, vault, settings, clock, partial(wire.send, media=live_media))
        connections = Connections(
            settings=settings,
            db=db,
            vault=vault,
            wire=wire,
            refresher=refresher,
            live=platforms,
            live_media=live_media,
            simulated_media=ClipSource(db, storage, links, standin.media_url),
            standin=standin,
        )
        conversions = Conversions(lambda clip_id, form, heard: opened.convert(clip_id, form, heard))  # noqa: PLW0108  # `opened` comes later
        traces, watching = _traces(settings), observer or Silent()
        watching = Both(watching, traces) if traces else watching
        driver = Driver(db, connections, wire, clock, watching, random.random, conversions, _counting(settings))
        cookies = Cookies(signing)
        opened = cls(
            settings=settings,
            clock=clock,
            db=db,
            vault=vault,
            storage=storage,
            links=links,
            wire=wire,
            platforms=platforms,
            standin=standin,
            connections=connections,
            upkeep=Upkeep(db, clock, refresher, platforms),
            driver=driver,
            conversions=conversions,
            cookies=cookies,
            traces=traces,
        )
        return opened

    @cached_property
    def linker(self) -> Linker:
        """What connects accounts by their owners' consent."""
        send = self.connections.refresher.send
        return Linker(self.db, self.vault, self.settings, self.clock, send=send, live=self.platforms, standin=self.standin)

    @cached_property
    def disconnector(self) -> Disconnector:
        """What takes an account's connection away."""
        return Disconnector(self.connections.refresher, self.platforms, self.connections.refresher.send)

    @cached_property
    def browser_marks(self) -> BrowserMarks:
        """What knows the browser that began a consent."""
        return BrowserMarks(SecretStr(signing_key(self.settings).hex()))

    @cached_property
    def library(self) -> "Library":
        """Where clips come in. Loaded when something comes in: the codecs weigh more than all that a worker needs to upload."""
        return cast("Library", import_module("clipcast.clips.ingest").open_library(self.settings, self.db, self.clock, self.storage))

    def convert(self, clip_id: str, form: MediaForm, heard: Heard) -> None:
        """Make the form of this clip, unless it is there; loaded like the library, and for the same reason."""
        import_module("clipcast.clips.converting").convert(self.library, clip_id, form, heard)

    def close(self) -> None:
        """Stop what was started here, and give all connections back."""
        if "library" in vars(self):  # else nothing was fetched, and asking for it would load the codecs
            self.library.fetcher.stop()
        self.conversions.stop()
        if self.traces:
            self.traces.close()
        self.standin.close()
        self.wire.close()
        self.db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _warn_if_open_to_others(data_dir: Path) -> None:
    """At each start, in the log; changed it is not: its owner may have meant it."""
    mode = mode_open_to_others(data_dir)
    if mode is not None:
        log.warning("data.open_to_others", path=str(data_dir), mode=f"{mode:04o}", advice=how_to_close(data_dir))


def _counting(settings: Settings) -> Reserve:
    """Where the platforms' limits are counted.

    Raises:
        ConfigurationError: Redis' client is not installed, or cannot make anything of the address.
    """
    if not settings.redis_url:
        return pace.reserve
    try:
        limits = import_module("clipcast.publications.shared_limits").open_limits(settings.redis_url)
    except ModuleNotFoundError as error:
        raise ConfigurationError("CLIPCAST_REDIS_URL needs Redis' client: pip install 'clipcast[celery]'.") from error
    except ValueError as error:
        raise ConfigurationError("CLIPCAST_REDIS_URL is not an address such as redis://localhost:6379/1.") from error
    return cast("Reserve", limits.reserve)


def _traces(settings: Settings) -> "Traces | None":
    """What sends traces, where somebody wants them; raises a ConfigurationError where the extra is missing."""
    if not settings.traces_url:
        return None
    try:
        tracing = import_module("clipcast.telemetry.tracing")
    except ImportError as error:
        raise ConfigurationError("CLIPCAST_TRACES_URL needs OpenTelemetry: install clipcast with the extra otel, or unset it.") from error
    return cast("Traces", tracing.traces_to(settings.traces_url))
