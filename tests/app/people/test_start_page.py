"""The first page: where somebody who came in goes on, and where a stranger is sent."""

from collections.abc import Callable

from app.people.browsing import Browser, on_one_database
from clipcast.people.access import Role

HTML = {"Accept": "text/html"}
CONSENTS = ("/oauth/tiktok/start", "/oauth/instagram/start", "/oauth/instagram/start?login=facebook", "/oauth/youtube/start")

pytestmark = on_one_database


def test_an_owner_finds_the_way_to_every_platform(owner: Browser) -> None:
    page = owner("GET", "/", sent=HTML)

    assert (page.status, "Ada" in page.text) == (200, True)
    assert all(f'href="{address}"' in page.text for address in CONSENTS)
    assert {owner("GET", address).status for address in CONSENTS} == {303}


def test_who_may_not_connect_accounts_is_not_led_there(member: Callable[[Role], Browser]) -> None:
    page = member(Role.EDITOR)("GET", "/", sent=HTML)

    assert page.status == 200
    assert "/oauth/" not in page.text


def test_a_stranger_is_shown_where_to_sign_in_and_a_program_is_told(browser: Browser) -> None:
    page = browser("GET", "/", sent=HTML)

    assert (page.status, page.headers["Location"]) == (303, "/login")
    assert (browser("GET", "/").status, browser("GET", "/").code) == (401, "unauthorized")
