"""Sessions: what a cookie is worth, and when it is worth nothing any more."""

from collections.abc import Callable
from http.cookies import SimpleCookie

from argon2 import PasswordHasher
from pydantic import SecretStr

from app.people.browsing import EMAIL, PASSWORD, Browser, invited
from app.people.conftest import PUBLIC_URL
from clipcast.people.access import Role
from clipcast.people.cookies import DEVICE, SECURE, SESSION, Cookies
from clipcast.people.models import Person
from clipcast.system import Clipcast
from conftest import MovableClock

A_DAY_S = 86_400
PUBLIC_HOST = PUBLIC_URL.removeprefix("https://")


def test_signing_in_says_who_it_is(owner: Browser) -> None:
    elsewhere = owner.another()
    signed_in = elsewhere.sign_in(EMAIL.upper())

    assert signed_in.status == 201
    assert signed_in.json == elsewhere.me().json
    assert signed_in.json["name"] == "Ada"


def test_the_page_signs_in_too(owner: Browser) -> None:
    elsewhere = owner.another()

    assert "Sign in" in elsewhere("GET", "/login").text
    wrong = elsewhere("POST", "/login", form={"email": EMAIL, "password": "not the password"})
    assert (wrong.status, f'value="{EMAIL}"' in wrong.text, 'role="alert"' in wrong.text) == (401, True, True)
    right = elsewhere("POST", "/login", form={"email": EMAIL, "password": PASSWORD})
    assert (right.status, right.headers["Location"]) == (303, "/")
    assert elsewhere.me().status == 200


def test_a_cookie_is_out_of_reach_of_scripts_and_of_other_sites(owner: Browser) -> None:
    flags = baked(owner)[SESSION]

    assert flags["httponly"]
    assert flags["samesite"] == "lax"
    assert flags["path"] == "/"
    assert flags["domain"] == ""
    assert flags["max-age"] == str(30 * A_DAY_S)


def test_under_https_a_cookie_is_bound_to_the_host(clipcast: Clipcast, owner: Browser) -> None:
    """The proxy speaks TLS; we know it by the name under which we are called."""
    guest = owner.another()
    answer = guest(
        "POST",
        "/welcome",
        form={"token": invited(clipcast, Role.VIEWER), "name": "Grace", "email": "grace@example.com", "password": PASSWORD},
        origin=PUBLIC_URL,
        Host=PUBLIC_HOST,
    )

    assert answer.status == 303
    assert set(guest.cookies) == {SECURE + SESSION, SECURE + DEVICE}
    assert baked(guest)[SECURE + SESSION]["secure"]
    assert guest("GET", "/people/me", Host=PUBLIC_HOST).status == 200
    plain = f"{SESSION}={guest.cookies[SECURE + SESSION]}"
    assert guest("GET", "/people/me", Host=PUBLIC_HOST, Cookie=plain).status == 401, "a neighbouring host could have planted it"


def test_after_signing_out_the_cookie_is_worth_nothing(owner: Browser) -> None:
    kept = dict(owner.cookies)

    assert owner("DELETE", "/sessions/current").status == 204
    assert SESSION not in owner.cookies
    owner.cookies.update(kept)
    ended = owner.me()
    assert (ended.status, ended.code) == (401, "unauthorized")
    assert "/login" in ended.json["detail"]


def test_the_page_signs_out_too(owner: Browser) -> None:
    kept = dict(owner.cookies)
    left = owner("POST", "/logout")

    assert (left.status, left.headers["Location"]) == (303, "/login")
    owner.cookies.update(kept)
    assert owner.me().status == 401
    assert owner("DELETE", "/sessions/current").status == 204, "ending nothing is done already"


def test_signing_in_again_ends_the_session_before(owner: Browser) -> None:
    before = dict(owner.cookies)
    assert owner.sign_in().status == 201
    assert owner.cookies[SESSION] != before[SESSION]

    owner.cookies.update(before)
    assert owner.me().status == 401


