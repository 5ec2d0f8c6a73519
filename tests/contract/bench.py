"""The product against a simulated world, stepped by the test: real driver, wire, database, files and HTTP; only the clocks are ours."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from clipcast import ledger
from clipcast.accounts import credentials
from clipcast.accounts import store as accounts
from clipcast.accounts.models import SocialAccount
from clipcast.clips.models import Clip
from clipcast.errors import Conflict
from clipcast.ledger import LedgerEvent
from clipcast.platforms.base import Credentials
from clipcast.posts import compose
from clipcast.publications import claims, publishing, store
from clipcast.publications.models import Publication
from clipcast.publications.observer import Moment, Silent
from clipcast.publications.order import Metadata
from clipcast.publications.publishing import PublishRequest
from clipcast.publications.states import SUCCESS, State
from clipcast.system import Clipcast
from conftest import MovableClock
from contract.carriers import Carrier, Stepper
from contract.platforms import Flow, PlatformUnderTest
from contract.world import Json, World

CAPTION = "A day at the sea"
USERNAME = "marina"
SECRET_NAMES = ("access_token", "refresh_token", "client_secret", "app_secret", "page_token", "user_token")


class Interruption(Silent):
    """Lets something happen at one moment of the driver's work, in the driver's own thread, as if it stood still there."""

    def __init__(self) -> None:
        self.countdown = 0
        self.act: Callable[[], None] = lambda: None

    def at(self, moment: Moment, publication_id: str, label: str) -> None:
        """Count the moments, and interrupt the one that was asked for."""
        del moment, publication_id, label
        self.countdown -= 1
        if self.countdown == 0:
            self.act()


@dataclass(frozen=True)
class Bench:
    """One platform, one live account on it, and publications that the test drives step by step."""

    product: Clipcast
    platform: PlatformUnderTest
    world: World
    clock: MovableClock
    shelf: dict[str, Clip]
    account_id: str
    interruption: "Interruption"
    carrier: Carrier | None = None

    # What the user does

    def publish(self, flow: Flow, *, at: datetime | None = None, **metadata: Any) -> str:
        """Ask for a publication; its id."""
        request = PublishRequest(
            clip_id=self.shelf[flow.clips[0]].id,
            platform=self.platform.name,
            social_account_id=self.account_id,
            metadata=metadata_of(flow, self.shelf, CAPTION, **metadata),
            scheduled_at=at,
        )
        with self.product.db.writing() as session:
            return compose.publish(session, request, self.product.platforms, self.clock()).id

    def cancel(self, publication_id: str) -> Publication:
        """Withdraw it; raises Conflict when that is too late."""
        with self.product.db.writing() as session:
            return publishing.cancel(session, publication_id, self.product.platforms, self.clock())

    def cancel_if_possible(self, publication_id: str) -> State | None:
        """The state that a cancellation answers with; None when it is refused."""
        try:
            return State(self.cancel(publication_id).state)
        except Conflict:
            return None

    def try_again(self, publication_id: str) -> Publication:
        """Another try by hand."""
        with self.product.db.writing() as session:
            return publishing.try_again(session, publication_id, self.product.platforms, self.clock())

    def urge(self, publication_id: str) -> None:
        """Press "try again", and have the platform asked, unless it is over."""
        with contextlib.suppress(Conflict):
            self.try_again(publication_id)
        with self.product.db.writing() as session:
            publishing.ask_platform_now(session, publication_id, self.product.platforms, self.clock())

    def connect_again(self) -> None:
        """The account's owner logs in once more."""
        fresh = granted(self.platform, self.world, USERNAME)
        credentials.set_account_credentials(self.product.db, self.account_id, fresh, self.product.vault, self.clock())

    def decide(self, publication_id: str, *, is_live: bool) -> Publication:
        """A person looked, and says what they saw."""
        with self.product.db.writing() as session:
            return publishing.decide(session, publication_id, is_live=is_live, external_url=None, now=self.clock())

    # What time does

    def advance(self, seconds: float) -> None:
        """Move our clock and the simulated one."""
        self.world.set_clock(self.clock.advance(seconds))

    def step(self, publication_id: str, *, settle: bool = True) -> Publication:
        """Wait until it is due, then carry it as far as it goes now; the platform's own work is done by then, unless told not to."""
        carrier = self.carrier or Stepper(self.product, self.clock, self.world)
        carrier.step(publication_id, settle=settle)
        return self.row(publication_id)

    def carry(self, publication_id: str, *, steps: int = 300) -> Publication:
        """Step until it succeeded, failed, or waits for a person."""
        for _ in range(steps):
            row = self.row(publication_id)
            if row.state in SUCCESS or row.next_action_at is None:
                return row
            self.step(publication_id)
        raise AssertionError(f"not over after {steps} steps: {self.row(publication_id).note}")

    def at_moment(self, number: int, act: Callable[[], None]) -> Callable[[], bool]:
        """Interrupt the driver at its next moment of that number, from 1; the answer tells later whether it got there."""
        self.interruption.countdown, self.interruption.act = number, act
        return lambda: self.interruption.countdown <= 0

    def carry_with_a_person(self, publication_id: str, *, live_before: int = 0) -> int:
        """Carry it to its end; where nobody but a person can know, the test looks at the world for them. How often that was needed."""
        for asked in range(5):
            row = self.carry(publication_id)
            if row.state != State.UNCERTAIN:
                return asked
            self.decide(publication_id, is_live=len(self.published()) > live_before)
        raise AssertionError("a person was asked again and again")

    def see_through(self, publication_id: str) -> None:
        """Once it is out, do what is left to be done or learned."""
        for _ in range(100):
            if self.row(publication_id).next_action_at is None:
                return
            self.step(publication_id)
        raise AssertionError(f"still not over: {self.row(publication_id).note}")

    # What can be seen

    def row(self, publication_id: str) -> Publication:
        """The publication as stored."""
        with self.product.db.reading() as session:
            return store.get(session, publication_id)

    def account(self) -> SocialAccount:
        """The account as stored."""
        with self.product.db.reading() as session:
            return accounts.get(session, self.account_id)

    def events(self, publication_id: str) -> list[LedgerEvent]:
        """The publication's ledger, oldest first."""
        with self.product.db.reading() as session:
            return ledger.events(session, stream=f"publication:{publication_id}", limit=1000)[::-1]

    def posts(self) -> list[Json]:
        """Everything that was begun on the account."""
        return self.world.posts(self.platform.name, USERNAME)

    def published(self) -> list[Json]:
        """What the world sees of the account."""
        return self.world.published(self.platform.name, USERNAME)

    def calls(self, operation: str) -> int:
        """How many requests of this kind the platform saw."""
        return len(self.world.requests(operation))

    def last_request(self) -> int:
        """The number of the last request that the platform saw."""
        return self.world.last_request()

    def said_elsewhere(self) -> str:
        """What processes that carry for the test logged; what its own process says, pytest hears."""
        return self.carrier.said() if self.carrier else ""

    def secrets(self) -> list[str]:
        """What must never be seen."""
        stored = credentials.get_account_credentials(self.product.db, self.account_id, self.product.vault)
        return [stored.get(name) for name in SECRET_NAMES if stored.get(name)]

    # What is scripted

    def script(self, operation: str, fault: str, **more: Any) -> None:
        """The next request of this kind goes wrong."""
        self.world.script({"platform": self.platform.name, "operation": operation, "fault": fault, **more})

    # What must hold

    def check_published_once(self, publication_id: str, flow: Flow) -> Json:
        """The world sees it exactly once, byte for byte; the row and the ledger say the same. Gives the world's view."""
        [post] = self.published()
        seen = self.platform.seen(post)
        assert seen.sha256s == tuple(self.shelf[name].sha256 for name in flow.clips)
        row = self.row(publication_id)
        assert State(row.state) is flow.outcome or row.note == "confirmed by a person", row.error_message
        assert row.simulated is False
        assert (row.error_code, row.error_message, row.failures) == (None, None, 0)
        if flow.outcome is State.PUBLISHED and flow.shows_caption:
            assert seen.caption == CAPTION
        self.check_books()
        return post

    def check_never_published(self) -> None:
        """The world sees nothing."""
        assert self.published() == []
        self.check_books()

    def check_books(self) -> None:
        """Every scripted fault fired, the ledger is whole, and nobody holds anything any more."""
        assert self.world.unspent() == []
        with self.product.db.reading() as session:
            assert ledger.verify(session) == []
            assert claims.owners(session) == set()


