"""What a stranger learns from a server whose database cannot be reached."""

from pathlib import Path

from app.api.calling import served
from app.people.browsing import Browser
from clipcast.api.app import create_app
from clipcast.settings import load_settings
from clipcast.system import Clipcast

ADDRESS = "postgresql://somebodys-name:a-password@127.0.0.1:1/the-database"


def test_nothing_of_the_databases_address(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path, database_url=ADDRESS)
    with Clipcast.open(settings) as clipcast, served(create_app(clipcast, with_worker=False), key="nobody") as api:
        stranger = Browser(api.url)
        asked = [
            stranger("GET", "/readyz"),
            stranger("GET", "/posts", Authorization="Bearer clipcast_made-up"),
            stranger("GET", "/welcome?token=made-up"),
            stranger.sign_in(),
        ]
        stranger.close()

    for seen in asked:
        assert seen.status == 503
        for part in ("somebodys-name", "a-password", "127.0.0.1", "port 1", "the-database"):
            assert part not in seen.text, seen.text
