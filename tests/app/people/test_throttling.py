"""Wrong passwords: guessing leads nowhere, and locks out nobody for long."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.people.browsing import EMAIL, PASSWORD, Browser, on_one_database
from clipcast import ledger
from clipcast.db.engine import Database
from clipcast.errors import TooManyAttempts
from clipcast.people import sessions, throttle
from clipcast.people.models import FailedLogin
from clipcast.system import Clipcast
from conftest import MovableClock

WRONG = "a wrong password"


def test_after_five_wrong_passwords_the_next_waits(owner: Browser, clock: MovableClock) -> None:
    """Even the right one: otherwise the answer would tell which guess was right."""
    stranger = owner.another()
    assert [stranger.sign_in(password=WRONG).status for _ in range(5)] == [401] * 5

    refused = stranger.sign_in(password=PASSWORD)
    assert (refused.status, refused.code, refused.headers["Retry-After"]) == (429, "too_many_attempts", "1")
    assert "1 second" in refused.json["detail"]
    clock.advance(1)
    assert stranger.sign_in(password=PASSWORD).status == 201


def test_each_wrong_password_doubles_the_wait_up_to_half_an_hour(db: Database, clock: MovableClock) -> None:
    subject = [throttle.Subject.of_email(EMAIL)]
    waits = []
    for _ in range(18):
        with db.writing() as session:
            waits.append(throttle.begin(session, subject, clock()).wait_if_wrong.total_seconds())
        if waits[-1]:
            clock.advance(waits[-1] - 0.001)
            with db.writing() as session, pytest.raises(TooManyAttempts):
                throttle.begin(session, subject, clock())
            clock.advance(0.001)

    assert waits == [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1800, 1800, 1800]


@on_one_database
def test_the_right_password_starts_the_count_anew(owner: Browser) -> None:
    stranger = owner.another()
    for _ in range(2):
        assert [stranger.sign_in(password=WRONG).status for _ in range(4)] == [401] * 4
        assert stranger.sign_in().status == 201
        stranger.cookies.clear()


@on_one_database
def test_one_network_cannot_try_one_password_on_many_people(owner: Browser, clock: MovableClock) -> None:
    """Twenty addresses, then nothing for ten minutes from the first; other browsers that are known here go on."""
    spray = owner.another()
    assert [spray.sign_in(f"p{number}@example.com", WRONG).status for number in range(20)] == [401] * 20

    refused = spray.sign_in("p20@example.com", WRONG)
    assert (refused.status, refused.headers["Retry-After"]) == (429, "600")
    assert "10 minutes" in refused.json["detail"]
    assert owner.sign_in().status == 201
    clock.advance(600)
    assert spray.sign_in("p20@example.com", WRONG).status == 401


@on_one_database
def test_nobody_can_lock_out_a_browser_that_is_known_here(owner: Browser, clock: MovableClock) -> None:
    """Somebody guesses at the owner's address for hours; the owner signs in all the while, on the browser used before."""
    owner("POST", "/logout")
    for _ in range(3):
        stranger = owner.another()
        while stranger.sign_in(password=WRONG).status == 401:
            pass
        assert owner.sign_in().status == 201
        clock.advance(600)


@on_one_database
def test_a_known_browser_is_no_way_to_guess(owner: Browser) -> None:
    """Nor does it help with anybody else's password."""
    assert [owner.sign_in(password=WRONG).status for _ in range(6)] == [401] * 5 + [429]
    assert [owner.sign_in("other@example.com", WRONG).status for _ in range(6)] == [401] * 5 + [429]


def test_a_hundred_guesses_at_once_are_not_all_the_first(owner: Browser) -> None:
    def guess(number: int) -> int:
        return owner.another().sign_in(password=f"{WRONG} {number}").status

    with ThreadPoolExecutor(30) as pool:
        answers = sorted(pool.map(guess, range(30)))

    assert answers == [401] * 5 + [429] * 25


@on_one_database
def test_unknown_addresses_are_answered_like_known_ones(owner: Browser) -> None:
    stranger = owner.another()
    known, unknown = (stranger.sign_in(email, WRONG) for email in (EMAIL, "nobody@example.com"))

    assert known.status == unknown.status == 401
    assert known.json["detail"] == unknown.json["detail"]
    again = [stranger.sign_in("nobody@example.com", WRONG).status for _ in range(5)]
    assert again == [401] * 4 + [429]


@on_one_database
def test_unknown_addresses_take_as_long_as_known_ones(owner: Browser, clock: MovableClock) -> None:
    """A hash is computed for them as well. Without it, the answer would come ten times sooner."""
    owner.another().sign_in("warm@example.com", WRONG)

    def took_s(email: str) -> float:
        clock.advance(3600)
        started_s = time.perf_counter()
        assert owner.another().sign_in(email, WRONG).status == 401
        return time.perf_counter() - started_s

    pairs = [(took_s(EMAIL), took_s(f"nobody{number}@example.com")) for number in range(5)]
    known_s, unknown_s = (statistics.median(column) for column in zip(*pairs, strict=True))
    assert 0.4 < unknown_s / known_s < 2.5


def test_guessing_is_written_down_without_the_address(clipcast: Clipcast, owner: Browser) -> None:
    person_id = owner.me().json["id"]
    for _ in range(6):
        owner.another().sign_in(password=WRONG)

    with clipcast.db.reading() as session:
        refused = ledger.events(session, stream=f"person:{person_id}", event=ledger.SIGN_IN_REFUSED)
        remembered = session.query(FailedLogin).all()
    assert [event.details for event in refused] == [{"wait_s": 1}]
    assert len(remembered) == 10, "five by address, five by network; refused ones do not count"
    assert all(EMAIL not in row.subject and "127.0.0.1" not in row.subject for row in remembered)


def test_what_no_wait_looks_back_to_is_swept(clipcast: Clipcast, owner: Browser, clock: MovableClock) -> None:
    owner.another().sign_in(password=WRONG)
    clock.advance(40 * 86_400)
    with clipcast.db.writing() as session:
        sessions.sweep(session, clock())

    with clipcast.db.reading() as session:
        assert session.query(FailedLogin).count() == 0
    assert owner.me().status == 401
