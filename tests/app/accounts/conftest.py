"""A server whose accounts are linked at the real simulator: as if it were the platform itself, and as what it is."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.accounts.wayfarer import Browser
from app.api.calling import Api, served
from clipcast.api.app import create_app
from clipcast.settings import load_settings
from clipcast.system import Clipcast
from conftest import MovableClock
from contract.world import World

SECRET = "clipcast-simulator-secret"


def at(simulator_url: str, *, instagram_app: str = "17000000000000001") -> dict[str, Any]:
    """Settings for which the simulator is the platforms themselves."""
    tiktok, instagram, youtube = (f"{simulator_url}/{name}" for name in ("tiktok", "instagram", "youtube"))
    return {
        "tiktok_client_key": "awclipcastsimulator",
        "tiktok_client_secret": SECRET,
        "tiktok_api_url": tiktok,
        "tiktok_authorize_url": f"{tiktok}/v2/auth/authorize",
        "instagram_app_id": instagram_app,
        "instagram_app_secret": SECRET,
        "instagram_graph_url": instagram,
        "instagram_upload_url": f"{instagram}/rupload",
        "instagram_token_url": instagram,
        "instagram_code_url": instagram,
        "instagram_authorize_url": instagram,
        "youtube_client_id": "100000000001-clipcastsimulator.apps.googleusercontent.com",
        "youtube_client_secret": f"GOCSPX-{SECRET}",
        "youtube_api_url": youtube,
        "youtube_upload_url": youtube,
        "youtube_token_url": f"{youtube}/token",
        "youtube_authorize_url": f"{youtube}/o/oauth2/v2/auth",
        "simulator_url": simulator_url,
    }


@pytest.fixture
def settings(world: World) -> dict[str, Any]:
    """Where the platforms are; a test may have others."""
    return at(world.url)


@pytest.fixture
def clipcast(database_url: str, tmp_path: Path, clock: MovableClock, settings: dict[str, Any]) -> Iterator[Clipcast]:
    loaded = load_settings(data_dir=tmp_path / "data", database_url=database_url, **settings)
    with Clipcast.open(loaded, clock=clock) as opened:
        yield opened


@pytest.fixture
def api(clipcast: Clipcast) -> Iterator[Api]:
    with served(create_app(clipcast, with_worker=False)) as api:
        yield api


@pytest.fixture
def browser(api: Api) -> Iterator[Browser]:
    """A browser whose person may manage."""
    browser = Browser(api.url, api.key)
    yield browser
    browser.close()
