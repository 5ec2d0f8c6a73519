"""Everything, built once: what an entry point opens and hands down."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Final, Self, cast

from pydantic import SecretStr

from clipcast.accounts.keys import open_vault, signing_key
from clipcast.accounts.refresh import Refresher
from clipcast.accounts.vault import Vault
from clipcast.clips.conversions import Conversions, Heard
from clipcast.clips.links import Links
from clipcast.clips.source import ClipSource
from clipcast.clips.storage import Storage
from clipcast.clips.stores import open_storage
from clipcast.clock import Clock, system_clock
from clipcast.db.engine import Database
from clipcast.platforms.base import AnyPlatform
from clipcast.platforms.forms import MediaForm
from clipcast.platforms.registry import live_platforms
from clipcast.platforms.wire import Wire
from clipcast.publications.connections import Connections
from clipcast.publications.driver import Driver
from clipcast.publications.observer import Observer, Silent
from clipcast.settings import Settings
from clipcast.standin import MediaHouse, StandIn

if TYPE_CHECKING:
    from clipcast.clips.ingest import Library

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
    driver: Driver
    conversions: Conversions

    @classmethod
    def open(cls, settings: Settings, *, clock: Clock = system_clock, observer: Observer | None = None, wire: Wire | None = None) -> Self:
        """Build everything from the settings; nothing is migrated, started or sent yet.

        Raises:
            ConfigurationError: a setting, a key file or a directory is not usable; the sentence names it.
        """
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        db, wire, vault = Database(settings.database), wire or Wire(), open_vault(settings)
        storage, links = open_storage(settings), Links(SecretStr(signing_key(settings).hex()), clock)
        storage.sweep_incoming(clock() - UNFINISHED_AFTER)
        live_media = ClipSource(db, storage, links, lambda: settings.public_url)
        standin = StandIn(settings, MediaHouse(db, storage, links), lambda request: wire.send(request, media=live_media))
        platforms = live_platforms(settings)
        connections = Connections(
            settings=settings,
            db=db,
            vault=vault,
            wire=wire,
            refresher=Refresher(db, vault, settings, clock, lambda request: wire.send(request, media=live_media)),
            live=platforms,
            live_media=live_media,
            simulated_media=ClipSource(db, storage, links, standin.media_url),
            standin=standin,
        )
        conversions = Conversions(lambda clip_id, form, heard: opened.convert(clip_id, form, heard))  # noqa: PLW0108  # `opened` comes later
        driver = Driver(db, connections, wire, clock, observer or Silent(), random.random, conversions)
        opened = cls(settings, clock, db, vault, storage, links, wire, platforms, standin, connections, driver, conversions)
        return opened

    @cached_property
    def library(self) -> "Library":
        """Where clips come in. Loaded when something comes in: the codecs weigh more than all that a worker needs to upload."""
        return cast("Library", import_module("clipcast.clips.ingest").open_library(self.settings, self.db, self.clock, self.storage))

    def convert(self, clip_id: str, form: MediaForm, heard: Heard) -> None:
        """Make the form of this clip, unless it is there; loaded like the library, and for the same reason."""
        import_module("clipcast.clips.converting").convert(self.library, clip_id, form, heard)

    def close(self) -> None:
        """Stop what was started here, and give all connections back."""
        self.conversions.stop()
        self.standin.close()
        self.wire.close()
        self.db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
