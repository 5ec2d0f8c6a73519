"""Behind a proxy that speaks TLS and calls us by another name than people do, as nginx does unless told otherwise."""

from http.cookies import Morsel, SimpleCookie

from app.people.browsing import EMAIL, PASSWORD, Browser, on_one_database
from app.people.conftest import PUBLIC_URL
from clipcast.people.cookies import DEVICE, SECURE, SESSION
from conftest import MovableClock

A_DAY_S = 86_400

pytestmark = on_one_database


def through_the_proxy(owner: Browser) -> Browser:
    """Signed in there; what it sends on comes to us as to 127.0.0.1."""
    browser = owner.another()
    assert browser.sign_in(origin=PUBLIC_URL).status == 201
    assert set(browser.cookies) == {SECURE + SESSION, SECURE + DEVICE}
    browser.baked.clear()
    return browser


def baked(browser: Browser) -> dict[str, Morsel[str]]:
    return {name: morsel for line in browser.baked for name, morsel in SimpleCookie(line).items()}


def test_a_prolonged_session_stays_bound_to_tls(owner: Browser, clock: MovableClock) -> None:
    """A page that is only opened says nothing of where it comes from; the cookie it comes with does."""
    browser = through_the_proxy(owner)
    clock.advance(2 * A_DAY_S)
    assert browser.me().status == 200

    assert set(baked(browser)) == {SECURE + SESSION}
    assert baked(browser)[SECURE + SESSION]["secure"]


def test_a_page_that_prolongs_a_session_does_so_too(owner: Browser, clock: MovableClock) -> None:
    browser = through_the_proxy(owner)
    clock.advance(2 * A_DAY_S)
    assert browser("GET", "/", Accept="text/html").status == 200

    assert set(baked(browser)) == {SECURE + SESSION}
    assert baked(browser)[SECURE + SESSION]["secure"]


def test_signing_out_forgets_the_cookie_that_is_there(owner: Browser) -> None:
    browser = through_the_proxy(owner)
    assert browser("DELETE", "/sessions/current", origin=PUBLIC_URL).status == 204

    assert SECURE + SESSION not in browser.cookies
    assert browser.me().status == 401


def test_without_tls_no_cookie_claims_it(owner: Browser) -> None:
    browser = owner.another()
    assert browser.sign_in(EMAIL, PASSWORD).status == 201

    assert set(browser.cookies) == {SESSION, DEVICE}
