"""One simulator and one shelf of clips for all; a product of its own, live on that simulator, for each test."""

import asyncio
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from fastapi import FastAPI

from clipcast.clips.models import Clip
from clipcast.clips.routes import media_router
from clipcast.clips.sample import make_sample_image, make_sample_video
from clipcast.db.migrate import upgrade
from clipcast.media_server import MediaServer
from clipcast.platforms.wire import Wire
from clipcast.settings import load_settings
from clipcast.system import Clipcast
from clipcast_simulator.server import SimulatorServer
from clipcast_simulator.settings import quiet
from conftest import MovableClock, empty
from contract.bench import Bench, Interruption, connect_live, open_platform, put_on_shelf
from contract.carriers import CARRIER, Crew, OnCelery, celery_crew
from contract.platforms import PLATFORMS, PlatformUnderTest
from contract.world import World

LARGE_BYTES = 64_000_001
"""One byte more than goes into one chunk: six chunks."""

MakeBench: TypeAlias = Callable[..., Bench]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what asks for a `platform`, a `flow` or `distinct_flow`, an `operation` of a flow, and its `nth` time, for each there is."""
    asked = [name for name in ("platform", "flow", "distinct_flow", "operation", "nth") if name in metafunc.fixturenames]
    if "tiktok" in metafunc.module.__name__ or not asked:
        return
    wanted = tuple(dict.fromkeys(["platform", *asked]))
    tried = (case for case in _cases() if "distinct_flow" not in wanted or not case["flow"].like)
    cases = {_name(wanted, case): tuple(case[name] for name in wanted) for case in tried}
    metafunc.parametrize(wanted, list(cases.values()), ids=list(cases))


def _cases() -> Iterator[dict[str, Any]]:
    """Every single request of every flow."""
    for platform in PLATFORMS:
        for flow in platform.flows:
            for number, operation in enumerate(flow.requests):
                nth = flow.requests[:number].count(operation)
                yield {"platform": platform, "flow": flow, "distinct_flow": flow, "operation": operation, "nth": nth}


def _name(wanted: tuple[str, ...], case: dict[str, Any]) -> str:
    words = {"platform": case["platform"].title, "flow": case["flow"].name, "operation": case["operation"], "nth": f"{case['nth'] or ''}"}
    words["distinct_flow"] = words["flow"]
    return " ".join(words[name] for name in wanted).strip()


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a simulator without delay or chance."""
    with SimulatorServer(tmp_path_factory.mktemp("simulator"), quiet()) as server:
        yield server.url


@dataclass(frozen=True)
class Shelf:
    """Clips by name, and the storage where their files lie, for every product to use."""

    clips: dict[str, Clip]
    storage_url: str


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """A small video, one of several chunks, a wide one, two photos."""
    directory = tmp_path_factory.mktemp("shelf")
    files = {
        "video": make_sample_video(directory / "video.mp4", seconds=3, width=360, height=640),
        "large": make_sample_video(directory / "large.mp4", seconds=1.5, width=360, height=640, min_bytes=LARGE_BYTES),
        "wide": make_sample_video(directory / "wide.mp4", seconds=3, width=640, height=360),
        "photo-1": make_sample_image(directory / "photo-1.jpg", width=480, height=600, seed=1),
        "photo-2": make_sample_image(directory / "photo-2.jpg", width=480, height=600, seed=2),
    }
    storage_url = (directory / "storage").as_uri()
    with Clipcast.open(load_settings(data_dir=directory / "data", storage_url=storage_url)) as product:
        upgrade(product.db)
        return Shelf({name: product.library.add_file(file) for name, file in files.items()}, storage_url)


@pytest.fixture
def world(simulator: str, clock: MovableClock) -> Iterator[World]:
    """The simulated world, empty, at the test's time."""
    world = World(simulator)
    world.reset()
    world.set_clock(clock())
    yield world
    world.close()


class PublicAddress:
    """Where platforms reach our media; `app.state.clipcast` is the product whose media they find there."""

    def __init__(self) -> None:
        self.app = FastAPI(openapi_url=None)
        self.app.include_router(media_router)
        self._open = threading.Event()
        self._open.set()
        self._server = MediaServer(self)
        self.url = self._server.url

    @contextmanager
    def slow_downloads(self) -> Iterator[None]:
        """Downloads begun meanwhile get their first byte only when this ends."""
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()

    def close(self) -> None:
        self._server.close()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "GET":
            await asyncio.to_thread(self._open.wait, 60)
        await self.app(scope, receive, send)


