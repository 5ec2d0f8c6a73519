"""Whoever is shown out stays out: what they handed out, keys and invitations, goes with them, and so does what was made with it."""

import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from app.people.browsing import NOT_SAID, Browser, Seen, on_one_database
from clipcast import ledger
from clipcast.db.base import new_id
from clipcast.db.engine import Database
from clipcast.people import handed_out, keys
from clipcast.people.access import COMMAND_LINE, Role
from clipcast.people.models import ApiKey
from clipcast.system import Clipcast
from conftest import MovableClock

Member = Callable[[Role], Browser]
AT_ONCE = 12
EXPIRES_IN = timedelta(minutes=5)


@pytest.fixture
def mallory(member: Member) -> Browser:
    """The second owner, Owner by name."""
    return member(Role.OWNER)


def made(browser: Browser, role: str = "owner", key: str = "", **wanted: object) -> Any:
    """A key, made by whoever is signed in or with a key."""
    answer = asked(browser, key, "POST", "/apikeys", {"name": f"{role} key", "role": role, **wanted})
    assert answer.status == 201, answer.text
    return answer.json


def invited_by(browser: Browser, role: str = "owner", key: str = "", **wanted: object) -> Any:
    answer = asked(browser, key, "POST", "/people/invitations", {"role": role, **wanted})
    assert answer.status == 201, answer.text
    return answer.json | {"token": answer.json["url"].partition("token=")[2]}


def asked(browser: Browser, key: str, method: str = "GET", path: str = "/people/me", body: object = None) -> Seen:
    if not key:
        return browser(method, path, body=body)
    return browser.another()(method, path, body=body, origin=NOT_SAID, Authorization=f"Bearer {key}")


def shown_out(owner: Browser, somebody: Browser) -> None:
    assert owner("DELETE", f"/people/{somebody.me().json['id']}").status == 204


def demoted(owner: Browser, somebody: Browser, role: str) -> None:
    assert owner("PATCH", f"/people/{somebody.me().json['id']}", body={"role": role}).status == 200


def joins(browser: Browser, invitation: Any, email: str = "again@example.com") -> int:
    return browser.another().join(invitation["token"], email=email).status


def test_who_made_a_key_or_an_invitation_is_told(owner: Browser) -> None:
    person = {"created_by": f"person:{owner.me().json['id']}", "created_by_name": "Ada"}
    first = made(owner)
    key = {"created_by": f"key:{first['id']}", "created_by_name": "owner key"}
    answers = [(first, person), (made(owner, key=first["key"]), key)]
    answers += [(invited_by(owner), person), (invited_by(owner, key=first["key"]), key)]
    listed = owner("GET", "/apikeys").json["api_keys"][::-1] + owner("GET", "/people/invitations").json["invitations"][::-1]

    for (answer, maker), shown in zip(answers, listed, strict=True):
        assert answer["id"] == shown["id"]
        assert maker.items() <= answer.items()
        assert maker.items() <= shown.items()


def test_what_a_shell_made_is_the_command_lines(clipcast: Clipcast, owner: Browser) -> None:
    with clipcast.db.writing() as session:
        keys.create_key(session, name="nightly", role=Role.EDITOR, now=clipcast.clock())

    [shown] = owner("GET", "/apikeys").json["api_keys"]
    assert (shown["created_by"], shown["created_by_name"]) == ("command line", None)


def test_a_deleted_owners_keys_and_invitations_are_worth_nothing(owner: Browser, mallory: Browser) -> None:
    """Also the keys made with them, however far away, and the invitations made with those; nobody else's."""
    kept = made(owner), invited_by(owner)
    keys_of_mallory = [made(mallory)]
    for _ in range(3):
        keys_of_mallory.append(made(mallory, key=keys_of_mallory[-1]["key"]))
    links = [invited_by(mallory), invited_by(mallory, key=keys_of_mallory[-1]["key"])]
    shown_out(owner, mallory)

    assert [asked(owner, key["key"]).status for key in keys_of_mallory] == [401] * 4
    assert [joins(owner, link) for link in links] == [404, 404]
    assert asked(owner, kept[0]["key"]).status == 200
    assert [one["id"] for one in owner("GET", "/people/invitations").json["invitations"]] == [kept[1]["id"]]
    gone = [one for one in owner("GET", "/apikeys").json["api_keys"] if one["revoked_at"]]
    assert {one["id"] for one in gone} == {one["id"] for one in keys_of_mallory}
    assert gone[-1]["created_by_name"] is None, "nobody is called so any more"


