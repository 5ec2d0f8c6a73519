"""Browsers that are known: by the password of today alone, under one number, and with so many tries together."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from argon2 import PasswordHasher

from app.people.browsing import EMAIL, PASSWORD, Browser, on_one_database
from clipcast.db.base import new_id
from clipcast.db.engine import Database
from clipcast.errors import TooManyAttempts
from clipcast.people import invitations, members, passwords, store, throttle
from clipcast.people.cookies import DEVICE
from clipcast.people.models import Person
from clipcast.people.signing_in import Device
from clipcast.system import Clipcast
from conftest import MovableClock

NEW = "a better password"
WRONG = "a wrong password"
COOKIES = 8
A_DAY = timedelta(hours=24)
MOST_A_DAY = 100
"""What decision 0015 promises."""


@pytest.fixture
def collected(owner: Browser) -> Iterator[list[Browser]]:
    """So many browsers in which somebody signed in with the password."""
    browsers = [owner.another() for _ in range(COOKIES)]
    assert [browser.sign_in().status for browser in browsers] == [201] * COOKIES
    yield browsers
    for browser in browsers:
        browser.close()


def device(clipcast: Clipcast, browser: Browser) -> Device:
    value = clipcast.cookies.read(DEVICE, browser.cookies, https_only=False)
    assert value is not None
    return Device(*value.split(" "))


def looked_at(browsers: list[Browser], tries: int) -> int:
    """How many wrong passwords were looked at, of so many in each of these browsers."""
    statuses = [browser.sign_in(password=f"{WRONG} {number}").status for browser in browsers for number in range(tries)]
    assert set(statuses) <= {401, 429}
    return statuses.count(401)


def test_a_new_password_makes_a_stranger_of_every_other_browser(owner: Browser, collected: list[Browser]) -> None:
    """Cookies collected with the old one are no way to guess the new one: all of them count as the one stranger they are."""
    assert owner("PATCH", "/people/me", body={"password": NEW, "current_password": PASSWORD}).status == 200

    assert looked_at(collected, 5) == throttle.FREE_TRIES
    owner("POST", "/logout")
    assert owner.sign_in(password=NEW).status == 201, "the browser in which it was chosen is known by it"


@on_one_database
@pytest.mark.parametrize("how", ["reset link", "command line"])
def test_a_password_that_was_set_does_so_too(clipcast: Clipcast, owner: Browser, collected: list[Browser], how: str) -> None:
    with clipcast.db.writing() as session:
        person = store.person_with(session, EMAIL)
        assert person is not None
        if how == "reset link":
            link = invitations.reset_link(session, person, clipcast.clock())
        else:
            members.set_password(session, person, passwords.hashed(NEW), clipcast.clock(), by=how)
    if how == "reset link":
        assert owner("POST", "/welcome", form={"token": link, "password": NEW}).status == 303

    assert looked_at(collected, 2) == throttle.FREE_TRIES


@on_one_database
def test_a_known_browser_stays_the_one_it_is(clipcast: Clipcast, owner: Browser) -> None:
    before = device(clipcast, owner)
    owner("POST", "/logout")
    assert owner.sign_in().status == 201
    assert device(clipcast, owner) == before

    assert owner("PATCH", "/people/me", body={"password": NEW, "current_password": PASSWORD}).status == 200
    after = device(clipcast, owner)
    assert (after.id == before.id, after.mark == before.mark) == (False, False)


@on_one_database
def test_a_hash_of_better_making_is_no_new_password_to_the_browser_that_made_it(clipcast: Clipcast, owner: Browser) -> None:
    """The cookie is given after the better hash took its place, and names that."""
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    with clipcast.db.writing() as session:
        session.get_one(Person, owner.me().json["id"]).password_hash = weak
    assert owner.sign_in().status == 201
    first = device(clipcast, owner)
    assert owner.sign_in().status == 201
    assert device(clipcast, owner) == first

    stranger = owner.another()
    assert [stranger.sign_in(password=WRONG).status for _ in range(6)] == [401] * 5 + [429]
    assert owner.sign_in().status == 201, "nobody else's guesses make it wait"


@on_one_database
def test_known_browsers_have_so_many_tries_together(owner: Browser, collected: list[Browser]) -> None:
    """Past those they count like strangers, all as one; and who has guessed nothing signs in."""
    assert looked_at(collected[:6], 5) == throttle.KNOWN_TRIES
    assert owner.sign_in().status == 201, "as a new browser would"

    assert looked_at(collected[6:], 5) == throttle.FREE_TRIES


def test_the_right_password_gives_known_browsers_no_tries_anew(db: Database, clock: MovableClock) -> None:
    """Otherwise each sign-in of the owner would give a thief's browsers another day's worth."""
    strangers = [throttle.Subject.of_email(EMAIL)]

    def tried(device: str) -> throttle.Attempt:
        with db.writing() as session:
            return throttle.begin_known(session, throttle.Subject.of_device(device), "ada", strangers, clock())

    def wrong_ones(device: str) -> list[bool]:
        """Four wrong passwords and the right one: which of the wrong ones were counted as a known browser's."""
        wrong = [tried(device).subjects != strangers for _ in range(4)]
        right = tried(device)
        with db.writing() as session:
            throttle.was_right(session, right)
        return wrong

    counted = [known for number in range(10) for known in wrong_ones(f"device {number}")]
    assert counted == [True] * throttle.KNOWN_TRIES + [False] * (40 - throttle.KNOWN_TRIES)
    clock.advance(throttle.REMEMBERED.total_seconds())
    assert wrong_ones("device 0") == [True] * 4


def test_no_more_guesses_a_day_than_promised_reach_one_password(db: Database, clock: MovableClock) -> None:
    """From networks and stolen cookies without number and a stolen session, by somebody who never lets a moment pass unused."""
    person_id, ends_at = new_id(), clock() + A_DAY
    devices = [throttle.Subject.of_device(f"stolen {number}") for number in range(COOKIES)]
    own = [throttle.Subject.of_person(person_id), *devices]
    email, guesses, networks = throttle.Subject.of_email(EMAIL), 0, 0
    while clock() < ends_at:
        waits = []
        for subject in [None, *own]:
            networks += 1
            strangers = [email, throttle.Subject.of_network(f"2001:db8:{networks:x}::1")]
            try:
                with db.writing() as session:
                    if subject is None:
                        throttle.begin(session, strangers, clock())
                    else:
                        throttle.begin_known(session, subject, person_id, strangers, clock())
                guesses += 1
                waits.append(0.0)
            except TooManyAttempts as error:
                waits.append(error.retry_after_s)
        clock.advance(min(waits))

    assert throttle.KNOWN_TRIES < guesses <= MOST_A_DAY
    assert guesses == 92, "decision 0015 says so"
