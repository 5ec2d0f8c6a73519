"""A new password is the last word: nothing that the old one began goes on, and no link that was waiting sets another."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import func, select

from app.people.browsing import EMAIL, PASSWORD, Browser, invited, on_one_database
from clipcast.people import invitations, members, passwords, store
from clipcast.people.access import Role
from clipcast.people.models import FailedLogin
from clipcast.system import Clipcast

NEW = "a better password"
STOLEN = "what the thief would like"


@contextmanager
def nobody_compared() -> Iterator[None]:
    """All places in which passwords are compared are taken."""
    with passwords.room(), passwords.room():
        yield


def tries(clipcast: Clipcast) -> int:
    with clipcast.db.reading() as session:
        return session.scalar(select(func.count()).select_from(FailedLogin)) or 0


def test_whoever_knew_the_old_password_does_not_set_another_after_it(clipcast: Clipcast, owner: Browser) -> None:
    """Somebody with a stolen session and the old password begins first; its owner sets a new one while theirs is being compared."""
    password_hash = passwords.hashed(NEW)
    change = {"password": STOLEN, "current_password": PASSWORD}
    answers: list[int] = []
    thief = threading.Thread(target=lambda: answers.append(owner("PATCH", "/people/me", body=change).status))
    with nobody_compared():
        thief.start()
        while not tries(clipcast):
            thief.join(0.01)
        with clipcast.db.writing() as session:
            person = store.person_with(session, EMAIL)
            assert person is not None
            members.set_password(session, person, password_hash, clipcast.clock(), by="command line")
    thief.join()

    assert answers == [403]
    assert owner.another().sign_in(password=STOLEN).status == 401
    assert owner.another().sign_in(password=NEW).status == 201


@on_one_database
def test_a_new_password_ends_the_links_that_would_set_another(clipcast: Clipcast, owner: Browser) -> None:
    """Printed, and perhaps read over somebody's shoulder, before the password came back to mind."""
    with clipcast.db.writing() as session:
        person = store.person_with(session, EMAIL)
        assert person is not None
        link = invitations.reset_link(session, person, clipcast.clock())
    assert owner("PATCH", "/people/me", body={"password": NEW, "current_password": PASSWORD}).status == 200

    assert owner.another().join(link, password=STOLEN).status == 404
    assert owner.another().sign_in(password=NEW).status == 201


@on_one_database
@pytest.mark.parametrize("role", [Role.VIEWER, Role.OWNER])
def test_a_new_password_leaves_invitations_of_others_alone(clipcast: Clipcast, owner: Browser, role: Role) -> None:
    link = invited(clipcast, role)
    assert owner("PATCH", "/people/me", body={"password": NEW, "current_password": PASSWORD}).status == 200

    assert owner.another().join(link, email="grace@example.com", name="Grace").status == 303