def metadata_of(flow: Flow, shelf: Mapping[str, Clip], caption: str, **more: Any) -> Metadata:
    """What the flow asks for besides its first clip."""
    texts = {"caption": caption, **flow.metadata, **more}
    clips = {"clip_ids": [shelf[name].id for name in flow.clips]} if flow.is_set else {}
    cover = {"cover_clip_id": shelf[flow.cover].id} if flow.cover else {}
    return Metadata(**texts, **clips, **cover)


def open_platform(platform: PlatformUnderTest, world: World, public_url: str) -> None:
    """Let every app of the platform do what the suite needs, and fetch our media from there."""
    for app in world.ask("GET", f"{platform.name}/apps")["apps"]:
        identity = next(app[name] for name in ("client_key", "client_id", "app_id") if name in app)
        if platform.app:
            world.ask("PUT", f"{platform.name}/apps/{identity}", dict(platform.app))
        world.ask("POST", f"{platform.name}/apps/{identity}/prefixes", {"prefix": f"{public_url}/media/"})


def granted(platform: PlatformUnderTest, world: World, username: str) -> Credentials:
    """What the owner of that account gives us: credentials that are good for the simulator."""
    given = world.ask("PUT", f"{platform.name}/accounts/{username}", dict(platform.account))
    moments = {name: datetime.fromisoformat(given[name]) for name in ("expires_at", "refresh_expires_at") if given.get(name)}
    values = {name: value for name, value in given.items() if isinstance(value, str) and name not in {"username", "scope", *moments}}
    return Credentials(values, **moments)


def connect_live(product: Clipcast, platform: PlatformUnderTest, world: World, username: str = USERNAME) -> str:
    """Store an account whose credentials are good for the simulator as if it were the real platform; its id."""
    now = product.clock()
    account = SocialAccount(platform=platform.name, username=username, kind="main", status="active", created_at=now, updated_at=now)
    with product.db.writing() as session:
        accounts.add(session, account)
    credentials.set_account_credentials(product.db, account.id, granted(platform, world, username), product.vault, now)
    return account.id


def put_on_shelf(session: Session, clips: Sequence[Clip]) -> None:
    """Make clips known to another database; their files lie in a storage that both use."""
    for clip in clips:
        session.merge(clip)
