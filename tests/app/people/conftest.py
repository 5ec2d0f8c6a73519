"""The real application under a real server, on both databases, with a browser pointed at it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from app.api.calling import served
from app.people.browsing import Browser, first_link, invited
from clipcast.api.app import create_app
from clipcast.people.access import Role
from clipcast.settings import load_settings
from clipcast.system import Clipcast
from conftest import MovableClock

PUBLIC_URL = "https://clips.example.com"
APPS = {
    f"{platform}_{name}": f"{platform}'s {name}"
    for platform, names in {
        "tiktok": ("client_key", "client_secret"),
        "instagram": ("app_id", "app_secret"),
        "youtube": ("client_id", "client_secret"),
    }.items()
    for name in names
}
"""Apps of our own at the platforms: from a public address nobody is sent to a simulator on this machine."""


@pytest.fixture
def clipcast(database_url: str, tmp_path: Path, clock: MovableClock) -> Iterator[Clipcast]:
    settings = load_settings(data_dir=tmp_path / "data", database_url=database_url, public_url=PUBLIC_URL, **APPS)
    with Clipcast.open(settings, clock=clock) as opened:
        yield opened


@pytest.fixture
def browser(clipcast: Clipcast) -> Iterator[Browser]:
    """Nobody is signed in, and there is nobody who could."""
    with served(create_app(clipcast, with_worker=False), key="nobody asks with it") as api:
        browser = Browser(api.url)
        yield browser
        browser.close()


@pytest.fixture
def owner(clipcast: Clipcast, browser: Browser) -> Browser:
    """The browser in which the first owner is signed in."""
    assert browser.join(first_link(clipcast)).status == 303
    return browser


@pytest.fixture
def member(clipcast: Clipcast, owner: Browser) -> Iterator[Callable[[Role], Browser]]:
    """Makes more people, each signed in in a browser of their own."""
    with ExitStack() as open_browsers:

        def join(role: Role) -> Browser:
            browser = owner.another()
            open_browsers.callback(browser.close)
            assert browser.join(invited(clipcast, role), email=f"{role}@example.com", name=role.title()).status == 303
            return browser

        yield join
