"""Live or simulated, at the wire: platform by platform, what is stored and what is set decide, and the ledger says it (mission A6, A7)."""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import pytest

from app.accounts.conftest import at
from clipcast.accounts import store
from clipcast.accounts.credentials import set_account_credentials
from clipcast.accounts.models import SocialAccount
from clipcast.accounts.vault import Vault
from clipcast.clips.models import Clip
from clipcast.clips.sample import make_sample_video
from clipcast.platforms.base import Credentials
from clipcast.publications.states import State
from clipcast.settings import load_settings
from clipcast.system import Clipcast
from conftest import MovableClock
from contract.bench import Bench, Interruption, granted
from contract.carriers import Stepper
from contract.platforms import INSTAGRAM, TIKTOK, YOUTUBE, PlatformUnderTest
from contract.world import World

NOBODY: Final = "http://127.0.0.1:9"
OTHER_VAULT: Final = Vault([b"x" * 32])

NEEDED: Final[Mapping[str, set[str]]] = {
    "instagram": {"access_token", "instagram_account_id"},
    "tiktok": {"client_key", "client_secret", "access_token"},
    "youtube": {"client_id", "client_secret", "access_token"},
}


@dataclass(frozen=True)
class Expected:
    """What becomes of it: the provider, the event that says so, and its reason."""

    simulated: bool | None
    event: str
    reason: str | None = None


LIVE: Final = Expected(simulated=False, event="publish_provider_ready")
ASKED: Final = Expected(simulated=True, event="publish_provider_ready")
REFUSED: Final = Expected(simulated=None, event="publish_failed")


def fallback(reason: str) -> Expected:
    return Expected(simulated=True, event="publish_provider_fallback", reason=reason)


TABLE: Final = {
    ("fallback", "none"): fallback("no_credentials"),
    ("fallback", "incomplete"): fallback("incomplete_config"),
    ("fallback", "unreadable"): fallback("credential_error"),
    ("fallback", "full"): LIVE,
    ("off", "none"): REFUSED,
    ("off", "incomplete"): REFUSED,
    ("off", "unreadable"): REFUSED,
    ("off", "full"): LIVE,
    ("always", "none"): ASKED,
    ("always", "incomplete"): ASKED,
    ("always", "unreadable"): ASKED,
    ("always", "full"): ASKED,
}


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_sample_video(tmp_path_factory.mktemp("media") / "video.mp4", seconds=3, width=360, height=640)


@pytest.fixture
def product(tmp_path: Path, migrated_sqlite: Path, clock: MovableClock, world: World, simulation: str) -> Iterator[Clipcast]:
    shutil.copyfile(migrated_sqlite, tmp_path / "clipcast.sqlite3")
    settings = load_settings(
        data_dir=tmp_path / "data",
        database_url=f"sqlite:///{tmp_path / 'clipcast.sqlite3'}",
        public_url=NOBODY,
        simulation=simulation,
        **at(world.url),
    )
    with Clipcast.open(settings, clock=clock) as opened:
        yield opened


def bench_of(product: Clipcast, platform: PlatformUnderTest, world: World, stored: str, video: Path) -> Bench:
    """An account of that platform with credentials of that kind."""
    now = product.clock()
    account = SocialAccount(platform=platform.name, username="marina", kind="main", status="active", created_at=now, updated_at=now)
    with product.db.writing() as session:
        store.add(session, account)
    full = granted(platform, world, "marina")
    credentials = {"none": Credentials({}), "incomplete": Credentials({"refresh_token": "a-refresh-token-alone"})}.get(stored, full)
    vault = OTHER_VAULT if stored == "unreadable" else product.vault
    set_account_credentials(product.db, account.id, credentials, vault, now)
    clip: Clip = product.library.add_file(video)
    shelf = {"video": clip, "wide": clip, "photo-1": clip}
    clock = cast("MovableClock", product.clock)
    return Bench(product, platform, world, clock, shelf, account.id, Interruption(), Stepper(product, clock, world))


@pytest.mark.parametrize("platform", [INSTAGRAM, TIKTOK, YOUTUBE], ids=lambda platform: platform.name)
@pytest.mark.parametrize(("simulation", "stored"), TABLE)
def test_the_ledger_says_with_whom_a_post_begins(
    product: Clipcast, platform: PlatformUnderTest, stored: str, world: World, video: Path
) -> None:
    expected = TABLE[product.settings.simulation, stored]
    bench = bench_of(product, platform, world, stored, video)
    before = world.last_request()
    publication_id = bench.publish(platform.flows[0])
    row = bench.step(publication_id)
    started, said, *_ = bench.events(publication_id)
    assert (started.event, said.event) == ("publish_started", expected.event)
    assert said.details.get("reason") == expected.reason
    assert said.details["platform"] == platform.name
    assert (said.details["social_account_id"], said.details["publish_log_id"]) == (bench.account_id, publication_id)
    assert row.simulated is expected.simulated
    if expected is REFUSED:
        assert (State(row.state), row.error_code, row.simulated) == (State.FAILED, "configuration", None)
        assert "CLIPCAST_SIMULATION=off" in (row.error_message or "")
        assert world.requests(since=before) == []
    else:
        assert said.details["simulated"] is expected.simulated
        assert world.requests(since=before) != []


@pytest.mark.parametrize("simulation", ["fallback"])
def test_each_platform_says_itself_what_it_needs(product: Clipcast) -> None:
    for name, needed in NEEDED.items():
        platform = product.platforms[name]
        full = dict.fromkeys(needed, "a value")
        assert platform.supports_real_api(Credentials(full))
        for missing in needed:
            some: dict[str, Any] = {**full, missing: ""}
            assert not platform.supports_real_api(Credentials(some))
            assert platform.missing_credentials(Credentials(some)) == [missing]