def test_what_went_with_somebody_is_written_down(clipcast: Clipcast, owner: Browser, mallory: Browser) -> None:
    mallory_label, ada = (f"person:{browser.me().json['id']}" for browser in (mallory, owner))
    first = made(mallory)
    second = made(mallory, key=first["key"])
    link = invited_by(mallory, key=second["key"])
    shown_out(owner, mallory)

    streams = [f"api_key:{first['id']}", f"api_key:{second['id']}", f"invitation:{link['id']}"]
    with clipcast.db.reading() as session:
        last = [ledger.events(session, stream=stream)[0] for stream in streams]
        assert ledger.verify(session) == []
    assert [event.event for event in last] == ["api_key_revoked", "api_key_revoked", "invitation_withdrawn"]
    assert {event.details["actor"] for event in last} == {ada}
    assert [event.details["because"] for event in last] == [mallory_label, f"key:{first['id']}", f"key:{second['id']}"]


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_a_demoted_owner_does_not_come_back_by_what_they_handed_out(owner: Browser, mallory: Browser, role: str) -> None:
    """What somebody of the new role may have stays: nothing is lost that need not be."""
    mine = {each: made(mallory, each) for each in Role}
    links = [invited_by(mallory, each) for each in Role]
    demoted(owner, mallory, role)

    worth = {each: asked(owner, key["key"]).status for each, key in mine.items()}
    assert worth == {"owner": 401, "editor": 200 if role == "editor" else 401, "viewer": 200}
    assert [joins(owner, link) for link in links] == [404] * 3
    assert mallory.me().json["role"] == role
    assert mallory("GET", "/apikeys").status == 403


@on_one_database
def test_a_higher_role_ends_nothing(owner: Browser, member: Member) -> None:
    key = made(owner, "viewer")
    demoted(owner, member(Role.VIEWER), "owner")

    assert asked(owner, key["key"]).status == 200


def test_a_revoked_key_takes_along_what_was_made_with_it(owner: Browser) -> None:
    first = made(owner)
    second = made(owner, key=first["key"])
    third = made(owner, "viewer", key=second["key"])
    links = [invited_by(owner), invited_by(owner, key=second["key"])]
    assert owner("DELETE", f"/apikeys/{second['id']}").status == 204

    assert [asked(owner, key["key"]).status for key in (first, second, third)] == [200, 401, 401]
    assert [joins(owner, link, f"{number}@example.com") for number, link in enumerate(links)] == [303, 404]


def test_a_chain_of_keys_is_revoked_however_long_it_is(db: Database, clock: MovableClock) -> None:
    """As long as somebody likes who wants to be hard to get rid of."""
    ids = [new_id() for _ in range(sys.getrecursionlimit() + 100)]
    common: dict[str, Any] = {"name": "a link", "role": "owner", "prefix": "clipcast_", "created_at": clock()}
    with db.writing() as session:
        for key_id, maker in zip(ids, ["person:mallory", *(f"key:{each}" for each in ids)], strict=False):
            session.add(ApiKey(id=key_id, key_sha256=key_id, created_by=maker, **common))
    with db.writing() as session:
        revoked = handed_out.end(session, "person:mallory", clock(), by=COMMAND_LINE)

    assert [key.id for key in revoked] == ids


def test_what_is_asked_for_while_somebody_is_shown_out_is_not_left_behind(owner: Browser, mallory: Browser) -> None:
    """Requests that were let in a moment before their maker was deleted: the key is revoked with the others, or never made."""
    first = made(mallory)["key"]
    together = threading.Barrier(AT_ONCE + 1)

    def ask(number: int) -> int:
        body = {"name": "one more", "role": "owner"} if number % 3 else {"role": "owner"}
        path = "/apikeys" if number % 3 else "/people/invitations"
        together.wait(10)
        return asked(mallory, first if number % 2 else "", "POST", path, body).status

    person = f"/people/{mallory.me().json['id']}"
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = [pool.submit(ask, number) for number in range(AT_ONCE)]
        together.wait(10)
        assert owner("DELETE", person).status == 204
        assert {answer.result() for answer in answers} <= {201, 401, 403}

    assert [one for one in owner("GET", "/apikeys?limit=200").json["api_keys"] if one["revoked_at"] is None] == []
    assert owner("GET", "/people/invitations").json["invitations"] == []


@pytest.mark.parametrize("later", [None, timedelta(seconds=1), timedelta(days=365)])
def test_no_key_outlives_the_one_it_is_made_with(owner: Browser, clock: MovableClock, later: timedelta | None) -> None:
    ends_at = clock() + EXPIRES_IN
    key = made(owner, expires_at=ends_at.isoformat())["key"]
    wanted = {} if later is None else {"expires_at": (ends_at + later).isoformat()}

    refused = asked(owner, key, "POST", "/apikeys", {"name": "longer", "role": "owner", **wanted})
    assert (refused.status, refused.code) == (400, "invalid_request")
    assert f"ends at {ends_at:%Y-%m-%dT%H:%M:%SZ}" in refused.json["detail"]
    assert len(owner("GET", "/apikeys").json["api_keys"]) == 1


def test_a_key_that_ends_with_the_one_it_is_made_with_is_made(owner: Browser, clock: MovableClock) -> None:
    """The time in the sentence of the refusal is good too; and whose maker has no end may have any."""
    ends_at = clock() + EXPIRES_IN
    key = made(owner, expires_at=ends_at.isoformat())["key"]

    assert made(owner, key=key, expires_at=ends_at.isoformat())["expires_at"]
    assert made(owner, key=key, expires_at=f"{ends_at:%Y-%m-%dT%H:%M:%SZ}")["expires_at"]
    assert made(owner, key=made(owner)["key"])["expires_at"] is None
