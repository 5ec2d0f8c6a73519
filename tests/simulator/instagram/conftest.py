"""Accounts of both logins, and media that Instagram takes."""

import pytest

from simulator import media_samples
from simulator.instagram.client import Profile, profile
from simulator.web import Web
from simulator.wire import Sim


@pytest.fixture
def ana(sim: Sim) -> Profile:
    """An account that was linked with Instagram Login."""
    return profile(sim, "ana")


@pytest.fixture
def fay(sim: Sim) -> Profile:
    """An account that was linked with Facebook Login; her token is a Page's."""
    return profile(sim, "fay", login="facebook")


@pytest.fixture(scope="session")
def clip() -> bytes:
    return media_samples.video(seconds=3, rate=24, width=180, height=320)


@pytest.fixture(scope="session")
def jpeg() -> bytes:
    return media_samples.image(width=400, height=400)


@pytest.fixture
def clip_url(web: Web, clip: bytes) -> str:
    return web.put("/clip.mp4", clip, "video/mp4")


@pytest.fixture
def jpeg_url(web: Web, jpeg: bytes) -> str:
    return web.put("/image.jpg", jpeg)
