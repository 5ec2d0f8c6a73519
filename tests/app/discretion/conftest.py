"""The media that all scenes of a process share; each scene has an installation of its own."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

import pytest

from app.discretion.scene import Scene, scene_of
from clipcast.clips.sample import make_sample_image, make_sample_video
from contract.world import World

Way: TypeAlias = Callable[[Scene], None]


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """The files that are published."""
    directory = tmp_path_factory.mktemp("media")
    return {
        "video": make_sample_video(directory / "video.mp4", seconds=3, width=360, height=640),
        "wide": make_sample_video(directory / "wide.mp4", seconds=3, width=640, height=360),
        "photo-1": make_sample_image(directory / "photo-1.jpg", width=480, height=600, seed=1),
    }


@pytest.fixture
def play(
    tmp_path: Path, database_url: str, world: World, media: Mapping[str, Path], record_property: Callable[[str, object], None]
) -> Callable[[Way], None]:
    """Goes one way with marked secrets, and fails where one of them was heard."""

    def go(way: Way) -> None:
        log_format = "json" if database_url.startswith("postgresql") else "text"
        with scene_of(tmp_path, database_url, log_format, world, media) as scene:
            way(scene)
            scene.hear_what_is_kept()
        said = sum(len(what) for _, what in scene.ear.heard)
        record_property("heard", f"{len(scene.ear.secrets)} secrets, {said / 1e6:.1f} MB")
        assert scene.ear.leaks() == []
        assert re.findall(r"/media/[\w.~-]{30,}", scene.log.getvalue()) == [], "a signed link is a permission"

    return go
