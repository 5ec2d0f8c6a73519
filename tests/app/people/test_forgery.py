"""What pages of others make a browser send, and what names of others make of this server."""

from app.people.browsing import EMAIL, NOT_SAID, PASSWORD, Browser, first_link, on_one_database
from app.people.conftest import PUBLIC_URL
from clipcast.people.cookies import SECURE, SESSION
from clipcast.system import Clipcast

KEY = {"name": "a way in", "role": "owner"}
STRANGE = "https://evil.example"

FORGED: list[tuple[str, dict[str, str]]] = [
    (STRANGE, {}),
    ("null", {}),
    ("http://127.0.0.1:1", {}),
    ("https://127.0.0.1", {}),
    (NOT_SAID, {}),
    (NOT_SAID, {"Referer": f"{STRANGE}/page"}),
    (NOT_SAID, {"Sec-Fetch-Site": "cross-site"}),
    (NOT_SAID, {"Sec-Fetch-Site": "same-site"}),
    (STRANGE, {"Sec-Fetch-Site": "same-origin"}),
    ("not an address", {}),
    ("http://[", {}),
    (f"{PUBLIC_URL}.evil.example", {}),
    (PUBLIC_URL.replace("https", "http"), {}),
]
HONEST: list[tuple[str | None, dict[str, str]]] = [
    (None, {}),
    (NOT_SAID, {"Referer": "{own}/people"}),
    (NOT_SAID, {"Sec-Fetch-Site": "same-origin"}),
    ("null", {"Sec-Fetch-Site": "same-origin"}),
]
REBOUND = ["evil.example", "evil.example:8000", "clips.example.com.evil.example", "127.0.0.1.evil.example", "a@b", "/"]
SAFE = ["127.0.0.1:8000", "localhost", "LOCALHOST:8000", "192.168.1.20:8000", "[::1]:8000", "clips.localhost"]

pytestmark = on_one_database


def test_another_page_cannot_make_a_signed_in_browser_act(owner: Browser) -> None:
    for origin, headers in FORGED:
        forged = owner("POST", "/apikeys", body=KEY, origin=origin, sent=headers)
        assert (forged.status, forged.code) == (403, "wrong_origin"), (origin, headers)

    assert owner("GET", "/apikeys").json["api_keys"] == []


def test_our_own_pages_can(owner: Browser) -> None:
    for origin, headers in HONEST:
        sent = {name: value.format(own=owner.url) for name, value in headers.items()}
        assert owner("POST", "/apikeys", body=KEY, origin=origin, sent=sent).status == 201, (origin, headers)


def test_a_proxy_may_call_us_by_another_name_than_people_do(owner: Browser) -> None:
    """It hands on what the browser says of its page; the cookie came under TLS."""
    cookie = f"{SECURE}{SESSION}={owner.cookies[SESSION]}"

    assert owner("POST", "/apikeys", body=KEY, origin=PUBLIC_URL, Cookie=cookie).status == 201
    assert owner("GET", "/apikeys", Cookie=cookie).status == 200


def test_a_key_needs_no_origin(owner: Browser) -> None:
    """No browser sends one by itself."""
    key = owner("POST", "/apikeys", body=KEY).json["key"]
    program = owner.another()

    assert program("POST", "/apikeys", body=KEY, origin=NOT_SAID, Authorization=f"Bearer {key}").status == 201


def test_another_page_cannot_sign_anybody_in(clipcast: Clipcast, browser: Browser) -> None:
    """As somebody of the attacker's choice: what is then done here would be done in their name."""
    token = first_link(clipcast)
    assert browser.join(token, origin=STRANGE).status == 403
    assert browser.join(token).status == 303
    elsewhere = browser.another()

    assert elsewhere.sign_in(origin=STRANGE).code == "wrong_origin"
    assert elsewhere.sign_in(origin=NOT_SAID).code == "wrong_origin"
    page = elsewhere("POST", "/login", form={"email": EMAIL, "password": PASSWORD}, origin=STRANGE)
    assert (page.status, "own pages" in page.text) == (403, True)
    assert elsewhere.cookies == {}


def test_another_page_cannot_sign_anybody_out(owner: Browser) -> None:
    assert owner("POST", "/logout", origin=STRANGE).status == 403
    assert owner("DELETE", "/sessions/current", origin=STRANGE).status == 403

    assert SESSION in owner.cookies
    assert owner.me().status == 200


def test_a_rebound_name_is_not_ours(owner: Browser) -> None:
    """A page under that name would be of one origin with us: nothing but the name tells it apart."""
    guest = owner.another()
    for host in REBOUND:
        origin = f"http://{host}"
        assert owner("GET", "/people/me", Host=host).code == "wrong_origin", host
        assert owner("POST", "/apikeys", body=KEY, Host=host, origin=origin).code == "wrong_origin"
        assert guest("GET", "/login", Host=host).status == 403
        assert guest("GET", "/welcome?token=any", Host=host).status == 403
        assert guest("POST", "/sessions", body={"email": EMAIL, "password": PASSWORD}, Host=host, origin=origin).status == 403


def test_addresses_and_this_machine_cannot_be_rebound(owner: Browser) -> None:
    for host in SAFE:
        assert owner("GET", "/people/me", Host=host).status == 200, host
        assert owner("POST", "/apikeys", body=KEY, Host=host, origin=f"http://{host}").status == 201


def test_without_tls_the_public_name_is_somebody_in_between(owner: Browser) -> None:
    """Who can write into plain HTTP could otherwise act in the page that people reach through TLS."""
    host = PUBLIC_URL.removeprefix("https://")
    cookie = f"{SECURE}{SESSION}={owner.cookies[SESSION]}"

    assert owner("POST", "/apikeys", body=KEY, Host=host, origin=f"http://{host}", Cookie=cookie).code == "wrong_origin"
    assert owner("POST", "/apikeys", body=KEY, Host=host, origin=PUBLIC_URL, Cookie=cookie).status == 201
