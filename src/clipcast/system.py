"""Everything, built once: what an entry point opens and hands down."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Self

from fastapi import FastAPI
from pydantic import SecretStr

from clipcast.accounts.keys import open_vault, signing_key
from clipcast.accounts.refresh import Refresher
from clipcast.accounts.vault import Vault
from clipcast.clips.ingest import Library, open_library
from clipcast.clips.links import Links
from clipcast.clips.routes import media_router
from clipcast.clips.source import ClipSource
from clipcast.clock import Clock, system_clock
from clipcast.db.engine import Database
from clipcast.platforms.base import AnyPlatform
from clipcast.platforms.registry import live_platforms
from clipcast.platforms.wire import Wire
from clipcast.publications.connections import Connections
from clipcast.publications.driver import Driver
from clipcast.publications.observer import Observer, Silent
from clipcast.settings import Settings
from clipcast.standin import StandIn

UNFINISHED_AFTER: Final = timedelta(hours=6)
"""A file that came in only in part and was not touched for so long is left over from a crash."""


@dataclass(frozen=True)
class Clipcast:
    """One installation, opened: settings, database, media, platforms and the driver. `close()` it, or use it in a `with`."""

    settings: Settings
    clock: Clock
    db: Database
    vault: Vault
    library: Library
    links: Links
    wire: Wire
    platforms: Mapping[str, AnyPlatform]
    standin: StandIn
    connections: Connections
    driver: Driver

    @classmethod
    def open(cls, settings: Settings, *, clock: Clock = system_clock, observer: Observer | None = None, wire: Wire | None = None) -> Self:
        """Build everything from the settings; nothing is migrated, started or sent yet.

        Raises:
            ConfigurationError: a setting, a key file or a directory is not usable; the sentence names it.
        """
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        db, wire, vault = Database(settings.database), wire or Wire(), open_vault(settings)
        library = open_library(settings, db, clock)
        library.storage.sweep_incoming(clock() - UNFINISHED_AFTER)
        links = Links(SecretStr(signing_key(settings).hex()), clock)
        media_app = FastAPI(openapi_url=None)
        standin = StandIn(settings, media_app, lambda request: wire.send(request, media=live_media))
        live_media = ClipSource(db, library.storage, links, lambda: settings.public_url)
        platforms = live_platforms(settings)
        connections = Connections(
            settings=settings,
            db=db,
            vault=vault,
            wire=wire,
            refresher=Refresher(db, vault, settings, clock, lambda request: wire.send(request, media=live_media)),
            live=platforms,
            live_media=live_media,
            simulated_media=ClipSource(db, library.storage, links, standin.media_url),
            standin=standin,
        )
        driver = Driver(db, connections, wire, clock, observer or Silent(), random.random)
        opened = cls(settings, clock, db, vault, library, links, wire, platforms, standin, connections, driver)
        media_app.state.clipcast = opened
        media_app.include_router(media_router)
        return opened

    def close(self) -> None:
        """Stop what was started here, and give all connections back."""
        self.standin.close()
        self.wire.close()
        self.db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
