"""Nobody takes a simulated post for a real one: wherever its result is told, `simulated` stands beside it (mission A7)."""

import io
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from prometheus_client.parser import text_string_to_metric_families
from typer.testing import CliRunner

from app.api.calling import Api, served, until
from clipcast import ledger, log
from clipcast.api.app import create_app
from clipcast.cli.app import app as cli
from clipcast.clips.sample import make_sample_video
from clipcast.settings import load_settings
from clipcast.system import Clipcast
from clipcast_simulator.server import SimulatorServer
from clipcast_simulator.settings import quiet
from contract.platforms import INSTAGRAM, TIKTOK, YOUTUBE, PlatformUnderTest
from contract.world import World

PROCESSING_S: Final = 0.3
"""The simulated platforms think as long after an upload, by the machine's own clock."""
PATIENCE_S: Final = 60.0


@pytest.fixture
def said() -> io.StringIO:
    """What the server logs."""
    stream = io.StringIO()
    log.configure(load_settings(log_format="json"), stream)
    return stream


@pytest.fixture
def clipcast(tmp_path: Path, migrated_sqlite: Path, monkeypatch: pytest.MonkeyPatch, said: io.StringIO) -> Iterator[Clipcast]:
    """An installation without any credentials, which a terminal finds, too."""
    shutil.copyfile(migrated_sqlite, tmp_path / "clipcast.sqlite3")
    with SimulatorServer(tmp_path / "simulator", quiet(processing_s=PROCESSING_S)) as simulator:
        settings = {
            "data_dir": str(tmp_path / "data"),
            "database_url": f"sqlite:///{tmp_path / 'clipcast.sqlite3'}",
            "simulator_url": simulator.url,
        }
        for name, value in settings.items():
            monkeypatch.setenv(f"CLIPCAST_{name.upper()}", value)
        with Clipcast.open(load_settings()) as opened:
            yield opened
    assert said.getvalue()


@pytest.fixture
def api(clipcast: Clipcast) -> Iterator[Api]:
    """The server with its worker, on the machine's own clock."""
    with served(create_app(clipcast)) as api:
        yield api


@pytest.mark.parametrize("platform", [TIKTOK, INSTAGRAM, YOUTUBE], ids=lambda platform: platform.name)
def test_a_simulated_result_is_marked_wherever_it_is_told(
    clipcast: Clipcast, api: Api, said: io.StringIO, tmp_path: Path, platform: PlatformUnderTest
) -> None:
    """In the answer, the log of the clip, the post, the ledger to its last event, the server's log, the metrics and the terminal."""
    clip_id, answer = published(clipcast, api, tmp_path, platform)
    publication_id = answer["publish_log_id"]

    publication = until(api, f"/publications/{publication_id}", lambda found: found["state"] == "published")

    assert (answer["success"], answer["simulated"]) == (True, True)
    [line] = api("GET", f"/publishing/logs/{clip_id}").json
    [shown] = api("GET", f"/posts/{publication['post_id']}").json["publications"]
    assert [found["simulated"] for found in (publication, line, shown)] == [True] * 3
    assert told_by_ledger(clipcast, publication_id) == {
        "publish_provider_fallback": True,
        "publish_successful": True,
    }
    assert told_by_log(said) == [("published", True)]
    for name in ("publication_duration", "platform_exchange_duration"):
        assert labels(api, f"clipcast_{name}_seconds_count", platform) == {"true"}
    for command in ("posts list", f"logs {clip_id}"):
        assert "(simulated)" in spoken(command)
    assert re.search(r"^simulated +True$", spoken(f"posts show {publication_id}"), re.MULTILINE)
    assert json.loads(spoken(f"posts show {publication_id} --json"))["simulated"] is True
    assert '"simulated": true' in spoken("posts list --json")
    assert '"simulated": true' in spoken(f"logs {clip_id} --json")


@pytest.mark.parametrize("platform", [TIKTOK, INSTAGRAM, YOUTUBE], ids=lambda platform: platform.name)
def test_a_simulated_failure_is_marked_too(
    clipcast: Clipcast, api: Api, said: io.StringIO, tmp_path: Path, platform: PlatformUnderTest
) -> None:
    """Nobody goes looking at the real platform for why it refused."""
    flow = platform.flows[0]
    world = World(clipcast.settings.simulator_url)
    world.script({"platform": platform.name, "operation": flow.failing or flow.decisive, "fault": f"fail:{platform.final_reasons[0]}"})
    world.close()

    _, answer = published(clipcast, api, tmp_path, platform)

    assert (answer["success"], answer["simulated"]) == (False, True)
    assert told_by_ledger(clipcast, answer["publish_log_id"]) == {"publish_provider_fallback": True, "publish_failed": True}
    assert told_by_log(said) == [("failed", True)]
    assert labels(api, "clipcast_publication_errors_total", platform) == {"true"}


def published(clipcast: Clipcast, api: Api, directory: Path, platform: PlatformUnderTest) -> tuple[str, Any]:
    """Publish as an account without credentials; the clip's id and what the server answers in the end."""
    video = make_sample_video(directory / "video.mp4", seconds=3, width=360, height=640)
    clip_id = clipcast.library.add_file(video).id
    account_id = api("POST", "/accounts", {"platform": platform.name, "username": "marina"}).json["id"]
    metadata = {"title": "The sea"} if platform is YOUTUBE else {}
    order = {"clip_id": clip_id, "platform": platform.name, "social_account_id": account_id, "metadata": metadata}
    return clip_id, api("POST", "/publishing/publish", {**order, "wait_s": PATIENCE_S}).json


def told_by_ledger(clipcast: Clipcast, publication_id: str) -> dict[str, bool]:
    """What the events say that say with whom."""
    with clipcast.db.reading() as session:
        events = ledger.events(session, stream=f"publication:{publication_id}", limit=100)
    return {event.event: event.details["simulated"] for event in reversed(events) if "simulated" in event.details}


def told_by_log(said: io.StringIO) -> list[tuple[str, bool]]:
    """What the server's log says of how publications ended."""
    entries = [json.loads(line) for line in said.getvalue().splitlines()]
    return [(entry["outcome"], entry["simulated"]) for entry in entries if entry["event"] == "publication.ended"]


def labels(api: Api, name: str, platform: PlatformUnderTest) -> set[str]:
    """The values of the label `simulated` with which this was counted."""
    families = text_string_to_metric_families(api("GET", "/metrics").body.decode())
    samples = (sample for family in families for sample in family.samples if sample.name == name and sample.value)
    return {sample.labels["simulated"] for sample in samples if sample.labels["platform"] == platform.name}


def spoken(command: str) -> str:
    """What a command answers."""
    result = CliRunner().invoke(cli, command.split(), prog_name="clipcast")
    assert result.exit_code == 0, result.stderr
    return result.stdout