def test_a_tampered_cookie_is_nobodys(clipcast: Clipcast, owner: Browser) -> None:
    good = owner.cookies[SESSION]
    token = clipcast.cookies.read(SESSION, {SESSION: good}, https_only=False)
    assert token is not None
    strange = Cookies(SecretStr("another installation's key"))
    device = owner.cookies[DEVICE]
    for made_up in (good[:-1], good + "A", "A" + good[1:], token, strange.sign(SESSION, token), device, "", "é"):
        owner.cookies[SESSION] = made_up
        assert owner.me().status == 401, made_up
    owner.cookies[SESSION] = good
    assert owner.me().status == 200


def test_a_session_ends_when_it_was_not_used_for_thirty_days(owner: Browser, clock: MovableClock) -> None:
    clock.advance(30 * A_DAY_S)

    assert owner.me().status == 401


def test_using_a_session_prolongs_it_and_its_cookie(owner: Browser, clock: MovableClock) -> None:
    owner.baked.clear()
    assert owner.me().status == 200
    assert owner.baked == [], "not for every request"
    for _ in range(3):
        clock.advance(29 * A_DAY_S)
        assert owner.me().status == 200
        assert baked(owner)[SESSION]["max-age"] == str(30 * A_DAY_S)


def test_a_new_password_ends_all_other_sessions(owner: Browser) -> None:
    elsewhere = owner.another()
    elsewhere.sign_in()
    new = "a better password"

    assert owner("PATCH", "/people/me", body={"password": new}).status == 422
    wrong = owner("PATCH", "/people/me", body={"password": new, "current_password": "guessed wrong"})
    assert (wrong.status, wrong.code) == (403, "forbidden")
    assert owner("PATCH", "/people/me", body={"password": "short", "current_password": PASSWORD}).status == 400
    assert elsewhere.me().status == 200
    assert owner("PATCH", "/people/me", body={"password": new, "current_password": PASSWORD}).status == 200

    assert owner.me().status == 200
    assert elsewhere.me().status == 401
    assert elsewhere.sign_in(password=PASSWORD).status == 401
    assert elsewhere.sign_in(password=new).status == 201


def test_a_stolen_session_is_no_way_to_guess_the_password(owner: Browser, clock: MovableClock) -> None:
    change = {"password": "a better password", "current_password": "guessed wrong"}
    tries = [owner("PATCH", "/people/me", body=change).status for _ in range(6)]

    assert tries == [403] * 5 + [429]
    clock.advance(1)
    assert owner("PATCH", "/people/me", body={**change, "current_password": PASSWORD}).status == 200


def test_a_deleted_person_is_signed_out(owner: Browser, member: Callable[[Role], Browser]) -> None:
    editor = member(Role.EDITOR)
    assert owner("DELETE", f"/people/{editor.me().json['id']}").status == 204

    assert editor.me().status == 401
    assert editor.sign_in("editor@example.com").status == 401


def test_a_new_role_counts_from_the_next_request(owner: Browser, member: Callable[[Role], Browser]) -> None:
    editor = member(Role.EDITOR)
    assert owner("PATCH", f"/people/{editor.me().json['id']}", body={"role": "viewer"}).status == 200

    assert editor.me().json["permissions"] == ["read"]


def test_a_password_hash_of_weaker_making_is_made_anew(clipcast: Clipcast, owner: Browser) -> None:
    person_id = owner.me().json["id"]
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    with clipcast.db.writing() as session:
        session.get_one(Person, person_id).password_hash = weak
    assert owner.another().sign_in().status == 201

    with clipcast.db.reading() as session:
        strong = session.get_one(Person, person_id).password_hash
    assert strong.startswith("$argon2id$")
    assert "m=65536" in strong
    assert owner.another().sign_in().status == 201


def baked(browser: Browser) -> dict[str, dict[str, object]]:
    """The last cookies of each name, with their flags."""
    return {name: dict(morsel) for line in browser.baked for name, morsel in SimpleCookie(line).items()}
