"""Publishing from Python: the same promises without any server (mission A4, B9)."""

import asyncio
import hashlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import clipcast
from clipcast import Clipcast, Metadata, PublishRequest, aio
from clipcast.clips.sample import make_sample_video
from clipcast.db.engine import Database
from clipcast.db.migrate import is_current
from clipcast.errors import ConfigurationError, InvalidRequest, NotFound, UnsupportedPlatform
from clipcast.platforms.simulated import NAMELESS
from contract.world import World

pytestmark = pytest.mark.usefixtures("environment")


@pytest.fixture
def installation(tmp_path: Path, world: World) -> Iterator[Clipcast]:
    with clipcast.connect(data_dir=tmp_path / "data", simulator_url=world.url) as opened:
        yield opened


@pytest.fixture
def clip_id(installation: Clipcast, video: Path) -> str:
    return installation.library.add_file(video).id


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_sample_video(tmp_path_factory.mktemp("media") / "video.mp4", seconds=1.2)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def published(world: World) -> list[str]:
    """The SHA-256 of everything that is out."""
    return [post["sha256"] for post in world.posts("tiktok", NAMELESS) if post["published"]]


def test_a_clip_is_published_and_its_log_says_so(
    installation: Clipcast, world: World, clip_id: str, video: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Twice with one connection, and a library prints nothing."""
    request = PublishRequest(clip_id=clip_id, platform="tiktok", metadata=Metadata(caption="Sunset"))
    first, second = (clipcast.publish_clip(installation, request) for _ in range(2))
    assert (first.success, first.status, first.simulated, first.error_message) == (True, "success", True, None)
    assert first.external_url == f"https://www.tiktok.com/@{NAMELESS}/video/{first.external_post_id}"
    logs = clipcast.get_publish_logs_for_clip(installation, clip_id)
    assert [log.id for log in logs] == [second.publish_log_id, first.publish_log_id]
    assert {log.status for log in logs} == {"success"}
    assert all(log.published_at is not None and log.published_at.tzinfo is UTC for log in logs)
    assert published(world) == [sha256(video)] * 2
    assert capfd.readouterr().out == ""


def test_threads_share_one_connection(installation: Clipcast, world: World, clip_id: str) -> None:
    """One that ends must not stop the others."""
    request = PublishRequest(clip_id=clip_id, platform="tiktok")
    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(lambda _: clipcast.publish_clip(installation, request), range(3)))
    assert [result.success for result in results] == [True] * 3
    assert len(published(world)) == 3


def test_a_refusal_is_an_answer(installation: Clipcast, world: World, clip_id: str) -> None:
    world.script({"platform": "tiktok", "operation": "video.init", "fault": "fail:frame_rate_check_failed"})
    result = clipcast.publish_clip(installation, PublishRequest(clip_id=clip_id, platform="tiktok"))
    assert (result.success, result.status) == (False, "failed")
    assert result.error_message


def test_who_does_not_wait_asks_later(installation: Clipcast, world: World, clip_id: str) -> None:
    """The processing at the platform takes a minute of its own clock: asking carries the post on, and never posts a second one."""
    with world.settings(processing_s=60.0):
        result = clipcast.publish_clip(installation, PublishRequest(clip_id=clip_id, platform="tiktok"), wait_s=0.0)
        assert result.success is None
        asked = clipcast.check_publish_status(installation, result.publish_log_id)
        assert (asked.success, asked.status) == (None, "processing")
        world.ask("PUT", "clock", {"advance_s": 61})
        final = clipcast.check_publish_status(installation, result.publish_log_id)
    assert (final.success, final.status) == (True, "success")
    assert clipcast.check_publish_status(installation, result.publish_log_id) == final
    assert len(published(world)) == 1


def test_what_is_scheduled_is_left_to_a_worker(installation: Clipcast, world: World, clip_id: str) -> None:
    request = PublishRequest(clip_id=clip_id, platform="tiktok", scheduled_at=datetime.now(UTC) + timedelta(days=365))
    result = clipcast.publish_clip(installation, request)
    assert (result.success, result.status, result.simulated) == (None, "pending", None)
    assert world.posts("tiktok", NAMELESS) == []


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"clip_id": "nobody"}, NotFound),
        ({"platform": "myspace"}, UnsupportedPlatform),
        ({"social_account_id": "nobody"}, NotFound),
        ({"metadata": Metadata(caption="x" * 2201)}, InvalidRequest),
    ],
)
def test_what_cannot_be_published_is_refused_and_nothing_is_written(
    installation: Clipcast, clip_id: str, change: dict[str, object], refusal: type[Exception]
) -> None:
    request = PublishRequest(clip_id=clip_id, platform="tiktok").model_copy(update=change)
    with pytest.raises(refusal):
        clipcast.publish_clip(installation, request)
    assert clipcast.get_publish_logs_for_clip(installation, clip_id) == []


def test_unknown_ids_are_told(installation: Clipcast) -> None:
    with pytest.raises(NotFound, match="no clip"):
        clipcast.get_publish_logs_for_clip(installation, "nobody")
    with pytest.raises(NotFound, match="no publication"):
        clipcast.check_publish_status(installation, "nobody")


def test_connecting_migrates_sqlite_and_only_asks_for_postgresql(blank_db: Database, tmp_path: Path) -> None:
    url = blank_db.engine.url.render_as_string(hide_password=False)
    if blank_db.is_sqlite:
        with clipcast.connect(data_dir=tmp_path / "data", database_url=url) as opened:
            assert is_current(opened.db)
        return
    with pytest.raises(ConfigurationError, match="clipcast db upgrade"):
        clipcast.connect(data_dir=tmp_path / "data", database_url=url)


def test_a_setting_that_there_is_not_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no setting 'data_directory'"):
        clipcast.connect(data_directory=tmp_path)


def test_the_same_names_can_be_awaited(tmp_path: Path, world: World, video: Path) -> None:
    """While a clip is on its way the event loop stays free."""

    async def publish() -> int:
        with await aio.connect(data_dir=tmp_path / "data", simulator_url=world.url) as opened:
            clip = opened.library.add_file(video)
            publishing = asyncio.create_task(aio.publish_clip(opened, PublishRequest(clip_id=clip.id, platform="tiktok")))
            turns = 0
            while not (await asyncio.wait({publishing}, timeout=0.01))[0]:
                turns += 1
            result = await publishing
            assert result.success
            assert await aio.check_publish_status(opened, result.publish_log_id) == result
            assert [log.id for log in await aio.get_publish_logs_for_clip(opened, clip.id)] == [result.publish_log_id]
            return turns

    assert asyncio.run(publish()) > 20
    assert published(world) == [sha256(video)]


def test_what_is_given_up_lets_its_thread_go_and_never_had_one_of_the_programs(installation: Clipcast, world: World, clip_id: str) -> None:
    """A program's names are resolved in the threads of its event loop: none of them may wait for a platform."""
    world.script({"platform": "tiktok", "operation": "video.init", "fault": "stuck"})

    async def give_up() -> str:
        closed = ThreadPoolExecutor(1)
        closed.shutdown()
        asyncio.get_running_loop().set_default_executor(closed)
        publishing = asyncio.create_task(aio.publish_clip(installation, PublishRequest(clip_id=clip_id, platform="tiktok")))
        while not (logs := await aio.get_publish_logs_for_clip(installation, clip_id)):
            await asyncio.wait({publishing}, timeout=0.01)
        publishing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await publishing
        return logs[0].id

    publication_id = asyncio.run(give_up())

    given_up_at = time.monotonic()
    while any(thread.name == "clipcast-dispatch" for thread in threading.enumerate()):
        assert time.monotonic() < given_up_at + 30
    assert clipcast.check_publish_status(installation, publication_id, wait_s=0.0).success is None


def test_importing_the_package_is_cheap() -> None:
    program = (
        "import sys, clipcast; print([m for m in ('sqlalchemy', 'pydantic', 'typer') if m in sys.modules], 'publish_clip' in dir(clipcast))"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)
    assert shown.stdout.strip() == "[] True"


def test_every_exported_name_is_there() -> None:
    assert all(getattr(clipcast, name) for name in clipcast.__all__)
    assert all(getattr(aio, name) for name in aio.__all__)
    with pytest.raises(AttributeError, match="nonsense"):
        getattr(clipcast, "nonsense")  # noqa: B009  # a type checker knows that it is not there