@pytest.fixture(scope="session")
def public() -> Iterator[PublicAddress]:
    """One public address for all; each test puts its own product behind it."""
    address = PublicAddress()
    yield address
    address.close()


@dataclass(frozen=True)
class Home:
    """Where a test's product lives: in a directory of its own, or in the one of the workers who carry for it."""

    data_dir: Path
    crew: Crew | None


@pytest.fixture
def home(tmp_path: Path, crew: Crew | None) -> Home:
    """The test's own, or the crew's."""
    return Home(Path(crew.settings["data_dir"]) if crew else tmp_path / "data", crew)


@pytest.fixture
def make_bench(world: World, clock: MovableClock, shelf: Shelf, public: PublicAddress, home: Home) -> Iterator[MakeBench]:
    """Makes a bench on a database, closed at the end."""
    opened: list[Clipcast] = []

    def make(platform: PlatformUnderTest, database_url: str, *, public_url: str = public.url, answer_timeout_s: float = 10) -> Bench:
        settings = load_settings(
            data_dir=home.data_dir,
            database_url=database_url,
            storage_url=shelf.storage_url,
            public_url=public_url,
            simulation="off",
            **platform.settings(world.url),
        )
        interruption = Interruption()
        product = Clipcast.open(
            settings, clock=clock, observer=interruption, wire=Wire(connect_timeout_s=2, answer_timeout_s=answer_timeout_s)
        )
        opened.append(product)
        public.app.state.clipcast = product
        with product.db.writing() as session:
            put_on_shelf(session, list(shelf.clips.values()))
        open_platform(platform, world, public_url)
        account_id = connect_live(product, platform, world)
        carrier = OnCelery(home.crew, product, clock, world) if home.crew else None
        return Bench(product, platform, world, clock, shelf.clips, account_id, interruption, carrier)

    yield make
    for product in opened:
        product.close()


@pytest.fixture(scope="session")
def crew(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, simulator: str) -> Iterator[Crew | None]:
    """The workers who carry the publications; None when the test does it itself."""
    if not CARRIER:
        yield None
        return
    directory, shelf, public = tmp_path_factory.mktemp("crew"), request.getfixturevalue("shelf"), request.getfixturevalue("public")
    settings = {name: address for platform in PLATFORMS for name, address in platform.settings(simulator).items()}
    settings |= {"data_dir": str(directory / "data"), "storage_url": shelf.storage_url, "public_url": public.url, "simulation": "off"}
    # Between two tests, whoever is still connected under the tests' own name is thrown out.
    settings["database_url"] = request.getfixturevalue("migrated_postgres").replace("application_name=", "application_name=celery_")
    with celery_crew(directory, settings, simulator) as crew:
        yield crew


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With another carrier, leave out what can be shown only inside the test's own process, and say why."""
    for item in items if CARRIER else []:
        for mark in item.iter_markers("in_process"):
            item.add_marker(pytest.mark.skip(reason=f"in the test's own process only: {mark.args[0]}"))


@pytest.fixture
def sqlite_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The database that most tests make do with: a migrated, empty SQLite file; for Celery's workers their PostgreSQL, emptied later."""
    if CARRIER:
        url: str = request.getfixturevalue("migrated_postgres")
        yield url
        empty(url)
        return
    path = tmp_path / "clipcast.sqlite3"
    shutil.copyfile(request.getfixturevalue("migrated_sqlite"), path)
    yield f"sqlite:///{path}"


@pytest.fixture
def bench(make_bench: MakeBench, platform: PlatformUnderTest, sqlite_url: str) -> Bench:
    """The product on SQLite."""
    return make_bench(platform, sqlite_url)


@pytest.fixture
def bench_on_both(make_bench: MakeBench, platform: PlatformUnderTest, database_url: str) -> Bench:
    """The product on SQLite, and once more on PostgreSQL."""
    if CARRIER and database_url.startswith("sqlite"):
        pytest.skip("Celery's workers carry the suite on PostgreSQL")
    return make_bench(platform, database_url)


@pytest.fixture
def impatient_bench(make_bench: MakeBench, platform: PlatformUnderTest, sqlite_url: str) -> Bench:
    """The product on SQLite, waiting a fifth of a second for answers."""
    return make_bench(platform, sqlite_url, answer_timeout_s=0.2)
