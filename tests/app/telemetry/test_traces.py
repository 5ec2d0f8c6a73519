"""Traces as a collector sees them: real spans over real HTTP."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import clipcast
from app.telemetry.collecting import collecting
from clipcast import Clipcast, Metadata, PublishRequest, PublishResult
from clipcast.clips.sample import make_sample_video
from clipcast_simulator.server import SimulatorServer
from clipcast_simulator.settings import quiet
from contract.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with SimulatorServer(tmp_path / "simulator", quiet()) as server:
        seen = World(server.url)
        yield seen
        seen.close()


def publish(installation: Clipcast, tmp_path: Path, platform: str, metadata: Metadata) -> PublishResult:
    clip = installation.library.add_file(make_sample_video(tmp_path / "video.mp4", seconds=1.2))
    return clipcast.publish_clip(installation, PublishRequest(clip_id=clip.id, platform=platform, metadata=metadata))


def attributes(span: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes}


def test_a_publication_is_one_trace_across_installations_opened_one_after_the_other(tmp_path: Path, world: World) -> None:
    """Who starts a publication and who finishes it need not know each other: its id is the trace."""
    with collecting() as (collector, url):
        settings: dict[str, Any] = {"data_dir": tmp_path / "data", "simulator_url": world.url, "traces_url": url}
        with clipcast.connect(**settings) as first:
            clip = first.library.add_file(make_sample_video(tmp_path / "video.mp4", seconds=1.2))
            result = clipcast.publish_clip(
                first, PublishRequest(clip_id=clip.id, platform="tiktok", metadata=Metadata(caption="secret plans"))
            )
        with clipcast.connect(**settings) as second:
            again = publish(second, tmp_path, "youtube", Metadata(title="Hello"))

    for publication_id in (result.publish_log_id, again.publish_log_id):
        spans = [span for span in collector.spans if UUID(bytes=span.trace_id) == UUID(publication_id)]
        (root,) = [span for span in spans if not span.parent_span_id]
        assert attributes(root)["clipcast.outcome"] == "published"
        assert len(spans) >= 3
        assert all(span.parent_span_id == root.span_id for span in spans if span is not root)
        assert all(span.start_time_unix_nano <= span.end_time_unix_nano for span in spans)


def test_addresses_lose_their_query_and_captions_stay_at_home(tmp_path: Path, world: World) -> None:
    with (
        collecting() as (collector, url),
        clipcast.connect(data_dir=tmp_path / "data", simulator_url=world.url, traces_url=url) as opened,
    ):
        publish(opened, tmp_path, "tiktok", Metadata(caption="secret plans"))

    urls = [attributes(span)["url.full"] for span in collector.spans if span.parent_span_id]
    assert urls
    assert not any("?" in url for url in urls)
    assert b"upload_token" not in collector.raw
    assert b"secret plans" not in collector.raw


def test_a_collector_that_is_away_costs_no_post(tmp_path: Path, world: World) -> None:
    with collecting() as (_, url):
        pass  # gone again
    with clipcast.connect(data_dir=tmp_path / "data", simulator_url=world.url, traces_url=url) as opened:
        result = publish(opened, tmp_path, "tiktok", Metadata(caption="Hello"))
    assert result.success
